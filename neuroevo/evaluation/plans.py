"""From a network to what a kernel takes: its shape in numbers and the order of its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.evaluation.cells import describe, slots_by_name
from neuroevo.networks import Elman
from neuroevo.problems.objectives import Squared

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems import SequenceProblem


class Plan(NamedTuple):
    """What a kernel needs of a network.

    Attributes:
        cell: NamedTuple of integers (and, for a graph, arrays) that chooses the kernel.
        packing: `kernels.packing.Packing`.
        n_rows: Rows of the kernel's memory for one step.
        n_slots: Steps that are in memory at least.
        states: Rows of the state by name.
        n_deltas: Rows of deltas of a backward step; 0 where there is none.
        carried: Rows of a slot on which the next step depends.
    """

    cell: Any
    packing: Any
    n_rows: int
    n_slots: int
    states: dict[str, NDArray[np.int64]]
    n_deltas: int = 0
    carried: NDArray[np.int64] = np.empty(0, np.int64)


def plan_of(network: Network) -> Plan | None:
    """The plan of a network with genomes as lanes; None if its class has no kernel."""
    description = describe(network)
    if description is None:
        return None
    cell = description.cell
    n_rows = cell.n_inputs + cell.n_outputs + cell.n_state
    carried = description.carried
    if carried is None:
        carried = np.arange(cell.n_outputs, cell.n_outputs + cell.n_state)
    packing = _packing(description.order, network)
    return Plan(cell, packing, n_rows, 2, description.states, description.n_deltas, carried)


def suits_units(network: Network, problem: SequenceProblem) -> bool:
    """Whether lanes should be units: many units of one Elman layer on few sequences. It changes no bit."""
    # Units that compete see each other, and here they are lanes.
    if type(network) is not Elman or network.n_layers > 1 or network.output_activation != "linear" or network.winners:
        return False
    few_outputs = 8 * network.n_outputs <= network.n_hidden
    well_filled = network.n_hidden % 16 == 0 or network.n_hidden >= 56
    return (
        network.n_hidden >= 28
        and well_filled
        and few_outputs
        and not problem.learned.by_class
        and isinstance(problem.objective, Squared)
        and problem.weight_rows is None
        and problem.n_sequences <= 3
        and problem.free_run is None
    )


def plan_by_units(network: Any, dtype: Any) -> Plan:
    """The plan of an Elman network with its units as lanes."""
    from neuroevo.kernels.activations import CODES
    from neuroevo.kernels.loops.series import HISTORY, Series, n_padded, series_order

    padded = n_padded(network.n_hidden, dtype)
    cell = Series(
        network.n_inputs, network.n_hidden, network.n_outputs, padded, CODES[network.activation],
        int(network.initial_state), network.n_inputs * network.skip,
    )  # fmt: skip
    order = series_order(cell, slots_by_name(network))
    return Plan(cell, _packing(order, network), padded + network.n_outputs + cell.n_skip, HISTORY, {})


def _packing(order: Any, network: Network) -> Any:
    from neuroevo.kernels.packing import packing

    return packing(order, network.layout.slots, network.layout.fixed_values)
