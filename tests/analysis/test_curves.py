"""Quartiles of step curves against numpy's over held values."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from neuroevo.analysis import trial_quartiles


def test_quartiles_over_trials_hold_each_error_until_the_next() -> None:
    curves = [
        (np.array([10.0, 20.0, 30.0]), np.array([4.0, 2.0, 1.0])),
        (np.array([10.0, 20.0]), np.array([8.0, 6.0])),
        (np.array([15.0, 30.0]), np.array([np.inf, 3.0])),
    ]
    x, (lower, median, upper) = trial_quartiles(curves)
    assert (x[0], x[-1]) == (15.0, 30.0)
    assert (lower[-1], median[-1], upper[-1]) == (2.0, 3.0, 4.5)
    at_start = np.quantile([4.0, 8.0], 0.5)  # of 4, 8 and infinity the lower quartile lies between the first two
    assert lower[0] == at_start
    assert median[0] == 8.0
    assert np.isnan(upper[0])


@given(st.lists(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=8), min_size=2, max_size=6), st.integers(0, 100))
def test_quartiles_are_numpys_where_all_is_finite(errors: list[list[float]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    curves = [(np.cumsum(rng.integers(1, 50, len(each))).astype(float), np.minimum.accumulate(each)) for each in errors]
    x, quartiles = trial_quartiles(curves)
    for place in (0, len(x) // 3, len(x) - 1):
        held = [y[np.flatnonzero(xs <= x[place])[-1]] for xs, y in curves]
        np.testing.assert_allclose(quartiles[:, place], np.quantile(held, [0.25, 0.5, 0.75]), rtol=1e-12)
