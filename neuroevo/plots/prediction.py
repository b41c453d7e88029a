"""The champion's outputs beside the targets, in original units: as series, as examples, as scatter, or by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.analysis import LEVEL, confusion, part_errors
from neuroevo.plots import style
from neuroevo.plots.series import Around, draw_examples, draw_series
from neuroevo.prediction import Forecast, least_targets

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neuroevo.problems import SequenceProblem

Floats = NDArray[np.float64]

INTERVAL = f"{100 * LEVEL:g} % interval"
#: Sequences with fewer counted targets than this are drawn as points, not as curves.
_FEW_TARGETS = 4
_MOST_PARTS = 4
_MOST_OUTPUTS = 3


def draw_prediction(outputs: Floats, problem: SequenceProblem, title: str) -> Figure:
    """The form that suits the problem: classes as a table, one series over time, many sequences as examples or points.

    Args:
        outputs: ``(n_rows, n_outputs)``, or ``(n_sequences, n_steps, n_outputs)``, of the champion, scaled units.
        problem: In the units that it was trained in.
        title: Of the figure.
    """
    return _draw(problem.predictions(problem.rows.of(outputs)), problem.original, title)


def draw_ensemble(said: Forecast, problem: SequenceProblem, title: str) -> Figure:
    """The same for an ensemble, with its intervals and the middle half of its members around it.

    Args:
        said: The forecast of all inputs of the problem.
        problem: Its units do not matter.
        title: Of the figure.
    """
    of, predicted = problem.rows.of, problem.rows.of(said.prediction)
    if problem.learned.by_class:
        return _draw(predicted, problem.original, title)
    bands, reach = {}, None
    if said.calibration is not None and said.calibration.n_targets >= least_targets(LEVEL):
        low, high = said.interval(LEVEL)
        bands[INTERVAL], reach = (of(low), of(high)), said.calibration.half_width(LEVEL)
    lower, upper = np.quantile(said.members, [0.25, 0.75], axis=0)
    bands["middle half of members"] = of(lower), of(upper)
    return _draw(
        predicted,
        problem.original,
        title,
        Around(bands, f"{said.combine} of {len(said.members)}", style.BLUE, reach),
    )


def _draw(predicted: Floats, original: SequenceProblem, title: str, around: Around | None = None) -> Figure:
    if original.learned.by_class:
        return _draw_classes(predicted, original, title)
    errors = " · ".join(f"{part} {error:.4g}" for part, error in part_errors(predicted, original).items())
    subtitle = f"mean squared error (original units) · {errors}"
    if original.n_sequences == 1:
        return draw_series(predicted, original, title, subtitle, around)
    counted = np.any([original.counted_rows(part).any(axis=1) for part in original.parts], axis=0)
    if np.median(original.rows.sums(counted.astype(np.int64))) < _FEW_TARGETS:
        return _draw_scatter(predicted, original, title, subtitle, around)
    return draw_examples(predicted, original, title, subtitle, around)


def _draw_scatter(
    predicted: Floats, problem: SequenceProblem, title: str, subtitle: str, around: Around | None
) -> Figure:
    parts = list(problem.parts)[:_MOST_PARTS]
    n_outputs = min(problem.n_outputs, _MOST_OUTPUTS)
    legend = 1.3 if around is not None and around.reach is not None else 0.0
    figure = style.new_figure(max(6.0, 0.6 + 3.1 * len(parts)) + legend, 0.9 + 3.1 * n_outputs)
    panels = figure.subplots(n_outputs, len(parts), squeeze=False)
    for output, row in enumerate(panels):
        for axes, part in zip(row, parts, strict=True):
            counted = problem.counted_rows(part)[:, output]
            target, value = problem.target_rows[counted, output], predicted[counted, output]
            colour = style.BLUE if part == "train" else style.VERMILION
            _points(axes, target, value, colour)
            axes.set_xlabel(style.single_line(problem.target_names[output], 30))
            axes.annotate(part, (0.03, 0.95), xycoords="axes fraction", va="top", color=style.GREY)
        row[0].set_ylabel(f"prediction of {style.single_line(problem.target_names[output], 30)}")
        _same_square(row, None if around is None or around.reach is None else float(around.reach[output]))
    if legend:
        style.end_legend(panels[0, -1])
    style.heading(figure, title, subtitle)
    return figure


def _points(axes: Axes, target: Floats, value: Floats, colour: str) -> None:
    # Every k-th point of many: 4000 already fill the panel.
    step = max(1, len(target) // 4000)
    axes.plot(target[::step], value[::step], "o", ms=2.5, mew=0, alpha=0.5, color=colour)
    axes.set_aspect("equal")


def _same_square(row: Sequence[Axes], reach: float | None) -> None:
    """The same limits on both axes of all panels, and the line on which prediction and target agree.

    With the reach of an interval to either side, also where its points are.
    """
    ends = [end for axes in row for end in (*axes.get_xlim(), *axes.get_ylim())]
    low, high = min(ends), max(ends)
    for axes in row:
        axes.plot([low, high], [low, high], color=style.INK, lw=0.9, ls="--", zorder=1)
        if reach is not None and np.isfinite(reach):
            line = np.array([low, high])
            looks: dict[str, Any] = {"color": style.BLUE, "alpha": 0.14, "lw": 0, "label": INTERVAL}
            axes.fill_between(line, line - reach, line + reach, **looks)
        axes.set_xlim(low, high)
        axes.set_ylim(low, high)


def _draw_classes(predicted: Floats, problem: SequenceProblem, title: str) -> Figure:
    parts = list(problem.parts)[:_MOST_PARTS]
    figure = style.new_figure(max(5.0, 0.8 + 3.4 * len(parts)), 4.0)
    panels = figure.subplots(1, len(parts), squeeze=False)[0]
    shares = []
    for axes, part in zip(panels, parts, strict=True):
        table = confusion(predicted, problem, part)
        shares.append(f"{part} {100 * np.trace(table) / table.sum():.4g} %")
        _confusion(axes, table, problem.target_names)
        axes.set_xlabel(f"{part}: class chosen")
    panels[0].set_ylabel("right class")
    style.heading(figure, title, f"classes right · {' · '.join(shares)}")
    return figure


def _confusion(axes: Axes, table: NDArray[np.int64], names: tuple[str, ...]) -> None:
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    axes.grid(visible=False)
    n = len(table)
    if n > 12:
        return
    labels = [style.single_line(name, 10) for name in names]
    axes.set_xticks(range(n), labels, rotation=60 if n > 4 and max(map(len, labels)) > 2 else 0)
    axes.set_yticks(range(n), labels)
    for (row, column), count in np.ndenumerate(table):
        colour = "white" if shares[row, column] > 0.55 else style.INK
        looks: dict[str, Any] = {"ha": "center", "va": "center", "color": colour, "fontsize": 9 if n <= 6 else 7}
        axes.text(column, row, f"{count:,}", **looks)
