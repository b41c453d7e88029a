"""Fronts of goals, and how crowded each place on them is.

References:
    K. Deb, A. Pratap, S. Agarwal, T. Meyarivan: A fast and elitist multiobjective genetic algorithm: NSGA-II. IEEE
    Transactions on Evolutionary Computation 6 (2002), 182-197, sections III-A and III-B.
    M. T. Jensen: Reducing the run-time complexity of multiobjective EAs: the NSGA-II and other algorithms. IEEE
    Transactions on Evolutionary Computation 7 (2003), 503-515: two goals in n log n.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuroevo.strategies.bounds import FloatArray

Indices: TypeAlias = NDArray[np.int64]

_BLOCK = 2**22
"""Comparisons that are made at a time."""


def ranks(goals: FloatArray) -> Indices:
    """The front ``(n,)`` that each row of goals ``(n, n_goals)`` is on, from 0.

    A front is what rows of earlier fronts alone dominate. One row dominates another where it is nowhere larger and
    somewhere smaller. Of equal rows the first alone is on its front; the second ones come behind all fronts, in fronts
    of their own, then the third ones, and so on: copies would fill a population where goals are whole numbers.
    """
    distinct, row_of = np.unique(goals, axis=0, return_inverse=True)
    # In lexicographic order, so that no row dominates one before it.
    found = (_ranks_of_two(distinct) if goals.shape[1] <= 2 else _ranks_of_many(distinct))[row_of.ravel()]
    if len(distinct) < len(goals):
        order = np.argsort(row_of.ravel(), kind="stable")
        firsts = np.flatnonzero(np.diff(row_of.ravel()[order], prepend=-1))
        copy = np.empty(len(goals), dtype=np.int64)
        copy[order] = np.arange(len(goals)) - np.repeat(firsts, np.diff(firsts, append=len(goals)))
        found = found + copy * (found.max() + 1)
    return found


def _ranks_of_two(goals: FloatArray) -> Indices:
    """Of distinct rows in lexicographic order: a row is on the first front whose last goals so far are all larger."""
    found = np.arange(len(goals))
    if goals.shape[1] == 1:
        return found
    smallest: list[float] = []  # last goal of each front, ascending: that of its latest row
    for row, last in enumerate(goals[:, 1].tolist()):
        found[row] = front = bisect_right(smallest, last)
        smallest[front : front + 1] = [last]
    return found


def _ranks_of_many(goals: FloatArray) -> Indices:
    n = len(goals)
    dominated = np.empty((n, n), dtype=np.bool_)
    size = max(1, _BLOCK // max(1, n * goals.shape[1]))
    for first in range(0, n, size):
        # Rows are distinct: nowhere larger is enough.
        dominated[first : first + size] = (goals[first : first + size, None] <= goals[None]).all(axis=2)
    np.fill_diagonal(dominated, False)
    found, left = np.full(n, -1, dtype=np.int64), dominated.sum(axis=0)
    front = 0
    while (found < 0).any():
        rows = np.flatnonzero((left == 0) & (found < 0))
        found[rows] = front
        left -= dominated[rows].sum(axis=0)
        front += 1
    return found


def crowding(goals: FloatArray, rank: Indices) -> FloatArray:
    """The crowding distance ``(n,)`` of each row on its front (section III-B): the larger, the lonelier.

    Of each goal the distance between the neighbours on both sides, as a share of the front's range; infinite at its
    ends. Rows with a goal that is not finite have 0.
    """
    distances = np.zeros(len(goals))
    for front in range(int(rank.max(initial=-1)) + 1):
        rows = np.flatnonzero((rank == front) & np.isfinite(goals).all(axis=1))
        if not len(rows):
            continue
        for values in goals[rows].T:
            order = np.argsort(values, kind="stable")
            ordered = values[order] / 2  # halves: the range of the largest numbers is one
            span = ordered[-1] - ordered[0]
            distances[rows[order[[0, -1]]]] = np.inf
            if span > 0 and len(rows) > 2:
                distances[rows[order[1:-1]]] += (ordered[2:] - ordered[:-2]) / span
    return distances


def chosen(goals: FloatArray, n: int) -> Indices:
    """The n rows that go on, in their order: whole fronts, and of the last the loneliest (section III-C)."""
    rank = ranks(goals)
    last = np.sort(rank)[n - 1]
    inside, edge = np.flatnonzero(rank < last), np.flatnonzero(rank == last)
    lonely = crowding(goals[edge], np.zeros(len(edge), dtype=np.int64))
    picked = edge[np.argsort(-lonely, kind="stable")[: n - len(inside)]]
    return np.sort(np.concatenate([inside, picked]))


def first_front(goals: FloatArray) -> Indices:
    """The rows that none dominates and that are finite, distinct ones only, by their goals from the first on."""
    rows = np.flatnonzero(np.isfinite(goals).all(axis=1))
    if not len(rows):
        return rows
    distinct, first = np.unique(goals[rows], axis=0, return_index=True)
    return np.asarray(rows[first[ranks(distinct) == 0]])
