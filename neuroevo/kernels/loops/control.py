"""The loop around networks that act: lanes play episodes in a world, and one whose episode is over takes the next.

A lane holds one genome in one episode. Genomes are packed a block at a time beside the lanes that play (`_stage`), and
a lane gets its weights and first state from there one by one; so a vector is full until there are no more episodes,
however much they differ in length. `COLUMNS` vectors go side by side, because a step in a world is one long chain of
operations, which leaves the processor idle in between.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from neuroevo.kernels.cells import dense, gated, graph, locally_recurrent  # noqa: F401 - they register code
from neuroevo.kernels.cells.base import At, Memory, prepare, start, step
from neuroevo.kernels.compilation import called, implements, inlined, kernel
from neuroevo.kernels.packing import pack
from neuroevo.kernels.processor import LANES
from neuroevo.kernels.scratch import aligned_empty
from neuroevo.kernels.tiles import count
from neuroevo.kernels.vectors import (
    broadcast,
    extract,
    lanes,
    less,
    load,
    opened,
    peek,
    poke,
    select,
    store,
    take_next,
    view,
)
from neuroevo.kernels.worlds.base import act, begin, conclude, lasts, move, observe

COLUMNS = 2
"""Vectors that go side by side."""

FIRST, STAGED, LANE, EPISODE = range(4)
"""Entries of `source`: first genome and number of genomes of the block beside, the lane and episode that are next."""


class Room(NamedTuple):
    """Memory of one thread; `real` is the kernel's precision.

    Attributes:
        weights: real, the packed weights of each column, and of the block beside.
        values: real, the rows of `cells` in two slots for each column, and for the block beside.
        states: real, the world's rows.
        genome: ``(COLUMNS * lanes,)`` int64, whom each lane plays; -1 where nobody.
        episode: ``(COLUMNS * lanes,)`` int64.
        active: ``(COLUMNS,)`` int64, lanes of each column that play.
        source: ``(4,)`` int64.
    """

    weights: NDArray[Any]
    values: NDArray[Any]
    states: NDArray[Any]
    genome: NDArray[np.int64]
    episode: NDArray[np.int64]
    active: NDArray[np.int64]
    source: NDArray[np.int64]


def n_numbers(n_packed: int, n_rows: int, n_world_rows: int) -> int:
    """Numbers of a thread's memory for each lane: for `n_packed` weights, `n_rows` rows of a network's step."""
    return (COLUMNS + 1) * (n_packed + 2 * n_rows) + COLUMNS * n_world_rows


def make_room(n_packed: int, n_rows: int, n_world_rows: int, dtype: Any) -> Room:
    """Memory for one thread; arguments as of `n_numbers`."""
    width = LANES[np.dtype(dtype).name]
    reals = [(COLUMNS + 1) * n_packed, (COLUMNS + 1) * 2 * n_rows, COLUMNS * n_world_rows]
    weights, values, states = (aligned_empty(size * width, dtype) for size in reals)
    for array in (weights, values, states):
        array[:] = 0
    genome, episode = (np.zeros(COLUMNS * width, np.int64) for _ in range(2))
    return Room(weights, values, states, genome, episode, np.zeros(COLUMNS, np.int64), np.zeros(4, np.int64))


def from_element(source, index):
    """The view that begins at an element of a view."""


@intrinsic
def _from_element(typingctx, source, index):
    return source(source, types.intp), lambda context, builder, sig, args: builder.gep(args[0], [args[1]])


@implements(from_element)
def _from_element_of(source, index):
    if isinstance(source, types.CPointer):
        return lambda source, index: _from_element(source, index)  # noqa: PLW0108 - an intrinsic has no Python code
    return lambda source, index: source[index:]


@called
def _stage(cell, packing, population, weights, values, source, counter):
    """Pack the next block of genomes beside the lanes, with their first states; False if there is none."""
    width, n_genomes = lanes(weights), population.shape[0]
    first = take_next(counter) * width
    if first >= n_genomes:
        source[STAGED] = source[LANE] = 0
        return False
    pack(packing, population, first, weights, width)
    prepare(cell, weights)
    start(cell, Memory(weights, values, width), cell.n_inputs * width, 1)
    source[FIRST], source[STAGED], source[LANE], source[EPISODE] = first, min(width, n_genomes - first), 0, 0
    return True


@called
def _fill(cell, packing, world, population, room, views, counter, place, slot):
    """Give the lane at `place` the next episode, or nothing to do if there is none; the slot is the one read next."""
    weights, values, states = views
    width, source, n_packed = lanes(weights), room.source, packing.genes.size
    n_rows = cell.n_inputs + cell.n_outputs + cell.n_state
    own = COLUMNS * n_packed * width, COLUMNS * 2 * n_rows * width
    column, lane, before = place // width, place % width, room.genome[place]
    if source[LANE] == source[STAGED]:
        beside = from_element(weights, own[0]), from_element(values, own[1])
        if not _stage(cell, packing, population, beside[0], beside[1], source, counter):
            room.genome[place] = -1
            room.active[column] -= before >= 0
            begin(world, states, COLUMNS * width, place, 0)
            poke(states, place, 0.0)
            return
    genome, there = source[FIRST] + source[LANE], source[LANE]
    room.genome[place], room.episode[place] = genome, source[EPISODE]
    room.active[column] += before < 0
    source[EPISODE] += 1
    if source[EPISODE] == world.n_episodes:
        source[EPISODE] = 0
        source[LANE] += 1
    if genome != before:
        for k in range(n_packed):
            weight = peek(weights, own[0] + k * width + there)
            poke(weights, (column * n_packed + k) * width + lane, weight)
    target = (column * 2 + slot) * n_rows * width + lane
    for row in range(cell.n_inputs, n_rows):
        poke(values, target + row * width, peek(values, own[1] + row * width + there))
    poke(states, place, 0.0)
    begin(world, states, COLUMNS * width, place, room.episode[place])


@inlined
def _think(cell, world, weights, values, states, column, slot, n_packed):
    """A step of the networks of one column."""
    width = lanes(weights)
    n_rows = cell.n_inputs + cell.n_outputs + cell.n_state
    memory = Memory(
        from_element(weights, column * n_packed * width), from_element(values, column * 2 * n_rows * width), width
    )
    inputs, other = slot * n_rows * width, (1 - slot) * n_rows * width
    at = At(inputs, inputs + cell.n_inputs * width, other + cell.n_inputs * width)
    observe(world, states, COLUMNS * width, column * width, memory, at.inputs)
    step(cell, memory, at, True, count(1))
    act(world, states, COLUMNS * width, column * width, memory, at.new)


@kernel
def play(cell, packing, world, population, room, counter, error, solved):
    """Play all episodes of genomes, block by block, until the counter has passed the last block.

    Args:
        cell: Shape of the network.
        packing: `Packing` of its weights.
        world: What the networks act in, a NamedTuple as `worlds.base` says.
        population: ``(n, n_genes)`` float64.
        room: `Room` of this thread.
        counter: ``(1,)`` int64, the next block; shared by all threads.
        error: ``(n, n_episodes)`` float64, written.
        solved: ``(n, n_episodes)`` float64, written: 1 where the episode succeeded, else 0.
    """
    views = view(room.weights), view(room.values), view(room.states)
    weights, values, states = views
    shape, shown = opened(cell), opened(world)
    width, n_packed = lanes(weights), packing.genes.size
    stride = COLUMNS * width
    room.genome[:] = -1
    room.active[:] = 0
    room.source[:] = 0
    for place in range(stride):
        _fill(shape, packing, shown, population, room, views, counter, place, 0)
    one, limit = broadcast(states, 1.0), broadcast(states, world.n_steps)
    now = 0
    while room.active.sum() > 0:
        slot = now & 1
        for column in range(COLUMNS):
            if room.active[column] > 0:
                _think(shape, shown, weights, values, states, column, slot, n_packed)
        move(shown, states, stride, now)
        for column in range(COLUMNS):
            if room.active[column] > 0:
                at = column * width
                store(states, at, load(states, at) + one)
                goes_on = lasts(shown, states, stride, at)
                over = select(goes_on, select(less(load(states, at), limit), one - one, one), one)
                if _any(over):
                    for lane in range(width):
                        if extract(over, lane) != 0.0:
                            place = at + lane
                            genome, episode = room.genome[place], room.episode[place]
                            if genome >= 0:
                                lasted = extract(select(goes_on, one, one - one), lane) != 0.0
                                wrong, right = conclude(shown, states, stride, place, lasted, now)
                                error[genome, episode], solved[genome, episode] = wrong, right
                            _fill(shape, packing, shown, population, room, views, counter, place, 1 - slot)
        now += 1


@intrinsic
def _any(typingctx, numbers):
    """Whether a vector has a lane that is not 0."""
    from llvmlite import ir

    def codegen(context, builder, sig, args):
        kind = args[0].type
        bits = builder.fcmp_unordered("!=", args[0], ir.Constant(kind, [0.0] * kind.count))
        return builder.icmp_unsigned("!=", builder.bitcast(bits, ir.IntType(kind.count)), ir.IntType(kind.count)(0))

    return types.boolean(numbers), codegen
