"""The continuous-time recurrent network: leaky units, each with a time constant of its own that is evolved.

References:
    R. D. Beer: On the dynamics of small continuous-time recurrent neural networks. Adaptive Behavior 3 (1995), 469-509.
    K. Funahashi, Y. Nakamura: Approximation of dynamical systems by continuous time recurrent neural networks.
    Neural Networks 6 (1993), 801-806.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Gt
from numpy.typing import ArrayLike

from neuroevo.checks import number, whole_number
from neuroevo.networks.activations import ACTIVATIONS, Activation, OutputActivation, logistic
from neuroevo.networks.base import Array, Count, Fixed
from neuroevo.networks.dense import DenseNetwork, State
from neuroevo.networks.layout import ArraySpec


@dataclass(frozen=True, eq=False)
class Ctrnn(DenseNetwork):
    """Leaky, continuous-time network: h += a (f(W x + U h + b) - h) with an evolved a = logistic(gene) per unit.

    One step is an Euler step of length `step` of tau dh/dt = f(...) - h with tau = step / a, so a lies between 0 (a
    unit that never moves) and 1 (an `Elman` unit), and every genome is a stable discretisation. The genes behind a are
    the array ``time_constant_lk (n_hidden,)``; `time_constants` turns them into units of `step`. To hold the time
    constants at a given a, fix that array at log(a / (1 - a)).

    With `substeps` k the same differential equation is integrated by k Euler steps of length step / k, h += (a / k)
    (f(...) - h), while the inputs stay what they are; outputs are read after the last. The time constants of a genome
    do not depend on it, and its outputs go to those of continuous time as it grows, by an error of the order 1 / k.

    Args:
        n_inputs: Input columns.
        n_hidden: Units of each layer.
        n_outputs: Output columns.
        n_layers: Stacked layers.
        activation: f, by name.
        output_activation: Of the read-out y = g(V h + c), by name.
        initial_state: Whether the state before the first step is evolved (a gene per unit); otherwise it is zero.
        skip: Whether the outputs see the inputs too, as in `Elman`.
        step: Time between two steps, in any unit; it scales the time constants and changes no output.
        substeps: Euler steps of the integration in one step of the data.
        fixed: Entries that have no gene, as in `Elman`.

    Raises:
        TypeError, ValueError: An argument is not of that kind or out of range.
    """

    kind: ClassVar[str] = "ctrnn"
    n_inputs: Count
    n_hidden: Count
    n_outputs: Count
    _: KW_ONLY
    n_layers: Count = 1
    activation: Activation = "tanh"
    output_activation: OutputActivation = "linear"
    initial_state: bool = False
    skip: bool = False
    step: Annotated[float, Gt(0)] = 1.0
    substeps: Count = 1
    fixed: Fixed = None

    def time_constants(self, genome: ArrayLike) -> Array:
        """``(n_layers, n_hidden)``: the time constant of each unit, step / a, in the unit of `step`."""
        arrays = self.layout.decode(genome)
        rows = [self.step / logistic(arrays[f"time_constant_l{layer}"]) for layer in range(self.n_layers)]
        return np.stack(rows)

    def _checked(self, name: str, value: object) -> object:
        if name == "substeps":
            return whole_number(name, value)
        return number(name, value, above=0) if name == "step" else super()._checked(name, value)

    def advance(
        self, arrays: Mapping[str, Array], state: tuple[State, ...], inputs: Array
    ) -> tuple[Array, tuple[State, ...]]:
        """As in `Network`."""
        for _ in range(self.substeps - 1):
            _, state = super().advance(arrays, state, inputs)
        return super().advance(arrays, state, inputs)

    def _layer_specs(self, layer: int) -> list[ArraySpec]:
        return self._gated_specs(layer)

    def _own_specs(self) -> list[ArraySpec]:
        return [
            ArraySpec(f"time_constant_l{layer}", (self.n_hidden,), "time_constant", self._units(layer))
            for layer in range(self.n_layers)
        ]

    def _step(self, arrays: Mapping[str, Array], layer: int, sources: Array, state: State) -> State:
        (h,) = state
        weighted = sources @ arrays[f"weight_ih_l{layer}"].mT + h @ arrays[f"weight_hh_l{layer}"].mT
        target = ACTIVATIONS[self.activation](weighted + arrays[f"bias_l{layer}"])
        return (h + logistic(arrays[f"time_constant_l{layer}"]) / self.substeps * (target - h),)
