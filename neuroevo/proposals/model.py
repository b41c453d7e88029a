"""The network, the strategy and the budget that are proposed: the one place where this default is written.

It rests on results/benchmarks/new_data.md and docs/decisions/generalisation.md: a few gated units on what a
linear model leaves, moved by natural evolution strategies, the champion chosen by a validation part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from neuroevo.proposals.toml_text import Line

_PER_SECOND = 15e6
"""Steps of one small network in a second on two cores: a guess that errs on the slow side."""
_SHORT, _LONG = 400, 2000


def model_tables(*, n_steps: int, by_class: bool, has_validation: bool, seconds: float) -> Mapping[str, Sequence[Line]]:
    """The tables of a scenario beside [problem].

    Args:
        n_steps: Steps that a network is run through in a generation: rows.
        by_class: Whether classes are told apart.
        has_validation: Whether there is a validation part.
        seconds: The longest that a run may take.
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
    affordable = int(_PER_SECOND * seconds / 2 / (population * n_steps))
    generations = min(max(affordable // 100 * 100, 600 if by_class else _SHORT), _LONG)
    if has_validation:
        stop = [
            Line("generations", generations, "whichever comes first"),
            Line("validation_patience", 300, "generations without a better validation error"),
        ]
    else:
        stop = [Line("generations", 100, "few: no validation part says when to stop")]
    stop.append(Line("seconds", float(seconds), "a run that ends by it can't be repeated to the bit"))
    return {"network": network, "strategy": strategy, "stop": stop}
