"""The errors of a model on data that have come since, beside those of the simple competitors of its training part."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.analysis.ensembles import interval_figures, medians
from neuroevo.errors import BadInput
from neuroevo.problems import Results, SequenceProblem
from neuroevo.problems.metrics import measure
from neuroevo.records import best_by_validation
from neuroevo.records.continuation import Continued

if TYPE_CHECKING:
    from neuroevo.records import Model


@dataclass(frozen=True, eq=False)
class Evaluated:
    """What came of it.

    Attributes:
        part: What the new data are called in the results.
        results: Measures on the parts of the run and on the new data.
        intervals: As `SavedEnsemble.intervals`; None where there are none.
        notes: What reading did to the data, in sentences.
    """

    part: str
    results: Results
    intervals: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()


def evaluate(model: Model, data: Any, *, name: str = "new", restart: bool = False) -> Evaluated:
    """The error table of a model on new data.

    The new data are one more part of the run's problem, so that competitors are fitted on its training part, what is
    learnt from data (scaling, preparation, season) stays, and the state of a series runs on.

    Args:
        model: Of a run or a set of trials.
        data: As of `Model.continued`.
        name: Of the part; letters that no name of a part has are replaced.
        restart: As of `Model.continued`.

    Raises:
        BadInput: As of `Model.continued`; or no new target is known.
    """
    sequences = model.continued(data, restart=restart)
    part = _free_name(name, model.problem)
    problem = with_part(model.problem, part, sequences, last_step=model.last_step_counts)
    said = model.predictor.forecast(problem.original.inputs, problem.lengths)
    champions = {}
    if len(model.predictor.champions) == 1:
        champions["champion"] = _measures(problem, said.prediction)
    else:
        each = [_measures(problem, values) for values in said.members]
        champions[f"ensemble ({said.combine} of {len(each)})"] = _measures(problem, said.prediction)
        best = _best(model)
        if best is not None:
            champions[f"best trial by validation: {model.predictor.champions[best].name}"] = each[best]
        champions["median of the members"] = {p: medians(its[p] for its in each) for p in problem.parts}
    first = next(iter(champions.values()))
    results = Results(problem.measures, {**champions, **problem.competitors()}, problem.verdict(first))
    notes = tuple(dict.fromkeys(note for its in sequences for note in its.notes))
    return Evaluated(part, results, interval_figures(model.predictor, said, problem), notes)


def with_part(
    problem: SequenceProblem, part: str, sequences: Sequence[Continued], *, last_step: bool = False
) -> SequenceProblem:
    """A problem with new data as one more part, in the same units.

    Args:
        problem: Of a run.
        part: Name of the new one.
        sequences: One that goes on with the run's only sequence, or others beside those.
        last_step: Whether only the last target of a sequence counts.

    Raises:
        BadInput: No new target is known.
    """
    old = problem.original
    goes_on = len(sequences) == 1 and sequences[0].n_old > 0
    kept = 0 if goes_on else old.n_sequences
    lengths = np.array([*old.lengths[:kept], *(its.n_steps for its in sequences)])
    shape = (len(lengths), int(lengths.max()))
    inputs, targets = np.zeros((*shape, old.n_inputs)), np.zeros((*shape, old.n_outputs))
    mask, new = np.zeros(targets.shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
    parts = {name: np.zeros(shape, dtype=np.bool_) for name in old.parts}
    weights = None if old.target_weights is None else np.ones(targets.shape)
    own = old.n_steps if not goes_on else int(old.lengths[0])
    inputs[:kept, :own], targets[:kept, :own] = old.inputs[:kept], old.targets[:kept]
    for place, its in enumerate(sequences, kept):
        known = np.isfinite(its.targets)
        known[: its.n_steps - 1] &= not last_step
        inputs[place, : its.n_steps] = its.inputs
        targets[place, : its.n_steps] = np.where(known, its.targets, 0.0)
        mask[place, : its.n_steps], new[place, its.n_old : its.n_steps] = known, True
    mask[: old.n_sequences, :own] = old.target_mask[:, :own]
    for name, its_mask in old.parts.items():
        parts[name][: old.n_sequences, :own] = its_mask[:, :own]
    if weights is not None:
        weights[: old.n_sequences, :own] = np.broadcast_to(old.target_weights, old.targets.shape)[:, :own]  # type: ignore[arg-type]
    if not (mask & new[:, :, None]).any():
        raise BadInput(
            "no target is known after the data of the run: bring rows that follow them, or let the state begin anew "
            "with the file (--restart); `neuroevo show` has the errors on the run's own data"
        )
    changed = {"inputs": inputs, "targets": targets, "lengths": lengths, "target_mask": mask, "times": None}
    whole = SequenceProblem(**{**old.fields(), **changed, "parts": {**parts, part: new}, "target_weights": weights})
    if problem.preparation is not None:
        whole = whole.with_preparation(problem.preparation)
    scaling = problem.scaling
    return whole if (scaling.method, scaling.target_method) == ("none", None) else whole.with_scaling(scaling)


def _measures(problem: SequenceProblem, predicted: NDArray[np.float64]) -> dict[str, dict[str, Any]]:
    """By part, of predictions in original units."""
    outputs = problem.outputs_for(predicted)
    return {part: dataclasses.asdict(measure(problem, outputs, part)) for part in problem.parts}


def _best(model: Model) -> int | None:
    """The place of the member with the smallest validation error, among members that are the runs."""
    names = [member.name for member in model.predictor.champions]
    if not model.records:
        return None
    try:
        best = best_by_validation(model.records)[0].path.name
    except BadInput:
        return None
    return names.index(best) if best in names else None


def _free_name(name: str, problem: SequenceProblem) -> str:
    """A name that a part can have, and none has."""
    clean = re.sub(r"[^A-Za-z0-9_-]+", "_", name).lstrip("0123456789_-")[:40] or "new"
    return clean if clean not in problem.parts else f"{clean}_new" if f"{clean}_new" not in problem.parts else "since"
