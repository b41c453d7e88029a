"""A forecast beyond the last row, with what came before it and its intervals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.plots import style
from neuroevo.plots.times import time_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neuroevo.prediction import PredictionTable

_MOST_SERIES = 4


def checked_file(path: Path) -> None:
    """Check that a file's name ends with a format that can be drawn.

    Raises:
        BadInput: It does not.
    """
    if path.suffix.removeprefix(".") not in style.KNOWN_FORMATS:
        raise BadInput(f"{path} must end with .png, .svg or .pdf")


def plot_forecast(table: PredictionTable, title: str, path: Path) -> Path:
    """Draw a forecast into a file.

    Args:
        table: The forecast.
        title: Of the figure.
        path: Ends with .png, .svg or .pdf.

    Returns:
        The file.

    Raises:
        BadInput: It ends otherwise.
        RecordUnwritable: The machine refused.
    """
    checked_file(path)
    with style.drawing("the forecast"):
        style.save(draw_forecast(table, title), path.parent, path.stem, (path.suffix.removeprefix("."),))
    return path


def draw_forecast(table: PredictionTable, title: str) -> Figure:
    """One panel a series: what was, and the forecast with its interval."""
    name, later = list(table.keys.items())[-1]
    before, values = ([], np.empty((0, len(table.names)))) if table.past is None else table.past
    labels = [*before, *later]
    n_series = min(len(table.names), _MOST_SERIES)
    figure = style.new_figure(9.0, 1.0 + 2.6 * n_series)
    panels = figure.subplots(n_series, 1, sharex=True, squeeze=False)[:, 0]
    x = np.arange(len(labels), dtype=np.float64) - len(before) + 1
    for i, axes in enumerate(panels):
        _panel(axes, table, i, x, values[:, i])
        axes.set_ylabel(style.single_line(table.names[i], 30))
    style.end_legend(panels[0])
    rows, texts = time_ticks(labels)
    panels[-1].set_xticks(x[rows], texts)
    panels[-1].set_xlabel(style.single_line(name, 30))
    left_out = "" if n_series == len(table.names) else f" · {n_series} of {len(table.names)} series"
    style.heading(figure, title, f"forecast of {len(later)} steps after {before[-1] if before else '-'}{left_out}")
    return figure


def _panel(axes: Axes, table: PredictionTable, i: int, x: NDArray[np.float64], past: NDArray[np.float64]) -> None:
    n = len(past)
    axes.plot(x[:n], past, color=style.INK, lw=1.1, label="known")
    # The line begins at what was last known, so that nothing seems to be missing between the two.
    joint = [past[-1]] if n and np.isfinite(past[-1]) else []
    ahead = x[n - len(joint) :]
    said = np.array([*joint, *table.prediction[:, i]])
    if table.low is not None and table.high is not None and table.level is not None:
        low, high = np.array([*joint, *table.low[:, i]]), np.array([*joint, *table.high[:, i]])
        looks: dict[str, Any] = {"color": style.BLUE, "lw": 0, "alpha": 0.18, "where": np.isfinite(low + high)}
        axes.fill_between(ahead, low, high, label=f"{100 * table.level:g} % interval", **looks)
    if table.spread is not None:
        spread = np.array([*(0.0 for _ in joint), *table.spread[:, i]])
        looks = {"color": style.BLUE, "lw": 0, "alpha": 0.3}
        axes.fill_between(ahead, said - spread, said + spread, label="members (one deviation)", **looks)
    axes.plot(ahead, said, color=style.BLUE, label="forecast")
    axes.axvline(0.0, color=style.GREY, lw=0.8, ls="--")
    axes.margins(x=0.01)
