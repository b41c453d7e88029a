"""What the values of each swept key came to, and the curves of trials and points."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.analysis import quartiles_of, summary
from neuroevo.plots import style
from neuroevo.plots.compare import plot_compare
from neuroevo.plots.prediction import draw_ensemble
from neuroevo.plots.series import Look
from neuroevo.plots.times import Span
from neuroevo.problems import as_sequences
from neuroevo.records import SweepSet, TrialSet, saved_ensemble
from neuroevo.records.files import own_subfolder
from neuroevo.records.record import PLOT_FOLDER
from neuroevo.records.sweeps import short_value

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neuroevo.records import RunRecord

Floats = NDArray[np.float64]

_MOST_KEYS = 6
_MOST_CURVES = len(style.CYCLE)
#: Numbers that span more than this factor are drawn on a logarithmic axis.
_WIDE = 8.0
#: A key with more values than this is drawn along an axis of numbers; one with fewer, value beside value.
_MOST_NAMED = 8
#: Letters that fit side by side under a panel.
_LETTERS = 34
#: Half of the width over which the points of one value are spread, where the values are 1 apart.
_REACH = 0.34
_NAMES = {
    "champion.validation_error": "validation: {}",
    "champion.error": "training: {}",
    "validation.nmse": "validation: normalised mean squared error",
}


def plot_trials(
    trials: TrialSet,
    formats: Sequence[str] = style.FORMATS,
    *,
    folder: Path | None = None,
    span: Span | None = None,
    size: Sequence[float] | None = None,
) -> list[Path]:
    """Draw the error of the trials over the evaluations, and the predictions of the ensemble that is saved with them.

    Args:
        trials: The set.
        formats: Of "png", "svg" and "pdf".
        folder: Where the files go; the set's ``plots`` where it is None.
        span: Of the predictions, as in `plot_run`.
        size: Width and height of each figure in inches.

    Returns:
        The files; none where no trial has a generation.

    Raises:
        RecordError: A record is damaged.
        RecordUnwritable: The machine refused.
    """
    records = [record for record in trials.trials() if record.history.n_generations]
    if not records:
        return []
    folder = own_subfolder(trials.path / PLOT_FOLDER) if folder is None else style.made(folder)
    title = trials.title or trials.path.name
    paths = plot_compare(records, folder, formats, title=title, group_by=lambda _: "incumbent", size=size)
    return paths + _plot_ensemble(trials.path, records[0], Look(title, span, style.checked_size(size)), folder, formats)


def _plot_ensemble(path: Path, record: RunRecord, look: Look, folder: Path, formats: Sequence[str]) -> list[Path]:
    """Draw the predictions of the ensemble that is saved with a set, if there is one, on the data of a run."""
    ensemble = saved_ensemble(path)
    if ensemble is None or not record.run["data"].get("stored"):
        return []
    problem = as_sequences(record.problem, "no plot of predictions")
    said = ensemble.predictor().forecast_rows(problem.original.input_rows, problem.lengths)
    with style.drawing(f"the ensemble in {path}"):
        return style.save(draw_ensemble(said, problem, look), folder, "prediction", formats)


def plot_sweep(
    sweep: SweepSet,
    formats: Sequence[str] = style.FORMATS,
    *,
    folder: Path | None = None,
    size: Sequence[float] | None = None,
) -> list[Path]:
    """Draw the error at each point over each swept key; where there are few points, their curves; and predictions.

    These are of the ensemble that validation has chosen among the points, where the sweep has one.

    Args:
        sweep: At least one of its runs has finished.
        formats: Of "png", "svg" and "pdf".
        folder: Where the files go; the sweep's ``plots`` where it is None.
        size: Width and height of each figure in inches.

    Returns:
        The files; none where no run has finished.

    Raises:
        RecordError: A record is damaged.
        RecordUnwritable: The machine refused.
    """
    formats, size = style.checked_formats(formats), style.checked_size(size)
    found = summary(sweep)
    if not any(quartiles_of(point, found["chosen_by"]) for point in found["points"]):
        return []
    points = sweep.points()
    records = [record for trials in points for record in trials.trials() if record.history.n_generations]
    folder = own_subfolder(sweep.path / PLOT_FOLDER) if folder is None else style.made(folder)
    title = sweep.title or sweep.path.name
    names = {record.error_name for record in records}
    error = next(iter(names)) if len(names) == 1 else "error"
    with style.drawing(f"the sweep in {sweep.path}"):
        paths = style.save(_draw(found, title, error, size), folder, "sweep", formats)
    labels = {trials.path: trials.path.name for trials in points}
    if len(points) <= _MOST_CURVES and len(names) == 1:
        paths += plot_compare(
            records, folder, formats, title=title, group_by=lambda each: labels[each.path.parent], size=size
        )
    return paths + _plot_ensemble(sweep.path, records[0], Look(title, None, style.checked_size(size)), folder, formats)


def _draw(found: Mapping[str, Any], title: str, error: str = "error", size: style.Size | None = None) -> Figure:
    from neuroevo.plots.ticks import set_logarithmic

    chosen_by = found["chosen_by"]
    points = [point for point in found["points"] if quartiles_of(point, chosen_by)]
    errors = np.array([quartiles_of(point, chosen_by) for point in points], dtype=np.float64)
    best = int(np.argmin(errors[:, 1]))
    keys = found["keys"][:_MOST_KEYS]
    n_columns = min(len(keys), 3)
    n_rows = -(-len(keys) // n_columns)
    figure = style.new_figure(max(5.5, 3.4 * n_columns + 1.2), 1.0 + 2.9 * n_rows, size)
    panels = figure.subplots(n_rows, n_columns, sharey=True, squeeze=False).ravel()
    low, high = float(errors.min()), float(errors.max())
    for axes, key in zip(panels, keys, strict=False):
        _panel(axes, key, [point["values"].get(key) for point in points], errors, best)
        if low > 0 and high / low > _WIDE:
            set_logarithmic(axes, "y", low, high)
    for axes in panels[len(keys) :]:
        axes.set_visible(False)
    for axes in panels[::n_columns]:
        axes.set_ylabel(style.error_label(_NAMES[chosen_by].format(error)))
    several = any(point["n_finished"] > 1 for point in points)
    what = "median and middle half of the trials" if several else "one run each"
    style.heading(figure, title, f"{len(points)} points, {what}; ring: the best")
    return figure


def _panel(axes: Axes, key: str, values: Sequence[Any], errors: Floats, best: int) -> None:
    """The error at all points over one key; `errors` is `(n_points, 3)`: lower quartile, median, upper quartile."""
    from neuroevo.plots.ticks import set_logarithmic

    texts = [json.dumps(value, sort_keys=True) for value in values]
    distinct = sorted(dict.fromkeys(texts), key=_rank)  # texts of equal rank keep their order
    if len(distinct) <= _MOST_NAMED or not all(_is_number(value) for value in values):
        places = _beside_each_other(texts, distinct, errors[:, 1])
        labels = [style.single_line(short_value(json.loads(text)), 24) for text in distinct]
        slanted = sum(map(len, labels)) > _LETTERS
        axes.set_xticks(
            range(len(distinct)), labels, rotation=25 if slanted else 0, ha="right" if slanted else "center"
        )
        axes.set_xlim(-0.6, len(distinct) - 0.4)
    else:
        places = np.array(values, dtype=np.float64)
        if places.min() > 0 and places.max() / places.min() > _WIDE:
            set_logarithmic(axes, "x", float(places.min()), float(places.max()))
    for index in sorted(range(len(values)), key=lambda index: index == best):  # the best one on top
        lower, median, upper = errors[index]
        x = places[index]
        colour, strength = (style.VERMILION, 1.0) if index == best else (style.BLUE, 0.5)
        axes.plot([x, x], [lower, upper], color=colour, lw=1.4, alpha=strength)
        axes.plot([x], [median], "o", color=colour, markersize=5, alpha=strength, mew=0)
        if index == best:
            axes.plot([x], [median], "o", color=colour, markersize=11, mfc="none", mew=1.4)
    axes.set_xlabel(style.single_line(key, 40))


def _rank(text: str) -> tuple[bool, float]:
    """Numbers by size, before everything else."""
    value = json.loads(text)
    return (False, float(value)) if _is_number(value) else (True, 0.0)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _beside_each_other(texts: Sequence[str], distinct: Sequence[str], errors: Floats) -> Floats:
    """Places of points with few values: those of one value side by side, the smallest error first."""
    places = np.empty(len(texts))
    for number, text in enumerate(distinct):
        mine = np.flatnonzero([each == text for each in texts])
        mine = mine[np.argsort(errors[mine], kind="stable")]
        width = min(_REACH, 0.04 * (len(mine) - 1))
        places[mine] = number + np.linspace(-width, width, len(mine)) if len(mine) > 1 else number
    return places
