"""Noise on inputs and weights: what is drawn, which errors come of it, and the same bits however a run is carried out."""

from __future__ import annotations

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.cli.texts import scenario_text
from neuroevo.evaluation import BACKENDS, Evaluation
from neuroevo.evolution.batches import MEASURED, BatchPlan, BatchSettings
from neuroevo.evolution.conditions import Conditions
from neuroevo.evolution.generations import carry_out
from neuroevo.problems.noise import InputNoise
from neuroevo.problems.stretches import restricted, whole_sequences
from neuroevo.scenario import ScenarioError
from neuroevo.strategies import Phase, stream
from tests.evaluation.test_local import EVERY_KIND, problem_for
from tests.evolution.test_batches import ISLANDS, CrashAt, Stop, history_of

NOISE = "\n[generalise]\ninput_noise = 0.1\nweight_noise = 0.05\nevery = 3\n"
BATCH = "\n[batch]\nsize = 3\nsteps = 5\nwashout = 4\nevery = 3\n"


def test_noise_follows_from_seed_and_generation_alone_and_is_as_large_as_asked():
    conditions = Conditions(input_noise=0.3, weight_noise=0.2, seed=4)
    shape = (2, 400, 3)
    drawn = [conditions.of(generation, 500) for generation in (1, 2)]
    again = Conditions(input_noise=0.3, weight_noise=0.2, seed=4).of(2, 500)
    other = Conditions(input_noise=0.3, weight_noise=0.2, seed=5).of(2, 500)
    for name in ("noise", "shift"):
        values = [
            each.noise.added(np.zeros(shape)) if name == "noise" else each.shift for each in (*drawn, again, other)
        ]
        np.testing.assert_array_equal(values[1], values[2])
        for k, j in ((0, 1), (1, 3)):
            assert abs(np.corrcoef(values[k].ravel(), values[j].ravel())[0, 1]) < 0.2
        size, n = (0.3, np.prod(shape)) if name == "noise" else (0.2, 500)
        assert abs(values[0].mean()) < 4 * size / np.sqrt(n)
        assert values[0].std() == pytest.approx(size, rel=4 / np.sqrt(2 * n))
    np.testing.assert_array_equal(
        drawn[0].noise.added(np.zeros(shape)),
        0.3 * stream(4, generation=1, phase=Phase.INPUT_NOISE).standard_normal(shape),
    )
    assert Conditions(seed=4).of(1, 5).is_clean


@pytest.mark.filterwarnings("ignore:.*has no kernel")
@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize(
    ("name", "network"),
    [("compiled", ne.Lstm(2, 4, 3)), ("by_units", ne.Elman(2, 32, 3)), ("by_score", ne.Gru(2, 3, 3))],
)
def test_error_under_noise_is_that_of_networks_run_over_noisy_inputs(name, network, batched, part):
    problem = problem_for(network, 8, 3, 60, weight_decay=0.25)
    genomes = np.random.default_rng(8).normal(size=(19, network.n_genes)) * 0.4
    noise = InputNoise(0.3, 2, (0, 0, 1, 13))
    stretches = whole_sequences(problem, part)
    if batched:
        stretches = BatchPlan(problem, BatchSettings(size=4, steps=9, washout=3), 1).of(1)
    backend = BACKENDS[name](network, problem, n_threads=2, precision="double")
    found = backend.on(restricted(problem, stretches, part, noise)).evaluate(genomes, "train")["error"]
    backend.close()
    noisy, clean = (restricted(problem, stretches, part, each) for each in (noise, None))
    drawn = noisy.inputs - clean.inputs
    present = np.arange(drawn.shape[1]) < (stretches[:, 3] - stretches[:, 1])[:, None]
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(2, spawn_key=(0, 0, 1, 13))))
    # In which order steps take their numbers follows from how they lie in memory.
    numbers = np.sort(0.3 * rng.standard_normal(drawn.size))
    nearest = np.abs(numbers[:, None] - drawn[present].ravel()).min(axis=0)
    assert nearest.max() < 1e-12
    assert len(np.unique(drawn[present])) == drawn[present].size
    counts = problem.counted(part)
    for k in (0, 18):
        total, n = 0.0, 0
        for row, (sequence, begin, first, end) in enumerate(stretches):
            inputs = problem.inputs[sequence, begin:end] + drawn[row, : end - begin]
            outputs = network.predict(genomes[k], inputs[None])[0, first - begin :]
            misses = (outputs - problem.targets[sequence, first:end])[counts[sequence, first:end]]
            total, n = total + (misses**2).sum(), n + misses.size
        assert found[k] == pytest.approx(total / n + 0.25 * np.mean(genomes[k] ** 2), rel=1e-11)


def test_bits_under_noise_depend_neither_on_threads_nor_on_company():
    network = EVERY_KIND["gru"]
    problem = problem_for(network, 2, 5, 60)
    population = np.random.default_rng(2).normal(size=(70, network.n_genes))
    noise = InputNoise(0.1, 1, (0, 0, 3, 13))
    with ne.LocalEvaluator(network, problem, n_threads=1) as evaluator:
        clean = evaluator.evaluate(population).error
        error = evaluator.evaluate(population, noise=noise).error
        np.testing.assert_array_equal(evaluator.evaluate(population[20:31], noise=noise).error, error[20:31])
        np.testing.assert_array_equal(evaluator.evaluate(population).error, clean)
    assert (error != clean).all()
    with ne.LocalEvaluator(network, problem, n_threads=3) as evaluator:
        np.testing.assert_array_equal(evaluator.evaluate(population, noise=noise).error, error)


def test_a_refined_genome_is_told_without_the_noise_that_it_was_found_under():
    class Halving(ne.Evaluator):
        offers = frozenset({"refined"})

        def evaluate(self, population, part="train", wants=frozenset(), **data):
            refined = np.array(population) / 2
            error = (refined**2).sum(axis=1)
            return Evaluation.of(error, np.zeros(len(error)), 0.0, {"refined": refined} if wants else {})

    class Taker:
        n_genes, wants, learning = 3, frozenset({"refined"}), None

        def ask(self):
            return np.arange(6.0).reshape(2, 3)

        def tell(self, population, error, refined):
            self.told = population, refined

        def figures(self):
            return {}

        def take_messages(self):
            return []

    taker, conditions = Taker(), Conditions(weight_noise=0.5, seed=7)
    generation = carry_out(taker, Halving(), 1, np.inf, validated=False, conditions=conditions)
    shift = conditions.of(1, 3).shift
    asked = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(taker.told[0], asked)
    np.testing.assert_allclose(taker.told[1], (asked + shift) / 2 - shift, rtol=1e-15)
    assert generation.improvement.error == pytest.approx(((taker.told[1][0] / 2) ** 2).sum())


@pytest.fixture
def scenario(small_scenario):
    text = small_scenario.read_text().replace("genetic_algorithm", "snes")
    small_scenario.write_text(text + NOISE)
    return small_scenario


def test_columns_are_of_noisy_errors_and_the_incumbent_is_measured_without(scenario, tmp_path):
    record = ne.run(scenario, results=tmp_path)
    problem, network, history = record.problem, record.network, record.history
    strategy = ne.make_strategy("snes", n_genes=network.n_genes, seed=1, population_size=16, layout=network.layout)
    incumbent = np.inf
    with ne.LocalEvaluator(network, problem) as evaluator:
        for number in range(1, 13):
            population = strategy.ask()
            shift = 0.05 * stream(1, generation=number, phase=Phase.WEIGHT_NOISE).standard_normal(network.n_genes)
            noise = InputNoise(0.1, 1, (0, 0, number, int(Phase.INPUT_NOISE)))
            error = evaluator.evaluate(population + shift, noise=noise).error
            assert history["best_error"][number - 1] == error.min()
            if number in (1, 3, 6, 9, 12):
                best = population[np.argsort(error, kind="stable")[:MEASURED]]
                incumbent = min(incumbent, evaluator.evaluate(best).error.min())
            assert history["incumbent_error"][number - 1] == incumbent
            assert history["evaluations"][number - 1] == 16 * number
            strategy.tell(population, error)
    error, _ = problem.score(network, record.champion.genome, "train")
    assert record.run["champion"]["error"] == pytest.approx(error, rel=2e-5)
    held, _ = problem.score(network, record.champion.genome, "validation")
    assert record.run["champion"]["validation_error"] == pytest.approx(held, rel=2e-5)


@pytest.mark.parametrize("tables", ["", ISLANDS, ISLANDS + BATCH.replace("every = 3\n", "")])
def test_a_run_that_crashed_or_is_extended_or_has_more_threads_has_the_same_bits(scenario, tables, tmp_path):
    text = scenario.read_text()
    scenario.write_text((text.replace("every = 3\n", "") if "[batch]" in tables else text) + tables)
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


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            {"strategy.kind": "genetic_algorithm"},
            "genetic_algorithm compares errors of different gen.*noise.*take snes",
        ),
        ({"islands": {"replacement": "if_better"}}, 'islands.replacement: must be "always" with noise'),
        ({"islands": {"strategies": [{"kind": "particle_swarm"}]}}, "particle_swarm compares errors"),
        ({"batch": {"size": 3, "steps": 5}}, r"generalise.every: is said by \[batch\]; write batch.every"),
        ({"generalise": {"every": 3}}, "generalise.every: goes with input_noise or weight_noise only"),
        ({"generalise.input_noise": -1}, "generalise.input_noise: must be at least 0"),
        ({"generalise.weight_noise": float("inf")}, "generalise.weight_noise: must be a finite number"),
        ({"generalise.input_nose": 0.1}, "generalise.input_nose: unknown key; did you mean 'input_noise'"),
        ({"generalise.patience": 5}, r"generalise.patience: has another place.*validation_patience in \[stop\]"),
        ({"generalise.weight_decay": 1}, r"weight_decay in \[problem\]"),
    ],
)
def test_what_does_not_go_with_noise_is_refused(scenario, overrides, message):
    with pytest.raises(ScenarioError, match=message):
        ne.load_scenario(scenario, overrides=overrides)


def test_check_says_what_the_noise_is(scenario):
    loaded = ne.load_scenario(scenario)
    line = "0.1 on inputs and 0.05 on weights; the best without it every 3 generations"
    assert f"  noise    {line}" in scenario_text(loaded).splitlines()
    without = ne.load_scenario(scenario, overrides={"generalise": {"input_noise": 0.0}})
    assert "generalise" not in without.table
    assert without.conditions is None
