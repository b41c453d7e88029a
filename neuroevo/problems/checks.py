"""The checks at the border of a `SequenceProblem`: whatever passes them needs no check further inside."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.errors import BadInput

if TYPE_CHECKING:
    from neuroevo.problems.given import Given
    from neuroevo.problems.rows import Rows

PART_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def frozen(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """The array itself, read-only."""
    array.setflags(write=False)
    return array


def checked_parts(parts: Mapping[str, ArrayLike] | None, given: Given) -> dict[str, NDArray[np.bool_]]:
    """Part names to ``(n_rows,)`` bool.

    Raises:
        TypeError: A mask is not bool, or a name is not text.
        ValueError: Wrong shape, a name that cannot be a column name, or no part "train".
    """
    if parts is None:
        return {"train": given.part("train", np.ones(given.rows.n_rows, dtype=np.bool_))}
    checked = {}
    for name, mask in parts.items():
        if not isinstance(name, str) or not PART_NAME.fullmatch(name):
            raise BadInput(f"a part's name must be a letter and then letters, digits, _ or -; got {name!r}")
        checked[name] = given.part(name, mask)
    if "train" not in checked:
        raise BadInput(f"one part must be called 'train'; got {', '.join(map(repr, checked)) or 'no part'}")
    return checked


def refuse_non_finite(
    name: str, values: NDArray[np.float64], relevant: NDArray[np.bool_] | Literal[True], rows: Rows
) -> None:
    """Replace NaN and infinity in ``(n_rows, n)`` by 0 where nothing depends on them (masked targets), in place.

    Raises:
        ValueError: One is where it would be used.
    """
    bad = ~np.isfinite(values)
    if not bad.any():
        return
    used = np.argwhere(bad & relevant)
    if used.size:
        row, column = (int(i) for i in used[0])
        raise BadInput(
            f"{name}[{rows.sequence[row]}, {rows.step[row]}, {column}] is {values[row, column]} ({len(used)} such in "
            "all); "
            "only finite numbers can be used: fill or leave out missing values"
            + (", or set target_mask to False there" if name == "targets" else "")
        )
    values[bad] = 0.0


def checked_names(argument: str, names: Sequence[str] | None, n_columns: int) -> tuple[str, ...]:
    """One name a column; ``input_names=None`` gives "input 1", "input 2" ...

    Raises:
        ValueError: Not one name a column.
    """
    if names is None:
        return tuple(f"{argument.partition('_')[0]} {i + 1}" for i in range(n_columns))
    if isinstance(names, str) or len(names) != n_columns:
        raise BadInput(f"{argument} must be {n_columns} names, one a column; got {names!r}")
    return tuple(str(name) for name in names)


def checked_tied(tied: Sequence[int] | None, n_inputs: int, n_outputs: int) -> tuple[int, ...]:
    """One input column, or -1, for each target column.

    Raises:
        ValueError: Not one a target, or no such input.
    """
    if tied is None:
        return (-1,) * n_outputs
    columns = tuple(int(column) for column in tied)
    if len(columns) != n_outputs or not all(-1 <= column < n_inputs for column in columns):
        raise BadInput(f"tied must be {n_outputs} input columns in -1 ... {n_inputs - 1}, one a target; got {columns}")
    return columns


def refuse_unclassifiable(targets: NDArray[np.float64], counts: NDArray[np.bool_], rows: Rows) -> None:
    """Check that targets can be judged by the class with the largest output.

    Raises:
        ValueError: A single output, a counted target that isn't one-hot, or a step of which only some outputs count.
    """
    if targets.shape[1] < 2:
        raise BadInput("RightClass needs two outputs or more, one a class; a single output is judged by Within")
    some, every = counts.any(axis=1), counts.all(axis=1)
    if (some & ~every).any():
        raise BadInput("RightClass compares all outputs of a step: target_mask must be the same for all of them")
    one_hot = ((targets == 0) | (targets == 1)).all(axis=1) & (targets.sum(axis=1) == 1)
    wrong = np.flatnonzero(some & ~one_hot)
    if wrong.size:
        row = int(wrong[0])
        raise BadInput(
            "RightClass needs one-hot targets, a single 1 among 0s; "
            f"targets[{rows.sequence[row]}, {rows.step[row]}] is {targets[row].tolist()}"
        )
