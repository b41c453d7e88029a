"""Unstructured networks: any list of links, at the same cost a link as in a dense network.

All genomes share the links, so a link is one multiply-add of vectors wherever it leads. Units are put in order of
their number of links and taken four at a time into a register tile; where one of the four has fewer links, links of
weight 0 from the constant 1 fill up. Each sum is one chain over the sources in order, beginning with 0.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.kernels.activations import activate
from neuroevo.kernels.cells import fill_rows, is_cell, opened, prepare, start, step
from neuroevo.kernels.compilation import called, implements, inlined
from neuroevo.kernels.packing import Order
from neuroevo.kernels.processor import TILE_UNITS
from neuroevo.kernels.tiles import count, number_of, tile_fma_links, tile_store, tile_zero
from neuroevo.kernels.vectors import broadcast, lanes, peek, store, view


class Graph(NamedTuple):
    """The links of an unstructured network, in tiles of up to four targets.

    Memory rows: inputs, outputs, the constant 1, units, units (second copy).

    Attributes:
        n_inputs: Inputs.
        n_units: Units; their rows are in the order of the tiles.
        n_outputs: Outputs.
        n_tiles: Tiles of units; those of outputs come after them.
        activation: Code.
        output_activation: Code.
        initial_state: 1 if the state before the first step is packed after the links.
        n_links: Packed links, those of weight 0 included.
        sizes: ``(n_all_tiles,)`` int64, targets of a tile.
        depths: ``(n_all_tiles,)`` int64, links of each target of the tile.
        sources: ``(2 * n_links,)`` int64, the memory row of each link's source: in even steps, then in odd steps.
    """

    n_inputs: int
    n_units: int
    n_outputs: int
    n_tiles: int
    activation: int
    output_activation: int
    initial_state: int
    n_links: int
    sizes: Any
    depths: Any
    sources: Any


class GraphView(NamedTuple):
    """`Graph` with views in place of arrays."""

    n_inputs: int
    n_units: int
    n_outputs: int
    n_tiles: int
    activation: int
    output_activation: int
    initial_state: int
    n_links: int
    sizes: Any
    depths: Any
    sources: Any


def describe_graph(
    links: NDArray[np.int64],
    n_inputs: int,
    n_units: int,
    n_outputs: int,
    codes: tuple[int, int],
    slots: dict[str, NDArray[np.int64]],
) -> tuple[Graph, Order]:
    """The cell of a list of links, and the order of its weights.

    Args:
        links: ``(n_links, 2)`` source and target: sources are inputs, the constant 1, units; targets units, outputs.
        n_inputs: Inputs.
        n_units: Units.
        n_outputs: Outputs.
        codes: Activation of units and of outputs.
        slots: Slots of `weight_links` and, if the initial state is evolved, `initial_state`.
    """
    n_links_of = np.bincount(links[:, 1], minlength=n_units + n_outputs)
    unit_order = np.argsort(-n_links_of[:n_units], kind="stable")
    targets = np.concatenate([unit_order, np.arange(n_units, n_units + n_outputs)])
    by_target = links[np.lexsort((links[:, 0], links[:, 1]))]
    link_slots = slots["weight_links"][np.lexsort((links[:, 0], links[:, 1]))]
    begins = np.concatenate([[0], np.cumsum(n_links_of)])
    constant = n_inputs + n_outputs
    row_of_source = np.concatenate([np.arange(n_inputs), [constant], constant + 1 + np.argsort(unit_order)])
    is_unit = np.arange(n_inputs + 1 + n_units) > n_inputs
    sizes, depths, packed, rows = [], [], [], []
    for first in [*range(0, n_units, TILE_UNITS), *range(n_units, n_units + n_outputs, TILE_UNITS)]:
        end = min(first + TILE_UNITS, n_units if first < n_units else n_units + n_outputs)
        tile = targets[first:end]
        depth = int(n_links_of[tile].max())
        tile_slots = np.full((depth, len(tile)), -1, np.int64)
        tile_rows = np.full((depth, len(tile)), constant, np.int64)
        moves = np.zeros((depth, len(tile)), np.int64)
        for column, target in enumerate(tile):
            here = slice(begins[target], begins[target + 1])
            n = here.stop - here.start
            source = by_target[here, 0]
            tile_slots[:n, column] = link_slots[here]
            tile_rows[:n, column] = row_of_source[source]
            moves[:n, column] = is_unit[source] * n_units
        sizes.append(len(tile))
        depths.append(depth)
        packed.append(tile_slots.ravel())
        # Units read the copy of the previous step, outputs the copy that this step writes.
        even, odd = (0, 1) if first < n_units else (1, 0)
        rows.append(np.stack([tile_rows + even * moves, tile_rows + odd * moves]).reshape(2, -1))
    order = np.concatenate(packed)
    n_packed = order.size
    if "initial_state" in slots:
        order = np.concatenate([order, slots["initial_state"][unit_order]])
    cell = Graph(
        n_inputs, n_units, n_outputs, -(-n_units // TILE_UNITS), *codes, int("initial_state" in slots), n_packed,
        np.array(sizes, np.int64), np.array(depths, np.int64),
        np.ascontiguousarray(np.concatenate(rows, axis=1)).ravel(),
    )  # fmt: skip
    return cell, Order(order, np.ones(order.size))


@inlined
def _tile(cell, depth, link, weights, values, at, stride, shift, target, n_tiles, rows, columns):
    n_rows, width = number_of(rows), lanes(values)
    for column in range(0, n_tiles * number_of(columns) * width, number_of(columns) * width):
        tile = tile_zero(values, rows, columns)
        for k in range(link, link + depth * n_rows, n_rows):
            tile = tile_fma_links(tile, weights, k * width, values, at + column, stride, cell.sources, shift + k)
        tile_store(tile, values, target + column, stride)


@called
def _tiles(cell, first, last, link, weights, values, at, stride, t, target, n_tiles, columns):
    """Weighted sums of the targets of some tiles, into rows from `target` on; the next link."""
    shift = (t & 1) * cell.n_links
    for k in range(first, last):
        size, depth = peek(cell.sizes, k), peek(cell.depths, k)
        if size == 4:
            _tile(cell, depth, link, weights, values, at, stride, shift, target, n_tiles, count(4), columns)
        elif size == 3:
            _tile(cell, depth, link, weights, values, at, stride, shift, target, n_tiles, count(3), columns)
        elif size == 2:
            _tile(cell, depth, link, weights, values, at, stride, shift, target, n_tiles, count(2), columns)
        else:
            _tile(cell, depth, link, weights, values, at, stride, shift, target, n_tiles, count(1), columns)
        link += size * depth
        target += size * stride
    return link


@implements(opened)
def _opened_graph(cell):
    def with_views(cell):
        return GraphView(
            cell.n_inputs,
            cell.n_units,
            cell.n_outputs,
            cell.n_tiles,
            cell.activation,
            cell.output_activation,
            cell.initial_state,
            cell.n_links,
            view(cell.sizes),
            view(cell.depths),
            view(cell.sources),
        )

    return with_views if is_cell(cell, Graph) else None


@implements(prepare)
def _prepare_graph(cell, weights):
    return (lambda cell, weights: None) if is_cell(cell, GraphView) else None


@implements(start)
def _start_graph(cell, weights, values, at, stride, n_columns):
    def start_graph(cell, weights, values, at, stride, n_columns):
        width = lanes(values)
        constant = at + (cell.n_inputs + cell.n_outputs) * stride
        for k in range(constant, constant + n_columns * width, width):
            store(values, k, broadcast(values, 1.0))
        w = cell.n_links * width if cell.initial_state else -1
        fill_rows(weights, w, values, constant + stride, stride, cell.n_units, n_columns)

    return start_graph if is_cell(cell, GraphView) else None


@implements(step)
def _step_graph(cell, weights, values, at, stride, t, wanted, n_tiles, columns):
    def step_graph(cell, weights, values, at, stride, t, wanted, n_tiles, columns):
        outputs = at + cell.n_inputs * stride
        new = outputs + (cell.n_outputs + 1 + (1 - (t & 1)) * cell.n_units) * stride
        link = _tiles(cell, 0, cell.n_tiles, 0, weights, values, at, stride, t, new, n_tiles, columns)
        activate(cell.activation, values, new, cell.n_units, stride, n_tiles * number_of(columns))
        if wanted:
            last = cell.n_tiles + (cell.n_outputs + 3) // 4
            _tiles(cell, cell.n_tiles, last, link, weights, values, at, stride, t, outputs, n_tiles, columns)
            activate(cell.output_activation, values, outputs, cell.n_outputs, stride, n_tiles * number_of(columns))

    return step_graph if is_cell(cell, GraphView) else None
