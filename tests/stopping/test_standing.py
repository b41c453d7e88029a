"""What criteria say of how near they are, against what their checks do."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from neuroevo.stopping import History, Progress, Stagnation, StoppingCriterion, ValidationPatience
from neuroevo.stopping.progress import COLUMNS


def progress_of(errors: list[float]) -> Progress:
    history = History()
    best = math.inf
    for generation, error in enumerate(errors, start=1):
        best = min(best, error)
        row = dict.fromkeys(COLUMNS, 0.0) | {"generation": generation, "evaluations": generation}
        history.append(row | {"incumbent_error": best, "validation_error": error})
    found = Progress.last_of(history)
    assert found is not None
    return found


@given(
    st.lists(st.floats(0.01, 1.0), min_size=1, max_size=30),
    st.integers(1, 12),
    st.sampled_from([Stagnation, ValidationPatience]),
    st.sampled_from([0.0, 0.1]),
)
def test_waiting_is_full_exactly_when_the_run_stops(
    errors: list[float], patience: int, kind: type[StoppingCriterion], margin: float
) -> None:
    progress = progress_of(errors)
    criterion = kind(patience, margin)  # type: ignore[call-arg]
    waited = int(criterion.standing(progress).split()[1].partition("/")[0])
    assert (waited == patience) == (criterion.check(progress) is not None)
    if waited < patience:
        # One fewer to wait would have been enough for so many generations.
        assert waited == 0 or kind(waited, margin).check(progress) is not None  # type: ignore[call-arg]
        assert kind(waited + 1, margin).check(progress) is None  # type: ignore[call-arg]
