"""Predictors from records: the champion of one run, or those of several runs of equal data as one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from neuroevo.checks import whole_number
from neuroevo.errors import BadInput
from neuroevo.prediction import Combine, Member, Predictor
from neuroevo.prediction.conformal import VALIDATION
from neuroevo.problems import NotSequences, SequenceProblem, as_sequences, problem_class
from neuroevo.problems.arrays import fingerprint
from neuroevo.records.errors import RecordError
from neuroevo.records.record import FINAL_FOLDER, RunRecord
from neuroevo.records.sweeps import SweepSet, set_in

_SAME = ("inputs", "targets", "lengths", "target_mask", "part_names", "part_masks")
"""The arrays in which the data of runs must agree to be one ensemble; scaling, tolerances and decays may differ."""


def ensemble(
    paths: str | Path | Iterable[str | Path],
    *,
    combine: Combine | None = None,
    best: int | None = None,
    calibrate: bool = True,
    select: bool = False,
) -> Predictor:
    """The champions of several runs as one predictor.

    Args:
        paths: Folders of runs and of sets of trials, a point of a sweep among them; of sets the finished trials count.
            The runs have equal data and parts; networks, strategies and scaling may differ.
        combine: "median" or "mean" of the members in original units. None: the median; for classes the mean.
        best: So many members, those with the smallest errors on the validation part; None: all of them.
        calibrate: Whether it has intervals, which need a prediction of the validation part. Where no record holds its
            data there are none, and whether outputs are classes is not known.
        select: Whether the validation part chooses how much each has to say, the simple competitors among them
            (`prediction.selection`). A set of trials, or a point of a sweep, counts as one: the mean of its champions.
            Sweeps may then be given too.

    Raises:
        RecordError: A folder is no such record, damaged, or without a champion.
        NotSequences: A problem is not made of sequences.
        ValueError: There is no run, or one twice; the data differ; or `best` is asked for without a validation part.
    """
    listed = [paths] if isinstance(paths, str | Path) else list(paths)
    if select:
        from neuroevo.records.selection import choose

        if combine is not None or best is not None:
            raise BadInput("select chooses weights of a mean: leave combine and best out")
        return choose(groups_in(listed), calibrate=calibrate).predictor
    records = []
    for path in listed:
        found = set_in(path)
        if isinstance(found, SweepSet):
            raise BadInput(
                f"{path} is a sweep, whose points are different models: name the folder of a point in it, or let the "
                "validation part choose among them with select=True"
            )
        records += [RunRecord.open(path)] if found is None else found.finished()
    return predictor_of(records, combine=combine, best=best, calibrate=calibrate)


def groups_in(paths: Iterable[str | Path]) -> dict[str, list[RunRecord]]:
    """The finished runs in folders of runs, sets of trials and sweeps, by the model that they are trials of."""
    groups: dict[str, list[RunRecord]] = {}
    for path in paths:
        found = set_in(path)
        if found is None:
            groups[str(path)] = [RunRecord.open(path)]
            continue
        for trials in found.points() if isinstance(found, SweepSet) else [found]:
            groups[trials.path.name if trials.path.name not in groups else str(trials.path)] = trials.finished()
    return groups


def predictor_of(
    records: Sequence[RunRecord], *, combine: Combine | None = None, best: int | None = None, calibrate: bool = True
) -> Predictor:
    """The champions of these runs as one predictor; the rest is as of `ensemble`."""
    records = [record.delivered for record in records]
    if not records:
        raise BadInput("an ensemble needs at least one run that has come to its end with a champion")
    refuse_twice(records)
    problem = common_problem(records)
    if best is not None:
        records = best_by_validation(records)[: whole_number("best", best)]
    by_class = problem is not None and problem.learned.by_class
    members = tuple(member_of(record) for record in records)
    predictor = Predictor(members, combine or ("mean" if by_class else "median"), by_class)
    return predictor.calibrated(problem) if calibrate and problem is not None else predictor


def best_by_validation(records: Sequence[RunRecord]) -> list[RunRecord]:
    """The runs by their champions' errors on the validation part, the smallest first.

    In the units that they were trained in where these are the same, otherwise mean squared errors in original units.

    Raises:
        ValueError: One has no such error.
    """
    same = len({record.run["data"].get("sha256") for record in records}) == 1
    errors = [_validation_error(record, same) for record in records]
    missing = [record.path for record, error in zip(records, errors, strict=True) if math.isnan(error)]
    if missing:
        raise BadInput(f"the best are chosen by their validation errors, and {missing[0]} has none; leave best out")
    order = sorted(range(len(records)), key=errors.__getitem__)
    return [records[number] for number in order]


def _validation_error(record: RunRecord, in_its_units: bool) -> float:
    if in_its_units:
        return float(record.champion.figures.get("validation_error", math.nan))
    contestants = record.run.get("results", {}).get("contestants", {})
    error = contestants.get("champion", {}).get(VALIDATION, {}).get("mse")
    return math.nan if error is None else float(error)


def member_of(record: RunRecord) -> Member:
    """The champion of a run as a member.

    Raises:
        RecordError: It is missing, damaged, or does not fit its network.
    """
    champion = record.champion
    figures = {"error": champion.error, **champion.figures}
    try:
        return Member(record.network, champion.genome, champion.scaling_arrays, _label(record), figures)
    except ValueError as error:
        raise RecordError(f"{record.path}: its champion does not fit its network or scaling: {error}") from error


def _label(record: RunRecord) -> str:
    path = record.path
    return f"{path.parent.name}/{path.name}" if path.name == FINAL_FOLDER else path.name


def refuse_twice(records: Sequence[RunRecord]) -> None:
    """Check that no run is given twice.

    Raises:
        ValueError: One is.
    """
    seen: set[Path] = set()
    for path in (record.path.resolve() for record in records):
        if path in seen:
            raise BadInput(f"{path} is given twice; a member counts once")
        seen.add(path)


def common_problem(records: Sequence[RunRecord]) -> SequenceProblem | None:
    """What all of them were trained on, in the units of the first; None where no record holds its data.

    Raises:
        ValueError: It is not the same.
    """
    first: dict[Any, RunRecord] = {}
    for record in records:
        kind = str(record.run["data"].get("problem", SequenceProblem.kind))
        if not issubclass(problem_class(kind), SequenceProblem):
            raise NotSequences(f"{record.path}: only champions of sequences predict, and {kind!r} is of another kind")
        data = record.run["data"]
        if data.get("sha256") not in first or data.get("stored"):
            first[data.get("sha256")] = record
    stored = [record for record in first.values() if record.run["data"].get("stored")]
    if len(first) > 1 and len(stored) < len(first):
        raise BadInput("runs whose data are not stored in their records must have the same data and scaling")
    problems = [as_sequences(record.problem, "no ensemble") for record in stored]
    if len({_data_of(problem) for problem in problems}) > 1:
        raise BadInput(
            "the runs have different data or parts, and their champions cannot be one ensemble: "
            + ", ".join(str(record.path) for record in stored)
        )
    return problems[0] if problems else None


def _data_of(problem: SequenceProblem) -> str:
    arrays = problem.to_arrays()
    return fingerprint({name: arrays[name] for name in _SAME})
