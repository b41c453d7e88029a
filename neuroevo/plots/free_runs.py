"""Predictions of free runs over time: those of a part that follow one another, and of overlapping ones the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuroevo.plots.prediction import draw_predictions
from neuroevo.plots.series import Look
from neuroevo.problems import SequenceProblem

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from neuroevo.networks import Network


def draw_free_runs(network: Network, genome: np.ndarray, problem: SequenceProblem, look: Look) -> Figure:
    """What a network says in free runs, where they are; errors are those of what is drawn.

    Args:
        network: What the genome means.
        genome: ``(network.n_genes,)``.
        problem: Asks for free runs; in the units that the network was trained in.
        look: Of the figure.

    Raises:
        BadInput: As of `draw_predictions`.
    """
    runs = problem.free_runs
    outputs, shown = np.full(problem.target_rows.shape, np.nan), np.zeros(problem.target_rows.shape, np.bool_)
    for part in problem.parts:
        rows = runs.judged_rows(part)
        said = runs.outputs(network, genome, part).reshape(*rows.shape, problem.n_outputs)
        for its, values in zip(rows, said, strict=True):
            if not shown[its][runs.judged].any():
                outputs[its] = np.where(runs.judged, values, outputs[its])
                shown[its] |= runs.judged
    original = problem.original
    fields = {**original.fields(), "free_run": None, "target_mask": original.mask_rows & shown, "washout": 0}
    if original.rows.is_uniform:
        fields["target_mask"] = original.rows.padded(fields["target_mask"])
    predicted = problem.predictions(outputs)
    asked = runs.asked
    title = f"{look.title} · free runs of {asked.steps} steps"
    name = f"after {asked.washout} rows with true values"
    return draw_predictions({name: predicted}, SequenceProblem(**fields), Look(title, look.span, look.size))
