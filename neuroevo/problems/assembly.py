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
        counts: ``(n_steps,)`` or ``(n_steps, n_outputs)`` bool: the steps or targets that count.
        times: ``(n_steps,)`` labels of the targets on the time axis; None: there are none.
        parts: Part names to ``(n_steps,)`` bool; None: the sequence belongs to a part as a whole.
        weights: ``(n_steps,)`` float64, above 0: how much each step weighs; None: all alike.
    """

    inputs: NDArray[np.float64]
    targets: NDArray[np.float64]
    counts: NDArray[np.bool_]
    times: NDArray[Any] | None = None
    parts: Mapping[str, NDArray[np.bool_]] | None = None
    weights: NDArray[np.float64] | None = None


def assemble(samples: Mapping[str, Sequence[Sample]], **arguments: Any) -> SequenceProblem:
    """The problem of all samples, padded with zeros at their ends.

    Args:
        samples: Part names to sequences; empty parts are left out. A sequence with parts of its own belongs to those.
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
        mask[i, :length] = sample.counts.reshape(length, -1)
    owners = np.repeat(list(samples), [len(its) for its in samples.values()])
    own = [part for sample in sequences for part in sample.parts or ()]
    parts: dict[str, NDArray[np.bool_]] = {}
    for part in dict.fromkeys([*own, *(part for part, its in samples.items() if any(s.parts is None for s in its))]):
        parts[part] = np.zeros(shape, dtype=np.bool_)
        for i, (sample, length) in enumerate(zip(sequences, lengths, strict=True)):
            if sample.parts is None:
                parts[part][i] = owners[i] == part
            elif part in sample.parts:
                parts[part][i, :length] = sample.parts[part]
    if sequences[0].times is not None:
        arguments["times"] = _padded([sample.times for sample in sequences], shape)
    if sequences[0].weights is not None:
        weights = np.ones(shape)
        for i, (sample, length) in enumerate(zip(sequences, lengths, strict=True)):
            weights[i, :length] = sample.weights
        given = arguments.get("target_weights")
        arguments["target_weights"] = weights[:, :, None] * (np.ones(1) if given is None else given)
    return SequenceProblem(inputs, targets, lengths=lengths, target_mask=mask, parts=parts, **arguments)


def _padded(labels: Sequence[NDArray[Any] | None], shape: tuple[int, int]) -> NDArray[Any]:
    """``(n_sequences, n_steps)`` labels; beyond a sequence's end its last one."""
    rows = [its for its in labels if its is not None]
    return np.stack([np.concatenate([its, np.repeat(its[-1:], shape[1] - len(its))]) for its in rows])
