"""The stored outputs of PyTorch's cells (tests/reference/make_torch_reference.py), as networks and genomes of ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import neuroevo.networks as nets
from neuroevo.networks.exchange import from_torch

REFERENCE = Path(__file__).parents[1] / "reference" / "torch_cells.npz"


def stored_cases():
    """Case names to PyTorch's arrays."""
    cases = {}
    with np.load(REFERENCE) as stored:
        for key in stored.files:
            case, _, name = key.partition("/")
            cases.setdefault(case, {})[name] = stored[key]
    return cases


def as_network(case, arrays):
    """The network and the genome that mean the same as PyTorch's arrays, the inputs and PyTorch's outputs."""
    cell, started = case.split("_")[0], case.endswith("_started")
    n_layers = sum(name.startswith("weight_ih_l") for name in arrays)
    settings = {"n_layers": n_layers, "initial_state": started, "skip": case.endswith("_skip")}
    if cell == "rnn":
        settings["activation"] = case.split("_")[1]
    kind = {"rnn": nets.Elman, "lstm": nets.Lstm, "gru": nets.Gru}[cell]
    n_hidden, n_outputs = arrays["weight_hh_l0"].shape[1], len(arrays["readout.bias"])
    network = kind(arrays["inputs"].shape[2], n_hidden, n_outputs, **settings)
    weights = {name: array for name, array in arrays.items() if name.endswith(("_l0", "_l1"))}
    weights |= {"weight_out": arrays["readout.weight"][:, :n_hidden], "bias_out": arrays["readout.bias"]}
    if network.skip:
        weights["weight_skip"] = arrays["readout.weight"][:, n_hidden:]
    for k in range(n_layers if started else 0):
        weights[f"initial_state_l{k}"] = arrays["h0"][k]
        if cell == "lstm":
            weights[f"initial_cell_l{k}"] = arrays["c0"][k]
    return network, from_torch(network, weights), arrays["inputs"], arrays["outputs"]
