"""The backward step of unstructured networks: the adjoint network, whose links lead from targets to sources.

A unit's adjoint is the sum over the links that leave it: their weights times the deltas of where they lead (Wan and
Beaufays 1996: links are reversed, sums become branches and branches sums). So the adjoint network is a list of links
as well, and is gone through in register tiles like the network itself. A tile's targets lie where the state has them,
its weights where the network's own tiles have packed them.

Rows of deltas are the units in the order of the state, the outputs, and zeros, from which the links come that fill up
tiles. The gradient of a link is the sum over the steps of a block of its target's delta times its source, in registers.
"""

from __future__ import annotations

from typing import NamedTuple

from neuroevo.kernels.activations import SINE
from neuroevo.kernels.cells.adjoints import accumulate, back, start_back, unprepare
from neuroevo.kernels.cells.base import Rows
from neuroevo.kernels.cells.dense_back import add_over_columns
from neuroevo.kernels.cells.graph import Graph, link_sums
from neuroevo.kernels.cells.link_tiles import tile_fma_reversed, tile_from_rows, tile_link_products, tile_to_rows
from neuroevo.kernels.compilation import called, implements, inlined, is_kind
from neuroevo.kernels.processor import TILE_UNITS
from neuroevo.kernels.products import zero_rows
from neuroevo.kernels.slopes import through_activation
from neuroevo.kernels.tiles import count, number_of, tile_add_wide, tile_zero
from neuroevo.kernels.vectors import lanes, peek


def n_deltas(cell: Graph) -> int:
    """Rows of deltas of a step."""
    return cell.n_units + cell.n_outputs + 1


@inlined
def _tile(cell, memory, deltas, target, unit, link, depth, begins, rows, columns):
    """Adjoints of the units of one tile; added to what is there where `begins` is false."""
    n_rows = number_of(rows)
    if begins:
        tile = tile_zero(memory.values, rows, columns)
    else:
        tile = tile_from_rows(memory, target, cell.back_targets, unit, rows, columns)
    for k in range(link, link + depth * n_rows, n_rows):
        tile = tile_fma_reversed(tile, memory, deltas, cell.back_sources, cell.back_places, k)
    tile_to_rows(memory, target, cell.back_targets, unit, tile)


@inlined
def _tiles(cell, first, last, memory, deltas, target, begins, columns):
    """Adjoints of units in some tiles, into the rows of units from `target` on."""
    unit, link = (0, 0) if first == 0 else (cell.n_units, cell.n_back_links)
    for k in range(first, last):
        size, depth = peek(cell.back_sizes, k), peek(cell.back_depths, k)
        if size == 4:
            _tile(cell, memory, deltas, target, unit, link, depth, begins, count(4), columns)
        elif size == 3:
            _tile(cell, memory, deltas, target, unit, link, depth, begins, count(3), columns)
        elif size == 2:
            _tile(cell, memory, deltas, target, unit, link, depth, begins, count(2), columns)
        else:
            _tile(cell, memory, deltas, target, unit, link, depth, begins, count(1), columns)
        unit, link = unit + size, link + size * depth


@implements(back)
def _back(cell, memory, at, errors, wanted, columns):
    def back_graph(cell, memory, at, errors, wanted, columns):
        stride, n_columns = memory.stride, number_of(columns)
        units, state = cell.n_units, cell.n_outputs * stride
        newer, older = errors.newer + state + stride, errors.older + state + stride
        outputs = errors.deltas + units * stride
        zero_rows(memory, Rows(outputs + state, 1), n_columns)
        if wanted:
            through_activation(
                cell.output_activation, memory, Rows(at.new, cell.n_outputs), errors.newer, outputs, n_columns
            )
            _tiles(cell, cell.n_back_tiles, cell.n_all_back_tiles, memory, errors.deltas, newer, False, columns)
        else:
            zero_rows(memory, Rows(outputs, cell.n_outputs), n_columns)
        values = at.new + state + stride
        if cell.activation == SINE:
            values = errors.deltas
            link_sums(cell, 0, cell.n_tiles, 0, memory, at.inputs, None, values, columns)
        through_activation(cell.activation, memory, Rows(values, units), newer, errors.deltas, n_columns)
        zero_rows(memory, Rows(errors.older + state, 1), n_columns)
        _tiles(cell, 0, cell.n_back_tiles, memory, errors.deltas, older, True, columns)

    return back_graph if is_kind(cell, Graph) else None


class Seen(NamedTuple):
    """Where the sources of links lie at the first step: `inputs` (`Rows`), the others counted from `slot` on."""

    slot: int
    inputs: Rows


@inlined
def _products(cell, memory, span, gradient, k, size, seen, delta, rows, n_links):
    """The gradient of `n_links` links, `size` apart, of each of some neighbouring targets, summed up in registers."""
    width = lanes(memory.values)
    tile = tile_zero(memory.values, rows, n_links)
    for t in range(span.n_steps):
        for c in range(0, span.n_columns * width, width):
            d, moved = delta + t * span.deltas_size + c, t * span.size + c
            tile = tile_link_products(tile, memory, d, seen, cell.sources, k, size, moved)
    tile_add_wide(tile, gradient, k * width, width, size * width)


@called
def _link_products(cell, first, last, link, memory, span, gradient, seen, delta):
    """Gradients of the links of some tiles, the first link being `link`, whose deltas lie from `delta` on; the next."""
    for tile in range(first, last):
        size, depth = peek(cell.sizes, tile), peek(cell.depths, tile)
        end = link + size * depth
        if size == TILE_UNITS:
            while end - link >= 2 * size:
                _products(cell, memory, span, gradient, link, size, seen, delta, count(4), count(2))
                link += 2 * size
            if link < end:
                _products(cell, memory, span, gradient, link, size, seen, delta, count(4), count(1))
        else:
            for row in range(size):
                k, d = link + row, delta + row * memory.stride
                while end - k > 7 * size:
                    _products(cell, memory, span, gradient, k, size, seen, d, count(1), count(8))
                    k += 8 * size
                while k < end:
                    _products(cell, memory, span, gradient, k, size, seen, d, count(1), count(1))
                    k += size
        link, delta = end, delta + size * memory.stride
    return link


@implements(accumulate)
def _accumulate(cell, memory, span, gradient):
    def accumulate_graph(cell, memory, span, gradient):
        inputs = Rows(span.old - cell.n_inputs * memory.stride, cell.n_inputs)
        seen, new = Seen(inputs.at, inputs), Seen(inputs.at + span.size, inputs)
        outputs, last = span.deltas + cell.n_units * memory.stride, cell.n_tiles - (-cell.n_outputs // TILE_UNITS)
        link = _link_products(cell, 0, cell.n_tiles, 0, memory, span, gradient, seen, span.deltas)
        # Outputs see the inputs of a step and its new units.
        _link_products(cell, cell.n_tiles, last, link, memory, span, gradient, new, outputs)

    return accumulate_graph if is_kind(cell, Graph) else None


@implements(start_back)
def _start_back(cell, memory, at, gradient, n_columns):
    def start_back_graph(cell, memory, at, gradient, n_columns):
        if cell.initial_state:
            units = Rows(at + (cell.n_outputs + 1) * memory.stride, cell.n_units)
            add_over_columns(memory, units, gradient, cell.n_links * lanes(memory.values), n_columns)

    return start_back_graph if is_kind(cell, Graph) else None


@implements(unprepare)
def _unprepare(cell, weights, gradient):
    return (lambda cell, weights, gradient: None) if is_kind(cell, Graph) else None
