"""The gated recurrent unit: a state that one gate mixes with a candidate.

Reference:
    K. Cho et al.: Learning phrase representations using RNN encoder-decoder for statistical machine translation.
    EMNLP (2014), 1724-1734; the reset gate acts after the recurrent product, as in cuDNN and PyTorch.
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
class Gru(DenseNetwork):
    """Gated recurrent unit: h = (1 - z) n + z h with n = tanh(W x + b + r (U h + d)).

    The equations and the gate order r, z, n of PyTorch's ``nn.GRU``. The gates r and z have one bias where PyTorch adds
    two; the candidate n keeps its recurrent bias d, which r multiplies, as ``bias_hn_lk (n_hidden,)``.

    Args:
        n_inputs: Input columns.
        n_hidden: Units of each layer.
        n_outputs: Output columns.
        n_layers: Stacked layers.
        output_activation: Of the read-out y = g(V h + c), by name.
        initial_state: Whether the state before the first step is evolved (a gene per unit); otherwise it is zero.
        skip: Whether the outputs see the inputs too, as in `Elman`.
        fixed: Entries that have no gene, as in `Elman`.

    Raises:
        TypeError, ValueError: An argument is not of that kind or out of range.
    """

    kind: ClassVar[str] = "gru"
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
        candidate_bias = ArraySpec(f"bias_hn_l{layer}", (self.n_hidden,), "bias", self._units(layer))
        return [*self._gated_specs(layer, n_gates=3), candidate_bias]

    def _step(self, arrays: Mapping[str, Array], layer: int, sources: Array, state: State) -> State:
        (h,) = state
        from_sources = sources @ arrays[f"weight_ih_l{layer}"].mT + arrays[f"bias_l{layer}"]
        from_state = h @ arrays[f"weight_hh_l{layer}"].mT
        input_r, input_z, input_n = np.split(from_sources, 3, axis=-1)
        state_r, state_z, state_n = np.split(from_state, 3, axis=-1)
        r, z = logistic(input_r + state_r), logistic(input_z + state_z)
        n = np.tanh(input_n + r * (state_n + arrays[f"bias_hn_l{layer}"]))
        return ((1.0 - z) * n + z * h,)
