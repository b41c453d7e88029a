"""The front of a search for several goals: its first goal against each of the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from neuroevo.plots import style
from neuroevo.plots.ticks import set_counts, set_logarithmic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neuroevo.records import Front

_WIDE, _NUMBERED, _MOST_DRAWN = 8.0, 25, 1e120


def draw_front(front: Front, title: str, subtitle: str, size: style.Size | None = None) -> Figure:
    """The training part as a line of steps, which bounds what is dominated; the validation part as rings.

    Args:
        front: With two goals or more.
        title: Of the figure.
        subtitle: A line below it.
        size: Width and height in inches; None: what the panels need.
    """
    n_panels = len(front.goals) - 1
    figure = style.new_figure(max(6.4, 4.2 * n_panels), 4.4, size)
    for k, axes in enumerate(np.ravel(figure.subplots(1, n_panels)), start=1):
        _panel(axes, front, k)
    style.heading(figure, title, subtitle)
    return figure


def _panel(axes: Axes, front: Front, k: int) -> None:
    order = np.argsort(front.train[:, k], kind="stable")
    x, y = front.train[order, k], front.train[order, 0]
    steps: dict[str, Any] = {"drawstyle": "steps-post"} if len(front.goals) == 2 else {"ls": ""}
    axes.plot(x, y, color=style.BLUE, marker="o", markersize=4.5, lw=1.2, label="training", **steps)
    shown, wide = [y], [x]
    if front.validation is not None:
        there, value = front.validation[order, k], front.validation[order, 0]
        axes.plot(
            there, value, color=style.VERMILION, marker="o", ls="", mfc="none", markersize=5.5, label="validation"
        )
        shown.append(value)
        wide.append(there)
    if len(front) <= _NUMBERED and len(front.goals) == 2:
        for member, at, level in zip(order + 1, x, y, strict=True):
            axes.annotate(str(member), (at, level), (4, 3), textcoords="offset points", fontsize=7.5)
    _scale(axes, "y", shown)
    _scale(axes, "x", wide)
    if np.all(np.mod(x, 1) == 0):
        set_counts(axes.xaxis, 8)
    axes.set_xlabel(front.titles[k])
    axes.set_ylabel(style.error_label(front.titles[0]))
    if k == 1:
        axes.legend()


def _scale(axes: Axes, which: Literal["x", "y"], values: Sequence[NDArray[np.float64]]) -> None:
    """Logarithmic where positive values span much and are not counts that begin with 0."""
    together = np.concatenate(values)
    together = together[np.isfinite(together) & (np.abs(together) < _MOST_DRAWN)]
    if len(together) and together.min() > 0 and together.max() / together.min() > _WIDE:
        set_logarithmic(axes, which, float(together.min()), float(together.max()))
