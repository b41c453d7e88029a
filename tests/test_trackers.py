"""Trackers are told each generation of each run, once, under the run's name, and how it ended."""

from __future__ import annotations

import importlib.machinery
import math
import pickle
import struct
import sys
import types
from types import SimpleNamespace

import pytest

import neuroevo as ne
from neuroevo.callbacks import MLflow, TensorBoard, WandB

SHORT = {"stop.generations": 6, "record.checkpoint_generations": 2}


class Kept:
    """What a tracker keeps of one run: figures by step, parameters, how it ended."""

    def __init__(self, name, parameters=(), **more):
        self.name, self.parameters, self.figures, self.ends, self.folders = name, dict(parameters), {}, [], []
        self.__dict__.update(more)

    def put(self, name, value, step):
        self.figures.setdefault(name, {})[step] = value


def module(monkeypatch, name, **contents):
    fake = types.ModuleType(name)
    fake.__spec__ = importlib.machinery.ModuleSpec(name, None)
    fake.__dict__.update(contents)
    monkeypatch.setitem(sys.modules, name, fake)


def fake_tensorboard(monkeypatch, kept):
    class SummaryWriter:
        def __init__(self, folder, purge_step=None):
            self.run = kept.setdefault(folder, Kept(folder.removeprefix("logs/")))
            self.run.purged = purge_step

        def add_text(self, name, text, step):
            self.run.parameters = dict(line.strip().split(" = ", 1) for line in text.splitlines())

        def add_scalar(self, name, value, step):
            self.run.put(name, value, step)

        def add_hparams(self, parameters, figures, name, global_step):
            assert all(isinstance(value, str | bool | int | float) for value in parameters.values())
            for key, value in figures.items():
                self.run.put(key, value, global_step)

        def close(self):
            self.run.ends.append("closed")

    module(monkeypatch, "tensorboardX", SummaryWriter=SummaryWriter)
    return TensorBoard("logs")


def fake_mlflow(monkeypatch, kept):
    class MlflowClient:
        def __init__(self, tracking_uri=None):
            assert tracking_uri == "somewhere"

        def get_experiment_by_name(self, name):
            return SimpleNamespace(experiment_id="7") if kept else None

        def create_experiment(self, name):
            return "7"

        def search_runs(self, experiments, wanted, max_results):
            return [SimpleNamespace(info=SimpleNamespace(run_id=k)) for k, run in kept.items() if run.key in wanted]

        def create_run(self, experiment, run_name, tags):
            assert experiment == "7"
            kept[str(len(kept))] = Kept(run_name, key=tags["neuroevo.key"])
            return SimpleNamespace(info=SimpleNamespace(run_id=str(len(kept) - 1)))

        def update_run(self, run, status):
            kept[run].ends.append(status)

        def log_batch(self, run, metrics=(), params=()):
            assert len(params) <= 100
            kept[run].parameters |= dict(params)
            for name, value, _, step in metrics:
                kept[run].put(name, value, step)

        def set_tag(self, run, name, value):
            pass

        def log_artifacts(self, run, folder):
            kept[run].folders.append(folder)

        def set_terminated(self, run, status):
            kept[run].ends.append(status)

    entities = SimpleNamespace(Param=lambda *args: args, Metric=lambda *args: args)
    module(monkeypatch, "mlflow", MlflowClient=MlflowClient, entities=entities)
    return MLflow(tracking_uri="somewhere")


def fake_wandb(monkeypatch, kept):
    class Run:
        def __init__(self, run, id_):
            self.run, self.name, self.id = run, run.name, id_
            self.summary = SimpleNamespace(update=lambda said: [run.put(k, v, -1) for k, v in said.items()])

        def log(self, figures, step):
            for name, value in figures.items():
                self.run.put(name, value, step)

        def log_artifact(self, artifact):
            self.run.folders += artifact.folders

        def finish(self, exit_code):
            self.run.ends.append(exit_code)

    class Artifact:
        def __init__(self, name, type):  # noqa: A002 - wandb's name
            assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_.")
            self.folders = []

        def add_dir(self, folder):
            self.folders.append(folder)

    def init(**given):
        assert (given["resume"], given["reinit"], given["mode"]) == ("allow", "create_new", "offline")
        run = kept.setdefault(given["id"], Kept(given["name"], group=given["group"]))
        run.parameters = {name: str(value) for name, value in given["config"].items()}
        return Run(run, given["id"])

    module(monkeypatch, "wandb", init=init, Artifact=Artifact)
    return WandB(mode="offline")


FAKES = {
    fake_tensorboard: {"finished": ["closed"], "crashed": ["closed"], "resumed": ["closed", "closed"]},
    fake_mlflow: {"finished": ["FINISHED"], "crashed": ["FAILED"], "resumed": ["FAILED", "RUNNING", "FINISHED"]},
    fake_wandb: {"finished": [0], "crashed": [1], "resumed": [1, 0]},
}


def agrees(run, record):
    """Whether a tracker has the finite figures of a record's history, and those of its results."""
    for name, column in record.history.items():
        if name != "generation":
            expected = {k + 1: value for k, value in enumerate(column.tolist()) if math.isfinite(value)}
            assert run.figures.get(name, {}) == expected
    for part, measures in record.run["results"]["contestants"]["champion"].items():
        for name, value in measures.items():
            if value is not None:
                assert list(run.figures[f"results/{part}.{name}"].values()) == [value]


@pytest.mark.parametrize("fake", FAKES)
def test_a_tracker_has_the_history_and_results_of_a_run(monkeypatch, small_scenario, tmp_path, fake):
    kept = {}
    tracker = fake(monkeypatch, kept)
    record = ne.run(small_scenario, overrides=SHORT, results=tmp_path, callbacks=[tracker])
    (run,) = kept.values()
    assert (run.name, run.ends) == ("small-seed1", FAKES[fake]["finished"])
    assert run.parameters["strategy.kind"] == "genetic_algorithm"
    assert run.parameters["problem.parts.train"] == "[1900, 1959]"
    agrees(run, record)
    assert run.folders in ([], [str(record.path)])


class Crashing(ne.Callback):
    def generation(self, progress):
        if progress.generation == 5:
            raise RuntimeError("crash")


@pytest.mark.parametrize("fake", FAKES)
def test_a_run_that_failed_is_told_and_resumed_in_the_same_place(monkeypatch, small_scenario, tmp_path, fake):
    kept = {}
    tracker = fake(monkeypatch, kept)
    with pytest.raises(RuntimeError, match="crash"):
        ne.run(small_scenario, overrides=SHORT, results=tmp_path, callbacks=[tracker, Crashing()])
    (run,) = kept.values()
    assert run.ends == FAKES[fake]["crashed"]
    record = ne.resume(tmp_path / "small-seed1", callbacks=[fake(monkeypatch, kept)])
    assert list(kept.values()) == [run]
    assert run.ends == FAKES[fake]["resumed"]
    if fake is fake_tensorboard:
        assert run.purged == 5
    agrees(run, record)


@pytest.mark.parametrize("fake", FAKES)
def test_trials_and_final_fits_are_runs_of_their_own(monkeypatch, small_scenario, tmp_path, fake):
    kept = {}
    tracker = fake(monkeypatch, kept)
    keys = {**SHORT, "generalise.final_fit": True}
    trials = ne.run_trials(small_scenario, 2, overrides=keys, results=tmp_path, callbacks=[tracker])
    names = [f"small-trials/seed{seed}{end}" for seed in (1, 2) for end in ("", "/final")]
    assert sorted(run.name for run in kept.values()) == names
    runs = {run.name: run for run in kept.values()}
    for record in trials.trials():
        agrees(runs[f"small-trials/{record.name}"], record)
        agrees(runs[f"small-trials/{record.name}/final"], record.final)
    assert {getattr(run, "group", "small-trials") for run in kept.values()} == {"small-trials"}
    assert all(run.ends == FAKES[fake]["finished"] for run in kept.values())


def test_a_tracker_travels_without_what_it_has_open(monkeypatch):
    tracker = fake_mlflow(monkeypatch, {})
    tracker._open["here"] = lambda: None
    assert pickle.loads(pickle.dumps(tracker))._open == {}  # noqa: S301 - our own bytes


@pytest.mark.parametrize(("kind", "extra"), [(TensorBoard, "tensorboard"), (MLflow, "mlflow"), (WandB, "wandb")])
def test_a_package_that_is_missing_is_named(monkeypatch, kind, extra):
    monkeypatch.setattr("neuroevo.callbacks.tracking.find_spec", lambda name: None)
    with pytest.raises(ne.BadInput, match=rf'{kind.package}: pip install "neuroevo-rnn\[{extra}\]"'):
        kind()


@pytest.mark.peers
def test_what_tensorboard_reads(small_scenario, tmp_path):
    pytest.importorskip("tensorboardX")
    from tensorboardX.proto.event_pb2 import Event

    record = ne.run(small_scenario, overrides=SHORT, results=tmp_path, callbacks=[TensorBoard(tmp_path / "logs")])
    (file,) = (tmp_path / "logs" / "small-seed1").glob("events.*")
    found, data = {}, file.read_bytes()
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        event = Event.FromString(data[12 : 12 + length])
        found |= {(value.tag, event.step): value.simple_value for value in event.summary.value}
        data = data[16 + length :]
    for k, error in enumerate(record.history["best_error"]):
        assert found["best_error", k + 1] == pytest.approx(error, rel=1e-6)


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore")
def test_what_mlflow_stores(small_scenario, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.chdir(tmp_path)
    uri = f"sqlite:///{tmp_path}/runs.db"
    record = ne.run(small_scenario, overrides=SHORT, results=tmp_path, callbacks=[MLflow(tracking_uri=uri)])
    client = mlflow.MlflowClient(tracking_uri=uri)
    (run,) = client.search_runs([client.get_experiment_by_name("neuroevo").experiment_id])
    history = client.get_metric_history(run.info.run_id, "best_error")
    assert [metric.value for metric in history] == record.history["best_error"].tolist()
    assert (run.info.status, run.data.params["network.n_hidden"]) == ("FINISHED", "3")
    assert "champion.npz" in {file.path for file in client.list_artifacts(run.info.run_id)}


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore")
def test_what_wandb_writes_offline(small_scenario, tmp_path):
    pytest.importorskip("wandb")
    tracker = WandB(mode="offline", dir=str(tmp_path))
    record = ne.run(small_scenario, overrides=SHORT, results=tmp_path, callbacks=[tracker])
    assert record.status == "finished"
    assert list(tmp_path.glob("wandb/offline-run-*/*.wandb"))
