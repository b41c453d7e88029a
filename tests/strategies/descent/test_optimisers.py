"""Optimisers against PyTorch's, and iRPROP+ against a loop over single genes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neuroevo.strategies import make_strategy
from tests.strategies.descent.valley import descended, error_of, slopes_of

REFERENCE = Path(__file__).parents[2] / "reference" / "optimiser_steps.npz"
N_STEPS = 60


@pytest.fixture(scope="module")
def reference():
    with np.load(REFERENCE) as arrays:
        return dict(arrays)


def make(reference, **settings):
    starts = reference["starts"]
    given = {"initial": starts, "n_genes": starts.shape[1], "population_size": len(starts), "seed": 1}
    clip = {} if settings["optimiser"] == "irprop_plus" else {"clip": 0.0}
    return make_strategy("bptt", **{**clip, **given, **settings})


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("sgd", {"optimiser": "sgd", "rate": 0.05, "momentum": 0.0}),
        ("momentum", {"optimiser": "sgd", "rate": 0.05}),
        ("nesterov", {"optimiser": "sgd", "rate": 0.05, "momentum": 0.8, "nesterov": True}),
        ("clipped", {"optimiser": "sgd", "rate": 0.05, "clip": 1.5}),
        ("rmsprop", {"optimiser": "rmsprop", "rate": 0.02}),
        ("adam", {"optimiser": "adam", "rate": 0.1, "betas": [0.8, 0.95]}),
    ],
)
def test_ways_down_are_those_of_pytorch(reference, name, settings):
    strategy = make(reference, **settings)
    ways = descended(strategy, reference["stiffness"], reference["centre"], N_STEPS)
    np.testing.assert_allclose(ways, reference[name], rtol=1e-11, atol=1e-12)


def test_irprop_is_that_of_pytorch_until_an_error_grows(reference):
    """PyTorch's takes no step back; the ways part where a slope has changed its sign and the error is larger."""
    strategy = make(reference, optimiser="irprop_plus")
    ways = descended(strategy, reference["stiffness"], reference["centre"], N_STEPS)
    errors = np.array([error_of(reference["stiffness"], reference["centre"], place) for place in reference["rprop"]])
    n_same = []
    for k in range(ways.shape[1]):
        grown = np.flatnonzero(np.diff(errors[:, k]) > 0)
        n_same.append(grown[0] + 2 if len(grown) else N_STEPS + 1)
        np.testing.assert_allclose(ways[: n_same[-1], k], reference["rprop"][: n_same[-1], k], rtol=1e-12)
    assert max(n_same) > 6
    assert min(n_same) < N_STEPS


def test_irprop_plus_is_the_algorithm_of_the_paper_gene_by_gene(reference):
    stiffness, centre = reference["stiffness"], reference["centre"]
    ways = descended(make(reference, optimiser="irprop_plus"), stiffness, centre, N_STEPS)
    n_taken_back = 0
    for k, start in enumerate(reference["starts"]):
        x, error_before = start.copy(), np.inf
        width, slope_before, change_before = np.full(5, 0.1), np.zeros(5), np.zeros(5)
        for step in range(N_STEPS):
            error, slopes = error_of(stiffness, centre, x[None])[0], slopes_of(stiffness, centre, x[None])[0]
            for gene in range(5):
                slope = slopes[gene]
                if slope_before[gene] * slope > 0:
                    width[gene] = min(1.2 * width[gene], 50.0)
                    change_before[gene] = -np.sign(slope) * width[gene]
                elif slope_before[gene] * slope < 0:
                    width[gene] = max(0.5 * width[gene], 1e-6)
                    change_before[gene] = -change_before[gene] if error > error_before else 0.0
                    n_taken_back += error > error_before
                    slope = 0.0
                else:
                    change_before[gene] = -np.sign(slope) * width[gene]
                x[gene] += change_before[gene]
                slope_before[gene] = slope
            error_before = error
            np.testing.assert_allclose(ways[step + 1, k], x, rtol=1e-12)
    assert n_taken_back > 5
