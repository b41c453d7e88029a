"""Error, fitness and learned share over the generations of one run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.plots import style
from neuroevo.plots.thinning import thin, thin_band
from neuroevo.plots.ticks import set_counts, set_logarithmic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Columns = Mapping[str, NDArray[Any]]

#: Figures that span more than this factor are drawn on a logarithmic axis.
_WIDE = 8.0

#: Axes end here at the latest, so that the ratio of their ends is still a number.
_DRAWABLE = (1e-120, 1e120)


def draw_curves(
    columns: Columns, title: str, subtitle: str, error: str = "error", size: style.Size | None = None
) -> Figure:
    """Error above, fitness below, and the learned share where it ever moves.

    Args:
        columns: The history.
        title: Of the figure.
        subtitle: A line below it: why the run stopped.
        error: What the error is, with its unit in brackets.
        size: Width and height in inches; None: what the panels need.
    """
    learned = _finite(columns["incumbent_learned"])
    shows_learned = bool(len(learned)) and (np.ptp(learned[np.isfinite(learned)]) > 0 if len(learned) else False)
    heights = [3.0, 2.2, 1.2] if shows_learned else [3.0, 2.2]
    figure = style.new_figure(8.0, 1.1 + sum(heights) * 0.92, size)
    panels = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    _error_panel(panels[0], columns)
    panels[0].set_ylabel(style.error_label(error))
    _fitness_panel(panels[1], columns)
    if shows_learned:
        _learned_panel(panels[2], columns)
    _label_generations(panels[-1], columns["generation"])
    style.heading(figure, title, subtitle)
    figure.align_ylabels()
    return figure


def _error_panel(axes: Axes, columns: Columns) -> None:
    generation = columns["generation"]
    best, worst = _finite(columns["best_error"]), _finite(columns["worst_error"])
    axes.fill_between(*thin_band(generation, best, worst), color=style.SKY, alpha=0.25, lw=0, label="best to worst")
    _line(axes, generation, _finite(columns["median_error"]), style.BLUE, "median", lw=1.1)
    _line(axes, generation, _finite(columns["incumbent_error"]), style.INK, "incumbent", lw=2.4)
    _line(axes, generation, best, style.ORANGE, "best", lw=1.0)
    validation = _finite(columns["validation_error"])
    if np.isfinite(validation).any():
        _line(axes, generation, validation, style.VERMILION, "validation", lw=1.4, ls="--")
    main = [_finite(columns[name]) for name in ("incumbent_error", "best_error", "median_error", "validation_error")]
    _set_scale(axes, np.concatenate(main), worst)
    style.end_legend(axes)


def _fitness_panel(axes: Axes, columns: Columns) -> None:
    generation = columns["generation"]
    median, best = _reciprocal(columns["median_error"]), _reciprocal(columns["best_error"])
    incumbent = _finite(columns["incumbent_fitness"])  # that of error 0 stands for infinity and is left out
    _line(axes, generation, median, style.BLUE, "median", lw=1.1)
    _line(axes, generation, incumbent, style.INK, "incumbent", lw=2.4)
    _line(axes, generation, best, style.ORANGE, "best", lw=1.0)
    values = np.concatenate([median, best, incumbent])
    _set_scale(axes, values, values)
    axes.set_ylabel("fitness\n(1 / error)")
    style.end_legend(axes)


def _learned_panel(axes: Axes, columns: Columns) -> None:
    learned = 100 * _finite(columns["incumbent_learned"])
    _line(axes, columns["generation"], learned, style.GREEN, "incumbent", lw=1.6)
    axes.set_ylim(-4, 104)
    axes.set_yticks([0, 50, 100])
    axes.set_ylabel("learnt\n(%)")
    style.end_legend(axes)


def _label_generations(axes: Axes, generation: NDArray[Any]) -> None:
    stretch = thin(generation, generation).stretch
    axes.set_xlabel("generation" if stretch == 1 else f"generation (medians and ranges of {stretch:,} each)")
    set_counts(axes.xaxis, 8)
    if len(generation):
        axes.set_xlim(0, max(2, int(generation[-1])) * 1.01)


def _line(axes: Axes, x: NDArray[Any], y: NDArray[Any], colour: str, label: str, **looks: Any) -> None:
    curve = thin(x, y)
    if curve.stretch > 1:
        axes.fill_between(curve.x, curve.low, curve.high, color=colour, alpha=0.16, lw=0)
    marker = "o" if len(x) == 1 else None
    axes.plot(curve.x, curve.middle, color=colour, label=label, marker=marker, markersize=4, **looks)


def _set_scale(axes: Axes, values: NDArray[Any], band: NDArray[Any]) -> None:
    """Logarithmic where the values span more than a little; a band that runs far off does not set the limits."""
    positive = values[np.isfinite(values) & (values > 0)]
    if not len(positive):
        return
    low, high = float(np.clip(positive.min(), *_DRAWABLE)), float(np.clip(positive.max(), *_DRAWABLE))
    reach = band[np.isfinite(band) & (band > 0)]
    if len(reach):
        high = max(high, min(float(np.percentile(reach, 90)), 3 * high, _DRAWABLE[1]))
    if high / low > _WIDE:
        set_logarithmic(axes, "y", low, high)
    elif (values == 0).any():  # what was solved is to be seen
        axes.set_ylim(-0.03 * high, 1.06 * high)
    else:
        axes.set_ylim(max(0.0, low - 0.06 * (high - low)), high + 0.06 * (high - low) + 1e-12 * high)


def _finite(values: NDArray[Any]) -> NDArray[np.float64]:
    """A copy in which all that cannot be drawn is NaN, so that the curve has a gap there."""
    copy = np.array(values, dtype=np.float64)
    copy[~(np.abs(copy) <= _DRAWABLE[1])] = np.nan
    return copy


def _reciprocal(error: NDArray[Any]) -> NDArray[np.float64]:
    copy = _finite(error)
    copy[copy <= 0] = np.nan
    return _finite(1 / copy)
