"""Networks of PyTorch become networks and genomes of ours, to be evolved further."""

from __future__ import annotations

import sys
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput, WrongType
from neuroevo.networks import Elman, Gru, Lstm, Network
from neuroevo.networks.activations import OutputActivation
from neuroevo.networks.exchange import from_torch as genome_from_torch

_KINDS: dict[str, type[Elman | Lstm | Gru]] = {"RNN": Elman, "LSTM": Lstm, "GRU": Gru}


def from_torch(
    module: Any, readout: Any = None, *, output_activation: OutputActivation = "linear"
) -> tuple[Network, NDArray[np.float64]]:
    """The network and the genome that compute what a PyTorch model computes, ``readout(module(x)[0])`` at every step.

    Args:
        module: An ``nn.RNN``, ``nn.LSTM`` or ``nn.GRU``; without `readout`, a module that holds exactly one of these
            and one ``nn.Linear``, and no other layer that changes anything when it predicts.
        readout: The ``nn.Linear`` that reads the cell's units.
        output_activation: What is done to the read-out's outputs: "linear", "tanh", "logistic" (PyTorch's sigmoid) or
            "softmax". A module's own code can't be seen.

    Returns:
        The network, and its genome ``(n_genes,)`` float64.

    Raises:
        WrongType: The arguments are no modules of PyTorch.
        BadInput: The module has another form, or something that the networks here do not have: two directions, a
            projection, dropout.
    """
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(module, torch.nn.Module):
        raise WrongType(f"from_torch takes a module of PyTorch, got {type(module).__name__}")
    nn = torch.nn
    cell, linear = (module, readout) if readout is not None else _found(nn, module)
    if not isinstance(cell, nn.RNNBase):
        raise WrongType(f"the recurrent layer must be an nn.RNN, nn.LSTM or nn.GRU, got {type(cell).__name__}")
    if not isinstance(linear, nn.Linear):
        raise WrongType(f"the read-out must be an nn.Linear, got {type(linear).__name__}")
    _refuse_foreign(cell)
    if linear.in_features != cell.hidden_size:
        raise BadInput(
            f"the read-out reads {linear.in_features} values, the recurrent layer has {cell.hidden_size} units"
        )
    settings: dict[str, Any] = {"n_layers": cell.num_layers, "output_activation": output_activation}
    if cell.mode.startswith("RNN"):
        settings["activation"] = cell.nonlinearity
    kind = _KINDS[cell.mode.partition("_")[0]]
    network = cast(Network, kind(cell.input_size, cell.hidden_size, linear.out_features, **settings))
    arrays = {name: _array(values) for name, values in cell.state_dict().items()}
    bias = np.zeros(linear.out_features) if linear.bias is None else _array(linear.bias)
    return network, genome_from_torch(network, {**arrays, "weight_out": _array(linear.weight), "bias_out": bias})


def _found(nn: Any, module: Any) -> tuple[Any, Any]:
    """The recurrent layer and the linear one of a module that has one of each.

    Raises:
        BadInput: It has not, or something beside them.
    """
    if isinstance(module, nn.RNNBase):
        raise BadInput("the recurrent layer alone has no outputs: give the nn.Linear that reads it as second argument")
    leaves = {name: leaf for name, leaf in module.named_modules() if name and not any(leaf.children())}
    cells = [leaf for leaf in leaves.values() if isinstance(leaf, nn.RNNBase)]
    linears = [leaf for leaf in leaves.values() if isinstance(leaf, nn.Linear)]
    if len(cells) != 1 or len(linears) != 1:
        raise BadInput(
            f"the module has {len(cells)} recurrent and {len(linears)} linear layers, where one of each is expected: "
            "give the two that belong together, from_torch(cell, readout)"
        )
    idle = (nn.Dropout, nn.Identity, nn.RNNBase, nn.Linear)
    others = [f"{name} ({type(leaf).__name__})" for name, leaf in leaves.items() if not isinstance(leaf, idle)]
    if others:
        raise BadInput(
            f"the module also has {', '.join(others)}, whose place cannot be seen: give the two layers, "
            "from_torch(cell, readout), and what follows the read-out as output_activation"
        )
    return cells[0], linears[0]


def _refuse_foreign(cell: Any) -> None:
    if cell.bidirectional:
        raise BadInput(
            "a bidirectional layer sees later steps, which the networks here never do: make it one-directional"
        )
    if cell.proj_size:
        raise BadInput(
            "an LSTM with proj_size feeds back a projection of its state, which the networks here do not have"
        )
    if cell.dropout:
        raise BadInput(
            "the recurrent layer has dropout between its layers, which no genome expresses: set module.dropout = 0, "
            "as it is when it predicts"
        )


def _array(values: Any) -> NDArray[np.float64]:
    return np.asarray(values.detach().cpu().double().numpy(), dtype=np.float64)
