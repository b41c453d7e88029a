"""The network, the strategy, the budget and the choice that are proposed: the one place where this default is written.

It rests on results/benchmarks/new_data.md and docs/decisions/generalisation.md: a few gated units on what a linear
model leaves and on the target itself, moved by natural evolution strategies, several seeds of each, of which the
validation part chooses an ensemble, the simple competitors among its candidates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from neuroevo.proposals.toml_text import Line

_PER_SECOND = 15e6
"""Steps of one small network in a second on two cores: a guess that errs on the slow side."""
_FEWEST, _MOST = 400, 2000
_RUNS = 10
_MANY_STEPS = 30_000
"""Of more steps there is time for one run."""


def model_tables(*, n_steps: int, by_class: bool, has_validation: bool, seconds: float) -> Mapping[str, Sequence[Line]]:
    """The tables of a scenario beside [problem].

    Args:
        n_steps: Steps that a network is run through in a generation: rows.
        by_class: Whether classes are told apart.
        has_validation: Whether there is a validation part.
        seconds: The longest that all may take.
    """
    size = "few: what a linear model leaves is little"
    network = [
        Line("kind", "gru", "gated units keep what they have seen for long"),
        Line("n_hidden", 8 if by_class else 4, "" if by_class else size),
    ]
    if by_class:
        network.append(Line("output_activation", "softmax", "shares of the classes, 1 together"))
    population = 32 if by_class else 24
    strategy = [
        Line("kind", "snes", "learns a width for each gene, in few evaluations"),
        Line("population_size", population),
    ]
    n_runs = _RUNS if has_validation and n_steps <= _MANY_STEPS else 1
    affordable = int(_PER_SECOND * seconds / 2 / (population * n_steps * n_runs))
    generations = min(max(affordable // 100 * 100, 600 if by_class else _FEWEST), _MOST)
    if has_validation:
        stop = [
            Line("generations", generations, "whichever comes first"),
            Line("validation_patience", 200, "generations without a better validation error"),
        ]
    else:
        stop = [Line("generations", 100, "few: no validation part says when to stop")]
    stop.append(Line("seconds", seconds / n_runs, "a run that ends by it can't be repeated to the bit"))
    tables = {"network": network, "strategy": strategy, "stop": stop}
    return tables | ({"sweep": _choice(by_class=by_class)} if n_runs > 1 else {})


def _choice(*, by_class: bool) -> list[Line]:
    chosen = Line("ensemble", "selection", "validation chooses, the simple competitors are candidates too")
    if by_class:
        return [Line("trials", _RUNS, "seeds"), chosen]
    over = Line("over", {"problem.residual": ["linear", "none"]}, "with the linear model taken off, and without")
    return [Line("trials", _RUNS // 2, "seeds of each"), chosen, over]
