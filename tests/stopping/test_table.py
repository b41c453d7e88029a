"""A [stop] table becomes a criterion, and all its mistakes come at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from neuroevo import stopping
from neuroevo.settings import SettingsError
from neuroevo.stopping import CRITERIA, AllOf, AnyOf, Custom, stopping_from_table


def test_keys_are_alternatives_and_each_all_is_a_conjunction() -> None:
    criterion = stopping_from_table(
        {
            "generations": 300,
            "error": 0,
            "stagnation": {"patience": 50, "relative": 0.01},
            "all": [{"learned": 0.9, "evaluations": 1000}, {"seconds": 60, "diversity": 1e-6}],
        }
    )
    assert criterion == AnyOf(
        (
            stopping.Generations(300),
            stopping.ErrorReached(0.0),
            stopping.Stagnation(50, relative=0.01),
            AllOf((stopping.Learned(0.9), stopping.Evaluations(1000))),
            AllOf((stopping.Seconds(60.0), stopping.Diversity(1e-6))),
        )
    )


def test_single_key_is_the_criterion_itself() -> None:
    assert stopping_from_table({"learned": 1}) == stopping.Learned(1.0)


def test_all_mistakes_come_at_once_each_with_its_path() -> None:
    table = {
        "generations": 0,
        "learned": 1.5,
        "eror": 1,
        "error": -0.1,
        "evaluations": "many",
        "seconds": True,
        "stagnation": {"patience": 0, "relativ": 0.1},
        "signal": "SIGNOTHING",
        "all": [{}, {"generation": 3}],
    }
    with pytest.raises(SettingsError) as caught:
        stopping_from_table(table)
    paths = {mistake.path for mistake in caught.value.mistakes}
    assert paths == {
        "stop.generations",
        "stop.learned",
        "stop.eror",
        "stop.error",
        "stop.evaluations",
        "stop.seconds",
        "stop.stagnation.patience",
        "stop.stagnation.relativ",
        "stop.signal",
        "stop.all[0]",
        "stop.all[1].generation",
    }
    assert "did you mean 'error'?" in str(caught.value)


@pytest.mark.parametrize("table", [{}, {"all": []}])
def test_empty_table_is_refused(table: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match="never end"):
        stopping_from_table(table)


@pytest.mark.parametrize("value", [3, {"generations": 3}, [3], "x"])
def test_all_must_be_a_list_of_tables(value: object) -> None:
    with pytest.raises(SettingsError, match=r"stop\.all: should be a list of tables"):
        stopping_from_table({"generations": 3, "all": value})


def test_file_is_relative_to_the_folder_given(tmp_path: Path) -> None:
    assert stopping_from_table({"file": "halt"}, folder=tmp_path) == stopping.FileAppears(str(tmp_path / "halt"))


def test_criterion_of_ones_own_takes_the_value_of_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CRITERIA, "_members", dict(CRITERIA._members))

    def every(value: object) -> Custom:
        if not isinstance(value, int):
            raise TypeError("must be a whole number")
        return Custom("every", lambda progress: progress.generation % value == 0)

    CRITERIA.register("every", every)
    assert isinstance(stopping_from_table({"every": 7}), Custom)
    with pytest.raises(SettingsError, match=r"stop\.every: must be a whole number"):
        stopping_from_table({"every": "x"})
