"""Genes that switch links on and off: against their definition gene by gene, and in runs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import neuroevo as ne
from neuroevo.cli.texts import record_text
from neuroevo.networks import count_links, link_genes
from neuroevo.spaces import Quantised, Switched
from neuroevo.strategies import STRATEGIES, make_strategy
from tests.spaces.test_quantised import NETWORKS
from tests.strategies.truths import tell

SPACES = [
    Switched(),
    Switched(by="unit"),
    Switched(share=0.3),
    Switched(biases=True),
    Switched(by="unit", share=0.5, biases=True),
]
network_of = pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.kind)


def gene_by_gene(space, genome, network):
    """The weights by the definition: each gene's group, in the order of their first genes or of array and unit."""
    of_link, layout = link_genes(network), network.layout
    keys, gene = [], 0
    for number, block in enumerate(layout.blocks):
        for entry in block.genes.ravel():
            if entry < 0:
                continue
            switched = of_link[gene] or (space.biases and block.role in ("bias", "links"))
            unit = (number, int(layout.units[gene]))
            keys.append((unit if space.by == "unit" else (gene,)) if switched else None)
            gene += 1
    groups = sorted({key for key in keys if key is not None})
    switches = dict(zip(groups, genome[network.n_genes :], strict=False))
    if space.share is None:
        on = {key for key, value in switches.items() if value > genome[-1]}
        assert len(genome) == network.n_genes + len(groups) + 1
    else:
        on = set(sorted(groups, key=lambda key: -switches[key])[: max(1, round(space.share * len(groups)))])
        assert len(genome) == network.n_genes + len(groups)
    return [
        weight if key is None or key in on else 0.0 for weight, key in zip(genome[: network.n_genes], keys, strict=True)
    ]


@network_of
@pytest.mark.parametrize("space", SPACES, ids=str)
def test_weights_are_those_of_the_definition(space, network):
    genomes = np.random.default_rng(1).normal(size=(6, space.n_genes(network)))
    weights = space.express(genomes, network, None)
    assert not np.signbit(weights[weights == 0]).any()
    for genome, found in zip(genomes, weights, strict=True):
        assert found.tolist() == gene_by_gene(space, genome, network)
    assert space.layout(network).n_genes == space.n_genes(network)


@network_of
def test_a_start_spreads_the_share_of_links_evenly(network):
    space = Switched()
    for start in ("uniform", "gaussian", "glorot", "orthogonal"):
        strategy = make_strategy(
            "random_search", n_genes=space.n_genes(network), seed=1, layout=space.layout(network), start=start,
            population_size=2000,
        )  # fmt: skip
        shares = count_links(network, space.express(strategy.ask(), network, None)) / link_genes(network).sum()
        assert stats.kstest(shares, "uniform").statistic < 0.05 + 1 / link_genes(network).sum()


@network_of
def test_a_share_is_always_kept(network):
    space = Switched(share=0.4)
    genomes = np.random.default_rng(2).normal(size=(50, space.n_genes(network)))
    genomes[:9, network.n_genes :] = 0.0
    counts = count_links(network, space.express(genomes, network, None))
    assert set(counts) == {round(0.4 * link_genes(network).sum())}


@network_of
def test_a_given_network_comes_back_or_loses_its_smallest_weights(network):
    rng = np.random.default_rng(3)
    given = rng.normal(size=(5, network.n_genes)) * (rng.random((5, network.n_genes)) < 0.7)
    space = Switched()
    assert np.array_equal(space.express(space.embedded(given, network), network, None), given)
    links = link_genes(network)
    pruned = Switched(share=0.25).express(Switched(share=0.25).embedded(given, network), network, None)
    n_kept = round(0.25 * links.sum())
    for genome, found in zip(given, pruned, strict=True):
        largest = np.sort(np.abs(genome[links]))[::-1][:n_kept]
        assert np.array_equal(np.sort(np.abs(found[links]))[::-1][:n_kept], largest)
        assert np.array_equal(found[~links], genome[~links])


@network_of
@pytest.mark.parametrize("levels", ["ternary", "int4", "int8"])
def test_weights_of_few_bits_are_rounded_among_those_that_are_there(network, levels):
    genomes = np.random.default_rng(4).normal(size=(5, Switched().n_genes(network)))
    real = Switched().express(genomes, network, None)
    rounded = Switched(weights=levels, real_biases=True).express(genomes, network, None)
    assert np.array_equal(rounded, Quantised(levels, "real").express(real, network, None))
    assert (rounded[real == 0] == 0).all()


def test_a_genome_that_is_not_finite_fails_wherever_it_is_so():
    network = ne.Elman(1, 3, 1)
    space = Switched()
    genomes = np.zeros((3, space.n_genes(network)))
    genomes[0, 0] = genomes[1, -1] = np.nan
    assert np.isnan(space.express(genomes, network, None)).all(axis=1).tolist() == [True, True, False]


def test_a_network_without_genes_of_links_has_nothing_to_switch():
    network = ne.Elman(1, 1, 1, fixed={"weight_ih_l0": [[1.0]], "weight_hh_l0": [[1.0]], "weight_out": [[1.0]]})
    with pytest.raises(ne.BadInput, match="no link"):
        Switched().n_genes(network)


def test_gradients_of_weights_are_those_of_the_links_that_are_there():
    """Against differences of the error; switches by the straight-through estimator, the slope times the weight."""
    rng = np.random.default_rng(5)
    network = ne.Elman(1, 3, 1)
    problem = ne.SequenceProblem(rng.normal(size=(2, 9, 1)), rng.normal(size=(2, 9, 1)))
    space, n = Switched(), network.n_genes
    genome = rng.normal(size=space.n_genes(network))
    with ne.EvaluatorRecipe(network, problem, "double", space, frozenset({"gradient"})).build(1) as evaluator:
        (gradient,) = evaluator.gradient(genome[None])
        steps = 1e-5 * np.eye(len(genome))[:n]
        slopes = (evaluator.evaluate(genome + steps).error - evaluator.evaluate(genome - steps).error) / 2e-5
    np.testing.assert_allclose(gradient[:n], slopes, rtol=1e-5, atol=1e-8)
    with ne.LocalEvaluator(network, problem, precision="double", n_threads=1) as plain:
        (slope,) = plain.gradient(space.express(genome[None], network, problem))
    links = link_genes(network)
    near = np.abs(genome[n:-1] - genome[-1]) <= 1
    expected = np.where(near, slope[links] * genome[:n][links], 0.0)
    np.testing.assert_allclose(gradient[n:-1], expected, rtol=1e-9)
    assert gradient[-1] == pytest.approx(-expected.sum())


def test_the_margin_of_a_switch_is_how_far_it_is_from_the_level():
    network, space = ne.Elman(1, 3, 1), Switched(weights="int8", real_biases=True)
    genome = np.random.default_rng(6).normal(size=space.n_genes(network))
    margin, n, links = space.margin(genome, network), network.n_genes, np.flatnonzero(link_genes(network))
    before = space.express(genome[None], network, None)[0] != 0
    for k in range(n, len(genome) - 1):
        for factor, changed in ((0.999, []), (1.001, [links[k - n]])):
            moved = genome.copy()
            moved[k] += factor * margin[k] * np.sign(genome[-1] - genome[k])
            after = space.express(moved[None], network, None)[0] != 0
            assert np.flatnonzero(before != after).tolist() == changed
    weights = Quantised("int8", "real").margin(space.express(genome[None], network, None)[0], network)
    assert (margin[:n] > 0).sum() == (weights > 0).sum() > 0
    assert Switched().margin(genome, network) is None


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_the_margin_with_a_share_is_the_distance_from_the_last_that_is_on(share):
    network, space = ne.Elman(1, 3, 1), Switched(weights="int8", share=share)
    genome = np.random.default_rng(7).normal(size=space.n_genes(network))
    switches = genome[network.n_genes :]
    last = np.sort(switches)[::-1][round(share * len(switches)) - 1]
    assert np.array_equal(space.margin(genome, network)[network.n_genes :], np.abs(switches - last))


@pytest.mark.parametrize("kind", [kind for kind in STRATEGIES.names() if kind != "levenberg_marquardt"])
def test_every_strategy_moves_such_genomes(kind):
    network, space = ne.Elman(1, 2, 1), Switched()
    strategy = make_strategy(kind, n_genes=space.n_genes(network), seed=1, layout=space.layout(network))
    for _ in range(3):
        population = strategy.ask()
        tell(strategy, population, lambda genomes: np.square(genomes).sum(axis=1))
        assert np.isfinite(space.express(population, network, None)).all()


TABLE = '\n[space]\nkind = "switched"\nshare = 0.25\n'


def test_a_run_delivers_so_many_links_says_so_and_goes_on_bit_for_bit(small_scenario, tmp_path):
    small_scenario.write_text(small_scenario.read_text() + TABLE)
    record = ne.run(small_scenario, results=tmp_path, overrides={"stop.generations": 6})
    (n_links,) = count_links(record.network, record.champion.genome)
    n_possible = int(link_genes(record.network).sum())
    assert n_links == round(0.25 * n_possible)
    assert f"its network: {n_links} of {n_possible} links are there, biases not counted" in record_text(record)
    ne.extend(record.path, overrides={"stop.generations": 12})
    whole = ne.run(small_scenario, results=tmp_path, overrides={"stop.generations": 12})
    assert ne.RunRecord.open(record.path).champion.genome.tobytes() == whole.champion.genome.tobytes()
    # A champion is a start for spaces of other genes.
    table = {"strategy.initial": str(record.path), "space.share": 0.5, "stop.generations": 1}
    begun = ne.load_scenario(small_scenario, overrides=table)
    (first,) = begun.space.express(begun.make_strategy().ask()[:1], begun.network, begun.problem)
    assert np.array_equal(first, whole.champion.genome)


def test_real_biases_beside_real_weights_are_refused():
    with pytest.raises(ne.BadInput, match="goes with weights of few bits"):
        Switched(real_biases=True)
