"""Damped quadratic models of many genomes: their minima, by Cholesky decompositions whose bits no processor changes.

LAPACK sums in blocks that depend on the processor. Here every element is one chain of products and differences in the
order of the columns (the outer-product form, Golub and Van Loan, "Matrix computations", algorithm 4.2.2); what lies
side by side in a vector are elements, never the terms of a sum.
"""

from __future__ import annotations

import math

from neuroevo.kernels.compilation import inlined, kernel
from neuroevo.kernels.vectors import broadcast, fma, fma_scalar, lanes, load, peek, poke, store, view

MOST_TRIES = 60
"""Times ten that the damping of a model may grow until it has a minimum."""


@kernel
def damped_steps(curvatures, slopes, scales, damping, free, work, steps):
    """Where each damped model has its minimum: -(C + d diag(s))^-1 g over the genes that are free.

    Args:
        curvatures: C, ``(n, n_genes, n_genes)`` float64, symmetric; the upper triangle is read.
        slopes: g, ``(n, n_genes)`` float64.
        scales: s, ``(n, n_genes)`` float64, positive.
        damping: d, ``(n,)`` float64, positive; grows tenfold, here too, until a model has a minimum.
        free: ``(n, n_genes)`` bool; the steps of other genes are 0.
        work: Aligned float64, ``n_genes + 1`` rows of n_genes rounded up to whole vectors.
        steps: ``(n, n_genes)`` float64, written; zeros where no damping gives a minimum.
    """
    n = slopes.shape[1]
    rows = view(work)
    size = work.size // (n + 1)
    for k in range(len(slopes)):
        tries = 0
        while not _decomposed(curvatures, k, scales, damping, free, rows, size) and tries < MOST_TRIES:
            damping[k] *= 10.0
            tries += 1
        for i in range(size):
            poke(rows, n * size + i, -slopes[k, i] if i < n and free[k, i] else 0.0)
        if tries < MOST_TRIES:
            _solve(rows, n, size)
        for i in range(n):
            steps[k, i] = peek(rows, n * size + i) if tries < MOST_TRIES else 0.0


@kernel
def decreases(curvatures, slopes, steps, found):
    """By how much each model falls along a step h: -(g'h + h'C h / 2).

    Args:
        curvatures: C, ``(n, n_genes, n_genes)`` float64.
        slopes: g, ``(n, n_genes)`` float64.
        steps: h, ``(n, n_genes)`` float64.
        found: ``(n,)`` float64, written.
    """
    for k in range(len(slopes)):
        total = 0.0
        for i in range(slopes.shape[1]):
            bend = 0.0
            for j in range(slopes.shape[1]):
                bend = fma_scalar(curvatures[k, i, j], steps[k, j], bend)
            total = fma_scalar(fma_scalar(0.5, bend, slopes[k, i]), steps[k, i], total)
        found[k] = -total


@inlined
def _decomposed(curvatures, k, scales, damping, free, rows, size):
    """U'U of a damped curvature in the upper triangle of the rows; whether it is positive definite."""
    n, width = scales.shape[1], lanes(rows)
    for i in range(n):
        for j in range(size):
            kept = i <= j < n and free[k, i] and free[k, j]
            poke(rows, i * size + j, curvatures[k, i, j] if kept else 0.0)
        own = fma_scalar(damping[k], scales[k, i], curvatures[k, i, i]) if free[k, i] else 1.0
        poke(rows, i * size + i, own)
    for c in range(n):
        pivot = peek(rows, c * size + c)
        if not 0.0 < pivot < math.inf:
            return False
        root = broadcast(rows, math.sqrt(pivot))
        for j in range(c * size + c // width * width, (c + 1) * size, width):
            store(rows, j, load(rows, j) / root)
        for i in range(c + 1, n):
            factor = broadcast(rows, -peek(rows, c * size + i))
            for j in range(i // width * width, size, width):
                store(rows, i * size + j, fma(factor, load(rows, c * size + j), load(rows, i * size + j)))
    return True


@inlined
def _solve(rows, n, size):
    """The x of U'U x = b in the place of b, which follows the rows of U."""
    at = n * size
    for i in range(n):
        value = peek(rows, at + i) / peek(rows, i * size + i)
        poke(rows, at + i, value)
        for j in range(i + 1, n):
            poke(rows, at + j, fma_scalar(-value, peek(rows, i * size + j), peek(rows, at + j)))
    for i in range(n - 1, -1, -1):
        total = peek(rows, at + i)
        for j in range(i + 1, n):
            total = fma_scalar(-peek(rows, i * size + j), peek(rows, at + j), total)
        poke(rows, at + i, total / peek(rows, i * size + i))
