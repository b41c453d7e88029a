"""What becomes of an error signal on its way back: the derivative of the last outputs by earlier states.

Hochreiter 1991; Bengio, Simard and Frasconi 1994. With h(t) = tanh(W x(t) + U h(t-1) + b) and outputs V h, the
derivative of the outputs at T by h(T - lag) is V D(T) U D(T-1) U ..., lag factors D U. No element of D = diag(1 - h^2)
is above 1: the norm is at most that of V times the lag-th power of U's largest singular value. The state of an LSTM is
h and c.

Norms are spectral. The products are made here in numpy, and those of whole sequences compared with what the evaluator's
adjoint says of the first state.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import neuroevo as ne
from neuroevo.networks.activations import logistic

Array = NDArray[np.float64]


def norms(network: ne.Network, genome: Array, inputs: Array) -> Array:
    """``(n_steps,)``: norms of d outputs(last) / d state(last - lag) by lag, on a sequence ``(n_steps, n_inputs)``."""
    return np.array([np.linalg.norm(product, 2) for product in products(network, genome, inputs)[:-1]])


def products(network: ne.Network, genome: Array, inputs: Array) -> list[Array]:
    """The derivatives ``(n_outputs, n_state)`` by lag, the last by the state before the first step."""
    arrays = network.layout.decode(genome)
    state, factors = network.start(arrays), []
    for step in inputs:
        factors.append(step_of(network, arrays, state[0], step))
        _, state = network.advance(arrays, state, step[None])
    read_out = arrays["weight_out"]
    found = [np.pad(read_out, ((0, 0), (0, factors[0].shape[0] - read_out.shape[1])))]
    for factor in reversed(factors):
        found.append(found[-1] @ factor)
    return found


def step_of(network: ne.Network, arrays: Mapping[str, Array], state: tuple[Array, ...], inputs: Array) -> Array:
    """``(n_state, n_state)``: the derivative of the state of the only layer by that of the step before."""
    back = arrays["weight_hh_l0"]
    sums = arrays["weight_ih_l0"] @ inputs + back @ state[0][0] + arrays["bias_l0"]
    if isinstance(network, ne.Elman):
        return (1 - np.tanh(sums) ** 2)[:, None] * back
    n_gates = 3 + network.forget_gate
    i, *f, g, o = np.split(sums, n_gates)
    by_i, *by_f, by_g, by_o = np.split(back, n_gates)
    i, g, o, c = logistic(i), np.tanh(g), logistic(o), state[1][0]
    kept = logistic(f[0]) if f else np.ones_like(c)
    c_by_h = (g * i * (1 - i))[:, None] * by_i + (i * (1 - g * g))[:, None] * by_g
    if f:
        c_by_h = c_by_h + (c * kept * (1 - kept))[:, None] * by_f[0]
    squashed = np.tanh(kept * c + i * g)
    through = o * (1 - squashed**2)
    h_by_h = (squashed * o * (1 - o))[:, None] * by_o + through[:, None] * c_by_h
    return np.block([[h_by_h, np.diag(through * kept)], [c_by_h, np.diag(kept)]])


def difference(network: ne.Network, genome: Array, inputs: Array) -> float:
    """The largest difference, relative to the norm, between the product over a whole sequence and the evaluator's."""
    open_network: Any = dataclasses.replace(network, initial_state=True)
    arrays = dict(network.layout.decode(genome))
    names = [name for name in ("initial_state_l0", "initial_cell_l0") if name in open_network.layout.names]
    arrays |= {name: np.zeros(network.n_hidden) for name in names}
    opened = open_network.layout.encode(arrays)
    last = network.predict(genome, inputs[None])[0, -1]
    mine = products(network, genome, inputs)[-1]
    rows = []
    for output in range(network.n_outputs):
        counts = np.zeros((1, len(inputs), network.n_outputs), dtype=bool)
        counts[0, -1, output] = True
        # Half below the output, so that the derivative of the squared error is that of the output.
        problem = ne.SequenceProblem(inputs[None], np.broadcast_to(last - 0.5, counts.shape).copy(), target_mask=counts)
        with ne.LocalEvaluator(open_network, problem, n_threads=1, precision="double") as evaluator:
            found = open_network.layout.decode(evaluator.gradient(opened[None])[0])
        rows.append(np.concatenate([found[name] for name in names]))
    return float(np.abs(np.array(rows) - mine).max() / np.linalg.norm(mine, 2))


def largest_singular_value(network: ne.Network, genome: Array) -> float:
    """Of the recurrent weights of an Elman network."""
    return float(np.linalg.norm(network.layout.decode(genome)["weight_hh_l0"], 2))
