"""Write torch_cells.npz: outputs of PyTorch's recurrent cells in double precision, with the weights that gave them.

Run it once, where PyTorch is installed:  python tests/reference/make_torch_reference.py
The stored file was made with PyTorch 2.13.0 (CPU); the suite reads it and needs no PyTorch.

Every case holds PyTorch's own arrays under PyTorch's names (``<case>/weight_ih_l0`` …), a linear read-out
(``<case>/readout.weight``, ``<case>/readout.bias``), inputs ``(n_sequences, n_steps, n_inputs)`` and outputs
``(n_sequences, n_steps, n_outputs)``, and for the cases named ``*_started`` the states before the first step. The
read-out of the cases named ``*_skip`` sees the inputs of the step after the hidden units: ``nn.Linear`` on [h, x].
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

CASES = {
    "rnn_tanh": {"nonlinearity": "tanh"},
    "rnn_relu": {"nonlinearity": "relu"},
    "lstm": {},
    "gru": {},
}
N_INPUTS, N_HIDDEN, N_OUTPUTS, N_SEQUENCES, N_STEPS = 3, 7, 2, 5, 12


def torch_case(name, n_layers, started, seed, skip=False):
    """Arrays of one case, computed by PyTorch now."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    cells = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
    cell = cells[name.partition("_")[0]](
        N_INPUTS, N_HIDDEN, n_layers, batch_first=True, dtype=torch.float64, **CASES[name]
    )
    readout = torch.nn.Linear(N_HIDDEN + skip * N_INPUTS, N_OUTPUTS, dtype=torch.float64)
    with torch.no_grad():
        for parameter in [*cell.parameters(), *readout.parameters()]:
            parameter.copy_(0.5 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
        inputs = torch.randn(N_SEQUENCES, N_STEPS, N_INPUTS, generator=generator, dtype=torch.float64)
        states = [torch.randn(n_layers, N_HIDDEN, generator=generator, dtype=torch.float64) for _ in range(2)]
        every = [state[:, None].repeat(1, N_SEQUENCES, 1) for state in states]
        start = (every[0], every[1]) if name == "lstm" else every[0]
        hidden, _ = cell(inputs, start) if started else cell(inputs)
        outputs = readout(torch.cat([hidden, inputs], dim=2) if skip else hidden)
    arrays = {key: value.numpy() for key, value in cell.state_dict().items()}
    arrays |= {f"readout.{key}": value.numpy() for key, value in readout.state_dict().items()}
    arrays |= {"inputs": inputs.numpy(), "outputs": outputs.numpy()}
    if started:
        arrays |= {"h0": states[0].numpy(), "c0": states[1].numpy()}
    return arrays


def all_cases():
    """Case names to arrays: every cell with one and two layers, from zero states and from given ones; with skip links."""
    cases = {}
    for i, name in enumerate(CASES):
        for n_layers in (1, 2):
            for started in (False, True):
                case = f"{name}_{n_layers}" + ("_started" if started else "")
                cases[case] = torch_case(name, n_layers, started, seed=100 * i + 10 * n_layers + started)
            cases[f"{name}_{n_layers}_skip"] = torch_case(name, n_layers, False, 100 * i + 10 * n_layers + 5, skip=True)
    return cases


if __name__ == "__main__":
    named = {f"{case}/{key}": value for case, arrays in all_cases().items() for key, value in arrays.items()}
    np.savez_compressed(Path(__file__).with_name("torch_cells.npz"), **named)
