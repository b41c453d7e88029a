"""Search spaces: contract tests over the registry, and the grid against a search through all its points."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neuroevo as ne
from neuroevo.settings import parse_settings
from neuroevo.spaces import SPACES, Direct, Grid

NEEDED = {"grid": {"step": 0.25}}
"""Settings without a default, by kind; a new kind with some stands here."""


def make_job():
    rng = np.random.default_rng(2)
    network = ne.Elman(n_inputs=1, n_hidden=3, n_outputs=1)
    return network, ne.SequenceProblem(rng.normal(size=(2, 12, 1)), rng.normal(size=(2, 12, 1)))


@pytest.fixture(params=SPACES.names())
def space(request):
    return parse_settings(SPACES[request.param], NEEDED.get(request.param, {}))


def test_a_kind_is_called_what_its_class_says(space):
    assert SPACES[space.kind] is type(space)


def test_genomes_become_network_genomes_one_by_one(space):
    network, problem = make_job()
    genomes = np.random.default_rng(1).normal(size=(7, space.n_genes(network)))
    genomes.flags.writeable = False
    expressed = space.express(genomes, network, problem)
    assert expressed.shape == (7, network.n_genes)
    assert np.isfinite(expressed).all()
    alone = np.concatenate([space.express(genomes[[k]], network, problem) for k in range(7)])
    assert expressed.tobytes() == alone.tobytes()
    travelled = pickle.loads(pickle.dumps(space))  # noqa: S301 - our own bytes
    assert travelled.express(genomes, network, problem).tobytes() == expressed.tobytes()


def test_an_evaluator_scores_what_genomes_stand_for(space):
    network, problem = make_job()
    genomes = np.random.default_rng(1).normal(size=(7, space.n_genes(network)))
    with (
        ne.EvaluatorRecipe(network, problem, "double", space).build(1) as searched,
        ne.LocalEvaluator(network, problem, precision="double") as plain,
    ):
        assert searched.evaluate(genomes).error.tobytes() == plain.evaluate(searched.express(genomes)).error.tobytes()


class Own(ne.SearchSpace):
    """Gives whatever it was told to."""

    def __init__(self, change):
        self._change = change

    def express(self, genomes, network, problem):
        return self._change(genomes)


def test_what_a_space_of_ones_own_gives_is_checked():
    network, problem = make_job()
    genomes = np.random.default_rng(1).normal(size=(7, network.n_genes)).astype(np.float32).astype(np.float64)
    short = ne.LocalEvaluator(network, problem, space=Own(lambda genomes: genomes[:, :2]))
    with short, pytest.raises(RuntimeError, match=r"Own.express gave the shape \(7, 2\), expected \(7, 19\)"):
        short.evaluate(genomes)
    other = Own(lambda genomes: np.asfortranarray(genomes, np.float32))
    with ne.LocalEvaluator(network, problem, space=other) as strange, ne.LocalEvaluator(network, problem) as plain:
        assert strange.evaluate(genomes).error.tobytes() == plain.evaluate(genomes).error.tobytes()


def test_the_direct_space_is_the_genomes_themselves():
    genomes = np.ones((2, 3))
    assert Direct().express(genomes, *make_job()) is genomes


@given(
    genes=st.lists(st.floats(-50, 50), min_size=1, max_size=20),
    step=st.sampled_from([0.125, 0.3, 1.0, 2.5]),
    n_levels=st.none() | st.integers(1, 8),
)
def test_each_weight_is_the_nearest_point_of_the_grid(genes, step, n_levels):
    largest = None if n_levels is None else n_levels * step
    (weights,) = Grid(step, largest).express(np.array([genes]), *make_job())
    reach = 400 if n_levels is None else n_levels
    points = np.arange(-reach, reach + 1) * step
    for gene, weight in zip(genes, weights, strict=True):
        assert np.isclose(points, weight, rtol=1e-12, atol=0).any()
        assert abs(gene - weight) <= np.abs(gene - points).min() + 1e-9
        assert not (weight == 0 and np.signbit(weight))


def test_a_largest_weight_off_the_grid_is_refused():
    with pytest.raises(ne.BadInput, match="largest must be a multiple of step"):
        Grid(0.3, 1.0)


def test_a_run_on_a_grid_delivers_weights_of_the_grid(small_scenario, tmp_path):
    small_scenario.write_text(small_scenario.read_text() + '\n[space]\nkind = "grid"\nstep = 0.5\nlargest = 1.0\n')
    record = ne.run(small_scenario, results=tmp_path)
    genome = record.champion.genome
    assert set(genome) <= {-1.0, -0.5, 0.0, 0.5, 1.0}
    with ne.LocalEvaluator(record.network, record.problem) as evaluator:
        assert evaluator.evaluate(genome[None]).error[0] == record.champion.error
    assert ne.extend(record.path, overrides={"stop.generations": 20}).status == "finished"
    whole = ne.run(small_scenario, results=tmp_path, overrides={"stop.generations": 20})
    assert ne.RunRecord.open(record.path).champion.genome.tobytes() == whole.champion.genome.tobytes()


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ('kind = "gird"\nstep = 1.0', "did you mean 'grid'"),
        ('kind = "grid"', "space.step"),
        ('kind = "grid"\nstep = 0.0', "space.step"),
        ('kind = "grid"\nstep = 0.3\nlargest = 1.0', "multiple of step"),
    ],
)
def test_mistakes_in_the_table_are_named(small_scenario, table, complaint):
    small_scenario.write_text(small_scenario.read_text() + f"\n[space]\n{table}\n")
    with pytest.raises(ne.ScenarioError, match=complaint):
        ne.load_scenario(small_scenario)
