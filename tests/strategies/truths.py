"""Tells strategies what they want beside the error: the truth, where the error is a function."""

from __future__ import annotations

import numpy as np


def sphere(population):
    return np.sum(np.square(population), axis=1)


def shifted_sphere(population):
    return np.sum(np.square(population - 0.3), axis=1)


def tell(strategy, population, error, raised=0.0):
    """Tell the errors of a population, and derivatives of them where they are wanted.

    Args:
        strategy: It has asked for the population.
        population: `(n, n_genes)`.
        error: A function of populations that is a quadratic, whose derivatives central differences then give exactly; or
            errors `(n,)`, with the derivatives of the shifted sphere.
        raised: What is added to all errors.
    """
    slopes, values = (error, error(population) + raised) if callable(error) else (shifted_sphere, error)
    wanted = {name: FOUND[name](slopes, population) for name in strategy.wants - {"goals"}}
    if "goals" in strategy.wants:
        # Wrong errors are to be found out as such.
        wanted["goals"] = _goals(lambda _population: np.resize(values, len(population)), population)
    strategy.tell(population, values, **wanted)


def _gradient(function, population):
    steps = 0.25 * np.eye(population.shape[1])
    with np.errstate(invalid="ignore"):
        rises = [function(population + step) - function(population - step) for step in steps]
    return np.stack(rises, axis=1) / 0.5


def _curvature(function, population):
    steps = 0.25 * np.eye(population.shape[1])
    with np.errstate(invalid="ignore"):
        slopes = [_gradient(function, population + step) - _gradient(function, population - step) for step in steps]
    return np.stack(slopes, axis=2) / 0.5


def _goals(function, population):
    """The error, and how many genes are positive."""
    return np.stack([function(population), (population > 0).sum(axis=1)], axis=1)


FOUND = {
    "gradient": _gradient,
    "curvature": _curvature,
    "refined": lambda _function, population: population,
    "goals": _goals,
}
