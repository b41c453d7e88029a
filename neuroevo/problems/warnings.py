"""What about a problem, or about a network that is to learn it, deserves a warning before a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.networks.dense import DenseNetwork
from neuroevo.problems.ridge import REACH
from neuroevo.problems.tables.timeline import moments_of
from neuroevo.problems.trees import has_scikit_learn

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems.sequence import SequenceProblem

LARGE = 10.0
"""Inputs beyond this saturate squashing units from any usual start."""
_REACHED = {"tanh": (-1.0, 1.0), "logistic": (0.0, 1.0), "softmax": (0.0, 1.0)}
"""What bounded output activations come close to."""
_REMEDY = 'scaling = "standard" or "range" helps'


def warnings(problem: SequenceProblem) -> list[str]:
    """Sentences on what is legal and yet probably not meant; empty where all is well."""
    found = [*problem.notes]
    found += [*_input_warnings(problem), *_target_warnings(problem), *_part_warnings(problem), *_time_warnings(problem)]
    if problem.gradient_boosting and not has_scikit_learn():
        found.append(
            "gradient_boosting = true needs scikit-learn, which is not installed: the table of competitors lacks the "
            'trees; pip install "neuroevo-rnn[competitors]"'
        )
    return found


def _input_warnings(problem: SequenceProblem) -> list[str]:
    found = []
    train = problem.part_rows["train"]
    for i, name in enumerate(problem.input_names):
        values = problem.input_rows[train, i]
        largest = float(np.abs(values).max(initial=0.0))
        if values.size and values.min() == values.max():
            found.append(f"input {name!r} is constant in the training part: it tells the network nothing")
        elif largest > LARGE:
            remedy = f"; {_REMEDY}" if problem.scaling.method == "none" else ""
            found.append(f"input {name!r} reaches {largest:.4g}, where squashing units saturate{remedy}")
    return found + _foreign_warnings(problem, train)


def _foreign_warnings(problem: SequenceProblem, train: NDArray[np.bool_]) -> list[str]:
    """For each part the input that lies furthest outside the training range, where that is by more than its width."""
    seen = problem.original.input_rows[train]
    if not len(seen):
        return []
    low, high = seen.min(axis=0), seen.max(axis=0)
    width = np.where(high > low, high - low, np.inf)
    found = []
    for part, mask in problem.part_rows.items():
        values = problem.original.input_rows[mask & ~train]
        outside = np.maximum(low - values, values - high) / width
        far = outside > REACH
        if far.any():
            step, i = np.unravel_index(outside.argmax(), outside.shape)
            name, seen_range = problem.input_names[i], f"{low[i]:.4g} to {high[i]:.4g}"
            others = int(far.any(axis=0).sum()) - 1
            found.append(
                f"input {name!r} leaves what training has seen, {seen_range}, by far in part {part!r}: "
                f"{int(far[:, i].sum())} of {len(values)} values, one is {values[step, i]:.4g}"
                + (f"; so do {others} other inputs" if others else "")
                + "; errors there mean little"
            )
    return found


def _target_warnings(problem: SequenceProblem) -> list[str]:
    found = []
    counted = problem.counted_rows("train")
    for o, name in enumerate(problem.target_names):
        values = problem.target_rows[:, o][counted[:, o]]
        if not values.size:
            found.append(f"target {name!r} never counts in the training part: its output stays untrained")
        elif values.min() == values.max():
            if problem.learned.by_class:
                found.append(f"class {name!r} does not occur among the training targets, or is the only one")
            else:
                found.append(f"target {name!r} is constant in the training part: nothing is to be learnt from it")
        elif str(problem.scaling) == "none" and np.abs(values).max() > LARGE:
            found.append(f"target {name!r} reaches {float(np.abs(values).max()):.4g}; {_REMEDY}")
    return found


def _part_warnings(problem: SequenceProblem) -> list[str]:
    train = problem.counted_rows("train")
    found = [
        f"part {name!r} shares targets with the training part: its error says nothing about new data"
        for name in problem.parts
        if name != "train" and (problem.counted_rows(name) & train).any()
    ]
    n_targets = int(train.sum())
    if n_targets < 10:
        found.append(f"the training part has only {n_targets} targets")
    return found


def _time_warnings(problem: SequenceProblem) -> list[str]:
    """Times that come twice, and steps in time that are much longer than most."""
    if problem.time_rows is None:
        return []
    doubles: list[Any] = []
    gaps: list[Any] = []
    for labels in problem.rows.split(problem.time_rows):
        moments = moments_of(labels)
        if moments is None:
            doubles += labels[1:][labels[1:] == labels[:-1]].tolist()
            continue
        steps = np.diff(moments)
        doubles += labels[1:][steps == 0].tolist()
        gaps += labels[1:][steps > 1.5 * np.median(steps)].tolist() if (steps > 0).any() else []
    found = []
    if doubles:
        times = _number(len(doubles), "time comes", "times come")
        found.append(f"{times} twice, the first is {doubles[0]}: the network takes each row for a step")
    if gaps:
        steps_in_time = _number(len(gaps), "step in time is", "steps in time are")
        found.append(
            f"{steps_in_time} longer than most, the first ends at {gaps[0]}: the network takes all for equal; put in "
            "the missing rows, with empty cells, and say what stands in, missing = 'forward'"
        )
    return found


def _number(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"


def network_warnings(problem: SequenceProblem, network: Network) -> list[str]:
    """Sentences on targets that no output of the network reaches, whatever its weights."""
    activation = network.output_activation
    if (activation, network.n_outputs) == ("softmax", 1):
        return ["a softmax over one output is 1 at every step"]
    if activation not in _REACHED or problem.learned.by_class:
        return []
    found, (low, high), counted = [], _REACHED[activation], problem.counted_rows("train")
    for o, name in enumerate(problem.target_names):
        values = problem.target_rows[:, o][counted[:, o]]
        outside = int(((values < low - 1e-6) | (values > high + 1e-6)).sum())
        if outside:
            found.append(
                f"{outside} of {values.size} training targets {name!r} can't be reached: outputs of {activation} lie "
                f"between {low:g} and {high:g}, and these between {values.min():.3g} and {values.max():.3g} in scaled "
                f'units; set output_activation = "linear" or scaling = "range" with scaling_range = [{low:g}, {high:g}]'
            )
    whole = counted.all(axis=1)
    if activation == "softmax" and not found and whole.any():
        sums = problem.target_rows[whole].sum(axis=1)
        if np.abs(sums - 1.0).max() > 1e-6:
            found.append(
                f"outputs of softmax sum to 1 at every step, and the training targets to {sums.min():.3g} to "
                f'{sums.max():.3g}: use output_activation = "logistic" or "linear", or give classes as labels'
            )
    return found


_SQUASHED = {"tanh": (-1.0, 1.0), "softsign": (-1.0, 1.0), "logistic": (0.0, 1.0)}
"""The ranges of bounded activations of hidden units."""
_EDGE = 0.99
_MOST_STEPS, _MOST_GENOMES = 100, 8


def saturation_warnings(problem: SequenceProblem, network: Network, genomes: NDArray[np.float64]) -> list[str]:
    """A sentence where most hidden units of a first generation stand at an end of their range at most steps.

    A unit is saturated that is beyond 0.99 of its range in more than half of the steps: changing its weights a little
    changes next to nothing. Looked at are up to 8 genomes on the first steps of one training sequence; only units with
    a bounded activation, of the networks that are made of layers.

    Args:
        problem: In the units that the network sees.
        network: Any.
        genomes: ``(n, network.n_genes)``.
    """
    ends = _SQUASHED.get(getattr(network, "activation", "tanh"))
    if not isinstance(network, DenseNetwork) or ends is None:
        return []
    trained = np.flatnonzero((problem.parts["train"] & problem.present).any(axis=1))
    inputs = problem.inputs[trained[0], : problem.lengths[trained[0]]][:_MOST_STEPS]
    if not np.isfinite(inputs).all():
        return []
    low, high = ends
    shares = []
    with np.errstate(over="ignore", invalid="ignore"):
        for genome in genomes[:_MOST_GENOMES]:
            arrays = network.layout.decode(genome)
            state = network.start(arrays)
            at_end = np.zeros((network.n_layers, network.n_hidden))
            for step in inputs:
                _, state = network.advance(arrays, state, step[None])
                units = np.array([layer[0][0] for layer in state])
                at_end += np.abs(2 * (units - low) / (high - low) - 1) > _EDGE
            shares.append((at_end > len(inputs) / 2).mean())
    share = float(np.mean(shares)) if shares else 0.0
    if share <= 0.5:
        return []
    unscaled = problem.scaling.method == "none"
    return [
        f"{100 * share:.0f} % of the hidden units of the first generation are saturated: at an end of their range for "
        "more than half of the steps, where small changes of weights change nothing; "
        + (_REMEDY if unscaled else "a smaller start_width, step_size or number of inputs helps")
    ]
