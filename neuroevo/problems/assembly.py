"""Sequences of unequal length become one problem, whole sequences in each part."""

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
    """The problem of all samples.

    Args:
        samples: Part names to sequences; empty parts are left out. A sequence with parts of its own belongs to those.
        arguments: Further arguments of `SequenceProblem`.
    """
    samples = {part: its for part, its in samples.items() if its}
    sequences = [sample for its in samples.values() for sample in its]
    lengths = [len(sample.inputs) for sample in sequences]
    inputs, targets = (
        np.concatenate([getattr(sample, name) for sample in sequences]) for name in ("inputs", "targets")
    )
    mask = np.concatenate([np.broadcast_to(s.counts.reshape(len(s.inputs), -1), s.targets.shape) for s in sequences])
    if sequences[0].times is not None:
        arguments["times"] = np.concatenate([sample.times for sample in sequences if sample.times is not None])
    if sequences[0].weights is not None:
        weights = np.concatenate([sample.weights for sample in sequences if sample.weights is not None])
        given = arguments.get("target_weights")
        arguments["target_weights"] = weights[:, None] * (np.ones(1) if given is None else np.asarray(given))
    parts = _parts(sequences, [part for part, its in samples.items() for _ in its])
    return SequenceProblem(inputs, targets, lengths=lengths, target_mask=mask, parts=parts, **arguments)


def _parts(sequences: Sequence[Sample], owners: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    """Part names to ``(n_rows,)``: those of the sequences' own first."""
    own = [part for sample in sequences for part in sample.parts or ()]
    whole = [owner for sample, owner in zip(sequences, owners, strict=True) if sample.parts is None]
    masks = {}
    for part in dict.fromkeys([*own, *whole]):
        each = []
        for sample, owner in zip(sequences, owners, strict=True):
            its = {owner: np.ones(len(sample.inputs), np.bool_)} if sample.parts is None else sample.parts
            each.append(its.get(part, np.zeros(len(sample.inputs), np.bool_)))
        masks[part] = np.concatenate(each)
    return masks
