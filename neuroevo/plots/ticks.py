"""Numbers beside axes, by one formatter: matplotlib's own writes TeX on logarithmic axes, and texts here are none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter, LogFormatter, LogLocator, MaxNLocator, NullFormatter, ScalarFormatter

#: A logarithmic axis that spans less than this factor has numbers at 1, 2 and 5 of each power of ten.
_FEW_DECADES = 300.0
#: Numbers outside of these are written with a power of ten.
_PLAIN = (1e-4, 1e7)


class Numbers(Formatter):
    """Writes as many digits as tell neighbours apart, and as many decimals for all where they are equally far apart.

    Args:
        counts: Whether they count something: whole, with commas between thousands.
    """

    def __init__(self, *, counts: bool = False) -> None:
        self._counts = counts

    def __call__(self, value: float, pos: int | None = None) -> str:  # noqa: ARG002 - what matplotlib calls
        return self.format_ticks([value])[0]

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """The labels of all ticks of an axis."""
        if self._counts:
            return [f"{value:,.0f}" for value in values]
        places = np.sort(np.asarray(values, dtype=np.float64))
        steps = np.diff(places)
        step = float(steps.min()) if len(steps) and steps.min() > 0 else float(np.abs(places).max(initial=0.0)) or 1.0
        even = len(steps) > 0 and bool(np.ptp(steps) < 1e-3 * step)
        sizes = np.abs(places[np.abs(places) > step / 1000])
        if even and (not len(sizes) or (_PLAIN[0] <= sizes.min() and sizes.max() < _PLAIN[1])):
            decimals = next((n for n in range(12) if np.all(abs(places - places.round(n)) < step / 1000)), 12)
            return [f"{value:.{decimals}f}" for value in np.asarray(values) + 0.0]
        return [_shortest(value, step / 1000) for value in values]


def set_logarithmic(axes: Axes, which: Literal["x", "y"], low: float, high: float) -> None:
    """Make an axis logarithmic from `low` to `high`, with a small margin."""
    margin = (high / low) ** 0.04
    axes.set(**{f"{which}scale": "log", f"{which}lim": (low / margin, high * margin)})
    steps = (1.0, 2.0, 5.0) if high / low < _FEW_DECADES else (1.0,)
    axis: Axis = getattr(axes, f"{which}axis")
    axis.set_major_locator(LogLocator(subs=steps, numticks=9))


def set_counts(axis: Axis, n_bins: int = 7) -> None:
    """Label an axis with whole numbers."""
    axis.set_major_locator(MaxNLocator(nbins=n_bins, integer=True, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(Numbers(counts=True))


def label_numbers(figure: Figure) -> None:
    """Give our numbers to every axis that would have matplotlib's."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if isinstance(axis.get_major_formatter(), ScalarFormatter | LogFormatter):
                axis.set_major_formatter(Numbers())
            axis.set_minor_formatter(NullFormatter())


def _shortest(value: float, error: float) -> str:
    """The number with the fewest digits that is no more than `error` away."""
    digits = next((n for n in range(1, 17) if abs(float(f"{value:.{n}g}") - value) <= error), 17)
    if value == 0 or _PLAIN[0] <= abs(value) < _PLAIN[1]:
        return f"{float(f'{value:.{digits}g}'):.15g}"
    mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
    return f"{mantissa}e{int(power)}"
