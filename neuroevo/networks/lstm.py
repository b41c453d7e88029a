"""Long short-term memory: a cell that gates can write, keep and read.

References:
    S. Hochreiter, J. Schmidhuber: Long short-term memory. Neural Computation 9 (1997), 1735-1780.
    F. Gers, J. Schmidhuber, F. Cummins: Learning to forget. Neural Computation 12 (2000), 2451-2471.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import numpy as np

from neuroevo.errors import BadInput
from neuroevo.networks.activations import OutputActivation, logistic
from neuroevo.networks.base import Array, Count, Fixed
from neuroevo.networks.dense import DenseNetwork, State
from neuroevo.networks.layout import ArraySpec


@dataclass(frozen=True, eq=False)
class Lstm(DenseNetwork):
    """Long short-term memory: c = sigma(f) c + sigma(i) tanh(g), h = sigma(o) tanh(c), with gates W x + U h + b.

    The equations and the gate order i, f, g, o of PyTorch's ``nn.LSTM``, with one bias where PyTorch adds two.

    Args:
        n_inputs: Input columns.
        n_hidden: Units of each layer.
        n_outputs: Output columns.
        n_layers: Stacked layers.
        output_activation: Of the read-out y = g(V h + c), by name.
        initial_state: Whether h and c before the first step are evolved (two genes per unit); otherwise they are zero.
        skip: Whether the outputs see the inputs too, as in `Elman`.
        forget_gate: Whether cells have the forget gate f of Gers et al. (2000). Without it a cell only adds up,
            c = c + sigma(i) tanh(g), as in 1997, and the gates are i, g, o. The squashing functions stay tanh, where
            1997 has logistic functions scaled to [-2, 2] for g and [-1, 1] for the cell.
        fixed: Entries that have no gene, as in `Elman`.

    Raises:
        TypeError, ValueError: An argument is not of that kind or out of range.
    """

    kind: ClassVar[str] = "lstm"
    state_names: ClassVar[tuple[str, ...]] = ("initial_state", "initial_cell")
    n_inputs: Count
    n_hidden: Count
    n_outputs: Count
    _: KW_ONLY
    n_layers: Count = 1
    output_activation: OutputActivation = "linear"
    initial_state: bool = False
    skip: bool = False
    forget_gate: bool = True
    fixed: Fixed = None

    def _layer_specs(self, layer: int) -> list[ArraySpec]:
        return self._gated_specs(layer, n_gates=3 + self.forget_gate)

    def _step(self, arrays: Mapping[str, Array], layer: int, sources: Array, state: State) -> State:
        h, c = state
        weighted = sources @ arrays[f"weight_ih_l{layer}"].mT + h @ arrays[f"weight_hh_l{layer}"].mT
        i, *f, g, o = np.split(weighted + arrays[f"bias_l{layer}"], 3 + self.forget_gate, axis=-1)
        kept = logistic(f[0]) * c if f else c
        c = kept + logistic(i) * np.tanh(g)
        return logistic(o) * np.tanh(c), c


_OPEN = 100.0
"""Bias of a forget gate that is held open: its logistic function is 1, to the last digit in double precision."""
_GATED = ("weight_ih_l", "weight_hh_l", "bias_l")


def with_open_forget_gate(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The arrays of an `Lstm` without forget gate as those of one whose forget gate is held open: the same function."""
    return {name: _opened(array) if name.startswith(_GATED) else array for name, array in arrays.items()}


def without_forget_gate(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The arrays without the gate that `with_open_forget_gate` gave them.

    Raises:
        BadInput: The forget gate of a layer is not held open.
    """
    found = dict(arrays)
    for name in [name for name in arrays if name.startswith(_GATED)]:
        i, f, g, o = np.split(arrays[name], 4)
        if not (f >= _OPEN).all() if f.ndim == 1 else f.any():
            raise BadInput(
                f"the forget gate in {name} is at work, and the network has none: set forget_gate, or hold the gate "
                f"open (weights 0, bias {_OPEN:g} or more)"
            )
        found[name] = np.concatenate([i, g, o])
    return found


def _opened(array: Array) -> Array:
    i, g, o = np.split(array, 3)
    return np.concatenate([i, np.full_like(i, _OPEN if i.ndim == 1 else 0.0), g, o])
