"""Write optimiser_steps.npz: the ways that PyTorch's optimisers take down a valley.

    python tests/reference/make_optimiser_steps.py

Needs torch (written with torch 2.13.0). The error is (x - centre)^2 weighted by stiffness, plus a twist of sines.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

N_STEPS = 60
STIFFNESS = np.array([0.05, 1.0, 3.0, 0.2, 0.7])
CENTRE = np.array([1.0, -2.0, 0.5, 0.0, 3.0])
STARTS = np.random.default_rng(8).normal(size=(4, 5))
OPTIMISERS = {
    "sgd": lambda x: torch.optim.SGD(x, lr=0.05),
    "momentum": lambda x: torch.optim.SGD(x, lr=0.05, momentum=0.9),
    "nesterov": lambda x: torch.optim.SGD(x, lr=0.05, momentum=0.8, nesterov=True),
    "rmsprop": lambda x: torch.optim.RMSprop(x, lr=0.02, alpha=0.9, eps=1e-8),
    "adam": lambda x: torch.optim.Adam(x, lr=0.1, betas=(0.8, 0.95), eps=1e-8),
    "rprop": lambda x: torch.optim.Rprop(x, lr=0.1, etas=(0.5, 1.2), step_sizes=(1e-6, 50.0)),
}
CLIP = 1.5


def way(make, start: np.ndarray, clip: float = 0.0) -> np.ndarray:
    """`(N_STEPS + 1, n_genes)`: where the optimiser comes to."""
    x = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimiser, stiffness, centre = make([x]), torch.tensor(STIFFNESS), torch.tensor(CENTRE)
    places = [start]
    for _ in range(N_STEPS):
        optimiser.zero_grad()
        difference = x - centre
        (stiffness * difference**2 + 0.3 * torch.sin(2 * x)).sum().backward()
        if clip:
            # PyTorch adds 1e-6 to the norm; this is the rule without.
            x.grad *= min(1.0, clip / float(torch.linalg.vector_norm(x.grad)))
        optimiser.step()
        places.append(x.detach().numpy().copy())
    return np.array(places)


if __name__ == "__main__":
    ways = {name: np.stack([way(make, start) for start in STARTS], axis=1) for name, make in OPTIMISERS.items()}
    ways["clipped"] = np.stack([way(OPTIMISERS["momentum"], start, CLIP) for start in STARTS], axis=1)
    np.savez_compressed(
        Path(__file__).with_name("optimiser_steps.npz"), stiffness=STIFFNESS, centre=CENTRE, starts=STARTS, **ways
    )
