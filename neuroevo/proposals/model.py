"""The network, the strategy and the budget that are proposed: the one place where this default is written.

It rests on results/benchmarks/new_data.md and docs/decisions/generalisation.md: a few gated units on what a
linear model leaves, moved by natural evolution strategies, the champion chosen by a validation part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from neuroevo.proposals.toml_text import Line


def model_tables(*, by_class: bool, has_validation: bool, seconds: float) -> Mapping[str, Sequence[Line]]:
    """The tables of a scenario beside [problem].

    Args:
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
    strategy = [
        Line("kind", "snes", "learns a width for each gene, in few evaluations"),
        Line("population_size", 32 if by_class else 24),
    ]
    generations = 600 if by_class else 400
    if not has_validation:
        generations //= 4
    stop = [Line("generations", generations, "" if has_validation else "few: no validation part says when to stop")]
    if has_validation:
        stop.append(Line("validation_patience", 100, "generations without a better validation error"))
    stop.append(Line("seconds", float(seconds), "whichever comes first"))
    return {"network": network, "strategy": strategy, "stop": stop}
