"""The leaky integrate-and-fire network: units whose potentials leak, and that fire where these reach a threshold.

References:
    W. Gerstner, W. M. Kistler: Spiking Neuron Models. Cambridge University Press (2002), section 4.1.
    W. Fang, Z. Yu, Y. Chen et al.: Incorporating learnable membrane time constants to enhance learning of spiking
    neural networks. ICCV (2021), 2661-2671: the step, and time constants as logistic functions of what is learnt.
    E. O. Neftci, H. Mostafa, F. Zenke: Surrogate gradient learning in spiking neural networks. IEEE Signal Processing
    Magazine 36 (2019), 51-63: outputs that integrate without firing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt
from numpy.typing import ArrayLike

from neuroevo.checks import number, whole_number
from neuroevo.errors import BadInput
from neuroevo.networks.activations import OUTPUT_ACTIVATIONS, OutputActivation, logistic
from neuroevo.networks.base import Array, Count, Fixed
from neuroevo.networks.checks import known_name
from neuroevo.networks.dense import DenseNetwork, State, read_out_sums
from neuroevo.networks.layout import ArraySpec

Reset = Literal["subtract", "zero"]
Readout = Literal["leaky", "spikes"]


@dataclass(frozen=True, eq=False)
class Lif(DenseNetwork):
    """Leaky integrate-and-fire: v += a (W x + U s + b - v), and a spike s = 1 where v reaches the threshold, else 0.

    U sees the spikes of the step before. After a spike the potential v is reset; with `refractory` r the unit then
    neither moves nor fires for r steps. a = logistic(gene) lies between 0 and 1, so tau = step / a is the time constant
    of tau dv/dt = W x + U s + b - v in Euler steps. The genes are the arrays ``time_constant_lk (n_hidden,)`` and
    ``time_constant_out (n_outputs,)``; to hold them at a given a, fix these at log(a / (1 - a)).

    Outputs have potentials as well, u += a (V s + c - u). "leaky" ones do not fire: y = g(u), the filtered rates of the
    units. "spikes" are units that fire; y is 0 or 1, or with `substeps` the share of these in which they fired.

    Args:
        n_inputs: Input columns; spikes are columns of 0 and 1, other values are currents.
        n_hidden: Units of each layer.
        n_outputs: Output columns.
        n_layers: Stacked layers; x of an upper layer are the spikes of the one below, of the same step.
        threshold: Where a unit fires.
        reset: After a spike: "subtract" takes the threshold off the potential, "zero" sets it to 0.
        refractory: Steps of the integration, after one with a spike, in which a unit keeps still.
        readout: What outputs are, as above.
        output_activation: g, by name; of "leaky" outputs alone.
        initial_state: Whether the potentials before the first step are evolved (a gene per unit); otherwise they are
            zero. Spikes and potentials of outputs are zero before it.
        skip: Whether the outputs see the inputs too, u += a (V s + c + S x - u).
        step: Time between two steps of the data, in any unit; it scales the time constants and changes no output.
        substeps: Steps of the integration in one step of the data, each with a / substeps in the place of a, while the
            inputs stay what they are.
        fixed: Entries that have no gene, as in `Elman`.

    Raises:
        TypeError, ValueError: An argument is not of that kind or out of range.
    """

    kind: ClassVar[str] = "lif"
    n_inputs: Count
    n_hidden: Count
    n_outputs: Count
    _: KW_ONLY
    n_layers: Count = 1
    threshold: Annotated[float, Gt(0)] = 1.0
    reset: Reset = "subtract"
    refractory: Annotated[int, Ge(0)] = 0
    readout: Readout = "leaky"
    output_activation: OutputActivation = "linear"
    initial_state: bool = False
    skip: bool = False
    step: Annotated[float, Gt(0)] = 1.0
    substeps: Count = 1
    fixed: Fixed = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.readout == "spikes" and self.output_activation != "linear":
            raise BadInput(f"outputs that are spikes have no output_activation, got {self.output_activation!r}")

    def time_constants(self, genome: ArrayLike) -> dict[str, Array]:
        """The time constants of units and outputs, step / a, in the unit of `step`, by the names of their arrays."""
        arrays = self.layout.decode(genome)
        return {name: self.step / logistic(arrays[name]) for name in arrays if name.startswith("time_constant_")}

    def start(self, arrays: Mapping[str, Array], n_sequences: int = 1) -> tuple[State, ...]:
        """As in `Network`: of each layer, and of the outputs, spikes, potentials and steps left to keep still."""
        silent = np.zeros((n_sequences, self.n_hidden))
        potentials = super().start(arrays, n_sequences)
        outputs = np.zeros((n_sequences, self.n_outputs))
        return *((silent, v, silent) for (v,) in potentials), (outputs, outputs, outputs)

    def advance(
        self, arrays: Mapping[str, Array], state: tuple[State, ...], inputs: Array
    ) -> tuple[Array, tuple[State, ...]]:
        """As in `Network`."""
        layers, outputs, fired = list(state[:-1]), state[-1], np.zeros(())
        for _ in range(self.substeps):
            sources = inputs
            for layer, old in enumerate(layers):
                layers[layer] = self._step(arrays, layer, sources, old)
                sources = layers[layer][0]
            current = read_out_sums(self, arrays, sources, inputs)
            outputs = self._moved(arrays["time_constant_out"], current, outputs, fires=self.readout == "spikes")
            fired = fired + outputs[0]
        said = OUTPUT_ACTIVATIONS[self.output_activation](outputs[1])
        return fired / self.substeps if self.readout == "spikes" else said, (*layers, outputs)

    def _step(self, arrays: Mapping[str, Array], layer: int, sources: Array, state: State) -> State:
        weighted = sources @ arrays[f"weight_ih_l{layer}"].mT + state[0] @ arrays[f"weight_hh_l{layer}"].mT
        return self._moved(arrays[f"time_constant_l{layer}"], weighted + arrays[f"bias_l{layer}"], state)

    def _moved(self, genes: Array, current: Array, state: State, *, fires: bool = True) -> State:
        """Spikes, potentials and steps left to keep still after a step of the integration; NaN stays NaN."""
        _, before, waiting = state
        potential = before + logistic(genes) / self.substeps * (current - before)
        if not fires:
            return state[0], potential, waiting
        potential = np.where(waiting > 0, before, potential)
        spikes = np.where((potential >= self.threshold) & (waiting <= 0), 1.0, 0.0)
        spikes = np.where(np.isnan(potential), potential, spikes)
        lowered = potential - self.threshold * spikes
        after = lowered if self.reset == "subtract" else np.where(spikes > 0, 0.0, potential)
        return spikes, after, np.where(spikes > 0, self.refractory, np.maximum(waiting - 1, 0))

    def _layer_specs(self, layer: int) -> list[ArraySpec]:
        return self._gated_specs(layer)

    def _own_specs(self) -> list[ArraySpec]:
        outputs = np.arange(self.n_outputs, dtype=np.int64) + self._first_output
        of_layers = [
            ArraySpec(f"time_constant_l{layer}", (self.n_hidden,), "time_constant", self._units(layer))
            for layer in range(self.n_layers)
        ]
        return [*of_layers, ArraySpec("time_constant_out", (self.n_outputs,), "time_constant", outputs)]

    def _checked(self, name: str, value: object) -> Any:
        if name in ("substeps", "refractory"):
            return whole_number(name, value, at_least=int(name == "substeps"))
        if name in ("reset", "readout"):
            return known_name(name, value, ("subtract", "zero") if name == "reset" else ("leaky", "spikes"))
        return number(name, value, above=0) if name in ("step", "threshold") else super()._checked(name, value)
