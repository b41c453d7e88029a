"""Champions of problems that were prepared predict in original units of the full target, on data of any length."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from neuroevo.networks import Elman
from neuroevo.prediction import Member, Predictor
from neuroevo.problems import SequenceProblem

pytest.importorskip("neuroevo.problems.preparation")

FORMS: dict[str, tuple[Any, ...]] = {
    "last value": ("last_value", None),
    "seasonal": ("seasonal", None),
    "linear": ("linear", None),
    "logarithm": (None, "log"),
    "differences": (None, ["difference", "seasonal_difference"]),
    "all": ("linear", ["log", "difference"]),
}


def prepared(residual: Any, transform: Any, scaling: Any) -> SequenceProblem:
    steps = np.arange(121)
    values = 50 + steps + 9 * np.sin(steps * np.pi / 6) + np.random.default_rng(4).normal(size=121)
    parts = {"train": steps[:-1] < 70, "validation": (steps[:-1] >= 70) & (steps[:-1] < 95), "test": steps[:-1] >= 95}
    problem = SequenceProblem(
        values[None, :-1, None],
        values[None, 1:, None],
        parts={k: v[None] for k, v in parts.items()},
        tied=[0],
        season=12,
    )
    return problem.prepared(residual, transform).scaled(scaling)


@pytest.mark.parametrize("scaling", ["none", "standard", "robust"])
@pytest.mark.parametrize("form", FORMS)
def test_prediction_is_that_of_the_prepared_problem(form: str, scaling: Any) -> None:
    problem = prepared(*FORMS[form], scaling)
    network = Elman(1, 3, 1)
    genomes = np.random.default_rng(1).normal(size=(3, network.n_genes))
    members = tuple(Member(network, genome, problem.scaling_arrays()) for genome in genomes)
    inputs = problem.original.inputs
    expected = [problem.predictions(network.predict(genome, problem.inputs)) for genome in genomes]
    predictor = Predictor(members).calibrated(problem)
    np.testing.assert_array_equal(predictor.members(inputs), expected)
    np.testing.assert_array_equal(predictor.predict(inputs), np.median(expected, axis=0))
    # What comes later changes nothing that was predicted before it, and one step is enough.
    for length in (1, 40):
        np.testing.assert_allclose(
            predictor.predict(inputs[:, :length]), predictor.predict(inputs)[:, :length], rtol=1e-12
        )
    misses = np.sort(np.abs(predictor.predict(inputs) - problem.original.targets)[0, 70:95, 0])
    low, high = predictor.interval(inputs, level=0.9)
    np.testing.assert_allclose(high - low, np.full((1, 120, 1), 2 * misses[23]), rtol=1e-9)


def test_members_that_were_prepared_otherwise_are_one_ensemble() -> None:
    problems = [prepared(*form, "standard") for form in FORMS.values()]
    network = Elman(1, 2, 1)
    genome = np.random.default_rng(1).normal(size=network.n_genes)
    said = Predictor(tuple(Member(network, genome, each.scaling_arrays()) for each in problems), "mean").forecast(
        problems[0].original.inputs
    )
    alone = [each.predictions(network.predict(genome, each.inputs)) for each in problems]
    np.testing.assert_allclose(said.prediction, np.mean(alone, axis=0), rtol=1e-12)
