"""Ensemble selection against loops and against the best weights there are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from neuroevo.errors import BadInput
from neuroevo.prediction import ensemble_selection
from neuroevo.prediction.selection import MOST_WORSE, N_ADDED

N_RESAMPLES = 20


def noisy(n: int = 40, deviations: tuple[float, ...] = (0.5, 0.6, 0.65), n_outputs: int = 1, seed: int = 0) -> tuple:
    rng = np.random.default_rng(seed)
    targets = rng.normal(size=(n, n_outputs))
    return np.stack([targets + d * rng.normal(size=targets.shape) for d in deviations]), targets


def by_loops(predictions: np.ndarray, targets: np.ndarray, units: list[int], doubt: float) -> tuple:
    """Weights and out-of-bag predictions, resample by resample, addition by addition."""
    n_units = max(units) + 1
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(0)))
    resamples = rng.multinomial(n_units, np.full(n_units, 1 / n_units), size=N_RESAMPLES)
    errors = [float(((p - targets) ** 2).sum()) + doubt for p in predictions]
    library = [k for k, error in enumerate(errors) if error <= MOST_WORSE * min(errors)]
    found = []
    for drawn in resamples:
        added: list[int] = []
        best, least = np.zeros(len(predictions)), np.inf
        for _ in range(N_ADDED):
            losses = {}
            for k in library:
                trial = [*added, k]
                mean = np.mean([predictions[j] for j in trial], axis=0)
                # One more target, which each model misses by sqrt(doubt) in a direction of its own.
                own = sum((trial.count(j) / len(trial)) ** 2 * doubt for j in library)
                losses[k] = sum(drawn[u] * ((mean[i] - targets[i]) ** 2).sum() for i, u in enumerate(units)) + own
            added.append(min(losses, key=losses.__getitem__))
            if losses[added[-1]] < least:
                least = losses[added[-1]]
                best = np.array([added.count(k) / len(added) for k in range(len(predictions))])
        found.append(best)
    weights = np.array(found)
    bag = [np.tensordot(weights[resamples[:, u] == 0].mean(axis=0), predictions[:, i], 1) for i, u in enumerate(units)]
    return weights.mean(axis=0), np.array(bag)


@pytest.mark.parametrize(("units", "n_outputs"), [(None, 1), ([0, 0, 0, 1, 1, 2, 3, 4, 4, 5, 5, 6], 2)])
def test_it_is_forward_selection_on_resamples(
    units: list[int] | None, n_outputs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neuroevo.prediction.selection.N_RESAMPLES", N_RESAMPLES)
    predictions, targets = noisy(12, n_outputs=n_outputs)
    found = ensemble_selection(predictions, targets, units=None if units is None else np.array(units))
    doubt = min(float(((p - targets) ** 2).sum()) for p in predictions) / 12
    weights, bag = by_loops(predictions, targets, units or list(range(12)), doubt)
    assert found.weights == pytest.approx(weights, abs=1e-12)
    assert found.out_of_bag == pytest.approx(bag, abs=1e-12)


def test_with_much_evidence_it_is_close_to_the_best_weights_of_all() -> None:
    predictions, targets = noisy(4000, (0.5, 0.55, 0.6))

    def error(weights: np.ndarray) -> float:
        return float(((np.tensordot(weights, predictions, 1) - targets) ** 2).mean())

    sums = {"type": "eq", "fun": lambda w: w.sum() - 1}
    best = minimize(error, np.full(3, 1 / 3), bounds=[(0, 1)] * 3, constraints=sums, method="SLSQP").x
    found = ensemble_selection(predictions, targets).weights
    assert found == pytest.approx(best, abs=0.03)
    assert error(found) < 1.001 * error(best)


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 30), n_models=st.integers(1, 5))
def test_weights_are_shares(seed: int, n: int, n_models: int) -> None:
    predictions, targets = noisy(n, tuple(np.linspace(0.3, 1.0, n_models)), seed=seed)
    found = ensemble_selection(predictions, targets)
    assert found.weights.min() >= 0
    assert found.weights.sum() == pytest.approx(1.0)
    assert found.out_of_bag.shape == targets.shape
    assert found.out_of_bag.max() <= predictions.max() + 1e-9


def test_a_model_much_worse_than_the_best_has_no_say_however_well_it_complements() -> None:
    rng = np.random.default_rng(0)
    targets, miss = rng.normal(size=(200, 1)), rng.normal(size=(200, 1))
    predictions = np.stack([targets + miss, targets - 3 * miss])  # a quarter of the second would make it perfect
    assert ensemble_selection(predictions, targets).weights.tolist() == [1.0, 0.0]


def test_models_without_an_error_on_few_targets_are_not_told_apart() -> None:
    targets = np.eye(2)[[0, 1, 0, 1, 0, 1]]
    sure, less = np.abs(targets - 0.001), np.abs(targets - 0.01)
    assert ensemble_selection(np.stack([sure, less]), targets, doubt=1.0).weights == pytest.approx([0.5, 0.5], abs=0.03)
    assert ensemble_selection(np.stack([sure, less]), targets, doubt=0.0).weights.tolist() == [1.0, 0.0]


def test_out_of_bag_errors_are_not_made_small_by_the_choice() -> None:
    """Of models that know nothing, where a mean of them has been chosen it looks better than it is."""
    chosen, bag, true = [], [], []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        targets, predictions = rng.normal(size=(40, 1)), rng.normal(size=(30, 40, 1))
        found = ensemble_selection(predictions, targets)
        chosen.append(((np.tensordot(found.weights, predictions, 1) - targets) ** 2).mean())
        bag.append(((found.out_of_bag - targets) ** 2).mean())
        true.append(1 + (found.weights**2).sum())  # on targets that no one has seen
    assert np.mean(chosen) < 0.8 * np.mean(true)
    assert np.mean(bag) == pytest.approx(np.mean(true), rel=0.12)


def test_it_is_a_function_of_its_arguments() -> None:
    predictions, targets = noisy()
    first, again, other = (ensemble_selection(predictions, targets, seed=seed) for seed in (0, 0, 1))
    assert first.weights.tobytes() == again.weights.tobytes()
    assert first.weights.tobytes() != other.weights.tobytes()


@pytest.mark.parametrize(("n_models", "n"), [(0, 5), (3, 1)])
def test_nothing_to_choose_is_refused(n_models: int, n: int) -> None:
    with pytest.raises(BadInput, match=f"got {n_models} models and {n} targets"):
        ensemble_selection(np.zeros((n_models, n, 1)), np.zeros((n, 1)))
