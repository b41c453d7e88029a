"""What stands in for values that a file lacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Missing: TypeAlias = Literal["refuse", "interpolate", "forward", "mask"]


@dataclass(frozen=True)
class Gaps:
    """Where values may come from that stand in for missing ones.

    Attributes:
        rule: "forward" and "mask" repeat the last known value, "interpolate" draws a straight line to the next one.
        groups: ``(n_rows,)`` int: rows of one sequence have one number, and nothing passes from one to another.
        zones: ``(n_rows,)`` int: rows of one part have one number, -1 those of none; no line is drawn from one part to
            another.
        moments: ``(n_rows,)`` float64: when each row was, for straight lines; None: rows follow evenly.
    """

    rule: Missing
    groups: NDArray[np.int64]
    zones: NDArray[np.int64]
    moments: NDArray[np.float64] | None = None

    def sources(self, known: NDArray[np.bool_]) -> NDArray[np.intp]:
        """``(n_rows,)``: the row whose value stands in each: itself, the last known before, or else the first after it.

        -1 where there is none before it in its sequence, and none after it in its part.
        """
        before, after = self._neighbours(known)
        # Training must not see what comes in another part; rows of no part are not trained on.
        allowed = (after >= 0) & ((self.zones[after] == self.zones) | (self.zones < 0))
        return np.where(before >= 0, before, np.where(allowed, after, -1))

    def filled(
        self, values: NDArray[np.float64], known: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """``(n_rows,)`` values without gaps, and which of them were drawn between an earlier and a later one.

        Every row needs a source.
        """
        before, after = self._neighbours(known)
        found = values[self.sources(known)]
        drawn = np.zeros(len(values), dtype=np.bool_)
        if self.rule == "interpolate":
            drawn = ~known & (before >= 0) & (after >= 0) & (self.zones[before] == self.zones[after])
            when = np.arange(len(values), dtype=np.float64) if self.moments is None else self.moments
            width = when[after] - when[before]
            drawn &= width > 0
            share = (when - when[before])[drawn] / width[drawn]
            found[drawn] = values[before][drawn] * (1 - share) + values[after][drawn] * share
        return found, drawn

    def _neighbours(self, known: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The last known row up to each, and the first from there on; -1 where its sequence has none."""
        rows = np.arange(len(known))
        before = np.maximum.accumulate(np.where(known, rows, -1))
        after = np.minimum.accumulate(np.where(known, rows, len(known))[::-1])[::-1]
        outside = np.minimum(after, len(known) - 1)
        before = np.where((before >= 0) & (self.groups[before] == self.groups), before, -1)
        after = np.where((after < len(known)) & (self.groups[outside] == self.groups), after, -1)
        return before, after
