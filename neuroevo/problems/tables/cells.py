"""Cells of a table as finite numbers, as missing, or as neither, with a hint for what was probably meant."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput

MISSING = frozenset(("", "na", "n/a", "nan", "null", "none", "?", "-", "."))
"""What stands for a missing number, in lower case."""
MISSING_TEXTS = MISSING - {"none", "-", "."}
"""What stands for a missing text: the others may be categories."""
_SHOWN = 40


def finite(cells: Sequence[Any] | NDArray[Any], rows: Sequence[int], decimal: str) -> NDArray[np.float64] | None:
    """Cells as numbers, or None where one of them is not finite; which one, the reading cell by cell finds out."""
    if isinstance(cells, np.ndarray) and cells.dtype.kind in "fiub":
        values = cells[np.asarray(rows, dtype=np.intp)].astype(np.float64)
        return values if np.isfinite(values).all() else None
    listed_cells = cells.tolist() if isinstance(cells, np.ndarray) else cells
    chosen = listed_cells if len(rows) == len(cells) else [listed_cells[row] for row in rows]
    try:
        if decimal == ",":
            chosen = [_pointed(cell) for cell in chosen]
        values = np.fromiter(map(float, chosen), np.float64, len(chosen))
        underscored = "_" in " ".join(chosen)
    except (ValueError, TypeError):
        return None
    return None if underscored or not np.isfinite(values).all() else values


def number(cell: Any, decimal: str = ".") -> float:
    """A cell as a finite number, or NaN where it is missing.

    Raises:
        ValueError: It is something else; the message says what, and what to do.
    """
    if cell is None:
        return math.nan
    if not isinstance(cell, str):
        value = float(cell)
        if math.isinf(value):
            raise BadInput(f"{value} is not a finite number")
        return value
    text = cell.strip()
    if text.lower() in MISSING:
        return math.nan
    try:
        value = float(_pointed(text) if decimal == "," else text)
    except ValueError:
        value = math.inf
    if "_" in text or not math.isfinite(value):
        raise BadInput(f"{shortened(text)!r} is not a finite number{_hint(text, decimal)}")
    return value


def is_number(text: str, decimal: str = ".") -> bool:
    """Whether a text is a number, finite or not."""
    try:
        float(_pointed(text) if decimal == "," else text)
    except ValueError:
        return False
    return True


def is_text(cell: Any, decimal: str) -> bool:
    """Whether a cell is a text that nobody can have meant as a number, a missing one or several."""
    return isinstance(cell, str) and not is_number(cell, decimal) and not _meant(cell, decimal)


def is_missing_text(cell: Any) -> bool:
    """Whether a cell of a column of texts is missing."""
    return cell is None or str(cell).strip().lower() in MISSING_TEXTS


def _pointed(cell: Any) -> Any:
    """A cell with a decimal comma as one with a point.

    Raises:
        ValueError: It has a point already, which would separate thousands.
    """
    if not isinstance(cell, str):
        return cell
    if "." in cell:
        raise BadInput("a point where the decimal mark is a comma")
    return cell.replace(",", ".")


def _hint(text: str, decimal: str) -> str:
    return _meant(text, decimal) or "; only columns of numbers, or of texts without any number, can be used"


def _meant(text: str, decimal: str) -> str:
    """What to do about a text that is nearly a number, or nothing."""
    bare = text.replace(",", "").replace(".", "").replace(" ", "").lstrip("+-")
    if decimal == "," and "." in text and bare.isdigit():
        return '; with decimal = "," numbers have no points, and no thousands separators'
    if "," in text and bare.isdigit():
        return '; write a decimal point, not a comma, or set decimal = ","; and no thousands separators'
    if " " in text and all(is_number(part, decimal) for part in text.split()):
        return '; columns are separated by commas, semicolons or tabs, not by blanks: separator = " " would read them'
    return ""


def shortened(text: str) -> str:
    """A text as a message shows it."""
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def listed(names: Sequence[str], limit: int = 12) -> str:
    """Names as a message shows them."""
    shown = ", ".join(repr(name) for name in names[:limit])
    return shown + (f" and {len(names) - limit} more" if len(names) > limit else "")
