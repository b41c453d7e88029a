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
from neuroevo.problems.arrays import Arrays, pack, unpack
from neuroevo.problems.base import Problem
from neuroevo.problems.baselines import Baseline, baselines
from neuroevo.problems.learned import Learned, RightClass, Within
from neuroevo.problems.metrics import TITLES, PartMetrics, measure
from neuroevo.problems.objectives import Objective, Squared, as_objective
from neuroevo.problems.preparation import Preparation
from neuroevo.problems.preparing import learn as learn_preparation
from neuroevo.problems.results import Measured
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

    Args:
        inputs: ``(n_sequences, n_steps, n_inputs)`` real numbers.
        targets: ``(n_sequences, n_steps, n_outputs)`` real numbers.
        lengths: ``(n_sequences,)`` whole numbers: the steps that each sequence really has; the rest is padding.
            None: all of them.
        target_mask: ``(n_sequences, n_steps, n_outputs)`` bool: the targets that count. None: all of them.
        washout: Leading steps of each sequence whose targets do not count.
        learned: ``Within(tolerance)`` or ``RightClass()``.
        parts: Part names to bool masks ``(n_sequences, n_steps)``, or ``(n_sequences,)`` for whole sequences. A target
            belongs to the part whose mask is true at its step; the state runs through from part to part. One part is
            called "train". None: everything trains.
        weight_decay: Factor of the mean square of the genome in the error.
        times: Labels of the targets on the time axis, ``(n_steps,)`` or ``(n_sequences, n_steps)``, numbers or text.
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

    Attributes:
        original: The problem in original units.
        unscaled: The problem as it is before scaling: prepared where that was asked for, or the original.
        scaling: From there to the present units.
        preparation: From original units to there; None where nothing is prepared.
        references: ``(n_sequences, n_steps, n_outputs)``: what the preparation takes off the targets, or None.

    Raises:
        TypeError, ValueError: With the argument, what was expected, what came, and the remedy.
    """

    kind: ClassVar[str] = "sequences"
    error_name: str = Squared().title
    parts: Mapping[str, NDArray[np.bool_]]

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
        input_names: Sequence[str] | None = None,
        target_names: Sequence[str] | None = None,
        tied: Sequence[int] | None = None,
        reference_variance: float | None = None,
        season: int | None = None,
        gradient_boosting: bool = False,
        objective: Objective | str | Callable[..., object] | None = None,
        target_weights: ArrayLike | None = None,
        class_weights: ArrayLike | str | None = None,
    ) -> None:
        self.inputs = checks.sequence_array("inputs", inputs, "n_inputs")
        self.targets = checks.sequence_array("targets", targets, "n_outputs")
        self.n_sequences, self.n_steps, self.n_inputs = self.inputs.shape
        self.n_outputs = self.targets.shape[2]
        if self.targets.shape[:2] != self.inputs.shape[:2]:
            raise BadInput(
                "inputs and targets must have the same number of sequences and steps, "
                f"got {self.inputs.shape} and {self.targets.shape}"
            )
        self.lengths = checks.checked_lengths(lengths, self.n_sequences, self.n_steps)
        self.target_mask = checks.checked_mask(target_mask, self.targets.shape)
        self.washout = whole_number("washout", washout, 0)
        self.learned: Learned = Within(0.1) if learned is None else learned
        self.parts = MappingProxyType(checks.checked_parts(parts, self.n_sequences, self.n_steps))
        self.weight_decay = number("weight_decay", weight_decay, at_least=0)
        self.times = checks.checked_times(times, self.n_sequences, self.n_steps)
        self.input_names = checks.checked_names("input_names", input_names, self.n_inputs)
        self.target_names = checks.checked_names("target_names", target_names, self.n_outputs)
        self.tied = checks.checked_tied(tied, self.n_inputs, self.n_outputs)
        self.reference_variance = (
            None if reference_variance is None else number("reference_variance", reference_variance, above=0)
        )
        self.season = None if season is None else whole_number("season", season, 2)
        self.gradient_boosting = truth_value("gradient_boosting", gradient_boosting)
        self.objective = as_objective(objective)
        self.target_weights = checked_target_weights(target_weights, self.targets.shape)
        self.class_weights: NDArray[np.float64] | None = None
        self.scaling = Scaling.identity(self.n_inputs, self.n_outputs)
        self.preparation: Preparation | None = None
        self.references: NDArray[np.float64] | None = None
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
        present = self.present[:, :, None]
        counts = self.target_mask & present
        checks.refuse_non_finite("inputs", self.inputs, np.broadcast_to(present, self.inputs.shape))
        checks.refuse_non_finite("targets", self.targets, counts)
        counts = counts & (np.arange(self.n_steps) >= self.washout)[None, :, None]
        counted: dict[str, NDArray[np.bool_]] = {}
        for name, mask in self.parts.items():
            counted[name] = counts & mask[:, :, None]
            if not counted[name].any():
                raise BadInput(
                    f"part {name!r} counts no target: its mask, target_mask, lengths and "
                    f"washout (the first {self.washout} steps) leave none"
                )
        if self.learned.by_class:
            checks.refuse_unclassifiable(self.targets, counts)
        by_class = self.learned.by_class
        self.class_weights = checked_class_weights(class_weights, self.targets, counted["train"], by_class)
        self.objective.check(self)
        if self.objective != Squared() or self.weights is not None:
            self.error_name = f"{'' if self.weights is None else 'weighted '}{self.objective.title}"
        arrays = [self.inputs, self.targets, self.lengths, self.target_mask, *self.parts.values()]
        for array in [*arrays, *counted.values(), *([] if self.times is None else [self.times])]:
            checks.frozen(array)
        self._counted = counted

    @property
    def present(self) -> NDArray[np.bool_]:
        """``(n_sequences, n_steps)`` bool: the steps that are no padding."""
        return np.asarray(np.arange(self.n_steps)[None, :] < self.lengths[:, None])

    @cached_property
    def weights(self) -> NDArray[np.float64] | None:
        """``(n_sequences, n_steps, n_outputs)``: the weight of each target in the error; None where all are equal."""
        return combined(self.target_weights, self.class_weights, self.targets)

    def counted(self, part: str = "train") -> NDArray[np.bool_]:
        """``(n_sequences, n_steps, n_outputs)`` bool, read-only: the targets of a part that count.

        Raises:
            ValueError: There is no such part.
        """
        self.check_part(part)
        return self._counted[part]

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
            references = preparation.references(base.inputs)
            inputs, targets = preparation.inputs(base.inputs), preparation.targets(base.targets, references)
        counts = base.target_mask & base.present[:, :, None]
        if not (np.isfinite(inputs[base.present]).all() and np.isfinite(targets[counts]).all()):
            raise BadInput("the preparation gives values that are not finite; choose another transform or residual")
        references[~base.present] = 0.0
        problem = SequenceProblem(**{**base.fields(), "inputs": inputs, "targets": targets})
        problem.__dict__.update(preparation=preparation, references=checks.frozen(references), original=base)
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
            inputs, targets = scaling.scale_inputs(self.inputs), scaling.scale_targets(self.targets)
        counts = self.target_mask & self.present[:, :, None]
        if not (np.isfinite(inputs[self.present]).all() and np.isfinite(targets[counts]).all()):
            raise BadInput(
                "scaling gives values beyond the range of floating-point numbers: the training values of a column lie "
                "too close together for the values of the other parts; choose another scaling or part"
            )
        problem = SequenceProblem(**{**self.fields(), "inputs": inputs, "targets": targets})
        # Nothing that was prepared changes with the units.
        kept = {name: self.__dict__[name] for name in ("original", "preparation", "references")}
        problem.__dict__.update(scaling=scaling, unscaled=self, error_name=self.error_name, **kept)
        return problem

    def predictions(self, outputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Outputs of a network as values of the full target in original units; both like the targets."""
        values = self.scaling.unscale_targets(outputs)
        if self.preparation is None or self.references is None:
            return values
        return self.preparation.restored(values, self.references)

    def outputs_for(self, predictions: NDArray[np.float64]) -> NDArray[np.float64]:
        """The inverse of `predictions`: the outputs that would be them; NaN where there are none (logarithms)."""
        if self.preparation is not None and self.references is not None:
            predictions = self.preparation.targets(predictions, self.references)
        return self.scaling.scale_targets(predictions)

    def fields(self) -> dict[str, Any]:
        """The arguments that construct this problem again, in its present units; arrays are the read-only originals."""
        names = (
            "inputs", "targets", "lengths", "target_mask", "washout", "learned", "weight_decay", "times",
            "input_names", "target_names", "tied", "reference_variance", "season", "gradient_boosting", "objective",
            "target_weights", "class_weights",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names} | {"parts": dict(self.parts)}

    def to_arrays(self) -> Arrays:
        """The problem as plain arrays, in original units, with the parameters of preparation and scaling."""
        return pack(self.original.fields()) | self.scaling_arrays()

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
        counted = self.counted(part)
        outputs = network.predict(genome, self.inputs, self.lengths)
        error = self.objective.error(self, outputs, counted)
        error += self.weight_decay * float((genome * genome).mean())
        right = self.learned.right(outputs, self.targets, counted)
        return error, right.sum() / counted.any(axis=2).sum()

    @property
    def measures(self) -> Mapping[str, str]:
        """As in `Problem`: those of the rule, in the literature's own form where these data have one.

        An error that is no mean squared error comes first.
        """
        names = (
            "arv" if name == "nmse" and self.reference_variance is not None else name for name in self.learned.measures
        )
        own = {} if self.error_name == SequenceProblem.error_name else {"error": self.error_name}
        return own | {name: TITLES[name] for name in names}

    def measure(self, network: Network, genome: NDArray[np.float64]) -> Measured:
        """As in `Problem`: the fields of `PartMetrics`."""
        outputs = network.predict(genome, self.inputs, self.lengths)
        return _plain({part: measure(self, outputs, part) for part in self.parts})

    def competitors(self) -> Mapping[str, Measured]:
        """As in `Problem`: the `baselines`, fitted once."""
        return self._competitors

    @cached_property
    def _competitors(self) -> Mapping[str, Measured]:
        return {baseline.label: _plain(baseline.parts) for baseline in self._baselines}

    @cached_property
    def _baselines(self) -> tuple[Baseline, ...]:
        return baselines(self)

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
        shape = (
            f"{self.n_sequences} sequences of {self.n_steps} steps, {self.n_inputs} inputs, {self.n_outputs} outputs"
        )
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
