"""From a network to what a kernel takes: its shape in numbers and the order of its weights.

A kernel belongs to one class exactly: whatever is not in the table, a subclass of a class that is too, has none and is
evaluated by its own `predict`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.networks import Ctrnn, Elman, Graph, Gru, Jordan, Lstm
from neuroevo.problems import Within

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems import SequenceProblem

Slots = dict[str, NDArray[np.int64]]


class Plan(NamedTuple):
    """What the kernel needs of a network.

    Attributes:
        cell: NamedTuple of integers (and, for a graph, arrays) that chooses the kernel.
        packing: `kernels.packing.Packing`.
        n_rows: Rows of the kernel's memory, inputs and outputs included.
        by_units: Whether lanes are units of one genome instead of genomes.
    """

    cell: Any
    packing: Any
    n_rows: int
    by_units: bool = False


def make_plan(network: Network, problem: SequenceProblem, dtype: Any) -> Plan | None:
    """The plan of a network on a problem; None if its class has no kernel."""
    if suits_units(network, problem):
        return _by_units(network, dtype)
    describe = _DESCRIBE.get(type(network))
    if describe is None:
        return None
    from neuroevo.kernels.packing import packing

    layout = network.layout
    cell, order, n_rows = describe(network, _slots_by_name(network))
    n_rows += network.n_inputs + network.n_outputs
    return Plan(cell, packing(order, layout.slots, layout.fixed_values), n_rows)


def suits_units(network: Any, problem: SequenceProblem) -> bool:
    """Whether lanes should be units: many units of one Elman layer on few sequences. It changes no bit."""
    if type(network) is not Elman or network.n_layers > 1 or network.output_activation != "linear":
        return False
    few_outputs = 8 * network.n_outputs <= network.n_hidden
    well_filled = network.n_hidden % 16 == 0 or network.n_hidden >= 56
    by_tolerance = isinstance(problem.learned, Within)
    return network.n_hidden >= 28 and well_filled and few_outputs and by_tolerance and problem.n_sequences <= 3


def _by_units(network: Any, dtype: Any) -> Plan:
    from neuroevo.kernels.activations import CODES
    from neuroevo.kernels.packing import packing
    from neuroevo.kernels.series import HISTORY, Series, n_padded, series_order

    padded = n_padded(network.n_hidden, dtype)
    cell = Series(
        network.n_inputs, network.n_hidden, network.n_outputs, padded, CODES[network.activation],
        int(network.initial_state),
    )  # fmt: skip
    order = series_order(cell, _slots_by_name(network))
    rows = HISTORY * (padded + network.n_outputs)
    return Plan(cell, packing(order, network.layout.slots, network.layout.fixed_values), rows, by_units=True)


def _slots_by_name(network: Network) -> Slots:
    """The slot of every entry of every weight array, in the array's shape."""
    slots, first = {}, 0
    for name, shape in zip(network.layout.names, network.layout.shapes, strict=True):
        size = int(np.prod(shape))
        slots[name] = np.arange(first, first + size, dtype=np.int64).reshape(shape)
        first += size
    return slots


def _dense(network: Any, slots: Slots) -> tuple[Any, Any, int]:
    from neuroevo.kernels.activations import CODES
    from neuroevo.kernels.dense import Dense, dense_order

    is_jordan = isinstance(network, Jordan)
    cell = Dense(
        n_inputs=network.n_inputs,
        n_hidden=network.n_hidden,
        n_outputs=network.n_outputs,
        n_layers=network.n_layers,
        n_fed_back=network.n_outputs if is_jordan else network.n_hidden,
        is_jordan=int(is_jordan),
        activation=CODES[network.activation],
        output_activation=CODES[network.output_activation],
        leaky=int(isinstance(network, Ctrnn)),
        initial_state=int(network.initial_state),
    )
    return cell, dense_order(cell, slots), 2 * network.n_layers * network.n_hidden


def _lstm(network: Any, slots: Slots) -> tuple[Any, Any, int]:
    from neuroevo.kernels.gated import Lstm, lstm_order

    cell = Lstm(*_gated_shape(network))
    return cell, lstm_order(cell, slots), 3 * network.n_layers * network.n_hidden


def _gru(network: Any, slots: Slots) -> tuple[Any, Any, int]:
    from neuroevo.kernels.gated import Gru, gru_order

    cell = Gru(*_gated_shape(network))
    return cell, gru_order(cell, slots), 2 * network.n_layers * network.n_hidden


def _gated_shape(network: Any) -> tuple[int, ...]:
    from neuroevo.kernels.activations import CODES

    return (
        network.n_inputs, network.n_hidden, network.n_outputs, network.n_layers, CODES[network.output_activation],
        int(network.initial_state),
    )  # fmt: skip


def _graph(network: Any, slots: Slots) -> tuple[Any, Any, int]:
    from neuroevo.kernels.activations import CODES
    from neuroevo.kernels.graph import describe_graph

    codes = CODES[network.activation], CODES[network.output_activation]
    sizes = network.n_inputs, network.n_units, network.n_outputs
    cell, order = describe_graph(network.links, *sizes, codes, slots)
    return cell, order, 1 + 2 * network.n_units


_DESCRIBE: dict[type, Callable[[Any, Slots], tuple[Any, Any, int]]] = {
    Elman: _dense,
    Jordan: _dense,
    Ctrnn: _dense,
    Lstm: _lstm,
    Gru: _gru,
    Graph: _graph,
}
