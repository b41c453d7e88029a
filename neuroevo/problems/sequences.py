"""The problem kind "sequences": many sequences from one's own NPZ or CSV file, to classify or to map to targets."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Gt, Interval
from numpy.typing import NDArray

from neuroevo.problems.archive import is_archive, parse_archive
from neuroevo.problems.assembly import Sample, assemble
from neuroevo.problems.chronology import checked_parts, part_rows
from neuroevo.problems.errors import DataError
from neuroevo.problems.files import read_bytes
from neuroevo.problems.generators.base import at_end, data_stream, one_hot
from neuroevo.problems.learned import RightClass, Within
from neuroevo.problems.objective_settings import ObjectiveSettings, Weight
from neuroevo.problems.preparation import Residual, Transform
from neuroevo.problems.sequence import SequenceProblem
from neuroevo.problems.sequence_files import Recorded, from_arrays, from_table
from neuroevo.problems.table import Column, table_of_text
from neuroevo.problems.windows import Scales, check_lags, check_range
from neuroevo.settings import Mistake, SettingsError, shown


@dataclass(frozen=True, kw_only=True)
class Sequences(ObjectiveSettings):
    """Sequences from an NPZ or CSV file, to be classified (labels) or mapped to numbers (targets).

    NPZ: `inputs`, `labels`, `targets` and `lengths` name arrays. CSV: they name columns, and `sequence` the column that
    tells which rows belong together.

    Attributes:
        file: NPZ or CSV, relative to the scenario.
        inputs: NPZ: the array ``(n, n_steps, n_inputs)`` or ``(n, n_steps)``. CSV: the columns.
        labels: The class of each sequence, whole numbers or text: NPZ ``(n,)``, CSV a column. Either this or `targets`.
        targets: Numbers to be given back: NPZ ``(n,)``, ``(n, n_outputs)`` or ``(n, n_steps, n_outputs)``; CSV columns.
        lengths: NPZ: the array ``(n,)`` of true lengths; left out, steps of NaN at the end of a sequence are padding.
        sequence: CSV: the column of the sequence's name; its rows stand together, in the order of time.
        class_names: NPZ: an array with a name for each class, for plots.
        part: CSV: the column that names each sequence's part, instead of `parts`.
        parts: Part names to numbers or shares of the sequences in their order, the last of which may be "rest"; or, for
            NPZ, a list of names, each with arrays of its own ("X_train", "X_test" for inputs = "X").
        shuffle: Whether the sequences are put in a random order before `parts` divides them.
        validation: Share of the training sequences, the same of each class, that become the part "validation".
        counts: Which steps of a sequence count: the "last" or "all" of them.
        washout: Leading steps that do not count.
        residual: "linear": a linear model's part is taken off targets that are no classes; left out, none.
        residual_lags: Values of each input that it sees: the present one and those before it; left out, 9.
        transform: "log": of targets that are no classes; left out, none.
        scaling: Of inputs, and of targets that are no classes: "none", "standard", "range" or "robust", learnt on the
            training part; or a table of two such names, inputs and targets.
        scaling_range: The interval of "range".
        gradient_boosting: Whether gradient-boosted trees are among the competitors; needs scikit-learn.
        tolerance: An output within it, in scaled units, is learnt; for targets.
        weight_decay: Factor of the genome's mean square in the error.
        class_weights: The weight of each class in the error, in the order of the outputs; "balanced": the classes of
            the training part weigh alike; left out, their sequences do.
        data_seed: Seed of `shuffle` and `validation`; the seed of a run does not change them.
    """

    file: str
    inputs: Column | tuple[Column, ...] = "X"
    labels: Column | None = None
    targets: Column | tuple[Column, ...] | None = None
    lengths: str | None = None
    sequence: Column | None = None
    class_names: str | None = None
    part: Column | None = None
    parts: dict[str, object] | tuple[str, ...] = field(default_factory=lambda: {"train": 0.7, "test": "rest"})
    shuffle: bool = False
    validation: Annotated[float, Interval(ge=0, lt=1)] = 0.0
    counts: Literal["last", "all"] = "last"
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

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.scaling_range)
        check_lags(self.residual, self.residual_lags)
        if (self.labels is None) == (self.targets is None):
            raise SettingsError([Mistake("labels", "give either labels (classes) or targets (numbers)")])
        if not isinstance(self.parts, tuple):
            object.__setattr__(self, "parts", checked_parts(self.parts))
        elif "train" not in self.parts:
            raise SettingsError([Mistake("parts", "one part must be called train", shown(list(self.parts)))])
        if self.validation and "validation" in self.parts:
            raise SettingsError([Mistake("validation", "must be left out where a part is called validation")])

    def build(self, folder: Path) -> SequenceProblem:
        """Read the file and make the problem, in scaled units.

        Args:
            folder: What `file` is relative to.

        Raises:
            DataError: The file, or what the settings say about it, can't be used.
        """
        path = folder / self.file
        recorded = self._read(path)
        rng = data_stream(self.data_seed, 0)
        owners = self._owners(recorded, rng)
        if self.validation:
            owners = _with_validation(owners, recorded.labels, self.validation, rng)
        if recorded.labels is None:
            values, names = recorded.targets, recorded.target_names
        else:
            values, names = _classes(recorded, recorded.labels, path)
        steps = self._samples(recorded, values)
        named = [part for part in dict.fromkeys(owners.tolist()) if part]
        samples = {part: [steps[i] for i in np.flatnonzero(owners == part)] for part in named}
        if "train" not in samples:
            raise DataError(f"{path}: no sequence belongs to the part 'train', only to {', '.join(samples)}")
        problem = assemble(
            samples,
            learned=Within(self.tolerance) if recorded.labels is None else RightClass(),
            washout=self.washout,
            weight_decay=self.weight_decay,
            input_names=recorded.input_names,
            target_names=names,
            gradient_boosting=self.gradient_boosting,
            class_weights=self.class_weights,
            **self.objective_arguments(),
        )
        prepared = problem.prepared(self.residual, self.transform, residual_lags=self.residual_lags)
        return prepared.scaled(self.scaling, self.scaling_range)

    def _read(self, path: Path) -> Recorded:
        content = read_bytes(path)
        inputs = self.inputs if isinstance(self.inputs, tuple) else (self.inputs,)
        targets = self.targets if isinstance(self.targets, tuple) else (self.targets,)
        if not is_archive(content):
            if self.sequence is None:
                raise DataError(
                    f"{path} is a CSV file: set sequence to the column that tells which rows belong together"
                )
            if isinstance(self.parts, tuple):
                raise DataError(f"{path} is a CSV file: set part to a column of part names, or give shares in parts")
            wanted = tuple(column for column in targets if column is not None)
            return from_table(table_of_text(path, content), self.sequence, inputs, self.labels, wanted, self.part)
        arrays = parse_archive(content, path)
        named = {"inputs": self.inputs, "labels": self.labels, "targets": self.targets, "lengths": self.lengths}
        wrong = [key for key, value in named.items() if not isinstance(value, str | None)]
        if wrong:
            raise DataError(f"{path} is an NPZ file: {wrong[0]} must be the name of one array, in quotes")
        names = {key: value for key, value in named.items() if isinstance(value, str)}
        suffixes = self.parts if isinstance(self.parts, tuple) else ()
        return from_arrays(path, arrays, names, suffixes, self.class_names)

    def _owners(self, recorded: Recorded, rng: np.random.Generator) -> NDArray[np.str_]:
        """``(n_sequences,)`` text: the part of each sequence; "" for those in none."""
        if recorded.parts is not None:
            return recorded.parts
        n_sequences = len(recorded.inputs)
        order = rng.permutation(n_sequences) if self.shuffle else np.arange(n_sequences)
        rows = part_rows(dict(self.parts), np.arange(1, n_sequences + 1))  # type: ignore[arg-type]
        owners = np.full(n_sequences, "", dtype=f"<U{max(map(len, rows))}")
        for part, mask in rows.items():
            owners[order[mask]] = part
        return owners

    def _samples(self, recorded: Recorded, values: list[NDArray[np.float64]]) -> list[Sample]:
        samples = []
        for inputs, target in zip(recorded.inputs, values, strict=True):
            n_steps = len(inputs)
            # A target of one row holds for the whole sequence.
            targets = np.repeat(target, n_steps, axis=0) if len(target) == 1 else target
            every = self.counts == "all"
            samples.append(Sample(inputs, targets, np.ones(n_steps, dtype=np.bool_) if every else at_end(n_steps)))
        return samples


def _classes(recorded: Recorded, labels: NDArray[Any], path: Path) -> tuple[list[NDArray[np.float64]], list[str]]:
    """One-hot targets of one row a sequence, and the names of the classes in their order."""
    known, places = np.unique(labels, return_inverse=True)
    if len(known) < 2:
        raise DataError(f"{path}: all sequences have the label '{known[0]}'; two classes at least are needed")
    names = [str(name) for name in known]
    if recorded.class_names is not None:
        if len(recorded.class_names) != len(known):
            raise DataError(
                f"{path}: class_names holds {len(recorded.class_names)} names, and the labels {len(known)} classes"
            )
        names = list(recorded.class_names)
    return list(one_hot(places.ravel(), len(known))[:, None]), names


def _with_validation(
    owners: NDArray[np.str_], labels: NDArray[Any] | None, share: float, rng: np.random.Generator
) -> NDArray[np.str_]:
    """The owners with a share of each class of the training sequences, at least one of all, given to validation."""
    training = np.flatnonzero(owners == "train")
    kinds = np.zeros(len(owners), dtype=np.int64)
    if labels is not None:
        kinds = np.unique(labels, return_inverse=True)[1].ravel()
    moved: list[int] = []
    for kind in np.unique(kinds[training]):
        members = rng.permutation(training[kinds[training] == kind])
        moved.extend(members[: round(share * len(members))].tolist())
    if not moved or len(moved) == len(training):
        raise DataError(f"validation = {share:g} of {len(training)} training sequences leaves one of both parts empty")
    owners = owners.astype(f"<U{max(len('validation'), owners.dtype.itemsize // 4)}")
    owners[moved] = "validation"
    return owners
