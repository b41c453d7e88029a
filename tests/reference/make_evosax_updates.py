"""Write evosax_updates.npz: what evosax's SNES and OpenAI-ES make of given samples.

    python tests/reference/make_evosax_updates.py

Needs evosax, jax and optax (written with evosax 0.3.2, jax 0.10.2). Every generation is fed samples that we drew.
"""

from __future__ import annotations

from pathlib import Path

import jax
import numpy as np

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
import optax  # noqa: E402
from evosax.algorithms import SNES, Open_ES  # noqa: E402

N_GENES, POPULATION_SIZE, N_GENERATIONS = 7, 12, 8


def errors(x: np.ndarray) -> np.ndarray:
    return np.square(x) @ 100.0 ** (np.arange(N_GENES) / (N_GENES - 1))


def run(name: str, algorithm: object, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    key = jax.random.key(0)
    params = algorithm.default_params
    start = jnp.asarray(rng.uniform(-1, 1, N_GENES))
    state = algorithm.init(key, start, params)
    out: dict[str, list[np.ndarray]] = {"z": [], "mean": [], "std": []}
    for _ in range(N_GENERATIONS):
        z = rng.standard_normal((POPULATION_SIZE, N_GENES))
        if name == "openai_es":
            z[POPULATION_SIZE // 2 :] = -z[: POPULATION_SIZE // 2]
        population = np.asarray(state.mean) + np.asarray(state.std) * z
        state, _ = algorithm.tell(key, jnp.asarray(population), jnp.asarray(errors(population)), state, params)
        out["z"].append(z)
        out["mean"].append(np.asarray(state.mean))
        out["std"].append(np.broadcast_to(np.asarray(state.std), (N_GENES,)))
    return {"start": np.asarray(start), **{key: np.stack(value) for key, value in out.items()}}


def main() -> None:
    solution = jnp.zeros(N_GENES)
    algorithms = {
        "snes": SNES(POPULATION_SIZE, solution),
        "openai_es": Open_ES(
            POPULATION_SIZE,
            solution,
            optimizer=optax.adam(0.01),
            std_schedule=optax.constant_schedule(0.02),
        ),
    }
    arrays = {}
    for seed, (name, algorithm) in enumerate(algorithms.items()):
        arrays.update({f"{name}_{key}": value for key, value in run(name, algorithm, seed).items()})
    np.savez_compressed(Path(__file__).with_name("evosax_updates.npz"), **arrays)


if __name__ == "__main__":
    main()
