"""The errors of a model on data that have come since, beside those of the simple competitors of its training part."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroevo.analysis.ensembles import interval_figures, judged_forecasts, measures_of, medians
from neuroevo.errors import BadInput
from neuroevo.problems import Results, SequenceProblem
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
    said = model.predictor.forecast_rows(problem.original.input_rows, problem.lengths)
    judged, champions = judged_forecasts(problem, model.predictor, said), {}
    whole = measures_of(problem, {p: its.prediction for p, its in judged.items()})
    if len(model.predictor.champions) == 1:
        champions["champion"] = whole
    else:
        n_members = len(said.members)
        each = [measures_of(problem, {p: its.members[i] for p, its in judged.items()}) for i in range(n_members)]
        how = said.combine if said.weights is None else "weighted mean"
        champions[f"ensemble ({how} of {len(each)})"] = whole
        best = _best(model)
        if best is not None:
            champions[f"best trial by validation: {model.predictor.champions[best].name}"] = each[best]
        champions["median of the members"] = {p: medians(its[p] for its in each) for p in problem.parts}
    first = next(iter(champions.values()))
    measures = dict(problem.measures)
    if said.weights is not None and problem.error_name != problem.original.error_name:
        measures.pop("error", None)  # that of a residual is in units that members of several settings don't share
    results = Results(measures, {**champions, **problem.competitors()}, problem.verdict(first))
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
    targets = [its.targets[its.n_old :] for its in sequences]
    known = [np.isfinite(values) for values in targets]
    for mask in known if last_step else ():
        mask[:-1] = False
    n_old, n_new = old.rows.n_rows, sum(map(len, targets))
    if not any(mask.any() for mask in known):
        raise BadInput(
            "no target is known after the data of the run: bring rows that follow them, or let the state begin anew "
            "with the file (--restart); `neuroevo show` has the errors on the run's own data"
        )
    new = np.ones(n_new, dtype=np.bool_)
    if old.free_run is not None:
        # A run ends where targets are known no more.
        some = [np.asarray(mask.any(axis=1)) for mask in known]
        new = np.concatenate([np.maximum.accumulate(mask[::-1])[::-1] for mask in some])
    goes_on = sequences[0].n_old > 0
    nowhere = np.zeros(n_new, dtype=np.bool_)
    weights = old.target_weight_rows
    parts = {name: np.concatenate([mask, nowhere]) for name, mask in old.part_rows.items()}
    changed = {
        "inputs": np.concatenate([old.input_rows, *(its.inputs[its.n_old :] for its in sequences)]),
        "targets": np.concatenate([old.target_rows, *(np.nan_to_num(values) for values in targets)]),
        "lengths": np.array([*(() if goes_on else old.lengths), *(its.n_steps for its in sequences)]),
        "target_mask": np.concatenate([old.mask_rows, *known]),
        "parts": {**parts, part: np.concatenate([np.zeros(n_old, dtype=np.bool_), new])},
        "times": None,
        "target_weights": None if weights is None else np.concatenate([weights, np.ones((n_new, old.n_outputs))]),
    }
    whole = SequenceProblem(**{**old.fields(), **changed})
    if problem.preparation is not None:
        whole = whole.with_preparation(problem.preparation)
    scaling = problem.scaling
    return whole if (scaling.method, scaling.target_method) == ("none", None) else whole.with_scaling(scaling)


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
