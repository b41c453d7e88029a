"""The constants of a model in C: arrays on a grid as whole numbers of 1, 2, 4 or 8 bits with a scale, others as such.

Of matrices the entries that are 0 are left out where that takes fewer bytes: absent links.
Whether an array lies on a grid is seen from its values: all of them are whole multiples, up to 127, of one number.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.errors import BadInput
from neuroevo.export.plan import Values

REAL = {"single": "float", "double": "double"}
REAL_BYTES = {"single": 4, "double": 8}
_LARGEST = 127
_MOST_INDICES = 2**15 - 1
_FEW = 8
_ROUNDING = 4 * np.finfo(np.float64).eps
ENTRY = {
    1: "(int)(w[i >> 3] >> (i & 7) & 1) * 2 - 1",
    2: "(int)(w[i >> 2] >> 2 * (i & 3) & 3) - 1",
    4: "(int)(w[i >> 1] >> 4 * (i & 1) & 15) - 8",
}
WORDS = {1: "-1 or 1, eight in a byte", 2: "-1, 0 or 1, four in a byte", 4: "-7 to 7, two in a byte", 8: "a byte each"}


@dataclass(frozen=True, eq=False)
class OnGrid:
    """An array as whole numbers times a scale.

    Attributes:
        scale: The scale.
        codes: The whole numbers, int64, in the shape of the array.
        bits: Of a number when packed: 1 for -1 and 1, 2 for -1 to 1, 4 for -7 to 7, 8 for -127 to 127.
    """

    scale: float
    codes: NDArray[np.int64]
    bits: int

    def packed(self) -> NDArray[np.uint8] | NDArray[np.int8]:
        """The numbers one after the other, the first in the lowest bits of a byte."""
        if self.bits == 8:
            return self.codes.ravel().astype(np.int8)
        each = 8 // self.bits
        raised = (self.codes.ravel() + 1) // 2 if self.bits == 1 else self.codes.ravel() + {2: 1, 4: 8}[self.bits]
        filled = np.zeros(-(-raised.size // each) * each, dtype=np.int64)
        filled[: raised.size] = raised
        return np.asarray(
            (filled.reshape(-1, each) << self.bits * np.arange(each)).sum(axis=1, dtype=np.int64), dtype=np.uint8
        )


def on_grid(values: Values) -> OnGrid | None:
    """The array as whole numbers times a scale, the largest that will do; None where there is none."""
    largest = float(np.abs(values).max(initial=0.0))
    if not largest or not np.isfinite(largest):
        return None
    levels = np.arange(1.0, _LARGEST + 1)
    scales, flat = largest / levels, values.ravel()
    # A few entries tell of most arrays that they lie on no grid.
    few = flat[:_FEW] / scales[:, None]
    scales = scales[(np.abs(np.rint(few) * scales[:, None] - flat[:_FEW]) <= _ROUNDING * largest).all(axis=1)]
    if not len(scales):
        return None
    codes = np.rint(flat[None] / scales[:, None])
    fits = (np.abs(codes * scales[:, None] - flat) <= _ROUNDING * largest).all(axis=1)
    if not fits.any():
        return None
    first = int(np.argmax(fits))
    whole = codes[first].astype(np.int64).reshape(values.shape)
    span = int(np.abs(whole).max())
    bits = (1 if whole.all() else 2) if span == 1 else 4 if span <= 7 else 8
    return OnGrid(float(scales[first]), whole, bits)


@dataclass(frozen=True, eq=False)
class Stored:
    """How an array lies in flash.

    Attributes:
        numbers: What is written.
        grid: The numbers as whole ones, None where they are written as such.
        n_bytes: Of all its tables and its scale.
        columns: Of a matrix without its zeros the column of each number; None of an array that is whole.
        starts: And where each row begins among them, ``(n_rows + 1,)``.
    """

    numbers: Values
    grid: OnGrid | None
    n_bytes: int
    columns: NDArray[np.int64] | None = None
    starts: NDArray[np.int64] | None = None


def stored(values: Values, real_bytes: int) -> Stored:
    """The form of an array that takes the fewest bytes; numbers that are no whole ones take `real_bytes` each."""
    whole = _as_numbers(values, real_bytes)
    if values.ndim != 2 or values.all() or max(values.shape[1], np.count_nonzero(values)) > _MOST_INDICES:
        return whole
    rows, columns = np.nonzero(values)
    starts = np.searchsorted(rows, np.arange(len(values) + 1))
    if not len(rows):
        # C has no tables without an entry.
        rows = columns = np.zeros(1, dtype=np.int64)
    links = _as_numbers(values[rows, columns], real_bytes)
    n_bytes = links.n_bytes + columns.size * _index_bytes(columns) + starts.size * _index_bytes(starts)
    if n_bytes >= whole.n_bytes:
        return whole
    return Stored(links.numbers, links.grid, n_bytes, columns, starts)


def _as_numbers(values: Values, real_bytes: int) -> Stored:
    grid, plain = on_grid(values), values.size * real_bytes
    packed = plain if grid is None else -(-values.size * grid.bits // 8) + real_bytes
    return Stored(values, grid, packed) if packed < plain else Stored(values, None, plain)


def _index_bytes(indices: NDArray[np.int64]) -> int:
    return 1 if indices.max(initial=0) < 256 else 2


@dataclass
class Tables:
    """The constants of a header, as they are asked for, and how they are read.

    Attributes:
        name: What all names begin with.
        precision: "single" or "double".
        n_bytes: Of tables and scales so far.
    """

    name: str
    precision: str
    n_bytes: int = 0
    _declared: list[str] = field(default_factory=list)
    _read: set[tuple[str, int]] = field(default_factory=set)
    _grids: dict[str, tuple[int, str]] = field(default_factory=dict)
    _sparse: dict[str, str] = field(default_factory=dict)

    @property
    def real(self) -> str:
        """The type of numbers."""
        return REAL[self.precision]

    @property
    def real_bytes(self) -> int:
        """Bytes of a number."""
        return REAL_BYTES[self.precision]

    def weights(self, array: str, values: Values) -> None:
        """Declare a matrix or vector that `product` and `entry` read, on its grid where that takes fewer bytes."""
        found = stored(values, self.real_bytes)
        if found.columns is not None and found.starts is not None:
            self._sparse[array] = "" if _index_bytes(found.columns) == 1 else "_wide"
            self._indices(f"{array}_columns", found.columns)
            self._indices(f"{array}_starts", found.starts)
        grid = found.grid
        if grid is None:
            self.numbers(array, found.numbers)
            return
        packed = grid.packed()
        self._grids[array] = grid.bits, self.literal(grid.scale)
        self.n_bytes += self.real_bytes
        kind = "int8_t" if grid.bits == 8 else "uint8_t"
        self._declare(kind, array, [str(number) for number in packed.tolist()], 1, f" /* {WORDS[grid.bits]} */")

    def numbers(self, array: str, values: ArrayLike) -> None:
        """Declare a table of real numbers."""
        numbers = [self.literal(value) for value in np.ravel(values).tolist()]
        self._declare(self.real, array, numbers, self.real_bytes)

    def whole(self, array: str, values: ArrayLike) -> None:
        """Declare a table of whole numbers below 32768 in size."""
        self._declare("int16_t", array, [str(int(value)) for value in np.ravel(values).tolist()], 2)

    def _indices(self, array: str, values: NDArray[np.int64]) -> None:
        """Declare a table of whole numbers from 0 on, of bytes where these are enough."""
        if _index_bytes(values) == 1:
            self._declare("uint8_t", array, [str(value) for value in values.tolist()], 1)
        else:
            self.whole(array, values)

    def product(self, array: str, row: str, n: int, vector: str) -> str:
        """The sum of a row's n weights times a vector."""
        bits, scale = self._grids.get(array, (0, ""))
        factor = f"{scale} * " if scale else ""
        if array in self._sparse:
            self._read |= {(f"links{self._sparse[array]}", bits), ("at", bits)}
            at = f"{self.name}_{array}"
            ends = f"{at}_starts[{row}], {at}_starts[{row} + 1]"
            return f"{factor}{self.name}_links{bits or ''}{self._sparse[array]}({at}, {at}_columns, {ends}, {vector})"
        self._read |= {("sum", bits), ("at", bits)}
        first = f"({row}) * {n}" if "+" in row else f"{row} * {n}"
        return f"{factor}{self.name}_sum{bits or ''}({self.name}_{array}, {first}, {vector}, {n})"

    def entry(self, array: str, index: str) -> str:
        """One entry."""
        bits, scale = self._grids.get(array, (0, ""))
        at = f"{self.name}_{array}"
        if not bits:
            return f"{at}[{index}]"
        self._read.add(("at", bits))
        code = f"{at}[{index}]" if bits == 8 else f"{self.name}_at{bits}({at}, {index})"
        return f"{scale} * ({self.real}){code}"

    def literal(self, value: float) -> str:
        """A number as C writes it, with all its digits.

        Raises:
            BadInput: Single precision cannot hold it.
        """
        with np.errstate(over="ignore"):
            number = np.float32(value) if self.precision == "single" else np.float64(value)
        if not np.isfinite(number):
            raise BadInput(f"{value!r} is too large for single precision; take double (--precision double)")
        text = str(number)
        text = text if set(text) & set(".e") else f"{text}.0"
        return f"{text}f" if self.precision == "single" else text

    def text(self) -> str:
        """The declarations, and the functions that read them."""
        readers = [self._reader(what, bits) for what, bits in sorted(self._read)]
        return "\n".join([*self._declared, *filter(None, readers)])

    def _declare(self, kind: str, array: str, numbers: list[str], each: int, words: str = "") -> None:
        self.n_bytes += each * len(numbers)
        body = textwrap.fill(", ".join(numbers), 116, initial_indent="    ", subsequent_indent="    ")
        self._declared.append(f"static const {kind} {self.name}_{array}[{len(numbers)}] = {{{words}\n{body}\n}};")

    def _reader(self, what: str, bits: int) -> str:
        """The function that reads one entry, or that sums up entries times a vector; "" where none is needed."""
        kind, packed = {0: self.real, 8: "int8_t"}.get(bits, "uint8_t"), bits in (1, 2, 4)
        if what == "at":
            head = f"\nstatic inline int {self.name}_at{bits}(const {kind} *w, int i)"
            return f"{head}\n{{\n    return {ENTRY[bits]};\n}}" if packed else ""
        number = f"({self.real})" if bits else ""
        if what != "sum":
            entry = f"{self.name}_at{bits}(w, i)" if packed else "w[i]"
            columns = "int16_t" if what == "links_wide" else "uint8_t"
            return f"""
static inline {self.real} {self.name}_links{bits or ""}{what.removeprefix("links")}(
    const {kind} *w, const {columns} *columns, int i, int end, const {self.real} *x)
{{
    {self.real} sum = 0;
    for (; i < end; i++)
        sum += {number}{entry} * x[columns[i]];
    return sum;
}}"""
        entry = f"{self.name}_at{bits}(w, i + j)" if packed else "w[i + j]"
        return f"""
static inline {self.real} {self.name}_sum{bits or ""}(const {kind} *w, int i, const {self.real} *x, int n)
{{
    {self.real} sum = 0;
    for (int j = 0; j < n; j++)
        sum += {number}{entry} * x[j];
    return sum;
}}"""
