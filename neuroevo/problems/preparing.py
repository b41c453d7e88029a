"""How a problem is prepared: what residual and transform ask for is checked and learnt on the training part."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neuroevo.checks import whole_number
from neuroevo.errors import BadInput
from neuroevo.problems import ridge
from neuroevo.problems.preparation import TRANSFORMS, Preparation, check_names
from neuroevo.problems.seasons import LONGEST, copies, horizon_of

if TYPE_CHECKING:
    from neuroevo.problems.sequence import SequenceProblem

LAGS = 9
"""Values of each input that a linear model sees where nobody says and no season is known."""
_MOST_LAGS = 100
_MOST_REGRESSORS = 300
"""It sees a season of up to `_MOST_LAGS` steps, and less where there are many inputs."""


def learn(
    problem: SequenceProblem, residual: str | None, transform: str | Sequence[str] | None, lags: int | None = None
) -> Preparation:
    """The preparation of a problem in original units, learnt on its training part.

    Raises:
        ValueError: A name is unknown, the two do not go together, or the problem can't be prepared so.
    """
    asked = () if transform is None else (transform,) if isinstance(transform, str) else tuple(transform)
    check_names(residual, asked)
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
    rows, inputs = problem.rows, problem.input_rows
    targets = prepared.targets(problem.target_rows, prepared.references(inputs, rows))
    counted, held = problem.counted_rows("train"), choosing(problem)
    targets = np.where(counted | held, targets, 0.0)
    lags = default_lags(problem) if lags is None else whole_number("residual_lags", lags)
    model = ridge.fit(prepared.inputs(inputs, rows), targets, rows, counted, held, lags)
    return dataclasses.replace(prepared, residual="linear", linear=model)


def default_lags(problem: SequenceProblem, order: int = LAGS) -> int:
    """Values of each input that a ridge regression sees: `order`, or a season and one where that is more.

    Only the present one where the inputs hold their own past already.
    """
    if len(copies(problem)) > len({*problem.tied} - {-1}):
        return 1
    season = problem.known_season or 0
    wanted = max(order, season + 1) if season < _MOST_LAGS else order
    return max(min(wanted, _MOST_REGRESSORS // problem.n_inputs), 1)


def choosing(problem: SequenceProblem) -> NDArray[np.bool_]:
    """``(n_rows, n_outputs)`` bool: the targets that choose a model's settings.

    The validation part where there is one. Else of the training part the last quarter in time, or where it has four
    sequences at least every fourth of them, of each class; the models are fitted again with them.
    """
    if "validation" in problem.parts:
        return problem.counted_rows("validation")
    counted, rows = problem.counted_rows("train"), problem.rows
    at = np.flatnonzero(counted.any(axis=1))
    sequences, first = np.unique(rows.sequence[at], return_index=True)
    held = np.zeros(rows.n_rows, dtype=np.bool_)
    if len(sequences) >= 4:
        kinds = np.zeros(len(sequences), dtype=np.int64)
        if problem.learned.by_class:
            kinds = problem.target_rows[at[first]].argmax(axis=1)
        for kind in np.unique(kinds):
            held |= np.isin(rows.sequence, sequences[kinds == kind][3::4])
    else:
        for own in np.split(at, first[1:]):
            held[own[-max(len(own) // 4, 1) :]] = True
    return held[:, None] & counted


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
            f"steps later, up to {LONGEST} and half of the training part; these are not"
        )
    return horizon


def _season(problem: SequenceProblem) -> int:
    season = problem.known_season
    if season is None:
        raise BadInput("no season was found in the training part: say after how many steps it repeats, season = 12")
    longest = int(problem.rows.sums(problem.counted_rows("train").any(axis=1).astype(np.int64)).max())
    if season >= longest:
        raise BadInput(f"season = {season} must be less than the {longest} steps of the training part")
    return season


def _refuse_without_logarithm(problem: SequenceProblem) -> None:
    seen = [(problem.input_rows[:, c], problem.input_names[c]) for c in copies(problem)]
    wanted = [(problem.target_rows[problem.mask_rows[:, o], o], name) for o, name in enumerate(problem.target_names)]
    for values, name in [*seen, *wanted]:
        least = float(values.min(initial=np.inf))
        if least <= 0:
            raise BadInput(
                f'transform = "log" needs values above 0, and {name!r} has {least:g}: leave it out, or add a constant '
                "to the column in the file"
            )
