"""CMA-ES: the update against pycma's, its constants against the tutorial's, restarts, and the smaller covariances."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neuroevo.machine import one_blas_thread
from neuroevo.settings import SettingsError
from neuroevo.strategies import make_strategy
from neuroevo.strategies.cma_covariance import FullCovariance, LimitedMemoryCovariance, SeparableCovariance
from neuroevo.strategies.cma_parameters import cma_parameters, default_population
from neuroevo.strategies.cma_restarts import RestartPlan, RunMonitor

REFERENCE = Path(__file__).parents[1] / "reference" / "pycma_updates.npz"


def ellipsoid(population, condition=1e6):
    n = population.shape[1]
    return np.square(population) @ condition ** (np.arange(n) / (n - 1))


def sphere(population):
    return np.square(population).sum(axis=1)


def rosenbrock(population):
    x, y = population[:, :-1], population[:, 1:]
    return (100 * np.square(y - np.square(x)) + np.square(1 - x)).sum(axis=1)


def rastrigin(population):
    return (np.square(population) - 10 * np.cos(2 * np.pi * population) + 10).sum(axis=1)


def evaluations_to(strategy, error, target, budget):
    """Evaluations until the incumbent is below the target; infinite where the budget ends first."""
    n = 0
    while n < budget:
        population = strategy.ask()
        strategy.tell(population, error(population))
        n += len(population)
        if strategy.incumbent[1] <= target:
            return n
    return np.inf


@pytest.mark.parametrize("case", ["plain", "odd", "large"])
def test_an_update_equals_pycmas_on_the_same_samples(case):
    # Written by tests/reference/make_pycma_updates.py with cma 4.5.0.
    with np.load(REFERENCE) as archive:
        of = {name.removeprefix(f"{case}_"): archive[name] for name in archive.files if name.startswith(case)}
    n_generations, population_size, n = of["samples"].shape
    strategy = make_strategy(
        "cma_es", n_genes=n, seed=0, population_size=population_size, step_size=float(of["step_size"]), restarts="none"
    )
    strategy._mean = of["start"]
    strategy._distribution._gap = 1
    for g in range(n_generations):
        population = strategy.ask()
        samples = of["samples"][g]
        strategy._y = (samples - strategy._mean) / strategy._sigma
        strategy._z = strategy._distribution.normals(strategy._y)
        strategy.tell(population, ellipsoid(samples, condition=100.0))
        np.testing.assert_allclose(strategy._mean, of["mean"][g], atol=1e-12)
        np.testing.assert_allclose(strategy._sigma, of["sigma"][g], rtol=1e-12)
        np.testing.assert_allclose(strategy._distribution.covariance, of["covariance"][g], atol=1e-12)
        np.testing.assert_allclose(strategy._distribution.p_c, of["p_c"][g], atol=1e-12)
        np.testing.assert_allclose(strategy._p_sigma, of["p_sigma"][g], atol=1e-12)


@pytest.mark.parametrize(("n", "population_size"), [(2, 6), (10, 10), (40, 15), (305, 21), (305, 256), (12, 7)])
def test_constants_follow_the_tutorial(n, population_size):
    # Written out anew from Hansen 2016, table 1.
    p = cma_parameters(n, population_size)
    raw = [np.log((population_size + 1) / 2) - np.log(i) for i in range(1, population_size + 1)]
    mu = population_size // 2
    mu_eff = sum(raw[:mu]) ** 2 / sum(w**2 for w in raw[:mu])
    assert p.mu_eff == pytest.approx(mu_eff)
    assert p.weights[:mu] == pytest.approx(np.array(raw[:mu]) / sum(raw[:mu]))
    assert p.c_1 == pytest.approx(2 / ((n + 1.3) ** 2 + mu_eff))
    assert p.c_mu == pytest.approx(min(1 - p.c_1, 2 * (mu_eff - 1.75 + 1 / mu_eff) / ((n + 2) ** 2 + mu_eff)))
    assert p.c_c == pytest.approx((4 + mu_eff / n) / (n + 4 + 2 * mu_eff / n))
    assert p.weights.sum() == pytest.approx(-p.c_1 / p.c_mu) or p.weights.sum() > -p.c_1 / p.c_mu
    assert n * p.c_mu * -p.weights[mu:].sum() <= 1 - p.c_1 - p.c_mu + 1e-12


def test_the_default_population_is_the_tutorials():
    assert [default_population(n) for n in (2, 10, 40, 305)] == [6, 10, 15, 21]
    assert make_strategy("cma_es", n_genes=40, seed=1).ask().shape == (15, 40)


# Medians of pycma 4.5.0 over 25 seeds from the same starts: results/benchmarks/cma_vs_pycma.json.
@pytest.mark.parametrize(
    ("error", "start", "sigma", "pycma"),
    [(sphere, 5.0, 2.0, 1461), (ellipsoid, 5.0, 2.0, 4031), (rosenbrock, 0, 0.5, 4991)],
)
def test_needs_as_many_evaluations_as_pycma(error, start, sigma, pycma):
    counts = []
    for seed in range(5):
        rng = np.random.default_rng(10_000 + seed)
        mean = rng.uniform(-start, start, 10) if start else 0.1 * rng.standard_normal(10)
        strategy = make_strategy("cma_es", n_genes=10, seed=seed, initial=mean, step_size=sigma)
        counts.append(evaluations_to(strategy, error, 1e-8, 20_000))
    assert np.median(counts) == pytest.approx(pycma, rel=0.15)


@pytest.mark.peers
@pytest.mark.slow
def test_solves_rosenbrock_with_pycma_live():
    cma = pytest.importorskip("cma")
    own, theirs = [], []
    for seed in range(9):
        strategy = make_strategy("cma_es", n_genes=10, seed=seed, step_size=0.5)
        own.append(evaluations_to(strategy, rosenbrock, 1e-8, 20_000))
        es = cma.CMAEvolutionStrategy(np.zeros(10), 0.5, {"seed": seed + 1, "verbose": -9, "ftarget": 1e-8})
        while not es.stop():
            samples = es.ask()
            es.tell(samples, rosenbrock(np.asarray(samples)).tolist())
        theirs.append(es.countevals)
    assert np.median(own) == pytest.approx(np.median(theirs), rel=0.15)


def test_bits_do_not_depend_on_the_number_of_blas_threads():
    threadpoolctl = pytest.importorskip("threadpoolctl")
    results = []
    for n_threads in (1, 2):
        with threadpoolctl.threadpool_limits(n_threads, user_api="blas"):
            strategy = make_strategy("cma_es", n_genes=150, seed=4, population_size=128)
            for _ in range(6):
                population = strategy.ask()
                strategy.tell(population, rosenbrock(population))
            results.append(strategy.ask())
    assert np.array_equal(*results)


@pytest.mark.parametrize("covariance", ["full", "separable", "limited"])
@pytest.mark.parametrize("restarts", ["ipop", "bipop"])
def test_a_state_restored_continues_bit_for_bit_across_restarts(covariance, restarts):
    def make():
        return make_strategy(
            "cma_es", n_genes=3, seed=11, population_size=4, covariance=covariance, restarts=restarts, step_size=2.0
        )

    strategy, sizes = make(), []
    while strategy._restart < 2:
        population = strategy.ask()
        strategy.tell(population, rastrigin(population))
        sizes.append(len(population))
    assert len(set(sizes)) > 1
    other = make()
    other.restore(strategy.state())
    for _ in range(400):
        population, again = strategy.ask(), other.ask()
        assert np.array_equal(population, again)
        strategy.tell(population, rastrigin(population))
        other.tell(again, rastrigin(again))
    assert strategy._restart > 2


def test_ipop_doubles_the_population_at_every_restart():
    strategy, sizes = make_strategy("cma_es", n_genes=4, seed=3, step_size=2.0), []
    while strategy._restart < 3:
        population = strategy.ask()
        strategy.tell(population, rastrigin(population))
        if not sizes or sizes[-1] != len(population):
            sizes.append(len(population))
    assert sizes[:3] == [8, 16, 32]
    assert len(strategy.ask()) == 64


@pytest.mark.parametrize("restarts", ["ipop", "bipop"])
@pytest.mark.parametrize("n_levels", [1, 8])
def test_plateaus_never_grow_the_population(restarts, n_levels):
    def in_steps(population):
        return np.floor(n_levels * np.minimum(sphere(population - 1) / 30, 0.99)) + 1

    strategy, sizes = make_strategy("cma_es", n_genes=20, seed=1, restarts=restarts, step_size=0.05), set()
    for _ in range(150):
        population = strategy.ask()
        strategy.tell(population, in_steps(population))
        sizes.add(len(population))
    assert strategy._restart > 2
    assert sizes == {12}
    assert len([line for line in strategy.take_messages() if "plateau" in line]) >= 1
    assert strategy.take_messages() == ()


def test_a_plateau_wider_than_the_first_step_is_left():
    def crater(population):
        return np.minimum(sphere(population - 12) / 36, 1.0)

    strategy = make_strategy("cma_es", n_genes=2, seed=1)
    assert evaluations_to(strategy, crater, 1e-8, 30_000) < 30_000


def test_the_end_of_a_valley_is_no_plateau():
    strategy = make_strategy("cma_es", n_genes=4, seed=1)
    while strategy._restart < 2:
        population = strategy.ask()
        strategy.tell(population, sphere(population) + 0.1)  # exactly 0.1 in the end
    assert len(strategy.ask()) == 32


@pytest.mark.parametrize(("restarts", "max_doublings"), [("ipop", 0), ("ipop", 2), ("bipop", 0), ("bipop", 2)])
def test_growth_ends_at_its_limit_and_says_so(restarts, max_doublings):
    strategy, largest = (
        make_strategy("cma_es", n_genes=3, seed=1, restarts=restarts, max_doublings=max_doublings, step_size=2.0),
        0,
    )
    while strategy._restart < 12:
        population = strategy.ask()
        strategy.tell(population, rastrigin(population))
        largest = max(largest, len(population))
    assert largest == 7 * 2**max_doublings
    lines = [line for line in strategy.take_messages() if "population" in line]
    assert len(lines) == max_doublings
    assert all("max_doublings" in line for line in lines[-1:])


def test_bipop_gives_both_regimes_as_many_evaluations():
    # Hansen 2009, section 2: small runs start while they have used less than the large ones, and end at half of it.
    plan, rng = RestartPlan(10), np.random.default_rng(1)
    sizes, widths, runs = [], [], []
    for _ in range(60):
        length = plan.limit or 40 * (10 * 2**plan.n_grown)
        used = 0
        while used < length:
            used += 10
            plan.count(10)
        runs.append((plan.is_small, used))
        size, width = plan.next_bipop(rng)
        sizes.append(size)
        widths.append((plan.is_small, size, width))
        if plan.n_grown >= 6:
            break
    large = [size for small, size, _ in widths if not small]
    assert large == [10 * 2**k for k in range(1, len(large) + 1)]
    small = [(size, width) for is_small, size, width in widths if is_small]
    assert small
    assert all(10 <= size <= 10 * 2**plan.n_grown / 2 and 0.01 <= width <= 1 for size, width in small)
    assert sum(used for is_small, used in runs if is_small) >= 0.3 * sum(
        used for is_small, used in runs if not is_small
    )


def test_without_restarts_a_finished_run_goes_on():
    strategy = make_strategy("cma_es", n_genes=2, seed=1, restarts="none")
    for _ in range(300):
        population = strategy.ask()
        strategy.tell(population, sphere(population))
    assert strategy._restart == 0
    assert strategy.incumbent[1] < 1e-20


def test_a_run_of_failed_generations_ends_in_a_restart_and_recovers():
    strategy = make_strategy("cma_es", n_genes=3, seed=1)
    for _ in range(20):
        population = strategy.ask()
        strategy.tell(population, np.full(len(population), np.inf))
    assert strategy._restart >= 1
    assert evaluations_to(strategy, sphere, 1e-8, 5000) < 5000


def test_failed_samples_never_pull_the_mean():
    strategy = make_strategy("cma_es", n_genes=5, seed=2, population_size=10)
    population = strategy.ask()
    error = np.full(10, np.inf)
    error[7] = 1.0
    strategy.tell(population, error)
    assert np.allclose(strategy._mean, population[7])


def test_a_third_of_failures_costs_little():
    def third_failed(population):
        return np.where(np.arange(len(population)) % 3 == 0, np.inf, sphere(population))

    counts = {
        name: np.median(
            [evaluations_to(make_strategy("cma_es", n_genes=6, seed=seed), error, 1e-8, 20_000) for seed in range(5)]
        )
        for name, error in (("clean", sphere), ("failing", third_failed))
    }
    assert counts["failing"] < 2.5 * counts["clean"]


@pytest.mark.parametrize("covariance", ["full", "separable", "limited"])
def test_an_optimum_on_the_bound_is_found(covariance):
    strategy = make_strategy("cma_es", n_genes=5, seed=1, bounds=(0.5, 2.0), covariance=covariance)
    assert evaluations_to(strategy, lambda x: sphere(x) - 1.25, 1e-4, 20_000) < 20_000


def test_the_start_fits_into_a_narrow_box():
    population = make_strategy("cma_es", n_genes=50, seed=1, population_size=200, bounds=(0.1, 0.2)).ask()
    assert population.min() >= 0.1
    assert population.max() <= 0.2
    assert abs(population.mean() - 0.15) < 0.005
    assert np.mean((population == 0.1) | (population == 0.2)) < 0.01


def test_immigrants_are_asked_and_their_steps_shortened():
    strategy = make_strategy("cma_es", n_genes=20, seed=1, population_size=12)
    population = strategy.ask()
    strategy.tell(population, sphere(population))
    far = np.full((1, 20), 1e6)
    strategy.inject(far, sphere(far))
    population = strategy.ask()
    assert np.array_equal(population[0], far[0])
    # Hansen 2011, eq. 4: no step longer than sqrt(n) + 2 n / (n + 2).
    assert np.linalg.norm(strategy._z[0]) == pytest.approx(np.sqrt(20) + 40 / 22)
    sigma = strategy._sigma
    strategy.tell(population, sphere(population))
    assert strategy._sigma < 1.5 * sigma


def test_a_good_immigrant_draws_the_mean():
    strategy = make_strategy("cma_es", n_genes=20, seed=1)
    population = strategy.ask()
    strategy.tell(population, sphere(population - 1))
    before = sphere(strategy._mean[np.newaxis] - 1)[0]
    strategy.inject(np.ones((1, 20)), np.zeros(1))
    population = strategy.ask()
    strategy.tell(population, sphere(population - 1))
    assert sphere(strategy._mean[np.newaxis] - 1)[0] < before


def test_normals_are_the_inverse_of_steps_after_learning():
    rng = np.random.default_rng(0)
    for covariance in ("full", "separable", "limited"):
        strategy = make_strategy("cma_es", n_genes=12, seed=1, covariance=covariance)
        for _ in range(30):
            population = strategy.ask()
            strategy.tell(population, ellipsoid(population))
        z = rng.standard_normal((7, 12))
        learnt = strategy._distribution
        np.testing.assert_allclose(learnt.normals(learnt.steps(z)), z, atol=1e-9)


def test_full_steps_have_the_covariance():
    strategy = make_strategy("cma_es", n_genes=6, seed=1, population_size=10)
    for _ in range(40):
        population = strategy.ask()
        strategy.tell(population, ellipsoid(population, condition=100.0))
    covariance = strategy._distribution
    covariance._decompose()
    root = covariance.steps(np.eye(6))
    np.testing.assert_allclose(root.T @ root, covariance.covariance, atol=1e-12)


def test_a_covariance_that_rounding_has_spoilt_is_mended():
    covariance = FullCovariance(np.ones(3), 6, active=True)
    covariance.covariance = np.diag([1.0, -1e-18, 2.0])
    with one_blas_thread():
        covariance._decompose()
    assert np.all(np.diag(covariance.covariance) >= 0)
    assert np.all(np.isfinite(covariance.normals(covariance.steps(np.ones((1, 3))))))


def test_the_separable_form_beats_the_full_one_on_a_separable_function():
    counts = {
        covariance: np.median(
            [
                evaluations_to(
                    make_strategy("cma_es", n_genes=12, seed=seed, covariance=covariance), ellipsoid, 1e-8, 40_000
                )
                for seed in range(3)
            ]
        )
        for covariance in ("full", "separable")
    }
    # Ros and Hansen 2008, figure 3: about half the evaluations in 10 dimensions.
    assert counts["separable"] < 0.7 * counts["full"]


def test_the_limited_form_handles_many_genes():
    strategy = make_strategy("cma_es", n_genes=2000, seed=1, covariance="limited", step_size=0.1)
    for _ in range(150):
        population = strategy.ask()
        strategy.tell(population, sphere(population - 1))
    # The start has an error of n.
    assert strategy.incumbent[1] < 0.7 * 2000
    # A covariance matrix would hold 4e6 numbers.
    assert sum(np.size(value) for value in strategy.state().values()) < 60 * 2000


def test_the_limited_form_follows_rosenbrocks_valley():
    # Loshchilov et al. 2017 report success on Rosenbrock, where the separable form takes ten times as long.
    strategy = make_strategy("cma_es", n_genes=10, seed=2, covariance="limited")
    assert evaluations_to(strategy, rosenbrock, 1e-8, 30_000) < 30_000


def test_the_limited_form_transforms_by_one_direction_after_the_other():
    # Loshchilov et al. 2017, algorithm 1, line 8, as it is written there.
    rng = np.random.default_rng(5)
    covariance = LimitedMemoryCovariance(np.linspace(0.5, 2.0, 40), 15)
    z = rng.standard_normal((15, 40))
    for n_learnt in (0, 1, 7, 100):
        covariance.directions, covariance.n_learnt = rng.standard_normal(covariance.directions.shape), n_learnt
        expected = z.copy()
        for t in range(min(n_learnt, len(covariance.directions))):
            m, c_d = covariance.directions[t], 1 / (1.5**t * 40)
            for row in expected:
                row[:] = (1 - c_d) * row + c_d * m * (m @ row)
        steps = covariance.steps(z)
        assert np.abs(steps - expected * covariance._scale).max() <= 4e-15 * np.abs(steps).max()


def test_a_full_covariance_of_too_many_genes_is_refused_with_the_remedy():
    with pytest.raises(ValueError, match="covariance = 'limited' or 'separable'"):
        make_strategy("cma_es", n_genes=100_000, seed=1)


@pytest.mark.parametrize(
    "settings", [{"population_size": 1}, {"step_size": 0.0}, {"covariance": "round"}, {"restarts": "often"}]
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(SettingsError):
        make_strategy("cma_es", n_genes=5, seed=1, **settings)


def test_stagnation_is_seen_only_after_a_long_wait():
    rng = np.random.default_rng(0)
    monitor = RunMonitor(10, 10)
    wide = {
        "mean": np.zeros(10),
        "sigma": 1.0,
        "deviations": np.ones(10),
        "start_width": np.ones(10),
        "p_c": np.zeros(10),
        "condition": 1.0,
    }
    ages = []
    for age in range(1, 1000):
        monitor.note(np.sort(rng.uniform(1, 2, 10)))
        if monitor.is_over(**wide):
            ages.append(age)
            break
    assert ages
    assert ages[0] >= 150


@pytest.mark.parametrize(
    "change", [{"sigma": np.inf}, {"condition": 1e15}, {"deviations": np.full(10, 2e3)}, {"mean": np.full(10, 1e18)}]
)
def test_runs_that_cannot_go_on_are_over(change):
    usual = {
        "mean": np.zeros(10),
        "sigma": 1.0,
        "deviations": np.ones(10),
        "start_width": np.ones(10),
        "p_c": np.zeros(10),
        "condition": 1.0,
    }
    monitor = RunMonitor(10, 10)
    monitor.note(np.arange(10.0))
    assert not monitor.is_over(**usual)
    assert monitor.is_over(**{**usual, **change})


def test_separable_and_limited_learn_from_what_they_are_told():
    # Ros and Hansen 2008: learning rates (n + 2) / 3 times those of the full matrix, no negative weights.
    full, separable = cma_parameters(10, 10, active=False), SeparableCovariance(np.ones(10), 10).parameters
    assert separable.c_1 == pytest.approx(4 * full.c_1)
    assert separable.c_mu == pytest.approx(4 * full.c_mu)
    assert separable.weights.min() == 0
    # Loshchilov et al. 2017, algorithm 1: 4 + floor(3 ln n) directions, c_sigma = 2 lambda / n.
    limited = LimitedMemoryCovariance(np.ones(1000), 24)
    assert limited.directions.shape == (24, 1000)
    assert limited.c_sigma == pytest.approx(48 / 1000)
