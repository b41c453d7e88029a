"""Predictions as a table: a row for each time that is predicted, a column for each figure."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PredictionTable:
    """What a predictor says, row by row, in original units.

    Attributes:
        keys: What tells rows apart: names of columns, such as that of the time, to their ``(n_rows,)`` entries.
        names: One name a prediction.
        prediction: ``(n_rows, n_names)``.
        low: ``(n_rows, n_names)``: lower ends of the intervals, NaN where there is none; None: there are none at all.
        high: Likewise, upper ends.
        level: Of the intervals.
        spread: ``(n_rows, n_names)``: standard deviation over the members; None where there is one only.
        classes: ``(n_rows,)`` names of the largest outputs, where outputs are classes.
        notes: What a user should know, in sentences.
        past: Entries of the last key and values ``(n, n_names)`` of the rows before, where these are known.
    """

    keys: Mapping[str, Sequence[Any]]
    names: tuple[str, ...]
    prediction: Values
    low: Values | None = None
    high: Values | None = None
    level: float | None = None
    spread: Values | None = None
    classes: Sequence[str] | None = None
    notes: tuple[str, ...] = ()
    past: tuple[Sequence[Any], Values] | None = None

    def columns(self) -> dict[str, Sequence[Any]]:
        """Names to columns, as ``pandas.DataFrame`` takes them: keys, class, each prediction and what belongs to it."""
        found: dict[str, Any] = dict(self.keys)
        if self.classes is not None:
            found["class"] = self.classes
        for i, name in enumerate(self.names):
            found[name] = self.prediction[:, i]
            beside = {"lower": self.low, "upper": self.high, "spread": self.spread}
            found |= {f"{name}_{what}": values[:, i] for what, values in beside.items() if values is not None}
        return found

    def rows(self) -> Iterator[list[Any]]:
        """Plain values; None for what is no number."""
        columns = [np.asarray(column).tolist() for column in self.columns().values()]
        for row in zip(*columns, strict=True):
            yield [None if isinstance(cell, float) and not math.isfinite(cell) else cell for cell in row]

    def to_csv(self) -> str:
        """CSV with a header line; numbers in full, cells of what is no number empty."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns())
        writer.writerows(self.rows())
        return text.getvalue()

    def to_json(self) -> str:
        """An object with `level`, `notes` and `rows`, which are objects too; null for what is no number."""
        names = list(self.columns())
        rows = [dict(zip(names, row, strict=True)) for row in self.rows()]
        return json.dumps({"level": self.level, "notes": list(self.notes), "rows": rows}, indent=1, ensure_ascii=False)
