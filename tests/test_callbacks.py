"""What callbacks hear of runs: in order, all of them, in workers too."""

from __future__ import annotations

from pathlib import Path

import pytest

import neuroevo as ne


class Diary(ne.Callback):
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.heard = []

    def started(self, scenario, path):
        self.heard.append(("started", path.name))

    def generation(self, progress):
        self.heard.append(("generation", progress.generation))

    def stopped(self, reason):
        self.heard.append(("stopped", reason.criterion))

    def finished(self, record):
        self.heard.append(("finished", record.status, record.run["generations"]))


def test_callbacks_hear_of_a_run_from_its_start_to_its_record(small_scenario, tmp_path):
    first, second = Diary(), Diary()
    record = ne.run(small_scenario, results=tmp_path, callbacks=[first, second])
    expected = [
        ("started", "small-seed1"),
        *(("generation", number) for number in range(1, 13)),
        ("stopped", "generations"),
        ("finished", "finished", 12),
    ]
    assert first.heard == second.heard == expected
    again = Diary()
    ne.extend(record.path, overrides={"stop.generations": 14}, callbacks=[again])
    assert again.heard[1:3] == [("generation", 13), ("generation", 14)]
    assert again.heard[-1] == ("finished", "finished", 14)


def test_callbacks_hear_of_every_trial_in_this_process(small_scenario, tmp_path):
    diary = Diary()
    ne.run_trials(small_scenario, 2, results=tmp_path, callbacks=[diary])
    assert [entry[1] for entry in diary.heard if entry[0] == "started"] == ["seed1", "seed2"]
    assert sum(entry[0] == "finished" for entry in diary.heard) == 2


class Marks(ne.Callback):
    """Leaves a file for each run that ends, from the process in which it ended."""

    in_workers = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def finished(self, record):
        import os

        (self.folder / f"{record.path.name}-{os.getpid()}").touch()


@pytest.mark.ray
def test_callbacks_that_may_travel_hear_of_runs_in_workers(ray_here, small_scenario, tmp_path):
    import os

    marks, diary = tmp_path / "marks", Diary()
    marks.mkdir()
    compute = ne.Compute(workers=2)
    ne.run_trials(small_scenario, 3, results=tmp_path / "runs", compute=compute, callbacks=[Marks(marks), diary])
    names = sorted(mark.name.partition("-") for mark in marks.iterdir())
    assert [name for name, _, _ in names] == ["seed1", "seed2", "seed3"]
    assert str(os.getpid()) not in {process for _, _, process in names}
    assert diary.heard == []


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"callbacks": Diary()}, "write \\[callback\\]"),
        ({"callbacks": [Diary]}, "must be an instance"),
        ({"compute": 4}, "compute must be a Compute"),
    ],
)
def test_what_is_none_is_refused_before_anything_is_written(small_scenario, tmp_path, wrong, complaint):
    for start in (ne.run, lambda *args, **options: ne.run_trials(*args, 2, **options)):
        with pytest.raises(ne.WrongType, match=complaint):
            start(small_scenario, results=tmp_path / "runs", **wrong)
    assert not (tmp_path / "runs").exists()


class Raising(ne.Callback):
    def generation(self, progress):
        if progress.generation == 5:
            raise RuntimeError("no more of this")


def test_a_run_that_a_callback_has_ended_says_so_and_can_be_gone_on_with(small_scenario, tmp_path):
    whole = ne.run(small_scenario, results=tmp_path / "whole")
    with pytest.raises(RuntimeError, match="no more of this"):
        ne.run(small_scenario, results=tmp_path / "ended", callbacks=[Raising()])
    record = ne.RunRecord.open(tmp_path / "ended" / "small-seed1")
    assert (record.status, record.history.n_generations) == ("failed", 5)
    again = ne.resume(record.path)
    assert again.status == "finished"
    assert again.champion.genome.tobytes() == whole.champion.genome.tobytes()


def test_a_record_travels_as_its_folder_and_what_it_says(small_scenario, tmp_path):
    import pickle

    record = ne.run(small_scenario, results=tmp_path)
    twin = pickle.loads(pickle.dumps(record))  # noqa: S301 - our own bytes
    assert (twin.path, twin.run) == (record.path, record.run)
    assert twin.champion.genome.tobytes() == record.champion.genome.tobytes()
