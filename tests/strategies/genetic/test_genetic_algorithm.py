"""What is special to the genetic algorithm: its toolbox, its schemes, its widths."""

from __future__ import annotations

import numpy as np
import pytest
from deap import tools

from neuroevo.errors import BadInput
from neuroevo.networks import Elman
from neuroevo.strategies import make_strategy


def sphere(population):
    return np.sum(np.square(population), axis=1)


#: The classic form, which most of what is tested here belongs to.
CLASSIC = {
    "n_elites": 1,
    "tournament_size": 3,
    "crossover": "blend",
    "crossover_probability": 0.9,
    "gene_probability": 0.1,
    "mutation_width": 0.2,
    "mutation_adaptation": "decaying",
}


def make(**settings):
    return make_strategy("genetic_algorithm", **{"n_genes": 6, "seed": 3, "population_size": 20, **CLASSIC, **settings})


def step(strategy, error=sphere):
    population = strategy.ask()
    strategy.tell(population, error(population))
    return population


def parents(strategy):
    state = strategy.state()
    return state["parents"], state["parent_error"]


def test_every_generation_runs_through_the_toolbox():
    strategy = make(mutation_probability=0.0, crossover_probability=1.0)
    step(strategy)
    seen = []

    def select(genomes, error, k, rng):
        seen.append("select")
        return np.zeros(k, dtype=int)

    def mate(first, second, rng):
        seen.append("mate")
        return first + 1.0, second + 1.0

    strategy.toolbox.register("select", select)
    strategy.toolbox.register("mate", mate)
    first_parent = parents(strategy)[0][0]
    assert np.array_equal(strategy.ask(), np.tile(first_parent + 1.0, (20, 1)))
    assert seen == ["select", "mate"]


def test_replacing_mutation_changes_the_run():
    strategy = make()
    step(strategy)
    strategy.toolbox.register("mutate", lambda genomes, width, rng: np.full_like(genomes, width))
    assert np.all(strategy.ask() == 0.2)


def test_an_operator_of_deap_can_be_registered_as_it_is():
    strategy = make(mutation_probability=0.0, crossover_probability=1.0)
    step(strategy)
    strategy.toolbox.register("mate", tools.cxUniform, indpb=0.5)
    strategy.toolbox.register("select", tools.selTournament, tournsize=4)
    genes = set(parents(strategy)[0].ravel())
    assert set(strategy.ask().ravel()) <= genes


def test_the_toolbox_can_be_decorated_as_deap_documents():
    strategy = make(mutation="uniform_reset", reset_width=9.0)
    step(strategy)

    def clipped(function):
        return lambda *arguments, **options: np.clip(function(*arguments, **options), -0.5, 0.5)

    strategy.toolbox.decorate("mutate", clipped)
    assert np.abs(strategy.ask()).max() <= 0.5


def test_generational_keeps_the_elites_and_only_them():
    strategy = make(n_elites=3)
    step(strategy)
    for _ in range(5):
        _, before_error = parents(strategy)
        children = step(strategy)
        after, after_error = parents(strategy)
        elites = np.sort(before_error)[:3]
        best_children = np.sort(sphere(children))[:17]
        assert np.array_equal(np.sort(after_error), np.sort(np.concatenate([elites, best_children])))
        assert np.array_equal(sphere(after), after_error)


def test_without_elites_all_parents_go():
    strategy = make(n_elites=0)
    step(strategy)
    children = step(strategy)
    assert np.array_equal(np.sort(parents(strategy)[1]), np.sort(sphere(children)))


def test_plus_keeps_the_best_of_parents_and_children():
    strategy = make(scheme="mu_plus_lambda", n_offspring=33)
    step(strategy)
    before = parents(strategy)[1]
    children = step(strategy)
    assert len(children) == 33
    expected = np.sort(np.concatenate([before, sphere(children)]))[:20]
    assert np.array_equal(parents(strategy)[1], expected)


def test_comma_keeps_children_only():
    strategy = make(scheme="mu_comma_lambda")
    step(strategy)
    children = step(strategy)
    assert len(children) == 140
    assert np.array_equal(parents(strategy)[1], np.sort(sphere(children))[:20])


def test_the_steady_state_replaces_the_worst_with_a_few():
    strategy = make(scheme="steady_state", n_offspring=4)
    step(strategy)
    before = np.sort(parents(strategy)[1])
    children = step(strategy)
    assert len(children) == 4
    assert np.array_equal(np.sort(parents(strategy)[1]), np.sort(np.concatenate([before[:16], sphere(children)])))


@pytest.mark.parametrize(
    "settings",
    [
        {"scheme": "mu_comma_lambda", "n_offspring": 19},
        {"scheme": "generational", "n_offspring": 19},
        {"n_elites": 21},
    ],
)
def test_schemes_that_do_not_add_up_are_refused(settings):
    with pytest.raises(ValueError, match=r"n_offspring|n_elites"):
        make(**settings)


def test_decaying_widths_fall_geometrically_and_then_hold():
    strategy = make(mutation_width=0.4, final_width=0.1, horizon=10)
    widths = []
    strategy.toolbox.register("mutate", lambda genomes, width, rng: (widths.append(width), genomes)[1])
    for _ in range(16):
        step(strategy)
    expected = 0.4 * 0.25 ** (np.minimum(np.arange(15), 10) / 10)
    assert widths == pytest.approx(expected)


def test_extending_a_run_equals_a_longer_run():
    short, long = make(horizon=4), make(horizon=4)
    for _ in range(5):
        step(short)
    for _ in range(12):
        step(long)
    extended = make(horizon=4)
    extended.restore(short.state())
    for _ in range(7):
        step(extended)
    assert np.array_equal(extended.ask(), long.ask())


def test_self_adapted_widths_shrink_where_the_goal_is_near():
    strategy = make(
        n_genes=5,
        mutation_adaptation="self_adapted",
        scheme="mu_comma_lambda",
        crossover="arithmetic",
        gene_probability=1.0,
        mutation_width=1.0,
    )
    step(strategy)
    for _ in range(60):
        step(strategy)
    assert np.median(strategy.state()["parent_widths"]) < 1e-3
    assert strategy.incumbent[1] < 1e-6


def test_self_adaptation_steps_are_log_normal_with_the_papers_rate():
    strategy = make(population_size=4000, n_genes=25, mutation_adaptation="self_adapted", mutation_width=0.5)
    step(strategy)
    strategy.ask()
    logarithms = np.log(strategy._child_widths / 0.5)
    assert np.mean(logarithms) == pytest.approx(0.0, abs=0.02)
    assert np.std(logarithms) == pytest.approx(1 / 5, rel=0.05)


def test_every_gene_has_a_width_of_its_own_that_follows_the_landscape():
    scale = np.repeat([1.0, 30.0], 20)
    strategy = make_strategy("genetic_algorithm", n_genes=40, seed=0)
    logarithms = []
    for _ in range(300):
        step(strategy, lambda population: sphere(population * scale))
        logarithms.append(np.log(strategy.state()["parent_widths"]).mean(axis=0))
    # On a sphere in scaled genes the best widths are in proportion to 1 / scale.
    settled = np.mean(logarithms[50:], axis=0)
    assert settled[:20].mean() - settled[20:].mean() == pytest.approx(np.log(30), abs=1.2)


def test_the_widths_of_genes_change_by_log_normal_steps_with_the_papers_rates():
    arguments = {"mutation_adaptation": "self_adapted_genes", "adaptation_rate": 1.5, "mutation_width": 0.5}
    strategy = make(population_size=4000, n_genes=25, **arguments)
    step(strategy)
    strategy.ask()
    logarithms = np.log(strategy._child_widths / 0.5)
    # Baeck and Schwefel 1993, eq. 13: tau = 1 / sqrt(2 sqrt(n)) by gene and tau' = 1 / sqrt(2 n) by genome.
    assert np.mean(logarithms) == pytest.approx(0.0, abs=0.02)
    assert np.var(logarithms) == pytest.approx(1.5**2 / 10 + 1 / 50, rel=0.05)
    assert np.var(logarithms.mean(axis=1)) == pytest.approx(1.5**2 / 10 / 25 + 1 / 50, rel=0.1)


def test_a_child_inherits_the_geometric_mean_of_its_parents_widths():
    strategy = make(mutation_adaptation="self_adapted_genes", adaptation_rate=1e-9, population_size=2, n_genes=4)
    step(strategy)
    strategy._parent_widths = np.array([[1.0, 4.0, 9.0, 16.0], [4.0, 4.0, 1.0, 1.0]])
    widths = strategy._inherited_widths(np.array([0]), np.array([1]))
    # What is left is the step that all genes of a genome share.
    assert widths / widths[:, :1] == pytest.approx(np.tile([1.0, 2.0, 1.5, 2.0], (2, 1)))


def test_widths_by_genome_are_no_state_of_widths_by_gene():
    classic, by_gene = make(mutation_adaptation="self_adapted"), make(mutation_adaptation="self_adapted_genes")
    for strategy in (classic, by_gene):
        step(strategy)
    with pytest.raises(BadInput, match="parent_widths"):
        by_gene.restore(classic.state())
    with pytest.raises(BadInput, match="parent_widths"):
        classic.restore(by_gene.state())


def test_crossover_by_units_keeps_units_together():
    layout = Elman(1, 4, 1).layout
    arguments = {
        "n_genes": layout.n_genes,
        "layout": layout,
        "crossover": "unit",
        "mutation_probability": 0.0,
        "crossover_probability": 1.0,
    }
    strategy = make(**arguments)
    step(strategy)
    grown = parents(strategy)[0]
    for child in strategy.ask():
        for unit in np.unique(layout.units):
            genes = layout.units == unit
            assert np.any(np.all(grown[:, genes] == child[genes], axis=1))


def test_crossover_by_units_needs_a_layout():
    with pytest.raises(ValueError, match="layout"):
        make(crossover="unit")


def test_the_odd_child_is_bred_too():
    strategy = make(population_size=7, n_elites=0)
    step(strategy)
    assert step(strategy).shape == (7, 6)


def test_crossover_probability_zero_copies_parents():
    strategy = make(crossover_probability=0.0, mutation_probability=0.0)
    step(strategy)
    grown = {tuple(row) for row in parents(strategy)[0]}
    assert {tuple(row) for row in strategy.ask()} <= grown
