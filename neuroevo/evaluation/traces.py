"""What goes on inside of networks: outputs and states of genomes at every step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.evaluation.base import checked_population
from neuroevo.evaluation.memory import require
from neuroevo.evaluation.plans import plan_of
from neuroevo.evaluation.precision import Precision, type_of
from neuroevo.networks.checks import sequences

if TYPE_CHECKING:
    from neuroevo.networks import Network


def trace(
    network: Network,
    genomes: ArrayLike,
    inputs: ArrayLike,
    lengths: ArrayLike | None = None,
    *,
    precision: Precision = "double",
) -> dict[str, NDArray[Any]]:
    """Outputs and states of networks at every step, computed by the compiled kernels.

    Args:
        network: What a genome means.
        genomes: ``(n, n_genes)``, one per row.
        inputs: ``(n_sequences, n_steps, n_inputs)``; what lies beyond a sequence's length is not read.
        lengths: ``(n_sequences,)`` whole numbers, by default n_steps for all.
        precision: "single" or "double".

    Returns:
        Arrays of that precision, NaN beyond a sequence's length. ``"outputs"`` is ``(n, n_sequences, n_steps,
        n_outputs)``; ``"hidden"``, ``(n, n_sequences, n_steps, n_units)``, the units after each step, layer by layer;
        ``"cell"``, of the same shape, the cells of an LSTM. A network without a kernel has outputs only, from its
        `predict`.

    Raises:
        BadInput: A shape, a length or the precision is wrong, or an input is not finite.
        OutOfMemory: There is not enough memory for all steps.
    """
    dtype = type_of(precision)
    population = checked_population(genomes, network.n_genes)
    given, n_steps = sequences(inputs, lengths, network.n_inputs)
    plan = plan_of(network)
    if plan is None:
        outputs = [network.predict(genome, given, n_steps) for genome in population]
        return {"outputs": np.array(outputs, dtype).reshape(len(population), *given.shape[:2], network.n_outputs)}
    kept = _trace(plan, population, given, n_steps, dtype)
    n_outputs = network.n_outputs
    return {"outputs": kept[..., :n_outputs]} | {
        name: kept[..., n_outputs + rows] for name, rows in plan.states.items()
    }


def _trace(plan: Any, population: Any, inputs: Any, n_steps: Any, dtype: Any) -> NDArray[Any]:
    """``(n, n_sequences, n_steps, n_outputs + n_state)``."""
    from neuroevo.kernels.loops.driver import make_scratch
    from neuroevo.kernels.loops.driver import trace as kernel
    from neuroevo.kernels.tasks.replay import Replay

    shape = (len(population), *inputs.shape[:2], plan.cell.n_outputs + plan.cell.n_state)
    n_slots = inputs.shape[1] + 1
    require(8 * int(np.prod(shape)) + 64 * 8 * n_slots * plan.n_rows, "a trace of all steps")
    order = np.argsort(-n_steps, kind="stable").astype(np.int64)
    with np.errstate(over="ignore"):
        flat = inputs.astype(dtype).ravel()
    task = Replay(plan.cell.n_inputs, flat, order, n_steps[order].astype(np.int64), order * inputs.shape[1])
    scratch = make_scratch(len(plan.packing.genes), n_slots * plan.n_rows, len(inputs), dtype, n_slots)
    kept = np.full(shape, np.nan, dtype)
    kernel(plan.cell, plan.packing, task, population, scratch, np.zeros(1, np.int64), kept)
    return kept
