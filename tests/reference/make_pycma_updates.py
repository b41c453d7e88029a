"""Write pycma_updates.npz: what pycma's update makes of given samples.

    python tests/reference/make_pycma_updates.py

Needs pycma (written with cma 4.5.0, numpy 2.4.6). Every generation is fed samples that we drew, not pycma's own, so the
file holds all that an update depends on. The eigendecomposition is not lazy here (updatecovwait = 0).
"""

from __future__ import annotations

import warnings
from pathlib import Path

import cma
import numpy as np

CASES = {"plain": (10, 10, 12), "odd": (6, 25, 6), "large": (4, 64, 6)}


def errors(x: np.ndarray) -> np.ndarray:
    n = x.shape[1]
    return np.square(x) @ 100.0 ** (np.arange(n) / (n - 1))


def run(n: int, population_size: int, n_generations: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    mean, sigma = rng.uniform(-1, 1, n), 0.7
    es = cma.CMAEvolutionStrategy(
        mean, sigma, {"popsize": population_size, "seed": 1, "verbose": -9, "updatecovwait": 0}
    )
    # pycma starts a hair beside the identity to keep eigenvalues apart; the tutorial, and we, start at it.
    es.sm.C, es.sm.B, es.sm.D = np.eye(n), np.eye(n), np.ones(n)
    out: dict[str, list[np.ndarray]] = {
        name: [] for name in ("samples", "mean", "sigma", "covariance", "p_c", "p_sigma")
    }
    start = mean.copy()
    for _ in range(n_generations):
        es.ask()
        # About where pycma is, so that the updates are usual ones.
        samples = es.mean + es.sigma * rng.standard_normal((population_size, n)) * np.sqrt(np.diag(es.sm.C))
        # Without check_points=False pycma shortens the steps of samples that it has not drawn itself.
        es.tell(list(samples), errors(samples).tolist(), check_points=False)
        for name, value in (
            ("samples", samples),
            ("mean", es.mean),
            ("sigma", es.sigma),
            ("covariance", es.sm.C),
            ("p_c", es.pc),
            ("p_sigma", es.adapt_sigma.ps),
        ):
            out[name].append(np.array(value))
    return {"start": start, "step_size": np.array(sigma), **{name: np.stack(v) for name, v in out.items()}}


def main() -> None:
    arrays = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed, (case, shape) in enumerate(CASES.items()):
            arrays.update({f"{case}_{name}": value for name, value in run(*shape, seed=seed).items()})
    np.savez_compressed(Path(__file__).with_name("pycma_updates.npz"), **arrays)


if __name__ == "__main__":
    main()
