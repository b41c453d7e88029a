"""Write torch_gradients.npz: gradients that PyTorch's autograd finds for the cells of torch_cells.npz, in double.

Run it once, where PyTorch is installed:  python -m tests.reference.make_torch_gradients
The stored file was made with PyTorch 2.13.0 (CPU); the suite reads it and needs no PyTorch.

The error of a case is the mean squared difference of its outputs from `targets`, over all sequences, steps and outputs.
Keys are ``<case>/<array>`` with the derivative by that array of PyTorch, the read-out's as ``readout.weight`` and
``readout.bias``, the first states' as ``h0`` and ``c0``; ``<case>/within_5/<array>`` where the state is detached before
every fifth step: backpropagation through time that is truncated to windows of 5 steps.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.networks.torch_cases import stored_cases

WINDOW = 5


def targets(shape):
    """What the outputs should be: numbers between -1 and 1 that follow no case's outputs."""
    return np.sin(np.arange(np.prod(shape))).reshape(shape)


def torch_gradients(case, arrays, window):
    """Derivatives of one case; `window` steps between two detached states, 0 for none."""
    import torch

    kind, nonlinearity = case.split("_")[0], case.split("_")[1]
    n_layers = sum(name.startswith("weight_ih_l") for name in arrays)
    n_hidden, n_inputs = arrays["weight_hh_l0"].shape[1], arrays["inputs"].shape[2]
    more = {"nonlinearity": nonlinearity} if kind == "rnn" else {}
    cells = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
    cell = cells[kind](n_inputs, n_hidden, n_layers, batch_first=True, dtype=torch.float64, **more)
    readout = torch.nn.Linear(arrays["readout.weight"].shape[1], len(arrays["readout.bias"]), dtype=torch.float64)
    given = {name: torch.tensor(array) for name, array in arrays.items()}
    cell.load_state_dict({name: given[name] for name in cell.state_dict()})
    readout.load_state_dict({name: given[f"readout.{name}"] for name in ("weight", "bias")})
    zeros = torch.zeros(n_layers, n_hidden, dtype=torch.float64)
    starts = {name: given.get(name, zeros).clone().requires_grad_() for name in ("h0", "c0")}
    inputs = given["inputs"]
    state = tuple(start[:, None].repeat(1, len(inputs), 1) for start in starts.values())
    state, outputs = state if kind == "lstm" else state[0], []
    for first in range(0, inputs.shape[1], window or inputs.shape[1]):
        if first:
            state = tuple(part.detach() for part in state) if kind == "lstm" else state.detach()
        piece = inputs[:, first : first + (window or inputs.shape[1])]
        hidden, state = cell(piece, state)
        outputs.append(readout(torch.cat([hidden, piece], dim=2) if case.endswith("_skip") else hidden))
    outputs = torch.cat(outputs, dim=1)
    torch.mean((outputs - torch.tensor(targets(outputs.shape))) ** 2).backward()
    found = {name: parameter.grad.numpy() for name, parameter in cell.named_parameters()}
    found |= {f"readout.{name}": parameter.grad.numpy() for name, parameter in readout.named_parameters()}
    if case.endswith("_started"):
        found |= {name: start.grad.numpy() for name, start in starts.items() if start.grad is not None}
    return found


def all_gradients():
    """Keys of the file to derivatives, computed now."""
    named = {}
    for case, arrays in stored_cases().items():
        for prefix, window in ((f"{case}/", 0), (f"{case}/within_{WINDOW}/", WINDOW)):
            named |= {prefix + name: array for name, array in torch_gradients(case, arrays, window).items()}
    return named


if __name__ == "__main__":
    np.savez_compressed(Path(__file__).with_name("torch_gradients.npz"), **all_gradients())
