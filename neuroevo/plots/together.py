"""Predictions of several runs over one target."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.plots import style
from neuroevo.plots.times import Span
from neuroevo.problems import as_sequences
from neuroevo.records import RecordError, RunRecord
from neuroevo.records.champion import CHAMPION_FILE

if TYPE_CHECKING:
    from neuroevo.problems import SequenceProblem

Floats = NDArray[np.float64]

#: Lines that can still be told apart.
_MOST = len(style.CYCLE)


def name_of(record: RunRecord) -> str:
    """The name of a run's folder."""
    return record.path.name


def plot_predictions(
    records: Iterable[RunRecord],
    folder: str | Path,
    formats: Sequence[str] = style.FORMATS,
    *,
    label: Callable[[RunRecord], str] = name_of,
    title: str = "Predictions",
    span: Span | None = None,
    size: Sequence[float] | None = None,
) -> list[Path]:
    """Draw what the champions of several runs predict, over the target that they share.

    Runs of one series may begin or end at other rows (lags, horizons): their times say which belong together.

    Args:
        records: Two runs at least, whose data and champions are stored; the parts drawn are those of the first.
        folder: Where ``predictions.png`` and ``predictions.svg`` go; made where it is missing.
        formats: Of "png", "svg" and "pdf".
        label: Gives a run's name in the legend; those of different runs differ.
        title: Of the figure.
        span: From which time to which, as in `plot_run`.
        size: Width and height in inches.

    Raises:
        BadInput: The runs are fewer than two or more than the colours there are, they have other targets, their targets
            are classes, or a name stands for two.
        NotSequences: A problem is not made of sequences.
        RecordError: A record is damaged, or lacks its champion or its data.
        RecordUnwritable: The machine refused.
    """
    from neuroevo.plots.prediction import draw_predictions
    from neuroevo.plots.series import Look

    formats, size, records = style.checked_formats(formats), style.checked_size(size), list(records)
    if not 2 <= len(records) <= _MOST:
        raise BadInput(f"predictions of 2 to {_MOST} runs can be drawn in one picture, got {len(records)}")
    common = _problem_of(records[0]).original
    predicted: dict[str, Floats] = {}
    for record in records:
        name = style.single_line(label(record), 40)
        if name in predicted:
            raise BadInput(f"two runs are called {name!r}: give them names that differ")
        predicted[name] = _aligned(record, common, records[0])
    folder = style.made(Path(folder))
    with style.drawing("the predictions"):
        return style.save(draw_predictions(predicted, common, Look(title, span, size)), folder, "predictions", formats)


def _problem_of(record: RunRecord) -> SequenceProblem:
    return as_sequences(record.problem, f"no plot of the predictions of {record.path}")


def _aligned(record: RunRecord, common: SequenceProblem, first: RunRecord) -> Floats:
    """``(n_rows, n_outputs)``: a run's predictions at the rows of another problem, NaN where it has none."""
    if not (record.path / CHAMPION_FILE).exists():
        raise RecordError(f"{record.path} holds no champion yet")
    problem = _problem_of(record)
    outputs = record.network.predict_rows(record.champion.genome, problem.input_rows, problem.lengths)
    predicted, its = problem.predictions(outputs), problem.original
    places = _places(its, common)
    if places is None or its.target_names != common.target_names:
        raise BadInput(f"the runs {first.path} and {record.path} have other targets: compare runs of the same data")
    theirs, ours = places
    found = np.full(common.target_rows.shape, np.nan)
    found[theirs] = predicted[ours]
    return found


def _places(its: SequenceProblem, common: SequenceProblem) -> tuple[NDArray[np.intp], NDArray[np.intp]] | None:
    """Rows of the common problem and of another one that belong together; None where their targets differ."""
    if its.rows.n_rows == common.rows.n_rows and (its.lengths == common.lengths).all():
        theirs = ours = np.arange(common.rows.n_rows)
    elif its.n_sequences == common.n_sequences == 1 and common.time_rows is not None and its.time_rows is not None:
        _, theirs, ours = np.intersect1d(common.time_rows, its.time_rows, return_indices=True)
    else:
        return None
    known = (
        common.mask_rows[theirs] & its.mask_rows[ours] if its.n_outputs == common.n_outputs else np.zeros((1, 1), bool)
    )
    if not known.any() or (common.target_rows[theirs] != its.target_rows[ours])[known].any():
        return None
    return theirs, ours
