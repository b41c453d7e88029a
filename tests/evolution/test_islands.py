"""Islands against a loop written by hand, against one population alone, and against themselves cut and resumed."""

from __future__ import annotations

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.evaluation import Evaluation, Evaluator
from neuroevo.evolution import Evolution, LocalHost, Migration, loop
from neuroevo.evolution.stretches import OrderTaker, StretchHost
from neuroevo.stopping import Custom, Generations, Progress

N_GENES = 6


class Hills(Evaluator):
    """An evaluator without networks: a bumpy bowl, whose validation bowl lies elsewhere."""

    def evaluate(self, population, part="train", wants=frozenset()):
        centre = 1.0 if part == "train" else 1.3
        x = np.asarray(population) - centre
        error = (x**2 + 0.3 * np.sin(5 * x) ** 2).mean(axis=1)
        error[error > 4.0] = np.inf
        return Evaluation.of(error, 1 / (1 + error), 0.0)


def make_strategy(kind="genetic_algorithm", seed=5):
    def build(island):
        return ne.make_strategy(kind, n_genes=N_GENES, seed=seed, population_size=12, island=island)

    return build


def archipelago(
    n_islands=3, migration=None, *, kind="genetic_algorithm", validated=False, rest_every=None, travelling=False
):
    """Islands of this process, or such whose states travel with their orders to somebody who forgets them."""
    migration = migration or Migration(interval=4)
    options = {"n_emigrants": migration.migrants, "only_better": migration.replacement == "if_better"}
    if travelling:

        def carry_out(orders):
            return [OrderTaker(make_strategy(kind), Hills(), validated=validated).carry_out(order) for order in orders]

        host = StretchHost(make_strategy(kind), carry_out, n_islands, **options)
    else:
        host = LocalHost(make_strategy(kind), Hills(), n_islands, validated=validated, **options)
    return Evolution(host, migration, seed=5, validated=validated, rest_every=rest_every)


def figures(history):
    return {name: history[name].tobytes() for name in history if name != "seconds"}


def assert_same_state(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        if name != "seconds":
            assert np.asarray(found[name]).tobytes() == np.asarray(value).tobytes(), name


def ignore(_progress):
    pass


@pytest.mark.parametrize("validated", [False, True])
@pytest.mark.parametrize("kind", ["genetic_algorithm", "cma_es", "particle_swarm"])
def test_one_island_elsewhere_has_the_bits_of_one_population(kind, validated):
    evolution = Evolution.of(make_strategy(kind)(0), Hills(), validated=validated)
    evolution.run(Generations(15), ignore)
    alone = archipelago(1, kind=kind, validated=validated, travelling=True)
    alone.run(Generations(15), ignore)
    assert figures(alone.history) == figures(evolution.history)
    assert alone.champion.genome.tobytes() == evolution.champion.genome.tobytes()
    assert vars(alone.champion).keys() == vars(evolution.champion).keys()
    for name in ("error", "learned", "generation"):
        assert getattr(alone.champion, name) == getattr(evolution.champion, name)


@pytest.mark.parametrize("kind", ["genetic_algorithm", "simulated_annealing", "differential_evolution"])
def test_a_ring_is_what_a_loop_by_hand_makes_of_it(kind):
    strategies = [make_strategy(kind)(island) for island in range(3)]
    best, hills = [], Hills()
    for generation in range(1, 14):
        errors = []
        for strategy in strategies:
            population = strategy.ask()
            error = hills.evaluate(population).error
            strategy.tell(population, error)
            errors.append(error)
        best.append(min(error.min() for error in errors))
        if generation % 4 == 0:
            leaving = [strategy.emigrants(2) for strategy in strategies]
            for island, strategy in enumerate(strategies):
                strategy.inject(*leaving[island - 1])
    model = archipelago(3, Migration(interval=4, migrants=2), kind=kind)
    model.run(Generations(13), ignore)
    assert model.history["best_error"].tolist() == best
    assert model.logbook.evaluations == 13 * 3 * 12


def test_figures_are_those_of_all_populations_together():
    model = archipelago(4)
    strategies = [make_strategy()(island) for island in range(4)]
    everyone = np.concatenate([strategy.ask() for strategy in strategies])
    error = Hills().evaluate(everyone).error
    progress = model.step()
    assert progress.population_size == len(everyone)
    assert progress.median_error == np.median(error[np.isfinite(error)])
    assert progress.n_failed == np.isinf(error).sum()
    assert progress.diversity == pytest.approx(everyone.std(axis=0).mean(), rel=1e-12)
    assert model.champion.genome.tolist() == everyone[error.argmin()].tolist()


@pytest.mark.parametrize("topology", ["ring", "star", "complete", "random"])
@pytest.mark.parametrize("replacement", ["always", "if_better"])
@pytest.mark.parametrize("travelling", [False, True])
def test_a_cut_and_resumed_run_has_the_bits_of_the_whole_one(topology, replacement, travelling):
    migration = Migration(topology, interval=3, migrants=1, replacement=replacement)
    whole = archipelago(4, migration, validated=True)
    whole.run(Generations(17), ignore)
    for cut in (1, 3, 8):
        first = archipelago(4, migration, validated=True)
        first.run(Generations(cut), ignore)
        second = archipelago(4, migration, validated=True, travelling=travelling)
        second.logbook.history = first.history
        second.restore(first.state())
        assert Progress.last_of(second.history).row() == Progress.last_of(first.history).row()
        second.run(Generations(17), ignore)
        assert figures(second.history) == figures(whole.history)
        assert_same_state(second.state(), whole.state())


@pytest.mark.parametrize("seconds", [0.0, 0.5, 1e9])
@pytest.mark.parametrize("rest_every", [None, 1, 5])
def test_the_length_of_stretches_changes_nothing(monkeypatch, seconds, rest_every):
    steps = archipelago(3, Migration(interval=6))
    for _ in range(20):
        steps.step()
    monkeypatch.setattr(loop, "_STRETCH_SECONDS", seconds)
    stretched = archipelago(3, Migration(interval=6), rest_every=rest_every, travelling=True)
    stretched.run(Generations(20), ignore)
    assert figures(stretched.history) == figures(steps.history)
    assert_same_state(stretched.state(), steps.state())


def test_a_stop_in_the_middle_of_a_stretch_cuts_history_and_islands_there(monkeypatch):
    monkeypatch.setattr(loop, "_STRETCH_SECONDS", 1e9)
    lengths = []
    model = archipelago(2, Migration(interval=10), travelling=True)
    carry_out = model.host._carry_out
    model.host._carry_out = lambda orders: lengths.append(orders[0].n_generations) or carry_out(orders)
    reason = model.run(Custom("fourth", lambda progress: progress.generation == 14), ignore)
    assert reason.criterion == "fourth"
    assert lengths == [1, 9, 10, 4]
    assert model.history.n_generations == 14
    steps = archipelago(2, Migration(interval=10))
    for _ in range(14):
        steps.step()
    assert_same_state(model.state(), steps.state())


def test_the_state_can_be_had_only_at_rest(monkeypatch):
    monkeypatch.setattr(loop, "_STRETCH_SECONDS", 1e9)
    model = archipelago(2, Migration(interval=10), rest_every=4, travelling=True)
    rested = []

    def after(progress):
        if model.at_rest:
            rested.append(progress.generation)
            model.state()
        else:
            with pytest.raises(RuntimeError, match="at_rest"):
                model.state()

    model.run(Generations(20), after)
    assert rested == [1, 4, 8, 10, 12, 16, 20]
    with pytest.raises(ValueError, match="of 2 islands, here are 3"):
        archipelago(3).restore(model.state())


def test_topologies_name_the_neighbours():
    assert Migration("ring").sources(4, 1, 20) == ((3,), (0,), (1,), (2,))
    assert Migration("star").sources(4, 1, 20) == ((1, 2, 3), (0,), (0,), (0,))
    assert Migration("complete").sources(3, 1, 20) == ((1, 2), (0, 2), (0, 1))


def test_random_sources_are_others_and_all_equally_likely():
    counts = np.zeros((4, 4))
    for generation in range(3000):
        for island, (source,) in enumerate(Migration("random").sources(4, 7, generation)):
            counts[island, source] += 1
    assert np.diag(counts).tolist() == [0, 0, 0, 0]
    off = counts[~np.eye(4, dtype=bool)]
    # A binomial share of 1/3 over 3000 draws has a standard deviation of 26.
    assert np.abs(off - 1000).max() < 5 * 26
    assert Migration("random").sources(4, 7, 1) == Migration("random").sources(4, 7, 1)


def test_if_better_admits_only_what_beats_the_incumbent():
    model = archipelago(2, Migration(interval=2, migrants=3, replacement="if_better"))
    entered = {}
    for island, strategy in enumerate(model.host.strategies):
        inject = strategy.inject

        def watched(genomes, errors, island=island, inject=inject):
            entered[island] = errors
            inject(genomes, errors)

        strategy.inject = watched
    for _ in range(2):
        model.step()
    before = [state["incumbent_error"] for state in model.host.states()]
    model.step()
    worse = int(np.argmax(before))
    assert entered.keys() == {worse}
    assert entered[worse].max() < before[worse]
