"""The genome layout: which gene is which entry of which weight array.

A layout is a bijection between a flat genome and the named arrays of a network. Entries that are fixed (an absent link
is fixed at 0) are part of the arrays but have no gene.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.errors import BadInput

Role = Literal["input", "recurrent", "bias", "output", "links", "initial_state", "time_constant", "feedback", "switch"]
_Scalar = TypeVar("_Scalar", bound=np.generic)
_INCOMING: tuple[Role, ...] = ("input", "recurrent", "output")


@dataclass(frozen=True, eq=False)
class ArraySpec:
    """One array of a network, before it is known which of its entries are fixed.

    Attributes:
        name: The key in what `GenomeLayout.decode` returns.
        shape: Its shape.
        role: What its entries do.
        units: Integers that broadcast to `shape`: the number of the unit that each entry belongs to.
        n_gates: How many gates are stacked along the first axis (LSTM 4, GRU 3).
        fans: Fan-in and fan-out of each entry where the shape does not say it (links of a graph).
    """

    name: str
    shape: tuple[int, ...]
    role: Role
    units: NDArray[np.int64]
    n_gates: int = 1
    fans: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None


@dataclass(frozen=True, eq=False)
class Block:
    """One array of a layout with its genes: what an initialisation or an operator works on.

    Attributes:
        name: Of the array.
        role: What its entries do.
        shape: Of the array.
        n_gates: How many gates are stacked along the first axis.
        genes: `shape` int64, the gene's index of each entry, -1 where the entry is fixed.
    """

    name: str
    role: Role
    shape: tuple[int, ...]
    n_gates: int
    genes: NDArray[np.int64]


class GenomeLayout:
    """The bijection between genomes and named arrays.

    Args:
        specs: The arrays, in genome order.
        fixed: For some arrays, the values of the entries that are no genes: an array of that shape with NaN where there
            is a gene.

    Attributes:
        names: Of the arrays, in genome order.
        shapes: Of the arrays.
        roles: Of the arrays.
        n_genes: Length of a genome.
        slots: ``(n_slots,)`` int64, the entries of all arrays in order, each array in C order: the index of the
            entry's gene, -1 where it is fixed.
        fixed_values: ``(n_slots,)`` float64, the values of the fixed entries, 0 where there is a gene.
        units: ``(n_genes,)`` int64, the number of the unit that a gene belongs to, as the unit's incoming weight, bias,
            initial state or time constant; units of all layers first, then the outputs.
    """

    def __init__(self, specs: Sequence[ArraySpec], fixed: Mapping[str, NDArray[np.float64]] | None = None) -> None:
        fixed = fixed or {}
        self._specs, self._fixed = tuple(specs), fixed
        self.names = tuple(spec.name for spec in specs)
        self.shapes = tuple(spec.shape for spec in specs)
        self.roles = tuple(spec.role for spec in specs)
        values = [fixed.get(spec.name, np.full(spec.shape, np.nan)) for spec in specs]
        flat = np.concatenate([value.ravel() for value in values])
        is_gene = np.isnan(flat)
        self.n_genes = int(is_gene.sum())
        self.slots = _frozen(np.where(is_gene, np.cumsum(is_gene) - 1, -1).astype(np.int64))
        self.fixed_values = _frozen(np.where(is_gene, 0.0, flat))
        units = [np.broadcast_to(spec.units, spec.shape).ravel() for spec in specs]
        self.units = _frozen(np.concatenate(units)[is_gene].astype(np.int64))
        self._bounds = np.cumsum([0, *(value.size for value in values)])
        self._is_gene = is_gene

    def extended(self, *specs: ArraySpec) -> GenomeLayout:
        """The layout of genomes that have the genes of more arrays behind their own."""
        return GenomeLayout((*self._specs, *specs), self._fixed)

    def decode(self, genome: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """The named arrays of a genome, as new float64 arrays.

        Args:
            genome: ``(n_genes,)``.

        Raises:
            ValueError: It has another shape.
        """
        genome = self.checked(genome)
        entries = self.fixed_values.copy()
        entries[self._is_gene] = genome
        return {name: entries[start:stop].reshape(shape).copy() for name, shape, start, stop in self._pieces()}

    def encode(self, arrays: Mapping[str, ArrayLike]) -> NDArray[np.float64]:
        """The genome ``(n_genes,)`` whose arrays these are; the exact inverse of `decode`.

        Raises:
            ValueError: An array is missing, unknown or of another shape, or a fixed entry has another value.
        """
        unknown, missing = [n for n in arrays if n not in self.names], [n for n in self.names if n not in arrays]
        if unknown or missing:
            raise BadInput(
                f"the arrays must be exactly {', '.join(self.names)}; "
                f"missing: {', '.join(missing) or 'none'}, unknown: {', '.join(unknown) or 'none'}"
            )
        entries = np.empty(self.slots.size)
        for name, shape, start, stop in self._pieces():
            array = np.asarray(arrays[name], dtype=np.float64)
            if array.shape != shape:
                raise BadInput(f"array {name} must have shape {shape}, got {array.shape}")
            entries[start:stop] = array.ravel()
        self._check_fixed(entries)
        genome: NDArray[np.float64] = entries[self._is_gene]
        return genome

    def checked(self, genome: ArrayLike) -> NDArray[np.float64]:
        """`genome` as a float64 array ``(n_genes,)``.

        Raises:
            ValueError: It has another shape.
        """
        array = np.asarray(genome, dtype=np.float64)
        if array.shape != (self.n_genes,):
            raise BadInput(
                f"genome must have shape ({self.n_genes},), one entry a gene, got {array.shape}; "
                "it may belong to another network"
            )
        return array

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Every array with the indices of its genes, in genome order."""
        return tuple(
            Block(spec.name, spec.role, spec.shape, spec.n_gates, self.slots[start:stop].reshape(shape))
            for spec, (_, shape, start, stop) in zip(self._specs, self._pieces(), strict=True)
        )

    @cached_property
    def fan_in(self) -> NDArray[np.float64]:
        """``(n_genes,)``: how many links of the gene's array (a bias: of all arrays) lead to its unit, per gate.

        Absent links do not count; initial states and time constants have 1.
        """
        return self._fans[0]

    @cached_property
    def fan_out(self) -> NDArray[np.float64]:
        """``(n_genes,)``: how many links of the gene's array start where its own does, per gate.

        Absent links do not count; biases, initial states and time constants have 1.
        """
        return self._fans[1]

    @cached_property
    def start_scale(self) -> NDArray[np.float64]:
        """``(n_genes,)``: how wide a gene is spread at first beside others: 1, for taps of feedback 1 / (4 taps).

        A filter whose fed back taps have moduli of a sum below 1 is stable.
        """
        scale = np.ones(self.slots.size)
        for spec, (_, shape, start, stop) in zip(self._specs, self._pieces(), strict=True):
            if spec.role == "feedback":
                scale[start:stop] = 1.0 / (4 * shape[-1])
        return _frozen(scale[self._is_gene])

    @cached_property
    def _fans(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        present = self._is_gene | (self.fixed_values != 0.0)
        incoming = self._incoming_per_unit(present)
        fans_in, fans_out = np.ones(self.slots.size), np.ones(self.slots.size)
        for spec, (_, shape, start, stop) in zip(self._specs, self._pieces(), strict=True):
            here = present[start:stop].reshape(shape)
            fan_in, fan_out = np.ones(shape), np.ones(shape)
            if spec.fans is not None:
                fan_in, fan_out = spec.fans
            elif spec.role in _INCOMING:
                # Taps of a filter, the last of three axes, are so many links, as those of a convolution are.
                gates = here.reshape(spec.n_gates, -1, shape[1], math.prod(shape[2:]))
                fan_in = np.broadcast_to(gates.sum(axis=(2, 3), keepdims=True), gates.shape).reshape(shape)
                fan_out = np.broadcast_to(gates.sum(axis=(1, 3), keepdims=True), gates.shape).reshape(shape)
            elif spec.role == "bias":
                fan_in = incoming[np.broadcast_to(spec.units, shape)]
            fans_in[start:stop], fans_out[start:stop] = np.ravel(fan_in), np.ravel(fan_out)
        return _frozen(np.maximum(fans_in, 1.0)[self._is_gene]), _frozen(np.maximum(fans_out, 1.0)[self._is_gene])

    def _incoming_per_unit(self, present: NDArray[np.bool_]) -> NDArray[np.float64]:
        n_units = 1 + max(int(spec.units.max(initial=0)) for spec in self._specs)
        incoming = np.zeros(n_units)
        for spec, (_, shape, start, stop) in zip(self._specs, self._pieces(), strict=True):
            if spec.role in _INCOMING:
                units = np.broadcast_to(spec.units, shape).ravel()
                np.add.at(incoming, units, present[start:stop] / spec.n_gates)
        return incoming

    def _pieces(self) -> list[tuple[str, tuple[int, ...], int, int]]:
        starts, stops = self._bounds[:-1].tolist(), self._bounds[1:].tolist()
        return list(zip(self.names, self.shapes, starts, stops, strict=True))

    def _check_fixed(self, entries: NDArray[np.float64]) -> None:
        wrong = np.flatnonzero(~self._is_gene & (entries != self.fixed_values))
        if wrong.size:
            slot = int(wrong[0])
            which = int(np.searchsorted(self._bounds, slot, side="right")) - 1
            index = np.unravel_index(slot - int(self._bounds[which]), self.shapes[which])
            where = f"{self.names[which]}[{', '.join(str(int(i)) for i in index)}]"
            expected, got = float(self.fixed_values[slot]), float(entries[slot])
            raise BadInput(
                f"{where} is fixed at {expected!r} in this network, got {got!r}; "
                f"{wrong.size} fixed entries differ in all"
            )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GenomeLayout):
            return NotImplemented
        same_arrays = (self.names, self.shapes) == (other.names, other.shapes)
        return (
            same_arrays
            and np.array_equal(self.slots, other.slots)
            and np.array_equal(self.fixed_values, other.fixed_values)
        )

    def __hash__(self) -> int:
        return hash((self.names, self.shapes, self.n_genes))

    def __repr__(self) -> str:
        arrays = ", ".join(f"{name} {shape}" for name, shape in zip(self.names, self.shapes, strict=True))
        return f"GenomeLayout({self.n_genes} genes: {arrays})"


def _frozen(array: NDArray[_Scalar]) -> NDArray[_Scalar]:
    array.flags.writeable = False
    return array
