"""One Ray for all tests that need one, and a small job to distribute."""

from __future__ import annotations

import numpy as np

import neuroevo as ne


def make_job():
    """A network, a problem with a validation part, and a population of 70 genomes, one of which fails."""
    rng = np.random.default_rng(3)
    network = ne.Elman(n_inputs=2, n_hidden=5, n_outputs=1)
    inputs, targets = rng.normal(size=(3, 40, 2)), rng.normal(size=(3, 40, 1))
    late = np.zeros((3, 40), bool)
    late[:, 30:] = True
    problem = ne.SequenceProblem(inputs, targets, washout=3, parts={"train": ~late, "validation": late})
    population = rng.normal(size=(70, network.n_genes))
    population[11] = np.nan
    return network, problem, population
