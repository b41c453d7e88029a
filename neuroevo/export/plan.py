"""What an exported model computes, as plain arrays: the one description that every format is made of.

A model takes rows in original units and gives rows in original units. It remembers the last rows (`Plan.memory` of
them, where differences, seasons or lags of a linear model need them), how many it has seen, and its members' states.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.networks import Ctrnn, Elman, Graph, Gru, Jordan, Lif, Lstm, Network
from neuroevo.networks.activations import logistic
from neuroevo.networks.lstm import with_open_forget_gate
from neuroevo.prediction import LogisticMember, Member, Predictor
from neuroevo.problems import Scaling
from neuroevo.problems.preparation import Preparation

Values: TypeAlias = NDArray[np.float64]

_KINDS = (Elman, Jordan, Lstm, Gru, Ctrnn, Graph, Lif)
_FIELDS = {
    "n_inputs", "n_hidden", "n_units", "n_outputs", "n_layers", "links", "activation", "output_activation",
    "initial_state", "step", "substeps", "fixed", "skip", "forget_gate", "winners",
    "threshold", "reset", "refractory", "readout",
}  # fmt: skip
_STEMS = (
    "weight_ih_l", "weight_hh_l", "bias_l", "bias_hn_l", "initial_state", "initial_cell_l", "time_constant_",
    "weight_links", "weight_out", "bias_out", "weight_skip",
)  # fmt: skip


@dataclass(frozen=True)
class Firing:
    """How units of a `Lif` fire; the fields are those of the network.

    Attributes:
        threshold: Where they fire.
        to_zero: Whether a spike resets the potential to 0; otherwise it takes the threshold off.
        refractory: Steps of the integration for which they keep still.
        outputs_fire: Whether outputs are such units too.
        substeps: Steps of the integration in one of the data.
    """

    threshold: float
    to_zero: bool
    refractory: int
    outputs_fire: bool
    substeps: int

    @classmethod
    def of(cls, network: Lif) -> Firing:
        """Those of a network."""
        fires = network.readout == "spikes"
        return cls(network.threshold, network.reset == "zero", network.refractory, fires, network.substeps)


@dataclass(frozen=True, eq=False)
class Cell:
    """A network with its weights. A graph is an Elman network with direct links from inputs to outputs.

    An LSTM always has a forget gate, held open where the network has none.

    Attributes:
        kind: "elman", "jordan", "lstm", "gru", "ctrnn" or "lif"; not every format knows the last one.
        n_layers: Stacked layers.
        n_hidden: Units of each layer.
        activation: Of the units of elman, jordan and ctrnn; "" for the others.
        winners: How many units of a layer fire where the activation is "k_winners"; otherwise 0.
        output_activation: Of the read-out.
        arrays: As `layout.decode` names them; instead of time constants a ctrnn has ``rate_lk (n_hidden,)``, its a, and
            a lif that of a step of the integration and ``rate_out (n_outputs,)``; where inputs reach outputs there is
            ``weight_skip (n_outputs, n_inputs)``.
        start: The state before the first step: for each layer the vectors that it keeps (an lstm h and c; a lif spikes,
            potentials and steps left to keep still, and those of its outputs as one more layer).
        firing: Of a lif: `Firing`.
    """

    kind: str
    n_layers: int
    n_hidden: int
    activation: str
    output_activation: str
    arrays: dict[str, Values]
    start: tuple[tuple[Values, ...], ...]
    winners: int = 0
    firing: Firing | None = None

    @classmethod
    def of(cls, network: Network, genome: Values) -> Cell:
        """The network with the weights of the genome.

        Raises:
            BadInput: It is of a kind, or has settings or arrays, that no format knows.
        """
        _refuse_unknown(network)
        arrays = network.layout.decode(genome)
        state = network.start(arrays)
        if isinstance(network, Graph):
            units, matrix = state
            arrays, state = _as_elman(network, matrix), ((units,),)
        elif isinstance(network, Lstm) and not network.forget_gate:
            arrays = with_open_forget_gate(arrays)
        elif isinstance(network, Jordan):
            state = ((state,),)
        rates = {
            f"rate_{name.removeprefix('time_constant_')}": logistic(array) / getattr(network, "substeps", 1)
            for name, array in arrays.items()
            if name.startswith("time_constant_")
        }
        kept = {name: array for name, array in arrays.items() if not name.startswith(("initial_", "time_constant_"))}
        return cls(
            "elman" if isinstance(network, Graph) else network.kind,
            getattr(network, "n_layers", 1),
            network.n_units if isinstance(network, Graph) else int(getattr(network, "n_hidden", 0)),
            str(getattr(network, "activation", "")),
            network.output_activation,
            kept | rates,
            tuple(tuple(values[0] for values in layer) for layer in state),
            network.winners or 0,
            Firing.of(network) if isinstance(network, Lif) else None,
        )


@dataclass(frozen=True, eq=False)
class Part:
    """One member: the way of its inputs into the network, and of the network's outputs back.

    Attributes:
        cell: The network.
        scaling: Of inputs and targets, after the preparation.
        preparation: None where nothing is prepared.
    """

    cell: Cell
    scaling: Scaling
    preparation: Preparation | None

    @property
    def differences(self) -> tuple[int, ...]:
        """The lags that are taken off the inputs, one after the other."""
        if self.preparation is None:
            return ()
        lags = {"difference": 1, "seasonal_difference": self.preparation.season}
        return tuple(lags[name] for name in self.preparation.transform if name in lags)

    @property
    def takes_last(self) -> bool:
        """Whether the last value is taken off the targets."""
        return self.preparation is not None and (
            self.preparation.residual == "last_value" or "difference" in self.preparation.transform
        )

    @property
    def takes_season(self) -> bool:
        """Whether the value a season before is taken off the targets."""
        return self.preparation is not None and (
            self.preparation.residual == "seasonal" or "seasonal_difference" in self.preparation.transform
        )

    @property
    def seasons_back(self) -> int:
        """Whole seasons that reach over the horizon, in steps; 0 where no season is taken off."""
        if self.preparation is None or not self.takes_season:
            return 0
        return self.preparation.season * -(-self.preparation.horizon // self.preparation.season)

    @property
    def depth(self) -> int:
        """How many rows before the present one it sees."""
        linear = None if self.preparation is None else self.preparation.linear
        lag = 0 if linear is None else int(linear.lags.max(initial=0))
        return max(sum(self.differences) + lag, self.seasons_back)


@dataclass(frozen=True, eq=False)
class Examples:
    """Inputs in original units, for formats that have to know ranges.

    Attributes:
        inputs: ``(n_sequences, n_steps, n_inputs)``.
        counted: ``(n_sequences, n_steps)`` bool, the steps of the training part.
        outputs: ``(n_sequences, n_steps, n_outputs)``, what the predictor says; NaN beyond the end of a sequence.
    """

    inputs: Values
    counted: NDArray[np.bool_]
    outputs: Values


@dataclass(frozen=True, eq=False)
class Plan:
    """A predictor as plain arrays.

    Attributes:
        members: One or more.
        combine: "median", "mean" or "weighted" (the mean by `weights`) of what the members say.
        by_class: Whether the largest output is the class.
        title: What people call it.
        input_names: Of the input columns; empty where nobody knows.
        target_names: Of the outputs; empty where nobody knows.
        weights: Of the members' mean, whose sum is 1; empty where all are alike.
        examples: What ranges follow from; None where nobody gave any.
    """

    members: tuple[Part, ...]
    combine: str
    by_class: bool
    title: str
    input_names: tuple[str, ...] = ()
    target_names: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    examples: Examples | None = None

    @property
    def n_inputs(self) -> int:
        """Input columns."""
        return len(self.members[0].scaling.input_offset)

    @property
    def n_outputs(self) -> int:
        """Output columns."""
        return len(self.members[0].scaling.target_offset)

    @cached_property
    def memory(self) -> int:
        """How many rows before the present one some member sees."""
        return max(part.depth for part in self.members)


def plan_of(
    predictor: Predictor, title: str = "", input_names: tuple[str, ...] = (), target_names: tuple[str, ...] = ()
) -> Plan:
    """The predictor as plain arrays.

    Raises:
        BadInput: A member has a network or a preparation that no format knows.
    """
    parts = tuple(map(_part, predictor.champions))
    weights = predictor.weights or ()
    combine = "weighted" if weights else predictor.combine
    return Plan(parts, combine, predictor.by_class, title, input_names, target_names, weights)


def _part(member: Member | LogisticMember) -> Part:
    if isinstance(member, LogisticMember):
        raise BadInput("a member of the ensemble is a logistic regression, which no format has; export its runs")
    cell = Cell.of(member.network, member.genome)
    if not member.scaling:
        return Part(cell, Scaling.identity(member.network.n_inputs, member.network.n_outputs), None)
    scaling, preparation = Scaling.from_arrays(member.scaling), Preparation.from_arrays(member.scaling)
    known = {*scaling.to_arrays(), *(() if preparation is None else preparation.to_arrays())}
    foreign = sorted(member.scaling.keys() - known)
    if foreign:
        raise BadInput(f"the champion's data were prepared in a way that cannot be exported ({', '.join(foreign)})")
    return Part(cell, scaling, preparation)


def combined_code(plan: Plan, code: Mapping[str, str]) -> str:
    """How a format's language combines `said`, what the members say, from its code for each way."""
    return code[plan.combine].replace("WEIGHTS", repr(list(plan.weights))) if len(plan.members) > 1 else "said[0]"


def _refuse_unknown(network: Network) -> None:
    if type(network) not in _KINDS:
        names = ", ".join(kind.kind for kind in _KINDS)
        raise BadInput(f"a network of the kind {network.kind!r} cannot be exported; those that can are {names}")
    fields = {field.name for field in dataclasses.fields(network)}  # type: ignore[arg-type]
    foreign = [*sorted(fields - _FIELDS), *(name for name in network.layout.names if not name.startswith(_STEMS))]
    if foreign:
        raise BadInput(f"a network of the kind {network.kind!r} with {', '.join(foreign)} cannot be exported")
    if isinstance(network, Ctrnn) and network.substeps > 1:
        raise BadInput(
            f"a ctrnn with substeps = {network.substeps} cannot be exported: files hold networks that make one step "
            "for each step of the data"
        )


def _as_elman(network: Graph, matrix: Values) -> dict[str, Values]:
    n, h = network.n_inputs, network.n_units
    to_units, to_outputs = matrix[:h], matrix[h:]
    arrays = {
        "weight_ih_l0": to_units[:, :n],
        "weight_hh_l0": to_units[:, n + 1 :],
        "bias_l0": to_units[:, n],
        "weight_out": to_outputs[:, n + 1 :],
        "bias_out": to_outputs[:, n],
        "weight_skip": to_outputs[:, :n],
    }
    if not arrays["weight_skip"].any():
        del arrays["weight_skip"]
    return {name: array.copy() for name, array in arrays.items()}
