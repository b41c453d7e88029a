"""Differential evolution: its operators by hand and by distribution, its variants against the tables of their papers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from neuroevo.errors import BadInput
from neuroevo.settings import SettingsError
from neuroevo.strategies import make_strategy
from neuroevo.strategies.differential_evolution import crossed, distinct_others, rand_1

VARIANTS = ("rand_1_bin", "jade", "shade", "l_shade")


def sphere(population):
    return np.square(population).sum(axis=1)


def run(strategy, error, n_generations):
    for _ in range(n_generations):
        population = strategy.ask()
        strategy.tell(population, error(population))
    return strategy


def test_others_are_different_and_equally_likely():
    rng = np.random.default_rng(0)
    n, repeats = 5, 4000
    counts = dict.fromkeys(itertools.permutations(range(1, n), 3), 0)
    for _ in range(repeats):
        first, second, third = distinct_others(n, (n, n, n), rng)
        for i, choice in enumerate(zip(first, second, third, strict=True)):
            assert len({i, *choice}) == 4
            if i == 0:
                counts[tuple(int(index) for index in choice)] += 1
    expected = repeats / len(counts)
    chi_squared = sum((count - expected) ** 2 / expected for count in counts.values())
    assert chi_squared < 50  # 23 degrees of freedom: exceeded with probability 0.001


def test_the_second_other_may_come_from_a_longer_list():
    rng = np.random.default_rng(1)
    seconds = np.concatenate([distinct_others(4, (4, 9), rng)[1] for _ in range(500)])
    assert set(seconds.tolist()) == set(range(9))


def test_a_mutant_is_a_member_plus_a_weighted_difference():
    parents = np.diag([1.0, 10.0, 100.0, 1000.0])
    mutants = rand_1(parents, np.full(4, 0.5), np.random.default_rng(2))
    for i, mutant in enumerate(mutants):
        first, second, third = (
            int(np.flatnonzero(np.isclose(mutant, value * np.diag(parents)))[0]) for value in (1, 0.5, -0.5)
        )
        assert len({i, first, second, third}) == 4


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
def test_crossover_takes_genes_at_its_rate_and_at_least_one(rate):
    parents, mutants = np.zeros((500, 40)), np.ones((500, 40))
    trials = crossed(parents, mutants, np.full(500, rate), np.random.default_rng(3))
    taken = trials.sum(axis=1)
    assert taken.min() >= 1
    # One gene surely, each of the other 39 at the rate (Storn and Price 1997, eq. 4).
    assert taken.mean() == pytest.approx(1 + 39 * rate, abs=0.5)


# Zhang and Sanderson 2009, table IV: sphere and Rastrigin in 30 dimensions, 100 members, means of 50 runs.
@pytest.mark.parametrize(
    ("variant", "rate", "n_generations", "low", "high"),
    [("rand_1_bin", 0.9, 1500, 9.8e-15, 9.8e-13), ("jade", 0.5, 1500, 0.0, 1.3e-53)],
)
def test_reaches_what_the_paper_reports_on_the_sphere(variant, rate, n_generations, low, high):
    strategy = make_strategy(
        "differential_evolution",
        n_genes=30,
        population_size=100,
        seed=0,
        variant=variant,
        crossover_rate=rate,
        bounds=(-100, 100),
        start="uniform",
        start_width=100.0,
    )
    assert low <= run(strategy, sphere, n_generations).incumbent[1] <= high


def test_jade_reaches_what_the_paper_reports_on_rastrigin():
    def rastrigin(population):
        return (np.square(population) - 10 * np.cos(2 * np.pi * population) + 10).sum(axis=1)

    strategy = make_strategy(
        "differential_evolution",
        n_genes=30,
        population_size=100,
        seed=0,
        variant="jade",
        bounds=(-5.12, 5.12),
        start="uniform",
        start_width=5.12,
    )
    # 2.0e-4 after 1000 generations.
    assert run(strategy, rastrigin, 1000).incumbent[1] == pytest.approx(2e-4, rel=0.9)


def test_adaptation_lowers_the_crossover_rate_on_a_separable_function():
    def rastrigin(population):
        return (np.square(population) - 10 * np.cos(2 * np.pi * population) + 10).sum(axis=1)

    strategy = make_strategy(
        "differential_evolution", n_genes=20, population_size=100, seed=0, variant="jade", start_width=3.0
    )
    assert run(strategy, rastrigin, 200)._rate_memory[0] < 0.4


def test_shade_weights_successes_by_their_gain():
    strategy = make_strategy("differential_evolution", n_genes=3, seed=0, population_size=4, memory_size=2)
    run(strategy, sphere, 1)
    strategy.ask()
    strategy._errors = np.array([4.0, 3.0, 2.0, np.inf])
    strategy._weight, strategy._rate = np.array([0.2, 0.9, 0.4, 0.6]), np.array([0.1, 0.9, 0.5, 0.7])
    strategy._learn(np.array([True, False, True, False]), np.array([1.0, 5.0, 1.0, np.inf]))
    # Gains 3 and 1; Lehmer mean of the weights, arithmetic mean of the rates (SHADE, eqs. 7 to 11).
    lehmer = (0.75 * 0.2**2 + 0.25 * 0.4**2) / (0.75 * 0.2 + 0.25 * 0.4)
    assert strategy._weight_memory == pytest.approx([lehmer, 0.5])
    assert strategy._rate_memory == pytest.approx([0.75 * 0.1 + 0.25 * 0.5, 0.5])
    # A parent that had failed counts like the best of the others.
    strategy._learn(np.array([True, False, False, True]), np.array([1.0, 5.0, 5.0, 7.0]))
    assert strategy._rate_memory[1] == pytest.approx(0.5 * 0.1 + 0.5 * 0.7)


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_member_worsens_and_failed_trials_replace_nothing_finite(variant):
    rng = np.random.default_rng(4)
    strategy = make_strategy("differential_evolution", n_genes=5, seed=1, population_size=9, variant=variant)
    run(strategy, sphere, 1)
    for _ in range(30):
        before = strategy._errors.copy()
        population = strategy.ask()
        strategy.tell(population, np.where(rng.random(len(population)) < 0.4, np.inf, sphere(population)))
        assert np.all(np.sort(strategy._errors) <= np.sort(before)[: len(strategy._errors)])
    assert np.allclose(sphere(strategy._parents), strategy._errors)


@pytest.mark.parametrize("variant", VARIANTS)
def test_equals_replace_their_parents_unless_that_widens_the_first_population(variant):
    strategy = make_strategy("differential_evolution", n_genes=5, seed=1, population_size=9, variant=variant)
    first = strategy.ask()
    strategy.tell(first, np.ones(9))
    moved = 0
    for shrunk in (1.0, 0.1):
        strategy._parents = shrunk * first
        for _ in range(40):
            before, population = strategy._parents, strategy.ask()
            strategy.tell(population, np.ones(9))
            if np.array_equal(strategy._parents, population):
                moved += 1
            else:
                assert np.array_equal(strategy._parents, before)
            assert np.var(strategy._parents, axis=0).sum() <= np.var(first, axis=0).sum() * (1 + 1e-12)
    assert 2 <= moved < 80


@pytest.mark.parametrize("variant", ["jade", "shade"])
def test_the_archive_is_never_larger_than_the_population(variant):
    strategy = make_strategy("differential_evolution", n_genes=5, seed=1, population_size=7, variant=variant)
    sizes = []
    for _ in range(40):
        run(strategy, sphere, 1)
        sizes.append(len(strategy._archive))
    assert max(sizes) == 7


def test_the_population_of_l_shade_shrinks_in_equal_steps_of_evaluations_and_then_holds():
    arguments = {"variant": "l_shade", "population_size": 30, "horizon": 600}
    strategy = make_strategy("differential_evolution", n_genes=5, seed=1, **arguments)
    n_evaluations, expected = 0, 30
    while n_evaluations < 800:
        population = strategy.ask()
        assert len(population) == expected
        strategy.tell(population, sphere(population))
        n_evaluations += expected
        # Tanabe and Fukunaga 2014, eq. 10, with 4 as the smallest population.
        expected = max(4, round(30 - 26 / 600 * n_evaluations))
        assert len(strategy._archive) <= round(2.6 * expected)
    assert expected == 4
    assert strategy.settings.schedule_evaluations == 600
    assert make_strategy("differential_evolution", n_genes=5, seed=1).settings.schedule_evaluations is None


def test_the_worst_members_leave_a_shrinking_population():
    strategy = make_strategy(
        "differential_evolution", n_genes=3, seed=1, population_size=20, variant="l_shade", horizon=40
    )
    first = strategy.ask()
    strategy.tell(first, sphere(first))
    best = np.sort(sphere(first))[:12]
    assert np.array_equal(np.sort(strategy._errors), best)
    assert np.array_equal(sphere(strategy._parents), strategy._errors)


def test_l_shade_takes_lehmer_means_and_keeps_a_rate_of_zero():
    strategy = make_strategy(
        "differential_evolution", n_genes=3, seed=0, population_size=4, variant="l_shade", memory_size=2
    )
    run(strategy, sphere, 1)
    strategy.ask()
    strategy._errors = np.array([4.0, 3.0, 2.0, 9.0])
    strategy._weight, strategy._rate = np.array([0.2, 0.9, 0.4, 0.6]), np.array([0.1, 0.9, 0.5, 0.0])
    strategy._learn(np.array([True, False, True, False]), np.array([1.0, 5.0, 1.0, 9.0]))
    # Gains 3 and 1; weighted Lehmer means of both (Tanabe and Fukunaga 2014, eqs. 7 and 8).
    assert strategy._weight_memory[0] == pytest.approx((0.75 * 0.04 + 0.25 * 0.16) / (0.75 * 0.2 + 0.25 * 0.4))
    assert strategy._rate_memory[0] == pytest.approx((0.75 * 0.01 + 0.25 * 0.25) / (0.75 * 0.1 + 0.25 * 0.5))
    # Nothing but a rate of 0 succeeded: the entry is terminal, whatever comes later, and draws 0.
    strategy._learn(np.array([False, False, False, True]), np.array([4.0, 5.0, 5.0, 1.0]))
    strategy._slot = 1
    strategy._learn(np.array([True, False, False, False]), np.array([1.0, 5.0, 5.0, 9.0]))
    strategy._rate_memory[0] = strategy._rate_memory[1]
    strategy._draw_parameters(np.random.default_rng(1))
    assert np.all(strategy._rate == 0)
    assert strategy.settings.n_memory == 2


def test_l_shade_beats_shade_where_its_horizon_is_the_run():
    def rastrigin(population):
        return (np.square(population) - 10 * np.cos(2 * np.pi * population) + 10).sum(axis=1)

    def reached(variant, seed):
        strategy = make_strategy(
            "differential_evolution", n_genes=10, seed=seed, variant=variant, horizon=15_000, start_width=2.0
        )
        n_evaluations = 0
        while n_evaluations < 15_000:
            n_evaluations += len(strategy.ask())
            strategy.tell(strategy._asked, rastrigin(strategy._asked))
        return strategy.incumbent[1]

    shrinking, fixed = ([reached(variant, seed) for seed in range(5)] for variant in ("l_shade", "shade"))
    assert np.median(shrinking) < 0.1 * np.median(fixed)


@pytest.mark.parametrize("lost", ["members", "evaluations"])
def test_a_state_that_does_not_fit_the_shrinking_population_is_refused(lost):
    def make(**settings):
        return make_strategy("differential_evolution", n_genes=3, seed=1, population_size=20, **settings)

    shrunk, fixed = make(variant="l_shade", horizon=60), make()
    for strategy in (shrunk, fixed):
        run(strategy, sphere, 2)
    state = shrunk.state()
    if lost == "members":
        state |= {"parents": state["parents"][1:], "errors": state["errors"][1:]}
    else:
        del state["n_evaluations"]
    with pytest.raises(BadInput, match=r"members|n_evaluations"):
        shrunk.restore(state)
    with pytest.raises(BadInput, match="n_evaluations"):
        fixed.restore(fixed.state() | {"n_evaluations": 40})


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_state_restored_continues_bit_for_bit(variant):
    def make():
        return make_strategy("differential_evolution", n_genes=5, seed=1, population_size=7, variant=variant)

    strategy = run(make(), sphere, 12)
    other = make()
    other.restore(strategy.state())
    for _ in range(5):
        assert np.array_equal(run(strategy, sphere, 1).ask(), run(other, sphere, 1).ask())
        strategy.tell(strategy._asked, sphere(strategy._asked))
        other.tell(other._asked, sphere(other._asked))


def test_fewer_than_four_members_are_refused():
    with pytest.raises(SettingsError, match="population_size"):
        make_strategy("differential_evolution", n_genes=5, seed=1, population_size=3)
