"""Does a champion lose to a simple competitor? Then its run says so, and what to try next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from neuroevo.problems.baselines import Baseline
from neuroevo.problems.results import Measured

if TYPE_CHECKING:
    from neuroevo.problems.sequence import SequenceProblem

_LONGER = "a longer run, weight decay, or a smaller network"
_BY_NAME = {"persistence": "last_value", "drift": "last_value", "seasonal": "seasonal"}
_BEYOND = 1e-6
"""Figures that differ by less than this share are equal."""


def verdict(problem: SequenceProblem, champion: Measured, competitors: Sequence[Baseline]) -> str:
    """The sentence, or nothing where the champion is at least as good as every competitor.

    It is judged by the squared error in original units, for classes by the share that is right, on the validation part
    or else the training part; a competitor that can't answer some of the targets, or that learns a training part by
    heart, is not compared there.
    """
    part = "validation" if "validation" in problem.parts else "train"
    by_class = problem.learned.by_class
    its = champion[part]
    best, least = None, _loss(its["learned"] if by_class else its["mse"], by_class)
    limit = least * (1 - _BEYOND)
    for competitor in competitors:
        figures = competitor.parts.get(part)
        if figures is None or figures.n_targets != its["n_targets"] or (part == "train" and competitor.by_heart):
            continue
        loss = _loss(figures.learned if by_class else figures.mse, by_class)
        if loss < min(limit, least):
            best, least = competitor, loss
    if best is None:
        return ""
    figures = best.parts[part]
    if by_class:
        compared = f"{100 * figures.learned:.3g} % right against {100 * (its['learned'] or 0.0):.3g} %"
    else:
        rmse = its["rmse"]
        compared = (
            f"root mean squared error {figures.rmse:.4g} against {'no number' if rmse is None else f'{rmse:.4g}'}"
        )
    where = "validation" if part == "validation" else "training"
    return f"the champion loses to {best.label} on the {where} part ({compared}); try {_advice(problem, best)}"


def _loss(figure: float | None, by_class: bool) -> float:
    """What is smaller the better; a figure that is no number is the worst."""
    if figure is None or math.isnan(figure):
        return math.inf
    return 1.0 - figure if by_class else figure


def _advice(problem: SequenceProblem, best: Baseline) -> str:
    if problem.learned.by_class:
        return _LONGER
    wanted = _BY_NAME.get(best.name, "linear")
    prepared = problem.preparation
    if prepared is not None and prepared.subtracts:
        if prepared.residual != "linear" and wanted == "linear":
            return 'residual = "linear", by which the network begins there and learns what is left'
        return f"{_LONGER}: the network that answers 0 is a simple model already"
    if best.name == "mean":
        return f"{_LONGER}: it has learnt less than nothing"
    kinds = "" if min(problem.tied) >= 0 else " (of the kinds series and sequences)"
    return f'residual = "{wanted}"{kinds}, by which the network begins there and learns what is left'
