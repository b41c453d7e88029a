"""What a model says of new rows, and of those that come after all rows that are known, as tables."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.checks import whole_number
from neuroevo.errors import BadInput
from neuroevo.prediction import PredictionTable, least_targets, step_misses, warmed
from neuroevo.problems.tables.reading import several
from neuroevo.problems.tables.timeline import Timeline, calendar_inputs
from neuroevo.records.continuation import Continued, without_more

if TYPE_CHECKING:
    from neuroevo.records.models import Model

LEVEL = 0.9
"""Of intervals, where nobody says."""
MOST_STEPS = 100_000
"""A longer forecast is a mistake in writing."""
_LEAST_PAST = 40


def predicted(model: Model, data: Any, level: float | None, *, restart: bool) -> PredictionTable:
    """As `Model.predict`."""
    sequences = model.continued(data, restart=restart)
    named = len(sequences) > 1 or not model.is_forecast
    table = _stacked([_predicted(model, its, its.name if named else "") for its in sequences])
    if not len(table.prediction):
        raise BadInput(
            "nothing follows the data of the run: bring rows after them, or let the state begin anew with the file "
            "(--restart), which predicts all its rows"
        )
    return _with_intervals(model, table, level)


def _predicted(model: Model, its: Continued, name: str) -> PredictionTable:
    said = model.predictor.forecast(its.inputs[None])
    steps = np.arange(its.n_old, its.n_steps)
    if model.last_step_counts:
        steps = steps[-1:]
    horizons = model.loop.horizons
    keys: dict[str, Sequence[Any]] = {"sequence": [name] * len(steps)} if name else {}
    # Several horizons have several times: then it is that of the row they are counted from.
    keys[model.time_name if len(horizons) == 1 else f"last known {model.time_name}"] = its.times(
        steps + (horizons[0] if len(horizons) == 1 else 0)
    ).tolist()
    prediction = said.prediction[0, steps]
    classes = _classes(prediction, model.problem.target_names) if model.predictor.by_class else None
    spread = said.spread[0, steps] if len(said.members) > 1 else None
    names = model.problem.target_names
    return PredictionTable(keys, names, prediction, spread=spread, classes=classes, notes=its.notes)


def _classes(outputs: NDArray[np.float64], names: Sequence[str]) -> list[str]:
    """The class of the largest output of each row; empty where it is no number."""
    return [names[int(row.argmax())] if np.isfinite(row).all() else "" for row in outputs]


def _with_intervals(model: Model, table: PredictionTable, level: float | None) -> PredictionTable:
    if model.predictor.by_class:
        if level is not None:
            raise BadInput("classes have no intervals: leave the level out")
        return table
    calibration, wanted = model.predictor.calibration, LEVEL if level is None else level
    n_targets = 0 if calibration is None else calibration.n_targets
    if calibration is None or n_targets < least_targets(wanted):
        return _without_intervals(
            table, wanted, "validation targets of each output", n_targets, asked=level is not None
        )
    width = calibration.half_width(wanted)
    return dataclasses.replace(table, low=table.prediction - width, high=table.prediction + width, level=wanted)


def _without_intervals(table: PredictionTable, level: float, what: str, n: int, *, asked: bool) -> PredictionTable:
    needed = least_targets(level)
    why = f"no intervals: a level of {level:g} needs {needed} {what}, and there are {n}"
    if asked:
        raise BadInput(f"{why}; lower it, or train with a validation part that is long enough")
    return dataclasses.replace(table, notes=(*table.notes, why))


def forecast(model: Model, steps: int, data: Any, level: float | None, *, restart: bool) -> PredictionTable:
    """As `Model.forecast`."""
    n_steps, loop = whole_number("steps", steps), model.loop
    if n_steps > MOST_STEPS:
        raise BadInput(f"steps must be {MOST_STEPS:,} at most, got {n_steps:,}")
    if model.predictor.by_class:
        raise BadInput("classes are not forecast beyond the data: predict answers rows whose inputs are known")
    loop.check(n_steps)
    its = _known(model, data, restart=restart)
    if its.n_steps < loop.reach:
        raise BadInput(f"a forecast {loop.reach} rows ahead needs as many rows before it, and there are {its.n_steps}")
    ahead = _ahead(model, its, data, n_steps)
    stream, said = warmed(model.predictor, model.problem, its.inputs, loop.reach)
    members = loop.run(stream, its.inputs[-1], said, n_steps, ahead)
    found = model.predictor.combined(members[:, None])
    labels, past = its.past(loop, max(_LEAST_PAST, 2 * n_steps))
    table = PredictionTable(
        {model.time_name: its.times(its.n_steps + np.arange(n_steps)).tolist()},
        tuple(_series_names(model)),
        found.prediction[0],
        spread=found.spread[0] if len(members) > 1 else None,
        notes=(*its.notes, *_trained_for(model, n_steps)),
        past=(labels.tolist(), past),
    )
    return _with_step_intervals(model, table, level)


def _trained_for(model: Model, n_steps: int) -> tuple[str, ...]:
    """A sentence on whether outputs came back as inputs in training; nothing where they do not in the forecast."""
    asked = model.problem.free_run
    if asked is not None:
        return (
            f"trained on free runs of {asked.steps} steps, each after {asked.washout} rows with true values, as here",
        )
    if n_steps <= model.loop.reach:
        return ()
    return ("trained on true values, while here outputs come back as inputs; [problem] free_run trains for that",)


def _known(model: Model, data: Any, *, restart: bool) -> Continued:
    """All that is known before a forecast: the run's data, and the new ones that go on with them."""
    if data is None:
        if restart:
            raise BadInput("the state begins anew with a file, and none is given")
        if model.problem.n_sequences != 1:
            raise BadInput("the run has several sequences: give a file, with which the forecast goes on")
        file = getattr(model.settings, "file", "")
        return without_more(model.problem, model.loop, file if isinstance(file, str) else "")
    sequences = model.continued(data, restart=restart)
    if len(sequences) != 1:
        raise BadInput(f"a forecast goes on with one series, and the file has {len(sequences)}")
    return sequences[0]


def _series_names(model: Model) -> list[str]:
    loop, names = model.loop, model.problem.target_names
    suffix = f" +{loop.horizons[0]}" if len(loop.horizons) > 1 else ""
    return [names[its[0]].removesuffix(suffix) for its in loop.outputs]


def _ahead(model: Model, its: Continued, data: Any, n_steps: int) -> NDArray[np.float64] | None:
    """``(n_steps, n_inputs)``: what is known of the next rows, where outputs come back; else None."""
    loop = model.loop
    n_needed = n_steps - loop.reach
    if not loop.given or n_needed <= 0:
        return None
    calendar = several(getattr(model.settings, "calendar", None))
    ahead = np.full((n_steps, model.problem.n_inputs), math.nan)
    if calendar:
        clock = Timeline(its.times(its.n_steps + loop.horizons[0] + np.arange(n_steps))).clock
        if clock is None:
            raise BadInput("the calendar of the next rows is not known: their times are no dates")
        ahead[:, loop.given[-2 * len(calendar) :]] = calendar_inputs(clock, calendar)
    plans = loop.given[: len(loop.given) - 2 * len(calendar)]
    if plans:
        known = model.plans(data)
        for place, column in enumerate(plans):
            series, horizon = divmod(place, len(loop.horizons))
            values = known[its.n_read + loop.horizons[horizon] :, series][:n_steps]
            ahead[: len(values), column] = values
    known_rows = np.isfinite(ahead[:, list(loop.given)]).all(axis=1)
    n_known = n_steps if known_rows.all() else int(known_rows.argmin())
    if n_known < n_needed:
        raise BadInput(
            f"what is known ahead of time reaches for {n_known + loop.reach} steps: ask for no more, or let the file "
            "go on with rows that hold it alone"
        )
    return ahead


def _with_step_intervals(model: Model, table: PredictionTable, level: float | None) -> PredictionTable:
    n_steps, wanted = len(table.prediction), LEVEL if level is None else level
    misses = step_misses(model.predictor, model.problem, model.loop, n_steps)
    needed = least_targets(wanted)
    n_reached = 0 if misses is None else sum(n >= needed for n in misses.n_misses)
    if misses is None or not n_reached:
        n = 0 if misses is None else max(misses.n_misses)
        return _without_intervals(table, wanted, "forecasts from the validation part", n, asked=level is not None)
    notes = table.notes
    if n_reached < n_steps:
        notes += (f"the validation part is too short for intervals beyond step {n_reached}: those are left out",)
    width = misses.half_widths(wanted)
    low, high = table.prediction - width, table.prediction + width
    return dataclasses.replace(table, low=low, high=high, level=wanted, notes=notes)


def _stacked(tables: Sequence[PredictionTable]) -> PredictionTable:
    """Several tables, one below another."""
    first = tables[0]
    if len(tables) == 1:
        return first
    spreads = [table.spread for table in tables if table.spread is not None]
    return dataclasses.replace(
        first,
        keys={name: [cell for table in tables for cell in table.keys[name]] for name in first.keys},
        prediction=np.concatenate([table.prediction for table in tables]),
        spread=np.concatenate(spreads) if spreads else None,
        classes=None if first.classes is None else [name for table in tables for name in table.classes or ()],
        notes=tuple(dict.fromkeys(note for table in tables for note in table.notes)),
    )
