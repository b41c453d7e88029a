"""Descents by gradients: rates, clipping, failures, restarts, bounds, and moves made while sequences run."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from neuroevo.errors import BadInput
from neuroevo.evaluation import Learning, Online
from neuroevo.settings import SettingsError
from neuroevo.strategies import STRATEGIES, make_strategy
from tests.strategies.descent.valley import descended
from tests.strategies.truths import shifted_sphere, tell

METHODS = ("bptt", "rtrl", "hybrid", "crbp", "lstm_truncated", "signal_flow", "pearlmutter")
LIMITS = {"crbp": {"delay": 8}}
ONES = np.ones(3)


def make(kind="bptt", **arguments):
    usual = {} if "online" in arguments or "optimiser" in arguments else {"optimiser": "adam"}
    given = {"n_genes": 3, "seed": 2, "population_size": 4, "clip": 0.0, **usual}
    return make_strategy(kind, **{**given, **arguments})


def steps(strategy, gradient, n=1, error=0.5):
    """How a strategy moves, told the same gradient again and again."""
    moves, before = [], strategy.ask()
    for _ in range(n):
        strategy.tell(before, np.full(len(before), error), gradient=np.broadcast_to(gradient, before.shape))
        after = strategy.ask()
        moves.append(after - before)
        before = after
    return np.array(moves)


@pytest.mark.parametrize("kind", METHODS)
def test_each_method_says_how_gradients_are_found(kind):
    strategy = make(kind)
    assert strategy.learning == Learning(kind, **LIMITS.get(kind, {}))
    assert (strategy.wants, strategy.needs) == (frozenset({"gradient"}),) * 2
    assert strategy.methods == {kind}
    online = make(kind, online=True, rate=0.05, momentum=0.5, interval=3, clip=2.0)
    assert online.wants == {"refined"}
    assert online.learning == Learning(kind, **LIMITS.get(kind, {}), online=Online(0.05, 0.5, 3, 2.0))


def test_methods_have_limits_of_their_own():
    assert make("bptt", truncation=7).learning == Learning("bptt", truncation=7)
    assert make("hybrid", block=5).learning == Learning("hybrid", block=5)
    assert make("crbp", delay=2).learning == Learning("crbp", delay=2)
    with pytest.raises(SettingsError, match="unknown key"):
        make("rtrl", truncation=3)


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        ({}, [1.0] * 6),
        ({"warm_up": 4}, [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]),
        ({"schedule": "cosine", "horizon": 4, "final_rate": 0.2}, [1.0, 0.8828427, 0.6, 0.3171573, 0.2, 0.2]),
        ({"schedule": "geometric", "horizon": 4, "final_rate": 0.0625}, [1.0, 0.5, 0.25, 0.125, 0.0625, 0.0625]),
        ({"schedule": "step", "step_every": 2, "step_factor": 0.1}, [1.0, 1.0, 0.1, 0.1, 0.01, 0.01]),
        ({"schedule": "step", "step_every": 3, "warm_up": 2}, [0.5, 1.0, 1.0, 0.5, 0.5, 0.5]),
    ],
)
def test_rates_follow_their_schedule(schedule, factors):
    moves = steps(make(optimiser="sgd", momentum=0.0, rate=0.3, **schedule), ONES, 6)
    np.testing.assert_allclose(moves[:, 0, 0], -0.3 * np.array(factors), rtol=1e-6)
    online = make(online=True, rate=0.3, **schedule)
    for factor in factors:
        assert online.learning.online.rate == pytest.approx(0.3 * factor, rel=1e-6)
        tell(online, online.ask(), shifted_sphere)


@given(st.lists(st.floats(-1e200, 1e200), min_size=3, max_size=3), st.floats(0.01, 100.0))
@example([0.0, 0.0, 2.2e-313], 8.0)
@settings(deadline=None, max_examples=40)
def test_long_gradients_are_clipped_and_keep_their_direction(gradient, clip):
    gradient = np.array(gradient)
    move = -steps(make(optimiser="sgd", momentum=0.0, rate=0.5, clip=clip), gradient)[0, 0] / 0.5
    length = np.abs(gradient).max() and np.abs(gradient).max() * np.linalg.norm(gradient / np.abs(gradient).max())
    if length:
        np.testing.assert_allclose(move, gradient * clip / max(length, clip), rtol=1e-6, atol=1e-14)


@pytest.mark.parametrize("failure", ["failed", "beyond numbers"])
def test_what_fails_goes_half_way_back_with_an_empty_memory(failure):
    strategy, undisturbed = make(optimiser="sgd", rate=0.25), make(optimiser="sgd", rate=0.25)
    asked = []
    for generation in range(6):
        population = strategy.ask()
        asked.append(population.copy())
        error, gradient = np.full(4, 1.0), np.ones((4, 3))
        if generation in (2, 3) and failure == "failed":
            error[1], gradient[1] = np.inf, np.nan
        elif generation in (2, 3):
            gradient[1] = 0.0
        strategy.tell(population, error, gradient=gradient)
    start = asked[0]
    np.testing.assert_allclose(asked[1] - start, -0.25)
    ahead = -0.25 * 1.9
    np.testing.assert_allclose(asked[2] - asked[1], ahead)
    np.testing.assert_allclose((asked[3] - asked[1])[1], ahead / 2)
    np.testing.assert_allclose((asked[4] - asked[1])[1], ahead / 4)
    np.testing.assert_allclose((asked[5] - asked[4])[1], -0.25)
    others = np.array(asked)[:, [0, 2, 3]]
    np.testing.assert_array_equal(others, descent_of(undisturbed, 6)[:, [0, 2, 3]])


def descent_of(strategy, n):
    asked = []
    for _ in range(n):
        population = strategy.ask()
        asked.append(population.copy())
        strategy.tell(population, np.ones(len(population)), gradient=np.ones(population.shape))
    return np.array(asked)


def test_what_fails_at_its_start_or_again_and_again_begins_anew():
    strategy = make(optimiser="sgd", rate=0.25)
    first = strategy.ask()
    error = np.array([np.inf, 1.0, 1.0, 1.0])
    strategy.tell(first, error, gradient=np.ones((4, 3)))
    assert strategy.figures()["n_restarts"] == 1
    for _ in range(9):
        population = strategy.ask()
        assert np.abs(population[1] - first[1]).max() <= 0.25
        strategy.tell(population, np.array([1.0, np.inf, 1.0, 1.0]), gradient=np.ones((4, 3)))
    assert strategy.figures()["n_restarts"] == 2
    assert np.abs(strategy.ask()[1] - first[1]).max() > 0.25


def test_descents_without_progress_begin_anew_and_what_they_found_stays():
    strategy = make(restart_after=5, optimiser="sgd", rate=0.1)
    best = np.inf
    for generation in range(13):
        population = strategy.ask()
        # The first gets better by too little, the second by enough.
        error = np.array([1.0 - 1e-6 * generation, 1.0 - 1e-3 * generation, 2.0, 2.0])
        best = min(best, error.min())
        strategy.tell(population, error, gradient=np.ones((4, 3)))
    assert strategy.figures()["n_restarts"] == 6
    assert strategy.incumbent[1] == best
    assert make(restart_after=0).settings.remembers == ""


def test_the_restarts_of_one_descent_do_not_depend_on_the_others():
    def way(others):
        strategy, places = make(optimiser="sgd", rate=0.1), []
        for generation in range(8):
            population = strategy.ask()
            places.append(population[2].copy())
            error = np.ones(4)
            error[2] = np.inf if generation == 3 or 3 < generation < 13 else 1.0
            error[:2] = np.inf if others and generation % 2 else 1.0
            strategy.tell(population, error, gradient=np.ones((4, 3)))
        return np.array(places)

    np.testing.assert_array_equal(way(others=False), way(others=True))


def test_steps_stop_at_the_bounds():
    strategy = make(optimiser="sgd", rate=0.5, momentum=0.0, bounds=(-1.0, 1.0))
    for _ in range(12):
        population = strategy.ask()
        strategy.tell(population, population.sum(axis=1) + 3, gradient=np.ones((4, 3)))
    np.testing.assert_array_equal(strategy.ask(), -np.ones((4, 3)))


def test_moves_while_sequences_run_keep_no_bounds():
    with pytest.raises(BadInput, match="keep no bounds"):
        make(online=True, bounds=(-1.0, 1.0))


def test_refined_genomes_are_gone_on_from():
    strategy = make(online=True)
    population = strategy.ask()
    refined = population * 0.5
    strategy.tell(population, np.array([1.0, 2.0, np.inf, 0.5]), refined=refined)
    asked = strategy.ask()
    np.testing.assert_array_equal(asked[[0, 1, 3]], refined[[0, 1, 3]])
    assert np.all(asked[2] != refined[2])
    strategy.tell(asked, np.ones(4), refined=asked)
    assert strategy.figures()["n_restarts"] == 1
    assert "gradient_norm" not in strategy.figures()
    np.testing.assert_array_equal(strategy.incumbent[0], refined[3])
    state = strategy.state()
    other = make(online=True)
    other.restore(state)
    np.testing.assert_array_equal(other.ask(), strategy.ask())


def test_immigrants_take_the_place_of_worse_descents():
    strategy = make(optimiser="sgd", rate=0.25)
    population = strategy.ask()
    strategy.tell(population, np.array([4.0, 1.0, 3.0, 2.0]), gradient=np.ones((4, 3)))
    strategy.inject(np.stack([9 * ONES, 8 * ONES, 7 * ONES]), np.array([3.5, 2.5, 5.0]))
    asked = strategy.ask()
    np.testing.assert_array_equal(asked[0], 8 * ONES)
    np.testing.assert_array_equal(asked[1:], population[1:] - 0.25)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"momentum": 0.5, "optimiser": "adam"}, "momentum belongs to optimiser = 'sgd'"),
        ({"optimiser": "sgd", "betas": [0.5, 0.9]}, "betas belongs to optimiser = 'adam'"),
        ({"optimiser": "adam", "smoothing": 0.5}, "smoothing belongs to optimiser = 'rmsprop'"),
        ({"interval": 2}, "interval belongs to online = true"),
        ({"online": True, "optimiser": "adam"}, "optimiser belongs to the gradient of whole sequences"),
        ({"optimiser": "adam", "horizon": 5}, "horizon belongs to schedule"),
        ({"optimiser": "irprop_plus", "schedule": "cosine"}, "schedule belongs to optimisers with a rate"),
        ({"optimiser": "adam", "betas": [0.9, 1.0]}, r"betas\[1\]: must be less than 1"),
    ],
)
def test_keys_that_would_do_nothing_are_refused(wrong, message):
    with pytest.raises(SettingsError, match=message):
        make_strategy("bptt", n_genes=3, seed=1, **wrong)


def test_schedules_say_how_long_they_are():
    settings = STRATEGIES["bptt"].Settings
    assert settings().schedule_length is None
    assert settings(optimiser="adam", schedule="cosine", horizon=70).schedule_length == 70


def test_settings_that_compare_generations_say_so():
    settings = STRATEGIES["bptt"].Settings
    assert "restart_after = 500" in settings().remembers
    assert "irprop_plus" in settings().remembers
    assert settings(restart_after=0).remembers.startswith("irprop_plus")
    assert settings(optimiser="sgd").remembers.startswith("restart_after")
    assert settings(optimiser="adam", restart_after=0).remembers == ""
    assert settings(online=True, restart_after=0).remembers == ""


def test_descents_do_not_depend_on_their_neighbours():
    stiffness, centre = np.array([0.5, 2.0, 0.1]), np.array([1.0, 0.0, -1.0])
    starts = np.random.default_rng(1).normal(size=(6, 3))
    whole = descended(make(initial=starts, population_size=6), stiffness, centre, 20)
    alone = descended(make(initial=starts[2:3], population_size=1), stiffness, centre, 20)
    np.testing.assert_array_equal(whole[:, 2], alone[:, 0])
