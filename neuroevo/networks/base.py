"""What every network is: an immutable description that gives a genome its meaning."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, ClassVar, TypeAlias

import numpy as np
from annotated_types import Ge
from numpy.typing import ArrayLike, NDArray

from neuroevo.checks import truth_value, whole_number
from neuroevo.errors import BadInput
from neuroevo.networks import checks
from neuroevo.networks.activations import OUTPUT_ACTIVATIONS, UNIT_ACTIVATIONS
from neuroevo.networks.layout import ArraySpec, GenomeLayout

Array: TypeAlias = NDArray[np.float64]
Count = Annotated[int, Ge(1)]
Fixed: TypeAlias = Mapping[str, Any] | None

_COUNTS = ("n_inputs", "n_hidden", "n_units", "n_outputs", "n_layers")


class Network(ABC):
    """A recurrent network without its weights.

    Kinds are frozen dataclasses: their fields are the settings of a scenario's ``[network]`` table. A kind says which
    arrays it has (`_specs`), its state before the first step (`start`) and what a step makes of it (`advance`), or its
    outputs for whole sequences (`_run`) if it must see these; checks, layout and `predict` are shared.
    """

    kind: ClassVar[str]
    n_inputs: int
    n_outputs: int
    output_activation: str
    initial_state: bool
    skip: bool = False
    winners: int | None = None

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            object.__setattr__(self, field.name, self._checked(field.name, getattr(self, field.name)))
        self._check_winners()
        if self._fixed is not None:
            specs = self._specs()
            names, shapes = [spec.name for spec in specs], [spec.shape for spec in specs]
            object.__setattr__(self, "fixed", checks.fixed_arrays(self._fixed, names, shapes))
        if self.layout.n_genes == 0:
            raise BadInput("every weight of the network is fixed: leave at least one gene")

    @cached_property
    def layout(self) -> GenomeLayout:
        """Which gene is which entry of which array."""
        return GenomeLayout(self._specs(), self._fixed)

    @property
    def n_genes(self) -> int:
        """Length of a genome."""
        return self.layout.n_genes

    def predict(self, genome: ArrayLike, inputs: ArrayLike, lengths: ArrayLike | None = None) -> Array:
        """The outputs of the network with the weights of `genome`, in double precision.

        This is the readable forward pass for looking at one network; scoring a population is the evaluator's work.

        Args:
            genome: ``(n_genes,)``.
            inputs: ``(n_sequences, n_steps, n_inputs)``; what lies beyond a sequence's length is not read.
            lengths: ``(n_sequences,)`` whole numbers, by default n_steps for all.

        Returns:
            ``(n_sequences, n_steps, n_outputs)`` float64, NaN beyond a sequence's length.

        Raises:
            ValueError: A shape or a length is wrong, or an input is not finite.
        """
        arrays = self.layout.decode(genome)
        checked, n_steps = checks.sequences(inputs, lengths, self.n_inputs)
        with np.errstate(over="ignore", invalid="ignore"):
            outputs = self._run(arrays, checked)
        outputs[np.arange(checked.shape[1]) >= n_steps[:, None]] = np.nan
        return outputs

    def predict_rows(self, genome: ArrayLike, rows: ArrayLike, lengths: ArrayLike) -> Array:
        """As `predict`, bit for bit, of sequences that lie one after the other without padding.

        Args:
            genome: ``(n_genes,)``.
            rows: ``(n_rows, n_inputs)``.
            lengths: ``(n_sequences,)`` whole numbers that sum up to n_rows.

        Returns:
            ``(n_rows, n_outputs)`` float64.

        Raises:
            ValueError: A shape or a length is wrong, or an input is not finite.
        """
        inputs, n_steps = checks.rows(rows, lengths, self.n_inputs)
        starts = np.cumsum(n_steps) - n_steps
        outputs = np.empty((len(inputs), self.n_outputs))
        cls = type(self)
        if (cls.predict, cls._run) != (Network.predict, Network._run):
            self._predict_alike(genome, inputs, n_steps, outputs)
            return outputs
        arrays = self.layout.decode(genome)
        # All sequences stay in the block, since a library's products may round differently for blocks of other sizes.
        block, state = np.zeros((len(n_steps), self.n_inputs)), self.start(arrays, len(n_steps))
        with np.errstate(over="ignore", invalid="ignore"):
            for step in range(int(n_steps.max())):
                lasting = n_steps > step
                at = starts[lasting] + step
                block[lasting] = inputs[at]
                block[~lasting] = 0.0
                found, state = self.advance(arrays, state, block)
                outputs[at] = found[lasting]
        return outputs

    def _predict_alike(self, genome: ArrayLike, inputs: Array, n_steps: Any, outputs: Array) -> None:
        """Let `predict` write outputs of rows for kinds that see whole sequences, those of like lengths together."""
        starts, order = np.cumsum(n_steps) - n_steps, np.argsort(-n_steps, kind="stable")
        while order.size:
            longest = int(n_steps[order[0]])
            group, order = np.sort(order[2 * n_steps[order] > longest]), order[2 * n_steps[order] <= longest]
            is_step = np.arange(longest) < n_steps[group, None]
            at = (starts[group, None] + np.arange(longest))[is_step]
            padded = np.zeros((*is_step.shape, self.n_inputs))
            padded[is_step] = inputs[at]
            outputs[at] = self.predict(genome, padded, n_steps[group])[is_step]

    def start(self, arrays: Mapping[str, Array], n_sequences: int = 1) -> Any:  # noqa: ARG002 - for kinds that have it
        """The state before the first step, for networks that are asked step by step: control tasks, closed loops.

        Args:
            arrays: What ``layout.decode(genome)`` gives.
            n_sequences: Sequences or episodes that run side by side, each with a state of its own.

        Returns:
            What `advance` takes as its first state; its form belongs to the kind.
        """
        raise BadInput(f"the network kind {self.kind!r} sees whole sequences alone: it has no start and advance")

    def advance(self, arrays: Mapping[str, Array], state: Any, inputs: Array) -> tuple[Array, Any]:  # noqa: ARG002 - as above
        """One step of what `predict` does, unchecked.

        Args:
            arrays: What ``layout.decode(genome)`` gives.
            state: From `start`, or from the step before; it is left as it is.
            inputs: ``(n_sequences, n_inputs)`` float64.

        Returns:
            Outputs ``(n_sequences, n_outputs)``, and the state for the next step.
        """
        raise BadInput(f"the network kind {self.kind!r} sees whole sequences alone: it has no start and advance")

    def remarks(self, genome: ArrayLike) -> list[str]:  # noqa: ARG002 - most kinds have nothing to say
        """Sentences on a genome that whoever uses it should know, such as whether its filters are stable."""
        return []

    def settings(self) -> dict[str, Any]:
        """Plain values that `make_network` takes besides n_inputs and n_outputs; TOML and JSON can hold them."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]
        del values["n_inputs"], values["n_outputs"]
        fixed = values.pop("fixed", None)
        if values.get("winners", ...) is None:
            del values["winners"]
        return values if fixed is None else {**values, "fixed": checks.plain_fixed(fixed)}

    @abstractmethod
    def _specs(self) -> Sequence[ArraySpec]:
        """The arrays of the network, in genome order."""

    def _run(self, arrays: Mapping[str, Array], inputs: Array) -> Array:
        """Outputs ``(n_sequences, n_steps, n_outputs)`` of checked inputs."""
        n_sequences, n_steps, _ = inputs.shape
        state = self.start(arrays, n_sequences)
        outputs = np.empty((n_sequences, n_steps, self.n_outputs))
        for step in range(n_steps):
            outputs[:, step], state = self.advance(arrays, state, inputs[:, step])
        return outputs

    @property
    def _fixed(self) -> Fixed:
        return getattr(self, "fixed", None)

    def _checked(self, name: str, value: object) -> object:
        if name in _COUNTS:
            return whole_number(name, value)
        if name == "activation":
            return checks.known_name(name, value, UNIT_ACTIVATIONS)
        if name == "winners":
            return None if value is None else whole_number(name, value)
        if name == "output_activation":
            return checks.known_name(name, value, OUTPUT_ACTIVATIONS)
        return truth_value(name, value) if name in ("initial_state", "skip", "forget_gate") else value

    def _check_winners(self) -> None:
        """Check that `winners` is there where it is used, and nowhere else."""
        names = {field.name for field in dataclasses.fields(self)}  # type: ignore[arg-type]
        asked = getattr(self, "activation", "") == "k_winners"
        if asked and "winners" not in names:
            raise BadInput(f"a network of the kind {self.kind!r} has no k_winners units")
        n_units = getattr(self, "n_hidden", getattr(self, "n_units", 0))
        if asked and (self.winners is None or self.winners > n_units):
            raise BadInput(f"k_winners units need winners, between 1 and their number {n_units}, got {self.winners}")
        if self.winners is not None and not asked:
            raise BadInput(f"winners belongs to activation = 'k_winners', got {getattr(self, 'activation', '')!r}")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @cached_property
    def _identity(self) -> tuple[int, int, str]:
        return self.n_inputs, self.n_outputs, repr(self.settings())

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), {"n_inputs": self.n_inputs, "n_outputs": self.n_outputs, **self.settings()})


def _rebuilt(cls: type[Network], values: Mapping[str, Any]) -> Network:
    return cls(**values)
