"""Locally recurrent networks: layers whose links, or whose units, are IIR filters.

Every link sees the last values of its source, which lie in the new slot one below the other, so that they are so many
sources of a weighted sum. What filters feed back lies in the old slot. Each sum is one chain of multiply-adds: that of
a link the values of its source from the newest on, then what it feeds back, and the unit adds the bias and its links
in order; where links have no feedback, a unit's is the bias, the values of each source, then what it feeds back.
"""

from __future__ import annotations

from neuroevo.kernels.activations import activate
from neuroevo.kernels.cells.base import Rows, copy_rows, fill_rows, prepare, start, step
from neuroevo.kernels.cells.filter_layers import (
    ACTIVATION,
    OUTPUT,
    SYNAPSE,
    LocallyRecurrent,
    fed_back_row,
    layer_of,
    n_terms,
    sources_of,
)
from neuroevo.kernels.compilation import implements, inlined, is_kind
from neuroevo.kernels.processor import BLOCK_UNITS
from neuroevo.kernels.tiles import (
    count,
    number_of,
    tile_add,
    tile_fma,
    tile_fma_rows,
    tile_from,
    tile_store,
    tile_zero,
)
from neuroevo.kernels.vectors import lanes


@inlined
def _unit_tile(memory, layer, w, per_source, sources, back, out, rows, columns):
    """Sums of some units whose links have no feedback; `back` is the first unit's value that is fed back first."""
    stride, n_sources = memory.stride, layer.ma * layer.n_sources
    tile = tile_from(memory.weights, w, rows, columns)
    w += per_source
    for i in range(n_sources):
        tile = tile_fma(tile, memory.weights, w + i * per_source, memory.values, sources + i * stride)
    w += n_sources * per_source
    first = fed_back_row(layer, 1)
    for r in range(layer.ar):
        at = back + (fed_back_row(layer, r + 1) - first) * stride
        tile = tile_fma_rows(tile, memory.weights, w + r * per_source, memory.values, at, stride)
    tile_store(tile, memory.values, out, stride)


@inlined
def _link_tile(memory, layer, w, per_source, sources, back, links, out, rows, columns):
    """Sums of some units whose links feed back; their values are written to the rows from `links` on."""
    stride, size = memory.stride, layer.n_units * memory.stride
    tile = tile_from(memory.weights, w, rows, columns)
    w += per_source
    for m in range(layer.n_sources):
        link = tile_zero(memory.values, rows, columns)
        for p in range(layer.ma):
            at = sources + (m * layer.ma + p) * stride
            link = tile_fma(link, memory.weights, w + p * per_source, memory.values, at)
        w += layer.ma * per_source
        for r in range(layer.ar):
            at = back + (r * layer.n_sources + m) * size
            link = tile_fma_rows(link, memory.weights, w + r * per_source, memory.values, at, stride)
        w += layer.ar * per_source
        tile_store(link, memory.values, links + m * size, stride)
        tile = tile_add(tile, link)
    tile_store(tile, memory.values, out, stride)


@inlined
def _tile(memory, layer, w, per_source, sources, at, out, first, rows, columns):
    """The sums of the units from number `first` on."""
    shift = first * memory.stride
    back = at.old + fed_back_row(layer, 1) * memory.stride + shift
    out += shift
    if layer.feedback == SYNAPSE:
        links = at.new + layer.memory * memory.stride + shift
        _link_tile(memory, layer, w, per_source, sources, back, links, out, rows, columns)
    else:
        _unit_tile(memory, layer, w, per_source, sources, back, out, rows, columns)


@inlined
def filtered_sums(memory, layer, sources, at, out, columns):
    """The sums of all units of a layer, block by block in tiles of 4, 2 and 1, into the rows from `out` on."""
    width = lanes(memory.values)
    # A tile of links is held beside that of their units: with several sequences half as many rows fit.
    n_rows = 4 if number_of(columns) == 1 else 2
    for block in range(0, layer.n_units, BLOCK_UNITS):
        n_units = min(BLOCK_UNITS, layer.n_units - block)
        per_source, u = n_units * width, 0
        w = (layer.weights + block * n_terms(layer)) * width
        while n_rows == 4 and n_units - u >= 4:
            _tile(memory, layer, w + u * width, per_source, sources, at, out, block + u, count(4), columns)
            u += 4
        while n_units - u >= 2:
            _tile(memory, layer, w + u * width, per_source, sources, at, out, block + u, count(2), columns)
            u += 2
        if u < n_units:
            _tile(memory, layer, w + u * width, per_source, sources, at, out, block + u, count(1), columns)


@inlined
def _move_line(memory, layer, below, at, n_columns):
    """Move the values of the sources on by one step."""
    if layer.ma > 1:
        line, size = layer.line * memory.stride, layer.ma * memory.stride
        for m in range(layer.n_sources):
            copy_rows(memory, Rows(below + m * memory.stride, 1), at.new + line, n_columns)
            copy_rows(memory, Rows(at.old + line, layer.ma - 1), at.new + line + memory.stride, n_columns)
            line += size


@inlined
def _remember(memory, layer, at, n_columns):
    """Move what is fed back on by one step; the newest is there already, but for the sums of ACTIVATION."""
    size, stride = layer.n_units, memory.stride
    new, old = at.new + layer.memory * stride, at.old + layer.memory * stride
    if layer.feedback == SYNAPSE:
        size *= layer.n_sources
        copy_rows(memory, Rows(old, (layer.ar - 1) * size), new + size * stride, n_columns)
    elif layer.feedback == ACTIVATION:
        copy_rows(memory, Rows(at.new + layer.units * stride, size), new, n_columns)
        copy_rows(memory, Rows(old, (layer.ar - 1) * size), new + size * stride, n_columns)
    elif layer.feedback == OUTPUT and layer.ar > 1:
        copy_rows(memory, Rows(at.old + layer.units * stride, size), new, n_columns)
        copy_rows(memory, Rows(old, (layer.ar - 2) * size), new + size * stride, n_columns)


@implements(prepare)
def _prepare(cell, weights):
    return (lambda cell, weights: None) if is_kind(cell, LocallyRecurrent) else None


@implements(start)
def _start(cell, memory, at, n_columns):
    def start_locally_recurrent(cell, memory, at, n_columns):
        fill_rows(memory, -1, Rows(at, cell.n_outputs + cell.n_state), n_columns)

    return start_locally_recurrent if is_kind(cell, LocallyRecurrent) else None


@implements(step)
def _step(cell, memory, at, wanted, columns):
    def step_locally_recurrent(cell, memory, at, wanted, columns):
        below, stride, n_columns = at.inputs, memory.stride, number_of(columns)
        for k in range(cell.n_layers):
            layer = layer_of(cell, k)
            is_out = k + 1 == cell.n_layers
            if not is_out or wanted or cell.is_dynamic:
                _move_line(memory, layer, below, at, n_columns)
                units = at.new + layer.units * stride
                filtered_sums(memory, layer, sources_of(memory, layer, below, at.new), at, units, columns)
                _remember(memory, layer, at, n_columns)
                code = cell.output_activation if is_out else cell.activation
                activate(code, memory.values, units, layer.n_units, stride, n_columns)
            below = at.new + layer.units * stride

    return step_locally_recurrent if is_kind(cell, LocallyRecurrent) else None
