"""What the dense networks share: stacked layers, one after the other in each step, and the read-out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, TypeAlias

import numpy as np

from neuroevo.networks.activations import OUTPUT_ACTIVATIONS
from neuroevo.networks.base import Array, Network
from neuroevo.networks.layout import ArraySpec, Role

State: TypeAlias = tuple[Array, ...]


class DenseNetwork(Network):
    """Layers of `n_hidden` units, every unit linked with every other unit of its layer and every source below it.

    A kind gives its arrays of one layer (`_layer_specs`) and one step of it (`_step`). The state of a layer is a tuple
    of arrays ``(n_sequences, n_hidden)``; the first of them is what the layer above and the read-out see.
    """

    n_hidden: int
    n_layers: int
    state_names: ClassVar[tuple[str, ...]] = ("initial_state",)

    @abstractmethod
    def _layer_specs(self, layer: int) -> list[ArraySpec]:
        """The arrays of a layer without its initial state, in genome order."""

    @abstractmethod
    def _step(self, arrays: Mapping[str, Array], layer: int, sources: Array, state: State) -> State:
        """The state of a layer after a step in which `sources` ``(n_sequences, n_sources)`` arrive."""

    def _specs(self) -> Sequence[ArraySpec]:
        layers = range(self.n_layers)
        specs = [spec for layer in layers for spec in self._layer_specs(layer)]
        if self.initial_state:
            specs += [
                ArraySpec(f"{name}_l{layer}", (self.n_hidden,), "initial_state", self._units(layer))
                for layer in layers
                for name in self.state_names
            ]
        return specs + self._own_specs() + readout_specs(self, self.n_hidden, self._first_output)

    def _own_specs(self) -> list[ArraySpec]:
        return []

    def start(self, arrays: Mapping[str, Array], n_sequences: int = 1) -> tuple[State, ...]:
        """As in `Network`: the state of each layer."""
        zeros = np.zeros(self.n_hidden)
        return tuple(
            tuple(np.tile(arrays.get(f"{name}_l{layer}", zeros), (n_sequences, 1)) for name in self.state_names)
            for layer in range(self.n_layers)
        )

    def advance(
        self, arrays: Mapping[str, Array], state: tuple[State, ...], inputs: Array
    ) -> tuple[Array, tuple[State, ...]]:
        """As in `Network`."""
        sources, states = inputs, []
        for layer, old in enumerate(state):
            states.append(self._step(arrays, layer, sources, old))
            sources = states[-1][0]
        return read_out(self, arrays, sources, inputs), tuple(states)

    def _n_sources(self, layer: int) -> int:
        return self.n_inputs if layer == 0 else self.n_hidden

    def _units(self, layer: int, n_gates: int = 1) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """The number of the unit of each row of an array with `n_gates` stacked gates."""
        return np.tile(np.arange(self.n_hidden, dtype=np.int64) + layer * self.n_hidden, n_gates)

    @property
    def _first_output(self) -> int:
        return self.n_layers * self.n_hidden

    def _gated_specs(self, layer: int, n_gates: int = 1) -> list[ArraySpec]:
        """Input weights, recurrent weights and bias of a layer, the gates stacked along the first axis."""
        n_rows, units = n_gates * self.n_hidden, self._units(layer, n_gates)
        shapes: list[tuple[str, tuple[int, ...], Role]] = [
            ("weight_ih", (n_rows, self._n_sources(layer)), "input"),
            ("weight_hh", (n_rows, self.n_hidden), "recurrent"),
            ("bias", (n_rows,), "bias"),
        ]
        return [
            ArraySpec(f"{name}_l{layer}", shape, role, units[:, None] if len(shape) == 2 else units, n_gates)
            for name, shape, role in shapes
        ]


def readout_specs(network: Network, n_hidden: int, first_output: int) -> list[ArraySpec]:
    """The read-out's weights, bias and links from the inputs, its units numbered from `first_output`."""
    units = np.arange(network.n_outputs, dtype=np.int64) + first_output
    specs = [
        ArraySpec("weight_out", (network.n_outputs, n_hidden), "output", units[:, None]),
        ArraySpec("bias_out", (network.n_outputs,), "bias", units),
    ]
    if network.skip:
        specs.append(ArraySpec("weight_skip", (network.n_outputs, network.n_inputs), "input", units[:, None]))
    return specs


def read_out(network: Network, arrays: Mapping[str, Array], units: Array, inputs: Array) -> Array:
    """Outputs ``(n_sequences, n_outputs)`` of a step: y = g(V h + c), or with `skip` g(V h + c + S x)."""
    return OUTPUT_ACTIVATIONS[network.output_activation](read_out_sums(network, arrays, units, inputs))


def read_out_sums(network: Network, arrays: Mapping[str, Array], units: Array, inputs: Array) -> Array:
    """As `read_out`, before g."""
    sums = units @ arrays["weight_out"].mT + arrays["bias_out"]
    return sums + inputs @ arrays["weight_skip"].mT if network.skip else sums
