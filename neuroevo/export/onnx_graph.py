"""Nodes of an ONNX graph: arithmetic by name, and networks over sequences.

Where ONNX has a network's cell as one operator (RNN, LSTM, GRU; in single precision, all that runtimes offer), that is
used, otherwise the body of a Scan. Specification: https://onnx.ai/onnx/operators, operator set 17.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.export.plan import Cell

_NATIVE = {"tanh": "Tanh", "relu": "Relu", "logistic": "Sigmoid", "softsign": "Softsign"}
_BY_NAME = {"tanh": "Tanh", "relu": "Relu", "logistic": "Sigmoid", "sine": "Sin", "sign": "Sign"}


class Nodes:
    """A list of nodes that grows; every method adds some and returns the name of what they give.

    Args:
        dtype: float32 or float64: of all real numbers.
        parent: The nodes around those of a Scan's body, which may use the constants of both.
    """

    def __init__(self, dtype: type[np.floating[Any]], parent: Nodes | None = None) -> None:
        self.dtype = dtype
        self.nodes: list[Any] = []
        self.constants: dict[str, NDArray[Any]] = {} if parent is None else parent.constants
        self.numbers: Iterator[int] = count(1) if parent is None else parent.numbers

    def name(self) -> str:
        """A name that nothing has yet."""
        return f"n{next(self.numbers)}"

    def several(self, kind: str, inputs: Sequence[str], n_outputs: int, **attributes: Any) -> list[str]:
        """A node with several outputs."""
        from onnx import helper

        outputs = [self.name() for _ in range(n_outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), outputs, **attributes))
        return outputs

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """A node with one output."""
        return self.several(kind, inputs, 1, **attributes)[0]

    def real(self, values: ArrayLike) -> str:
        """A constant of real numbers."""
        return self._constant(np.asarray(values, dtype=self.dtype))

    def whole(self, values: ArrayLike) -> str:
        """A constant of whole numbers."""
        return self._constant(np.asarray(values, dtype=np.int64))

    def truth(self, values: ArrayLike) -> str:
        """A constant of truth values."""
        return self._constant(np.asarray(values, dtype=np.bool_))

    def _constant(self, values: NDArray[Any]) -> str:
        for name, known in self.constants.items():
            if known.dtype == values.dtype and known.shape == values.shape and known.tobytes() == values.tobytes():
                return name
        name = self.name()
        self.constants[name] = values
        return name

    def part(self, values: str, axis: int, start: int, stop: int | None = None) -> str:
        """``values[..., start:stop, ...]``; whole numbers below 0 count from the end."""
        end = np.iinfo(np.int64).max if stop is None else stop
        return self.op("Slice", values, self.whole([start]), self.whole([end]), self.whole([axis]))

    def columns(self, values: str, columns: ArrayLike) -> str:
        """Some columns of the last of three axes."""
        return self.op("Gather", values, self.whole(columns), axis=2)

    def linear(self, values: str, weights: NDArray[Any], bias: NDArray[Any] | None = None) -> str:
        """``values @ weights.T + bias``."""
        product = self.op("MatMul", values, self.real(weights.T))
        return product if bias is None else self.op("Add", product, self.real(bias))

    def activation(self, name: str, values: str, winners: int = 0) -> str:
        """An activation of units or outputs; `winners` of "k_winners"."""
        if name in _BY_NAME:
            return self.op(_BY_NAME[name], values)
        if name == "softmax":
            return self.op("Softmax", values, axis=-1)
        if name == "softsign":
            return self.op("Div", values, self.op("Add", self.op("Abs", values), self.real(1)))
        if name == "hard_step":
            above = self.op("Where", self.op("Greater", values, self.real(0)), self.real(1), self.real(0))
            return self.op("Where", self.op("IsNaN", values), values, above)
        if name == "k_winners":
            others, each = (self.op("Unsqueeze", values, self.whole([axis])) for axis in (-2, -1))
            larger = self.op("Where", self.op("Greater", others, each), self.real(1), self.real(0))
            n_larger = self.op("ReduceSum", larger, self.whole([-1]), keepdims=0)
            return self.op("Where", self.op("Less", n_larger, self.real(winners)), self.real(1), self.real(0))
        return values


def run_network(nodes: Nodes, cell: Cell, inputs: str, states: list[str]) -> tuple[str, list[str]]:
    """Outputs ``(n_steps, batch, n_outputs)`` and states after the last step, each ``(batch, n)``.

    Args:
        nodes: What grows.
        cell: The network.
        inputs: ``(n_steps, batch, n_inputs)``.
        states: The vectors of all layers, in the order of `Cell.start`.
    """
    single = nodes.dtype is np.float32
    if single and (cell.kind in ("lstm", "gru") or (cell.kind == "elman" and cell.activation in _NATIVE)):
        return _with_operators(nodes, cell, inputs, states)
    return _with_scan(nodes, cell, inputs, states)


def _with_operators(nodes: Nodes, cell: Cell, inputs: str, states: list[str]) -> tuple[str, list[str]]:
    kept = len(cell.start[0])
    sources, after = inputs, []
    for layer in range(cell.n_layers):
        old = [nodes.op("Unsqueeze", s, nodes.whole([0])) for s in states[layer * kept : (layer + 1) * kept]]
        arrays = [nodes.real(array[None]) for array in _operands(cell, layer)]
        attributes: dict[str, Any] = {"hidden_size": cell.n_hidden}
        if cell.kind == "elman":
            attributes["activations"] = [_NATIVE[cell.activation]]
        if cell.kind == "gru":
            attributes["linear_before_reset"] = 1
        operator = {"elman": "RNN", "gru": "GRU", "lstm": "LSTM"}[cell.kind]
        found = nodes.several(operator, [sources, *arrays, "", *old], 1 + kept, **attributes)
        sources = nodes.op("Squeeze", found[0], nodes.whole([1]))
        after += [nodes.op("Squeeze", last, nodes.whole([0])) for last in found[1:]]
    return _readout(nodes, cell, sources, inputs), after


def _operands(cell: Cell, layer: int) -> list[NDArray[Any]]:
    """W, R and B of an operator; gates in ONNX's order, i o f c of an LSTM and z r h of a GRU."""
    arrays = cell.arrays
    order = {"elman": [0], "lstm": [0, 3, 1, 2], "gru": [1, 0, 2]}[cell.kind]
    bias = arrays[f"bias_l{layer}"]
    recurrent = np.zeros_like(bias)
    if cell.kind == "gru":
        recurrent[2 * cell.n_hidden :] = arrays[f"bias_hn_l{layer}"]
    stacked = arrays[f"weight_ih_l{layer}"], arrays[f"weight_hh_l{layer}"], bias, recurrent
    w, r, *biases = (_reordered(array, order) for array in stacked)
    return [w, r, np.concatenate(biases)]


def _reordered(array: NDArray[Any], order: list[int]) -> NDArray[Any]:
    gates = np.split(array, len(order))
    return np.concatenate([gates[gate] for gate in order])


def _with_scan(nodes: Nodes, cell: Cell, inputs: str, states: list[str]) -> tuple[str, list[str]]:
    from onnx import helper

    body = Nodes(nodes.dtype, nodes)
    old, row = [body.name() for _ in states], body.name()
    output, new = _step(body, cell, row, old)
    # The body's own inputs can't be its outputs: each goes through a node.
    output, *new = (body.op("Identity", name) for name in [output, *new])
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(nodes.dtype))

    def infos(names: Sequence[str]) -> list[Any]:
        return [helper.make_tensor_value_info(name, kind, None) for name in names]

    graph = helper.make_graph(body.nodes, "step", infos([*old, row]), infos([*new, output]))
    found = nodes.several("Scan", [*states, inputs], len(states) + 1, num_scan_inputs=1, body=graph)
    return found[-1], found[:-1]


def _step(nodes: Nodes, cell: Cell, row: str, states: list[str]) -> tuple[str, list[str]]:
    if cell.kind == "jordan":
        units = nodes.activation(cell.activation, _sum(nodes, cell, 0, row, states[0]), cell.winners)
        output = _readout(nodes, cell, units, row)
        return output, [output]
    layer_step = {"elman": _elman, "ctrnn": _ctrnn, "lstm": _lstm, "gru": _gru}[cell.kind]
    kept = len(cell.start[0])
    sources, after = row, []
    for layer in range(cell.n_layers):
        new = layer_step(nodes, cell, layer, sources, states[layer * kept : (layer + 1) * kept])
        sources = new[0]
        after += new
    return _readout(nodes, cell, sources, row), after


def _sum(nodes: Nodes, cell: Cell, layer: int, sources: str, h: str) -> str:
    arrays = cell.arrays
    from_sources = nodes.linear(sources, arrays[f"weight_ih_l{layer}"], arrays[f"bias_l{layer}"])
    return nodes.op("Add", from_sources, nodes.linear(h, arrays[f"weight_hh_l{layer}"]))


def _elman(nodes: Nodes, cell: Cell, layer: int, sources: str, state: list[str]) -> list[str]:
    return [nodes.activation(cell.activation, _sum(nodes, cell, layer, sources, state[0]), cell.winners)]


def _ctrnn(nodes: Nodes, cell: Cell, layer: int, sources: str, state: list[str]) -> list[str]:
    (target,) = _elman(nodes, cell, layer, sources, state)
    moved = nodes.op("Mul", nodes.real(cell.arrays[f"rate_l{layer}"]), nodes.op("Sub", target, state[0]))
    return [nodes.op("Add", state[0], moved)]


def _lstm(nodes: Nodes, cell: Cell, layer: int, sources: str, state: list[str]) -> list[str]:
    size = cell.n_hidden
    weighted = _sum(nodes, cell, layer, sources, state[0])
    i, f, g, o = (nodes.part(weighted, 1, gate * size, (gate + 1) * size) for gate in range(4))
    i, f, o = (nodes.op("Sigmoid", gate) for gate in (i, f, o))
    c = nodes.op("Add", nodes.op("Mul", f, state[1]), nodes.op("Mul", i, nodes.op("Tanh", g)))
    return [nodes.op("Mul", o, nodes.op("Tanh", c)), c]


def _gru(nodes: Nodes, cell: Cell, layer: int, sources: str, state: list[str]) -> list[str]:
    size, arrays = cell.n_hidden, cell.arrays
    from_sources = nodes.linear(sources, arrays[f"weight_ih_l{layer}"], arrays[f"bias_l{layer}"])
    bias = np.concatenate([np.zeros(2 * size), arrays[f"bias_hn_l{layer}"]])
    from_state = nodes.linear(state[0], arrays[f"weight_hh_l{layer}"], bias)
    gates = nodes.op("Sigmoid", nodes.part(nodes.op("Add", from_sources, from_state), 1, 0, 2 * size))
    r, z = nodes.part(gates, 1, 0, size), nodes.part(gates, 1, size)
    recalled = nodes.op("Mul", r, nodes.part(from_state, 1, 2 * size))
    n = nodes.op("Tanh", nodes.op("Add", nodes.part(from_sources, 1, 2 * size), recalled))
    return [nodes.op("Add", n, nodes.op("Mul", z, nodes.op("Sub", state[0], n)))]


def _readout(nodes: Nodes, cell: Cell, units: str, inputs: str) -> str:
    y = nodes.linear(units, cell.arrays["weight_out"], cell.arrays["bias_out"])
    if "weight_skip" in cell.arrays:
        y = nodes.op("Add", y, nodes.linear(inputs, cell.arrays["weight_skip"]))
    return nodes.activation(cell.output_activation, y)
