"""How a network sees and acts in an environment of Gymnasium: from observations to inputs, from outputs to actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.settings import Mistake, SettingsError

FloatArray = NDArray[np.float64]
Actions = Callable[[FloatArray], list[Any]]
"""From outputs ``(n, n_outputs)``, those of one space alone, to `n` actions."""

_LARGEST_BOUND = 1e6
"""Bounds beyond it are there for form's sake."""


@dataclass(frozen=True, eq=False)
class Body:
    """How networks see and act in an environment.

    Attributes:
        space: Of the observations.
        low: Of the flattened observation, where it is scaled, else 0.
        factor: What is multiplied with the distance from `low`, 1 where nothing is scaled.
        shift: What is added then.
        chosen: Numbers of it that are seen.
        n_outputs: Numbers that networks answer with.
        actions: Makes actions of their outputs ``(n, n_outputs)``.
    """

    space: Any
    low: FloatArray
    factor: FloatArray
    shift: FloatArray
    chosen: NDArray[np.int64]
    n_outputs: int
    actions: Actions

    @classmethod
    def of(cls, observations: Any, actions: Any, observed: tuple[int, ...] | None, *, scaled: bool) -> Body:
        """The body for two spaces of Gymnasium.

        Args:
            observations: Space of the observations.
            actions: Space of the actions.
            observed: Numbers of the flattened observation that are seen; None for all.
            scaled: Whether those of boxes with bounds become -1 ... 1.

        Raises:
            BadInput: Observations or actions can't be numbers.
            SettingsError: `observed` names numbers that there are not.
        """
        from gymnasium import spaces

        try:
            size = spaces.flatdim(observations)
        except (NotImplementedError, ValueError) as error:
            raise BadInput(
                f"observations of the kind {observations} can't be seen as numbers: {error}; a wrapper that makes "
                'numbers of them helps, wrappers = ["module:Wrapper"]'
            ) from error
        chosen = np.arange(size) if observed is None else np.array(observed, np.int64)
        if len(chosen) == 0 or chosen.min() < 0 or chosen.max() >= size:
            raise SettingsError([Mistake("observed", f"must be numbers from 0 to {size - 1}", str(observed))])
        low, high = np.array(list(_bounds(observations))).T
        bounded = scaled & (np.abs(low) < _LARGEST_BOUND) & (np.abs(high) < _LARGEST_BOUND) & (low < high)
        with np.errstate(all="ignore"):
            factor = np.where(bounded, 2 / np.where(bounded, high - low, 1.0), 1.0)
        scales = np.where(bounded, low, 0.0), factor, np.where(bounded, -1.0, 0.0)
        return cls(observations, *scales, chosen, *acting(actions))

    @property
    def n_inputs(self) -> int:
        return len(self.chosen)

    def seen(self, observations: Sequence[Any]) -> FloatArray:
        """``(n, n_inputs)`` of `n` observations."""
        from gymnasium import spaces

        if not isinstance(self.space, spaces.Box):
            observations = [spaces.flatten(self.space, one) for one in observations]
        flat = np.array(observations, np.float64).reshape(len(observations), -1)
        return ((flat - self.low) * self.factor + self.shift)[:, self.chosen]


def _bounds(space: Any) -> Iterator[tuple[float, float]]:
    """Lowest and highest of each number of a flattened observation; equal where it is not one of a box."""
    from gymnasium import spaces

    if isinstance(space, spaces.Box):
        yield from zip(
            *(np.asarray(bound, np.float64).ravel().tolist() for bound in (space.low, space.high)), strict=True
        )
    elif isinstance(space, spaces.Tuple | spaces.Dict):
        for one in space.values() if isinstance(space, spaces.Dict) else space:
            yield from _bounds(one)
    else:
        yield from [(0.0, 0.0)] * spaces.flatdim(space)


def acting(space: Any) -> tuple[int, Actions]:
    """How many outputs a space of actions asks for, and what makes actions of them.

    The largest output chooses where there are choices, one that is above 0 switches on, and those of a box are cut to
    -1 ... 1 and scaled to its bounds, or cut to the one bound that there is. The parts of a tuple or mapping follow
    one another.

    Raises:
        BadInput: It is of another kind.
    """
    from gymnasium import spaces

    if isinstance(space, spaces.Discrete):
        start = int(space.start)
        return int(space.n), lambda outputs: (outputs.argmax(axis=1) + start).tolist()
    if isinstance(space, spaces.Box):
        return int(np.prod(space.shape)), _within(space)
    if isinstance(space, spaces.MultiBinary):
        shape = (-1, *space.shape)
        return int(np.prod(space.shape)), lambda outputs: list((outputs > 0).astype(space.dtype).reshape(shape))
    if isinstance(space, spaces.MultiDiscrete):
        return int(space.nvec.sum()), _choosing(space)
    if isinstance(space, spaces.Tuple | spaces.Dict):
        return _parted(space)
    raise BadInput(
        "actions must be of Gymnasium's Discrete, Box, MultiDiscrete, MultiBinary, or a Tuple or Dict of these, "
        f"got {space}"
    )


def _within(space: Any) -> Actions:
    low, high = (np.asarray(bound, np.float64).ravel() for bound in (space.low, space.high))
    bounded, whole = np.isfinite(low) & np.isfinite(high), space.dtype.kind in "iu"

    def actions(outputs: FloatArray) -> list[Any]:
        with np.errstate(all="ignore"):
            within = low + (np.clip(outputs, -1, 1) + 1) / 2 * (high - low)
            found = np.where(bounded, within, np.clip(outputs, low, high))
            # An episode whose outputs are not finite is over; its action is never carried out.
            return list((np.rint(found) if whole else found).astype(space.dtype).reshape(-1, *space.shape))

    return actions


def _choosing(space: Any) -> Actions:
    ends = np.cumsum(space.nvec.ravel())[:-1]
    start = np.broadcast_to(getattr(space, "start", 0), space.nvec.shape)

    def actions(outputs: FloatArray) -> list[Any]:
        chosen = [group.argmax(axis=1) for group in np.split(outputs, ends, axis=1)]
        return list((np.stack(chosen, axis=1).reshape(-1, *space.nvec.shape) + start).astype(space.dtype))

    return actions


def _parted(space: Any) -> tuple[int, Actions]:
    from gymnasium import spaces

    named = isinstance(space, spaces.Dict)
    parts = [acting(one) for one in (space.values() if named else space)]
    ends = np.cumsum([size for size, _ in parts])

    def actions(outputs: FloatArray) -> list[Any]:
        columns = np.split(outputs, ends[:-1], axis=1)
        each = zip(*(make(own) for (_, make), own in zip(parts, columns, strict=True)), strict=True)
        return [dict(zip(space.keys(), values, strict=True)) for values in each] if named else list(each)

    return int(ends[-1]), actions
