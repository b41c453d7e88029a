"""Ensembles whose members the validation part chooses: points of sweeps, and simple competitors beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.prediction import (
    Calibration,
    Forecast,
    LogisticMember,
    Member,
    Predictor,
    ensemble_selection,
    simple_members,
)
from neuroevo.prediction.conformal import VALIDATION
from neuroevo.prediction.selection import MOST_WORSE
from neuroevo.problems import Problem, SequenceProblem, as_sequences
from neuroevo.problems.objectives import OfOnesOwn, Pinball
from neuroevo.records.ensembles import common_problem, member_of, refuse_twice
from neuroevo.records.record import RunRecord

Values = NDArray[np.float64]

_LEAST_SEQUENCES = 10
"""Where so many sequences have validation targets, resamples draw sequences, whose steps are alike; else steps."""


@dataclass(frozen=True, eq=False)
class Chosen:
    """An ensemble that validation has chosen, and what is known of it.

    Attributes:
        predictor: Itself.
        weights: The models that have a say, and how much, the largest first; a set of trials is one model, the mean of
            its champions.
        said: Its forecast of all of the problem's inputs.
        out_of_bag: ``(n_rows, n_outputs)``, original units: the same, but on the validation part without
            what its own targets have chosen.
        problem: What all members were trained on, in the units of the first run.
        models: The forecast of each set of trials by itself, by name.
    """

    predictor: Predictor
    weights: Mapping[str, float]
    said: Forecast
    out_of_bag: Values
    problem: SequenceProblem
    models: Mapping[str, Forecast]


def choose(groups: Mapping[str, Sequence[RunRecord]], *, calibrate: bool = True) -> Chosen:
    """Combine sets of trials and the simple competitors, with weights by ensemble selection on the validation part.

    Args:
        groups: Names of models to their runs, whose champions are averaged.
        calibrate: Whether it has intervals; their width is learnt from its out-of-bag misses.

    Raises:
        RecordError: A record is damaged.
        NotSequences: The problem is not made of sequences.
        BadInput: The data differ or are not stored, there is no validation part or one of a single target, or the
            objective is one that squared errors can't stand for.
    """
    records = [record for its in groups.values() for record in its]
    refuse_twice(records)
    problem = common_problem(records) if records else None
    if problem is None:
        raise BadInput("a selection needs finished runs whose records hold their data")
    check_selectable(problem)
    models: dict[str, list[Member | LogisticMember]] = {
        name: [member_of(record) for record in its] for name, its in groups.items() if its
    }
    forecasts = {name: _forecast(its, problem) for name, its in models.items()}
    simple = _good_in_training(simple_members(problem), problem)
    models |= {name: [member] for name, (member, _) in simple.items()}
    everything = forecasts | {name: said for name, (_, said) in simple.items()}

    counted = problem.counted_rows(VALIDATION)
    at = np.flatnonzero(counted.any(axis=1))
    counts, sequences, factor = counted[at], problem.rows.sequence[at], _factor(problem)
    targets = np.where(counts, problem.original.target_rows[at] / factor, 0.0)
    seen = {name: np.where(counts, each.prediction[at] / factor, 0.0) for name, each in everything.items()}
    seen = {name: values for name, values in seen.items() if np.isfinite(values).all()}
    if not seen:
        raise BadInput("no model has finite predictions of the validation part")
    units = sequences if len(np.unique(sequences)) >= _LEAST_SEQUENCES else None
    doubt = 1.0 if problem.learned.by_class else None
    found = ensemble_selection(np.stack(list(seen.values())), targets, units=units, doubt=doubt)
    weights = dict(sorted(zip(seen, found.weights.tolist(), strict=True), key=lambda item: -item[1]))
    weights = {name: weight for name, weight in weights.items() if weight > 0}

    members = [(member, weights[name] / len(models[name])) for name in weights for member in models[name]]
    shares = np.array([share for _, share in members])
    predictor = Predictor(
        tuple(member for member, _ in members),
        "mean",
        problem.learned.by_class,
        None,
        tuple((shares / shares.sum()).tolist()),
    )
    said = predictor.forecast_rows(problem.original.input_rows, problem.lengths)
    out_of_bag = said.prediction.copy()
    out_of_bag[at] = np.where(counts, found.out_of_bag * factor, out_of_bag[at])
    if calibrate and not predictor.by_class:
        calibration = Calibration.of(problem, out_of_bag, said.spread)
        predictor = Predictor(predictor.champions, "mean", False, calibration, predictor.weights)
    return Chosen(predictor, weights, said, out_of_bag, problem, forecasts)


def _forecast(members: Sequence[Member | LogisticMember], problem: SequenceProblem) -> Forecast:
    predictor = Predictor(tuple(members), "mean", problem.learned.by_class)
    return predictor.forecast_rows(problem.original.input_rows, problem.lengths)


def _good_in_training(
    simple: Sequence[Member | LogisticMember], problem: SequenceProblem
) -> dict[str, tuple[Member | LogisticMember, Forecast]]:
    """Simple competitors and their forecasts, without those far worse than another on the training part.

    They have few parameters, so that part is evidence too; on a short validation part one of them is good by chance.
    """
    said = {each.name: (each, _forecast([each], problem)) for each in simple}
    counted, targets, factor = problem.counted_rows("train"), problem.original.target_rows, _factor(problem)
    errors = {
        name: float((((its.prediction - targets) / factor)[counted] ** 2).mean()) for name, (_, its) in said.items()
    }
    least = min(errors.values())
    return {name: its for name, its in said.items() if errors[name] <= MOST_WORSE * least}


def _factor(problem: SequenceProblem) -> Values:
    """``(n_outputs,)``: what predictions are divided by so that targets weigh alike; classes are of one size."""
    if problem.learned.by_class:
        return np.ones(problem.n_outputs)
    counted, targets = problem.counted_rows("train"), problem.original.target_rows
    columns = [targets[:, o][counted[:, o]] for o in range(problem.n_outputs)]
    return np.array([values.std() if values.size and values.std() > 0 else 1.0 for values in columns])


def check_selectable(problem: Problem) -> None:
    """Check that the validation part of a problem can choose among models.

    Raises:
        NotSequences: It is not made of sequences.
        BadInput: It has no part called validation, or an objective that squared errors can't stand for.
    """
    problem = as_sequences(problem, 'ensemble = "selection"')
    if VALIDATION not in problem.parts:
        raise BadInput("a selection is made by the errors on a part called validation, and the problem has none")
    if problem.free_run is not None:
        raise BadInput(
            "a selection compares predictions of single rows, and the problem asks for free runs; take an ensemble of "
            "the best point"
        )
    if isinstance(problem.objective, Pinball | OfOnesOwn):
        raise BadInput(
            f"a selection compares squared errors, which can't stand for the objective {problem.objective.title!r}; "
            "take an ensemble of the best point"
        )
