"""Folds: other parts of the same data, all of it before the test parts, so that many stretches validate in turn.

Rolling origins: Leonard J. Tashman, "Out-of-sample tests of forecasting accuracy: an analysis and review",
International Journal of Forecasting 16(4):437-450, 2000. Blocks: Christoph Bergmeir and José M. Benítez, "On the use of
cross-validation for time series predictor evaluation", Information Sciences 191:192-213, 2012.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.problems.sequence import SequenceProblem

Scheme = Literal["rolling", "blocked", "sequences"]
Parts: TypeAlias = Mapping[str, NDArray[np.bool_]]
TRAIN, VALIDATION = "train", "validation"


def natural_scheme(problem: SequenceProblem) -> Scheme:
    """What suits where nobody says: folds in time of one sequence, folds of sequences where there are several."""
    return "rolling" if np.count_nonzero(problem.rows.some(_counts(problem))) == 1 else "sequences"


def fold(problem: SequenceProblem, number: int, n_folds: int, scheme: Scheme | None = None) -> SequenceProblem:
    """The problem whose training and validation parts are those of a fold; it has no other parts.

    With n steps (or sequences) that train or validate in the problem, and k folds:

    - "rolling": fold i validates the i-th of the last k stretches of v steps and trains on all before it; v is the size
      of the problem's validation part, or n // (k + 1) where there is none. With a validation part that ends what is
      known, the last fold is the problem's own split. As `TimeSeriesSplit` of scikit-learn.
    - "blocked": k stretches, as equal as can be, validate in turn, and all others train. As `KFold` of scikit-learn.
    - "sequences": whole sequences are dealt out to k groups, those of a class (of its last target) evenly.

    Steps of several sequences are those of one time axis. Preparation and scaling are learnt anew on the training part
    of the fold.

    Args:
        problem: Its test parts are left out.
        number: The fold's, from 1.
        n_folds: k, at least 2.
        scheme: How; None for the `natural_scheme`.

    Raises:
        BadInput: There are too few steps or sequences, or no such fold.
    """
    if not 1 <= number <= n_folds or n_folds < 2:
        raise BadInput(f"folds are numbered from 1 to their number, which is at least 2; got {number} of {n_folds}")
    known = _known(problem)
    scheme = scheme or natural_scheme(problem)
    if scheme == "sequences":
        held = (_groups(problem, n_folds) == number - 1)[problem.rows.sequence]
        return with_parts(problem, {TRAIN: known & ~held, VALIDATION: known & held})
    steps = problem.rows.step
    at = np.unique(steps[_counts(problem)])
    first, end = _stretch(problem, len(at), number, n_folds, scheme)
    begins = 0 if first == 0 else at[first]
    held = (steps >= begins) & (steps <= at[end - 1])
    trains = steps < begins if scheme == "rolling" else ~held
    return with_parts(problem, {TRAIN: known & trains, VALIDATION: known & held})


def together(problem: SequenceProblem) -> SequenceProblem:
    """The problem whose training part is the training and the validation part; it has no validation part.

    Raises:
        BadInput: There is no validation part.
    """
    if VALIDATION not in problem.parts:
        raise BadInput("training and validation data are one only where the problem has a part called validation")
    others = {name: mask for name, mask in problem.part_rows.items() if name not in (TRAIN, VALIDATION)}
    return with_parts(problem, {TRAIN: _known(problem), **others})


def with_parts(problem: SequenceProblem, parts: Parts) -> SequenceProblem:
    """The same data with other parts, masks of rows; preparation and scaling are learnt anew on the training part."""
    fields = {**problem.original.fields(), "parts": {part: problem.rows.of(mask, 1) for part, mask in parts.items()}}
    other, prepared, scaling = SequenceProblem(**fields), problem.preparation, problem.scaling
    if prepared is not None:
        lags = None if prepared.linear is None else int(prepared.linear.lags.max()) + 1
        other = other.prepared(prepared.residual or None, prepared.transform, residual_lags=lags)
    methods: Any = scaling.method
    if scaling.target_method is not None:
        methods = {"inputs": scaling.method, "targets": scaling.target_method}
    return other.scaled(methods, _limits(problem))


def _limits(problem: SequenceProblem) -> tuple[float, float]:
    """The ends of the interval that "range" has scaled a problem to, which nothing else has kept."""
    scaling, steps = problem.scaling, problem.part_rows[TRAIN]
    of_targets = problem.target_rows[problem.mask_rows & steps[:, None]]
    if scaling.method == "range":
        apart = scaling.target_method is not None or (problem.preparation is not None and problem.preparation.subtracts)
        of_tied = problem.target_rows[steps][:, [not apart and column >= 0 for column in problem.tied]]
        values = np.concatenate([problem.input_rows[steps].ravel(), of_tied.ravel()])
    elif scaling.target_method == "range":
        values = of_targets if problem.preparation is None else np.concatenate([of_targets, -of_targets])
    else:
        return (-1.0, 1.0)
    # They were written down with few digits, of which scaling has changed the last.
    low, high = (float(f"{end:.12g}") for end in (values.min(), values.max()))
    return low, (high if high > low else low + 1.0)


def _known(problem: SequenceProblem) -> NDArray[np.bool_]:
    """``(n_rows,)`` bool: what trains or validates."""
    known = problem.part_rows[TRAIN]
    return known | problem.part_rows[VALIDATION] if VALIDATION in problem.parts else known


def _counts(problem: SequenceProblem) -> NDArray[np.bool_]:
    """``(n_rows,)`` bool: the steps of it with a target that counts."""
    parts = [part for part in (TRAIN, VALIDATION) if part in problem.parts]
    counts: list[Any] = [problem.counted_rows(part).any(axis=1) for part in parts]
    return np.asarray(np.any(counts, axis=0))


def _stretch(problem: SequenceProblem, n: int, number: int, n_folds: int, scheme: Scheme) -> tuple[int, int]:
    """The first of n steps that a fold validates, and the one after the last."""
    if scheme == "blocked":
        if n < n_folds:
            raise BadInput(f"{n_folds} folds need as many steps that train or validate, got {n}: ask for fewer")
        sizes = np.full(n_folds, n // n_folds)
        sizes[: n % n_folds] += 1
        end = int(sizes[:number].sum())
        return end - int(sizes[number - 1]), end
    own = VALIDATION in problem.parts
    size = n // (n_folds + 1)
    if own:
        size = len(np.unique(problem.rows.step[problem.counted_rows(VALIDATION).any(axis=1)]))
    first = n - (n_folds - number + 1) * size
    if size == 0 or n - n_folds * size < 1:
        hint = "; or make the validation part smaller" if own else ""
        raise BadInput(
            f"{n_folds} rolling folds that validate {size} steps each leave nothing to train on of {n} steps: "
            f"ask for fewer folds{hint}"
        )
    return first, first + size


def _groups(problem: SequenceProblem, n_folds: int) -> NDArray[np.int64]:
    """``(n_sequences,)``: the group of each sequence that trains or validates, from 0; -1 for the others."""
    ends = problem.rows.ends(_counts(problem))
    sequences = np.flatnonzero(ends)
    if len(sequences) < n_folds:
        raise BadInput(
            f"{n_folds} folds over sequences need as many of them that train or validate, got {len(sequences)}: ask "
            'for fewer folds, or for scheme = "rolling" or "blocked", which cut in time'
        )
    kinds = np.zeros(len(sequences), dtype=np.int64)
    if problem.learned.by_class:
        last = problem.rows.offsets[sequences] + ends[sequences] - 1
        kinds = problem.target_rows[last].argmax(axis=1)
    groups = np.full(problem.n_sequences, -1, dtype=np.int64)
    # Class by class, in the order of the data: classes are spread evenly, and so are the sizes of the groups.
    groups[sequences[np.argsort(kinds, kind="stable")]] = np.arange(len(sequences)) % n_folds
    return groups
