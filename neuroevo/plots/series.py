"""Predictions over time: one series with its parts, or a few of many sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.analysis import sequence_errors, target_errors
from neuroevo.plots import style
from neuroevo.plots.times import LETTERS, Labels, Span, rows_between, time_ticks
from neuroevo.plots.windows import whole, windows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neuroevo.problems import SequenceProblem

Floats = NDArray[np.float64]

ERROR = "root mean squared error"
_MOST_OUTPUTS = 4
#: Panels of one figure, each a window of an output.
_MOST_PANELS = 8
#: Steps of a sequence among several that are shown where no span is asked for.
_MOST_STEPS = 400
_MOST_SPANS = 12
#: Width of a letter of a part's name, as a share of the panel's.
_LETTER = 0.0096
_TINTS = {"train": "#FFFFFF", "validation": "#E3F3EC"}
_OTHER_TINTS = ("#FBEBDD", "#F3E6F0", "#E6F0F8", "#F6F3D8")


@dataclass(frozen=True)
class Shown:
    """A prediction and what lies around it, as bands from a lower to an upper end.

    Attributes:
        predicted: ``(n_rows, n_outputs)``, original units.
        name: What the prediction is, for legends.
        colour: Of the prediction and the bands.
        dashes: Of its line.
        bands: Names to both ends, each ``(n_rows, n_outputs)``; the widest first.
        reach: ``(n_outputs,)``: how far the interval reaches to either side; None where there is none.
    """

    predicted: Floats
    name: str = "prediction"
    colour: str = style.VERMILION
    dashes: str = "-"
    bands: Mapping[str, tuple[Floats, Floats]] = field(default_factory=dict)
    reach: Floats | None = None

    def draw(self, axes: Axes, x: Floats, where: tuple[slice, int], counts: NDArray[np.bool_]) -> None:
        """Draw the prediction and the bands around it.

        Args:
            axes: Where to.
            x: ``(n,)``.
            where: Rows and output, ``(n,)`` of them.
            counts: ``(n,)``: where the network has found its state.
        """
        values = np.where(counts, self.predicted[where], np.nan)
        axes.plot(x, values, color=self.colour, lw=1.3, ls=self.dashes, alpha=0.9, label=self.name)
        for (label, (low, high)), strength in zip(self.bands.items(), (0.2, 0.35), strict=False):
            looks: dict[str, Any] = {"color": self.colour, "alpha": strength, "lw": 0}
            known = np.isfinite(values + low[where] + high[where])
            axes.fill_between(x, low[where], high[where], where=known, label=label, **looks)


@dataclass(frozen=True)
class Look:
    """How a prediction is to be drawn.

    Attributes:
        title: Of the figure.
        span: From which time to which; None: what shows something, which the figure then names.
        size: Width and height in inches; None: what its panels need.
    """

    title: str
    span: Span | None = None
    size: style.Size | None = None


def figures(errors: Mapping[str, Floats], target: int) -> str:
    """Errors of a target by part, as a line."""
    return " · ".join(f"{part} {its[target]:.4g}" for part, its in errors.items())


def draw_series(shown: Sequence[Shown], problem: SequenceProblem, look: Look) -> Figure:
    """One series, of a problem of one sequence: a panel an output, the parts shaded; a long one in one window a part.

    Args:
        shown: At least one prediction.
        problem: In original units.
        look: Of the figure.

    Raises:
        BadInput: No row lies in the span.
    """
    labels = _labels(problem, 0)
    length = int(problem.lengths[0])
    if look.span is not None:
        found = [whole(rows_between(_rising(labels), length, look.span), labels, length)]
    else:
        found = windows(shown[0].predicted, problem, labels)
    n_outputs = min(problem.n_outputs, _MOST_OUTPUTS, max(1, _MOST_PANELS // len(found)))
    rows = [(window, output) for window in found for output in range(n_outputs)]
    figure = style.new_figure(9.5, 1.2 + (3.0 if len(rows) == 1 else 2.25) * len(rows), look.size)
    panels = figure.subplots(len(rows), 1, squeeze=False)[:, 0]
    errors = target_errors(shown[0].predicted, problem)
    for axes, (window, output) in zip(panels, rows, strict=True):
        _panel(axes, shown, problem, window.rows, output)
        said = [window.text] if window.text else []
        if problem.n_outputs > 1 and len(shown) == 1:
            all_of = f" of all {errors[window.part][output]:.4g}" if window.part else f" · {figures(errors, output)}"
            said.append(f"{ERROR}{all_of}")
        axes.set_title(" · ".join(said), color=style.INK, fontsize=8.5)
    for axes in panels[:-1]:
        axes.set_xlabel("")
    style.end_legend(panels[0])
    chosen = " · of each part a stretch of median error" if len(found) > 1 else ""
    style.heading(figure, look.title, _subtitle(shown, problem, n_outputs) + chosen)
    return figure


def _panel(axes: Axes, shown: Sequence[Shown], problem: SequenceProblem, rows: slice, output: int) -> None:
    x = _time_axis(problem, 0)[rows]
    counts = np.arange(rows.start, rows.stop) >= problem.washout  # before, the network is still finding its state
    _shade(axes, problem, rows, x)
    _target(axes, x, problem.target_rows[rows, output], problem.mask_rows[rows, output])
    for each in shown:
        each.draw(axes, x, (rows, output), counts)
    _label_times(axes, problem, _labels(problem, 0), rows, LETTERS)
    axes.set_ylabel(style.single_line(problem.target_names[output], 24))
    axes.set_xlim(x[0], x[-1] if x[-1] > x[0] else x[0] + 1)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.16 * (high - low))  # room for the names of the parts


def _subtitle(shown: Sequence[Shown], problem: SequenceProblem, n_outputs: int) -> str:
    left_out = f" · first {n_outputs} of {problem.n_outputs} targets" if n_outputs < problem.n_outputs else ""
    if problem.n_outputs > 1:
        return (f"{ERROR} of each target in its own unit" if len(shown) == 1 else f"{len(shown)} runs") + left_out
    errors = [target_errors(each.predicted, problem) for each in shown]
    if len(shown) == 1:
        return f"{ERROR} · {figures(errors[0], 0)}"
    ends = {part: [its[part][0] for its in errors] for part in problem.parts}
    ranges = " · ".join(f"{part} {min(its):.4g} to {max(its):.4g}" for part, its in ends.items())
    return f"{ERROR} of {len(shown)} runs · {ranges}"


def draw_examples(shown: Sequence[Shown], problem: SequenceProblem, look: Look) -> Figure:
    """Of each of three parts three sequences: that with the smallest, the median and the largest error of the first.

    Arguments as those of :func:`draw_series`, but for all sequences.
    """
    parts = [part for part in problem.parts if part == "train"] + [part for part in problem.parts if part != "train"]
    parts = parts[:3]
    figure = style.new_figure(10.0, 1.0 + 2.1 * len(parts), look.size)
    panels = figure.subplots(len(parts), 3, squeeze=False, sharex=True, sharey=True)
    counts = problem.rows.step >= problem.washout  # before, the network is still finding its state
    shortened = False
    for row, part in zip(panels, parts, strict=True):
        for axes, (label, sequence, error) in zip(row, _examples(shown[0].predicted, problem, part), strict=False):
            labels, length = _labels(problem, sequence), int(problem.lengths[sequence])
            if look.span is not None:
                steps = rows_between(_rising(labels), length, look.span)
            else:
                steps = slice(0, min(length, _MOST_STEPS))
                shortened |= length > _MOST_STEPS
            start = int(problem.rows.offsets[sequence])
            rows = slice(start + steps.start, start + steps.stop)
            x = _time_axis(problem, sequence)[steps]
            _target(axes, x, problem.target_rows[rows, 0], problem.mask_rows[rows, 0])
            for each in shown:
                each.draw(axes, x, (rows, 0), counts[rows])
            if labels is not None and labels.dtype.kind in "US":
                axes.set_xlabel("step")  # the panels share an axis, and each has times of its own
            else:
                _label_times(axes, problem, labels, steps, letters=24)
            axes.label_outer()
            axes.set_title(f"{part}, {label}: sequence {sequence + 1}, {error:.3g}", color=style.INK, fontsize=8.5)
        row[0].set_ylabel(style.single_line(problem.target_names[0], 24))
    style.end_legend(panels[0, -1])
    style.heading(figure, look.title, _examples_subtitle(shown, problem, shortened))
    return figure


def _examples_subtitle(shown: Sequence[Shown], problem: SequenceProblem, shortened: bool) -> str:
    several = problem.n_outputs > 1
    which = f" of {problem.target_names[0]}, the first of {problem.n_outputs} targets" if several else ""
    said = [f"{ERROR}{which}"]
    said += (
        [figures(target_errors(shown[0].predicted, problem), 0)] if len(shown) == 1 else [f"that of {shown[0].name}"]
    )
    said += [f"first {_MOST_STEPS} steps of longer sequences"] if shortened else []
    return " · ".join(said)


def _examples(predicted: Floats, problem: SequenceProblem, part: str) -> list[tuple[str, int, float]]:
    errors = np.sqrt(sequence_errors(predicted, problem, part, 0))
    n_counted = int(np.isfinite(errors).sum())
    order = np.argsort(errors, kind="stable")[: max(1, n_counted)]
    chosen = {"best": order[0], "median": order[len(order) // 2], "worst": order[-1]}
    return [(label, int(sequence), float(errors[sequence])) for label, sequence in chosen.items()]


def _target(axes: Axes, x: Floats, target: Floats, known: NDArray[np.bool_]) -> None:
    looks: dict[str, Any] = {"marker": "o", "markersize": 3} if known.sum() < 40 else {}
    axes.plot(x, np.where(known, target, np.nan), color=style.INK, lw=1.1, label="target", **looks)


def _labels(problem: SequenceProblem, sequence: int) -> Labels | None:
    """``(n_steps,)``: the times of a sequence."""
    start, end = problem.rows.offsets[sequence : sequence + 2]
    return None if problem.time_rows is None else problem.time_rows[start:end]


def _rising(labels: Labels | None) -> Labels | None:
    """The labels where these are text or rising numbers: elsewhere steps stand on the axis."""
    if labels is None or labels.dtype.kind in "US":
        return labels
    times = labels.astype(np.float64)
    return labels if np.isfinite(times).all() and (np.diff(times) > 0).all() else None


def _time_axis(problem: SequenceProblem, sequence: int) -> Floats:
    """``(n_steps,)`` rising numbers: the times where these are that, otherwise steps from 1."""
    labels = _rising(_labels(problem, sequence))
    if labels is None or labels.dtype.kind in "US":
        return np.arange(1.0, problem.lengths[sequence] + 1)
    return labels.astype(np.float64)


def _label_times(axes: Axes, problem: SequenceProblem, labels: Labels | None, rows: slice, letters: int) -> None:
    from matplotlib.ticker import MaxNLocator

    name = style.single_line(problem.time_name or "time", 30)
    axes.set_xlabel("step" if _rising(labels) is None else name)
    if labels is not None and labels.dtype.kind in "US":
        places, texts = time_ticks(labels[rows], letters)
        axes.set_xticks(np.arange(rows.start, rows.stop)[places] + 1.0, texts)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=9, integer=True, steps=[1, 2, 2.5, 5, 10]))


def _shade(axes: Axes, problem: SequenceProblem, window: slice, x: Floats) -> None:
    """A tint and a name for each stretch of each part of one sequence; names that would touch go one line lower."""
    others = iter(_OTHER_TINTS * len(problem.parts))
    width = max(x[-1] - x[0], 1e-300)
    last_end, level = -np.inf, 0
    spans = []
    for part, mask in problem.part_rows.items():
        tint = _TINTS.get(part) or next(others)
        found = _runs(mask[window])
        if len(found) <= _MOST_SPANS:
            # To the step after its last: parts that follow each other then touch.
            spans += [(x[first], x[min(last + 1, len(x) - 1)], part, tint) for first, last in found]
    for start, end, part, tint in sorted(spans):
        axes.axvspan(start, end, color=tint, lw=0, zorder=0)
        axes.axvline(start, color=style.GREY, lw=0.6, ls=":", zorder=1)
        left, right = (start - x[0]) / width, (end - x[0]) / width
        name = _name_that_fits(style.single_line(part, 40), right - left)
        level = 1 - level if left < last_end else 0
        last_end = left + _LETTER * max(map(len, name.split("\n")))
        place, side, shift = (end, "right", -3) if last_end > 1 else (start, "left", 3)
        axes.annotate(
            name, (place, 1.0), xycoords=("data", "axes fraction"), xytext=(shift, -3 - 22 * level),
            textcoords="offset points", ha=side, va="top", fontsize=7.5, linespacing=1.1, color=style.GREY,
        )  # fmt: skip


def _name_that_fits(name: str, width: float) -> str:
    """A part's name, in two lines where its stretch is too narrow for one."""
    if _LETTER * len(name) <= width:
        return name
    for mark in "_-":
        first, found, rest = name.partition(mark)
        if found and rest:
            return f"{first}\n{rest}"
    return name


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last index of each stretch of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(first), int(last) - 1) for first, last in zip(edges[::2], edges[1::2], strict=True)]
