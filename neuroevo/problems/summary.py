"""What a problem is, in a few lines for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from neuroevo.problems.sequence import SequenceProblem


@dataclass(frozen=True)
class PartSummary:
    """One part of a problem.

    Attributes:
        name: Its name.
        n_sequences: Sequences with a counted target in it.
        n_steps: Steps with one.
        n_targets: Counted targets.
        first: Label of its first counted target, or None where the problem has no time labels.
        last: Label of its last one.
    """

    name: str
    n_sequences: int
    n_steps: int
    n_targets: int
    first: str | None
    last: str | None


@dataclass(frozen=True)
class Summary:
    """A problem in plain values; ``str`` of it is a few lines of text, ``dataclasses.asdict`` fits into JSON.

    Attributes:
        n_sequences: Sequences.
        shortest: Steps of the shortest one.
        longest: Steps of the longest one.
        inputs: Names of the inputs.
        targets: Names of the targets.
        parts: Each part.
        scaling: Method of the scaling.
        preparation: What is done before it, in words; empty where nothing is.
        washout: Leading steps that do not count.
        learned: The rule, in words.
        weight_decay: Factor of the genome's mean square in the error.
        error: What the error is; empty where it is the mean squared error.
        free_run: Of what free runs it is, in words; empty where steps see true values.
    """

    n_sequences: int
    shortest: int
    longest: int
    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    parts: tuple[PartSummary, ...]
    scaling: str
    washout: int
    learned: str
    weight_decay: float
    preparation: str = ""
    error: str = ""
    free_run: str = ""

    def __str__(self) -> str:
        steps = f"{self.shortest}" if self.shortest == self.longest else f"{self.shortest} to {self.longest}"
        number = "1 sequence" if self.n_sequences == 1 else f"{self.n_sequences} sequences"
        lines = [
            f"{number} of {steps} steps",
            f"inputs   {len(self.inputs)}: {_listed(self.inputs)}",
            f"targets  {len(self.targets)}: {_listed(self.targets)}",
            *(f"part     {_part_line(part)}" for part in self.parts),
            *([f"prepared {self.preparation}"] if self.preparation else []),
            f"scaling  {self.scaling}" + (", learnt on the training part" if self.scaling != "none" else ""),
            f"learned  {self.learned}",
        ]
        lines += [f"error    {self.error}"] if self.error else []
        lines += [f"free run {self.free_run}"] if self.free_run else []
        lines += [f"washout  {self.washout} steps"] if self.washout else []
        lines += [f"decay    {self.weight_decay:g} times the mean square of the genome"] if self.weight_decay else []
        return "\n".join(lines)


def _listed(names: tuple[str, ...], limit: int = 8) -> str:
    return ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")


def _part_line(part: PartSummary) -> str:
    span = "" if part.first is None else f", {part.first} to {part.last}"
    sequences = "" if part.n_sequences == 1 else f" in {part.n_sequences} sequences"
    return f"{part.name}: {part.n_targets} targets in {part.n_steps} steps{sequences}{span}"


def describe(problem: SequenceProblem) -> Summary:
    """The summary of a problem."""
    return Summary(
        n_sequences=problem.n_sequences,
        shortest=int(problem.lengths.min()),
        longest=int(problem.lengths.max()),
        inputs=problem.input_names,
        targets=problem.target_names,
        parts=tuple(_part(problem, name) for name in problem.parts),
        scaling=str(problem.scaling),
        washout=problem.washout,
        learned=problem.learned.words(scaled=str(problem.scaling) != "none"),
        weight_decay=problem.weight_decay,
        preparation="" if problem.preparation is None else str(problem.preparation),
        error="" if problem.error_name == type(problem).error_name else problem.error_name,
        free_run="" if problem.free_run is None else _free_runs(problem),
    )


def _free_runs(problem: SequenceProblem) -> str:
    numbers = ", ".join(f"{len(origins)} in {part}" for part, origins in problem.free_runs.origins.items())
    return f"{problem.free_run}: {numbers}"


def _part(problem: SequenceProblem, name: str) -> PartSummary:
    counted = problem.counted_rows(name)
    steps = np.asarray(counted.any(axis=1))
    labels = [] if problem.time_rows is None else problem.time_rows[steps].tolist()
    return PartSummary(
        name=name,
        n_sequences=int(problem.rows.some(steps).sum()),
        n_steps=int(steps.sum()),
        n_targets=int(counted.sum()),
        first=str(labels[0]) if labels else None,
        last=str(labels[-1]) if labels else None,
    )
