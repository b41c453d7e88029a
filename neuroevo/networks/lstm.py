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
    fixed: Fixed = None

    def _layer_specs(self, layer: int) -> list[ArraySpec]:
        return self._gated_specs(layer, n_gates=4)

    def _step(self, arrays: Mapping[str, Array], layer: int, sources: Array, state: State) -> State:
        h, c = state
        weighted = sources @ arrays[f"weight_ih_l{layer}"].mT + h @ arrays[f"weight_hh_l{layer}"].mT
        i, f, g, o = np.split(weighted + arrays[f"bias_l{layer}"], 4, axis=-1)
        c = logistic(f) * c + logistic(i) * np.tanh(g)
        return logistic(o) * np.tanh(c), c
