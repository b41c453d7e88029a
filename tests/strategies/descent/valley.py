"""A valley with its slopes, for descents."""

from __future__ import annotations

import numpy as np


def error_of(stiffness, centre, genomes):
    return (stiffness * (genomes - centre) ** 2 + 0.3 * np.sin(2 * genomes)).sum(axis=1)


def slopes_of(stiffness, centre, genomes):
    return 2 * stiffness * (genomes - centre) + 0.6 * np.cos(2 * genomes)


def descended(strategy, stiffness, centre, n_steps):
    """`(n_steps + 1, n, n_genes)`: what the strategy asks, told the truth."""
    asked = []
    for _ in range(n_steps + 1):
        population = strategy.ask()
        asked.append(population.copy())
        error = error_of(stiffness, centre, population)
        strategy.tell(population, error, gradient=slopes_of(stiffness, centre, population))
    return np.array(asked)
