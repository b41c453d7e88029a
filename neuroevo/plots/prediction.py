"""The champion's outputs beside the targets, in original units: as series, as examples, as scatter, or by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.analysis import LEVEL, confusion, target_errors
from neuroevo.errors import BadInput
from neuroevo.plots import style
from neuroevo.plots.series import ERROR, Look, Shown, draw_examples, draw_series
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


def draw_prediction(outputs: Floats, problem: SequenceProblem, look: Look) -> Figure:
    """The form that suits the problem: classes as a table, one series over time, many sequences as examples or points.

    Args:
        outputs: ``(n_rows, n_outputs)``, or ``(n_sequences, n_steps, n_outputs)``, of the champion, scaled units.
        problem: In the units that it was trained in.
        look: Of the figure.

    Raises:
        BadInput: There is no such span in these data.
    """
    return _draw([Shown(problem.predictions(problem.rows.of(outputs)))], problem.original, look)


def draw_predictions(predicted: Mapping[str, Floats], problem: SequenceProblem, look: Look) -> Figure:
    """Several predictions of the same targets in one figure; classes are none of them.

    Args:
        predicted: Names to ``(n_rows, n_outputs)``, original units; one at least.
        problem: In original units.
        look: Of the figure.

    Raises:
        BadInput: The targets are classes, or there is no such span in these data.
    """
    if problem.learned.by_class:
        raise BadInput("classes are compared by their tables, not in one picture")
    shown = [Shown(values, name, *style.line_looks(index)) for index, (name, values) in enumerate(predicted.items())]
    return _draw(shown, problem, look)


def draw_ensemble(said: Forecast, problem: SequenceProblem, look: Look) -> Figure:
    """The same as `draw_prediction` for an ensemble, with its intervals and the middle half of its members around it.

    Args:
        said: The forecast of all inputs of the problem.
        problem: Its units do not matter.
        look: Of the figure.

    Raises:
        BadInput: There is no such span in these data.
    """
    of, predicted = problem.rows.of, problem.rows.of(said.prediction)
    if problem.learned.by_class:
        return _draw([Shown(predicted)], problem.original, look)
    bands, reach = {}, None
    if said.calibration is not None and said.calibration.n_targets >= least_targets(LEVEL):
        low, high = said.interval(LEVEL)
        bands[INTERVAL], reach = (of(low), of(high)), said.calibration.half_width(LEVEL)
    lower, upper = np.quantile(said.members, [0.25, 0.75], axis=0)
    bands["middle half of members"] = of(lower), of(upper)
    name = f"{said.combine} of {len(said.members)}"
    return _draw([Shown(predicted, name, style.BLUE, bands=bands, reach=reach)], problem.original, look)


def _draw(shown: Sequence[Shown], original: SequenceProblem, look: Look) -> Figure:
    counted = np.any([original.counted_rows(part).any(axis=1) for part in original.parts], axis=0)
    few = np.median(original.rows.sums(counted.astype(np.int64))) < _FEW_TARGETS
    if not original.learned.by_class and original.n_sequences == 1:
        return draw_series(shown, original, look)
    if not original.learned.by_class and not few:
        return draw_examples(shown, original, look)
    if look.span is not None:
        what = "classes" if original.learned.by_class else f"fewer than {_FEW_TARGETS} targets a sequence"
        raise BadInput(f"a span of time can't be shown: the plot of {what} has no axis of time")
    return (_draw_classes if original.learned.by_class else _draw_scatter)(shown, original, look)


def _draw_scatter(shown: Sequence[Shown], problem: SequenceProblem, look: Look) -> Figure:
    parts = list(problem.parts)[:_MOST_PARTS]
    n_outputs = min(problem.n_outputs, _MOST_OUTPUTS)
    reach = shown[0].reach
    legend = 1.3 if reach is not None or len(shown) > 1 else 0.0
    width = max(6.0, 0.6 + 3.1 * len(parts)) + legend
    figure = style.new_figure(width, 0.9 + 3.1 * n_outputs, look.size)
    panels = figure.subplots(n_outputs, len(parts), squeeze=False)
    for output, row in enumerate(panels):
        name = style.single_line(problem.target_names[output], 30)
        for axes, part in zip(row, parts, strict=True):
            counted = problem.counted_rows(part)[:, output]
            for each in shown:
                colour = each.colour if len(shown) > 1 or part != "train" else style.BLUE
                target, value = problem.target_rows[counted, output], each.predicted[counted, output]
                _points(axes, target, value, colour, each.name if len(shown) > 1 else None)
            axes.set_xlabel(name)
            error = target_errors(shown[0].predicted, problem)[part][output]
            text = style.single_line(part, 30) + ("" if len(shown) > 1 else f"\n{error:.4g}")
            axes.annotate(text, (0.03, 0.95), xycoords="axes fraction", va="top", color=style.GREY)
        row[0].set_ylabel(f"prediction of {name}")
        _same_square(row, None if reach is None else float(reach[output]))
    if legend:
        style.end_legend(panels[0, -1])
    left_out = f" · first {n_outputs} of {problem.n_outputs} targets" if n_outputs < problem.n_outputs else ""
    which = f"{len(shown)} runs" if len(shown) > 1 else f"{ERROR} in each panel"
    style.heading(figure, look.title, which + left_out)
    return figure


def _points(axes: Axes, target: Floats, value: Floats, colour: str, name: str | None) -> None:
    # Every k-th point of many: 4000 already fill the panel.
    step = max(1, len(target) // 4000)
    axes.plot(target[::step], value[::step], "o", ms=2.5, mew=0, alpha=0.5, color=colour, label=name)
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


def _draw_classes(shown: Sequence[Shown], problem: SequenceProblem, look: Look) -> Figure:
    parts = list(problem.parts)[:_MOST_PARTS]
    figure = style.new_figure(max(5.0, 0.8 + 3.4 * len(parts)), 4.0, look.size)
    panels = figure.subplots(1, len(parts), squeeze=False)[0]
    shares = []
    for axes, part in zip(panels, parts, strict=True):
        table = confusion(shown[0].predicted, problem, part)
        shares.append(f"{part} {100 * np.trace(table) / table.sum():.4g} %")
        _confusion(axes, table, problem.target_names)
        axes.set_xlabel(f"{part}: class chosen")
    panels[0].set_ylabel("right class")
    style.heading(figure, look.title, f"share of classes right · {' · '.join(shares)}")
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
