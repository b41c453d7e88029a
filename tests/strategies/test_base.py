"""What the base class does for strategies that want more than errors, or hold other strategies."""

from __future__ import annotations

import numpy as np
import pytest

from neuroevo.errors import BadInput
from neuroevo.strategies import StartSettings, Strategy, StrategySettings, make_strategy

N_GENES = 3
TARGET = np.array([1.0, -2.0, 0.5])
HESSIAN = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, 0.1], [0.0, 0.1, 3.0]])


def quadratic(population):
    d = population - TARGET
    return 0.5 * np.einsum("ni,ij,nj->n", d, HESSIAN, d)


def gradient(population):
    return (population - TARGET) @ HESSIAN


class Descent(Strategy[StartSettings]):
    """Gradient descent from every genome of the first population."""

    Settings = StartSettings
    STATE = ("genomes",)
    wants = frozenset({"gradient"})

    def _ask(self):
        return self._initial_population() if self._generation == 0 else self._genomes

    def _tell(self, population, error, *, gradient):
        assert not gradient.flags.writeable
        self._genomes = population - 0.1 * gradient

    def _inject(self, genomes, errors):
        pass


class Newton(Descent):
    """Newton's method, which solves a quadratic in one step."""

    wants = frozenset({"gradient", "curvature"})

    def _tell(self, population, error, *, gradient, curvature):
        self._genomes = population - np.linalg.solve(curvature, gradient[..., np.newaxis])[..., 0]


class Lamarckian(Descent):
    """Goes on from refined genomes."""

    wants = frozenset({"refined"})

    def _tell(self, population, error, *, refined):
        self._genomes, self._errors = refined + 0 * population, error

    def _members(self):
        return self._genomes, self._errors


def make(cls, **arguments):
    return cls(StartSettings(population_size=5), n_genes=N_GENES, seed=1, **arguments)


def test_a_gradient_reaches_the_strategy_row_by_row():
    strategy = make(Descent)
    first = strategy.ask()
    population = first
    for _ in range(30):
        strategy.tell(population, quadratic(population), gradient=gradient(population))
        population = strategy.ask()
    # Closed form of gradient descent on a quadratic.
    power = np.linalg.matrix_power(np.eye(N_GENES) - 0.1 * HESSIAN, 30)
    np.testing.assert_allclose(population - TARGET, (first - TARGET) @ power, atol=1e-12)


def test_curvature_comes_as_a_matrix_for_each_genome():
    strategy = make(Newton)
    population = strategy.ask()
    strategy.tell(
        population, quadratic(population), gradient=gradient(population), curvature=np.tile(HESSIAN, (5, 1, 1))
    )
    np.testing.assert_allclose(strategy.ask(), np.tile(TARGET, (5, 1)), atol=1e-12)


def test_refined_genomes_take_the_place_of_those_asked():
    strategy = make(Lamarckian)
    population = strategy.ask()
    refined = population + 0.5 * (TARGET - population)
    strategy.tell(population, quadratic(refined), refined=refined)
    best = np.argmin(quadratic(refined))
    assert np.array_equal(strategy.incumbent[0], refined[best])
    assert strategy.incumbent[1] == quadratic(refined)[best]
    assert np.array_equal(np.sort(strategy.emigrants(5)[0], axis=0), np.sort(refined, axis=0))


def test_a_refinement_that_failed_leaves_the_genome_that_was_asked():
    strategy = make(Lamarckian)
    population = strategy.ask()
    refined = np.full((5, N_GENES), np.nan)
    refined[2] = TARGET
    strategy.tell(population, np.array([np.inf, np.inf, 0.0, np.inf, np.inf]), refined=refined)
    assert np.array_equal(strategy.ask(), np.where(np.isnan(refined), population, TARGET))
    assert np.array_equal(strategy.incumbent[0], TARGET)


def test_derivatives_of_failed_evaluations_may_hold_anything():
    strategy = make(Descent)
    population = strategy.ask()
    slopes = gradient(population)
    slopes[1] = np.nan
    with pytest.raises(BadInput, match="genome 1"):
        strategy.tell(population, quadratic(population), gradient=slopes)
    error = quadratic(population)
    error[1] = np.inf
    strategy.tell(population, error, gradient=slopes)


@pytest.mark.parametrize(
    ("told", "complaint"),
    [
        ({}, r"wants gradient beside the errors, got nothing"),
        ({"gradient": np.zeros((5, 4))}, r"shape \(5, 4\), expected \(5, 3\)"),
        ({"gradient": np.zeros(5)}, r"shape \(5,\)"),
        ({"gradient": np.zeros((5, 3)), "curvature": np.zeros((5, 3, 3))}, "got curvature, gradient"),
        ({"slope": np.zeros((5, 3))}, "got slope"),
    ],
)
def test_too_little_too_much_and_other_shapes_are_refused_and_change_nothing(told, complaint):
    strategy = make(Descent)
    population = strategy.ask()
    with pytest.raises(BadInput, match=complaint):
        strategy.tell(population, quadratic(population), **told)
    assert strategy.generation == 0
    strategy.tell(population, quadratic(population), gradient=gradient(population))


def test_refined_genomes_stay_within_the_bounds():
    strategy = make(Lamarckian, bounds=(-4.0, 4.0))
    population = strategy.ask()
    with pytest.raises(BadInput, match="bounds"):
        strategy.tell(population, np.zeros(5), refined=np.full((5, N_GENES), 5.0))


def test_a_wish_that_nobody_can_meet_is_a_defect_of_the_strategy():
    class Greedy(Descent):
        wants = frozenset({"gradient", "answer"})

    with pytest.raises(RuntimeError, match="Greedy wants answer"):
        make(Greedy).ask()


def test_a_first_population_needs_settings_that_say_how():
    class Bare(Descent):
        Settings = StrategySettings

    with pytest.raises(TypeError, match="StartSettings"):
        Bare(StrategySettings(), n_genes=3, seed=1).ask()


class Relay(Strategy[StrategySettings]):
    """Hands over from one strategy to the next every few generations; the ones that are done are dropped."""

    STATE = ("turn",)
    KINDS = ("snes", "cma_es", "particle_swarm")
    _turn = 0

    def __init__(self, settings, **arguments):
        super().__init__(settings, **arguments)
        self._restored()

    def _restored(self):
        kind = self.KINDS[self._turn % 3]
        self._runner = make_strategy(
            kind, n_genes=self.n_genes, seed=self.seed, island=self._turn + 1, population_size=4
        )

    def _inner(self):
        return {"runner": self._runner}

    def _ask(self):
        if self._generation and self._generation % 4 == 0:
            self._turn += 1
            self._restored()
        return self._runner.ask()

    def _tell(self, population, error):
        self._runner.tell(population, error)

    def _inject(self, genomes, errors):
        self._runner.inject(genomes, errors)

    def _figures(self):
        return self._runner.figures()


@pytest.mark.parametrize("n_generations", [1, 3, 4, 6, 9, 13])
def test_the_state_of_a_strategy_within_is_part_of_the_state(n_generations, tmp_path):
    def make_relay():
        return Relay(StrategySettings(population_size=4), n_genes=N_GENES, seed=3)

    def advance(strategy, n):
        populations = []
        for _ in range(n):
            population = strategy.ask()
            strategy.tell(population, quadratic(population))
            populations.append(population)
        return np.array(populations)

    relay, other = make_relay(), make_relay()
    advance(relay, n_generations)
    np.savez(tmp_path / "state.npz", **relay.state())
    with np.load(tmp_path / "state.npz", allow_pickle=False) as archive:
        other.restore(archive)
    assert other.figures() == relay.figures()
    assert np.array_equal(advance(other, 9), advance(relay, 9))


def test_a_state_with_another_strategy_within_is_refused():
    strategy = make_strategy("snes", n_genes=N_GENES, seed=1)
    population = strategy.ask()
    strategy.tell(population, quadratic(population))
    with pytest.raises(BadInput, match="holds"):
        strategy.restore({**strategy.state(), "runner.mean": np.zeros(3)})


def test_messages_of_a_strategy_within_come_out_once():
    relay = Relay(StrategySettings(population_size=4), n_genes=N_GENES, seed=3)
    relay._turn = 1
    relay._restored()
    population = relay.ask()
    relay.tell(population, np.ones(len(population)))
    (line,) = relay.take_messages()
    assert line.startswith("runner: generation 1: a plateau")
    assert relay.take_messages() == ()
