"""The history grows by rows, shows read-only columns, and forgets what a resume takes back."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroevo.stopping import COLUMNS, History, Progress


def row(generation: int, **values: float) -> dict[str, float]:
    return dict.fromkeys(COLUMNS, 0.5) | {"generation": generation, "evaluations": generation, "n_failed": 0} | values


def test_columns_are_read_only_views_of_what_was_appended() -> None:
    history = History()
    for generation in range(1, 1001):
        history.append(row(generation, best_error=1 / generation))
    np.testing.assert_array_equal(history["generation"], np.arange(1, 1001))
    np.testing.assert_array_equal(history["best_error"], 1 / np.arange(1, 1001))
    assert history["generation"].dtype == np.int64
    assert history["best_error"].dtype == np.float64
    assert history.n_generations == 1000
    assert tuple(history) == COLUMNS
    with pytest.raises(ValueError, match="read-only"):
        history["best_error"][0] = 3.0


def test_memory_is_at_most_two_rows_a_generation() -> None:
    history = History()
    for generation in range(1, 5001):
        history.append(row(generation))
    reserved = sum(history[name].base.nbytes for name in history)  # type: ignore[union-attr]
    assert reserved <= 2 * 5000 * 8 * len(COLUMNS)


def test_row_with_other_keys_is_refused_by_name() -> None:
    incomplete = row(1)
    del incomplete["seconds"]
    with pytest.raises(ValueError, match=r"missing \['seconds'\]"):
        History().append(incomplete | {"second": 1.0})
    for name in ("Step size", "step-size", "", "_step", "a,b", "schritt_größe", "x\x1b", "s" * 65):
        with pytest.raises(ValueError, match="not named as in 'step_size'"):
            History().append(row(1) | {name: 1.0})


def test_extra_columns_are_kept() -> None:
    history = History((*COLUMNS, "step_size"))
    history.append(row(1, step_size=0.25))
    assert history["step_size"].tolist() == [0.25]
    with pytest.raises(ValueError, match="differ"):
        History(("seconds", "seconds"))


def test_the_first_row_fixes_the_further_columns() -> None:
    history = History()
    assert tuple(history) == COLUMNS
    history.append(row(1, step_size=0.25, temperature=3))
    history.append(row(2, step_size=0.5, inertia=7.0))
    history.append(row(3, temperature=math.inf))
    assert tuple(history) == (*COLUMNS, "step_size", "temperature")
    np.testing.assert_array_equal(history["step_size"], [0.25, 0.5, math.nan])
    np.testing.assert_array_equal(history["temperature"], [3, math.nan, math.inf])
    assert history["temperature"].dtype == np.float64
    plain = History()
    plain.append(row(1))
    plain.append(row(2, step_size=0.5))
    assert tuple(plain) == COLUMNS


def test_progress_and_row_are_inverses() -> None:
    history = History()
    given = row(1, step_size=0.25)
    history.append(given)
    progress = Progress.of_row(given, population_size=1, history=history)
    assert (progress.row(), progress.figures) == (given, {"step_size": 0.25})


def test_many_rows_at_once_equal_rows_one_by_one() -> None:
    single, many = History(), History()
    for generation in range(1, 700):
        single.append(row(generation))
    many.extend({name: single[name][:300] for name in single})
    many.extend({name: single[name][300:] for name in single})
    assert all(np.array_equal(single[name], many[name]) for name in COLUMNS)
    with pytest.raises(ValueError, match="one length"):
        many.extend({name: np.zeros(1 + (name == "seconds")) for name in COLUMNS})


@given(
    st.lists(st.floats(allow_nan=True), min_size=1, max_size=600),
    st.lists(st.integers(0, 600), max_size=5),
    st.integers(0, 600),
)
def test_best_so_far_equals_the_running_minimum(values: list[float], asked: list[int], kept: int) -> None:
    history = History()
    for index, value in enumerate(values):
        history.append(row(index + 1, validation_error=value))
        if index in asked:
            history.best_so_far("validation_error")
    kept = min(kept, len(values))
    for n in (len(values), kept):
        history.truncate(n)
        expected, best = [], math.nan
        for value in values[:n]:
            best = value if math.isnan(best) or value < best else best
            expected.append(best)
        np.testing.assert_array_equal(history.best_so_far("validation_error"), expected)


def test_truncated_history_goes_on_from_there() -> None:
    history = History()
    for generation in range(1, 11):
        history.append(row(generation))
    history.truncate(4)
    history.append(row(5, best_error=0.25))
    assert history["generation"].tolist() == [1, 2, 3, 4, 5]
    assert history["best_error"][-1] == 0.25
    with pytest.raises(ValueError, match=r"0 \.\.\. 5"):
        history.truncate(6)


def test_a_history_is_a_dict_that_nothing_but_its_rows_changes() -> None:
    history = History()
    history.append(row(1, step_size=0.5))
    assert {name: column.tolist() for name, column in dict(history).items()}["step_size"] == [0.5]
    for change in (
        lambda: history.update(best_error=np.ones(1)),
        lambda: history.pop("best_error"),
        lambda: history.__setitem__("x", np.ones(1)),
        history.clear,
    ):
        with pytest.raises(TypeError, match="append"):
            change()


@pytest.mark.parametrize("n_rows", [0, 1, 300])
def test_copies_of_a_history_go_on_alone(n_rows: int) -> None:
    history = History()
    for generation in range(1, n_rows + 1):
        history.append(row(generation, step_size=0.5))
    for twin in (pickle.loads(pickle.dumps(history)), copy.deepcopy(history)):  # noqa: S301 - our own bytes
        twin.append(row(n_rows + 1, step_size=0.25))
        assert twin["step_size"].tolist() == [0.5] * n_rows + [0.25]
    assert history.n_generations == n_rows


@pytest.mark.parametrize("package", ["pandas", "polars"])
def test_frames_take_a_history_as_it_is(package: str) -> None:
    frames = pytest.importorskip(package)
    history = History()
    for generation in range(1, 4):
        history.append(row(generation, step_size=generation / 4))
    frame = frames.DataFrame(history)
    assert list(frame.columns) == [*COLUMNS, "step_size"]
    assert frame["step_size"].to_list() == [0.25, 0.5, 0.75]
    assert frame["generation"].to_numpy().dtype == np.int64
