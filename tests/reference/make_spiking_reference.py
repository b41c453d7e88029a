"""Writes spiking_units.npz: what SpikingJelly says of recurrent leaky integrate-and-fire units, in double precision.

Run with Python, NumPy, torch and spikingjelly installed: ``python make_spiking_reference.py``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import spikingjelly
import torch
from spikingjelly.activation_based import neuron

N_INPUTS, N_UNITS, N_STEPS = 3, 6, 80


def main() -> None:
    rng = np.random.default_rng(11)
    arrays = {
        "weight_ih_l0": rng.normal(size=(N_UNITS, N_INPUTS)) * 2,
        "weight_hh_l0": rng.normal(size=(N_UNITS, N_UNITS)),
        "bias_l0": rng.normal(size=N_UNITS) * 0.5,
        "inputs": rng.normal(size=(N_STEPS, N_INPUTS)) * 1.5,
    }
    w, u, b, x = (torch.tensor(array) for array in arrays.values())
    found = {"version": np.array(f"spikingjelly {getattr(spikingjelly, '__version__', '')}, torch {torch.__version__}")}
    for tau in (1.25, 4.0):
        for reset, level in (("subtract", None), ("zero", 0.0)):
            node = neuron.LIFNode(tau=tau, decay_input=True, v_threshold=1.0, v_reset=level)
            spikes, seen, potentials = torch.zeros(N_UNITS, dtype=torch.float64), [], []
            for row in x:
                spikes = node(w @ row + u @ spikes + b)
                seen.append(spikes.detach().numpy())
                potentials.append(node.v.detach().numpy())
            found[f"spikes {reset} {tau}"], found[f"potentials {reset} {tau}"] = np.array(seen), np.array(potentials)
    np.savez_compressed(Path(__file__).with_name("spiking_units.npz"), **arrays, **found)


if __name__ == "__main__":
    main()
