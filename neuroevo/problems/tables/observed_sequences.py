"""Other data of sequences, read in the way of a problem that exists already."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.problems.generators.base import at_end, one_hot
from neuroevo.problems.tables.archive import is_archive, parse_archive
from neuroevo.problems.tables.chronology import REST
from neuroevo.problems.tables.files import read_bytes
from neuroevo.problems.tables.observed import Observed, as_table, observed, restored_plan
from neuroevo.problems.tables.reading import several
from neuroevo.problems.tables.sequence_tables import source_of
from neuroevo.problems.tables.timeline import Timeline

if TYPE_CHECKING:
    from neuroevo.problems.sequence import SequenceProblem
    from neuroevo.problems.sequences import Sequences


def observed_sequences(settings: Sequences, data: Any, problem: SequenceProblem) -> list[Observed]:
    """As `Sequences.read_inputs`."""
    if isinstance(data, str | Path):
        content = read_bytes(Path(data))
        # An NPZ file holds arrays of whole sequences; everything else is a table.
        if is_archive(content) and settings.sequence is None and isinstance(settings.inputs, str):
            return _of_arrays(settings, Path(data), parse_archive(content, Path(data)), problem)
    table = as_table(data, settings.dialect)
    inputs, known = several(settings.inputs), several(settings.known)
    targets, calendar = several(settings.targets) or several(settings.labels), several(settings.calendar)
    lags, horizons = settings.lags, settings.horizons
    plan = restored_plan(problem, table, inputs, known, targets, calendar, lags, horizons)
    lone = settings.sequence is None or (isinstance(settings.sequence, str) and settings.sequence not in table.names)
    source = source_of(dataclasses.replace(settings, sequence=None) if lone else settings, table)
    found = []
    for span, name in zip(source.spans, source.names, strict=True):
        rows = np.arange(span.start, span.stop)
        line = source.line.taken(span) if source.line else Timeline(rows - span.start + 1)
        found.append(observed(plan, table, line, rows, settings.missing, lags, horizons, name))
    return [_counted(settings, each) for each in found]


def _counted(settings: Sequences, each: Observed) -> Observed:
    """Without the targets that do not count."""
    if settings.counts == "all":
        return each
    return dataclasses.replace(each, targets=np.where(at_end(len(each.targets))[:, None], each.targets, np.nan))


def _of_arrays(
    settings: Sequences, path: Path, arrays: Mapping[str, NDArray[Any]], problem: SequenceProblem
) -> list[Observed]:
    divided = settings.inputs not in arrays and isinstance(settings.parts, tuple)
    optional = {"labels": settings.labels, "targets": settings.targets, "lengths": settings.lengths}
    lacking = {key for key, name in optional.items() if not divided and name not in arrays}
    whole = settings if divided else dataclasses.replace(settings, parts={"train": REST}, class_names=None)
    recorded = whole.read_arrays(path, arrays, lacking)
    found = []
    for i, inputs in enumerate(recorded.inputs):
        targets = np.full((1, problem.n_outputs), np.nan)
        if recorded.labels is not None:
            named = settings.class_names is not None
            targets = _one_hot(recorded.labels[i].item(), problem.target_names, named=named)
        elif recorded.targets:
            targets = recorded.targets[i]
        steps = np.arange(1, len(inputs) + 1)
        targets = np.repeat(targets, len(inputs), axis=0) if len(targets) == 1 else targets
        found.append(_counted(settings, Observed(inputs, targets, steps, steps[:, None], (0,), str(i + 1))))
    return found


def _one_hot(label: Any, classes: tuple[str, ...], *, named: bool) -> NDArray[np.float64]:
    """``(1, n_classes)``; NaN for a class that the problem lacks. Classes with names are numbered from 0."""
    numbered = named and isinstance(label, int) and 0 <= label < len(classes)
    place = label if numbered else classes.index(str(label)) if str(label) in classes else None
    return np.full((1, len(classes)), np.nan) if place is None else one_hot([place], len(classes))
