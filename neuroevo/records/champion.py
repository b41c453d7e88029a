"""champion.npz: the genome that a run delivers, its weights by name, and the scaling it was trained in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.errors import BadInput
from neuroevo.problems import Preparation, Scaling
from neuroevo.records.errors import RecordError
from neuroevo.records.npz import read_npz, write_npz

CHAMPION_FILE = "champion.npz"
LIMIT = 2**30

_ARRAY = "array."


@dataclass(frozen=True, eq=False)
class SavedChampion:
    """What a run delivers, as its record keeps it.

    Attributes:
        genome: ``(n_genes,)`` float64.
        error: Its error on the training part, in scaled units.
        arrays: The weight arrays that the genome decodes to, by name.
        scaling_arrays: The parameters of its problem's preparation and scaling, as `Problem.scaling_arrays` gives them;
            empty where there are none.
        figures: Further numbers about it, such as the generation that found it and its validation error.
    """

    genome: NDArray[np.float64]
    error: float
    arrays: Mapping[str, NDArray[np.float64]] = field(repr=False)
    scaling_arrays: Mapping[str, NDArray[Any]] = field(repr=False)
    figures: Mapping[str, float]

    @cached_property
    def scaling(self) -> Scaling | None:
        """The units that it was trained in, as `SequenceProblem.scaling`; None of another kind of problem.

        Raises:
            RecordError: The arrays are damaged.
        """
        if not self.scaling_arrays:
            return None
        try:
            return Scaling.from_arrays(self.scaling_arrays)
        except BadInput as error:
            raise RecordError(f"{CHAMPION_FILE} holds no scaling: {error}") from error

    @cached_property
    def preparation(self) -> Preparation | None:
        """What was done before scaling, as `SequenceProblem.preparation`; None where nothing was.

        Raises:
            RecordError: The arrays are damaged.
        """
        try:
            return Preparation.from_arrays(self.scaling_arrays)
        except BadInput as error:
            raise RecordError(f"{CHAMPION_FILE} holds no preparation: {error}") from error


def write_champion(
    path: Path,
    genome: ArrayLike,
    *,
    arrays: Mapping[str, ArrayLike],
    scaling: Mapping[str, ArrayLike],
    figures: Mapping[str, float],
) -> None:
    """Write champion.npz atomically; equal arguments give equal bytes.

    Args:
        path: The file.
        genome: ``(n_genes,)``.
        arrays: Names to weight arrays.
        scaling: Names, each beginning with "scaling_", to arrays.
        figures: Names to numbers, "error" among them.

    Raises:
        ValueError: The genome is not a vector of finite numbers, or a name is taken twice.
        RecordUnwritable: The machine refused.
    """
    vector = np.asarray(genome, dtype=np.float64)
    if vector.ndim != 1 or not np.isfinite(vector).all():
        raise ValueError(f"genome must be a vector of finite numbers, got shape {vector.shape}")
    contents: dict[str, Any] = {"genome": vector}
    groups = ({name: np.asarray(value) for name, value in figures.items()}, scaling)
    for group in (*groups, {f"{_ARRAY}{name}": values for name, values in arrays.items()}):
        taken = contents.keys() & group.keys()
        if taken:
            raise ValueError(f"the names {sorted(taken)} are taken in champion.npz")
        contents |= group
    write_npz(path, contents)


def read_champion(path: Path) -> SavedChampion:
    """Read champion.npz.

    Raises:
        RecordError: It is missing, damaged, or not a champion.
    """
    contents = read_npz(path, LIMIT)
    genome, error = contents.pop("genome", None), contents.get("error")
    if genome is None or genome.ndim != 1 or genome.dtype != np.float64 or not np.isfinite(genome).all():
        raise RecordError(f"{path} holds no genome, a vector of finite float64 numbers")
    if error is None or error.shape or error.dtype.kind not in "fiu":
        raise RecordError(f"{path} holds no number 'error'")
    arrays = {name.removeprefix(_ARRAY): value for name, value in contents.items() if name.startswith(_ARRAY)}
    if any(value.dtype != np.float64 for value in arrays.values()):
        raise RecordError(f"{path} holds weights that are not float64")
    scaling = {name: value for name, value in contents.items() if name.startswith("scaling_")}
    rest = contents.keys() - scaling.keys() - {f"{_ARRAY}{name}" for name in arrays}
    figures = {name: contents[name].item() for name in contents if name in rest and _is_number(contents[name])}
    return SavedChampion(genome, float(error), arrays, scaling, figures)


def _is_number(array: NDArray[Any]) -> bool:
    return not array.shape and array.dtype.kind in "biuf"
