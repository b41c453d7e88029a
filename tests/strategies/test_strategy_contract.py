"""What every strategy of the registry keeps to."""

from __future__ import annotations

import dataclasses
import random
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neuroevo.evaluation import FINDINGS
from neuroevo.settings import SettingsError
from neuroevo.stopping import Progress
from neuroevo.strategies import STRATEGIES, make_strategy
from tests.strategies.truths import FOUND, shifted_sphere, sphere, tell

KINDS = STRATEGIES.names()
BLIND = ("random_search", "random_weight_guessing")
IN_TURN = ("memetic", "evolve_then_descend")
"""Hold strategies that take turns, and do not know the figures of one that waits."""
N_GENES = 7

every_kind = pytest.mark.parametrize("kind", KINDS)


def make(kind, **arguments):
    return make_strategy(kind, **{"n_genes": N_GENES, "seed": 5, "population_size": 12, **arguments})


def advance(strategy, n_generations, error=shifted_sphere):
    """Run so many generations; the populations asked."""
    asked = []
    for _ in range(n_generations):
        population = strategy.ask()
        asked.append(population.copy())
        tell(strategy, population, error)
    return asked


def same(first, second):
    return len(first) == len(second) and all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@every_kind
def test_populations_are_read_only_float64_rows_of_genes(kind):
    strategy = make(kind)
    for _ in range(4):
        population = strategy.ask()
        assert population.dtype == np.float64
        assert population.ndim == 2
        assert population.shape[1] == N_GENES
        assert len(population) >= 1
        assert population.flags.c_contiguous
        assert np.all(np.isfinite(population))
        with pytest.raises(ValueError, match="read-only"):
            population[0, 0] = 1.0
        tell(strategy, population, sphere)


@every_kind
def test_a_population_handed_out_never_changes_afterwards(kind):
    strategy = make(kind)
    handed = []
    for _ in range(12):
        population = strategy.ask()
        handed.append((population, population.copy()))
        tell(strategy, population, sphere)
    assert all(np.array_equal(now, then) for now, then in handed)


@every_kind
def test_the_first_population_has_the_size_asked_for(kind):
    assert make(kind, population_size=10).ask().shape == (10, N_GENES)


@every_kind
def test_a_default_population_size_exists(kind):
    strategy = make_strategy(kind, n_genes=N_GENES, seed=1)
    advance(strategy, 2)
    assert np.isfinite(strategy.incumbent[1])


@every_kind
def test_ask_and_tell_alternate(kind):
    strategy = make(kind)
    with pytest.raises(RuntimeError, match="ask"):
        strategy.tell(np.zeros((12, N_GENES)), np.zeros(12))
    population = strategy.ask()
    with pytest.raises(RuntimeError, match="tell"):
        strategy.ask()
    tell(strategy, population, sphere)
    with pytest.raises(RuntimeError, match="ask"):
        tell(strategy, population, sphere)


@every_kind
def test_exchange_and_state_are_legal_only_between_tell_and_ask(kind):
    strategy = make(kind)
    genome, error = np.zeros((1, N_GENES)), np.zeros(1)
    calls = [lambda: strategy.emigrants(1), lambda: strategy.inject(genome, error), strategy.state]
    for call in calls:
        with pytest.raises(RuntimeError, match="between"):
            call()
    with pytest.raises(RuntimeError, match="before the first"):
        _ = strategy.incumbent
    advance(strategy, 1)
    for call in calls:
        call()
    state = strategy.state()
    strategy.ask()
    for call in [*calls, lambda: strategy.restore(state)]:
        with pytest.raises(RuntimeError, match="between"):
            call()


@every_kind
@pytest.mark.parametrize(
    "error",
    [np.zeros(11), np.zeros((12, 1)), np.full(12, np.nan), np.full(12, -np.inf)],
    ids=["too_few", "two_axes", "nan", "minus_infinity"],
)
def test_tell_refuses_errors_that_are_none(kind, error):
    strategy = make(kind)
    population = strategy.ask()
    with pytest.raises(ValueError, match="error"):
        tell(strategy, population, error)
    tell(strategy, population, sphere)


@every_kind
def test_tell_refuses_another_population(kind):
    strategy = make(kind)
    population = strategy.ask()
    with pytest.raises(ValueError, match="population"):
        strategy.tell(population + 1.0, sphere(population))
    tell(strategy, population.copy(), sphere)


@every_kind
def test_the_same_seed_gives_the_same_run_and_another_seed_another(kind):
    assert same(advance(make(kind), 6), advance(make(kind), 6))
    assert not same(advance(make(kind), 2), advance(make(kind, seed=6), 2))


@every_kind
def test_islands_draw_differently(kind):
    assert not same(advance(make(kind), 2), advance(make(kind, island=1), 2))


@every_kind
@given(before=st.integers(1, 15), after=st.integers(1, 6), size=st.sampled_from([6, 8, 12]))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
def test_a_new_object_restored_continues_bit_for_bit(kind, before, after, size):
    strategy = make(kind, population_size=size)
    advance(strategy, before)
    state = strategy.state()
    other = make(kind, population_size=size)
    other.restore(state)
    assert other.generation == before
    assert other.incumbent[1] == strategy.incumbent[1]
    assert np.array_equal(other.incumbent[0], strategy.incumbent[0])
    assert same(other.emigrants(3), strategy.emigrants(3))
    assert same(advance(other, after), advance(strategy, after))


@every_kind
def test_a_used_object_restored_goes_back_bit_for_bit(kind):
    strategy = make(kind)
    advance(strategy, 4)
    state = strategy.state()
    first = advance(strategy, 5)
    strategy.restore(state)
    assert same(advance(strategy, 5), first)


@every_kind
def test_a_state_is_flat_plain_and_survives_an_archive(kind, tmp_path):
    strategy = make(kind)
    advance(strategy, 5)
    state = strategy.state()
    assert all(isinstance(value, np.ndarray | int | float | bool) for value in state.values())
    assert all(value.dtype != object for value in state.values() if isinstance(value, np.ndarray))
    np.savez(tmp_path / "state.npz", **state)
    with np.load(tmp_path / "state.npz", allow_pickle=False) as archive:
        read = dict(archive)
    other = make(kind)
    other.restore(read)
    assert same(advance(other, 3), advance(strategy, 3))


@every_kind
def test_a_state_is_a_copy(kind):
    strategy, undisturbed = make(kind), make(kind)
    advance(strategy, 3)
    advance(undisturbed, 3)
    state = strategy.state()
    for value in state.values():
        if isinstance(value, np.ndarray):
            value[...] = 0
    assert same(advance(strategy, 3), advance(undisturbed, 3))


@every_kind
def test_restore_refuses_a_foreign_state(kind):
    strategy = make(kind)
    advance(strategy, 1)
    state = strategy.state()
    with pytest.raises(ValueError, match="state"):
        make(kind).restore({**state, "phlogiston": 1.0})
    with pytest.raises(ValueError, match="genes"):
        make(kind, n_genes=N_GENES + 1).restore(state)


@every_kind
def test_figures_are_finite_numbers_under_the_same_names_in_every_generation(kind):
    strategy, undisturbed, names = make(kind), make(kind), set()
    for generation in range(12):
        advance(strategy, 1)
        figures = strategy.figures()
        names.add(tuple(figures))
        assert all(re.fullmatch("[a-z]+(_[a-z]+)*", name) for name in figures)
        assert all(type(value) is float for value in figures.values())
        if generation > 9 and kind not in IN_TURN:
            assert np.all(np.isfinite(list(figures.values())))
    assert len(names) == 1
    # They are to stand beside the columns of the history and the fields of the progress.
    assert not {field.name for field in dataclasses.fields(Progress)} & set(*names)
    assert same(advance(strategy, 3), advance(undisturbed, 15)[12:])


@every_kind
def test_figures_come_back_with_the_state(kind):
    strategy, other = make(kind), make(kind)
    with pytest.raises(RuntimeError, match="between"):
        strategy.figures()
    advance(strategy, 11)
    other.restore(strategy.state())
    assert other.figures() == strategy.figures()
    other.ask()
    with pytest.raises(RuntimeError, match="between"):
        other.figures()


@every_kind
def test_only_what_is_wanted_is_told(kind):
    strategy = make(kind)
    population = strategy.ask()
    wanted = {name: FOUND[name](sphere, population) for name in strategy.wants}
    other = next(name for name in FOUND if name not in wanted)
    with pytest.raises(ValueError, match=f"wants {', '.join(sorted(wanted)) or 'nothing'} beside"):
        strategy.tell(population, sphere(population), **wanted, **{other: FOUND[other](sphere, population)})
    if wanted:
        with pytest.raises(ValueError, match="got nothing"):
            strategy.tell(population, sphere(population))
    strategy.tell(population, sphere(population), **wanted)


@every_kind
def test_what_is_wanted_is_among_what_is_needed(kind):
    strategy = make(kind)
    for _ in range(30):
        assert strategy.wants <= strategy.needs <= set(FINDINGS)
        assert strategy.learning is None or strategy.learning.method in strategy.methods
        tell(strategy, strategy.ask(), shifted_sphere)


@every_kind
def test_the_incumbent_never_worsens_and_is_what_was_evaluated(kind):
    strategy = make(kind)
    best = np.inf
    for _ in range(25):
        population = strategy.ask()
        error = sphere(population)
        tell(strategy, population, error)
        best = min(best, error.min())
        genome, incumbent_error = strategy.incumbent
        assert incumbent_error == best
        assert sphere(genome[np.newaxis])[0] == best
        assert not genome.flags.writeable


@every_kind
def test_inputs_are_not_changed(kind):
    initial = np.linspace(-0.5, 0.5, 12 * N_GENES).reshape(12, N_GENES)
    low, high = np.full(N_GENES, -4.0), np.full(N_GENES, 4.0)
    strategy = make(kind, initial=initial, bounds=(low, high))
    genomes, errors = np.full((2, N_GENES), 0.25), np.array([0.4, 0.2])
    copies = [array.copy() for array in (initial, low, high, genomes, errors)]
    population = strategy.ask()
    error = sphere(population)
    kept = error.copy()
    tell(strategy, population, error)
    strategy.inject(genomes, errors)
    advance(strategy, 3)
    assert np.array_equal(error, kept)
    assert same(copies, [initial, low, high, genomes, errors])


@every_kind
def test_global_generators_are_neither_read_nor_disturbed(kind):
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    python_state, numpy_state = random.getstate(), np.random.get_state(legacy=False)  # noqa: NPY002
    first = advance(make(kind), 6)
    assert random.getstate() == python_state
    after = np.random.get_state(legacy=False)  # noqa: NPY002
    assert np.array_equal(after["state"]["key"], numpy_state["state"]["key"])
    assert after["state"]["pos"] == numpy_state["state"]["pos"]
    random.seed(2)
    np.random.seed(2)  # noqa: NPY002
    assert same(advance(make(kind), 6), first)


@every_kind
def test_generations_of_failed_evaluations_are_survived(kind):
    strategy = make(kind)
    advance(strategy, 3, error=lambda population: np.full(len(population), np.inf))
    assert strategy.incumbent[1] == np.inf
    strategy.restore(strategy.state())
    populations = advance(strategy, 3)
    assert all(np.all(np.isfinite(population)) for population in populations)
    assert np.isfinite(strategy.incumbent[1])
    before = strategy.incumbent
    advance(strategy, 2, error=lambda population: np.full(len(population), np.inf))
    assert strategy.incumbent[1] == before[1]
    assert np.array_equal(strategy.incumbent[0], before[0])


@every_kind
@given(
    errors=st.lists(
        st.floats(0.0, 1e300) | st.sampled_from([0.0, 1.0, np.inf, 5e-324]),
        min_size=36,
        max_size=36,
    )
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
def test_any_errors_from_zero_to_infinity_are_survived(kind, errors):
    strategy = make(kind, population_size=6)
    for generation in range(4):
        population = strategy.ask()
        assert np.all(np.isfinite(population))
        tell(strategy, population, np.resize(np.roll(errors, generation * 7), len(population)))
    assert np.all(np.isfinite(strategy.ask()))


@pytest.mark.parametrize("start", [0, 5])
@pytest.mark.parametrize("plateau", [1e-3, np.inf], ids=["equal", "failed"])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        *((kind, {}) for kind in KINDS if kind != "cma_es"),
        *(("differential_evolution", {"variant": variant}) for variant in ("rand_1_bin", "jade", "l_shade")),
        *(("cma_es", {"restarts": "none", "covariance": form}) for form in ("full", "separable", "limited")),
        *(("genetic_algorithm", {"mutation_adaptation": form}) for form in ("self_adapted", "decaying")),
    ],
)
def test_no_width_grows_while_errors_tell_nothing(kind, options, plateau, start):
    strategy = make(kind, population_size=16, **options)
    populations = [*advance(strategy, start), *advance(strategy, 120, lambda x: np.full(len(x), plateau))]
    # What takes equals may walk: by a root of 120 steps, not by a power of them.
    assert np.abs(populations[-1]).mean() < 20 * np.abs(populations[0]).mean()


@every_kind
@pytest.mark.parametrize("values", [(1e308, -1e308), (1e308, 1.2e308, 1.7e308), (-1e308, 1e308, np.inf)])
def test_errors_as_large_as_numbers_get_are_survived_without_a_warning(kind, values):
    strategy, rng = make(kind), np.random.default_rng(1)
    for _ in range(60):
        population = strategy.ask()
        assert np.all(np.isfinite(population))
        tell(strategy, population, rng.choice(values, len(population)))


@every_kind
def test_half_of_the_evaluations_may_fail(kind):
    def half_failed(population):
        return np.where(np.arange(len(population)) % 2, sphere(population), np.inf)

    strategy = make(kind)
    assert all(np.all(np.isfinite(population)) for population in advance(strategy, 8, error=half_failed))


@every_kind
@pytest.mark.parametrize("size", [1, 2, 3, 5, 17])
def test_small_and_odd_populations_work_or_are_refused_clearly(kind, size):
    try:
        strategy = make(kind, population_size=size)
    except SettingsError as error:
        assert "population" in str(error)  # noqa: PT017
        return
    populations = advance(strategy, 5)
    assert len(populations[0]) == size
    strategy.restore(strategy.state())
    advance(strategy, 2)


@every_kind
def test_one_gene_is_enough(kind):
    advance(make(kind, n_genes=1), 5)


@every_kind
@pytest.mark.parametrize(
    "bounds", [(-0.5, 0.25), (0.5, 2.0), (np.linspace(-1, 0, N_GENES), np.linspace(0.5, 3, N_GENES))]
)
def test_bounds_are_kept(kind, bounds):
    strategy = make(kind, bounds=bounds)
    for population in advance(strategy, 15, error=lambda population: -np.sum(population, axis=1) + 100.0):
        assert np.all(population >= bounds[0])
        assert np.all(population <= bounds[1])


@every_kind
@pytest.mark.parametrize("bounds", [(1, 0), (0, np.nan), (np.zeros(3), 1), 4])
def test_impossible_bounds_are_refused(kind, bounds):
    with pytest.raises(ValueError, match="bounds"):
        make(kind, bounds=bounds)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in BLIND])
def test_beats_random_search_on_the_sphere(kind):
    def reached(name, seed):
        strategy = make_strategy(name, n_genes=10, seed=seed, population_size=20)
        n_evaluations = 0
        while n_evaluations < 4000:
            population = strategy.ask()
            tell(strategy, population, shifted_sphere)
            n_evaluations += len(population)
        return strategy.incumbent[1]

    own = np.median([reached(kind, seed) for seed in range(5)])
    assert own < 0.5 * np.median([reached("random_search", seed) for seed in range(5)])


@every_kind
def test_a_given_population_is_where_the_search_starts(kind):
    initial = np.full((12, N_GENES), 3.0) + np.linspace(-0.01, 0.01, 12)[:, np.newaxis]
    population = make(kind, initial=initial).ask()
    assert np.all(np.isfinite(population))
    assert abs(np.median(population) - 3.0) < 1.0


@every_kind
def test_a_single_given_genome_is_searched_around(kind):
    population = make(kind, initial=np.full(N_GENES, 3.0)).ask()
    assert len(np.unique(population, axis=0)) > 1
    assert abs(np.median(population) - 3.0) < 1.0


@every_kind
@pytest.mark.parametrize("initial", [np.zeros((2, N_GENES + 1)), np.full(N_GENES, np.nan)])
def test_an_impossible_start_is_refused(kind, initial):
    with pytest.raises(ValueError, match="initial"):
        make(kind, initial=initial)


@every_kind
def test_emigrants_are_the_best_members_and_belong_to_the_caller(kind):
    strategy, undisturbed = make(kind), make(kind)
    advance(strategy, 6)
    advance(undisturbed, 6)
    genomes, errors = strategy.emigrants(4)
    assert genomes.shape == (len(errors), N_GENES)
    assert 1 <= len(errors) <= 4
    assert np.all(np.diff(errors) >= 0)
    assert np.allclose(shifted_sphere(genomes), errors)
    genomes[...] = np.nan
    errors[...] = np.nan
    assert same(advance(strategy, 2), advance(undisturbed, 2))


@every_kind
def test_an_immigrant_can_become_the_incumbent(kind):
    strategy = make(kind)
    advance(strategy, 3)
    genome = np.full((1, N_GENES), 0.3)
    strategy.inject(genome, shifted_sphere(genome))
    assert strategy.incumbent[1] == 0.0
    assert np.array_equal(strategy.incumbent[0], genome[0])
    state = strategy.state()
    other = make(kind)
    other.restore(state)
    assert same(advance(other, 4), advance(strategy, 4))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in BLIND])
def test_immigrants_change_the_search(kind):
    strategy, alone = make(kind), make(kind)
    advance(strategy, 3)
    advance(alone, 3)
    genomes = np.full((2, N_GENES), 0.3)
    strategy.inject(genomes, shifted_sphere(genomes))
    assert not same(advance(strategy, 6), advance(alone, 6))


@every_kind
@pytest.mark.parametrize("n", [3, 40])
def test_the_best_member_outlives_immigrants_that_are_worse(kind, n):
    strategy = make(kind)
    advance(strategy, 4)
    best = strategy.emigrants(1)[1][0]
    genomes = np.random.default_rng(4).uniform(800.0, 900.0, (n, N_GENES))
    strategy.inject(genomes, shifted_sphere(genomes))
    assert strategy.emigrants(1)[1][0] == best


@every_kind
def test_more_immigrants_than_members_and_failed_ones_are_taken(kind):
    strategy = make(kind)
    advance(strategy, 2)
    rng = np.random.default_rng(3)
    genomes = rng.standard_normal((40, N_GENES))
    errors = shifted_sphere(genomes)
    errors[::2] = np.inf
    strategy.inject(genomes, errors)
    strategy.inject(np.empty((0, N_GENES)), np.empty(0))
    assert all(np.all(np.isfinite(population)) for population in advance(strategy, 4))


@every_kind
@pytest.mark.parametrize(
    ("genomes", "errors"),
    [
        (np.zeros((2, N_GENES + 1)), np.zeros(2)),
        (np.zeros((2, N_GENES)), np.zeros(3)),
        (np.full((1, N_GENES), np.nan), np.zeros(1)),
        (np.zeros((1, N_GENES)), np.array([np.nan])),
        (np.full((1, N_GENES), 9.0), np.zeros(1)),
    ],
    ids=["genes", "lengths", "nan_gene", "nan_error", "out_of_bounds"],
)
def test_impossible_immigrants_are_refused(kind, genomes, errors):
    strategy = make(kind, bounds=(-3.0, 3.0))
    advance(strategy, 1)
    with pytest.raises(ValueError, match=r"genomes|error"):
        strategy.inject(genomes, errors)


@every_kind
def test_settings_are_refused_all_at_once(kind):
    with pytest.raises(SettingsError) as caught:
        make_strategy(kind, n_genes=3, seed=1, population_size=-4, phlogiston=1)
    assert len(caught.value.mistakes) == 2


@every_kind
def test_one_line_says_what_it_is(kind):
    assert 10 < len(STRATEGIES.summary(kind)) < 110


@pytest.mark.parametrize(("name", "value"), [("seed", -1), ("n_genes", 0), ("seed", 1.5), ("island", -1)])
def test_impossible_arguments_are_refused(name, value):
    with pytest.raises(ValueError, match=name):
        make_strategy("random_search", **{"n_genes": 3, "seed": 1, name: value})


def test_settings_of_another_strategy_are_refused():
    strategy = STRATEGIES["genetic_algorithm"]
    with pytest.raises(TypeError, match="make_strategy"):
        strategy(STRATEGIES["random_search"].Settings(), n_genes=3, seed=1)
