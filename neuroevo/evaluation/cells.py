"""Which network has a kernel: from a network to its cell, the order of its weights and the names of its state.

A kernel belongs to one class exactly: a subclass may compute something else, and has none until it registers its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.networks import Ctrnn, Elman, Graph, Gru, Jordan, Lif, LocallyRecurrent, Lstm, Network
from neuroevo.registry import Registry

Slots = dict[str, NDArray[np.int64]]


class Description(NamedTuple):
    """A network as a kernel takes it.

    Attributes:
        cell: NamedTuple of integers and arrays with n_inputs, n_outputs and n_state; its class chooses the kernel.
        order: `kernels.packing.Order`, in which the kernel reads the weights.
        states: Rows of the cell's state by name, for whoever wants to see them: "hidden" for the units, layer by layer.
        n_deltas: Rows of deltas of a backward step (`kernels.cells.adjoints`); 0 where the cell has none.
        carried: Rows of a slot, outputs before state, on which the next step depends; None for all of the state.
    """

    cell: Any
    order: Any
    states: dict[str, NDArray[np.int64]]
    n_deltas: int = 0
    carried: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Kernel:
    """The kernel of a class of networks.

    Attributes:
        network: The class that it computes; no subclass.
        describe: From a network, and the slots of every weight array in the array's shape, to its description. It
            imports the module of `neuroevo.kernels`, or of one's own, that implements the cell.
        has_backward_step: Whether the cell has one, and the description says how many deltas.
    """

    network: type[Network]
    describe: Callable[[Any, Slots], Description]
    has_backward_step: bool = False


def _check_kernel(name: str, kernel: Kernel) -> None:
    if not isinstance(kernel, Kernel) or kernel.network.kind != name:
        raise BadInput(f"the kernel registered as {name!r} must be a Kernel of a network of that kind, got {kernel!r}")


CELLS: Registry[Kernel] = Registry(
    "kernel",
    "neuroevo.cells",
    {
        kind: f"neuroevo.evaluation.cells:{kind.upper()}"
        for kind in ("elman", "jordan", "ctrnn", "lstm", "gru", "graph", "locally_recurrent", "lif")
    },
    _check_kernel,
)
"""Kernels by the kind of their network."""


def has_kernel(network: Network) -> bool:
    """Whether there is a kernel of exactly this class of networks."""
    return network.kind in CELLS and CELLS[network.kind].network is type(network)


def has_backward_step(network: Network) -> bool:
    """Whether there are gradients of exactly this class of networks."""
    return has_kernel(network) and CELLS[network.kind].has_backward_step


def describe(network: Network) -> Description | None:
    """The description of a network; None if its class has no kernel."""
    return CELLS[network.kind].describe(network, slots_by_name(network)) if has_kernel(network) else None


def slots_by_name(network: Network) -> Slots:
    """The slot of every entry of every weight array, in the array's shape."""
    slots, first = {}, 0
    for name, shape in zip(network.layout.names, network.layout.shapes, strict=True):
        size = int(np.prod(shape))
        slots[name] = np.arange(first, first + size, dtype=np.int64).reshape(shape)
        first += size
    return slots


def _dense(network: Elman | Jordan | Ctrnn, slots: Slots) -> Description:
    from neuroevo.kernels.activations import CODES
    from neuroevo.kernels.cells.dense import Dense, dense_order
    from neuroevo.kernels.cells.dense_back import n_deltas

    is_jordan = isinstance(network, Jordan)
    n_layers = 1 if isinstance(network, Jordan) else network.n_layers
    n_substeps = network.substeps if isinstance(network, Ctrnn) else 1
    cell = Dense(
        n_inputs=network.n_inputs,
        n_hidden=network.n_hidden,
        n_outputs=network.n_outputs,
        n_state=n_substeps * n_layers * network.n_hidden,
        n_layers=n_layers,
        n_fed_back=network.n_outputs if is_jordan else network.n_hidden,
        is_jordan=int(is_jordan),
        activation=CODES[network.activation] + (network.winners or 0),
        output_activation=CODES[network.output_activation],
        leaky=int(isinstance(network, Ctrnn)),
        initial_state=int(network.initial_state),
        n_skip=network.n_inputs * network.skip,
        n_substeps=None if n_substeps == 1 else n_substeps,
    )
    units = np.arange(n_layers * network.n_hidden)
    carried = np.arange(cell.n_outputs) if is_jordan else cell.n_outputs + units
    return Description(cell, dense_order(cell, slots), {"hidden": units}, n_deltas(cell), carried)


def _lstm(network: Lstm, slots: Slots) -> Description:
    from neuroevo.kernels.cells import gated
    from neuroevo.kernels.cells.gated_back import n_deltas

    kind = gated.Lstm if network.forget_gate else gated.Lstm1997
    cell = kind(*_gated_shape(network, n_rows=2))
    rows = np.arange(cell.n_state).reshape(cell.n_layers, 2, cell.n_hidden)
    states = {"hidden": rows[:, 0].ravel(), "cell": rows[:, 1].ravel()}
    return Description(cell, gated.lstm_order(cell, slots), states, n_deltas(cell))


def _gru(network: Gru, slots: Slots) -> Description:
    from neuroevo.kernels.cells.gated import Gru as Cell
    from neuroevo.kernels.cells.gated import gru_order
    from neuroevo.kernels.cells.gated_back import n_deltas

    cell = Cell(*_gated_shape(network, n_rows=1))
    return Description(cell, gru_order(cell, slots), {"hidden": np.arange(cell.n_state)}, n_deltas(cell))


def _gated_shape(network: Lstm | Gru, n_rows: int) -> tuple[int, ...]:
    from neuroevo.kernels.activations import CODES

    return (
        network.n_inputs, network.n_hidden, network.n_outputs, n_rows * network.n_layers * network.n_hidden,
        network.n_layers, CODES[network.output_activation], int(network.initial_state), network.n_inputs * network.skip,
    )  # fmt: skip


def _graph(network: Graph, slots: Slots) -> Description:
    from neuroevo.kernels.activations import CODES
    from neuroevo.kernels.cells.graph import describe_graph
    from neuroevo.kernels.cells.graph_back import n_deltas

    codes = CODES[network.activation] + (network.winners or 0), CODES[network.output_activation]
    sizes = network.n_inputs, network.n_units, network.n_outputs
    cell, order, rows = describe_graph(network.links, *sizes, codes, slots)
    return Description(cell, order, {"hidden": rows}, n_deltas(cell), cell.n_outputs + np.sort(rows))


def _locally_recurrent(network: LocallyRecurrent, slots: Slots) -> Description:
    from neuroevo.kernels.activations import CODES
    from neuroevo.kernels.cells.filter_layers import describe_layers, layers_of, locally_recurrent_order
    from neuroevo.kernels.cells.locally_recurrent_back import n_deltas

    sizes = network.n_inputs, network.n_hidden, network.n_outputs, network.n_layers
    codes = CODES[network.activation], CODES[network.output_activation]
    taps = network.ma_taps, network.ar_taps
    cell = describe_layers(sizes, taps, network.feedback, network.dynamic_output, codes)
    rows = [layer.units - cell.n_outputs + np.arange(layer.n_units) for layer in layers_of(cell)[:-1]]
    # Outputs with memory may be fed back themselves; the filters of other networks lie in the state alone.
    carried = np.arange(cell.n_outputs + cell.n_state) if network.dynamic_output else None
    units = {"hidden": np.concatenate(rows)}
    return Description(cell, locally_recurrent_order(cell, slots), units, n_deltas(cell), carried)


def _lif(network: Lif, slots: Slots) -> Description:
    from neuroevo.kernels.activations import CODES
    from neuroevo.kernels.cells import lif

    fires = int(network.readout == "spikes")
    cell = lif.Lif(
        n_inputs=network.n_inputs,
        n_hidden=network.n_hidden,
        n_outputs=network.n_outputs,
        n_state=lif.n_state(network.n_hidden, network.n_outputs, network.n_layers, network.refractory, fires),
        n_layers=network.n_layers,
        output_activation=CODES[network.output_activation],
        initial_state=int(network.initial_state),
        n_skip=network.n_inputs * network.skip,
        n_substeps=network.substeps,
        to_zero=int(network.reset == "zero"),
        refractory=network.refractory,
        outputs_fire=fires,
        threshold=network.threshold,
    )
    states = {"hidden": lif.unit_rows(cell, 0), "potential": lif.unit_rows(cell, 1)}
    return Description(cell, lif.lif_order(cell, slots), states)


ELMAN = Kernel(Elman, _dense, has_backward_step=True)
JORDAN = Kernel(Jordan, _dense, has_backward_step=True)
CTRNN = Kernel(Ctrnn, _dense, has_backward_step=True)
LSTM = Kernel(Lstm, _lstm, has_backward_step=True)
GRU = Kernel(Gru, _gru, has_backward_step=True)
GRAPH = Kernel(Graph, _graph, has_backward_step=True)
LOCALLY_RECURRENT = Kernel(LocallyRecurrent, _locally_recurrent, has_backward_step=True)
LIF = Kernel(Lif, _lif)
