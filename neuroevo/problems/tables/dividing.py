"""Which class and which part whole sequences belong to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.problems.errors import DataError
from neuroevo.problems.generators.base import one_hot


def classes_of_sequences(
    labels: NDArray[Any], given: Sequence[str] | None, path: Path
) -> tuple[list[NDArray[np.float64]], list[str]]:
    """One-hot targets of one row a sequence, and the names of the classes in their order."""
    known, places = np.unique(labels, return_inverse=True)
    if len(known) < 2:
        raise DataError(f"{path}: all sequences have the label '{known[0]}'; two classes at least are needed")
    names = [str(name) for name in known]
    if given is not None:
        if len(given) != len(known):
            raise DataError(f"{path}: class_names holds {len(given)} names, and the labels {len(known)} classes")
        names = list(given)
    return list(one_hot(places.ravel(), len(known))[:, None]), names


def with_validation(
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
