"""The constants of a model in whole numbers, and how C reads them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field

from neuroevo.export.c import fixed_functions as functions
from neuroevo.export.c.tables import ENTRY, WORDS, OnGrid
from neuroevo.export.fixed_point import FixedPoint
from neuroevo.export.fixed_point.arithmetic import POWERS, TANH
from neuroevo.export.fixed_point.parts import Line

TYPES = {1: "int8_t", 2: "int16_t", 4: "int32_t"}
_FACTOR_BYTES = 5


@dataclass
class Texts:
    """Declarations and functions of a header, as they are asked for.

    Attributes:
        net: The network.
        n_bytes: Of tables and factors so far.
        declared: Tables.
        needs: Functions by name.
    """

    net: FixedPoint
    n_bytes: int = 0
    declared: list[str] = field(default_factory=list)
    needs: set[str] = field(default_factory=set)

    def table(self, kind: str, name: str, numbers: Iterable[int], n_bytes: int, words: str = "") -> None:
        """Declare a table of whole numbers."""
        found = [str(int(number)) for number in numbers]
        self.n_bytes += n_bytes * len(found)
        body = textwrap.fill(", ".join(found), 116, initial_indent="    ", subsequent_indent="    ")
        self.declared.append(f"static const {kind} NAME_{name}[{len(found)}] = {{{words}\n{body}\n}};")

    def codes(self, name: str, grid: OnGrid) -> None:
        """Declare the whole numbers of an array."""
        kind = "int8_t" if grid.bits == 8 else "uint8_t"
        self.table(kind, name, grid.packed().tolist(), 1, f" /* {WORDS[grid.bits]} */")

    def bias(self, name: str, index: str) -> str:
        """An entry of a vector."""
        bias, entry = self.net.bias(name), f"NAME_{name}[{index}]"
        if not any(f" NAME_{name}[" in text for text in self.declared):
            if bias.grid is None:
                self.table("int32_t", name, bias.values.ravel(), 4)
            else:
                self.codes(name, bias.grid)
                self.n_bytes += _FACTOR_BYTES
        if bias.grid is None:
            return entry
        if bias.grid.bits < 8:
            self.needs.add(f"at{bias.grid.bits}")
            entry = f"NAME_at{bias.grid.bits}(NAME_{name}, {index})"
        return f"(int32_t)NAME_scaled({entry}, {bias.factor.multiplier}, {bias.factor.shift})"

    def product(self, name: str, row: str, line: Line, vector: str) -> str:
        """The sum of a row times a vector, with the fraction WIDE; "" where all weights are 0."""
        product = self.net.product(name, line)
        if product.grid is None:
            return ""
        grid, n = product.grid, product.grid.codes.shape[1]
        if not any(f" NAME_{name}[" in text for text in self.declared):
            self.codes(name, grid)
            self.n_bytes += _FACTOR_BYTES
        reader = f"sum{grid.bits}x{8 * line.n_bytes}"
        self.needs |= {reader} | ({f"at{grid.bits}"} if grid.bits < 8 else set())
        first = f"({row}) * {n}" if "+" in row else f"{row} * {n}"
        sums = f"NAME_{reader}(NAME_{name}, {first}, {vector}, {n})"
        return f"(int32_t)NAME_scaled({sums}, {product.factor.multiplier}, {product.factor.shift})"

    def text(self) -> str:
        """Tables, and the functions that were asked for."""
        body = functions.text(self.needs, ENTRY)
        if "NAME_tanhs[" in body:
            self.table("uint16_t", "tanhs", TANH, 2)
        if "NAME_powers[" in body:
            self.table("uint16_t", "powers", POWERS, 2)
        return "\n".join(self.declared) + body
