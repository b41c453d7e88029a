"""The layers of locally recurrent networks: their shape in numbers, the order of their weights, where things lie.

The weights of a layer are in unit blocks; a unit has its bias, then link by link the taps of the source and, where
links feed back, those of the link; where units do, theirs are the last.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.kernels.compilation import inlined
from neuroevo.kernels.packing import Order, plain_order, unit_blocks
from neuroevo.kernels.processor import BLOCK_UNITS
from neuroevo.kernels.vectors import peek

NOTHING, SYNAPSE, ACTIVATION, OUTPUT = range(4)
"""What a layer feeds back."""

FEEDBACK = {"synapse": SYNAPSE, "activation": ACTIVATION, "output": OUTPUT}


class LocallyRecurrent(NamedTuple):
    """The layers of a locally recurrent network, the read-out being the last.

    Attributes:
        n_inputs: Inputs.
        n_outputs: Outputs.
        n_state: Rows of all layers.
        n_layers: Layers, the read-out included.
        is_dynamic: Whether the read-out has a state.
        activation: Code.
        output_activation: Code.
        layers: ``(n_layers * 10,)`` int64, the `Layer` of each.
    """

    n_inputs: int
    n_outputs: int
    n_state: int
    n_layers: int
    is_dynamic: int
    activation: int
    output_activation: int
    layers: NDArray[np.int64]


class Layer(NamedTuple):
    """A layer in numbers.

    Attributes:
        n_units: Units N.
        n_sources: Sources M.
        ma: Values of a source that a link sees.
        ar: Values that are fed back.
        feedback: What is fed back, `NOTHING` where `ar` is 0.
        weights: The first packed weight.
        units: Row of a slot with the first unit.
        memory: Row of a slot where what is fed back begins, the newest block first: of SYNAPSE M N rows, source by
            source; of ACTIVATION the N sums; of OUTPUT the N units of the step before, since those of the step are
            units.
        line: Row of a slot where the values of the sources begin, `ma` rows for each source, the newest first; with one
            tap there are none.
        deltas: Row of the deltas of a step where those of the layer begin: of N sums, then of SYNAPSE those of the M N
            links, in the order of `memory`.
    """

    n_units: int
    n_sources: int
    ma: int
    ar: int
    feedback: int
    weights: int
    units: int
    memory: int
    line: int
    deltas: int


def describe_layers(
    sizes: tuple[int, int, int, int],
    taps: tuple[int, int],
    feedback: str,
    is_dynamic: bool,
    codes: tuple[int, int],
) -> LocallyRecurrent:
    """The cell of a network.

    Args:
        sizes: Inputs, hidden units, outputs, hidden layers.
        taps: Moving-average and autoregressive taps.
        feedback: A key of `FEEDBACK`.
        is_dynamic: Whether the read-out has filters.
        codes: Activation of units and of outputs.
    """
    n_inputs, n_hidden, n_outputs, n_layers = sizes
    layers, weights, row, n_sources, deltas = [], 0, n_outputs, n_inputs, 0
    for k in range(n_layers + 1):
        is_out = k == n_layers
        n_units = n_outputs if is_out else n_hidden
        ma, ar = taps if is_dynamic or not is_out else (1, 0)
        code = FEEDBACK[feedback] if ar else NOTHING
        memory = row if is_out else row + n_units
        blocks = {NOTHING: 0, SYNAPSE: ar * n_sources, ACTIVATION: ar, OUTPUT: ar - 1}[code]
        line = memory + blocks * n_units
        layers.append(Layer(n_units, n_sources, ma, ar, code, weights, 0 if is_out else row, memory, line, deltas))
        deltas += n_units * (1 + n_sources if code == SYNAPSE else 1)
        row = line + (ma * n_sources if ma > 1 else 0)
        weights += n_units * (1 + n_sources * ma + (ar * n_sources if code == SYNAPSE else ar))
        n_sources = n_units
    return LocallyRecurrent(
        n_inputs, n_outputs, row - n_outputs, n_layers + 1, int(is_dynamic), *codes, np.array(layers, np.int64).ravel()
    )


def layers_of(cell: LocallyRecurrent) -> list[Layer]:
    """Its layers."""
    return [Layer(*row) for row in cell.layers.reshape(cell.n_layers, -1).tolist()]


def locally_recurrent_order(cell: LocallyRecurrent, arrays: dict[str, NDArray[np.int64]]) -> Order:
    """The order of slots that the kernel reads: `unit_blocks` of each layer, a unit's sources as its sum has them."""
    pieces = []
    for k, layer in enumerate(layers_of(cell)):
        name = "out" if k + 1 == cell.n_layers else f"l{k}"
        is_static = name == "out" and not cell.is_dynamic
        ma = arrays["weight_out"][..., None] if is_static else arrays[f"weight_ma_{name}"]
        if layer.feedback == SYNAPSE:
            rows = np.concatenate([ma, arrays[f"weight_ar_{name}"]], axis=-1).reshape(layer.n_units, -1)
        else:
            rows = ma.reshape(layer.n_units, -1)
            if layer.feedback != NOTHING:
                rows = np.column_stack([rows, arrays[f"weight_ar_{name}"]])
        pieces.append(unit_blocks(np.column_stack([arrays[f"bias_{name}"], rows])))
    return plain_order(pieces)


@inlined
def layer_of(cell, k):
    """Layer k of a cell."""
    first = 10 * k
    return Layer(
        peek(cell.layers, first), peek(cell.layers, first + 1), peek(cell.layers, first + 2),
        peek(cell.layers, first + 3), peek(cell.layers, first + 4), peek(cell.layers, first + 5),
        peek(cell.layers, first + 6), peek(cell.layers, first + 7), peek(cell.layers, first + 8),
        peek(cell.layers, first + 9),
    )  # fmt: skip


@inlined
def n_terms(layer):
    """Weights of a unit, the bias included."""
    n_fed_back = layer.ar * layer.n_sources if layer.feedback == SYNAPSE else layer.ar
    return 1 + layer.ma * layer.n_sources + n_fed_back


@inlined
def fed_back_row(layer, delay):
    """Row of the old slot where the values that are fed back `delay` steps after, from 1 on, begin."""
    if layer.feedback == SYNAPSE:
        return layer.memory + (delay - 1) * layer.n_sources * layer.n_units
    if layer.feedback == ACTIVATION:
        return layer.memory + (delay - 1) * layer.n_units
    return layer.units if delay == 1 else layer.memory + (delay - 2) * layer.n_units


@inlined
def weight_at(layer, unit, term, width):
    """Element of a weight of a unit; term 0 is the bias."""
    block = unit // BLOCK_UNITS * BLOCK_UNITS
    size = min(BLOCK_UNITS, layer.n_units - block)
    return (layer.weights + block * n_terms(layer) + term * size + unit - block) * width


@inlined
def sources_of(memory, layer, below, new):
    """Where the sources of a layer lie, whose newest are the rows `below`, in the slot `new`."""
    return new + layer.line * memory.stride if layer.ma > 1 else below


@inlined
def below_of(cell, memory, k, inputs, slot):
    """Where the sources of layer k lie: the inputs, or the units of the layer below in the slot."""
    return inputs if k == 0 else slot + layer_of(cell, k - 1).units * memory.stride
