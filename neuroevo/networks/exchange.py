"""Weights to and from PyTorch's ``nn.RNN``, ``nn.LSTM`` and ``nn.GRU``, as plain arrays: PyTorch itself is not needed.

Names, shapes and gate order are PyTorch's already. What differs is the bias: PyTorch adds two where one says it all,
except in a GRU's candidate, whose recurrent bias the reset gate multiplies.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.errors import BadInput, WrongType
from neuroevo.networks.base import Network
from neuroevo.networks.elman import Elman
from neuroevo.networks.gru import Gru
from neuroevo.networks.lstm import Lstm


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
    for layer in range(network.n_layers):
        first, second = (given.pop(f"bias_{side}_l{layer}", None) for side in ("ih", "hh"))
        if (first is None) != (second is None):
            raise BadInput(f"layer {layer} must have both bias_ih_l{layer} and bias_hh_l{layer}, or neither")
        shape = network.layout.shapes[network.layout.names.index(f"bias_l{layer}")]
        first, second = (np.zeros(shape) if bias is None else bias for bias in (first, second))
        if first.shape != shape or second.shape != shape:
            raise BadInput(f"the biases of layer {layer} must have shape {shape}, got {first.shape}, {second.shape}")
        if isinstance(network, Gru):
            n_gated = 2 * network.n_hidden
            given[f"bias_hn_l{layer}"] = second[n_gated:]
            second = np.concatenate([second[:n_gated], np.zeros(network.n_hidden)])
        given[f"bias_l{layer}"] = first + second
    return network.layout.encode(given)


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
    for layer in range(network.n_layers):
        bias = arrays.pop(f"bias_l{layer}")
        recurrent = np.zeros_like(bias)
        if isinstance(network, Gru):
            recurrent[2 * network.n_hidden :] = arrays.pop(f"bias_hn_l{layer}")
        arrays |= {f"bias_ih_l{layer}": bias, f"bias_hh_l{layer}": recurrent}
    return arrays


def _exchangeable(network: Network) -> Elman | Lstm | Gru:
    if isinstance(network, Elman) and network.activation not in ("tanh", "relu"):
        raise WrongType(f"PyTorch's nn.RNN has tanh and relu units only, this network has {network.activation} units")
    if not isinstance(network, Elman | Lstm | Gru):
        raise WrongType(f"PyTorch has no cell like {type(network).__name__}; only Elman, Lstm and Gru can be exchanged")
    return network
