"""What causal recursive backpropagation does in one layer: errors from the layer above, and derivatives run forward.

`crbp` has the algorithm and the reference.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.kernels.activations import SINE
from neuroevo.kernels.cells.base import At, Rows
from neuroevo.kernels.cells.filter_layers import (
    NOTHING,
    OUTPUT,
    SYNAPSE,
    LocallyRecurrent,
    below_of,
    fed_back_row,
    layer_of,
    layers_of,
    sources_of,
    weight_at,
)
from neuroevo.kernels.cells.locally_recurrent import filtered_sums
from neuroevo.kernels.compilation import called, inlined
from neuroevo.kernels.products import zero_rows
from neuroevo.kernels.slopes import slope_of, through_activation
from neuroevo.kernels.tiles import count
from neuroevo.kernels.vectors import broadcast, fma, lanes, load, peek, store


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


places_of = inlined(_places)


def n_vectors(cell: LocallyRecurrent, horizon: Horizon, n_packed: int) -> int:
    """Vectors of memory that a thread needs beside its weights."""
    return int(_places(cell, horizon, n_packed, 1).end)


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


@inlined
def at_step(cell, horizon, t, width):
    """Where a step takes place."""
    n_inputs = cell.n_inputs * width
    size = n_inputs + (cell.n_outputs + cell.n_state) * width
    old = n_inputs + t % horizon.n_slots * size
    return At(old - n_inputs, old, n_inputs + (t + 1) % horizon.n_slots * size)


@called
def follow(cell, memory, horizon, places, k, t, n_steps, wanted):
    """What layer k makes of the step that it looks at while the network is at step t."""
    width, layer, now = lanes(memory.values), layer_of(cell, k), t - peek(horizon.lags, k)
    if now < 0:
        return
    deltas = _deltas_at(horizon, places, k, layer, now, width)
    if now >= n_steps:
        zero_rows(memory, Rows(deltas, 2 * layer.n_units), 1)
        return
    at, adjoints, is_out = at_step(cell, horizon, now, width), places.units, k + 1 == cell.n_layers
    if is_out:
        adjoints = places.outputs
    else:
        _errors_below(cell, memory, horizon, places, k + 1, now)
    _make_deltas(cell, memory, layer, k, at, adjoints, deltas, places.arguments, wanted or not is_out)
    _derive_all(cell, memory, horizon, places, k, at, deltas, now)
