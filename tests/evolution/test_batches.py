"""Mini-batches: what is drawn, what it costs, which errors come of it, and the same bits however a run is carried out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuroevo as ne
from neuroevo.callbacks import Callback
from neuroevo.cli.texts import scenario_text
from neuroevo.evaluation import BACKENDS
from neuroevo.evolution.batches import MEASURED, BatchPlan, BatchSettings
from neuroevo.evolution.conditions import Conditions
from neuroevo.problems.stretches import restricted
from neuroevo.scenario import ScenarioError
from neuroevo.settings import SettingsError
from neuroevo.strategies import STRATEGIES, make_strategy
from neuroevo.strategies.descent.base import Descent
from tests.evaluation.test_local import EVERY_KIND, problem_for
from tests.evaluation.test_objectives import judged, mean_cubed, rebuilt
from tests.strategies.truths import tell


def a_problem(seed, n_sequences, n_steps):
    return problem_for(EVERY_KIND["elman"], seed, n_sequences, n_steps)


def plan(problem, seed=1, **settings):
    return BatchPlan(problem, BatchSettings(**settings), seed)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(2, 30), st.integers(1, 12), st.integers(0, 5), st.data())
def test_pieces_share_out_the_training_steps_whatever_the_offset(seed, n_sequences, n_steps, steps, washout, data):
    problem = a_problem(seed, n_sequences, n_steps)
    steps = min(steps, n_steps)
    offset = data.draw(st.integers(0, steps - 1))
    pieces = plan(problem, size=1, steps=steps, washout=washout)._pieces(offset)
    counts = problem.counted("train").any(axis=2)
    seen = np.zeros(counts.shape, int)
    for sequence, begin, first, end in pieces:
        assert 0 < end - first <= steps
        assert (first - offset) % steps == 0 or first == 0
        assert begin == max(first - washout, 0)
        assert end <= problem.lengths[sequence]
        assert counts[sequence, first:end].any()
        seen[sequence, first:end] += 1
    assert (seen[counts] == 1).all()
    assert seen.max() == 1


def test_batch_follows_from_seed_and_generation_alone_and_reaches_everything():
    problem = a_problem(3, 1, 400)
    batches = plan(problem, size=5, steps=20)
    found = [batches.of(generation) for generation in range(1, 60)]
    for generation, batch in enumerate(found, 1):
        np.testing.assert_array_equal(batch, plan(problem, size=5, steps=20).of(generation))
        assert len(batch) == len(np.unique(batch[:, 2])) == 5
    assert len({batch.tobytes() for batch in found}) > 50
    assert any(
        batch.tobytes() != other.tobytes()
        for batch, other in zip(found, [plan(problem, 2, size=5, steps=20).of(1)], strict=False)
    )
    seen = np.zeros(400, int)
    for batch in found:
        for _, _, first, end in batch:
            seen[first:end] += 1
    # 59 batches of a quarter of all steps: 14.75 times each on average, binomially spread.
    counted = problem.counted("train").any(axis=2)[0]
    assert 3 < seen[counted].min() <= seen[counted].max() < 30


def test_batches_grow_until_they_are_all_data():
    problem = a_problem(3, 40, 10)
    n = int(problem.counted("train").any(axis=(1, 2)).sum())
    batches = plan(problem, size=4, growth=1.5)
    sizes = [len(batch) if (batch := batches.of(generation)) is not None else None for generation in range(1, 9)]
    wanted = [round(4 * 1.5**k) for k in range(8)]
    assert sizes == [size if size < n else None for size in wanted]
    assert batches.of(10**6) is None


def test_measured_is_the_first_and_by_default_about_every_second_pass_over_the_data():
    problem = ne.SequenceProblem(np.zeros((1, 1000, 1)), np.zeros((1, 1000, 1)))
    batches = plan(problem, size=4, steps=10)
    assert batches.every == 50
    assert [g for g in range(1, 160) if Conditions(batches).is_measured(g)] == [1, 50, 100, 150]
    assert plan(problem, size=4, steps=10, every=7).every == 7


def by_hand(network, genome, problem, stretches, part):
    """Mean squared error of the network run over each stretch on its own."""
    counts = problem.counted(part)
    total, n = 0.0, 0
    for sequence, begin, first, end in stretches:
        outputs = network.predict(genome, problem.inputs[sequence : sequence + 1, begin:end])[0, first - begin :]
        difference = (outputs - problem.targets[sequence, first:end])[counts[sequence, first:end]]
        total, n = total + (difference**2).sum(), n + difference.size
    return total / n + problem.weight_decay * np.mean(genome**2)


BACKENDS_OF = {"compiled": ne.Lstm(2, 4, 3), "by_units": ne.Elman(2, 32, 3), "by_score": ne.Gru(2, 3, 3)}


@pytest.mark.filterwarnings("ignore:.*has no kernel")
@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize("name", BACKENDS_OF)
def test_error_on_a_batch_is_that_of_networks_run_over_its_stretches(name, part):
    network = BACKENDS_OF[name]
    problem = problem_for(network, 8, 3, 90, weight_decay=0.25)
    genomes = np.random.default_rng(8).normal(size=(19, network.n_genes)) * 0.4
    whole = BACKENDS[name](network, problem, n_threads=2, precision="double")
    before = whole.evaluate(genomes, part)["error"]
    for generation, size in ((1, 7), (2, 2)):
        stretches = plan(problem, size=size, steps=11, washout=4).of(generation)
        found = whole.on(restricted(problem, stretches, part)).evaluate(genomes, "train")["error"]
        for k in (0, 18):
            assert found[k] == pytest.approx(by_hand(network, genomes[k], problem, stretches, part), rel=1e-11)
    np.testing.assert_array_equal(whole.evaluate(genomes, part)["error"], before)
    whole.close()


@pytest.mark.parametrize("name", ["cross_entropy", "balanced_error", "own"])
def test_objectives_and_weights_hold_on_a_batch(name):
    network = ne.Elman(2, 5, 3, output_activation="softmax")
    problem = judged(network, 4, 8, 30, "balanced_error" if name == "own" else name, True, weighted=2)
    if name == "own":
        problem = rebuilt(problem, objective=mean_cubed, target_weights=None)
    genome = np.random.default_rng(4).normal(size=network.n_genes)
    chosen = [1, 4, 6]
    whole = np.array([[s, 0, 0, problem.lengths[s]] for s in chosen])
    mask = np.isin(np.arange(8), chosen)
    alone = rebuilt(problem, parts={"train": problem.parts["train"] & mask[:, None]})
    with ne.LocalEvaluator(network, problem, precision="double") as evaluator:
        found = evaluator.evaluate(genome[None], batch=whole)
    assert found.error[0] == pytest.approx(alone.score(network, genome, "train")[0], rel=1e-12)
    assert found.learned[0] == pytest.approx(alone.score(network, genome, "train")[1], rel=1e-12)


@pytest.mark.parametrize("precision", ["single", "double"])
def test_bits_on_a_batch_depend_neither_on_threads_nor_on_company(precision):
    network = EVERY_KIND["gru"]
    problem = problem_for(network, 2, 5, 120)
    population = np.random.default_rng(2).normal(size=(70, network.n_genes))
    batch = plan(problem, size=6, steps=15, washout=5).of(3)
    with ne.LocalEvaluator(network, problem, n_threads=1, precision=precision) as evaluator:
        error = evaluator.evaluate(population, batch=batch).error
        np.testing.assert_array_equal(evaluator.evaluate(population[20:31], batch=batch).error, error[20:31])
    with ne.LocalEvaluator(network, problem, n_threads=3, precision=precision) as evaluator:
        evaluator.evaluate(population)
        np.testing.assert_array_equal(evaluator.evaluate(population, batch=batch).error, error)


def test_batch_costs_what_its_steps_cost():
    network = ne.Elman(1, 16, 1)
    rng = np.random.default_rng(0)
    problem = ne.SequenceProblem(rng.normal(size=(1, 200_000, 1)), rng.normal(size=(1, 200_000, 1)))
    late = np.array([[0, 190_000, 190_000, 192_000]])
    population = rng.normal(size=(16, network.n_genes)) * 0.3
    with ne.LocalEvaluator(network, problem, n_threads=1) as evaluator:
        evaluator.evaluate(population, batch=late)
        part = min(evaluator.evaluate(population, batch=late).seconds for _ in range(5))
        whole = min(evaluator.evaluate(population).seconds for _ in range(2))
    assert part < whole / 25


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (np.zeros((0, 4), int), r"shape \(n, 4\)"),
        (np.zeros((2, 3), int), r"shape \(n, 4\)"),
        (np.zeros((1, 4)), "whole numbers"),
        ([[5, 0, 0, 1]], r"stretch 0, \[5, 0, 0, 1\], does not lie"),
        ([[0, 0, 0, 999]], "does not lie"),
        ([[0, 3, 2, 5]], "does not lie"),
        ([[0, 2, 2, 2]], "does not lie"),
    ],
)
def test_wrong_stretches_are_refused(batch, message):
    network = EVERY_KIND["elman"]
    with (
        ne.LocalEvaluator(network, a_problem(1, 3, 20)) as evaluator,
        pytest.raises(ne.BadInput, match=message),
    ):
        evaluator.evaluate(np.zeros((1, network.n_genes)), batch=batch)


FORGETFUL = {"optimiser": "adam", "restart_after": 0}
PLAIN = {
    "genetic_algorithm": {"n_elites": 1},
    "memetic": {"every": 2, "steps": 2},
    "evolve_then_descend": {"generations": 3},
    **{kind: FORGETFUL for kind in STRATEGIES.names() if issubclass(STRATEGIES[kind], Descent)},
}
"""Settings with which a strategy compares errors of several generations, or none, where they decide it."""


@pytest.mark.parametrize("kind", STRATEGIES.names())
def test_memoryless_strategies_are_those_that_compare_within_a_generation_only(kind):
    """Errors raised by another amount in each generation, as on other data, change nothing in what is asked."""
    asked = []
    for raised in (np.zeros(12), np.array([0, 500, 3, 250, 1, 0, 80, 0, 300, 2, 1, 0])):
        strategy = make_strategy(kind, n_genes=6, seed=3, **PLAIN.get(kind, {}))
        asked.append([])
        for amount in raised:
            population = strategy.ask()
            asked[-1].append(np.array(population))
            tell(strategy, population, lambda x: ((x - 1) ** 2).sum(axis=1), raised=amount)
    same = all(np.array_equal(first, second) for first, second in zip(*asked, strict=True))
    assert same == STRATEGIES[kind].memoryless


def history_of(record):
    return {name: record.history[name].tobytes() for name in record.history if name != "seconds"}


class Stop(Exception):
    pass


class CrashAt(Callback):
    def __init__(self, generation):
        self.at = generation

    def generation(self, progress):
        if progress.generation == self.at:
            raise Stop


@pytest.fixture
def scenario(small_scenario):
    text = small_scenario.read_text().replace("genetic_algorithm", "snes")
    small_scenario.write_text(f"{text}\n[batch]\nsize = 3\nsteps = 5\nwashout = 4\nevery = 3\n")
    return small_scenario


ISLANDS = "\n[islands]\ncount = 3\ninterval = 2\nmigrants = 1\n[[islands.strategies]]\nkind = 'openai_es'\npopulation_size = 8\n"


@pytest.mark.parametrize("islands", ["", ISLANDS])
def test_a_run_that_crashed_or_is_extended_or_has_more_threads_has_the_same_bits(scenario, islands, tmp_path):
    scenario.write_text(scenario.read_text() + islands)
    whole = ne.run(scenario, results=tmp_path / "whole", compute=ne.Compute(threads=1))
    with pytest.raises(Stop):
        ne.run(scenario, results=tmp_path / "crashed", callbacks=[CrashAt(7)])
    (path,) = (tmp_path / "crashed").iterdir()
    shorter = ne.run(
        scenario, overrides={"stop.generations": 5}, results=tmp_path / "short", compute=ne.Compute(threads=2)
    )
    for other in (ne.resume(path), ne.extend(shorter.path, overrides={"stop.generations": 12})):
        assert history_of(other) == history_of(whole)
        np.testing.assert_array_equal(other.champion.genome, whole.champion.genome)


def test_columns_say_what_the_page_says_of_them(scenario, tmp_path):
    record = ne.run(scenario, results=tmp_path)
    problem, network, history = record.problem, record.network, record.history
    strategy = ne.make_strategy("snes", n_genes=network.n_genes, seed=1, population_size=16, layout=network.layout)
    batches = plan(problem, size=3, steps=5, washout=4, every=3)
    incumbent = np.inf
    with ne.LocalEvaluator(network, problem) as evaluator:
        for k in range(12):
            population = strategy.ask()
            error = evaluator.evaluate(population, batch=batches.of(k + 1)).error
            assert history["best_error"][k] == error.min()
            if k + 1 in (1, 3, 6, 9, 12):
                best = population[np.argsort(error, kind="stable")[:MEASURED]]
                incumbent = min(incumbent, evaluator.evaluate(best).error.min())
            assert history["incumbent_error"][k] == incumbent
            assert history["evaluations"][k] == 16 * (k + 1)
            strategy.tell(population, error)
    assert record.run["champion"]["error"] in history["incumbent_error"]
    error, learned = problem.score(network, record.champion.genome, "train")
    assert record.run["champion"]["error"] == pytest.approx(error, rel=2e-5)
    assert record.run["champion"]["learned"] == pytest.approx(learned, abs=0.02)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            {"strategy.kind": "genetic_algorithm"},
            "genetic_algorithm compares errors of different generations.*take snes",
        ),
        ({"strategy.kind": "differential_evolution"}, "differential_evolution compares errors"),
        ({"batch.size": 100}, "batch.size = 100 is all there is: the training part has 12 stretches of 5 steps"),
        ({"batch": {"size": 1}}, "the training part has 1 sequences.*let steps cut sequences"),
        ({"batch": {"size": 1, "washout": 3}}, "batch.washout: goes with steps only"),
        ({"batch.sice": 1}, "batch.sice: unknown key; did you mean 'size'"),
        ({"batch.growth": 0.5}, "batch.growth: must be at least 1"),
        ({"islands": {"replacement": "if_better"}}, 'islands.replacement: must be "always" with mini-batches'),
        ({"islands": {"strategies": [{"kind": "particle_swarm"}]}}, "particle_swarm compares errors"),
    ],
)
def test_what_does_not_go_with_batches_is_refused(scenario, overrides, message):
    with pytest.raises(ScenarioError, match=message):
        ne.load_scenario(scenario, overrides=overrides)


def test_check_says_what_a_batch_is(scenario):
    loaded = ne.load_scenario(scenario, overrides={"batch.growth": 1.5})
    line = "3 stretches of 5 steps after 4 of washout, times 1.5 a generation; the best on all data every 3 generations"
    assert f"  batch    {line}" in scenario_text(loaded).splitlines()


def test_numbers_beyond_all_data_are_understood():
    problem = a_problem(3, 4, 30)
    with pytest.raises(ne.BadInput, match="all there is: the training part has 4 stretches of 30 steps"):
        plan(problem, size=10**400, steps=2**64, washout=2**70).check()
    batch = plan(problem, size=2, steps=2**64, washout=2**70).of(1)
    assert len(batch) == 2
    assert (batch[:, 1] == 0).all()
    assert plan(problem, size=2, growth=1e308).of(10**9) is None


def test_washout_without_steps_is_refused_from_python_too():
    with pytest.raises(SettingsError, match="goes with steps only"):
        BatchSettings(size=2, washout=1)
