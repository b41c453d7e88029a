"""Several runs against each other: the error of their incumbents over the evaluations spent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.analysis import error_curve, trial_quartiles
from neuroevo.errors import BadInput
from neuroevo.plots import style
from neuroevo.plots.thinning import thin
from neuroevo.records import RecordError, RunRecord

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]


def title_of(record: RunRecord) -> str:
    """The title of a run's scenario, which its trials share."""
    return str(record.run.get("title") or record.name)


def plot_compare(
    records: Iterable[RunRecord],
    folder: str | Path,
    formats: Sequence[str] = style.FORMATS,
    *,
    group_by: Callable[[RunRecord], str] = title_of,
    title: str = "Error over evaluations",
    size: Sequence[float] | None = None,
) -> list[Path]:
    """Draw for each group of runs the median of their incumbents' errors and the middle half of them.

    A run that ended early keeps its last error to the end of its group: it found no use for the rest.

    Args:
        records: Runs with at least one generation.
        folder: Where ``compare.png`` and ``compare.svg`` go; made where it is missing.
        formats: Of "png", "svg" and "pdf".
        group_by: Gives a run's label; runs of one label are trials of one another.
        title: Of the figure.
        size: Width and height in inches.

    Raises:
        BadInput: There is no run, their errors are not of one kind, or the formats or the size can't be used.
        RecordError: A record is damaged or holds no generation.
        RecordUnwritable: The machine refused.
    """
    formats, size = style.checked_formats(formats), style.checked_size(size)
    groups: dict[str, list[tuple[Floats, Floats]]] = {}
    errors: set[str] = set()
    for record in records:
        if not record.history.n_generations:
            raise RecordError(f"{record.path} holds no generation yet; there is nothing to compare")
        errors.add(record.error_name)
        groups.setdefault(style.single_line(group_by(record), 40), []).append(error_curve(record))
    if not groups:
        raise BadInput("plot_compare needs at least one run")
    if len(errors) > 1:
        raise BadInput(f"the runs minimise different errors, which are not compared: {', '.join(sorted(errors))}")
    folder = style.made(Path(folder))
    with style.drawing("the comparison"):
        return style.save(_draw(groups, title, errors.pop(), size), folder, "compare", formats)


def _draw(
    groups: dict[str, list[tuple[Floats, Floats]]], title: str, error: str, size: style.Size | None = None
) -> Figure:
    from neuroevo.plots.ticks import set_counts, set_logarithmic

    figure = style.new_figure(8.5, 4.4, size)
    axes = figure.subplots()
    shown = []
    for index, (label, curves) in enumerate(groups.items()):
        looks: dict[str, Any] = dict(zip(("color", "ls"), style.line_looks(index), strict=True))
        x, quartiles = _middle(curves)
        if len(curves) > 1:
            axes.fill_between(x, quartiles[0], quartiles[2], color=looks["color"], alpha=0.16, lw=0)
        name = f"{label} ({len(curves)} runs)" if len(curves) > 1 else label
        axes.plot(x, quartiles[1], label=name, **looks)
        shown.append(quartiles[np.isfinite(quartiles)])
    values = np.concatenate(shown)
    positive = values[values > 0]
    if len(positive) and positive.max() / positive.min() > 8:
        set_logarithmic(axes, "y", float(positive.min()), float(positive.max()))
    axes.set_xlabel("evaluations")
    axes.set_ylabel(style.error_label(f"incumbent's {error}"))
    set_counts(axes.xaxis)
    style.end_legend(axes)
    several = any(len(curves) > 1 for curves in groups.values())
    style.heading(figure, title, "median of the runs, band: middle half of them" if several else "one run each")
    return figure


def _middle(curves: Sequence[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
    """The points to draw and the quartiles there; those of one curve are its values."""
    if len(curves) > 1:
        return trial_quartiles(curves)
    curve = thin(*curves[0])  # it never rises, so the end of each stretch is its smallest value
    return curve.x, np.tile(np.where(np.isfinite(curve.low), curve.low, np.nan), (3, 1))
