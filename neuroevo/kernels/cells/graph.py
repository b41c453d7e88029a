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
from neuroevo.kernels.cells.base import Rows, fill_rows, prepare, start, step
from neuroevo.kernels.compilation import implements, inlined, is_kind
from neuroevo.kernels.packing import Order
from neuroevo.kernels.processor import TILE_UNITS
from neuroevo.kernels.tiles import count, number_of, tile_fma_links, tile_store, tile_zero
from neuroevo.kernels.vectors import broadcast, lanes, peek, store


class Graph(NamedTuple):
    """The links of an unstructured network, in tiles of up to four targets.

    The state are the constant 1 and the units, in the order of the tiles.

    Attributes:
        n_inputs: Inputs.
        n_units: Units.
        n_outputs: Outputs.
        n_state: 1 + n_units.
        n_tiles: Tiles of units; those of outputs come after them.
        activation: Code.
        output_activation: Code.
        initial_state: 1 if the state before the first step is packed after the links.
        n_links: Packed links, those of weight 0 included.
        sizes: ``(n_all_tiles,)`` int64, targets of a tile.
        depths: ``(n_all_tiles,)`` int64, links of each target of the tile.
        sources: ``(n_links,)`` int64, the row of each link's source, counted from the inputs before a slot.
        n_back_tiles: Tiles of the adjoint network whose links come from units, with all units as their targets; those
            whose links come from outputs follow, with the units that outputs see.
        n_all_back_tiles: Tiles of the adjoint network.
        n_back_links: Links in the first `n_back_tiles`.
        back_sizes: ``(n_all_back_tiles,)`` int64, targets of a tile of the adjoint network.
        back_depths: ``(n_all_back_tiles,)`` int64, links of each target of the tile.
        back_targets: int64, the unit that each target is, in the order of the state, tile by tile.
        back_sources: ``(n_back_links,)`` int64, the row of deltas from which each link of the adjoint network comes.
        back_places: ``(n_back_links,)`` int64, the number of the packed weight that it has.
    """

    n_inputs: int
    n_units: int
    n_outputs: int
    n_state: int
    n_tiles: int
    activation: int
    output_activation: int
    initial_state: int
    n_links: int
    sizes: Any
    depths: Any
    sources: Any
    n_back_tiles: int
    n_all_back_tiles: int
    n_back_links: int
    back_sizes: Any
    back_depths: Any
    back_targets: Any
    back_sources: Any
    back_places: Any


def describe_graph(
    links: NDArray[np.int64],
    n_inputs: int,
    n_units: int,
    n_outputs: int,
    codes: tuple[int, int],
    slots: dict[str, NDArray[np.int64]],
) -> tuple[Graph, Order, NDArray[np.int64]]:
    """The cell of a list of links, the order of its weights, and the rows of its units in the state.

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
    sizes, depths, packed, rows, ends = [], [], [], [], []
    for first in [*range(0, n_units, TILE_UNITS), *range(n_units, n_units + n_outputs, TILE_UNITS)]:
        end = min(first + TILE_UNITS, n_units if first < n_units else n_units + n_outputs)
        tile = targets[first:end]
        depth = int(n_links_of[tile].max())
        tile_slots = np.full((depth, len(tile)), -1, np.int64)
        tile_rows = np.full((depth, len(tile)), constant, np.int64)
        for column, target in enumerate(tile):
            here = slice(begins[target], begins[target + 1])
            n = here.stop - here.start
            tile_slots[:n, column] = link_slots[here]
            tile_rows[:n, column] = row_of_source[by_target[here, 0]]
        sizes.append(len(tile))
        depths.append(depth)
        packed.append(tile_slots.ravel())
        rows.append(tile_rows.ravel())
        ends.append(np.tile(np.arange(first, end), depth))
    order = np.concatenate(packed)
    n_packed = order.size
    if "initial_state" in slots:
        order = np.concatenate([order, slots["initial_state"][unit_order]])
    cell = Graph(
        n_inputs, n_units, n_outputs, 1 + n_units, -(-n_units // TILE_UNITS), *codes, int("initial_state" in slots),
        n_packed, np.array(sizes, np.int64), np.array(depths, np.int64), np.concatenate(rows),
        *_reversed(order[:n_packed], np.concatenate(rows) - constant - 1, np.concatenate(ends), n_units, n_outputs),
    )  # fmt: skip
    return cell, Order(order, np.ones(order.size)), 1 + np.argsort(unit_order)


def _reversed(
    slots: NDArray[np.int64], sources: NDArray[np.int64], targets: NDArray[np.int64], n_units: int, n_outputs: int
) -> tuple[Any, ...]:
    """The adjoint network, sources and targets of the packed links exchanged: the last fields of `Graph`.

    Args:
        slots: ``(n_links,)``, -1 where a link only fills up.
        sources: The unit from which each link comes, in the order of the state; negative if it is none.
        targets: The row of deltas to which it leads.
        n_units: Units.
        n_outputs: Outputs.
    """
    exists = (slots >= 0) & (sources >= 0)
    nothing, to_outputs = n_units + n_outputs, targets >= n_units
    tiles = _back_tiles(np.flatnonzero(exists & ~to_outputs), sources, targets, np.arange(n_units), nothing)
    seen = np.unique(sources[exists & to_outputs])
    tiles += _back_tiles(np.flatnonzero(exists & to_outputs), sources, targets, seen, nothing)
    sizes, depths = (np.array(column, np.int64) for column in list(zip(*tiles, strict=True))[:2])
    units, rows, places = (np.concatenate(column).astype(np.int64) for column in list(zip(*tiles, strict=True))[2:])
    n_tiles = -(-n_units // TILE_UNITS)
    n_links = int((sizes * depths)[:n_tiles].sum())
    return n_tiles, len(sizes), n_links, sizes, depths, units, rows, places


def _back_tiles(
    links: NDArray[np.int64],
    sources: NDArray[np.int64],
    targets: NDArray[np.int64],
    units: NDArray[np.int64],
    nothing: int,
) -> list[tuple[Any, ...]]:
    """Tiles of up to four of these units: their number, their depth, the units, and the row and place of each link.

    Links that only fill up come from the row `nothing`.
    """
    n_links_of = np.bincount(sources[links], minlength=len(units))
    by_source = links[np.lexsort((targets[links], sources[links]))]
    begins = np.concatenate([[0], np.cumsum(n_links_of)])
    order = units[np.argsort(-n_links_of[units], kind="stable")]
    tiles = []
    for first in range(0, len(order), TILE_UNITS):
        tile = order[first : first + TILE_UNITS]
        rows = np.full((n_links_of[tile[0]], len(tile)), nothing)
        places = np.zeros_like(rows)
        for column, unit in enumerate(tile):
            here = by_source[begins[unit] : begins[unit + 1]]
            rows[: len(here), column], places[: len(here), column] = targets[here], here
        tiles.append((len(tile), len(rows), tile, rows.ravel(), places.ravel()))
    return tiles


@inlined
def _tile(cell, k, link, memory, slot, inputs, target, rows, columns):
    """Weighted sums of the targets of tile `k`, into rows from `target` on."""
    n_rows, width = number_of(rows), lanes(memory.values)
    tile = tile_zero(memory.values, rows, columns)
    for first in range(link, link + peek(cell.depths, k) * n_rows, n_rows):
        tile = tile_fma_links(tile, memory, first * width, slot, inputs, cell.sources, first)
    tile_store(tile, memory.values, target, memory.stride)


@inlined
def link_sums(cell, first, last, link, memory, slot, inputs, target, columns):
    """Weighted sums of the targets of some tiles, into rows from `target` on; the next link.

    `slot` is the row from which sources are counted, and `inputs`, where they lie elsewhere, the rows and the number of
    the inputs.
    """
    for k in range(first, last):
        size = peek(cell.sizes, k)
        if size == 4:
            _tile(cell, k, link, memory, slot, inputs, target, count(4), columns)
        elif size == 3:
            _tile(cell, k, link, memory, slot, inputs, target, count(3), columns)
        elif size == 2:
            _tile(cell, k, link, memory, slot, inputs, target, count(2), columns)
        else:
            _tile(cell, k, link, memory, slot, inputs, target, count(1), columns)
        link += size * peek(cell.depths, k)
        target += size * memory.stride
    return link


@implements(prepare)
def _prepare(cell, weights):
    return (lambda cell, weights: None) if is_kind(cell, Graph) else None


@inlined
def _set_constant(memory, state, n_columns):
    width = lanes(memory.values)
    for k in range(state, state + n_columns * width, width):
        store(memory.values, k, broadcast(memory.values, 1.0))


@implements(start)
def _start(cell, memory, at, n_columns):
    def start_graph(cell, memory, at, n_columns):
        state = at + cell.n_outputs * memory.stride
        _set_constant(memory, state, n_columns)
        w = cell.n_links * lanes(memory.values) if cell.initial_state else -1
        fill_rows(memory, w, Rows(state + memory.stride, cell.n_units), n_columns)

    return start_graph if is_kind(cell, Graph) else None


@implements(step)
def _step(cell, memory, at, wanted, columns):
    def step_graph(cell, memory, at, wanted, columns):
        values, stride, n_columns = memory.values, memory.stride, number_of(columns)
        state = at.new + cell.n_outputs * stride
        _set_constant(memory, state, n_columns)
        units = state + stride
        link = link_sums(cell, 0, cell.n_tiles, 0, memory, at.inputs, None, units, columns)
        activate(cell.activation, values, units, cell.n_units, stride, n_columns)
        if wanted:
            # Outputs see the inputs of this step, which lie before the old slot, and the units of the new one.
            inputs = Rows(at.inputs, cell.n_inputs)
            slot = at.new - cell.n_inputs * stride
            last = cell.n_tiles + (cell.n_outputs + TILE_UNITS - 1) // TILE_UNITS
            link_sums(cell, cell.n_tiles, last, link, memory, slot, inputs, at.new, columns)
            activate(cell.output_activation, values, at.new, cell.n_outputs, stride, n_columns)

    return step_graph if is_kind(cell, Graph) else None
