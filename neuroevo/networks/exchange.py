"""Weights to and from PyTorch's ``nn.RNN``, ``nn.LSTM`` and ``nn.GRU``, as plain arrays: PyTorch itself is not needed.

Names, shapes and gate order are PyTorch's already. What differs is the bias: PyTorch adds two where one says it all,
except in a GRU's candidate, whose recurrent bias the reset gate multiplies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.errors import BadInput, WrongType
from neuroevo.networks.base import Network
from neuroevo.networks.elman import Elman
from neuroevo.networks.gru import Gru
from neuroevo.networks.lstm import Lstm, with_open_forget_gate, without_forget_gate


def from_torch(network: Network, arrays: Mapping[str, ArrayLike]) -> NDArray[np.float64]:
    """The genome ``(n_genes,)`` of `network` with the weights of a PyTorch cell.

    Args:
        network: An `Elman` with tanh or relu, an `Lstm` or a `Gru` of the same sizes.
        arrays: The cell's ``state_dict()``, and beside it ``weight_out`` and ``bias_out`` (the ``weight`` and ``bias``
            of the ``nn.Linear`` that reads the hidden units) and, where it is evolved, the initial state by our names.

    Raises:
        TypeError: The network is of a kind that PyTorch does not have.
        ValueError: An array is missing, unknown or of another shape.
    """
    network = _exchangeable(network)
    given = {name: np.asarray(array, dtype=np.float64) for name, array in arrays.items()}
    is_open = _holds_gate_open(network)
    for layer in range(network.n_layers):
        first, second = (given.pop(f"bias_{side}_l{layer}", None) for side in ("ih", "hh"))
        if (first is None) != (second is None):
            raise BadInput(f"layer {layer} must have both bias_ih_l{layer} and bias_hh_l{layer}, or neither")
        shape = network.layout.shapes[network.layout.names.index(f"bias_l{layer}")]
        shape = (4 * network.n_hidden,) if is_open else shape
        first, second = (np.zeros(shape) if bias is None else bias for bias in (first, second))
        if first.shape != shape or second.shape != shape:
            raise BadInput(f"the biases of layer {layer} must have shape {shape}, got {first.shape}, {second.shape}")
        if isinstance(network, Gru):
            n_gated = 2 * network.n_hidden
            given[f"bias_hn_l{layer}"] = second[n_gated:]
            second = np.concatenate([second[:n_gated], np.zeros(network.n_hidden)])
        given[f"bias_l{layer}"] = first + second
    return network.layout.encode(without_forget_gate(given) if is_open else given)


def to_torch(network: Network, genome: ArrayLike) -> dict[str, NDArray[np.float64]]:
    """The arrays of a genome as `from_torch` takes them: a cell's state dictionary, the read-out, the initial state.

    Args:
        network: An `Elman` with tanh or relu, an `Lstm` or a `Gru`.
        genome: ``(n_genes,)``.

    Raises:
        TypeError: The network is of a kind that PyTorch does not have.
        ValueError: The genome has another length.
    """
    network = _exchangeable(network)
    arrays = network.layout.decode(genome)
    if _holds_gate_open(network):
        arrays = with_open_forget_gate(arrays)
    for layer in range(network.n_layers):
        bias = arrays.pop(f"bias_l{layer}")
        recurrent = np.zeros_like(bias)
        if isinstance(network, Gru):
            recurrent[2 * network.n_hidden :] = arrays.pop(f"bias_hn_l{layer}")
        arrays |= {f"bias_ih_l{layer}": bias, f"bias_hh_l{layer}": recurrent}
    return arrays


def from_state_dict(network: Network, arrays: Mapping[str, ArrayLike]) -> NDArray[np.float64]:
    """The genome ``(n_genes,)`` of `network` with the weights of a whole PyTorch model, or of an exported one.

    Args:
        network: As of `from_torch`. An initial state that the arrays do not have is zero, as PyTorch's is, and so are
            direct links.
        arrays: The model's ``state_dict()``: one recurrent cell and one linear layer under any names, or what
            `neuroevo export --to torch` wrote of a network.

    Raises:
        TypeError: As of `from_torch`.
        ValueError: As of `from_torch`; there is more than one cell or linear layer, or something else.
    """
    network = _exchangeable(network)
    given = {name: np.asarray(array, dtype=np.float64) for name, array in arrays.items()}
    cells = [name.removesuffix("weight_ih_l0") for name in given if re.search(r"(^|\.)weight_ih_l0$", name)]
    if len(cells) != 1:
        raise BadInput(f"the weights have {len(cells)} recurrent layers (weight_ih_l0), where one is expected")
    inside = re.compile(re.escape(cells[0]) + r"((?:weight|bias)_(?:ih|hh)_l\d+)")
    own = {found.group(1): given.pop(name) for name in [*given] if (found := inside.fullmatch(name))}
    _check_cell(network, own)
    outer = re.sub(r"cell\.$", "", cells[0])
    start = given.pop(f"{outer}start", np.zeros((2, network.n_layers, 1, 1)))
    linear = {
        name: given.pop(name) for name in [*given] if re.search(r"(^|\.)(weight|bias)$|^(weight|bias)_out$", name)
    }
    skip = linear.pop(f"{outer}skip.weight", None)
    foreign = [name for name in given if not _OF_EXPORTS.fullmatch(name.removeprefix(outer))]
    weights, biases = (_named(linear, word) for word in ("weight", "bias"))
    if foreign or len(weights) != 1 or len(biases) > 1 or next(iter(weights.values())).ndim != 2:
        others = ", ".join([*foreign, *linear])
        raise BadInput(f"the weights need one linear layer beside the recurrent one, and nothing else; got {others}")
    own["weight_out"] = next(iter(weights.values()))
    own["bias_out"] = next(iter(biases.values()), np.zeros(network.n_outputs))
    return from_torch(network, own | _remaining(network, start, skip))


def _check_cell(network: Elman | Lstm | Gru, arrays: Mapping[str, NDArray[np.float64]]) -> None:
    """Check kind and sizes of a cell: one message says more than that of the first array that does not fit."""
    n_layers = sum(name.startswith("weight_ih_l") for name in arrays)
    inputs, units = arrays["weight_ih_l0"], arrays.get("weight_hh_l0", np.zeros(0))
    if inputs.ndim != 2 or units.ndim != 2 or not units.size:
        raise BadInput("weight_ih_l0 and weight_hh_l0 must be matrices")
    kinds = {1: "elman", 3: "gru", 4: "lstm"}
    kind = kinds.get(units.shape[0] // units.shape[1], "unknown")
    found = (kind, inputs.shape[1], units.shape[1], n_layers)
    wanted = (network.kind, network.n_inputs, network.n_hidden, network.n_layers)
    if found != wanted:
        words = "{}, n_inputs = {}, n_hidden = {}, n_layers = {}"
        raise BadInput(f"the weights are of {words.format(*found)}; the network is {words.format(*wanted)}")


_OF_EXPORTS = re.compile(
    "(input|target)_(offset|factor)|log|copies|log_target|differences|tied|horizon|takes_last|seasons_back|intercept|"
    r"linear_\w+"
)
"""What an exported model has beside its weights."""


def _named(arrays: Mapping[str, NDArray[np.float64]], word: str) -> dict[str, NDArray[np.float64]]:
    return {name: array for name, array in arrays.items() if name.rpartition(".")[2].startswith(word)}


def _remaining(
    network: Elman | Lstm | Gru, start: NDArray[np.float64], skip: NDArray[np.float64] | None
) -> dict[str, NDArray[np.float64]]:
    """The initial state and the direct links, where the network has them."""
    names, n_kept = set(network.layout.names), len(network.state_names)
    if start.shape not in ((2, network.n_layers, 1, 1), (n_kept, network.n_layers, 1, network.n_hidden)):
        raise BadInput(f"the state before the first step has shape {start.shape}, which is not that of the network")
    found = {
        f"{name}_l{layer}": np.broadcast_to(start[kept, layer, 0], (network.n_hidden,))
        for kept, name in enumerate(network.state_names)
        for layer in range(network.n_layers)
        if f"{name}_l{layer}" in names
    }
    if start.any() and not found:
        raise BadInput("the weights have a state before the first step, and the network does not: set initial_state")
    if skip is not None and "weight_skip" not in names:
        raise BadInput("the weights have direct links from inputs to outputs, and the network does not: set skip")
    if "weight_skip" in names:
        found["weight_skip"] = np.zeros((network.n_outputs, network.n_inputs)) if skip is None else skip
    return found


def _holds_gate_open(network: Elman | Lstm | Gru) -> bool:
    """Whether the forget gate of PyTorch's cell must be held open for it to be the network."""
    return isinstance(network, Lstm) and not network.forget_gate


def _exchangeable(network: Network) -> Elman | Lstm | Gru:
    if isinstance(network, Elman) and network.activation not in ("tanh", "relu"):
        raise WrongType(f"PyTorch's nn.RNN has tanh and relu units only, this network has {network.activation} units")
    if not isinstance(network, Elman | Lstm | Gru):
        raise WrongType(f"PyTorch has no cell like {type(network).__name__}; only Elman, Lstm and Gru can be exchanged")
    return network
