"""The signal-flow graph of an unstructured network and its adjoint, which finds gradients without the chain rule.

A network is drawn as nodes and branches. A node adds up what arrives and gives its signal to every branch that leaves
it; a branch multiplies by a weight (gain), applies a function, or delays by a step. The adjoint graph is what comes of
it by rules alone: every branch is turned round, so that sums become branchings and branchings sums; gains stay; a
function f becomes the factor f'(s) of the signal that it had; a delay becomes an advance, that is, the adjoint runs
from the last step to the first; outputs become inputs and inputs outputs. Driven with the derivatives of an error by
the outputs, the adjoint has at every node the derivative of the error by what enters there, and

    dE/dw = sum over the steps of (signal that enters w in the graph) x (signal that enters w in the adjoint graph).

Batch: `gradient`. Online: `Online` finds the gradient of the error of the step just done by running the adjoint back
over a window of past steps. Everything here is plain numpy in double precision, to be read; the compiled evaluator does
the same with tiles of links (`kernels.cells.graph_back`).

References:
    S. Osowski: Signal flow graphs and neural networks. Biological Cybernetics 70 (1994), 387-395.
    E. A. Wan, F. Beaufays: Diagrammatic derivation of gradient algorithms for neural networks. Neural Computation 8
    (1996), 182-201.
    P. Campolucci, A. Marchegiani, A. Uncini, F. Piazza: Signal-flow-graph approach to on-line gradient calculation.
    Neural Computation 12 (2000), 1901-1927.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.checks import whole_number
from neuroevo.errors import BadInput
from neuroevo.networks.activations import ACTIVATIONS, OUTPUT_ACTIVATIONS, logistic
from neuroevo.networks.base import Array
from neuroevo.networks.checks import sequences
from neuroevo.networks.graph import Graph

Branches: TypeAlias = NDArray[np.int64]
"""``(n, 2)``: from which node to which."""

Through: TypeAlias = Callable[[NDArray[np.int64], Array], Array]
"""What function branches, given by number, make of the signals ``(n_sequences, n)`` that enter them."""

SLOPES: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {
        "tanh": lambda s: 1.0 - np.tanh(s) ** 2,
        "logistic": lambda s: logistic(s) * (1.0 - logistic(s)),
        "softsign": lambda s: 1.0 / (1.0 + np.abs(s)) ** 2,
        "relu": lambda s: (s > 0.0).astype(np.float64),
        "linear": np.ones_like,
        "sine": np.cos,
        "hard_step": np.zeros_like,
        "sign": np.zeros_like,
    }
)
"""The derivatives of activations by name, without "softmax" and "k_winners", which are functions of several signals."""


@dataclass(frozen=True, eq=False)
class SignalFlowGraph:
    """Nodes and branches; every loop has a delay in it.

    Attributes:
        nodes: Names, as they are drawn.
        gains: Branches with a weight, in the order of the network's links.
        functions: Branches with a function: those of the units, then those of the outputs.
        delays: Branches with a delay, or an advance where time is `reversed`: one a unit.
        inputs: Nodes that are driven from outside.
        outputs: Nodes whose signals are wanted.
        is_reversed: Whether its steps run from the last to the first.
    """

    nodes: tuple[str, ...]
    gains: Branches
    functions: Branches
    delays: Branches
    inputs: NDArray[np.int64]
    outputs: NDArray[np.int64]
    is_reversed: bool = False

    @cached_property
    def adjoint(self) -> SignalFlowGraph:
        """The graph with all branches turned round; the adjoint of the adjoint is the graph itself."""
        gains, functions, delays = (branches[:, ::-1] for branches in (self.gains, self.functions, self.delays))
        return SignalFlowGraph(
            self.nodes, gains, functions, delays, self.outputs, self.inputs, is_reversed=not self.is_reversed
        )

    def step(self, weights: Array, driven: Array, stored: Array, through: Through) -> tuple[Array, Array]:
        """The signals of all nodes in one step.

        Args:
            weights: ``(n_gains,)``.
            driven: ``(n_sequences, n_inputs)``: what arrives from outside.
            stored: ``(n_sequences, n_delays)``: what comes out of the delays.
            through: Functions, or factors in their place.

        Returns:
            Signals ``(n_sequences, n_nodes)``, and what the delays hold for the next step.
        """
        signals = np.zeros((len(driven), len(self.nodes)))
        signals[:, self.inputs] += driven
        signals[:, self.delays[:, 1]] += stored
        for gains, functions in self._levels:
            entering = signals[:, self.gains[gains, 0]] * weights[gains]
            np.add.at(signals.T, self.gains[gains, 1], entering.T)
            branches = self.functions[functions]
            signals[:, branches[:, 1]] += through(functions, signals[:, branches[:, 0]])
        return signals, signals[:, self.delays[:, 0]]

    @cached_property
    def _levels(self) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Gains and functions in the order in which the signals that enter them are known."""
        branches = np.concatenate([self.gains, self.functions])
        # A softmax is one function of all outputs, so theirs wait for one another.
        together = self.functions[len(self.delays) :, 1]
        level = np.zeros(len(self.nodes), np.int64)
        for _ in self.nodes:
            deeper = level.copy()
            np.maximum.at(deeper, branches[:, 1], level[branches[:, 0]] + 1)
            deeper[together] = deeper[together].max()
            if np.array_equal(deeper, level):
                break
            level = deeper
        n_gains, of_branch = len(self.gains), level[branches[:, 1]]
        return [
            (np.flatnonzero(of_branch[:n_gains] == k), np.flatnonzero(of_branch[n_gains:] == k))
            for k in range(1, int(of_branch.max()) + 1)
        ]


def signal_flow_graph(network: Graph) -> SignalFlowGraph:
    """The signal-flow graph of a network.

    Its nodes are the inputs and the constant 1, of each unit the value of the step before, the sum and the value, and
    of each output the sum and the value.

    Raises:
        BadInput: The network is none of links, or its units compete.
    """
    if not isinstance(network, Graph):
        raise BadInput(
            f"only a network of links has a signal-flow graph here, got {network.kind!r}: write it as a Graph, "
            'with links = "all" for an Elman network'
        )
    if network.winners:
        raise BadInput("k_winners units compete, which no branches from one signal to another express")
    n_inputs, n_units, n_outputs = network.n_inputs, network.n_units, network.n_outputs
    delayed = n_inputs + 1
    sums, values = delayed + n_units, delayed + 2 * n_units
    output_sums, output_values = delayed + 3 * n_units, delayed + 3 * n_units + n_outputs
    units, outputs = np.arange(n_units), np.arange(n_outputs)
    source, target = network.links.T
    to_output = target >= n_units
    # An output sees the units of this step, a unit those of the step before.
    of_this_step = to_output & (source >= delayed)
    gains = np.stack(
        [
            source + np.where(of_this_step, values - delayed, 0),
            target + np.where(to_output, output_sums - n_units, sums),
        ],
        axis=1,
    )
    functions = np.concatenate(
        [
            np.stack([sums + units, values + units], axis=1),
            np.stack([output_sums + outputs, output_values + outputs], axis=1),
        ]
    )
    names = [f"x{i}" for i in range(n_inputs)] + ["1"] + [f"h{j}[t-1]" for j in units]
    names += [f"s{j}" for j in units] + [f"h{j}" for j in units]
    names += [f"s{n_units + k}" for k in outputs] + [f"y{k}" for k in outputs]
    delays = np.stack([values + units, delayed + units], axis=1)
    return SignalFlowGraph(tuple(names), gains, functions, delays, np.arange(delayed), output_values + outputs)


def run(network: Graph, genome: ArrayLike, inputs: ArrayLike) -> tuple[Array, Array]:
    """Outputs of a network by its signal-flow graph.

    Args:
        network: A network of links.
        genome: ``(n_genes,)``.
        inputs: ``(n_sequences, n_steps, n_inputs)``.

    Returns:
        Outputs ``(n_sequences, n_steps, n_outputs)``, and the signals of all nodes ``(n_sequences, n_steps, n_nodes)``.
    """
    flow = signal_flow_graph(network)
    signals = _run(network, flow, genome, inputs)
    return signals[..., flow.outputs], signals


def _run(network: Graph, flow: SignalFlowGraph, genome: ArrayLike, inputs: ArrayLike) -> Array:
    arrays = network.layout.decode(genome)
    given, _ = sequences(inputs, None, network.n_inputs)
    signals = np.empty((*given.shape[:2], len(flow.nodes)))
    stored = _started(network, arrays, len(given))
    for t in range(given.shape[1]):
        driven = _with_constant(given[:, t])
        signals[:, t], stored = flow.step(arrays["weight_links"], driven, stored, _functions(network))
    return signals


def gradient(network: Graph, genome: ArrayLike, inputs: ArrayLike, slopes: Callable[[Array], Array]) -> Array:
    """The gradient of an error by the genes, all steps at once (batch).

    Args:
        network: A network of links.
        genome: ``(n_genes,)``.
        inputs: ``(n_sequences, n_steps, n_inputs)``.
        slopes: From outputs ``(n_sequences, n_steps, n_outputs)`` to the derivatives of the error by each of them.

    Returns:
        ``(n_genes,)``.

    Raises:
        BadInput: The network is none of links.
        ValueError: A shape is wrong, or an input is not finite.
    """
    flow = signal_flow_graph(network)
    signals = _run(network, flow, genome, inputs)
    driven = np.moveaxis(slopes(signals[..., flow.outputs]), 1, 0)
    return _run_back(network, flow, genome, [*np.moveaxis(signals, 1, 0)], driven)


class Online:
    """A network that runs step by step and knows at every step the gradient of its present error.

    The adjoint graph is driven with the derivatives of the present error alone and runs back over the last `window`
    steps. With a window as long as the sequence the gradients of all steps sum up to that of the batch. Weights may
    change from step to step; past signals stay as they were.

    Args:
        network: A network of links.
        window: Steps that the adjoint runs back over, the present one included; 0 for all.
        n_sequences: Sequences that run side by side.

    Raises:
        BadInput: The network is none of links, or a number is out of range.
    """

    def __init__(self, network: Graph, window: int = 0, n_sequences: int = 1) -> None:
        self._network, self._flow = network, signal_flow_graph(network)
        window = whole_number("window", window, at_least=0)
        self._n_sequences = whole_number("n_sequences", n_sequences)
        self._past: deque[Array] = deque(maxlen=window or None)
        self._stored: Array | None = None
        self._n_steps = 0

    def step(self, genome: ArrayLike, inputs: Array) -> Array:
        """Outputs ``(n_sequences, n_outputs)`` of one step whose inputs are ``(n_sequences, n_inputs)``."""
        arrays = self._network.layout.decode(genome)
        if self._stored is None:
            self._stored = _started(self._network, arrays, self._n_sequences)
        signals, self._stored = self._flow.step(
            arrays["weight_links"], _with_constant(np.asarray(inputs)), self._stored, _functions(self._network)
        )
        self._past.append(signals)
        self._n_steps += 1
        return signals[:, self._flow.outputs]

    def gradient(self, genome: ArrayLike, slopes: Array) -> Array:
        """The gradient ``(n_genes,)`` of the present error, whose derivatives by the outputs are `slopes`.

        Args:
            genome: ``(n_genes,)``, as in the last step.
            slopes: ``(n_sequences, n_outputs)``.
        """
        starts = self._n_steps == len(self._past)
        return _run_back(self._network, self._flow, genome, self._past, [slopes], starts=starts)


def _run_back(
    network: Graph, flow: SignalFlowGraph, genome: ArrayLike, past: Any, slopes: Any, starts: bool = True
) -> Array:
    """The gradient by the adjoint graph.

    Args:
        network: A network of links.
        flow: Its graph.
        genome: ``(n_genes,)``.
        past: Of each step the signals ``(n_sequences, n_nodes)``.
        slopes: Of each of the last so many steps what drives the adjoint, ``(n_sequences, n_outputs)``.
        starts: Whether the first step is that of the sequence, so that the initial state has a gradient.
    """
    adjoint, weights = flow.adjoint, network.layout.decode(genome)["weight_links"]
    nothing = np.zeros((len(past[0]), network.n_outputs))
    drives = [nothing] * (len(past) - len(slopes)) + [*slopes]
    stored, links = np.zeros((len(past[0]), network.n_units)), np.zeros(len(flow.gains))
    for signals, driven in zip(reversed(past), reversed(drives), strict=True):
        factors = _factors(network, signals[:, flow.functions[:, 0]])
        back, stored = adjoint.step(weights, driven, stored, factors)
        links += (signals[:, flow.gains[:, 0]] * back[:, adjoint.gains[:, 0]]).sum(axis=0)
    found = {"weight_links": links}
    if network.initial_state:
        found["initial_state"] = stored.sum(axis=0) if starts else np.zeros(network.n_units)
    return network.layout.encode(found)


def _with_constant(inputs: Array) -> Array:
    return np.hstack([inputs, np.ones((len(inputs), 1))])


def _started(network: Graph, arrays: Mapping[str, Array], n_sequences: int) -> Array:
    """What the delays hold before the first step."""
    return np.tile(arrays.get("initial_state", np.zeros(network.n_units)), (n_sequences, 1))


def _functions(network: Graph) -> Through:
    """The activations, units' and outputs'."""

    def through(branches: NDArray[np.int64], signals: Array) -> Array:
        of_units = branches < network.n_units
        values = ACTIVATIONS[network.activation](signals)
        if not of_units.all():
            values[:, ~of_units] = OUTPUT_ACTIVATIONS[network.output_activation](signals[:, ~of_units])
        return values

    return through


def _factors(network: Graph, sums: Array) -> Through:
    """The adjoint of the activations whose arguments are `sums` ``(n_sequences, n_functions)``."""

    def through(branches: NDArray[np.int64], signals: Array) -> Array:
        of_units, arguments = branches < network.n_units, sums[:, branches]
        entering = SLOPES[network.activation](arguments) * signals
        if not of_units.all():
            entering[:, ~of_units] = _back_through_outputs(network, arguments[:, ~of_units], signals[:, ~of_units])
        return entering

    return through


def _back_through_outputs(network: Graph, arguments: Array, signals: Array) -> Array:
    if network.output_activation == "softmax":
        # One function of all sums; the matrix of its derivatives is its own transpose.
        shares = OUTPUT_ACTIVATIONS["softmax"](arguments)
        return np.asarray(shares * (signals - (shares * signals).sum(axis=1, keepdims=True)))
    return SLOPES[network.output_activation](arguments) * signals
