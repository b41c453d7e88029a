"""Mini-batches: in each generation all genomes are evaluated on a fresh subset of the training part.

Which one follows from the seed and the generation, so that all islands have the same and a resumed run goes on with it.
Errors of different generations are of different data, so only strategies that rank within a generation can be told
them (`Strategy.memoryless`), and what is compared over generations, the incumbent, is measured on all data.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.problems import as_sequences
from neuroevo.problems.control.base import EpisodeProblem
from neuroevo.settings import Mistake, SettingsError, shown
from neuroevo.strategies import Phase, stream

if TYPE_CHECKING:
    from neuroevo.problems import Problem, SequenceProblem
    from neuroevo.problems.stretches import Stretches

MEASURED = 16
"""Genomes of a generation, the best on its batch, that are measured on all data: as many as a kernel takes at once."""


@dataclass(frozen=True)
class BatchSettings:
    """The table [batch].

    Attributes:
        size: Sequences of a generation's batch, or stretches of them, drawn without replacement.
        steps: Steps of a stretch that count; left out, whole sequences are drawn.
        washout: Steps before these that are run and do not count, as far as the sequence has them.
        growth: What `size` is multiplied by from generation to generation; a batch that would hold everything is all
            data, run through as they are.
        every: Generations from one measurement on all data to the next; the first generation is measured too. Left out,
            what it takes for the batches to have used twice as many steps as all data have, by their first size.
    """

    size: Annotated[int, Ge(1)]
    steps: Annotated[int, Ge(1)] | None = None
    washout: Annotated[int, Ge(0)] = 0
    growth: Annotated[float, Ge(1)] = 1.0
    every: Annotated[int, Ge(1)] | None = None

    def __post_init__(self) -> None:
        if self.washout and self.steps is None:
            raise SettingsError(
                [Mistake("washout", "goes with steps only: whole sequences need none", shown(self.washout))]
            )


@dataclass(frozen=True, eq=False)
class BatchPlan:
    """The batches of a run.

    Attributes:
        problem: What is to be learnt.
        settings: How large they are.
        seed: The run's.
    """

    problem: SequenceProblem | EpisodeProblem
    settings: BatchSettings
    seed: int

    def of(self, generation: int) -> Stretches | None:
        """The batch of a generation, in the order of the data; None where it is all data."""
        settings = self.settings
        rng = stream(self.seed, generation=generation, phase=Phase.BATCH)
        pieces = self._pieces(0 if self._steps is None else int(rng.integers(self._steps)))
        # Beyond the largest float all data are wanted in any case.
        with np.errstate(over="ignore"):
            size = np.round(settings.size * np.float64(settings.growth) ** (generation - 1))
        if size >= len(pieces):
            return None
        return pieces[np.sort(rng.permutation(len(pieces))[: int(size)])]

    @cached_property
    def every(self) -> int:
        """Generations from one measurement to the next."""
        if self.settings.every is not None:
            return self.settings.every
        pieces = self._pieces(0)
        in_batch = (pieces[:, 3] - pieces[:, 1]).mean() * min(self.settings.size, len(pieces))
        return max(1, round(2 * float(self._last.sum()) / float(in_batch)))

    def check(self) -> None:
        """Check that there is something to draw from.

        Raises:
            BadInput: The first batch would be all data, or episodes are to be cut.
        """
        if self._is_of_episodes and self.settings.steps is not None:
            raise BadInput("batch.steps cuts sequences into stretches; episodes are drawn whole: leave it out")
        n_pieces, settings = len(self._pieces(0)), self.settings
        if settings.size >= n_pieces:
            what = (
                "episodes"
                if self._is_of_episodes
                else "sequences"
                if settings.steps is None
                else f"stretches of {self._steps} steps"
            )
            raise BadInput(
                f"batch.size = {settings.size} is all there is: the training part has {n_pieces} {what}; make it "
                "smaller, leave out [batch]"
                + ("" if settings.steps or self._is_of_episodes else ", or let steps cut sequences into stretches")
            )

    def _pieces(self, offset: int) -> Stretches:
        """What is drawn from: whole sequences with a training target, or what they fall into when cut at an offset."""
        lengths, steps = self._last, self._steps
        if steps is None:
            sequences = np.flatnonzero(lengths)
            zeros = np.zeros_like(sequences)
            return np.column_stack([sequences, zeros, zeros, lengths[sequences]])
        n_pieces = np.where(lengths > 0, (lengths - offset + steps - 1) // steps + (offset > 0), 0)
        sequence = np.repeat(np.arange(len(lengths)), n_pieces)
        number = np.arange(len(sequence)) - np.repeat(np.cumsum(n_pieces) - n_pieces, n_pieces)
        cut = number * steps - ((steps - offset) if offset else 0)
        first, end = np.maximum(cut, 0), np.minimum(cut + steps, lengths[sequence])
        rows = self._sequences.rows.offsets[sequence]
        some = self._counts_before[rows + end] > self._counts_before[rows + first]
        washout = min(self.settings.washout, self._sequences.n_steps)
        pieces = np.column_stack([sequence, np.maximum(first - washout, 0), first, end])
        return np.asarray(pieces[some])

    @property
    def _is_of_episodes(self) -> bool:
        return isinstance(self.problem, EpisodeProblem)

    @property
    def _sequences(self) -> SequenceProblem:
        return as_sequences(self.problem, "[batch]")

    @property
    def _steps(self) -> int | None:
        """Steps of a stretch, no more than the longest sequence has."""
        return None if self.settings.steps is None else min(self.settings.steps, self._sequences.n_steps)

    @cached_property
    def _counts_before(self) -> NDArray[np.int64]:
        """``(n_rows + 1,)``: training steps of all sequences that count before each row."""
        counts = np.asarray(self._sequences.counted_rows("train").any(axis=1))
        return np.pad(np.cumsum(counts), (1, 0))

    @cached_property
    def _last(self) -> NDArray[np.int64]:
        """``(n_sequences,)``: steps up to the last that counts in training; of an episode 1, since all cost alike."""
        if isinstance(self.problem, EpisodeProblem):
            return np.ones(self.problem.n_episodes("train"), np.int64)
        return self._sequences.rows.ends(np.asarray(self._sequences.counted_rows("train").any(axis=1)))


def batchable(problem: Problem) -> SequenceProblem | EpisodeProblem:
    """The problem itself, sure to have sequences or episodes to draw from.

    Raises:
        NotSequences: It has neither.
    """
    if isinstance(problem, EpisodeProblem):
        return problem
    found = as_sequences(problem, "[batch]")
    if found.free_run is not None:
        raise BadInput("free runs are evaluated all together: leave out [batch], or start fewer, free_run.every")
    return found
