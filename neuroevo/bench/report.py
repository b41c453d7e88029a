"""What a benchmark found: a row a workload, both peaks, and where it was run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from neuroevo.bench.limit import Peaks
from neuroevo.bench.workloads import Workload

COLUMNS = ("workload", "cell", "P", "S", "T", "I", "H", "O", "ms", "million steps/s", "limit ms", "share of limit")
"""What `BenchReport.table` has in each row."""


@dataclass(frozen=True)
class BenchRow:
    """One workload.

    Attributes:
        workload: What was timed.
        seconds: The best of the repeats.
        limit_seconds: What the arithmetic alone would take at the measured peaks.
    """

    workload: Workload
    seconds: float
    limit_seconds: float

    @property
    def share(self) -> float:
        """Of the machine limit; 1 is all of it."""
        return self.limit_seconds / self.seconds

    @property
    def million_steps_per_second(self) -> float:
        """Steps of one network, in millions a second."""
        return self.workload.total_steps / self.seconds / 1e6

    def cells(self) -> tuple[str, ...]:
        """The row as text, in the order of `COLUMNS`."""
        figures = (
            _figure(1e3 * self.seconds), f"{self.million_steps_per_second:.1f}",
            _figure(1e3 * self.limit_seconds), f"{100 * self.share:.0f} %",
        )  # fmt: skip
        return (self.workload.name, self.workload.cell, *map(str, self.workload.numbers), *figures)


@dataclass(frozen=True)
class BenchReport:
    """All rows of one call of `run_bench`.

    Attributes:
        rows: In the order asked.
        peaks: Measured in the same process.
        repeats: Timed evaluations of each workload, of which the best counts.
        environment: Processor and versions.
    """

    rows: tuple[BenchRow, ...]
    peaks: Peaks
    repeats: int
    environment: dict[str, str]

    def table(self) -> tuple[tuple[str, ...], ...]:
        """A tuple of texts a workload, in the order of `COLUMNS`."""
        return tuple(row.cells() for row in self.rows)

    def to_text(self) -> str:
        """The table with its headings, and the peaks below it."""
        lines = aligned((COLUMNS, *self.table()))
        return "\n".join((*lines, "", f"Measured peaks: {self.peaks.describe()}; best of {self.repeats}."))

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts."""
        return {
            "environment": self.environment,
            "peaks": asdict(self.peaks),
            "repeats": self.repeats,
            "rows": [_row_dict(row) for row in self.rows],
        }

    def to_json(self) -> str:
        """`to_dict` as JSON."""
        return json.dumps(self.to_dict(), indent=1)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table: the first two columns to the left, the others, which are numbers, to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        texts = zip(row, widths, strict=True)
        cells = [text.ljust(width) if i < 2 else text.rjust(width) for i, (text, width) in enumerate(texts)]
        lines.append("  ".join(cells).rstrip())
    return lines


def _figure(value: float) -> str:
    """Three significant digits or more."""
    digits = 4 if value < 0.1 else 3 if value < 1 else 2 if value < 100 else 1
    return f"{value:.{digits}f}"


def _row_dict(row: BenchRow) -> dict[str, Any]:
    return {
        **asdict(row.workload),
        "milliseconds": 1e3 * row.seconds,
        "million_steps_per_second": row.million_steps_per_second,
        "limit_milliseconds": 1e3 * row.limit_seconds,
        "share_of_limit": row.share,
    }
