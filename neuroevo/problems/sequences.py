"""The problem kind "sequences": many sequences from one's own NPZ or CSV file, to classify or to map to targets."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Gt, Interval
from numpy.typing import NDArray

from neuroevo.problems.assembly import Sample, assemble
from neuroevo.problems.errors import DataError
from neuroevo.problems.generators.base import at_end, data_stream
from neuroevo.problems.learned import RightClass, Within
from neuroevo.problems.objective_settings import ObjectiveSettings, Weight
from neuroevo.problems.preparation import Residual, Transform
from neuroevo.problems.sequence import SequenceProblem
from neuroevo.problems.tables.archive import is_archive, parse_archive
from neuroevo.problems.tables.chronology import checked_parts, part_rows
from neuroevo.problems.tables.dividing import classes_of_sequences, with_validation
from neuroevo.problems.tables.features import Notes
from neuroevo.problems.tables.files import matching, read_bytes
from neuroevo.problems.tables.observed import Observed
from neuroevo.problems.tables.observed_sequences import observed_sequences
from neuroevo.problems.tables.reading import ReadingSettings, name_of_times, several
from neuroevo.problems.tables.sequence_files import Recorded, from_arrays
from neuroevo.problems.tables.sequence_tables import Source, from_tables, owners_by_file, source_of
from neuroevo.problems.tables.table import Column, Table, read_table, table_of_content
from neuroevo.problems.tables.windows import (
    FreeRunKeys,
    Horizon,
    Lags,
    Scales,
    asked_free_run,
    check_free_run,
    check_horizon,
    check_lags,
    check_range,
    with_free_runs,
)
from neuroevo.settings import Mistake, SettingsError, shown


@dataclass(frozen=True, kw_only=True)
class Sequences(ReadingSettings, ObjectiveSettings):
    """Sequences from NPZ, CSV or Parquet files, to be classified (labels), mapped to numbers or forecast (targets).

    NPZ: `inputs`, `labels`, `targets` and `lengths` name arrays. CSV: they name columns, and `sequence` the column that
    tells which rows belong together. What is said of CSV holds for Parquet too.

    Attributes:
        file: NPZ or CSV, relative to the scenario; a pattern such as "machine_*.csv", or a list, for several CSV files.
        inputs: NPZ: the array ``(n, n_steps, n_inputs)`` or ``(n, n_steps)``. CSV: the columns.
        labels: The class of each sequence, whole numbers or text: NPZ ``(n,)``, CSV a column, which with counts =
            "all" may differ from row to row. Either this or `targets`.
        targets: Numbers to be given back: NPZ ``(n,)``, ``(n, n_outputs)`` or ``(n, n_steps, n_outputs)``; CSV columns.
        lengths: NPZ: the array ``(n,)`` of true lengths; left out, steps of NaN at the end of a sequence are padding.
        sequence: CSV: the column of the sequence's name; its rows stand together, in the order of time. Left out where
            there are several files, a sequence each.
        time: CSV: the column of time labels, as in a series; left out, there are none.
        horizon: CSV: how many rows ahead the targets lie, or a list of such numbers; left out, they are those of the
            same row.
        lags: CSV: values of each input that the network sees at a step, or a table of such numbers by column.
        class_names: NPZ: an array with a name for each class, for plots.
        part: CSV: the column that names each sequence's part, instead of `parts`.
        parts: Part names to numbers or shares of the sequences in their order, the last of which may be "rest"; or, for
            NPZ, a list of names, each with arrays of its own ("X_train", "X_test" for inputs = "X").
        shuffle: Whether the sequences are put in a random order before `parts` divides them.
        validation: Share of the training sequences, the same of each class, that become the part "validation".
        counts: Which steps of a sequence count: the "last" or "all" of them; left out, the last, or all of a forecast.
        washout: Leading steps that do not count.
        residual: "linear": a linear model's part is taken off targets that are no classes; left out, none.
        residual_lags: Values of each input that it sees: the present one and those before it; left out, 9.
        transform: "log": of targets that are no classes; left out, none.
        scaling: Of inputs, and of targets that are no classes: "none", "standard", "range" or "robust", learnt on the
            training part; or a table of two such names, inputs and targets.
        scaling_range: The interval of "range".
        free_run: As in a series, of sequences with a `horizon`: the error is that of free runs.
        gradient_boosting: Whether gradient-boosted trees are among the competitors; needs scikit-learn.
        tolerance: An output within it, in scaled units, is learnt; for targets.
        weight_decay: Factor of the genome's mean square in the error.
        class_weights: The weight of each class in the error, in the order of the outputs; "balanced": the classes of
            the training part weigh alike; left out, their sequences do.
        data_seed: Seed of `shuffle` and `validation`; the seed of a run does not change them.
    """

    file: str | tuple[str, ...]
    inputs: Column | tuple[Column, ...] = "X"
    labels: Column | None = None
    targets: Column | tuple[Column, ...] | None = None
    lengths: str | None = None
    sequence: Column | None = None
    time: Column | tuple[Column, ...] | None = None
    horizon: Horizon | None = None
    lags: Lags = 1
    class_names: str | None = None
    part: Column | None = None
    parts: dict[str, object] | tuple[str, ...] = field(default_factory=lambda: {"train": 0.7, "test": "rest"})
    shuffle: bool = False
    validation: Annotated[float, Interval(ge=0, lt=1)] = 0.0
    counts: Literal["last", "all"] | None = None
    washout: Annotated[int, Ge(0)] = 0
    residual: Residual | None = None
    residual_lags: Annotated[int, Ge(1)] | None = None
    transform: Transform | tuple[Transform, ...] | None = None
    scaling: Scales = "standard"
    scaling_range: tuple[float, float] = (-1.0, 1.0)
    tolerance: Annotated[float, Gt(0)] = 0.1
    weight_decay: Annotated[float, Ge(0)] = 0.0
    class_weights: Literal["balanced"] | tuple[Weight, ...] | None = None
    data_seed: Annotated[int, Ge(0)] = 0
    gradient_boosting: bool = False
    free_run: FreeRunKeys | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.scaling_range)
        check_lags(self.residual, self.residual_lags)
        check_horizon(self.horizon)
        check_free_run(self.free_run)
        if self.free_run is not None and self.horizon is None:
            raise SettingsError([Mistake("free_run", "goes with a horizon only: outputs come back as later inputs")])
        if self.counts is None:
            object.__setattr__(self, "counts", "last" if self.horizon is None else "all")
        if self.file == ():
            raise SettingsError([Mistake("file", "must name a file at least", "[]")])
        if (self.labels is None) == (self.targets is None):
            raise SettingsError([Mistake("labels", "give either labels (classes) or targets (numbers)")])
        if not isinstance(self.parts, tuple):
            object.__setattr__(self, "parts", checked_parts(self.parts))
        elif "train" not in self.parts:
            raise SettingsError([Mistake("parts", "one part must be called train", shown(list(self.parts)))])
        if self.validation and "validation" in self.parts:
            raise SettingsError([Mistake("validation", "must be left out where a part is called validation")])

    def build(self, folder: Path) -> SequenceProblem:
        """Read the files and make the problem, in scaled units.

        Args:
            folder: What `file` is relative to.

        Raises:
            DataError: A file, or what the settings say about it, can't be used.
        """
        return self.of_files(matching(folder, several(self.file)))

    def of_files(self, paths: Sequence[Path]) -> SequenceProblem:
        """The problem of files.

        Raises:
            DataError: One of them, or what the settings say about it, can't be used.
        """
        content = read_bytes(paths[0])
        if is_archive(content) and len(paths) == 1:
            return self._of_archive(paths[0], parse_archive(content, paths[0]))
        first = table_of_content(paths[0], content, self.dialect)
        return self.of_tables([first, *(read_table(path, self.dialect) for path in paths[1:])])

    def of_tables(self, tables: Sequence[Table]) -> SequenceProblem:
        """The problem of tables that have been read already.

        Raises:
            DataError: One of them, or what the settings say about it, can't be used.
        """
        path = tables[0].path
        if self.sequence is None and len(tables) == 1:
            raise DataError(f"{path} is a CSV file: set sequence to the column that tells which rows belong together")
        if isinstance(self.parts, tuple):
            raise DataError(f"{path} is a CSV file: set part to a column of part names, or give shares in parts")
        sources = [source_of(self, table) for table in tables]
        labels, by_row = self._labels(sources)
        owners, divided = self._divided(sources, labels)
        found = from_tables(self, sources, owners, divided, by_row=by_row)
        samples, names = found.samples, found.target_names
        if labels is not None:
            targets, names = classes_of_sequences(labels, None, path)
            samples = [
                dataclasses.replace(sample, targets=np.repeat(target, len(sample.inputs), axis=0))
                for sample, target in zip(samples, targets, strict=True)
            ]
        return self._problem(
            path, samples, owners, by_class=self.labels is not None, notes=found.notes,
            time_name=name_of_times(self.time), input_names=found.input_names, target_names=names, tied=found.tied,
        )  # fmt: skip

    def read_inputs(self, data: Any, problem: SequenceProblem) -> list[Observed]:
        """Other data, read exactly as those of a problem that these settings have made.

        Texts become the same categories, and missing values are filled in the same way. Each sequence is read up to the
        last row whose inputs are known; targets or labels may lack, and so may the column `sequence`: the file is then
        one sequence. Of an NPZ file, arrays without a part's ending are taken first.

        Args:
            data: A file, a data frame (pandas, polars) or a mapping from names to columns.
            problem: Its units do not matter.

        Returns:
            One for each sequence.

        Raises:
            DataError: A column is missing, or a cell that is needed.
        """
        return observed_sequences(self, data, problem)

    def _labels(self, sources: Sequence[Source]) -> tuple[NDArray[Any] | None, bool]:
        """The label of each sequence, or None; and whether rows have labels of their own instead."""
        if self.labels is None:
            return None, False
        for source in sources:
            source.table.find(self.labels)
        try:
            return np.concatenate([source.once(self.labels) for source in sources]), False
        except DataError as error:
            if self.counts == "all":
                return None, True
            raise DataError(f'{error}; with counts = "all" each row has a label of its own') from error

    def _divided(
        self, sources: Sequence[Source], labels: NDArray[Any] | None
    ) -> tuple[NDArray[np.str_], list[dict[str, Any]] | None]:
        """The part of each sequence, or where rows of one sequence belong to several the parts of each."""
        rng = data_stream(self.data_seed, 0)
        divided = owners_by_file(self, sources)
        if divided is None:
            column = self.part
            parts = None if column is None else np.concatenate([source.once(column) for source in sources])
            owners = self._owners(parts, sum(len(source.starts) for source in sources), rng)
        else:
            owners = np.array([next(iter(parts), "") for parts in divided])
            divided = divided if any(len(parts) > 1 for parts in divided) else None
        if self.validation:
            owners = with_validation(owners, labels, self.validation, rng)
        return owners, divided

    def _of_archive(self, path: Path, arrays: Mapping[str, NDArray[Any]]) -> SequenceProblem:
        recorded = self.read_arrays(path, arrays)
        rng = data_stream(self.data_seed, 0)
        owners = self._owners(recorded.parts, len(recorded.inputs), rng)
        if self.validation:
            owners = with_validation(owners, recorded.labels, self.validation, rng)
        values, names = recorded.targets, None
        if recorded.labels is not None:
            values, names = classes_of_sequences(recorded.labels, recorded.class_names, path)
        samples = []
        for inputs, target in zip(recorded.inputs, values, strict=True):
            n_steps = len(inputs)
            # A target of one row holds for the whole sequence.
            targets = np.repeat(target, n_steps, axis=0) if len(target) == 1 else target
            ends = np.ones(n_steps, dtype=np.bool_) if self.counts == "all" else at_end(n_steps)
            samples.append(Sample(inputs, targets, np.isfinite(targets) & ends[:, None]))
        by_class, notes = recorded.labels is not None, Notes(n_rows=sum(inputs.size for inputs in recorded.inputs))
        notes.filled["inputs"] = recorded.n_missing
        told = tuple(notes.sentences(self.missing))
        return self._problem(path, samples, owners, by_class=by_class, notes=told, target_names=names)

    def _problem(
        self,
        path: Path,
        samples: Sequence[Sample],
        owners: NDArray[np.str_],
        *,
        by_class: bool,
        notes: tuple[str, ...] = (),
        **arguments: Any,
    ) -> SequenceProblem:
        """The problem of samples and the part of each; those of no part are left out."""
        named = [part for part in dict.fromkeys(owners.tolist()) if part]
        if "train" not in named:
            raise DataError(f"{path}: no sequence belongs to the part 'train', only to {', '.join(named)}")
        problem = assemble(
            {part: [samples[i] for i in np.flatnonzero(owners == part).tolist()] for part in named},
            learned=RightClass() if by_class else Within(self.tolerance),
            washout=self.washout,
            weight_decay=self.weight_decay,
            gradient_boosting=self.gradient_boosting,
            class_weights=self.class_weights,
            free_run=asked_free_run(self.free_run, self.horizons, 2 * len(several(self.calendar))),
            **self.objective_arguments(),
            **arguments,
        )
        prepared = problem.prepared(self.residual, self.transform, residual_lags=self.residual_lags)
        scaled = with_free_runs(prepared.scaled(self.scaling, self.scaling_range))
        scaled.__dict__["notes"] = notes
        return scaled

    @property
    def horizons(self) -> tuple[int, ...]:
        """`horizon` as a list, rising; that of the same row where it is left out."""
        return self.horizon if isinstance(self.horizon, tuple) else (self.horizon or 0,)

    def read_arrays(self, path: Path, arrays: Mapping[str, NDArray[Any]], without: Collection[str] = ()) -> Recorded:
        """The sequences of an NPZ file.

        Args:
            path: For messages.
            arrays: Of the file.
            without: Keys whose arrays are not read: "labels", "targets", "lengths".

        Raises:
            DataError: An array is missing or can't be used, or keys are set that are for tables.
        """
        of_tables = ("sequence", "time", "horizon", "known", "calendar")
        wrong = [key for key in of_tables if getattr(self, key) is not None] + (["lags"] if self.lags != 1 else [])
        if wrong:
            raise DataError(f"{path} is an NPZ file of sequences: {wrong[0]} is for CSV and Parquet files")
        if self.missing == "mask":
            raise DataError(f'{path} is an NPZ file of sequences: missing = "mask" is for CSV and Parquet files')
        named = {"inputs": self.inputs, "labels": self.labels, "targets": self.targets, "lengths": self.lengths}
        wrong = [key for key, value in named.items() if not isinstance(value, str | None)]
        if wrong:
            raise DataError(f"{path} is an NPZ file: {wrong[0]} must be the name of one array, in quotes")
        names = {key: value for key, value in named.items() if isinstance(value, str) and key not in without}
        suffixes = self.parts if isinstance(self.parts, tuple) else ()
        return from_arrays(path, arrays, names, suffixes, self.class_names, self.missing)

    def _owners(self, parts: NDArray[np.str_] | None, n_sequences: int, rng: np.random.Generator) -> NDArray[np.str_]:
        """``(n_sequences,)`` text: the part of each sequence; "" for those in none."""
        if parts is not None:
            return parts
        order = rng.permutation(n_sequences) if self.shuffle else np.arange(n_sequences)
        rows = part_rows(dict(self.parts), np.arange(1, n_sequences + 1))  # type: ignore[arg-type]
        owners = np.full(n_sequences, "", dtype=f"<U{max(map(len, rows))}")
        for part, mask in rows.items():
            owners[order[mask]] = part
        return owners
