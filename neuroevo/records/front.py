"""front.csv and front.npz: the members of a front, networks that trade several goals for each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.records.errors import RecordError
from neuroevo.records.files import write_table
from neuroevo.records.npz import read_npz, write_npz

FRONT_FILE = "front.npz"
FRONT_TABLE = "front.csv"
LIMIT = 2**30

OF_WEIGHTS = ("links", "bytes")
"""Goals that follow from the weights alone, and so are the same on every part."""


@dataclass(frozen=True, eq=False)
class Front:
    """The members of a front, by their goals from the first on; members are numbered from 1.

    Attributes:
        goals: Their names.
        titles: What they are called on axes and in tables.
        genomes: ``(n, n_genes)`` float64, of the network.
        error: ``(n,)``, on the training part.
        train: ``(n, n_goals)``, on the training part.
        validation: The same on the validation part; None where there is none.
        scaling_arrays: As those of a champion.
    """

    goals: tuple[str, ...]
    titles: tuple[str, ...]
    genomes: NDArray[np.float64]
    error: NDArray[np.float64]
    train: NDArray[np.float64]
    validation: NDArray[np.float64] | None = None
    scaling_arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.genomes)

    def rows(self) -> list[dict[str, float]]:
        """The table: each member's number and goals; those that follow from the weights alone stand there once."""
        columns: dict[str, Sequence[float]] = {"member": range(1, len(self) + 1)}
        for k, name in enumerate(self.goals):
            if name in OF_WEIGHTS:
                columns[name] = self.train[:, k].tolist()
                continue
            columns[f"{name}_train"] = self.train[:, k].tolist()
            if self.validation is not None:
                columns[f"{name}_validation"] = self.validation[:, k].tolist()
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    @property
    def best(self) -> int:
        """The row with the smallest first goal on the validation part; where there is none, on the training part."""
        return int(np.argmin((self.train if self.validation is None else self.validation)[:, 0]))

    def index(self, member: int) -> int:
        """The row of a member's number.

        Raises:
            BadInput: There is none of that number.
        """
        if not 1 <= member <= len(self):
            raise BadInput(f"the front has the members 1 to {len(self)}, got {member}")
        return member - 1


def write_front(folder: Path, front: Front) -> None:
    """Write front.npz and front.csv, each atomically; equal fronts give equal bytes.

    Raises:
        RecordUnwritable: The machine refused.
    """
    arrays: dict[str, Any] = {
        "goals": np.array(front.goals),
        "titles": np.array(front.titles),
        "genomes": front.genomes,
        "error": front.error,
        "train": front.train,
        **({} if front.validation is None else {"validation": front.validation}),
        **front.scaling_arrays,
    }
    write_npz(folder / FRONT_FILE, arrays)
    write_table(folder / FRONT_TABLE, front.rows())


def read_front(path: Path, n_genes: int) -> Front:
    """Read front.npz.

    Raises:
        RecordError: It is missing, damaged, or holds no front of genomes of this length.
    """
    arrays = read_npz(path, LIMIT)
    names = ("goals", "titles", "genomes", "error", "train")
    missing = [name for name in names if name not in arrays]
    if missing:
        raise RecordError(f"{path} holds no front: {', '.join(missing)} missing")
    goals, titles, genomes, error, train = (arrays[name] for name in names)
    validation = arrays.get("validation")
    n, n_goals = len(genomes) if genomes.ndim else 0, goals.size
    shapes = {"goals": (n_goals,), "titles": (n_goals,), "genomes": (n, n_genes), "error": (n,), "train": (n, n_goals)}
    shapes |= {} if validation is None else {"validation": (n, n_goals)}
    for name, shape in shapes.items():
        kind = "U" if name in ("goals", "titles") else "f"
        if arrays[name].shape != shape or arrays[name].dtype.kind != kind:
            raise RecordError(f"{path}: {name} must have the shape {shape}, got {arrays[name].shape}")
    if not np.isfinite(genomes).all():
        raise RecordError(f"{path} holds genomes that are not finite")
    scaling = {name: values for name, values in arrays.items() if name.startswith("scaling_")}
    return Front(tuple(goals.tolist()), tuple(titles.tolist()), genomes, error, train, validation, scaling)
