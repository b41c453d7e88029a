"""One generation of one population: the only place where a strategy is asked and told."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuroevo.evolution.batches import MEASURED
from neuroevo.evolution.champion import VALIDATION, Champion
from neuroevo.evolution.conditions import Condition, Conditions

if TYPE_CHECKING:
    from neuroevo.evaluation import Evaluation, Evaluator
    from neuroevo.strategies import Strategy

FloatArray: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Generation:
    """What happened in one generation of a population.

    Attributes:
        error: `(n,)` float64, +inf where failed.
        n_failed: Failed evaluations.
        mean: `(n_genes,)`, of the population.
        variance: `(n_genes,)`, of the population.
        improvement: A genome with a smaller error than the one to beat, the best of the generation.
        figures: Further figures of strategy and evaluation, by column of the history.
        messages: What the strategy says that a user should know.
    """

    error: FloatArray
    n_failed: int
    mean: FloatArray
    variance: FloatArray
    improvement: Champion | None
    figures: Mapping[str, float] = field(default_factory=dict)
    messages: tuple[str, ...] = ()


def carry_out(
    strategy: Strategy[Any],
    evaluator: Evaluator,
    number: int,
    to_beat: float,
    *,
    validated: bool,
    conditions: Conditions | None = None,
) -> Generation:
    """Ask, evaluate, tell.

    Args:
        strategy: Proposes genomes.
        evaluator: Computes their errors, and whatever else the strategy wants.
        number: The generation's, from 1.
        to_beat: Genomes with errors that are no smaller are of no interest outside.
        validated: Whether an improvement is evaluated on the validation part.
        conditions: What the population is evaluated under; None for the genomes themselves on all data. Otherwise an
            improvement is found among the genomes that are measured so, by their errors there.
    """
    population = strategy.ask()
    under = Condition() if conditions is None else conditions.of(number, strategy.n_genes)
    evaluation = _evaluated(population, evaluator, strategy, under)
    strategy.tell(population, evaluation.error, **evaluation.more)
    improvement = None
    if conditions is None or under.is_clean:
        improvement = _improvement(population, evaluation, evaluator, number, to_beat, validated)
    elif conditions.is_measured(number):
        best = np.argsort(evaluation.error, kind="stable")[:MEASURED]
        measured = evaluation.more.get("refined", population)[best]
        improvement = _improvement(measured, evaluator.evaluate(measured), evaluator, number, to_beat, validated)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = population.mean(axis=0)
        variance = population.var(axis=0, mean=mean[np.newaxis])
        means = _means(evaluation)
    figures = {**means, **strategy.figures()}
    messages = tuple(strategy.take_messages())
    return Generation(evaluation.error, evaluation.n_failed, mean, variance, improvement, figures, messages)


def _evaluated(population: FloatArray, evaluator: Evaluator, strategy: Strategy[Any], under: Condition) -> Evaluation:
    """A population as it is seen under a condition; genomes found are those that were shifted, shifted back."""
    wants = strategy.wants
    given = {"batch": under.batch, "noise": under.noise, "learning": strategy.learning if wants else None}
    # What an evaluator of another package has never heard of it is not given.
    data: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    shifted = population if under.shift is None else population + under.shift
    evaluation = evaluator.evaluate(shifted, wants=wants, **data)
    more = {name: _usable(name, found, evaluation) for name, found in evaluation.more.items()}
    if under.shift is not None and "refined" in more:
        more["refined"] = more["refined"] - under.shift
    return dataclasses.replace(evaluation, more=more)


def _usable(name: str, found: FloatArray, evaluation: Evaluation) -> FloatArray:
    """Derivatives of genomes that did not fail; those that are beyond all numbers, as of chaotic networks, become 0."""
    if name in ("refined", "goals"):
        return found
    beyond = np.isfinite(evaluation.error) & ~np.isfinite(found).all(axis=tuple(range(1, found.ndim)))
    if not beyond.any():
        return found
    return np.where(beyond.reshape(-1, *[1] * (found.ndim - 1)), 0.0, found)


def _means(evaluation: Evaluation) -> dict[str, float]:
    """The figures of an evaluation, over the genomes that did not fail; NaN where all did."""
    sound = np.isfinite(evaluation.error)
    return {name: float(values[sound].mean()) if sound.any() else np.nan for name, values in evaluation.figures.items()}


def _improvement(
    population: FloatArray,
    evaluation: Evaluation,
    evaluator: Evaluator,
    number: int,
    to_beat: float,
    validated: bool,
) -> Champion | None:
    best = int(np.argmin(evaluation.error))
    error = float(evaluation.error[best])
    if not error < to_beat:
        return None
    # Its error is finite, so that it is: tell() would have refused it.
    genome = evaluation.more.get("refined", population)[best][np.newaxis].copy()
    validation = float(evaluator.evaluate(genome, VALIDATION).error[0]) if validated else np.nan
    return Champion(evaluator.express(genome)[0], error, float(evaluation.learned[best]), validation, number)
