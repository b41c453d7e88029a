"""What the champions of a set of trials are worth together, beside each alone."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.analysis.predictions import coverage, mean_width
from neuroevo.errors import BadInput
from neuroevo.prediction import Forecast, Predictor, least_targets, run_freely
from neuroevo.problems import Results, SequenceProblem
from neuroevo.problems.metrics import measure
from neuroevo.records import RunRecord, SavedEnsemble, SweepSet, TrialSet, best_by_validation, save_predictor
from neuroevo.records.ensembles import groups_in, predictor_of
from neuroevo.records.selection import Chosen, choose

Values = NDArray[np.float64]

LEVEL = 0.9
"""Of the intervals whose coverage is reported."""
MOST_BYTES = 2**30
"""An ensemble whose members' predictions would need more memory than this is made only where it is asked for."""


def write_ensemble(trials: TrialSet) -> SavedEnsemble | None:
    """Write ensemble.npz and ensemble.json of a set of trials: its finished champions as one predictor, and its errors.

    Returns:
        None where there is nothing to combine: fewer than two finished trials, a problem that is not made of sequences,
        data that are not stored, or more of them than fit comfortably into memory.

    Raises:
        RecordError: A trial is damaged.
        RecordUnwritable: The machine refused.
    """
    records = trials.finished()
    if len(records) < 2 or not all(record.run["data"].get("stored") for record in records):
        return None
    problem = records[0].problem
    if not isinstance(problem, SequenceProblem) or len(records) * problem.target_rows.nbytes > MOST_BYTES:
        return None
    predictor = predictor_of(records, calibrate=False)
    said = predictor.forecast_rows(problem.original.input_rows, problem.lengths)
    predictor = predictor.calibrated(problem, said)
    return save_predictor(
        predictor,
        trials.path,
        title=trials.title,
        results=ensemble_results(records, predictor, said, problem).to_dict(),
        intervals=interval_figures(predictor, said, problem),
    )


def write_selection(found: TrialSet | SweepSet) -> SavedEnsemble | None:
    """Write ensemble.npz and ensemble.json of a set of trials or a sweep: what its validation part has chosen.

    Returns:
        None where nothing has finished, or the predictions would not fit comfortably into memory.

    Raises:
        RecordError: A run is damaged.
        RecordUnwritable: The machine refused.
        BadInput: Nothing can be chosen; says why.
    """
    groups = groups_in([found.path])
    records = [record for its in groups.values() for record in its]
    if not records:
        return None
    problem = records[0].problem if records[0].run["data"].get("stored") else None
    if isinstance(problem, SequenceProblem) and len(records) * problem.target_rows.nbytes > MOST_BYTES:
        return None
    chosen = choose(groups)
    problem, predictor = chosen.problem, chosen.predictor
    chosen_by = problem.measures if problem.learned.by_class else {"nmse": ""}
    honest = measure(problem, problem.outputs_for(chosen.out_of_bag), "validation")
    return save_predictor(
        predictor,
        found.path,
        title=found.title,
        results=_selection_results(chosen, groups).to_dict(),
        intervals=interval_figures(predictor, chosen.said, problem),
        chosen={
            "weights": dict(chosen.weights),
            "validation": {name: getattr(honest, name) for name in chosen_by},
        },
    )


def _selection_results(chosen: Chosen, groups: Mapping[str, Sequence[RunRecord]]) -> Results:
    """What was chosen beside each of the points and the simple competitors, on every part."""
    problem = chosen.problem

    def measured(said: Forecast) -> dict[str, Any]:
        outputs = problem.outputs_for(said.prediction)
        return {part: dataclasses.asdict(measure(problem, outputs, part)) for part in problem.parts}

    first = next(record for its in groups.values() for record in its)
    alone = first.run.get("results", {}).get("contestants", {})
    models = {f"{name} (mean of {len(its.members)})": measured(its) for name, its in chosen.models.items()}
    simple = {name: its for name, its in alone.items() if name != "champion"}
    measures = dict(problem.measures)
    if problem.error_name != problem.original.error_name:
        measures.pop("error", None)  # that of a residual is in units that the members don't share
    return Results(measures, {"chosen by validation": measured(chosen.said), **models, **simple})


def ensemble_results(
    records: Sequence[RunRecord], predictor: Predictor, said: Forecast, problem: SequenceProblem
) -> Results:
    """The ensemble beside the best and the median of its trials and the simple competitors, on every part.

    The best is the one with the smallest validation error, or training error where there is no validation part; tests
    have no say. The median is that of each figure.
    """
    judged = judged_forecasts(problem, predictor, said)
    ensemble = measures_of(problem, {part: its.prediction for part, its in judged.items()})
    best, by = _best(records, problem)
    alone = [record.run.get("results", {}).get("contestants", {}) for record in records]
    champions = [contestants.get("champion", {}) for contestants in alone]
    simple = {name: its for name, its in alone[0].items() if name != "champion"}
    contestants = {
        f"ensemble ({predictor.combine} of {len(predictor.champions)})": ensemble,
        f"best trial by {by}: {best.path.name}": champions[records.index(best)],
        "median of the trials": {part: medians(each.get(part, {}) for each in champions) for part in problem.parts},
        **simple,
    }
    return Results(problem.measures, contestants)


def judged_forecasts(problem: SequenceProblem, predictor: Predictor, said: Forecast) -> dict[str, Forecast]:
    """Part names to the forecast by which a predictor is judged: what it says of all rows, or in its free runs."""
    if problem.free_run is None:
        return dict.fromkeys(problem.parts, said)
    return {part: run_freely(predictor, problem, part) for part in problem.parts}


def measures_of(problem: SequenceProblem, predicted: Mapping[str, Values]) -> dict[str, dict[str, Any]]:
    """Part names to measures, from predictions in original units as of `judged_forecasts`."""
    found = {}
    for part, values in predicted.items():
        if problem.free_run is None:
            metrics = measure(problem, problem.outputs_for(values), part)
        else:
            runs = problem.free_runs
            metrics = runs.measured(runs.problem_of(part).outputs_for(values), part)
        found[part] = dataclasses.asdict(metrics)
    return found


def interval_figures(predictor: Predictor, said: Forecast, problem: SequenceProblem) -> dict[str, Any] | None:
    """What intervals of 90 % hold on each part, and how wide they are; None where there are none of that level."""
    calibration = predictor.calibration
    if calibration is None or calibration.n_targets < least_targets(LEVEL):
        return None
    said = dataclasses.replace(said, calibration=calibration)
    parts: dict[str, dict[str, float]] = {part: {} for part in problem.parts}
    ways = (("absolute", False), ("scaled", True)) if len(said.members) > 1 else (("absolute", False),)
    for name, scaled in ways:
        interval = said.interval(LEVEL, scaled=scaled)
        for part, figures in parts.items():
            figures[f"{name}_coverage"] = coverage(interval, problem, part)
            figures[f"{name}_width"] = mean_width(interval, problem, part)
    return {"level": LEVEL, "n_targets": calibration.n_targets, "parts": parts}


def _best(records: Sequence[RunRecord], problem: SequenceProblem) -> tuple[RunRecord, str]:
    if "validation" in problem.parts:
        try:
            return best_by_validation(records)[0], "validation"
        except BadInput:
            pass  # a trial has lost its validation error; training errors tell them apart too
    return min(records, key=lambda record: record.champion.error), "training"


def medians(figures: Iterable[Mapping[str, float | None]]) -> dict[str, float]:
    """The median of each measure over those that have it."""
    rows = list(figures)
    found = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [value for row in rows if (value := row.get(name)) is not None]
        found[name] = float(np.median(values)) if values else math.nan
    return found
