"""Sequences of unequal length become one padded problem, whole sequences in each part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.problems.sequence import SequenceProblem


@dataclass(frozen=True)
class Sample:
    """One sequence.

    Attributes:
        inputs: ``(n_steps, n_inputs)`` float64.
        targets: ``(n_steps, n_outputs)`` float64.
        counts: ``(n_steps,)`` bool: the steps whose targets count.
    """

    inputs: NDArray[np.float64]
    targets: NDArray[np.float64]
    counts: NDArray[np.bool_]


def assemble(samples: Mapping[str, Sequence[Sample]], **arguments: Any) -> SequenceProblem:
    """The problem of all samples, padded with zeros at their ends.

    Args:
        samples: Part names to sequences; empty parts are left out.
        arguments: Further arguments of `SequenceProblem`.
    """
    samples = {part: its for part, its in samples.items() if its}
    sequences = [sample for its in samples.values() for sample in its]
    lengths = np.array([len(sample.inputs) for sample in sequences])
    shape = (len(sequences), int(lengths.max()))
    inputs = np.zeros((*shape, sequences[0].inputs.shape[1]))
    targets = np.zeros((*shape, sequences[0].targets.shape[1]))
    mask = np.zeros(targets.shape, dtype=np.bool_)
    for i, (sample, length) in enumerate(zip(sequences, lengths, strict=True)):
        inputs[i, :length] = sample.inputs
        targets[i, :length] = sample.targets
        mask[i, :length] = sample.counts[:, None]
    owners = np.repeat(list(samples), [len(its) for its in samples.values()])
    parts = {part: owners == part for part in samples}
    return SequenceProblem(inputs, targets, lengths=lengths, target_mask=mask, parts=parts, **arguments)
