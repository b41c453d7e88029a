"""Write crfmnes_updates.npz: what the authors' CR-FM-NES makes of given samples, some of which fail.

    python tests/reference/make_crfmnes_updates.py

Needs crfmnes (written with crfmnes 1.0.0). It draws from NumPy's global generator, which is seeded before every
generation, so that the same samples can be drawn beside it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from crfmnes import CRFMNES

N_GENES, POPULATION_SIZE, N_GENERATIONS = 9, 12, 30


def error(x: np.ndarray) -> float:
    """An ellipsoid that cannot be evaluated everywhere; `x` is `(n_genes, 1)`."""
    value = float(np.square(x[:, 0] - 0.5) @ 1000.0 ** (np.arange(N_GENES) / (N_GENES - 1)))
    return np.inf if x[0, 0] > 2.8 else value


def main() -> None:
    rng = np.random.default_rng(0)
    start, direction = rng.uniform(2, 3, N_GENES), rng.standard_normal(N_GENES) / 3
    search = CRFMNES(
        N_GENES, error, start[:, np.newaxis].copy(), 0.3, POPULATION_SIZE, v=direction[:, np.newaxis].copy(),
        use_constraint_violation=False,
    )  # fmt: skip
    rows: dict[str, list[np.ndarray]] = {name: [] for name in ("z", "errors", "mean", "sigma", "scale", "direction")}
    for g in range(N_GENERATIONS):
        np.random.seed(g)  # noqa: NPY002
        half = np.random.randn(N_GENES, POPULATION_SIZE // 2)  # noqa: NPY002
        np.random.seed(g)  # noqa: NPY002
        _, errors, _ = search.one_iteration()
        values = (half.T, errors, search.m[:, 0], search.sigma, search.D[:, 0], search.v[:, 0])
        for name, value in zip(rows, values, strict=True):
            rows[name].append(np.array(value))
    arrays = {name: np.stack(values) for name, values in rows.items()}
    path = Path(__file__).with_name("crfmnes_updates.npz")
    np.savez_compressed(path, start=start, first_direction=direction, **arrays)


if __name__ == "__main__":
    main()
