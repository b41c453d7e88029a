"""Stretches: pieces of the sequences of a problem, as a problem of their own that costs what their steps cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.problems.noise import InputNoise
from neuroevo.problems.rows import ranges
from neuroevo.problems.sequence import SequenceProblem

Stretches = NDArray[np.int64]
"""``(n, 4)``: the sequence of each stretch, its first step, its first step that counts, and the step after its last."""


def restricted(
    problem: SequenceProblem, stretches: Stretches, part: str = "train", noise: InputNoise | None = None
) -> SequenceProblem:
    """The stretches as sequences of a problem whose part "train" is what of them counts in a part.

    Each begins with the network's first state, and its steps before the first that counts are there to leave that
    behind. Noise is added to their inputs where there is some. Units, weights, objective and weight decay are those of
    the problem; labels of steps are left out.

    Raises:
        BadInput: They do not lie within the sequences, or none of their targets counts.
    """
    sequence, begin, first, end = checked_stretches(problem, stretches).T
    lengths, starts = end - begin, problem.rows.offsets[sequence]
    at = ranges(starts + begin, lengths)
    counts = at >= np.repeat(starts + first, lengths)
    weights = problem.target_weight_rows
    inputs = problem.input_rows[at]
    return SequenceProblem(
        inputs if noise is None else noise.added(inputs),
        problem.target_rows[at],
        lengths=lengths,
        target_mask=problem.counted_rows(part)[at] & counts[:, None],
        learned=problem.learned,
        weight_decay=problem.weight_decay,
        objective=problem.objective,
        target_weights=weights if weights is None or weights.ndim < 2 else weights[at],
        class_weights=problem.class_weights,
    )


def whole_sequences(problem: SequenceProblem, part: str = "train") -> Stretches:
    """The sequences with a target that counts in a part, each up to its last one."""
    ends = problem.rows.ends(np.asarray(problem.counted_rows(part).any(axis=1)))
    sequences = np.flatnonzero(ends)
    zeros = np.zeros_like(sequences)
    return np.column_stack([sequences, zeros, zeros, ends[sequences]])


def checked_stretches(problem: SequenceProblem, stretches: Stretches) -> Stretches:
    """The stretches, sure to lie within the sequences.

    Raises:
        BadInput: They do not.
    """
    array = np.asarray(stretches)
    if array.ndim != 2 or array.shape[1] != 4 or len(array) == 0 or array.dtype.kind not in "iu":
        raise BadInput(
            "stretches must be whole numbers of shape (n, 4) with n >= 1: sequence, first step, first step that "
            f"counts, step after the last; got {array.dtype} of shape {array.shape}"
        )
    sequence, begin, first, end = array.T
    inside = (sequence >= 0) & (sequence < problem.n_sequences) & (begin >= 0) & (begin <= first) & (first < end)
    lengths = problem.lengths[np.where(inside, sequence, 0)]
    wrong = np.flatnonzero(~inside | (end > lengths))
    if wrong.size:
        raise BadInput(f"stretch {wrong[0]}, {array[wrong[0]].tolist()}, does not lie within a sequence")
    return array.astype(np.int64)
