"""Causal recursive backpropagation for locally recurrent networks: gradients found forward in time, also online.

The derivatives of a unit's sum s by the coefficients of its filters are filters themselves, run forward (alpha for the
taps w of sources, beta for the taps v of what is fed back), and only errors go backward, from the units q of a layer to
those n below over at most Q steps of what lies between them:

    alpha_nm(p)[t] = x_m[t-p] + sum_r v_nm(r) alpha_nm(p)[t-r]
    beta_nm(p)[t] = y_nm[t-p] + sum_r v_nm(r) beta_nm(p)[t-r]
    e_n[t] = sum_q sum_{p=0..Q} delta_q[t+p] h_qn(p),  delta_n[t] = e_n[t] f'(s_n[t])
    dE/dw_nm(p) = sum_t delta_n[t] alpha_nm(p)[t],  dE/dv_nm(p) = sum_t delta_n[t] beta_nm(p)[t]

with h_qn the impulse response of the link. So the errors of layer l are known D_l = the sum of Q over the layers above
it after the step that they belong to, and its part of the gradient follows so many steps behind the network. Without
truncation the gradient is exact (RBP). Links without feedback end by themselves after their taps, and Q = 0 is exact
where nothing above a layer remembers: BP, temporal BP and BPS; Q = 0 with filters above is the rule of Back and Tsoi.
Where units feed back, all coefficients of a unit are filtered by its own taps, for outputs with the slope f' of each.

Sums over p are computed transposed, from the latest delta back through the link's filter, which needs no h. The filters
of derivatives run behind with the weights of the moment, where the paper keeps their values of the step: the two are
one where weights stand still, and agree to first order where they change slowly.

Reference: P. Campolucci, A. Uncini, F. Piazza, B. D. Rao: On-line learning algorithms for locally recurrent neural
networks. IEEE Transactions on Neural Networks 10 (1999), 253-271.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.kernels import driver  # noqa: F401 - it registers cells and tasks
from neuroevo.kernels.activations import SINE
from neuroevo.kernels.cells import At, Memory, Rows, prepare, start, step
from neuroevo.kernels.compilation import called, inlined, kernel
from neuroevo.kernels.locally_recurrent import (
    NOTHING,
    OUTPUT,
    SYNAPSE,
    LocallyRecurrent,
    fed_back_row,
    filtered_sums,
    layer_of,
    layers_of,
    sources_of,
)
from neuroevo.kernels.locally_recurrent_back import below_of, weight_at
from neuroevo.kernels.packing import pack, unpack_gradient
from neuroevo.kernels.processor import LANES
from neuroevo.kernels.products import zero_rows
from neuroevo.kernels.scratch import aligned_empty
from neuroevo.kernels.slopes import slope_of, through_activation
from neuroevo.kernels.tasks import Moment, feed, finish_gradient, slope
from neuroevo.kernels.tiles import count
from neuroevo.kernels.vectors import add_wide, broadcast, fma, lanes, load, opened, peek, poke, store, take_next, view

BLOCK_STEPS = 32
"""Steps whose contributions are added in the kernel's precision."""


class Horizon(NamedTuple):
    """How far errors reach, layer by layer.

    Attributes:
        reaches: ``(n_layers,)`` int64, Q of each layer: steps that errors go back through its links; 0 of the lowest.
        lags: ``(n_layers,)`` int64, D of each layer.
        rings: ``(n_layers,)`` int64, the row where the deltas of each layer begin: Q + 1 times those of its units, and
            the slopes of these.
        n_ring_rows: Rows of all these.
        n_slots: Steps that are kept.
        n_filters: Past values of the derivative by a weight.
        n_widest: Units of the widest layer.
    """

    reaches: NDArray[np.int64]
    lags: NDArray[np.int64]
    rings: NDArray[np.int64]
    n_ring_rows: int
    n_slots: int
    n_filters: int
    n_widest: int


def horizon_of(cell: LocallyRecurrent, reach: int) -> Horizon:
    """The horizon where errors go back through filters by at most so many steps."""
    layers = layers_of(cell)
    reaches = [0, *(reach if layer.ar else min(reach, layer.ma - 1) for layer in layers[1:])]
    lags = [sum(reaches[k + 1 :]) for k in range(len(layers))]
    rows = [2 * layer.n_units * (reaches[k] + 1) for k, layer in enumerate(layers)]
    rings = np.cumsum([0, *rows])
    return Horizon(
        np.array(reaches), np.array(lags), rings[:-1].copy(), int(rings[-1]), lags[0] + 2,
        max(layer.ar for layer in layers), max(layer.n_units for layer in layers),
    )  # fmt: skip


class Places(NamedTuple):
    """Where things lie: elements of `values`.

    Attributes:
        outputs: Adjoints of the outputs.
        units: Adjoints of the units of a layer.
        arguments: Sums of the units of a layer.
        chain: Errors on their way through a link.
        rings: Deltas and slopes.
        filters: Past derivatives of the sums by each packed weight.
        sums: Gradient of the packed weights since the last time that it was taken.
        steps: The last step of each packed weight.
        end: What is behind all.
    """

    outputs: int
    units: int
    arguments: int
    chain: int
    rings: int
    filters: int
    sums: int
    steps: int
    end: int


def _places(cell, horizon, n_packed, width):
    outputs = horizon.n_slots * (cell.n_inputs + cell.n_outputs + cell.n_state) * width
    units = outputs + cell.n_outputs * width
    arguments = units + horizon.n_widest * width
    chain = arguments + horizon.n_widest * width
    rings = chain + horizon.n_slots * width
    filters = rings + horizon.n_ring_rows * width
    sums = filters + n_packed * horizon.n_filters * width
    steps = sums + n_packed * width
    return Places(outputs, units, arguments, chain, rings, filters, sums, steps, steps + n_packed * width)


_places_of = inlined(_places)


class Update(NamedTuple):
    """How weights move while a sequence runs; a rate of 0 is for none, and the gradient is what is wanted.

    Attributes:
        rate: Step by gradient of the losses, summed up since the last step.
        momentum: Share of the last step.
        interval: Steps of the sequence between two steps of the weights.
        clip: Largest norm of such a gradient; 0 for none.
    """

    rate: float
    momentum: float
    interval: int
    clip: float


class Room(NamedTuple):
    """Memory of one thread; `real` is the kernel's precision.

    Attributes:
        weights: real, the packed weights of one block.
        values: real, see `Places`.
        gradient: ``(n_packed * lanes,)`` float64.
    """

    weights: NDArray[Any]
    values: NDArray[Any]
    gradient: NDArray[np.float64]


def n_vectors(cell: LocallyRecurrent, horizon: Horizon, n_packed: int) -> int:
    """Vectors of `Room.values`."""
    return int(_places(cell, horizon, n_packed, 1).end)


def make_room(cell: LocallyRecurrent, horizon: Horizon, n_packed: int, dtype: Any) -> Room:
    """Memory for one thread."""
    width = LANES[np.dtype(dtype).name]
    values = aligned_empty(n_vectors(cell, horizon, n_packed) * width, dtype)
    return Room(aligned_empty(n_packed * width, dtype), values, aligned_empty(n_packed * width, np.float64))


@inlined
def _deltas_at(horizon, places, k, layer, t, width):
    """Element of the deltas of layer k at a step; the slopes of its units come after them."""
    return places.rings + (peek(horizon.rings, k) + t % (peek(horizon.reaches, k) + 1) * 2 * layer.n_units) * width


@inlined
def _chain(memory, horizon, places, k, layer, unit, link, t):
    """Errors of a unit from the latest step that counts back to step t, through the taps from term `link` on."""
    values, width = memory.values, lanes(memory.values)
    reach = peek(horizon.reaches, k)
    for p in range(reach, -1, -1):
        at = _deltas_at(horizon, places, k, layer, t + p, width) + unit * width
        total, fed_back = load(values, at), broadcast(values, 0.0)
        for r in range(min(layer.ar, reach - p)):
            tap = load(memory.weights, weight_at(layer, unit, link + r, width))
            fed_back = fma(tap, load(values, places.chain + (p + r + 1) * width), fed_back)
        if layer.feedback == OUTPUT:
            fed_back = fed_back * load(values, at + layer.n_units * width)
        store(values, places.chain + p * width, total + fed_back)


@inlined
def _add_link(memory, horizon, places, k, layer, unit, m, term):
    """Add to the adjoint of source m what the errors of the chain give it through the taps from `term` on."""
    values, width = memory.values, lanes(memory.values)
    total = load(values, places.units + m * width)
    for p in range(min(layer.ma, peek(horizon.reaches, k) + 1)):
        weight = load(memory.weights, weight_at(layer, unit, term + p, width))
        total = fma(weight, load(values, places.chain + p * width), total)
    store(values, places.units + m * width, total)


@called
def _errors_below(cell, memory, horizon, places, k, t):
    """The adjoints e of the units below layer k at step t."""
    layer = layer_of(cell, k)
    zero_rows(memory, Rows(places.units, layer.n_sources), 1)
    per_link = layer.ma + layer.ar if layer.feedback == SYNAPSE else layer.ma
    for unit in range(layer.n_units):
        if layer.feedback != SYNAPSE:
            _chain(memory, horizon, places, k, layer, unit, 1 + layer.n_sources * layer.ma, t)
        for m in range(layer.n_sources):
            if layer.feedback == SYNAPSE:
                _chain(memory, horizon, places, k, layer, unit, 1 + m * per_link + layer.ma, t)
            _add_link(memory, horizon, places, k, layer, unit, m, 1 + m * per_link)


@called
def _make_deltas(cell, memory, layer, k, at, adjoints, deltas, arguments, wanted):
    """Deltas of a layer from the adjoints of its units, and where outputs are fed back the slopes of these."""
    values, width, n = memory.values, lanes(memory.values), layer.n_units
    code = cell.output_activation if k + 1 == cell.n_layers else cell.activation
    units = at.new + layer.units * width
    if code == SINE:
        sources = sources_of(memory, layer, below_of(cell, memory, k, at.inputs, at.new), at.new)
        filtered_sums(memory, layer, sources, at, arguments, count(1))
    if wanted:
        known = arguments if code == SINE else units
        through_activation(code, memory, Rows(known, n), adjoints, deltas, 1)
    else:
        zero_rows(memory, Rows(deltas, n), 1)
    if layer.feedback == OUTPUT:
        for unit in range(0, n * width, width):
            value, argument = load(values, units + unit), load(values, arguments + unit)
            store(values, deltas + n * width + unit, slope_of(code, value, argument))


@inlined
def _derive(memory, horizon, places, layer, unit, term, tap, source, delta, gain, t):
    """One step of the derivative by a weight, filtered by the unit's taps from term `tap` on, and its contribution."""
    values, width = memory.values, lanes(memory.values)
    w = weight_at(layer, unit, term, width)
    past, derivative = places.filters + w * horizon.n_filters, source
    for r in range(layer.ar):
        weight = load(memory.weights, weight_at(layer, unit, tap + r, width))
        derivative = fma(weight, load(values, past + (t + layer.ar - 1 - r) % layer.ar * width), derivative)
    if layer.ar > 0:
        store(values, past + t % layer.ar * width, derivative * gain)
    store(values, places.sums + w, fma(delta, derivative, load(values, places.sums + w)))


@called
def _derive_all(cell, memory, horizon, places, k, at, deltas, t):
    """The derivatives of the sums of layer k at step t by their weights, and what they add to the gradient."""
    layer, values, width = layer_of(cell, k), memory.values, lanes(memory.values)
    sources = sources_of(memory, layer, below_of(cell, memory, k, at.inputs, at.new), at.new)
    one, n, ma = broadcast(values, 1.0), layer.n_units, layer.ma
    last = 1 + layer.n_sources * ma
    for unit in range(n):
        delta, gain = load(values, deltas + unit * width), one
        if layer.feedback == OUTPUT:
            gain = load(values, deltas + (n + unit) * width)
        if layer.feedback in (SYNAPSE, NOTHING):
            w = places.sums + weight_at(layer, unit, 0, width)
            store(values, w, load(values, w) + delta)
        else:
            _derive(memory, horizon, places, layer, unit, 0, last, one, delta, gain, t)
        per_link = ma + layer.ar if layer.feedback == SYNAPSE else ma
        for m in range(layer.n_sources):
            term = 1 + m * per_link
            tap = term + ma if layer.feedback == SYNAPSE else last
            for p in range(ma):
                source = load(values, sources + (m * ma + p) * width)
                _derive(memory, horizon, places, layer, unit, term + p, tap, source, delta, gain, t)
            if layer.feedback == SYNAPSE:
                for r in range(layer.ar):
                    source = load(values, at.old + (layer.memory + (r * layer.n_sources + m) * n + unit) * width)
                    _derive(memory, horizon, places, layer, unit, tap + r, tap, source, delta, gain, t)
        if layer.feedback != SYNAPSE:
            for r in range(layer.ar):
                source = load(values, at.old + (fed_back_row(layer, r + 1) + unit) * width)
                _derive(memory, horizon, places, layer, unit, last + r, last, source, delta, gain, t)


@called
def _take(memory, places, n_packed, gradient):
    """Move the gradient since the last time to the totals in double."""
    values, width = memory.values, lanes(memory.values)
    for w in range(0, n_packed * width, width):
        add_wide(load(values, places.sums + w), gradient, w)
        store(values, places.sums + w, broadcast(values, 0.0))


@called
def _move(memory, places, genes, n_packed, update):
    """Move the weights down the gradient since the last time."""
    values, width = memory.values, lanes(memory.values)
    if update.clip > 0.0:
        _clip(memory, places, genes, n_packed, update.clip)
    rate, momentum = broadcast(values, update.rate), broadcast(values, update.momentum)
    for k in range(n_packed):
        w = k * width
        if peek(genes, k) >= 0:
            move = fma(momentum, load(values, places.steps + w), rate * load(values, places.sums + w))
            store(values, places.steps + w, move)
            store(memory.weights, w, load(memory.weights, w) - move)
        store(values, places.sums + w, broadcast(values, 0.0))


@inlined
def _clip(memory, places, genes, n_packed, clip):
    """Shorten each genome's gradient to the norm `clip`."""
    values, width = memory.values, lanes(memory.values)
    for lane in range(width):
        square = 0.0
        for k in range(n_packed):
            if peek(genes, k) >= 0:
                slope = float(peek(values, places.sums + k * width + lane))
                square += slope * slope
        if square > clip * clip:
            factor = clip / math.sqrt(square)
            for k in range(n_packed):
                at = places.sums + k * width + lane
                poke(values, at, peek(values, at) * factor)


@inlined
def _at(cell, horizon, t, width):
    """Where a step takes place."""
    n_inputs = cell.n_inputs * width
    size = n_inputs + (cell.n_outputs + cell.n_state) * width
    old = n_inputs + t % horizon.n_slots * size
    return At(old - n_inputs, old, n_inputs + (t + 1) % horizon.n_slots * size)


@called
def _behind(cell, memory, horizon, places, k, t, n_steps, wanted):
    """What layer k makes of the step that it looks at while the network is at step t."""
    width, layer, now = lanes(memory.values), layer_of(cell, k), t - peek(horizon.lags, k)
    if now < 0:
        return
    deltas = _deltas_at(horizon, places, k, layer, now, width)
    if now >= n_steps:
        zero_rows(memory, Rows(deltas, 2 * layer.n_units), 1)
        return
    at, adjoints, is_out = _at(cell, horizon, now, width), places.units, k + 1 == cell.n_layers
    if is_out:
        adjoints = places.outputs
    else:
        _errors_below(cell, memory, horizon, places, k + 1, now)
    _make_deltas(cell, memory, layer, k, at, adjoints, deltas, places.arguments, wanted or not is_out)
    _derive_all(cell, memory, horizon, places, k, at, deltas, now)


@called
def _run(cell, task, memory, horizon, places, genes, n_packed, update, gradient, position):
    """One sequence, and as many steps after its end as errors take to reach the lowest layer."""
    width, n_steps = lanes(memory.values), peek(task.n_run, position)
    zero_rows(memory, Rows(places.filters, n_packed * horizon.n_filters), 1)
    start(cell, memory, _at(cell, horizon, 0, width).old, 1)
    n_all = n_steps + peek(horizon.lags, 0)
    for t in range(n_all):
        wanted = False
        if t < n_steps:
            at, now = _at(cell, horizon, t, width), Moment(position, t, n_steps)
            wanted = feed(task, memory, at.inputs, now, count(1))
            step(cell, memory, at, wanted, count(1))
            zero_rows(memory, Rows(places.outputs, cell.n_outputs), 1)
            wanted = slope(task, memory, at.new, places.outputs, now, count(1))
        for k in range(cell.n_layers - 1, -1, -1):
            _behind(cell, memory, horizon, places, k, t, n_steps, wanted)
        if update.rate > 0.0:
            if (t + 1) % update.interval == 0 or t + 1 == n_all:
                _move(memory, places, genes, n_packed, update)
        elif (t + 1) % BLOCK_STEPS == 0 or t + 1 == n_all:
            _take(memory, places, n_packed, gradient)


@kernel
def crbp(cell, packing, task, turns, population, room, horizon, update, counter, found):
    """Gradients of a population by recursive backpropagation, or what becomes of it online.

    Args:
        cell: `LocallyRecurrent`.
        packing: `Packing` of its weights.
        task: What is fed and how it is judged.
        turns: ``(n_sequences,)`` int64, the sequences in the order in which they run, as positions of the task's order.
        population: ``(n, n_genes)`` float64.
        room: `Room` of this thread.
        horizon: `Horizon`.
        update: `Update`.
        counter: ``(1,)`` int64, the next block; shared by all threads.
        found: ``(n, n_genes)`` float64, written: with a rate of 0 the gradient of the error, otherwise the genomes
            after all sequences, one after the other.
    """
    weights, values, gradient = view(room.weights), view(room.values), view(room.gradient)
    shape, shown, far, genes = opened(cell), opened(task), opened(horizon), view(packing.genes)
    width, n_packed = lanes(values), packing.genes.size
    places = _places_of(shape, far, n_packed, width)
    memory = Memory(weights, values, width)
    n_blocks = (population.shape[0] + width - 1) // width
    while True:
        block = take_next(counter)
        if block >= n_blocks:
            return
        pack(packing, population, block * width, weights, width)
        prepare(shape, weights)
        room.gradient[:] = 0.0
        room.values[places.outputs :] = 0.0
        for turn in range(turns.size):
            _run(shape, shown, memory, far, places, genes, n_packed, update, gradient, turns[turn])
        n_genomes = min(width, population.shape[0] - block * width)
        if update.rate > 0.0:
            for k in range(n_packed):
                if peek(genes, k) >= 0:
                    for lane in range(n_genomes):
                        found[block * width + lane, peek(genes, k)] = peek(weights, k * width + lane)
        else:
            unpack_gradient(packing, room.gradient, block * width, n_genomes, found)
            finish_gradient(task, population, block * width, n_genomes, found)
