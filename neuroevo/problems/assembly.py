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
        counts: ``(n_steps,)`` bool: the steps whose targets count.
    """

    inputs: NDArray[np.float64]
    targets: NDArray[np.float64]
    counts: NDArray[np.bool_]


def assemble(samples: Mapping[str, Sequence[Sample]], **arguments: Any) -> SequenceProblem:
    """The problem of all samples.

    Args:
        samples: Part names to sequences; empty parts are left out.
        arguments: Further arguments of `SequenceProblem`.
    """
    samples = {part: its for part, its in samples.items() if its}
    sequences = [sample for its in samples.values() for sample in its]
    inputs, targets, counts = (
        np.concatenate([getattr(sample, name) for sample in sequences]) for name in ("inputs", "targets", "counts")
    )
    owners = np.repeat(list(samples), [len(its) for its in samples.values()])
    return SequenceProblem(
        inputs,
        targets,
        lengths=[len(sample.inputs) for sample in sequences],
        target_mask=np.repeat(counts[:, None], targets.shape[1], axis=1),
        parts={part: owners == part for part in samples},
        **arguments,
    )
