"""Weights of few bits: against definitions entry by entry, least squares, and the strategies that search them."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import neuroevo as ne
from neuroevo.spaces import Quantised
from neuroevo.strategies import make_strategy
from neuroevo.strategies.separable import widening

LEVELS = ["binary", "ternary", "int4", "int8"]
MOST = {"int4": 7, "int8": 127}
NETWORKS = [
    ne.Elman(2, 3, 1, n_layers=2, skip=True),
    ne.Lstm(1, 2, 2, initial_state=True),
    ne.Gru(2, 3, 1),
    ne.Ctrnn(1, 3, 1),
    ne.Jordan(2, 3, 2, initial_state=True),
    ne.Graph(2, 4, 1, {"density": 0.5, "seed": 3}),
    ne.LocallyRecurrent(2, 2, 1),
    ne.Lif(2, 3, 2, initial_state=True),
]


def expressed(space, genomes, network):
    return space.express(np.atleast_2d(genomes), network, None)


def single(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def entry_by_entry(values, levels):
    """An array's weights, from the definitions."""
    sizes = [abs(value) for value in values]
    mean = sum(sizes) / len(sizes)
    if levels == "binary":
        return [single(mean) if value >= 0 else -single(mean) for value in values]
    if levels == "ternary":
        kept = [size for size in sizes if size > 0.7 * mean]
        scale = single(sum(kept) / len(kept))
        return [
            0.0 if size <= 0.7 * mean else np.copysign(scale, value) for value, size in zip(values, sizes, strict=True)
        ]
    scale = single(max(sizes) / MOST[levels])
    return [scale * round(value / scale) for value in values]


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.kind)
@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("biases", ["int8", "real", "ternary"])
def test_each_array_is_rounded_as_the_definitions_say(network, levels, biases):
    genomes = np.random.default_rng(1).normal(size=(3, network.n_genes))
    for genome, weights in zip(genomes, expressed(Quantised(levels, biases), genomes, network), strict=True):
        before, after = network.layout.decode(genome), network.layout.decode(weights)
        for name, role in zip(network.layout.names, network.layout.roles, strict=True):
            own = biases if role in ("bias", "initial_state", "time_constant") else levels
            values = before[name].ravel().tolist()
            expected = values if own == "real" else entry_by_entry(values, own)
            np.testing.assert_allclose(after[name].ravel(), expected, rtol=2e-7, atol=0)


@pytest.mark.parametrize("levels", ["binary", "ternary"])
def test_the_scale_of_few_levels_is_that_of_least_squares(levels):
    network = ne.Elman(5, 20, 1)
    genome = np.random.default_rng(2).normal(size=network.n_genes)
    weights = network.layout.decode(expressed(Quantised(levels), genome, network)[0])["weight_hh_l0"].ravel()
    real = network.layout.decode(genome)["weight_hh_l0"].ravel()
    (best,), *_ = np.linalg.lstsq(np.sign(weights)[:, None], real)
    assert np.abs(weights).max() == pytest.approx(best, rel=1e-6)


@given(
    genes=st.lists(st.floats(-50, 50, allow_subnormal=False), min_size=13, max_size=13),
    levels=st.sampled_from(LEVELS),
)
def test_rounded_weights_stay_as_they_are(genes, levels):
    network = ne.Elman(1, 2, 1)
    once = expressed(Quantised(levels, levels), genes[: network.n_genes], network)
    assert expressed(Quantised(levels, levels), once, network).tobytes() == once.tobytes()
    assert not (np.signbit(once) & (once == 0)).any()


@pytest.mark.parametrize("levels", LEVELS)
def test_a_genome_stands_for_the_same_weights_in_every_population(levels):
    network = ne.Elman(3, 40, 2)
    genomes = np.random.default_rng(1).normal(size=(70, network.n_genes))
    together = expressed(Quantised(levels), genomes, network)
    alone = [expressed(Quantised(levels), genome, network)[0] for genome in genomes]
    assert np.stack(alone).tobytes() == together.tobytes()


def test_fixed_entries_are_no_weights_of_the_grid():
    fixed = {"weight_hh_l0": [[0.3, np.nan], [np.nan, 0.1]]}
    network = ne.Elman(1, 2, 1, fixed=fixed)
    genome = np.linspace(-1, 1, network.n_genes)
    weights = network.layout.decode(expressed(Quantised("ternary"), genome, network)[0])["weight_hh_l0"]
    assert weights[[0, 1], [0, 1]].tolist() == [0.3, 0.1]


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1e300])
def test_genes_beyond_numbers_are_failed_evaluations(levels, wrong):
    network = ne.Elman(1, 3, 1)
    rng = np.random.default_rng(2)
    problem = ne.SequenceProblem(rng.normal(size=(2, 12, 1)), rng.normal(size=(2, 12, 1)))
    genomes = rng.normal(size=(2, network.n_genes))
    genomes[0, 4] = wrong
    with ne.LocalEvaluator(network, problem, space=Quantised(levels)) as evaluator:
        found = evaluator.evaluate(genomes)
    assert np.isinf(found.error[0])
    assert np.isfinite(found.error[1])


def test_a_gradient_is_that_of_the_rounded_weights():
    network = ne.Elman(1, 3, 1)
    rng = np.random.default_rng(2)
    problem = ne.SequenceProblem(rng.normal(size=(2, 12, 1)), rng.normal(size=(2, 12, 1)))
    genomes, space = rng.normal(size=(4, network.n_genes)), Quantised("ternary")
    with (
        ne.LocalEvaluator(network, problem, space=space, precision="double") as searched,
        ne.LocalEvaluator(network, problem, precision="double") as plain,
    ):
        expected = plain.gradient(expressed(space, genomes, network))
        assert searched.gradient(genomes).tobytes() == expected.tobytes()


@pytest.mark.parametrize("levels", LEVELS)
def test_a_margin_is_the_way_to_another_weight(levels):
    network = ne.Elman(2, 30, 1)
    genome = np.random.default_rng(3).normal(size=network.n_genes)
    space = Quantised(levels, "real")
    margin, before = space.margin(genome, network), expressed(space, genome, network)[0]
    assert not network.layout.decode(margin)["bias_l0"].any()
    for gene in range(60, 120):  # of weight_hh_l0, whose scale a step of one gene hardly changes
        changes = []
        for share in (-1.05, -0.95, 0.95, 1.05):
            moved = genome.copy()
            moved[gene] += share * margin[gene]
            after = expressed(space, moved, network)[0, gene]
            changes.append(abs(after - before[gene]) > 0.3 * np.abs(before[60:960]).max() / MOST.get(levels, 1))
        assert changes[1:3] == [False, False]
        assert changes[0] or changes[3]
    assert Quantised(levels, keep_step=False).margin(genome, network) is None


def test_a_widened_distribution_is_expected_to_change_one_gene():
    strategy = make_strategy("snes", n_genes=40, seed=1, population_size=10)
    widths, margin = np.geomspace(0.01, 0.02, 40), np.geomspace(0.4, 0.2, 40)
    assert widening(strategy, np.zeros(40), widths, 10) == 1.0
    strategy.margin = lambda genome: margin
    factor = widening(strategy, np.zeros(40), widths, 10)
    assert 10 * stats.norm.sf(margin, scale=factor * widths).sum() == pytest.approx(1.0, rel=0.02)
    assert widening(strategy, np.zeros(40), 1.01 * factor * widths, 10) == 1.0
    strategy.margin = lambda genome: np.zeros(40)
    assert widening(strategy, np.zeros(40), widths, 10) == 1.0


@pytest.mark.parametrize("kind", ["snes", "pgpe", "openai_es", "cma_es", "cr_fm_nes"])
def test_a_search_on_a_grid_goes_on_looking_at_other_networks(kind):
    own = {"openai_es": {"noise": 1e-3}, "pgpe": {"width_rate": 5.0}, "cma_es": {"restarts": "none"}}.get(kind, {})
    own |= {} if kind == "openai_es" else {"step_size": 0.5}
    reached = []
    for margin in (None, lambda genome: 0.5 - np.abs(genome - np.rint(genome))):
        strategy = make_strategy(kind, n_genes=6, seed=1, population_size=40, **own)
        strategy.margin = margin
        n_networks = []
        for _ in range(300):
            population = strategy.ask()
            n_networks.append(len(np.unique(np.rint(population), axis=0)))
            strategy.tell(population, np.square(np.rint(population) - 0.3).sum(axis=1))
        reached.append(np.mean(np.array(n_networks[-100:]) > 1))
    assert reached[1] > 0.4 > 2 * reached[0]


def test_a_run_delivers_weights_of_the_grid_and_goes_on_with_real_genes(small_scenario, tmp_path):
    space = '\n[space]\nkind = "quantised"\nweights = "ternary"\nbiases = "int4"\n'
    text = small_scenario.read_text().replace('"genetic_algorithm"', '"snes"') + space
    small_scenario.write_text(text)
    record = ne.run(small_scenario, results=tmp_path)
    genome = record.champion.genome
    assert len(np.unique(np.abs(record.network.layout.decode(genome)["weight_hh_l0"]))) <= 2
    with ne.LocalEvaluator(record.network, record.problem) as evaluator:
        assert evaluator.evaluate(genome[None]).error[0] == record.champion.error
    ne.extend(record.path, overrides={"stop.generations": 20})
    whole = ne.run(small_scenario, results=tmp_path, overrides={"stop.generations": 20})
    assert ne.RunRecord.open(record.path).champion.genome.tobytes() == whole.champion.genome.tobytes()


@pytest.mark.parametrize(
    ("table", "complaint"), [('weights = "int3"', "space.weights"), ('biases = "float"', "space.biases")]
)
def test_mistakes_in_the_table_are_named(small_scenario, table, complaint):
    small_scenario.write_text(small_scenario.read_text() + f'\n[space]\nkind = "quantised"\n{table}\n')
    with pytest.raises(ne.ScenarioError, match=complaint):
        ne.load_scenario(small_scenario)
