"""Each criterion against the sentence that it stands for, and the algebra of ``|`` and ``&``."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroevo import stopping
from neuroevo.stopping import (
    COLUMNS,
    CRITERIA,
    AllOf,
    AnyOf,
    Custom,
    History,
    Progress,
    StoppingCriterion,
    StopReason,
)


def progress_after(
    population_size: int = 10, signals: frozenset[str] = frozenset(), **columns: list[float]
) -> Progress:
    """The progress after a history in which the given columns have these values and the others grow or stay plain."""
    n = len(next(iter(columns.values())))
    history = History()
    row: dict[str, float] = {}
    for index in range(n):
        row = dict.fromkeys(COLUMNS, 1.0)
        row |= {"generation": index + 1, "evaluations": population_size * (index + 1), "n_failed": 0}
        row |= {name: values[index] for name, values in columns.items()}
        history.append(row)
    return Progress(**row, population_size=population_size, history=history, signals=signals)  # type: ignore[arg-type]


THRESHOLDS = [
    (stopping.Generations(3), "generation", 2, 3),
    (stopping.Evaluations(30), "evaluations", 29, 30),
    (stopping.Seconds(1.5), "seconds", 1.4, 1.5),
    (stopping.ErrorReached(0.1), "incumbent_error", 0.11, 0.1),
    (stopping.FitnessReached(10.0), "incumbent_fitness", 9.9, 10.0),
    (stopping.Learned(0.95), "incumbent_learned", 0.94, 0.95),
    (stopping.ValidationErrorReached(0.2), "validation_error", 0.21, 0.2),
    (stopping.Diversity(1e-3), "diversity", 1.1e-3, 1e-3),
    (stopping.Failed(0.5), "n_failed", 4, 5),
]


@pytest.mark.parametrize(("criterion", "column", "before", "at"), THRESHOLDS, ids=lambda value: type(value).__name__)
def test_criterion_holds_from_its_threshold_on(
    criterion: StoppingCriterion, column: str, before: float, at: float
) -> None:
    assert criterion.check(progress_after(**{column: [before]})) is None
    reason = criterion.check(progress_after(**{column: [at]}))
    assert reason is not None
    assert reason.criterion == criterion.name
    assert reason.value == (at / 10 if column == "n_failed" else at)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_error_that_is_not_finite_reaches_no_target(value: float) -> None:
    assert stopping.ErrorReached(0.0).check(progress_after(incumbent_error=[value])) is None
    assert stopping.ValidationErrorReached(1.0).check(progress_after(validation_error=[value])) is None


def test_every_registered_criterion_is_named_by_its_key() -> None:
    assert {CRITERIA[name].name: name for name in CRITERIA.names()} == {name: name for name in CRITERIA.names()}
    assert all(CRITERIA.summary(name) for name in CRITERIA.names())


errors = st.floats(0, 10, allow_nan=False)


@given(st.lists(errors, min_size=1, max_size=30), st.integers(1, 8), st.floats(0, 1), st.floats(0, 0.9))
def test_stagnation_is_no_step_over_the_margin_within_the_patience(
    drops: list[float], patience: int, absolute: float, relative: float
) -> None:
    curve = np.minimum.accumulate(drops).tolist()
    reason = stopping.Stagnation(patience, absolute, relative).check(progress_after(incumbent_error=curve))
    if len(curve) <= patience:
        assert reason is None
    else:
        start = curve[-1 - patience]
        assert (reason is not None) == (start - curve[-1] <= max(absolute, relative * start))


@given(st.lists(st.floats(0, 10) | st.just(math.nan), min_size=1, max_size=30), st.integers(1, 8))
def test_validation_patience_counts_from_the_best_so_far(curve: list[float], patience: int) -> None:
    reason = stopping.ValidationPatience(patience).check(progress_after(validation_error=curve))
    before = [value for value in curve[: len(curve) - patience] if not math.isnan(value)]
    after = [value for value in curve[max(0, len(curve) - patience) :] if not math.isnan(value)]
    expected = len(curve) > patience and bool(before) and not any(value < min(before) for value in after)
    assert (reason is not None) == expected


def test_stagnation_while_everything_failed_waits_its_patience_then_holds() -> None:
    criterion = stopping.Stagnation(3, relative=0.1)
    assert criterion.check(progress_after(incumbent_error=[math.inf] * 3)) is None
    assert criterion.check(progress_after(incumbent_error=[math.inf] * 4)) is not None
    assert criterion.check(progress_after(incumbent_error=[math.inf] * 3 + [1.0])) is None


def test_failed_share_is_taken_over_the_patience_together() -> None:
    criterion = stopping.Failed(0.5, patience=2)
    assert criterion.check(progress_after(n_failed=[10])) is None
    assert criterion.check(progress_after(n_failed=[9, 0])) is None
    reason = criterion.check(progress_after(n_failed=[0, 0, 8, 2]))
    assert reason is not None
    assert reason.value == 0.5


def test_file_that_appears_ends_the_run(tmp_path: Path) -> None:
    criterion = stopping.FileAppears(str(tmp_path / "stop"))
    progress = progress_after(seconds=[1.0])
    assert criterion.check(progress) is None
    (tmp_path / "stop").touch()
    assert criterion.check(progress) is not None


def test_signal_is_read_from_the_progress() -> None:
    criterion = stopping.SignalReceived("SIGUSR1")
    assert criterion.check(progress_after(seconds=[1.0])) is None
    reason = criterion.check(progress_after(seconds=[1.0], signals=frozenset({"SIGUSR1"})))
    assert reason == StopReason("signal", 10.0, "SIGUSR1 received")


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: stopping.Generations(0), ValueError, r"Generations\.limit must be at least 1, got 0"),
        (lambda: stopping.Generations(2.5), TypeError, "whole number"),
        (lambda: stopping.Generations(True), TypeError, "whole number"),
        (lambda: stopping.ErrorReached(-1.0), ValueError, "at least 0"),
        (lambda: stopping.ErrorReached(math.nan), ValueError, "at least 0"),
        (lambda: stopping.Learned(1.01), ValueError, "at most 1"),
        (lambda: stopping.Learned("all"), TypeError, "a number"),
        (lambda: stopping.Stagnation(5, relative=1.0), ValueError, "less than 1"),
        (lambda: stopping.FileAppears(""), ValueError, "path"),
        (lambda: stopping.SignalReceived("SIGKILL"), ValueError, "caught"),
    ],
)
def test_impossible_criterion_is_refused_from_python_too(make: object, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make()  # type: ignore[operator]


def always(name: str, value: float) -> StoppingCriterion:
    return Custom(name, lambda progress: StopReason(name, value, f"{name} held"))


def never() -> StoppingCriterion:
    return Custom("never", lambda progress: None)


def test_any_gives_the_first_reason_and_lists_all_that_hold() -> None:
    progress = progress_after(seconds=[1.0])
    reason = (never() | always("a", 1.0) | always("b", 2.0)).check(progress)
    assert reason is not None
    assert (reason.criterion, reason.value, [part.criterion for part in reason.details]) == ("a", 1.0, ["a", "b"])
    assert (never() | always("a", 1.0)).check(progress) == StopReason("a", 1.0, "a held")
    assert (never() | never()).check(progress) is None


def test_all_holds_only_when_every_part_does() -> None:
    progress = progress_after(seconds=[1.0])
    assert (always("a", 1.0) & never()).check(progress) is None
    reason = (always("a", 1.0) & always("b", 2.0)).check(progress)
    assert reason is not None
    assert (reason.criterion, reason.message) == ("all", "a held and b held")


def test_chains_are_flat_and_compare_by_value() -> None:
    one, two, three = stopping.Generations(1), stopping.Seconds(2), stopping.Learned(0.5)
    assert one | two | three == AnyOf((one, two, three))
    assert one & (two & three) == AllOf((one, two, three))
    assert AnyOf((one, two)) != AllOf((one, two))
    assert ((one | two) & three).leaves() == (one, two, three)


def test_only_budgets_end_surely() -> None:
    budget, target = stopping.Generations(10), stopping.ErrorReached(0.0)
    assert (budget | target).surely_ends()
    assert not (budget & target).surely_ends()
    assert not stopping.Stagnation(5).surely_ends()


def test_function_of_ones_own_may_answer_with_a_bool() -> None:
    reason = Custom("late", lambda progress: progress.generation > 1).check(progress_after(seconds=[1.0, 2.0]))
    assert reason == StopReason("late", 2.0, "late held in generation 2")


@given(st.floats() | st.integers(-9, 9), st.text(), st.text())
def test_reason_survives_its_plain_form(value: float, name: str, message: str) -> None:
    reason = StopReason("any", 1.0, "both", (StopReason(name, value, message),))
    back = StopReason.from_dict(reason.to_dict())
    if math.isfinite(value):
        assert back == reason
    else:
        assert math.isnan(back.details[0].value)


@pytest.mark.parametrize(
    "values",
    [{}, {"criterion": 1, "value": 1, "message": ""}, {"criterion": "a", "value": "x", "message": ""},
     {"criterion": "a", "value": True, "message": ""}, {"criterion": "a", "message": "", "details": [3]}],
)  # fmt: skip
def test_reason_of_the_wrong_form_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(TypeError, match=r"reason|number"):
        StopReason.from_dict(values)


def test_progress_is_frozen_and_gives_its_row() -> None:
    progress = progress_after(seconds=[1.0, 2.0])
    assert tuple(progress.row()) == COLUMNS
    with pytest.raises(dataclasses.FrozenInstanceError):
        progress.generation = 5  # type: ignore[misc]
