"""Levenberg-Marquardt against scipy's, and its damping, restarts and bounds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import least_squares

from neuroevo.errors import BadInput
from neuroevo.strategies import make_strategy
from neuroevo.strategies.descent import levenberg_marquardt
from tests.strategies.truths import shifted_sphere, tell

TIMES = np.linspace(0.0, 3.0, 25)
DECAY = 2.0 * np.exp(-1.3 * TIMES) + 0.4 + 0.05 * np.sin(17 * TIMES)
POINTS = np.random.default_rng(3).uniform(-2, 2, (60, 2))
SURFACE = np.sin(POINTS[:, 0]) * POINTS[:, 1]


def exponential(x):
    """Residuals `(25,)` of a decaying exponential, and their Jacobian."""
    decay = np.exp(-x[1] * TIMES)
    return x[0] * decay + x[2] - DECAY, np.stack([decay, -x[0] * TIMES * decay, np.ones_like(TIMES)], axis=1)


def network(x):
    """Residuals `(60,)` of a network with three tanh units on two inputs, and their Jacobian."""
    w, b, v = x[:6].reshape(3, 2), x[6:9], x[9:12]
    units = np.tanh(POINTS @ w.T + b)
    slopes = v * (1 - units**2)
    return units @ v - SURFACE, np.concatenate(
        [(slopes[:, :, None] * POINTS[:, None, :]).reshape(60, 6), slopes, units], axis=1
    )


def rosenbrock(x):
    """The residuals of Rosenbrock's valley, and their Jacobian."""
    return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]]), np.array([[-20 * x[0], 10.0], [-1.0, 0.0]])


def told(strategy, residuals, population):
    """Tell mean squared errors, their gradients, and Gauss-Newton curvatures."""
    found = [residuals(genome) for genome in population]
    error = np.array([np.mean(r**2) for r, _ in found])
    gradient = np.array([2 / len(r) * j.T @ r for r, j in found])
    curvature = np.array([2 / len(r) * j.T @ j for r, j in found])
    strategy.tell(population, error, gradient=gradient, curvature=curvature)
    return error


def by_scipy(residuals, start):
    options = {"method": "lm", "xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15, "max_nfev": 400}
    return least_squares(lambda x: residuals(x)[0], start, jac=lambda x: residuals(x)[1], **options)


def make(**arguments):
    return make_strategy("levenberg_marquardt", **{"seed": 1, "restart_after": 0, **arguments})


@pytest.mark.parametrize("update", ["nielsen", "marquardt"])
@pytest.mark.parametrize("scaling", ["identity", "diagonal"])
@pytest.mark.parametrize(
    ("residuals", "starts"),
    [
        (exponential, [[1.0, 1.0, 0.0], [3.0, 0.5, 1.0], [0.5, 2.0, -1.0]]),
        (rosenbrock, [[-1.2, 1.0], [2.0, -2.0], [0.0, 3.0]]),
    ],
    ids=["exponential", "rosenbrock"],
)
def test_it_comes_to_the_minima_of_scipy(residuals, starts, scaling, update):
    starts = np.array(starts)
    strategy = make(
        n_genes=starts.shape[1], population_size=len(starts), initial=starts, scaling=scaling, update=update
    )
    for _ in range(400):
        told(strategy, residuals, strategy.ask())
    _, errors = strategy.emigrants(len(starts))
    theirs = [by_scipy(residuals, start) for start in starts]
    np.testing.assert_allclose(errors, np.mean(theirs[0].fun ** 2), rtol=1e-8, atol=1e-25)
    np.testing.assert_allclose(strategy.emigrants(3)[0], [found.x for found in theirs], rtol=1e-5)


def test_what_it_comes_to_with_a_network_are_minima_for_scipy_too():
    """A network has several; ours and theirs need not be the same ones from the same starts."""
    starts = np.random.default_rng(5).normal(size=(8, 12))[:4]
    strategy = make(n_genes=12, population_size=4, initial=starts)
    for _ in range(300):
        told(strategy, network, strategy.ask())
    genomes, errors = strategy.emigrants(4)
    for genome, error in zip(genomes, errors, strict=True):
        assert np.mean(by_scipy(network, genome).fun ** 2) == pytest.approx(error, rel=1e-4)
    assert errors[0] <= min(np.mean(by_scipy(network, start).fun ** 2) for start in starts) * (1 + 1e-6)


def test_a_step_that_is_no_good_is_tried_again_shorter_from_the_same_place():
    strategy = make(n_genes=2, population_size=1, initial=np.array([[-1.2, 1.0]]), first_damping=1e-6)
    place, n_refused = strategy.ask()[0], 0
    least = told(strategy, rosenbrock, strategy._asked)[0]
    while least > 1e-20:
        tried = strategy.ask()
        before, length = strategy._damping[0], np.linalg.norm(tried - place)
        error = told(strategy, rosenbrock, tried)[0]
        if error < least:
            least, place = error, tried[0]
            assert strategy._damping[0] <= 2 * before
        else:
            n_refused += 1
            assert strategy._damping[0] >= 2 * before
            assert np.linalg.norm(strategy._genomes[0] - place) < length
        np.testing.assert_array_equal(strategy._places[0], place)
    assert n_refused > 2


def test_damping_follows_nielsen():
    """One gene on a parabola, told a curvature that is too large or too small by a factor."""
    for factor, expected in ((1.0, 1 / 3), (2.0, 1 / 3), (0.55, None)):
        strategy = make(n_genes=1, population_size=1, initial=np.array([[1.0]]), first_damping=1e-9)
        for generation in range(2):
            x = strategy.ask()
            before = strategy._damping[0]
            strategy.tell(x, x[:, 0] ** 2, gradient=2 * x, curvature=2 * factor * np.ones((1, 1, 1)))
            if generation == 1:
                step = -1 / factor
                share = (1 - (1 + step) ** 2) / (-(2 * step + factor * step**2))
                rule = max(1 / 3, 1 - (2 * min(share, 1) - 1) ** 3) if share > 0 else 2.0
                assert strategy._damping[0] / before == pytest.approx(rule, rel=1e-6)
                assert expected is None or rule == pytest.approx(expected)


def test_restarts_and_failures():
    strategy = make(n_genes=3, population_size=4, restart_after=6)
    population = strategy.ask()
    error = shifted_sphere(population)
    error[1] = np.inf
    curvature = np.tile(2 * np.eye(3), (4, 1, 1))
    strategy.tell(population, error, gradient=2 * (population - 0.3), curvature=curvature)
    assert strategy.figures()["n_restarts"] == 1
    for _ in range(40):
        tell(strategy, strategy.ask(), shifted_sphere)
    assert strategy.incumbent[1] < 1e-20
    assert strategy.figures()["n_restarts"] > 4
    never = make(n_genes=3, population_size=4)
    for _ in range(60):
        tell(never, never.ask(), shifted_sphere)
    assert never.figures()["n_restarts"] == 0


def test_minima_at_the_bounds_are_found():
    """A slanted valley whose minimum lies outside: the least of the box is that of the genes which stay free."""
    matrix = np.array([[2.0, 1.5, 0.0], [1.5, 2.0, 0.5], [0.0, 0.5, 1.0]])
    centre = np.array([3.0, -0.5, 0.2])

    def error(genomes):
        return 0.5 * np.einsum("ni,ij,nj->n", genomes - centre, matrix, genomes - centre)

    strategy = make(n_genes=3, population_size=3, bounds=([-1.0] * 3, [1.0, 9.0, 9.0]))
    for _ in range(60):
        population = strategy.ask()
        slopes = (population - centre) @ matrix
        strategy.tell(population, error(population), gradient=slopes, curvature=np.tile(matrix, (3, 1, 1)))
    best = strategy.incumbent[0]
    free = centre[1:] - np.linalg.solve(matrix[1:, 1:], matrix[1:, 0] * (1.0 - centre[0]))
    np.testing.assert_allclose(best, [1.0, *free], atol=1e-7)


def test_curvatures_beyond_the_memory_are_refused(monkeypatch):
    make(n_genes=100, population_size=8)
    monkeypatch.setattr(levenberg_marquardt, "available_bytes", lambda: 4 * 8 * 8 * 100**2 - 1)
    with pytest.raises(BadInput, match=r"8 times 100 x 100 numbers.*or kind = 'bptt'"):
        make(n_genes=100, population_size=8)
    monkeypatch.setattr(levenberg_marquardt, "available_bytes", lambda: None)
    make(n_genes=100, population_size=8)
