"""Predictions over time: one series with its parts, or a few of many sequences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.analysis import sequence_errors
from neuroevo.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neuroevo.problems import SequenceProblem

Floats = NDArray[np.float64]

#: A longer series is shown in one window a part.
_MOST_STEPS = 1500
_WINDOW = 400
_MOST_OUTPUTS = 4
_MOST_WINDOWS = 4
_MOST_SPANS = 12
#: Width of a letter of a part's name, as a share of the panel's.
_LETTER = 0.0096
_TINTS = {"train": "#FFFFFF", "validation": "#E3F3EC"}
_OTHER_TINTS = ("#FBEBDD", "#F3E6F0", "#E6F0F8", "#F6F3D8")


@dataclass(frozen=True)
class Around:
    """What lies around the predictions of an ensemble, as bands from a lower to an upper end.

    Attributes:
        bands: Names to both ends, each ``(n_rows, n_outputs)``; the widest first.
        name: What the prediction is, for legends.
        colour: Of the prediction and the bands.
        reach: ``(n_outputs,)``: how far the interval reaches to either side; None where there is none.
    """

    bands: Mapping[str, tuple[Floats, Floats]] = field(default_factory=dict)
    name: str = "prediction"
    colour: str = style.VERMILION
    reach: Floats | None = None

    def draw(self, axes: Axes, x: Floats, predicted: Floats, where: Any) -> None:
        """Draw the prediction and the bands around it.

        Args:
            axes: Where to.
            x: ``(n,)``.
            predicted: ``(n,)``; where it is NaN there are no bands either.
            where: Index into the ends that leaves ``(n,)``.
        """
        axes.plot(x, predicted, color=self.colour, lw=1.3, alpha=0.9, label=self.name)
        for (label, (low, high)), strength in zip(self.bands.items(), (0.2, 0.35), strict=False):
            looks: dict[str, Any] = {"color": self.colour, "alpha": strength, "lw": 0}
            known = np.isfinite(predicted + low[where] + high[where])
            axes.fill_between(x, low[where], high[where], where=known, label=label, **looks)


def draw_series(
    predicted: Floats, problem: SequenceProblem, title: str, subtitle: str, around: Around | None = None
) -> Figure:
    """One series, of a problem of one sequence: a panel an output, the parts shaded; a long one in one window a part.

    Args:
        predicted: ``(n_rows, n_outputs)``, original units.
        problem: In original units.
        title: Of the figure.
        subtitle: A line below it.
        around: The bands of an ensemble, original units.
    """
    around = around or Around()
    predicted = predicted.copy()
    predicted[: problem.washout] = np.nan  # the network is still finding its state; these do not count
    length = int(problem.lengths[0])
    windows = _windows(problem, length)
    outputs = list(range(min(problem.n_outputs, _MOST_OUTPUTS)))
    rows = [(window, output) for window in windows for output in outputs]
    figure = style.new_figure(9.5, 1.2 + (3.0 if len(rows) == 1 else 2.1) * len(rows))
    panels = figure.subplots(len(rows), 1, squeeze=False)[:, 0]
    for axes, (window, output) in zip(panels, rows, strict=True):
        x = _time_axis(problem, 0)[window]
        _shade(axes, problem, window, x)
        shown, known = predicted[window, output], problem.mask_rows[window, output]
        _target(axes, x, problem.target_rows[window, output], known)
        around.draw(axes, x, shown, (window, output))
        _label_times(axes, problem, 0, window)
        axes.set_ylabel(style.single_line(problem.target_names[output], 24))
        axes.set_xlim(x[0], x[-1] if x[-1] > x[0] else x[0] + 1)
        low, high = axes.get_ylim()
        axes.set_ylim(low, high + 0.16 * (high - low))  # room for the names of the parts
    style.end_legend(panels[0])
    if len(outputs) < problem.n_outputs:
        subtitle = f"{subtitle} · first {len(outputs)} of {problem.n_outputs} outputs"
    style.heading(figure, title, subtitle)
    return figure


def draw_examples(
    predicted: Floats, problem: SequenceProblem, title: str, subtitle: str, around: Around | None = None
) -> Figure:
    """Of each of two parts three sequences: that with the smallest, the median and the largest error.

    Arguments as those of :func:`draw_series`, but for all sequences.
    """
    around = around or Around()
    parts = [part for part in problem.parts if part == "train"] + [part for part in problem.parts if part != "train"]
    parts = parts[:3]
    shown = predicted.copy()
    shown[problem.rows.step < problem.washout] = np.nan  # the network is still finding its state; these do not count
    figure = style.new_figure(10.0, 1.0 + 2.1 * len(parts))
    panels = figure.subplots(len(parts), 3, squeeze=False, sharex=True, sharey=True)
    for row, part in zip(panels, parts, strict=True):
        for axes, (label, sequence, error) in zip(row, _examples(predicted, problem, part), strict=False):
            steps = slice(0, min(int(problem.lengths[sequence]), _WINDOW))
            x = _time_axis(problem, sequence)[steps]
            rows = slice(start := int(problem.rows.offsets[sequence]), start + steps.stop)
            _target(axes, x, problem.target_rows[rows, 0], problem.mask_rows[rows, 0])
            around.draw(axes, x, shown[rows, 0], (rows, 0))
            labels = _labels(problem, sequence)
            if labels is not None and labels.dtype.kind in "US":
                axes.set_xlabel("step")  # the panels share an axis, and each has times of its own
            else:
                _label_times(axes, problem, sequence, steps)
            axes.label_outer()
            axes.set_title(f"{part}, {label}: sequence {sequence + 1}, {error:.3g}", color=style.INK, fontsize=8.5)
        row[0].set_ylabel(style.single_line(problem.target_names[0], 24))
    style.end_legend(panels[0, -1])
    style.heading(figure, title, subtitle)
    return figure


def _examples(predicted: Floats, problem: SequenceProblem, part: str) -> list[tuple[str, int, float]]:
    errors = sequence_errors(predicted, problem, part)
    order = np.argsort(errors, kind="stable")[: int(problem.rows.some(problem.counted_rows(part).any(axis=1)).sum())]
    chosen = {"best": order[0], "median": order[len(order) // 2], "worst": order[-1]}
    return [(label, int(sequence), float(errors[sequence])) for label, sequence in chosen.items()]


def _windows(problem: SequenceProblem, length: int) -> list[slice]:
    if length <= _MOST_STEPS:
        return [slice(0, length)]
    windows = []
    for part in list(problem.parts)[:_MOST_WINDOWS]:
        steps = np.flatnonzero(problem.counted_rows(part).any(axis=1))
        windows.append(slice(int(steps[0]), min(int(steps[0]) + _WINDOW, length)))
    return windows


def _target(axes: Axes, x: Floats, target: Floats, known: NDArray[np.bool_]) -> None:
    looks: dict[str, Any] = {"marker": "o", "markersize": 3} if known.sum() < 40 else {}
    axes.plot(x, np.where(known, target, np.nan), color=style.INK, lw=1.1, label="target", **looks)


def _time_axis(problem: SequenceProblem, sequence: int) -> Floats:
    """``(n_steps,)`` rising numbers: the times where these are that, otherwise steps from 1."""
    steps = np.arange(1.0, problem.lengths[sequence] + 1)
    labels = _labels(problem, sequence)
    if labels is None or labels.dtype.kind in "US":
        return steps
    times = labels.astype(np.float64)
    return times if np.isfinite(times).all() and (np.diff(times) > 0).all() else steps


def _labels(problem: SequenceProblem, sequence: int) -> NDArray[Any] | None:
    """``(n_steps,)``: the times of a sequence."""
    start, end = problem.rows.offsets[sequence : sequence + 2]
    return None if problem.time_rows is None else problem.time_rows[start:end]


def _label_times(axes: Axes, problem: SequenceProblem, sequence: int, window: slice) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(nbins=9, integer=True, steps=[1, 2, 2.5, 5, 10]))
    labels = _labels(problem, sequence)
    if labels is None or labels.dtype.kind not in "US":
        axes.set_xlabel("step" if labels is None else "time")
        return
    steps = np.arange(len(labels))[window]
    ticks = steps[np.linspace(0, len(steps) - 1, min(6, len(steps))).astype(int)]
    axes.set_xticks(ticks + 1.0, [style.single_line(labels[step], 16) for step in ticks])


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
