"""Leaky integrate-and-fire networks: potentials move a share of the way to a weighted sum, and fire at a threshold.

v += a (W x + U s + b - v), s being the spikes of the step before; outputs u += a (V s + c + S x - u) fire too, or are
read through their activation. With several steps of the integration in one of the data, the inputs are held.

Each sum is one chain of multiply-adds as in `dense`: the bias, the sources from below in order, those fed back in
order. A step of the integration computes the sums of a layer into rows of their own before any spike is written.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.kernels.activations import activate, logistic
from neuroevo.kernels.cells.base import Rows, copy_rows, fill_rows, prepare, start, step
from neuroevo.kernels.cells.dense import Sources, read_out_rows, weighted_sums
from neuroevo.kernels.compilation import implements, inlined, is_kind
from neuroevo.kernels.packing import Order, plain_order, unit_blocks
from neuroevo.kernels.tiles import number_of
from neuroevo.kernels.vectors import broadcast, equal, fma, lanes, less, load, maximum, select, store


class Lif(NamedTuple):
    """The shape of a network.

    Its state are groups of units, layer by layer and then the outputs: the rows of their spikes, of their potentials
    and, with `refractory`, of the steps for which they keep still (outputs that never fire have potentials alone).
    The last rows are room for the sums of a group.
    """

    n_inputs: int
    n_hidden: int
    n_outputs: int
    n_state: int
    n_layers: int
    output_activation: int
    initial_state: int
    n_skip: int
    """Inputs that the outputs see too: n_inputs or 0."""
    n_substeps: int
    to_zero: int
    """1 where a spike resets the potential to 0, 0 where it takes the threshold off."""
    refractory: int
    outputs_fire: int
    threshold: float


def n_state(n_hidden: int, n_outputs: int, n_layers: int, refractory: int, outputs_fire: int) -> int:
    """Rows of the state."""
    each = 3 if refractory else 2
    return n_layers * each * n_hidden + (each if outputs_fire else 1) * n_outputs + max(n_hidden, n_outputs)


def unit_rows(cell: Lif, first: int) -> NDArray[np.int64]:
    """Rows of the state, layer by layer: of spikes (`first` 0) or of potentials (1)."""
    each = 3 if cell.refractory else 2
    layers = np.arange(cell.n_layers)[:, None] * each + first
    return (layers * cell.n_hidden + np.arange(cell.n_hidden)).ravel()


def lif_order(cell: Lif, arrays: dict[str, NDArray[np.int64]]) -> Order:
    """The order of slots that the kernel reads: layers, read-out, leak genes of layers and outputs, initial states.

    Args:
        cell: The shape.
        arrays: The slots of each weight array, in its shape.
    """
    layers = range(cell.n_layers)
    pieces = [
        unit_blocks(np.column_stack([arrays[f"bias_l{k}"], arrays[f"weight_ih_l{k}"], arrays[f"weight_hh_l{k}"]]))
        for k in layers
    ]
    pieces += [unit_blocks(read_out_rows(arrays)), *(arrays[f"time_constant_l{k}"] for k in layers)]
    pieces.append(arrays["time_constant_out"])
    if cell.initial_state:
        pieces += [arrays[f"initial_state_l{k}"] for k in layers]
    return plain_order(pieces)


class Units(NamedTuple):
    """A group of units in a slot: elements of the first rows of spikes, potentials and steps to keep still."""

    spikes: int
    potentials: int
    waiting: int


@inlined
def _units(memory, at, n_units, fire):
    """The group whose rows begin at element `at`."""
    size = n_units * memory.stride
    return Units(at, at + size * fire, at + size * 2 * fire)


@inlined
def _layer_rows(cell):
    """Rows of a layer's group."""
    return cell.n_hidden * (3 if cell.refractory > 0 else 2)


@inlined
def _layer_size(cell, layer):
    """Packed weights of a layer, per lane."""
    return cell.n_hidden * (1 + (cell.n_inputs if layer == 0 else cell.n_hidden) + cell.n_hidden)


@inlined
def _shares(cell):
    """Where the weights of layers and read-out end and the leak genes begin, per lane."""
    upper = (cell.n_layers - 1) * cell.n_hidden * (1 + 2 * cell.n_hidden)
    return _layer_size(cell, 0) + upper + cell.n_outputs * (1 + cell.n_hidden + cell.n_skip)


@inlined
def _integrate(cell, memory, w, sums, old, new, n_units, fire, n_columns):
    """Move potentials a share of the way to the sums, but for units that keep still."""
    values, width = memory.values, lanes(memory.values)
    zero = broadcast(values, 0.0)
    for u in range(n_units):
        share = load(memory.weights, w + u * width)
        for k in range(u * memory.stride, u * memory.stride + n_columns * width, width):
            before = load(values, old.potentials + k)
            potential = fma(share, load(values, sums + k) - before, before)
            if fire and cell.refractory > 0:
                potential = select(less(zero, load(values, old.waiting + k)), before, potential)
            store(values, new.potentials + k, potential)


@inlined
def _fire(cell, memory, old, new, n_units, n_columns):
    """Spikes where the new potentials reach the threshold, and what is left of these."""
    values, width = memory.values, lanes(memory.values)
    zero, one, limit = broadcast(values, 0.0), broadcast(values, 1.0), broadcast(values, cell.threshold)
    taken, pause = broadcast(values, -cell.threshold), broadcast(values, float(cell.refractory))
    for first in range(0, n_units * memory.stride, memory.stride):
        for k in range(first, first + n_columns * width, width):
            potential = load(values, new.potentials + k)
            spike = select(less(potential, limit), zero, one)
            if cell.refractory > 0:
                waiting = load(values, old.waiting + k)
                spike = select(less(zero, waiting), zero, spike)
            # No comparison holds for NaN: it stays, so that the evaluation fails.
            spike = select(equal(potential, potential), spike, potential)
            if cell.refractory > 0:
                left = select(less(zero, spike), pause, maximum(zero, waiting - one))
                store(values, new.waiting + k, left)
            after = select(less(zero, spike), zero, potential) if cell.to_zero else fma(taken, spike, potential)
            store(values, new.spikes + k, spike)
            store(values, new.potentials + k, after)


@inlined
def _count(memory, spikes, outputs, n_units, first, n_columns):
    """Add spikes up."""
    values, width = memory.values, lanes(memory.values)
    for row in range(0, n_units * memory.stride, memory.stride):
        for k in range(row, row + n_columns * width, width):
            spike = load(values, spikes + k)
            store(values, outputs + k, spike if first else load(values, outputs + k) + spike)


@inlined
def _divide(memory, rows, divisor, n_columns):
    values, width = memory.values, lanes(memory.values)
    for row in range(rows.at, rows.at + rows.n * memory.stride, memory.stride):
        for k in range(row, row + n_columns * width, width):
            store(values, k, load(values, k) / broadcast(values, divisor))


@implements(prepare)
def _prepare(cell, weights):
    def turn_genes_into_shares(cell, weights):
        width = lanes(weights)
        first, n = _shares(cell) * width, cell.n_layers * cell.n_hidden + cell.n_outputs
        for w in range(first, first + n * width, width):
            store(weights, w, logistic(load(weights, w)) / broadcast(weights, cell.n_substeps))

    return turn_genes_into_shares if is_kind(cell, Lif) else None


@implements(start)
def _start(cell, memory, at, n_columns):
    def start_lif(cell, memory, at, n_columns):
        fill_rows(memory, -1, Rows(at, cell.n_outputs + cell.n_state), n_columns)
        if cell.initial_state:
            width = lanes(memory.values)
            w = (_shares(cell) + cell.n_layers * cell.n_hidden + cell.n_outputs) * width
            group = at + cell.n_outputs * memory.stride
            for _ in range(cell.n_layers):
                units = _units(memory, group, cell.n_hidden, 1)
                fill_rows(memory, w, Rows(units.potentials, cell.n_hidden), n_columns)
                w += cell.n_hidden * width
                group += _layer_rows(cell) * memory.stride

    return start_lif if is_kind(cell, Lif) else None


@implements(step)
def _step(cell, memory, at, wanted, columns):
    def step_lif(cell, memory, at, wanted, columns):
        width, stride, n, n_columns = lanes(memory.values), memory.stride, cell.n_hidden, number_of(columns)
        room = max(n, cell.n_outputs)
        sums = at.new + (cell.n_outputs + cell.n_state - room) * stride
        for k in range(cell.n_substeps):
            read = at.old if k == 0 else at.new
            old, new = read + cell.n_outputs * stride, at.new + cell.n_outputs * stride
            below, w, share = Rows(at.inputs, cell.n_inputs), 0, _shares(cell) * width
            for layer in range(cell.n_layers):
                before, after = _units(memory, old, n, 1), _units(memory, new, n, 1)
                weighted_sums(memory, w, Sources(below, Rows(before.spikes, n)), Rows(sums, n), False, columns)
                _integrate(cell, memory, share, sums, before, after, n, True, n_columns)
                _fire(cell, memory, before, after, n, n_columns)
                below = Rows(after.spikes, n)
                w, share = w + _layer_size(cell, layer) * width, share + n * width
                old, new = old + _layer_rows(cell) * stride, new + _layer_rows(cell) * stride
            before = _units(memory, old, cell.n_outputs, cell.outputs_fire)
            after = _units(memory, new, cell.n_outputs, cell.outputs_fire)
            sources = Sources(below, Rows(at.inputs, cell.n_skip))
            weighted_sums(memory, w, sources, Rows(sums, cell.n_outputs), False, columns)
            fire = cell.outputs_fire > 0
            _integrate(cell, memory, share, sums, before, after, cell.n_outputs, fire, n_columns)
            if fire:
                _fire(cell, memory, before, after, cell.n_outputs, n_columns)
                _count(memory, after.spikes, at.new, cell.n_outputs, k == 0, n_columns)
        outputs = Rows(at.new, cell.n_outputs)
        if cell.outputs_fire:
            _divide(memory, outputs, cell.n_substeps, n_columns)
        elif wanted:
            copy_rows(memory, Rows(after.potentials, cell.n_outputs), at.new, n_columns)
            activate(cell.output_activation, memory.values, at.new, cell.n_outputs, stride, n_columns)

    return step_lif if is_kind(cell, Lif) else None
