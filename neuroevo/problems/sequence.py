"""SequenceProblem: sequences of inputs, the targets that count, and the parts that train, validate and test."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.checks import number, truth_value, whole_number
from neuroevo.errors import BadInput, WrongType
from neuroevo.problems import checks
from neuroevo.problems.arrays import Arrays, fingerprint, pack, unpack
from neuroevo.problems.base import Problem
from neuroevo.problems.baselines import Baseline, baselines
from neuroevo.problems.free_running.baselines import free_baselines
from neuroevo.problems.free_running.runs import FreeRun, FreeRuns
from neuroevo.problems.given import Given
from neuroevo.problems.learned import Learned, RightClass, Within
from neuroevo.problems.metrics import TITLES, PartMetrics, measure
from neuroevo.problems.objectives import Objective, Squared, as_objective
from neuroevo.problems.preparation import Preparation
from neuroevo.problems.preparing import learn as learn_preparation
from neuroevo.problems.results import Measured
from neuroevo.problems.rows import Padded, Rows
from neuroevo.problems.scaling import Methods, Scaling, check_method, learn
from neuroevo.problems.seasons import found_season
from neuroevo.problems.summary import Summary, describe
from neuroevo.problems.verdict import verdict
from neuroevo.problems.warnings import network_warnings, warnings
from neuroevo.problems.weighting import checked_class_weights, checked_target_weights, combined

if TYPE_CHECKING:
    from neuroevo.networks import Network


class NotSequences(BadInput):
    """Something that can only be done with sequences was asked of another kind of problem."""


class SequenceProblem(Problem):
    """What is to be learnt from sequences. Immutable: it copies what it is given, and its arrays are read-only.

    The error of outputs on a part is the `objective` over ``counted(part)``, by default the mean squared difference
    from the targets, plus ``weight_decay`` times the mean square of the genome. Learned is the share of the steps with
    a counted target that the rule `learned` calls right.

    Sequences of unequal lengths are given as lists of arrays, one a sequence, or one after the other as rows, or padded
    at their ends; they are kept as rows, without padding. What belongs to their steps (masks, parts, times, weights) is
    given in the same form. Below, the shapes are those of padded arrays; in a list each array lacks the first axis and
    has the steps of its sequence, and rows have the axis n_rows instead of n_sequences and n_steps.

    Args:
        inputs: ``(n_sequences, n_steps, n_inputs)`` real numbers.
        targets: ``(n_sequences, n_steps, n_outputs)`` real numbers.
        lengths: ``(n_sequences,)`` whole numbers: the steps that each sequence really has. Of padded arrays the rest is
            padding, None: they have none. Of rows they say where the next sequence begins, and are needed.
        target_mask: ``(n_sequences, n_steps, n_outputs)`` bool: the targets that count. None: all of them.
        washout: Leading steps of each sequence whose targets do not count.
        learned: ``Within(tolerance)`` or ``RightClass()``.
        parts: Part names to bool masks ``(n_sequences, n_steps)``, or ``(n_sequences,)`` for whole sequences. A target
            belongs to the part whose mask is true at its step; the state runs through from part to part. One part is
            called "train". None: everything trains.
        weight_decay: Factor of the mean square of the genome in the error.
        times: Labels of the targets on the time axis, ``(n_steps,)`` or ``(n_sequences, n_steps)``, numbers or text.
        time_name: What the times are called, for axes and tables.
        input_names: One name an input column.
        target_names: One name a target column.
        tied: For each target column the input column that holds the same quantity (a series predicted from itself), or
            -1. The two share one scaling, and "last value repeated" is defined for them.
        reference_variance: The constant by which the literature divides the squared error of these data (average
            relative variance), in original units.
        season: Steps after which the series repeats itself, for simple competitors and `prepared`. None: found on the
            training part.
        gradient_boosting: Whether gradient-boosted trees are among the competitors; they need scikit-learn.
        objective: What the error is: a name of `objectives.OBJECTIVES`, an `Objective` such as ``Huber(0.5)``, or a
            function of one's own (`objectives.Own`), itself or as "module:function". Only one that a module has under
            its name can be stored in a record, pickled or sent to workers.
        target_weights: Positive weights of the targets in the error, in a shape that broadcasts to theirs.
        class_weights: ``(n_outputs,)`` positive weights of the classes, or "balanced": those of the training part then
            weigh alike.
        free_run: The error is that of free runs, in which outputs come back as inputs; None: steps see true values.

    Attributes:
        rows: Where the sequences lie in `input_rows`, `target_rows`, `mask_rows`, `part_rows`, `time_rows`,
            `reference_rows`, `weight_rows` and ``counted_rows(part)``: ``(n_rows, ...)``, read-only. The same with the
            axes ``(n_sequences, n_steps, ...)`` are `inputs`, `targets`, `target_mask`, `parts`, `times`,
            `references`, `weights` and ``counted(part)``: views where all sequences are of one length, elsewhere
            padded copies that are made anew whenever they are asked for.
        original: The problem in original units.
        unscaled: The problem as it is before scaling: prepared where that was asked for, or the original.
        scaling: From there to the present units.
        preparation: From original units to there; None where nothing is prepared.
        reference_rows: ``(n_rows, n_outputs)``: what the preparation takes off the targets, or None.
        notes: What reading did to the data, in sentences, where they come from a file.

    Raises:
        TypeError, ValueError: With the argument, what was expected, what came, and the remedy.
    """

    kind: ClassVar[str] = "sequences"
    error_name: str = Squared().title
    parts: Mapping[str, NDArray[np.bool_]]
    rows: Rows
    notes: tuple[str, ...] = ()

    def __init__(
        self,
        inputs: ArrayLike,
        targets: ArrayLike,
        *,
        lengths: ArrayLike | None = None,
        target_mask: ArrayLike | None = None,
        washout: int = 0,
        learned: Learned | None = None,
        parts: Mapping[str, ArrayLike] | None = None,
        weight_decay: float = 0.0,
        times: ArrayLike | None = None,
        time_name: str | None = None,
        input_names: Sequence[str] | None = None,
        target_names: Sequence[str] | None = None,
        tied: Sequence[int] | None = None,
        reference_variance: float | None = None,
        season: int | None = None,
        gradient_boosting: bool = False,
        objective: Objective | str | Callable[..., object] | None = None,
        target_weights: ArrayLike | None = None,
        class_weights: ArrayLike | str | None = None,
        free_run: FreeRun | None = None,
    ) -> None:
        given = Given(inputs, targets, lengths)
        self.rows, self.input_rows, self.target_rows = given.rows, given.inputs, given.targets
        self.lengths, self.n_sequences, self.n_steps = given.rows.lengths, given.rows.n_sequences, given.rows.n_steps
        self.n_inputs, self.n_outputs = given.inputs.shape[1], given.targets.shape[1]
        self.mask_rows = given.mask(np.ones(given.targets.shape, np.bool_) if target_mask is None else target_mask)
        self.washout = whole_number("washout", washout, 0)
        self.learned: Learned = Within(0.1) if learned is None else learned
        self.part_rows = MappingProxyType(checks.checked_parts(parts, given))
        self.parts = Padded(self.rows, self.part_rows)
        self.weight_decay = number("weight_decay", weight_decay, at_least=0)
        self.time_rows = None if times is None else given.times(times)
        if time_name is not None and not isinstance(time_name, str):
            raise WrongType(f"time_name must be text or None, got {time_name!r}")
        self.time_name = time_name
        self.input_names = checks.checked_names("input_names", input_names, self.n_inputs)
        self.target_names = checks.checked_names("target_names", target_names, self.n_outputs)
        self.tied = checks.checked_tied(tied, self.n_inputs, self.n_outputs)
        self.reference_variance = (
            None if reference_variance is None else number("reference_variance", reference_variance, above=0)
        )
        self.season = None if season is None else whole_number("season", season, 2)
        self.gradient_boosting = truth_value("gradient_boosting", gradient_boosting)
        self.objective = as_objective(objective)
        if free_run is not None and not isinstance(free_run, FreeRun):
            raise WrongType(f"free_run must be a FreeRun or None, got {free_run!r}")
        self.free_run = free_run
        self.target_weight_rows = checked_target_weights(target_weights, given)
        self.class_weights: NDArray[np.float64] | None = None
        self.scaling = Scaling.identity(self.n_inputs, self.n_outputs)
        self.preparation: Preparation | None = None
        self.reference_rows: NDArray[np.float64] | None = None
        self.original: SequenceProblem = self
        self.unscaled: SequenceProblem = self
        self._check_and_freeze(class_weights)

    def __setattr__(self, name: str, value: object) -> None:
        if "_counted" in self.__dict__:
            raise AttributeError(f"{name} of a SequenceProblem cannot be set; make another problem")
        super().__setattr__(name, value)

    def _check_and_freeze(self, class_weights: ArrayLike | str | None) -> None:
        # A rule of another class, a subclass too, would be judged by kernels as one of these two.
        if type(self.learned) not in (Within, RightClass):
            raise WrongType(f"learned must be Within(tolerance) or RightClass(), got {self.learned!r}")
        checks.refuse_non_finite("inputs", self.input_rows, True, self.rows)
        checks.refuse_non_finite("targets", self.target_rows, self.mask_rows, self.rows)
        counts = self.mask_rows & (self.rows.step >= self.washout)[:, None] if self.washout else self.mask_rows
        counted: dict[str, NDArray[np.bool_]] = {}
        for name, mask in self.part_rows.items():
            counted[name] = counts & mask[:, None]
            if not counted[name].any():
                raise BadInput(
                    f"part {name!r} counts no target: its mask, target_mask, lengths and "
                    f"washout (the first {self.washout} steps) leave none"
                )
        if self.learned.by_class:
            checks.refuse_unclassifiable(self.target_rows, counts, self.rows)
        by_class = self.learned.by_class
        self.class_weights = checked_class_weights(class_weights, self.target_rows, counted["train"], by_class)
        self.objective.check(self)
        if self.objective != Squared() or self.weight_rows is not None:
            self.error_name = f"{'' if self.weight_rows is None else 'weighted '}{self.objective.title}"
        if self.free_run is not None:
            what, bracket, unit = self.error_name.partition(" (")
            self.error_name = f"{what} of free runs of {self.free_run.steps} steps{bracket}{unit}"
        for array in [self.input_rows, self.target_rows, *counted.values()]:
            checks.frozen(array)
        self._counted = counted

    @property
    def inputs(self) -> NDArray[np.float64]:
        """``(n_sequences, n_steps, n_inputs)``: `input_rows`, padded with 0."""
        return self.rows.padded(self.input_rows)

    @property
    def targets(self) -> NDArray[np.float64]:
        """``(n_sequences, n_steps, n_outputs)``: `target_rows`, padded with 0."""
        return self.rows.padded(self.target_rows)

    @property
    def target_mask(self) -> NDArray[np.bool_]:
        """``(n_sequences, n_steps, n_outputs)``: `mask_rows`; False beyond a length."""
        return self.rows.padded(self.mask_rows)

    @property
    def times(self) -> NDArray[np.generic] | None:
        """``(n_sequences, n_steps)``: `time_rows`, padded with 0 or empty text; None where there are none."""
        return None if self.time_rows is None else self.rows.padded(self.time_rows)

    @property
    def references(self) -> NDArray[np.float64] | None:
        """``(n_sequences, n_steps, n_outputs)``: `reference_rows`, padded with 0."""
        return None if self.reference_rows is None else self.rows.padded(self.reference_rows)

    @property
    def target_weights(self) -> NDArray[np.float64] | None:
        """What broadcasts to the targets: to padded ones where all lengths are equal, else to rows; None: all alike."""
        weights = self.target_weight_rows
        return weights if weights is None or weights.ndim < 2 else self._shaped(weights)

    @property
    def present(self) -> NDArray[np.bool_]:
        """``(n_sequences, n_steps)`` bool: the steps that are no padding."""
        return np.asarray(np.arange(self.n_steps)[None, :] < self.lengths[:, None])

    @property
    def weights(self) -> NDArray[np.float64] | None:
        """``(n_sequences, n_steps, n_outputs)``: `weight_rows`, padded with 0."""
        return None if self.weight_rows is None else self.rows.padded(self.weight_rows)

    @cached_property
    def weight_rows(self) -> NDArray[np.float64] | None:
        """``(n_rows, n_outputs)``: the weight of each target in the error; None where all are equal."""
        return combined(self.target_weight_rows, self.class_weights, self.target_rows)

    def counted(self, part: str = "train") -> NDArray[np.bool_]:
        """``(n_sequences, n_steps, n_outputs)`` bool, read-only: the targets of a part that count.

        Raises:
            ValueError: There is no such part.
        """
        return self.rows.padded(self.counted_rows(part))

    def counted_rows(self, part: str = "train") -> NDArray[np.bool_]:
        """``(n_rows, n_outputs)``: as `counted`."""
        self.check_part(part)
        return self._counted[part]

    def _shaped(self, values: NDArray[Any]) -> NDArray[Any]:
        """Rows as the constructor takes them for this problem and records store them: padded where that is a view."""
        return self.rows.padded(values) if self.rows.is_uniform else values

    def prepared(
        self,
        residual: str | None = None,
        transform: str | Sequence[str] | None = None,
        *,
        residual_lags: int | None = None,
    ) -> SequenceProblem:
        """The same problem, not scaled, with transformed targets of which a simple model's part is taken off.

        All measures, predictions and plots stay in original units of the full target; the error that training minimises
        is the residual's. `Preparation` has the formulas. Starts from the original problem; `scaled` goes on from here.

        Args:
            residual: "last_value", "seasonal", "linear", or None or "none".
            transform: "log", "difference", "seasonal_difference", several of them, or None.
            residual_lags: Values of each input that the linear model sees: the present one and those before it. None:
                9, or a season and one; only the present one where inputs hold their own past.

        Raises:
            ValueError: A name is unknown, the two do not go together, or the problem can't be prepared so.
        """
        problem = self.original
        residual = None if residual == "none" else residual
        if residual is None and not transform:
            return problem
        return problem.with_preparation(learn_preparation(problem, residual, transform, residual_lags))

    def with_preparation(self, preparation: Preparation) -> SequenceProblem:
        """The same problem, not scaled, prepared as another one was, such as the one that a champion was trained on.

        Raises:
            ValueError: It is for other columns, or gives values beyond floating-point numbers.
        """
        base = self.original
        preparation.check_columns(base.n_inputs, base.n_outputs)
        with np.errstate(over="ignore", invalid="ignore"):
            references = preparation.references(base.input_rows, base.rows)
            inputs = preparation.inputs(base.input_rows, base.rows)
            targets = preparation.targets(base.target_rows, references)
        if not (np.isfinite(inputs).all() and np.isfinite(targets[base.mask_rows]).all()):
            raise BadInput("the preparation gives values that are not finite; choose another transform or residual")
        problem = base.with_values(inputs, targets)
        problem.__dict__.update(preparation=preparation, reference_rows=checks.frozen(references), original=base)
        if preparation.subtracts:
            what, bracket, unit = problem.error_name.partition(" (")
            problem.__dict__["error_name"] = f"{what} of the residual{bracket}{unit}"
        return problem

    @cached_property
    def known_season(self) -> int | None:
        """`season`, or what the training part of a series shows; None where nothing repeats itself."""
        if self.original is not self:
            return self.original.known_season
        return self.season or (found_season(self) if min(self.tied) >= 0 else None)

    def scaled(self, method: Methods, limits: tuple[float, float] = (-1.0, 1.0)) -> SequenceProblem:
        """The same problem in scaled units, learnt on the training part only.

        Inputs are learnt from the steps of the training part, targets from the training targets that count (before the
        washout too), tied columns from both together, unless two methods are given or a simple model's part is taken
        off the targets. One-hot targets of RightClass stay as they are.

        Args:
            method: "none", "standard", "range" or "robust"; or a mapping from "inputs" and "targets" to such names.
            limits: The ends of the interval for "range".

        Raises:
            ValueError: Unknown method, limits that are no interval, or values too large or too close to be scaled.
        """
        for name in [method] if isinstance(method, str) else method.values():
            check_method(name)
        if not isinstance(method, str) and not method.keys() <= {"inputs", "targets"}:
            raise BadInput(f"a table of scaling has the keys inputs and targets, got {', '.join(method)}")
        if len(limits) != 2 or not (np.isfinite(limits).all() and limits[0] < limits[1]):
            raise BadInput(f"the limits of a range must be two finite numbers in rising order, got {limits!r}")
        problem = self.unscaled
        if method == "none":
            return problem
        apart = problem.preparation is not None and problem.preparation.subtracts
        return problem.with_scaling(learn(problem, method, limits, apart=apart))

    def with_scaling(self, scaling: Scaling) -> SequenceProblem:
        """The same problem in the units of a given scaling, such as the one that a champion was trained in.

        Raises:
            ValueError: The scaling is for other numbers of columns, or gives values beyond floating-point numbers.
        """
        if self.unscaled is not self:
            return self.unscaled.with_scaling(scaling)
        if (len(scaling.input_offset), len(scaling.target_offset)) != (self.n_inputs, self.n_outputs):
            raise BadInput(
                f"the scaling is for {len(scaling.input_offset)} inputs and {len(scaling.target_offset)} outputs, "
                f"the problem has {self.n_inputs} and {self.n_outputs}"
            )
        with np.errstate(over="ignore", invalid="ignore"):
            inputs, targets = scaling.scale_inputs(self.input_rows), scaling.scale_targets(self.target_rows)
        if not (np.isfinite(inputs).all() and np.isfinite(targets[self.mask_rows]).all()):
            raise BadInput(
                "scaling gives values beyond the range of floating-point numbers: the training values of a column lie "
                "too close together for the values of the other parts; choose another scaling or part"
            )
        problem = self.with_values(inputs, targets)
        # Nothing that was prepared changes with the units.
        kept = {name: self.__dict__[name] for name in ("original", "preparation", "reference_rows")}
        problem.__dict__.update(scaling=scaling, unscaled=self, error_name=self.error_name, **kept)
        return problem

    def predictions(self, outputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Outputs of a network as values of the full target in original units.

        Args:
            outputs: ``(n_rows, n_outputs)``, or ``(n_sequences, n_steps, n_outputs)``.

        Returns:
            Of the same shape; NaN beyond a length.
        """
        if outputs.ndim == 3:
            return self.rows.padded(self.predictions(self.rows.of(outputs)), np.nan)
        values = self.scaling.unscale_targets(outputs)
        if self.preparation is None or self.reference_rows is None:
            return values
        return self.preparation.restored(values, self.reference_rows)

    def outputs_for(self, predictions: NDArray[np.float64]) -> NDArray[np.float64]:
        """The inverse of `predictions`: the outputs that would be them; NaN where there are none (logarithms)."""
        if predictions.ndim == 3:
            return self.rows.padded(self.outputs_for(self.rows.of(predictions)), np.nan)
        if self.preparation is not None and self.reference_rows is not None:
            predictions = self.preparation.targets(predictions, self.reference_rows)
        return self.scaling.scale_targets(predictions)

    def with_values(self, inputs: NDArray[np.float64], targets: NDArray[np.float64]) -> SequenceProblem:
        """The same problem with other values, ``(n_rows, n_inputs)`` and ``(n_rows, n_outputs)``, as original ones."""
        return SequenceProblem(**{**self.fields(), "inputs": self._shaped(inputs), "targets": self._shaped(targets)})

    def fields(self) -> dict[str, Any]:
        """The arguments that construct this problem again, in its present units; arrays are read-only.

        Those of steps are padded where all sequences are of one length, and rows elsewhere.
        """
        names = (
            "lengths", "washout", "learned", "weight_decay", "time_name", "input_names", "target_names", "tied",
            "reference_variance", "season", "gradient_boosting", "objective", "target_weights", "class_weights",
            "free_run",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names} | {
            "inputs": self._shaped(self.input_rows),
            "targets": self._shaped(self.target_rows),
            "target_mask": self._shaped(self.mask_rows),
            "times": None if self.time_rows is None else self._shaped(self.time_rows),
            "parts": {name: self._shaped(mask) for name, mask in self.part_rows.items()},
        }

    def to_arrays(self) -> Arrays:
        """The problem as plain arrays, in original units, with the parameters of preparation and scaling."""
        return pack(self.original.fields()) | self.scaling_arrays()

    def fingerprint(self) -> str:
        """As in `Problem`; what the times are called does not matter."""
        return fingerprint({name: array for name, array in self.to_arrays().items() if name != "time_name"})

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> SequenceProblem:
        """The problem that `to_arrays` wrote, bit for bit, prepared and scaled as it was; other keys are ignored.

        Raises:
            ValueError: An array is missing or is not what `to_arrays` writes.
        """
        problem, scaling = cls(**unpack(arrays)), Scaling.from_arrays(arrays)
        preparation = Preparation.from_arrays(arrays)
        if preparation is not None:
            problem = problem.with_preparation(preparation)
        return problem if (scaling.method, scaling.target_method) == ("none", None) else problem.with_scaling(scaling)

    def check_network(self, network: Network) -> None:
        """As in `Problem`; the objective may ask for outputs of a kind."""
        super().check_network(network)
        self.objective.check_network(self, network)
        if self.free_run is not None:
            self.free_runs.check_network(network)

    def describe(self) -> Summary:
        """What the problem is; ``str`` of it is a few lines for people."""
        return describe(self)

    def warnings(self) -> list[str]:
        """Sentences on what is legal and yet probably not meant; empty where all is well."""
        return warnings(self)

    def network_warnings(self, network: Network) -> list[str]:
        """As in `Problem`: where the outputs can't be the targets."""
        return network_warnings(self, network)

    def score(self, network: Network, genome: NDArray[np.float64], part: str) -> tuple[float, float]:
        """As in `Problem`: the objective over the counted targets and weight decay, share of the right steps."""
        if self.free_run is not None:
            return self.free_runs.score(network, genome, part)
        return self.judged(genome, network.predict_rows(genome, self.input_rows, self.lengths), part)

    def judged(self, genome: NDArray[np.float64], outputs: NDArray[np.float64], part: str) -> tuple[float, float]:
        """What `score` gives for a genome whose network has these outputs ``(n_rows, n_outputs)``."""
        counted = self.counted_rows(part)
        error = self.objective.error(self, outputs, counted)
        error += self.weight_decay * float((genome * genome).mean())
        right = self.learned.right(outputs, self.target_rows, counted)
        return error, right.sum() / counted.any(axis=1).sum()

    @cached_property
    def free_runs(self) -> FreeRuns:
        """The free runs that its error is of.

        Raises:
            BadInput: It has none; or outputs can't come back as inputs, or a part has no place for a run.
        """
        return FreeRuns(self)

    @property
    def measures(self) -> Mapping[str, str]:
        """As in `Problem`: those of the rule, in the literature's own form where these data have one.

        An error that is no mean squared error comes first.
        """
        names = (
            "arv" if name == "nmse" and self.reference_variance is not None else name for name in self.learned.measures
        )
        own = {} if self.error_name == SequenceProblem.error_name else {"error": self.error_name}
        of = "" if self.free_run is None else " of free runs"
        return own | {name: f"{TITLES[name]}{of}" for name in names}

    def measure(self, network: Network, genome: NDArray[np.float64]) -> Measured:
        """As in `Problem`: the fields of `PartMetrics`."""
        if self.free_run is not None:
            runs = self.free_runs
            return _plain({part: runs.measured(runs.outputs(network, genome, part), part) for part in self.parts})
        outputs = network.predict_rows(genome, self.input_rows, self.lengths)
        return _plain({part: measure(self, outputs, part) for part in self.parts})

    def competitors(self) -> Mapping[str, Measured]:
        """As in `Problem`: the `baselines`, fitted once."""
        return self._competitors

    @cached_property
    def _competitors(self) -> Mapping[str, Measured]:
        return {baseline.label: _plain(baseline.parts) for baseline in self._baselines}

    @cached_property
    def _baselines(self) -> tuple[Baseline, ...]:
        return baselines(self) if self.free_run is None else free_baselines(self)

    def verdict(self, champion: Measured) -> str:
        """As in `Problem`: the best simple competitor, and what it says about what to try."""
        return verdict(self, champion, self._baselines)

    def scaling_arrays(self) -> Arrays:
        """As in `Problem`: the parameters of preparation and scaling."""
        return self.scaling.to_arrays() | ({} if self.preparation is None else self.preparation.to_arrays())

    def __reduce__(self) -> tuple[object, ...]:
        # Unpickled arrays are writeable; going through the constructor makes them read-only again.
        return SequenceProblem.from_arrays, (self.to_arrays(),)

    def __repr__(self) -> str:
        parts = ", ".join(f"{name} {int(self._counted[name].sum())}" for name in self.parts)
        steps = f"{'' if self.rows.is_uniform else 'up to '}{self.n_steps} steps"
        shape = f"{self.n_sequences} sequences of {steps}, {self.n_inputs} inputs, {self.n_outputs} outputs"
        return f"<SequenceProblem: {shape}; targets: {parts}; scaling {self.scaling}>"


def as_sequences(problem: Problem, purpose: str) -> SequenceProblem:
    """The problem itself, for a purpose that needs sequences.

    Raises:
        NotSequences: It is of another kind.
    """
    if not isinstance(problem, SequenceProblem):
        raise NotSequences(f"{purpose}: only for problems made of sequences, and {problem.kind!r} is of another kind")
    return problem


def _plain(parts: Mapping[str, PartMetrics]) -> Measured:
    return {part: dataclasses.asdict(metrics) for part, metrics in parts.items()}
