"""Neighbourhoods: steps `(n, n_genes)` from where the chains are, symmetric, so that Metropolis' rule is exact."""

from __future__ import annotations

from typing import Literal

import numpy as np

from neuroevo.strategies.bounds import FloatArray

NeighbourhoodName = Literal["gaussian", "cauchy", "one_gene"]


def neighbours(
    name: NeighbourhoodName, genomes: FloatArray, widths: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """A neighbour of each genome, `(n, n_genes)`.

    Args:
        name: `gaussian`: noise on all genes (Bohachevsky, Johnson and Stein 1986). `cauchy`: an isotropic Cauchy step,
            mostly near and now and then very far (Szu and Hartley 1987). `one_gene`: gaussian noise on one gene at a
            time (Corana et al. 1987).
        genomes: `(n, n_genes)`.
        widths: `(n,)`, the step's scale for each genome.
        rng: Where the numbers come from.
    """
    n, n_genes = genomes.shape
    if name == "one_gene":
        moved = genomes.copy()
        rows = np.arange(n)
        moved[rows, rng.integers(0, n_genes, n)] += widths * rng.standard_normal(n)
        return moved
    scale = widths
    if name == "cauchy":
        # A gaussian vector over the size of another gaussian number is Cauchy distributed in all dimensions at once.
        # No step is longer than that over 1e-6, which keeps genes finite.
        scale = widths / np.maximum(np.abs(rng.standard_normal(n)), 1e-6)
    moved = rng.standard_normal((n, n_genes))
    moved *= scale[:, np.newaxis]
    moved += genomes
    return moved
