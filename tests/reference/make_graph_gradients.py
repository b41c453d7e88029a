"""Write graph_gradients.npz: errors of unstructured networks and their gradients by PyTorch's autograd, in double.

Run it once, where PyTorch is installed:  python tests/reference/make_graph_gradients.py
The stored file was made with PyTorch 2.13.0 (CPU); the suite reads it and needs no PyTorch.

Every case holds the links, the genome, inputs ``(n_sequences, n_steps, n_inputs)``, targets, the mean squared error,
and its derivative by every gene. The network is written here link by link, as its documentation has it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

CASES = {
    "tanh": ("tanh", "linear", True),
    "sine": ("sine", "softmax", False),
    "logistic": ("logistic", "tanh", True),
    "softsign": ("softsign", "logistic", False),
    "relu": ("relu", "linear", True),
}
N_INPUTS, N_UNITS, N_OUTPUTS, N_SEQUENCES, N_STEPS = 2, 9, 3, 5, 20


def torch_case(activation, output_activation, started, seed):
    """Arrays of one case, computed by PyTorch now."""
    import torch

    functions = {
        "tanh": torch.tanh,
        "logistic": torch.sigmoid,
        "softsign": torch.nn.functional.softsign,
        "relu": torch.relu,
        "sine": torch.sin,
        "linear": lambda x: x,
        "softmax": lambda x: torch.softmax(x, dim=-1),
    }
    rng = np.random.default_rng(seed)
    n_sources, n_targets = N_INPUTS + 1 + N_UNITS, N_UNITS + N_OUTPUTS
    every = rng.permutation([(s, t) for s in range(n_sources) for t in range(n_targets)])
    links = every[: len(every) // 2]
    inputs = rng.normal(size=(N_SEQUENCES, N_STEPS, N_INPUTS))
    targets = rng.normal(size=(N_SEQUENCES, N_STEPS, N_OUTPUTS))
    genome = torch.tensor(0.4 * rng.normal(size=len(links) + started * N_UNITS), requires_grad=True)
    units = [genome[len(links) + j] if started else torch.zeros((), dtype=torch.float64) for j in range(N_UNITS)]
    h, total = torch.stack(units).repeat(N_SEQUENCES, 1), torch.zeros((), dtype=torch.float64)
    ones = torch.ones(N_SEQUENCES, 1, dtype=torch.float64)
    for t in range(N_STEPS):
        known = torch.cat([torch.tensor(inputs[:, t]), ones], dim=1)
        h = functions[activation](
            torch.stack(_sums(genome, links, torch.cat([known, h], dim=1), range(N_UNITS)), dim=1)
        )
        outputs = range(N_UNITS, n_targets)
        y = functions[output_activation](
            torch.stack(_sums(genome, links, torch.cat([known, h], dim=1), outputs), dim=1)
        )
        total = total + ((y - torch.tensor(targets[:, t])) ** 2).sum()
    error = total / targets.size
    error.backward()
    return {
        "links": links, "genome": genome.detach().numpy(), "inputs": inputs, "targets": targets,
        "error": error.detach().numpy(), "gradient": genome.grad.numpy(),
    }  # fmt: skip


def _sums(genome, links, sources, targets):
    """The weighted sum of every target, link by link."""
    sums = []
    for target in targets:
        total = 0.0 * sources[:, 0]
        for k, (source, end) in enumerate(links.tolist()):
            if end == target:
                total = total + genome[k] * sources[:, source]
        sums.append(total)
    return sums


def all_cases():
    """Case names to arrays."""
    return {name: torch_case(*case, seed) for seed, (name, case) in enumerate(CASES.items())}


if __name__ == "__main__":
    named = {f"{case}/{key}": value for case, arrays in all_cases().items() for key, value in arrays.items()}
    np.savez_compressed(Path(__file__).with_name("graph_gradients.npz"), **named)
