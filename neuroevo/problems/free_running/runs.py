"""Free runs: after some rows with true values, outputs come back as inputs, and what they predict then is the error.

One step ahead a network is corrected by the truth at every step, and hardly pays for what feeding its own outputs back
does to it. Here it pays. R. J. Williams and D. Zipser, "A learning algorithm for continually running fully recurrent
neural networks", Neural Computation 1(2):270-280, 1989, call the usual way teacher forcing, and this one free running.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.checks import whole_number
from neuroevo.errors import BadInput
from neuroevo.networks.base import Network
from neuroevo.problems.free_running.loops import Loop, loop_of
from neuroevo.problems.metrics import PartMetrics, measure
from neuroevo.problems.preparation import Preparation
from neuroevo.problems.rows import Rows

if TYPE_CHECKING:
    from neuroevo.problems.sequence import SequenceProblem

Values = NDArray[np.float64]
Whole = NDArray[np.int64]
_NUMBERS = ("steps", "every", "washout", "n_calendar")


@dataclass(frozen=True)
class FreeRun:
    """What free runs are asked for.

    Attributes:
        steps: Rows that are predicted from each start.
        every: Rows from one start to the next; 0: `steps`, so that runs follow one another.
        washout: Rows with true values that the network sees first, from its first state on.
        horizons: How many rows ahead the outputs of each series lie, rising; None: found from the data.
        n_calendar: Input columns, the last ones, that are made of the predicted row's time.
    """

    steps: int
    every: int = 0
    washout: int = 50
    horizons: tuple[int, ...] | None = None
    n_calendar: int = 0

    def __post_init__(self) -> None:
        for name, least in zip(_NUMBERS, (1, 0, 1, 0), strict=True):
            object.__setattr__(self, name, whole_number(f"free_run.{name}", getattr(self, name), least))
        object.__setattr__(self, "every", self.every or self.steps)

    def __str__(self) -> str:
        return f"{self.steps} steps from every {_ordinal(self.every)} row, after {self.washout} with true values"

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Plain arrays; `from_arrays` reads them back."""
        arrays: dict[str, NDArray[Any]] = {"free_run": np.array([getattr(self, name) for name in _NUMBERS], np.int64)}
        return arrays if self.horizons is None else arrays | {"free_run_horizons": np.array(self.horizons, np.int64)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> FreeRun | None:
        """What `to_arrays` wrote; None where there is nothing of it.

        Raises:
            BadInput: It is not what `to_arrays` writes.
        """
        if "free_run" not in arrays:
            return None
        numbers, horizons = np.asarray(arrays["free_run"]), np.asarray(arrays.get("free_run_horizons", [1]))
        if (
            numbers.shape != (len(_NUMBERS),)
            or horizons.ndim != 1
            or {numbers.dtype.kind, horizons.dtype.kind} - set("iu")
        ):
            raise BadInput("the array free_run must be four whole numbers, free_run_horizons a list of them")
        known = tuple(horizons.tolist()) if "free_run_horizons" in arrays else None
        steps, every, washout, n_calendar = numbers.tolist()
        return cls(steps, every, washout, known, n_calendar)


def _ordinal(n: int) -> str:
    return f"{n}{'th' if n % 100 in (11, 12, 13) else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"


class FreeRuns:
    """The free runs of a problem.

    Steps are counted from the last row with true values, the origin, which is step 0. With a horizon of 1 the outputs
    of steps 0 to n - 1 are judged; outputs that lie further ahead are judged from earlier steps on.

    Args:
        problem: In the units that the network sees, with a `free_run`.
        origins: Those of another problem of the same rows; None: its own.

    Attributes:
        loop: How outputs come back as inputs.
        first: The first step that is judged, 0 or less.
        last: The last one.
        judged: ``(last - first + 1, n_outputs)`` bool: the outputs that are judged, and come back where they are
            inputs.
        n_known: Rows with true values that a run begins with.

    Raises:
        BadInput: Outputs can't come back as inputs, or a part has no place for a run.
    """

    def __init__(self, problem: SequenceProblem, origins: Mapping[str, Whole] | None = None) -> None:
        if problem.free_run is None:
            raise BadInput("the problem has no free_run")
        if problem.learned.by_class:
            raise BadInput("free_run feeds predicted numbers back; classes do not come back as inputs: leave it out")
        own, original = problem.free_run, problem.original
        self.problem, self.asked = problem, own
        self.loop: Loop = loop_of(original, own.horizons, own.n_calendar)
        try:
            self.loop.check(own.steps)
        except BadInput as error:
            raise BadInput(f"free_run.steps = {own.steps}: {error}") from error
        places = [(step, self.loop.horizon_for(step)) for step in range(1, own.steps + 1)]
        steps = [step - self.loop.horizons[place] for step, place in places]
        self.first, self.last = min(steps), max(steps)
        self.judged = np.zeros((self.last - self.first + 1, problem.n_outputs), np.bool_)
        for (_, place), step in zip(places, steps, strict=True):
            self.judged[step - self.first, [its[place] for its in self.loop.outputs]] = True
        self.n_known = max(own.washout, 1 - self.first)
        self.origins = MappingProxyType(dict(origins or {part: self._found(part) for part in problem.parts}))
        self._problems: dict[str, SequenceProblem] = {}

    @cached_property
    def levels(self) -> Preparation | None:
        """The preparation from logarithms on, where there are any: between them and the network all is linear."""
        prepared = self.problem.preparation
        if prepared is None:
            return None
        return dataclasses.replace(prepared, transform=tuple(name for name in prepared.transform if name != "log"))

    @cached_property
    def level_rows(self) -> Values:
        """``(n_rows, n_inputs)``: the original inputs, or their logarithms."""
        prepared, rows = self.problem.preparation, self.problem.original.input_rows
        return rows if prepared is None else prepared.levels(rows)

    @property
    def reference_rows(self) -> Values:
        """``(n_rows, n_outputs)``: what the preparation takes off the true targets."""
        references = self.problem.reference_rows
        return np.zeros(self.problem.target_rows.shape) if references is None else references

    def _found(self, part: str) -> Whole:
        """``(n_runs,)``: origins of runs whose judged steps all lie in the part, and one of whose targets counts."""
        problem, own, n_steps = self.problem, self.asked, len(self.judged)
        rows, counts = problem.rows, np.asarray(problem.counted_rows(part).any(axis=1))
        # Before `reach` steps a difference or a season is not known, and what a step sees is no steady function.
        reach = 0 if self.levels is None else without_linear(self.levels).reach
        n_before = max(self.n_known, problem.washout - self.first + 1, reach)
        suits = _runs(problem.part_rows[part], n_steps) & _runs(counts, n_steps, least=1)
        origins = np.flatnonzero(suits) - self.first
        origins = origins[(origins >= 0) & (origins < rows.n_rows)]
        step, lengths = rows.step[origins], rows.lengths[rows.sequence[origins]]
        chosen: list[int] = []
        for row in origins[(step + 1 >= n_before) & (step + self.last < lengths)].tolist():
            if not chosen or row >= chosen[-1] + own.every or rows.sequence[row] != rows.sequence[chosen[-1]]:
                chosen.append(row)
        if not chosen:
            raise BadInput(
                f"part {part!r} has no place for a free run: it takes {n_steps} steps in a row inside of the part "
                f"(free_run.steps = {own.steps}), and {n_before} rows of the sequence up to the first of them "
                f"(free_run.washout = {own.washout}, washout = {problem.washout}); lower them, or make the part longer"
            )
        return np.array(chosen, dtype=np.int64)

    def judged_rows(self, part: str) -> Whole:
        """``(n_runs, last - first + 1)``: the rows of the judged steps."""
        return np.asarray(self.origins[part][:, None] + np.arange(self.first, self.last + 1))

    def problem_of(self, part: str) -> SequenceProblem:
        """The judged steps of a part as a problem of their own, whose sequences are the runs and whose part is "train".

        Its `predictions` and measures are those of the outputs that `outputs` gives.
        """
        if part not in self._problems:
            own, at = self.problem, self.judged_rows(part)
            rows, weights = at.ravel(), own.target_weight_rows
            counts = own.counted_rows(part)[rows] & np.tile(self.judged, (len(at), 1))
            taken = {
                "lengths": np.full(len(at), at.shape[1]), "target_mask": counts, "times": None, "parts": None,
                "target_weights": weights if weights is None or weights.ndim < 2 else weights[rows],
                "washout": 0, "free_run": None,
            }  # fmt: skip
            both = []
            for its in (own.original, own):
                fields = {**own.fields(), **taken, "inputs": its.input_rows[rows], "targets": its.target_rows[rows]}
                both.append(type(own)(**fields))
            references = None if own.reference_rows is None else own.reference_rows[rows]
            both[1].__dict__.update(
                original=both[0], unscaled=both[0], scaling=own.scaling, preparation=own.preparation,
                reference_rows=references,
            )  # fmt: skip
            self._problems[part] = both[1]
        return self._problems[part]

    def check_network(self, network: Network) -> None:
        """Check that a network can run freely.

        Raises:
            BadInput: It sees whole sequences alone.
        """
        if type(network).advance is Network.advance:
            raise BadInput(
                f"free_run asks networks step by step, and the kind {network.kind!r} sees whole sequences alone: it "
                "has no start and advance"
            )

    def score(self, network: Network, genome: Values, part: str) -> tuple[float, float]:
        """As of `Problem.score`."""
        return self.problem_of(part).judged(genome, self.outputs(network, genome, part), part="train")

    def measured(self, outputs: Values, part: str) -> PartMetrics:
        """The measures of what `outputs` gives."""
        return measure(self.problem_of(part), outputs, "train")

    def outputs(self, network: Network, genome: Values, part: str) -> Values:
        """``(n_runs * (last - first + 1), n_outputs)``: outputs that stand for what a network predicts in its runs.

        A prediction less what a simple model says from *true* values, in scaled units: where nothing is taken off the
        targets, the outputs themselves.
        """
        self.problem.check_part(part)
        arrays = network.layout.decode(genome)
        steps = [outputs for step, outputs in self._run(network, arrays, self.origins[part]) if step >= self.first]
        return np.stack(steps, axis=1).reshape(-1, self.problem.n_outputs)

    def _run(self, network: Network, arrays: Any, origins: Whole) -> Iterator[tuple[int, Values]]:
        """Step after step, and its outputs ``(n_runs, n_outputs)``."""
        problem, loop, scaling = self.problem, self.loop, self.problem.scaling
        state = network.start(arrays, len(origins))
        said: dict[int, Values] = {}
        reach = 0 if self.levels is None else self.levels.reach
        past = [self.level_rows[problem.rows.before(origins, -step)] for step in range(-reach, 1)]
        lie = Rows(np.full(len(origins), reach + 1, dtype=np.int64))
        for step in range(1 - self.n_known, self.last + 1):
            rows = origins + step
            if step <= 0:
                inputs, references = problem.input_rows[rows], self.reference_rows[rows]
            else:
                place = loop.horizon_for(step)
                newest = said[step - loop.horizons[place]][:, [its[place] for its in loop.outputs]]
                later = loop.following(past[-1], newest)
                later[:, list(loop.given)] = self.level_rows[rows][:, list(loop.given)]
                past = [*past[1:], later]
                seen, references = later, np.zeros((len(origins), problem.n_outputs))
                if self.levels is not None:
                    seen, references = self.levels.latest(np.stack(past, axis=1).reshape(-1, problem.n_inputs), lie)
                inputs = scaling.scale_inputs(seen)
            outputs, state = network.advance(arrays, state, inputs)
            if step > 0:
                outputs = outputs + (references - self.reference_rows[rows]) / scaling.target_factor
            said[step] = scaling.unscale_targets(outputs) + self.reference_rows[rows]
            yield step, outputs


def _runs(mask: NDArray[np.bool_], n: int, least: int | None = None) -> NDArray[np.bool_]:
    """``(n_rows - n + 1,)``: whether all of n rows from each on are true, or `least` of them."""
    before = np.concatenate([[0], np.cumsum(mask)])
    return np.asarray(before[n:] - before[:-n] >= (n if least is None else least))


def without_linear(prepared: Preparation) -> Preparation:
    """The same without a linear model's part."""
    if prepared.linear is None:
        return prepared
    return dataclasses.replace(prepared, residual="", linear=None)
