"""Locally recurrent, globally feedforward networks: layers of units whose only memory are filters of their own.

References:
    A. D. Back, A. C. Tsoi: FIR and IIR synapses, a new neural network architecture for time series modeling. Neural
    Computation 3 (1991), 375-385.
    A. C. Tsoi, A. D. Back: Locally recurrent globally feedforward networks: a critical review of architectures. IEEE
    Transactions on Neural Networks 5 (1994), 229-239.
    P. Campolucci, A. Uncini, F. Piazza, B. D. Rao: On-line learning algorithms for locally recurrent neural networks.
    IEEE Transactions on Neural Networks 10 (1999), 253-271.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

import numpy as np
from annotated_types import Ge
from numpy.typing import ArrayLike, NDArray

from neuroevo.checks import truth_value, whole_number
from neuroevo.networks import checks
from neuroevo.networks.activations import ACTIVATIONS, OUTPUT_ACTIVATIONS, Activation, OutputActivation
from neuroevo.networks.base import Array, Count, Fixed, Network
from neuroevo.networks.layout import ArraySpec

Feedback: TypeAlias = Literal["synapse", "activation", "output"]
Memory: TypeAlias = tuple[Array, Array]

_LARGEST_SLOPES = {"logistic": 0.25, "hard_step": 0.0, "sign": 0.0}


@dataclass(frozen=True, eq=False)
class LocallyRecurrent(Network):
    """Layers of filters: every link is one, or every unit has one, and units of a layer do not see each other.

    With x the values below a layer, L = `ma_taps` and I = `ar_taps`, a unit n is f(s_n), and

    - "synapse": s_n(t) = b_n + sum_m y_nm(t), y_nm(t) = sum_p w_nm(p) x_m(t-p) + sum_r v_nm(r) y_nm(t-r);
    - "activation": s_n(t) = b_n + sum_m sum_p w_nm(p) x_m(t-p) + sum_r v_n(r) s_n(t-r);
    - "output": the same with the unit's output f(s_n(t-r)) in the place of s_n(t-r),

    p from 0 to L - 1 and r from 1 to I (the three classes of Tsoi and Back 1994). All that lies before the first step
    is zero. Without `ar_taps` all three are the network of FIR synapses.

    Args:
        n_inputs: Input columns.
        n_hidden: Units of each layer.
        n_outputs: Output columns.
        n_layers: Stacked layers.
        feedback: What is fed back, as above.
        ma_taps: Values of a source that a link sees, the present one included.
        ar_taps: Values that are fed back.
        dynamic_output: Whether outputs are such units too, with g in the place of f; otherwise they are g(V x + c).
        activation: f, by name.
        output_activation: g, by name.
        fixed: Entries that have no gene, as in `Elman`.

    Raises:
        TypeError, ValueError: An argument is not of that kind or out of range.
    """

    kind: ClassVar[str] = "locally_recurrent"
    initial_state: ClassVar[bool] = False  # type: ignore[misc]
    n_inputs: Count
    n_hidden: Count
    n_outputs: Count
    _: KW_ONLY
    n_layers: Count = 1
    feedback: Feedback = "synapse"
    ma_taps: Count = 2
    ar_taps: Annotated[int, Ge(0)] = 1
    dynamic_output: bool = False
    activation: Activation = "tanh"
    output_activation: OutputActivation = "linear"
    fixed: Fixed = None

    @property
    def layer_names(self) -> tuple[str, ...]:
        """What the arrays of the layers of filters end with: l0, l1 …, and out where outputs are such units."""
        hidden = tuple(f"l{layer}" for layer in range(self.n_layers))
        return (*hidden, "out") if self.dynamic_output else hidden

    def start(self, arrays: Mapping[str, Array], n_sequences: int = 1) -> tuple[Memory, ...]:
        """As in `Network`: for each layer of filters what it has seen and what it feeds back, the newest first."""
        return tuple(self._nothing(arrays[f"weight_ma_{name}"], n_sequences) for name in self.layer_names)

    def advance(
        self, arrays: Mapping[str, Array], state: tuple[Memory, ...], inputs: Array
    ) -> tuple[Array, tuple[Memory, ...]]:
        """As in `Network`."""
        values, states = inputs, []
        for name, memory in zip(self.layer_names, state, strict=True):
            values, after = self._filtered(arrays, name, memory, values)
            states.append(after)
        if not self.dynamic_output:
            sums = values @ arrays["weight_out"].mT + arrays["bias_out"]
            values = OUTPUT_ACTIVATIONS[self.output_activation](sums)
        return values, tuple(states)

    def poles(self, genome: ArrayLike) -> dict[str, NDArray[np.complex128]]:
        """The poles of the filters of a genome: the zeros of z^I - v(1) z^(I-1) - ... - v(I).

        Fed back outputs are taken at the largest slope of f, where the loop is at its least stable; a bounded f keeps
        them bounded in any case.

        Args:
            genome: ``(n_genes,)``.

        Returns:
            For each array of taps ``weight_ar_…`` its poles, in its shape; nothing where there are none.
        """
        arrays = self.layout.decode(genome)
        found = {}
        for name in self.layer_names if self.ar_taps else ():
            taps = arrays[f"weight_ar_{name}"]
            if self.feedback == "output":
                taps = taps * _LARGEST_SLOPES.get(self._function(name), 1.0)
            companion = np.zeros((*taps.shape[:-1], self.ar_taps, self.ar_taps))
            companion[..., 0, :] = taps
            companion[..., 1:, :-1] = np.eye(self.ar_taps - 1)
            found[f"weight_ar_{name}"] = np.linalg.eigvals(companion).astype(np.complex128)
        return found

    def largest_pole(self, genome: ArrayLike) -> float:
        """The largest modulus among the `poles` of a genome, 0 where there are none; below 1 all filters are stable."""
        return max((float(np.abs(poles).max()) for poles in self.poles(genome).values()), default=0.0)

    def remarks(self, genome: ArrayLike) -> list[str]:
        """As in `Network`: how stable the filters are."""
        if not self.ar_taps:
            return []
        largest = self.largest_pole(genome)
        if largest < 1.0:
            return [f"all filters are stable, the largest modulus of a pole is {largest:.4g}"]
        moduli = np.concatenate([np.abs(poles).max(axis=-1).ravel() for poles in self.poles(genome).values()])
        bounded = self.feedback == "output" and all(self._function(name) in _BOUNDED for name in self.layer_names)
        effect = "outputs stay bounded all the same" if bounded else "over long sequences their values may grow"
        share = f"{(moduli >= 1.0).sum()} of {moduli.size} filters are unstable"
        return [f"{share}, the largest modulus of a pole is {largest:.4g}: {effect}"]

    def _filtered(self, arrays: Mapping[str, Array], name: str, memory: Memory, values: Array) -> tuple[Array, Memory]:
        """What a layer gives in a step, and what it remembers."""
        seen = _shifted(memory[0], values, -2)
        links = _summed("...nmp,...spm->...snm", arrays[f"weight_ma_{name}"], seen)
        terms = "...nmr,...srnm->...snm" if self.feedback == "synapse" else "...nr,...srn->...sn"
        fed_back = _summed(terms, arrays[f"weight_ar_{name}"], memory[1]) if self.ar_taps else np.zeros(())
        if self.feedback == "synapse":
            links = links + fed_back
            sums = links.sum(axis=-1) + arrays[f"bias_{name}"]
        else:
            sums = links.sum(axis=-1) + arrays[f"bias_{name}"] + fed_back
        functions: Mapping[str, Any] = OUTPUT_ACTIVATIONS if name == "out" else ACTIVATIONS
        units = functions[self._function(name)](sums)
        if self.feedback == "synapse":
            return units, (seen, _shifted(memory[1], links, -3))
        return units, (seen, _shifted(memory[1], sums if self.feedback == "activation" else units, -2))

    def _function(self, name: str) -> str:
        return self.output_activation if name == "out" else self.activation

    def _nothing(self, weights: Array, n_sequences: int) -> Memory:
        """The memory of a layer before the first step; weights of a population have an axis before the three."""
        *population, n_units, n_sources, _ = weights.shape
        fed_back = (n_units, n_sources) if self.feedback == "synapse" else (n_units,)
        return (
            np.zeros((*population, n_sequences, self.ma_taps, n_sources)),
            np.zeros((*population, n_sequences, self.ar_taps, *fed_back)),
        )

    def _specs(self) -> Sequence[ArraySpec]:
        specs, n_sources, first = [], self.n_inputs, 0
        for name in self.layer_names:
            n_units = self.n_outputs if name == "out" else self.n_hidden
            units = np.arange(first, first + n_units, dtype=np.int64)
            shape = (n_units, n_sources, self.ma_taps)
            role: Literal["input", "output"] = "output" if name == "out" else "input"
            specs.append(ArraySpec(f"weight_ma_{name}", shape, role, units[:, None, None]))
            if self.ar_taps and self.feedback == "synapse":
                shape = (n_units, n_sources, self.ar_taps)
                specs.append(ArraySpec(f"weight_ar_{name}", shape, "feedback", units[:, None, None]))
            elif self.ar_taps:
                specs.append(ArraySpec(f"weight_ar_{name}", (n_units, self.ar_taps), "feedback", units[:, None]))
            specs.append(ArraySpec(f"bias_{name}", (n_units,), "bias", units))
            n_sources, first = n_units, first + n_units
        if not self.dynamic_output:
            units = np.arange(first, first + self.n_outputs, dtype=np.int64)
            specs.append(ArraySpec("weight_out", (self.n_outputs, self.n_hidden), "output", units[:, None]))
            specs.append(ArraySpec("bias_out", (self.n_outputs,), "bias", units))
        return specs

    def _checked(self, name: str, value: object) -> object:
        if name in ("ma_taps", "ar_taps"):
            return whole_number(name, value, at_least=1 if name == "ma_taps" else 0)
        if name == "feedback":
            return checks.known_name(name, value, ("synapse", "activation", "output"))
        return truth_value(name, value) if name == "dynamic_output" else super()._checked(name, value)


_BOUNDED = frozenset({"tanh", "logistic", "softsign", "sine", "hard_step", "sign", "softmax"})


def _shifted(line: Array, newest: Array, axis: int) -> Array:
    """Delayed values along an axis, the newest first, one step later."""
    after = np.empty_like(line)
    if line.shape[axis]:
        delays = np.moveaxis(after, axis, 0)
        delays[0], delays[1:] = newest, np.moveaxis(line, axis, 0)[:-1]
    return after


def _summed(terms: str, taps: Array, values: Array) -> Array:
    return np.asarray(np.einsum(terms, taps, values))
