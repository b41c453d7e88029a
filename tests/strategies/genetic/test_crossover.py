"""Crossover against DEAP fed the same choices, and the same distributions where choices differ in kind."""

from __future__ import annotations

import numpy as np
import pytest
from deap import tools
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from neuroevo.strategies.genetic import crossover
from tests.strategies.genetic.scripted import ScriptedGenerator, script

RNG = np.random.default_rng(21)
FIRST, SECOND = RNG.standard_normal((2, 8, 9))
UNITS = np.array([0, 0, 1, 1, 1, 2, 2, 3, 3])


def deaps(operator, first=FIRST, second=SECOND, **options):
    pairs = [operator(a, b, **options) for a, b in zip(first.tolist(), second.tolist(), strict=True)]
    return np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])


def assert_same(own, other, exact=True):
    for a, b in zip(own, other, strict=True):
        assert np.array_equal(a, b) if exact else np.allclose(a, b, rtol=1e-13, atol=1e-14)


def test_one_point_equals_deaps(monkeypatch):
    cuts = np.array([[1], [8], [4], [2], [7], [3], [5], [6]])
    script(monkeypatch, randint=cuts.ravel().tolist())
    assert_same(crossover.one_point(FIRST, SECOND, ScriptedGenerator(cuts)), deaps(tools.cxOnePoint))


def test_two_point_equals_deaps(monkeypatch):
    ones = np.array([[1], [9], [4], [4], [7], [3], [5], [6]])
    others = np.array([[1], [8], [4], [3], [2], [8], [1], [6]])
    script(monkeypatch, randint=np.hstack([ones, others]).ravel().tolist())
    assert_same(crossover.two_point(FIRST, SECOND, ScriptedGenerator(ones, others)), deaps(tools.cxTwoPoint))


def test_uniform_equals_deaps(monkeypatch):
    u = np.random.default_rng(1).random(FIRST.shape)
    script(monkeypatch, random=u.ravel())
    assert_same(
        crossover.uniform(FIRST, SECOND, ScriptedGenerator(u), probability=0.3), deaps(tools.cxUniform, indpb=0.3)
    )


def test_blend_equals_deaps(monkeypatch):
    u = np.random.default_rng(2).random(FIRST.shape)
    script(monkeypatch, random=u.ravel())
    assert_same(
        crossover.blend(FIRST, SECOND, ScriptedGenerator(u), alpha=0.4), deaps(tools.cxBlend, alpha=0.4), exact=False
    )


def test_simulated_binary_equals_deaps(monkeypatch):
    u = np.random.default_rng(3).random(FIRST.shape)
    script(monkeypatch, random=u.ravel())
    assert_same(
        crossover.simulated_binary(FIRST, SECOND, ScriptedGenerator(u), eta=3.0),
        deaps(tools.cxSimulatedBinary, eta=3.0),
        exact=False,
    )


def test_two_point_draws_segments_as_deap_does():
    import random

    random_state = random.getstate()
    random.seed(4)
    zeros, ones = np.zeros((20_000, 9)), np.ones((20_000, 9))
    try:
        from_deap = deaps(tools.cxTwoPoint, zeros, ones)[0]
    finally:
        random.setstate(random_state)
    own = crossover.two_point(zeros, ones, np.random.default_rng(5))[0]
    segments = [np.bincount((x @ 2.0 ** np.arange(9)).astype(int), minlength=512) for x in (own, from_deap)]
    seen = (segments[0] + segments[1]) > 0
    assert stats.chi2_contingency(np.array(segments)[:, seen]).pvalue > 0.001


def test_arithmetic_children_lie_on_the_line_between_their_parents():
    a, b = crossover.arithmetic(FIRST, SECOND, np.random.default_rng(6))
    share = (a - FIRST) / (SECOND - FIRST)
    assert np.allclose(share, share[:, :1])
    assert np.all((share > 0) & (share < 1))
    assert np.allclose(a + b, FIRST + SECOND)


def test_intermediate_children_are_the_mean_and_two_arrays():
    one, other = crossover.intermediate(FIRST, SECOND, RNG)
    assert np.array_equal(one, (FIRST + SECOND) / 2)
    assert np.array_equal(one, other)
    assert not np.shares_memory(one, other)


def test_arithmetic_places_are_uniform():
    a, _ = crossover.arithmetic(np.zeros((5000, 2)), np.ones((5000, 2)), np.random.default_rng(7))
    assert stats.kstest(a[:, 0], "uniform").pvalue > 0.001


def test_blend_spreads_uniformly_beyond_the_parents():
    a, _ = crossover.blend(np.zeros((100, 50)), np.ones((100, 50)), np.random.default_rng(8), alpha=0.5)
    assert stats.kstest(a.ravel(), stats.uniform(-0.5, 2.0).cdf).pvalue > 0.001


def test_a_unit_changes_places_as_a_whole():
    first, second = np.zeros((400, 9)), np.ones((400, 9))
    a, b = crossover.unit(first, second, np.random.default_rng(9), units=UNITS, probability=0.5)
    for number in range(4):
        genes = a[:, number == UNITS]
        assert np.all(genes == genes[:, :1])
        assert genes[:, 0].mean() == pytest.approx(0.5, abs=0.1)
    assert np.array_equal(a + b, np.ones_like(a))


OPERATORS = {
    "one_point": {},
    "two_point": {},
    "uniform": {},
    "arithmetic": {},
    "intermediate": {},
    "blend": {},
    "simulated_binary": {},
    "unit": {"units": np.zeros(1, dtype=np.int64)},
}


@given(st.sampled_from(sorted(OPERATORS)), st.integers(1, 12), st.integers(1, 7), st.integers(0, 2**32))
def test_children_keep_the_sum_of_their_parents_and_leave_them_alone(name, n_genes, m, seed):
    rng = np.random.default_rng(seed)
    first, second = rng.standard_normal((2, m, n_genes))
    kept = first.copy(), second.copy()
    options = {"units": rng.integers(0, 3, n_genes)} if name == "unit" else OPERATORS[name]
    a, b = getattr(crossover, name)(first, second, rng, **options)
    assert np.allclose(a + b, first + second, atol=1e-9)
    assert_same((first, second), kept)
    assert not np.shares_memory(a, first)
    assert not np.shares_memory(b, second)
