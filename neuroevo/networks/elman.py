"""The simple recurrent network: its units see their own last values.

Reference:
    J. L. Elman: Finding structure in time. Cognitive Science 14 (1990), 179-211.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from neuroevo.networks.activations import Activation, OutputActivation, activated
from neuroevo.networks.base import Array, Count, Fixed
from neuroevo.networks.dense import DenseNetwork, State
from neuroevo.networks.layout import ArraySpec


@dataclass(frozen=True, eq=False)
class Elman(DenseNetwork):
    """Simple recurrent network: h = f(W x + U h + b), y = g(V h + c); x of an upper layer is h of the layer below.

    The equations of PyTorch's ``nn.RNN``, with one bias where PyTorch adds two.

    Args:
        n_inputs: Input columns.
        n_hidden: Units of each layer.
        n_outputs: Output columns.
        n_layers: Stacked layers.
        activation: f, by name.
        output_activation: g, by name.
        initial_state: Whether the state before the first step is evolved (a gene per unit); otherwise it is zero.
        skip: Whether the outputs see the inputs of their step too, y = g(V h + c + S x), by ``weight_skip (n_outputs,
            n_inputs)``, which is S.
        winners: With k_winners units, how many of a layer fire.
        fixed: Entries that have no gene: array names to arrays of that shape, NaN (or ``"gene"``) where there is a
            gene, a number where the value is fixed; 0 is an absent link.

    Raises:
        TypeError, ValueError: An argument is not of that kind or out of range.
    """

    kind: ClassVar[str] = "elman"
    n_inputs: Count
    n_hidden: Count
    n_outputs: Count
    _: KW_ONLY
    n_layers: Count = 1
    activation: Activation = "tanh"
    output_activation: OutputActivation = "linear"
    initial_state: bool = False
    skip: bool = False
    winners: Count | None = None
    fixed: Fixed = None

    def _layer_specs(self, layer: int) -> list[ArraySpec]:
        return self._gated_specs(layer)

    def _step(self, arrays: Mapping[str, Array], layer: int, sources: Array, state: State) -> State:
        (h,) = state
        weighted = sources @ arrays[f"weight_ih_l{layer}"].mT + h @ arrays[f"weight_hh_l{layer}"].mT
        return (activated(self, weighted + arrays[f"bias_l{layer}"]),)
