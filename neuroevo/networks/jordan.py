"""The Jordan network: its units see the network's own last outputs.

Reference:
    M. I. Jordan: Serial order: a parallel distributed processing approach. ICS report 8604, UC San Diego (1986).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import numpy as np

from neuroevo.networks.activations import Activation, OutputActivation, activated
from neuroevo.networks.base import Array, Count, Fixed, Network
from neuroevo.networks.dense import read_out, readout_specs
from neuroevo.networks.layout import ArraySpec


@dataclass(frozen=True, eq=False)
class Jordan(Network):
    """Output fed back: h(t) = f(W x(t) + U y(t-1) + b), y(t) = g(V h(t) + c), with y(0) = 0 before the first step.

    What is fed back is the output itself, after g; the hidden units do not see each other, and there is one layer.
    Jordan's decaying plan units are left out: they are a fixed filter on y that a user can put among the inputs.
    ``weight_hh_l0`` is U and has shape ``(n_hidden, n_outputs)``.

    Args:
        n_inputs: Input columns.
        n_hidden: Hidden units.
        n_outputs: Output columns, fed back.
        activation: f, by name.
        output_activation: g, by name.
        initial_state: Whether y(0) is evolved (``initial_state_l0 (n_outputs,)``); otherwise it is zero.
        skip: Whether the outputs see the inputs too, as in `Elman`.
        winners: With k_winners units, how many of a layer fire.
        fixed: Entries that have no gene, as in `Elman`.

    Raises:
        TypeError, ValueError: An argument is not of that kind or out of range.
    """

    kind: ClassVar[str] = "jordan"
    n_layers: ClassVar[int] = 1
    n_inputs: Count
    n_hidden: Count
    n_outputs: Count
    _: KW_ONLY
    activation: Activation = "tanh"
    output_activation: OutputActivation = "linear"
    initial_state: bool = False
    skip: bool = False
    winners: Count | None = None
    fixed: Fixed = None

    def _specs(self) -> Sequence[ArraySpec]:
        units = np.arange(self.n_hidden, dtype=np.int64)
        outputs = np.arange(self.n_outputs, dtype=np.int64) + self.n_hidden
        specs = [
            ArraySpec("weight_ih_l0", (self.n_hidden, self.n_inputs), "input", units[:, None]),
            ArraySpec("weight_hh_l0", (self.n_hidden, self.n_outputs), "recurrent", units[:, None]),
            ArraySpec("bias_l0", (self.n_hidden,), "bias", units),
        ]
        if self.initial_state:
            specs.append(ArraySpec("initial_state_l0", (self.n_outputs,), "initial_state", outputs))
        return specs + readout_specs(self, self.n_hidden, self.n_hidden)

    def start(self, arrays: Mapping[str, Array], n_sequences: int = 1) -> Array:
        """As in `Network`: the outputs before the first."""
        return np.tile(arrays.get("initial_state_l0", np.zeros(self.n_outputs)), (n_sequences, 1))

    def advance(self, arrays: Mapping[str, Array], state: Array, inputs: Array) -> tuple[Array, Array]:
        """As in `Network`."""
        weighted = inputs @ arrays["weight_ih_l0"].mT + state @ arrays["weight_hh_l0"].mT
        h = activated(self, weighted + arrays["bias_l0"])
        y = read_out(self, arrays, h, inputs)
        return y, y
