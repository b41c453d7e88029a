"""Initial populations against the formulas of their papers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neuroevo.networks import Elman, Gru, Lstm
from neuroevo.strategies import Bounds
from neuroevo.strategies.settings import StartSettings
from neuroevo.strategies.starts import initial_population

RNG_SEED = 6


def drawn(start="gaussian", n=4000, n_genes=3, width=1.0, layout=None, **arguments):
    settings = StartSettings(start=start, start_width=width)
    n_genes = n_genes if layout is None else layout.n_genes
    rng = np.random.default_rng(RNG_SEED)
    return initial_population(settings, n, n_genes, rng, layout=layout, **arguments)


def test_uniform_is_uniform_within_its_width():
    assert stats.kstest(drawn("uniform", width=2.5).ravel(), stats.uniform(-2.5, 5.0).cdf).pvalue > 0.001


def test_gaussian_has_its_width():
    assert stats.kstest(drawn("gaussian", width=0.3).ravel(), stats.norm(0, 0.3).cdf).pvalue > 0.001


@pytest.mark.parametrize("network", [Elman(2, 5, 3), Lstm(2, 4, 1), Gru(1, 3, 2)], ids=["elman", "lstm", "gru"])
def test_glorot_scales_every_gene_by_the_fans_of_its_array(network):
    layout = network.layout
    population = drawn("glorot", layout=layout, n=2000)
    limit = np.sqrt(6.0 / (layout.fan_in + layout.fan_out))
    assert np.all(np.abs(population) <= limit)
    assert np.std(population, axis=0) == pytest.approx(limit / np.sqrt(3), rel=0.1)


def test_orthogonal_makes_recurrent_matrices_orthogonal():
    layout = Elman(2, 5, 3).layout
    for genome in drawn("orthogonal", layout=layout, n=20, width=0.9):
        matrix = layout.decode(genome)["weight_hh_l0"]
        assert np.allclose(matrix @ matrix.T, 0.81 * np.eye(5), atol=1e-12)


def test_orthogonal_gives_each_gate_a_matrix_of_its_own():
    layout = Lstm(2, 4, 1).layout
    genome = drawn("orthogonal", layout=layout, n=3)[1]
    gates = layout.decode(genome)["weight_hh_l0"].reshape(4, 4, 4)
    for gate in gates:
        assert np.allclose(gate @ gate.T, np.eye(4), atol=1e-12)
    assert not np.allclose(gates[0], gates[1])


def test_orthogonal_leaves_fixed_links_alone():
    fixed = {"weight_hh_l0": np.full((5, 5), np.nan)}
    fixed["weight_hh_l0"][0, 3] = 0.0
    layout = Elman(2, 5, 3, fixed=fixed).layout
    matrix = layout.decode(drawn("orthogonal", layout=layout, n=2)[0])["weight_hh_l0"]
    assert matrix[0, 3] == 0.0
    assert np.allclose(matrix[1:] @ matrix[1:].T, np.eye(4), atol=1e-12)


@pytest.mark.parametrize("start", ["glorot", "orthogonal"])
def test_starts_scaled_by_layer_need_the_layout(start):
    with pytest.raises(ValueError, match="layout"):
        drawn(start)


def test_given_genomes_come_first_and_as_they_are():
    given = np.arange(6.0).reshape(2, 3)
    population = drawn(n=5, initial=given)
    assert np.array_equal(population[:2], given)
    assert not np.array_equal(population[2:4], given)
    assert np.allclose(population[2:4], given, atol=0.6)
    assert np.array_equal(drawn(n=1, initial=given), given[:1])


def test_an_empty_given_population_is_refused():
    with pytest.raises(ValueError, match="initial"):
        drawn(initial=np.empty((0, 3)))


@pytest.mark.parametrize("start", ["uniform", "gaussian"])
@pytest.mark.parametrize("bounds", [(-0.2, 0.4), (3.0, 9.0), (2.0, np.inf), (-np.inf, -2.0), (-np.inf, np.inf)])
def test_every_start_stays_within_the_bounds_and_is_spread(start, bounds):
    box = Bounds.of(bounds, 3)
    population = drawn(start, n=200, bounds=box)
    assert box.contain(population)
    assert np.all(np.std(population, axis=0) > 0.05)
