"""What is done to values before scaling: logarithms, differences, and a simple model's part taken off the targets.

A network that learns a series with strong persistence spends itself on the identity; given the difference from what a
simple model says, it begins at that model. George E. P. Box and Gwilym M. Jenkins, "Time series analysis: forecasting
and control", Holden-Day, 1970, for differences; the residual of a linear model: G. Peter Zhang, "Time series
forecasting using a hybrid ARIMA and neural network model", Neurocomputing 50:159-175, 2003.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from neuroevo.checks import whole_number
from neuroevo.errors import BadInput
from neuroevo.problems import ridge
from neuroevo.problems.seasons import copies, found_season, horizon_of, seasonal

if TYPE_CHECKING:
    from neuroevo.problems.sequence import SequenceProblem

Values = NDArray[np.float64]

Residual = Literal["last_value", "seasonal", "linear"]
Transform = Literal["log", "difference", "seasonal_difference"]
RESIDUALS: tuple[str, ...] = ("last_value", "seasonal", "linear")
TRANSFORMS: tuple[str, ...] = ("log", "difference", "seasonal_difference")
LAGS = 9
"""Values of each input that a linear model sees where nobody says and no season is known."""
_MOST_LAGS = 100
_MOST_REGRESSORS = 300
"""It sees a season of up to `_MOST_LAGS` steps, and less where there are many inputs."""
_LINEAR = "scaling_linear_"


@dataclass(frozen=True, eq=False)
class Preparation:
    """The map from original units to those that are scaled, and back.

    With u the input that a target is tied to, after its logarithm where that is asked for, s the season and h the
    horizon, what is taken off the target (log y(t+h), or y(t+h)) is

    - for "last_value" and "difference": u(t);
    - for "seasonal" and "seasonal_difference": u(t + h - k s), with the smallest k that makes it known;
    - for one of each: u(t) + u(t + h - k s) - u(t - k s), and u(t) where no season has passed yet;
    - for "linear": a ridge regression on the inputs as the network sees them, beside what a difference takes off.

    The differences also hold for the inputs of the same quantity: u(t) - u(t-1), u(t) - u(t-s), 0 where the earlier
    value is not known.

    Attributes:
        residual: The model whose part is taken off the targets, one of `RESIDUALS`; "" for none.
        transform: Those of `TRANSFORMS` that are used, in that order.
        season: Steps after which the series repeats; 0 where nothing needs it.
        horizon: Steps that a target lies ahead of the input it is tied to; 0 where nothing needs it.
        tied: ``(n_outputs,)``: the input column that holds each target's quantity, or -1.
        columns: The input columns that hold a target's quantity, at the present or an earlier step.
        linear: The fitted model of "linear".
    """

    residual: str
    transform: tuple[str, ...]
    season: int
    horizon: int
    tied: tuple[int, ...]
    columns: tuple[int, ...]
    linear: ridge.Ridge | None = None

    def __post_init__(self) -> None:
        _check_names(self.residual or None, self.transform)
        if (self.linear is not None) != (self.residual == "linear"):
            raise BadInput('a fitted linear model goes with residual = "linear", and only with it')
        if self._takes_season and not (self.season >= 2 and self.horizon >= 1):
            raise BadInput(f"season must be at least 2 and the horizon at least 1, got {self.season}, {self.horizon}")
        if (self._takes_last or self._takes_season) and min(self.tied) < 0:
            raise BadInput("what takes values of the series off a target needs the input that it is tied to")

    @property
    def subtracts(self) -> bool:
        """Whether anything is taken off the targets, so that they are no longer of the inputs' size."""
        return bool(self.residual) or self.transform not in ((), ("log",))

    @property
    def _takes_last(self) -> bool:
        return self.residual == "last_value" or "difference" in self.transform

    @property
    def _takes_season(self) -> bool:
        return self.residual == "seasonal" or "seasonal_difference" in self.transform

    def __str__(self) -> str:
        season = f" (season of {self.season} steps)" if self._takes_season else ""
        transform = [f"transform {', '.join(self.transform)}"] if self.transform else []
        model = f" ridge on {len(self.linear.columns)} values" if self.linear is not None else ""
        return ", ".join([*([f"residual of {self.residual}{model}"] if self.residual else []), *transform]) + season

    def levels(self, inputs: Values) -> Values:
        """``(n_sequences, n_steps, n_inputs)``: inputs, or their logarithms (0 for what is not above 0)."""
        if "log" not in self.transform:
            return inputs
        columns, levels = list(self.columns), inputs.copy()
        levels[:, :, columns] = np.log(np.where(inputs[:, :, columns] > 0, inputs[:, :, columns], 1.0))
        return levels

    def inputs(self, inputs: Values) -> Values:
        """``(n_sequences, n_steps, n_inputs)`` as the network sees them but for the scaling, from original units."""
        values, columns = self.levels(inputs), list(self.columns)
        for lag in [{"difference": 1, "seasonal_difference": self.season}.get(name, 0) for name in self.transform]:
            if lag:
                earlier = ridge.lagged(values[:, :, columns], lag)
                earlier[:, :lag] = values[:, :lag, columns]
                values = values.copy()
                values[:, :, columns] -= earlier
        return values

    def references(self, inputs: Values) -> Values:
        """``(n_sequences, n_steps, n_outputs)``: what is taken off the targets, from inputs in original units."""
        references = np.zeros((*inputs.shape[:2], len(self.tied)))
        if self._takes_last or self._takes_season:
            last = self.levels(inputs)[:, :, list(self.tied)]
            references += self._of_the_series(last)
        return references if self.linear is None else references + self.linear(self.inputs(inputs))

    def _of_the_series(self, last: Values) -> Values:
        if not self._takes_season:
            return last
        ahead = seasonal(last, self.season, self.horizon)
        if not self._takes_last:
            return ahead
        back = self.season * -(-self.horizon // self.season)
        known = (np.arange(last.shape[1]) >= back)[None, :, None]
        return np.where(known, last + ahead - ridge.lagged(last, back), last)

    def targets(self, targets: Values, references: Values) -> Values:
        """Targets or predictions, in original units, to those that are scaled; NaN where there is no logarithm."""
        if "log" in self.transform:
            targets = np.log(np.where(targets > 0, targets, np.nan))
        return targets - references

    def restored(self, values: Values, references: Values) -> Values:
        """The inverse of `targets`."""
        values = values + references
        return np.exp(values) if "log" in self.transform else values

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Plain arrays, whose names begin with "scaling_"; `from_arrays` reads them back bit for bit."""
        arrays: dict[str, NDArray[Any]] = {
            "scaling_residual": np.array(self.residual),
            "scaling_transform": np.array(",".join(self.transform)),
            **{f"scaling_{name}": np.array(getattr(self, name), dtype=np.int64) for name in _WHOLE},
        }
        return arrays if self.linear is None else arrays | self.linear.to_arrays(_LINEAR)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Preparation | None:
        """What `to_arrays` wrote; None where nothing was prepared. Other keys of the mapping are ignored.

        Raises:
            ValueError: An array is missing or is not what `to_arrays` writes.
        """
        if "scaling_residual" not in arrays:
            return None
        missing = [f"scaling_{name}" for name in ("transform", *_WHOLE) if f"scaling_{name}" not in arrays]
        if missing:
            raise BadInput(f"the arrays of a preparation lack {', '.join(missing)}")
        whole = {name: np.asarray(arrays[f"scaling_{name}"]) for name in _WHOLE}
        if any(
            array.dtype.kind not in "iu" or array.ndim != (name in ("tied", "columns")) for name, array in whole.items()
        ):
            raise BadInput(f"scaling_{', scaling_'.join(_WHOLE)} must be whole numbers, the last two lists of them")
        residual = str(arrays["scaling_residual"])
        return cls(
            residual=residual,
            transform=tuple(filter(None, str(arrays["scaling_transform"]).split(","))),
            season=int(whole["season"]),
            horizon=int(whole["horizon"]),
            tied=tuple(whole["tied"].tolist()),
            columns=tuple(whole["columns"].tolist()),
            linear=ridge.Ridge.from_arrays(arrays, _LINEAR) if residual == "linear" else None,
        )


_WHOLE = ("season", "horizon", "tied", "columns")


def learn(
    problem: SequenceProblem, residual: str | None, transform: str | Sequence[str] | None, lags: int | None = None
) -> Preparation:
    """The preparation of a problem in original units, learnt on its training part.

    Raises:
        ValueError: A name is unknown, the two do not go together, or the problem can't be prepared so.
    """
    asked = () if transform is None else (transform,) if isinstance(transform, str) else tuple(transform)
    _check_names(residual, asked)
    names = tuple(sorted(asked, key=TRANSFORMS.index))
    _refuse_senseless(problem, residual, names)
    horizon, season = 0, 0
    if {residual, *names} & {"seasonal", "seasonal_difference"}:
        horizon, season = _horizon(problem), _season(problem)
    if "log" in names:
        _refuse_without_logarithm(problem)
    prepared = Preparation(
        residual if residual and residual != "linear" else "",
        names,
        season,
        horizon,
        problem.tied,
        tuple(copies(problem)) if names else (),
    )
    if residual != "linear":
        return prepared
    targets = prepared.targets(problem.targets, prepared.references(problem.inputs))
    counted, held = problem.counted("train"), choosing(problem)
    targets = np.where(counted | held, targets, 0.0)
    lags = default_lags(problem) if lags is None else whole_number("residual_lags", lags)
    model = ridge.fit(prepared.inputs(problem.inputs), targets, counted, held, lags)
    return dataclasses.replace(prepared, residual="linear", linear=model)


def default_lags(problem: SequenceProblem, order: int = LAGS) -> int:
    """Values of each input that a ridge regression sees: `order`, or a season and one where that is more.

    Only the present one where the inputs hold their own past already.
    """
    if len(copies(problem)) > len({*problem.tied} - {-1}):
        return 1
    season = (problem.season or found_season(problem) or 0) if min(problem.tied) >= 0 else problem.season or 0
    wanted = max(order, season + 1) if season < _MOST_LAGS else order
    return max(min(wanted, _MOST_REGRESSORS // problem.n_inputs), 1)


def choosing(problem: SequenceProblem) -> NDArray[np.bool_]:
    """``(n_sequences, n_steps, n_outputs)`` bool: the targets that choose a model's settings.

    The validation part where there is one. Else of the training part the last quarter in time, or where it has four
    sequences at least every fourth of them, of each class; the models are fitted again with them.
    """
    if "validation" in problem.parts:
        return problem.counted("validation")
    counted = problem.counted("train")
    sequences = np.flatnonzero(counted.any(axis=(1, 2)))
    held = np.zeros(counted.shape, dtype=np.bool_)
    if len(sequences) >= 4:
        kinds = np.zeros(len(sequences), dtype=np.int64)
        if problem.learned.by_class:
            first = counted.any(axis=2).argmax(axis=1)
            kinds = problem.targets[sequences, first[sequences]].argmax(axis=1)
        for kind in np.unique(kinds):
            held[sequences[kinds == kind][3::4]] = True
    else:
        for sequence in sequences:
            at = np.flatnonzero(counted[sequence].any(axis=1))
            held[sequence, at[-max(len(at) // 4, 1) :]] = True
    return held & counted


def _check_names(residual: str | None, transform: Sequence[str]) -> None:
    if residual not in (None, *RESIDUALS):
        raise BadInput(f"residual must be one of {', '.join(RESIDUALS)}; got {residual!r}")
    if not {*transform} <= {*TRANSFORMS} or len({*transform}) < len(transform):
        raise BadInput(f"transform must be of {', '.join(TRANSFORMS)}, each once at most; got {', '.join(transform)}")


def _refuse_senseless(problem: SequenceProblem, residual: str | None, names: Sequence[str]) -> None:
    if problem.learned.by_class and (residual or names):
        raise BadInput("classes have neither residual nor transform: leave both out")
    for difference, model in (("difference", "last_value"), ("seasonal_difference", "seasonal")):
        if difference in names and residual == model:
            raise BadInput(f'transform = "{difference}" takes off what residual = "{model}" would: leave one out')
    if {"difference", "seasonal_difference"} <= {*names} and residual in ("last_value", "seasonal"):
        raise BadInput(f'both differences take off what residual = "{residual}" would: leave it out')
    asked = [name for name in (residual, *names) if name and name not in ("linear", "log")]
    if asked and min(problem.tied) < 0:
        lacking = [name for name, column in zip(problem.target_names, problem.tied, strict=True) if column < 0]
        raise BadInput(
            f"{asked[0]} needs the past of each target among the inputs, where {', '.join(map(repr, lacking))} is not: "
            'add it to the inputs of a forecast, or use residual = "linear"'
        )


def _horizon(problem: SequenceProblem) -> int:
    horizon = horizon_of(problem)
    if horizon is None:
        raise BadInput(
            "a season needs targets that are the later values of the inputs they are tied to, all the same number of "
            "steps later; these are not"
        )
    return horizon


def _season(problem: SequenceProblem) -> int:
    season = problem.season or found_season(problem)
    if season is None:
        raise BadInput("no season was found in the training part: say after how many steps it repeats, season = 12")
    longest = int(problem.counted("train").any(axis=2).sum(axis=1).max())
    if season >= longest:
        raise BadInput(f"season = {season} must be less than the {longest} steps of the training part")
    return season


def _refuse_without_logarithm(problem: SequenceProblem) -> None:
    present = problem.present[:, :, None]
    seen = [(problem.inputs[:, :, c], problem.present, problem.input_names[c]) for c in copies(problem)]
    wanted = [
        (problem.targets[:, :, o], (problem.target_mask & present)[:, :, o], name)
        for o, name in enumerate(problem.target_names)
    ]
    for values, known, name in [*seen, *wanted]:
        least = float(values[known].min(initial=np.inf))
        if least <= 0:
            raise BadInput(
                f'transform = "log" needs values above 0, and {name!r} has {least:g}: leave it out, or add a constant '
                "to the column in the file"
            )
