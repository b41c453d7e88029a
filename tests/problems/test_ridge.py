"""Ridge regression against closed forms in loops and against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from neuroevo.problems import ridge
from neuroevo.problems.ridge import PENALTIES, REACH, Ridge, distinct
from neuroevo.problems.rows import Rows


def series(n_steps=120, n_inputs=2, n_outputs=1, seed=0):
    rng = np.random.default_rng(seed)
    inputs = rng.normal(3.0, 2.0, (1, n_steps, n_inputs))
    targets = np.cumsum(rng.normal(size=(1, n_steps, n_outputs)), axis=1) + inputs[:, :, :1]
    return inputs, targets


def masks(n_steps, n_outputs=1, first=0.6, second=0.8):
    steps = np.arange(n_steps)[None, :, None] / n_steps
    fitted = np.repeat(steps < first, n_outputs, axis=2)
    return fitted, np.repeat((steps >= first) & (steps < second), n_outputs, axis=2)


def rows_of(inputs):
    return Rows(np.full(len(inputs), inputs.shape[1]))


def fit(inputs, targets, fitted, chosen, lags):
    """The model of padded arrays (n_sequences, n_steps, n)."""
    its = (array.reshape(-1, array.shape[2]) for array in (inputs, targets))
    return ridge.fit(*its, rows_of(inputs), *(mask.reshape(-1, mask.shape[2]) for mask in (fitted, chosen)), lags)


def said(model, inputs):
    """Its predictions, padded too."""
    return model(inputs.reshape(-1, inputs.shape[2]), rows_of(inputs)).reshape(*inputs.shape[:2], -1)


def rows_by_hand(model, inputs):
    """(n_steps, n) standardised regressors of the only sequence, one entry after another."""
    rows = np.empty((inputs.shape[1], len(model.columns)))
    for t in range(inputs.shape[1]):
        for i, (column, lag) in enumerate(zip(model.columns, model.lags, strict=True)):
            value = inputs[0, max(t - lag, 0), column]
            rows[t, i] = (min(max(value, model.low[i]), model.high[i]) - model.offset[i]) / model.factor[i]
    return rows


def closed_form(rows, wanted, penalty):
    """Intercept and weights by the normal equations."""
    ones = np.hstack([np.ones((len(rows), 1)), rows])
    penalties = len(rows) * penalty * np.eye(ones.shape[1])
    penalties[0, 0] = 0.0
    return np.linalg.solve(ones.T @ ones + penalties, ones.T @ wanted)


@pytest.mark.parametrize("lags", [1, 3])
def test_weights_and_penalty_are_those_of_the_normal_equations(lags):
    inputs, targets = series()
    fitted, chosen = masks(120)
    model = fit(inputs, targets, fitted, chosen, lags)
    rows, train, held = rows_by_hand(model, inputs), fitted[0, :, 0], chosen[0, :, 0]
    errors = []
    for penalty in PENALTIES:
        solution = closed_form(rows[train], targets[0, train, 0], penalty)
        errors.append(((solution[0] + rows[held] @ solution[1:] - targets[0, held, 0]) ** 2).sum())
    best = PENALTIES[int(np.argmin(errors))]
    assert model.penalty.tolist() == [best]
    solution = closed_form(rows[train], targets[0, train, 0], best)
    assert model.intercept == pytest.approx(solution[:1], rel=1e-9)
    assert model.weights[:, 0] == pytest.approx(solution[1:], rel=1e-8)
    assert said(model, inputs)[0, :, 0] == pytest.approx(solution[0] + rows @ solution[1:], rel=1e-9)


def test_the_solution_is_the_minimum_that_it_says():
    inputs, targets = series(seed=3)
    fitted, chosen = masks(120)
    model = fit(inputs, targets, fitted, chosen, 2)
    rows, wanted = rows_by_hand(model, inputs)[fitted[0, :, 0]], targets[0, fitted[0, :, 0], 0]

    def objective(x):
        return ((x[0] + rows @ x[1:] - wanted) ** 2).mean() + model.penalty[0] * (x[1:] ** 2).sum()

    found = minimize(objective, np.zeros(1 + rows.shape[1]), method="BFGS", options={"gtol": 1e-9})
    assert model.intercept[0] == pytest.approx(found.x[0], abs=1e-5)
    assert model.weights[:, 0] == pytest.approx(found.x[1:], abs=1e-5)


def test_held_out_training_rows_choose_and_then_are_fitted_too():
    inputs, targets = series(seed=1)
    fitted, _ = masks(120, first=0.8)
    held = masks(120)[1]
    model = fit(inputs, targets, fitted, held, 1)
    rows = rows_by_hand(model, inputs)
    trying = (fitted & ~held)[0, :, 0]
    errors = []
    for penalty in PENALTIES:
        solution = closed_form(rows[trying], targets[0, trying, 0], penalty)
        errors.append(((solution[0] + rows[held[0, :, 0]] @ solution[1:] - targets[0, held[0, :, 0], 0]) ** 2).sum())
    best = PENALTIES[int(np.argmin(errors))]
    solution = closed_form(rows[fitted[0, :, 0]], targets[0, fitted[0, :, 0], 0], best)
    assert model.penalty.tolist() == [best]
    assert model.weights[:, 0] == pytest.approx(solution[1:], rel=1e-8)


def test_every_target_has_a_mask_and_a_penalty_of_its_own():
    inputs, targets = series(n_outputs=2, seed=2)
    fitted, chosen = masks(120, 2)
    fitted[0, ::3, 1] = False
    both = fit(inputs, targets, fitted, chosen, 2)
    alone = [fit(inputs, targets[:, :, o : o + 1], fitted[:, :, o : o + 1], chosen[:, :, o : o + 1], 2) for o in (0, 1)]
    assert both.penalty.tolist() == [alone[0].penalty[0], alone[1].penalty[0]]
    assert said(both, inputs)[:, :, 0] == pytest.approx(said(alone[0], inputs)[:, :, 0], rel=1e-9)
    # Rows of the first target standardise the regressors of both, so their penalties mean almost the same.
    assert said(both, inputs)[:, :, 1] == pytest.approx(said(alone[1], inputs)[:, :, 0], abs=0.05)


def test_chunks_change_nothing(monkeypatch):
    inputs, targets = series(400, seed=4)
    fitted, chosen = masks(400)
    whole = fit(inputs, targets, fitted, chosen, 5)
    monkeypatch.setattr("neuroevo.problems.ridge._CHUNK", 100)
    parts = fit(inputs, targets, fitted, chosen, 5)
    assert parts.penalty.tolist() == whole.penalty.tolist()
    assert parts.weights == pytest.approx(whole.weights, rel=1e-9)


def test_more_regressors_than_rows_and_constant_columns_do_no_harm():
    inputs, targets = series(12, 3)
    inputs[:, :, 1] = 7.0
    fitted, chosen = masks(12)
    model = fit(inputs, targets, fitted, chosen, 6)
    other = inputs.copy()
    other[:, :, 1] = -1e6
    assert np.isfinite(said(model, inputs)).all()
    assert np.array_equal(said(model, other), said(model, inputs))


def test_inputs_far_outside_are_clipped_to_the_widened_training_range():
    inputs, targets = series(100, 1)
    fitted, chosen = masks(100)
    far = inputs.copy()
    far[0, 90] = 1e9
    model = fit(inputs, targets, fitted, chosen, 1)
    seen = inputs[0, :60, 0]
    limit = seen.max() + REACH * (seen.max() - seen.min())
    at_limit = inputs.copy()
    at_limit[0, 90] = limit
    assert model.high.tolist() == [limit]
    assert np.array_equal(said(model, far), said(model, at_limit))
    assert said(model, far)[0, 89] == said(model, inputs)[0, 89]


def test_repeated_columns_are_one_regressor():
    values = np.random.default_rng(0).normal(size=30)
    inputs = np.stack([values[2:], values[1:-1], values[:-2]], axis=1)[None]
    rows, inputs = rows_of(inputs), inputs[0]
    assert distinct(inputs, rows, 1) == [(0, 0), (1, 0), (2, 0)]
    assert distinct(inputs, rows, 3) == [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2)]
    assert distinct(inputs[:, :1], rows, 99) == [(0, lag) for lag in range(28)]


def test_no_step_sees_a_later_one():
    inputs, targets = series()
    model = fit(inputs, targets, *masks(120), 4)
    later = inputs.copy()
    later[0, 61:] = 0.0
    assert np.array_equal(said(model, later)[0, :61], said(model, inputs)[0, :61])


def test_a_model_survives_its_arrays_bit_for_bit_and_refuses_others():
    inputs, targets = series()
    model = fit(inputs, targets, *masks(120), 3)
    arrays = model.to_arrays("its_")
    assert said(Ridge.from_arrays(arrays, "its_"), inputs).tobytes() == said(model, inputs).tobytes()
    with pytest.raises(ValueError, match="lack its_weights"):
        Ridge.from_arrays({name: values for name, values in arrays.items() if name != "its_weights"}, "its_")
    for name, values in (
        ("its_weights", model.weights[:-1]),
        ("its_weights", model.weights * np.nan),
        ("its_factor", -model.factor),
        ("its_lags", -1 - model.lags),
        ("its_lags", model.low),
        ("its_low", np.array(["a"] * len(model.low))),
        ("its_intercept", model.intercept[0]),
    ):
        with pytest.raises(ValueError, match="of a linear model"):
            Ridge.from_arrays({**arrays, name: np.asarray(values)}, "its_")


def test_the_bits_do_not_depend_on_the_threads_of_blas():
    # With 300 columns the factors that numpy computes with one and with two threads differ.
    inputs, targets = series(1000, 10, seed=5)
    fitted, chosen = masks(1000)
    found = []
    for threads in (1, 2):
        with threadpool_limits(limits=threads, user_api="blas"):
            found.append(fit(inputs, targets, fitted, chosen, 30).weights.tobytes())
    assert len(set(found)) == 1
