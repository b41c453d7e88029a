"""Environments of Gymnasium (the extra `gymnasium`): whatever observes and acts in numbers.

M. Towers et al., "Gymnasium: a standard interface for reinforcement learning environments", arXiv:2407.17032, 2024.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.problems.control.base import Chosen, FloatArray, Played
from neuroevo.problems.control.drawn import Drawn, DrawnEpisodes
from neuroevo.settings import Mistake, SettingsError, parse_settings

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems.arrays import Arrays
    from neuroevo.problems.results import Measured

_LARGEST_BOUND = 1e6
"""Bounds beyond it are there for form's sake."""

_mine = threading.local()


@dataclass(frozen=True, kw_only=True)
class _Described(Drawn):
    environment: str
    options: Mapping[str, Any] = field(default_factory=dict)
    observed: tuple[int, ...] | None = None
    n_steps: Annotated[int, Ge(1)] = 10_000


@dataclass(frozen=True, kw_only=True)
class Environment(_Described, DrawnEpisodes):
    """Episodes in an environment of Gymnasium; `Gymnasium` says what its fields mean.

    Attributes:
        n_inputs: Numbers that networks see.
        n_outputs: Numbers that they answer with.
        best: The return whose error is 0.
    """

    kind: ClassVar[str] = "gymnasium"
    measures: ClassVar[Mapping[str, str]] = {
        "error": "return short of the best",
        "return": "return of an episode",
        "learned": "share of the episodes solved",
        "steps": "steps of an episode",
    }

    n_inputs: int
    n_outputs: int
    best: float

    @property
    def error_name(self) -> str:  # type: ignore[override]
        return f"return short of {self.best:g}"

    def play(self, network: Network, genome: FloatArray, part: str, episodes: Chosen = None) -> Played:
        returns, steps = self._played(network, genome, part, episodes)
        error = np.where(np.isfinite(returns), np.maximum(self.best - returns, 0.0), np.inf)
        return Played(error, (error == 0).astype(np.float64), steps)

    def measure(self, network: Network, genome: FloatArray) -> Measured:
        found = {}
        for part in self.parts:
            returns, steps = self._played(network, genome, part)
            error = np.maximum(self.best - returns, 0.0)
            found[part] = {
                "error": float(error.mean()),
                "return": float(returns.mean()),
                "learned": float((error == 0).mean()),
                "steps": float(steps.mean()),
            }
        return found

    def _played(
        self, network: Network, genome: FloatArray, part: str, episodes: Chosen = None
    ) -> tuple[FloatArray, NDArray[np.int64]]:
        """Returns and steps of episodes, which a network plays side by side; NaN where its outputs are not finite."""
        seeds = self.seeds(part, episodes)
        players = environments(self.environment, self.options, len(seeds))
        body = _Body.of(players[0], self.observed)
        arrays = network.layout.decode(genome)
        memory = network.start(arrays, len(seeds))
        seen = np.stack([body.seen(one.reset(seed=int(s))[0]) for one, s in zip(players, seeds, strict=True)])
        returns, steps = np.zeros(len(seeds)), np.zeros(len(seeds), np.int64)
        playing = list(range(len(seeds)))
        for _ in range(self.n_steps):
            with np.errstate(all="ignore"):
                outputs, memory = network.advance(arrays, memory, seen)
            going_on = []
            for k in playing:
                if not np.isfinite(outputs[k]).all():
                    returns[k] = np.nan
                    continue
                observation, reward, ended, cut, _ = players[k].step(body.action(outputs[k]))
                returns[k] += float(reward)
                steps[k] += 1
                seen[k] = body.seen(observation)
                if not (ended or cut):
                    going_on.append(k)
            playing = going_on
            if not playing:
                break
        return returns, steps

    def to_arrays(self) -> Arrays:
        return {**super().to_arrays(), "options": np.array(json.dumps(dict(self.options)))}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        try:
            options = json.loads(str(arrays["options"]))
        except (KeyError, json.JSONDecodeError) as error:
            raise BadInput(f"the arrays of a problem lack the options of an environment: {error}") from error
        names = [one.name for one in fields(cls) if one.name in arrays and one.name != "options"]
        return parse_settings(cls, {"options": options, **{name: arrays[name].tolist() for name in names}})

    def describe(self) -> str:
        return f"{self.environment} of Gymnasium: {self.counts()}"


@dataclass(frozen=True, kw_only=True)
class Gymnasium(_Described):
    """Any environment of Gymnasium (the extra gymnasium) that observes and acts in numbers.

    Observations are flattened, categories as one-hot numbers, and those of a box with bounds scaled to -1 ... 1.
    Outputs choose the action: the largest of them where there are choices, else each is cut to -1 ... 1 and
    scaled to the bounds. Networks keep their state over an episode. The error is how much less than `best` episodes
    return, on average; one that returns more counts as 0.

    Attributes:
        environment: Its name, as in "CartPole-v1"; of an environment of one's own "module:Name-v0".
        options: Keyword arguments of the environment.
        observed: Which numbers of the flattened observation networks see; left out, all.
        best: The return whose error is 0; left out, the environment's own threshold.
        n_steps: Steps after which an episode is over at the latest; most environments have a limit of their own.
    """

    problem_class: ClassVar[type[Environment]] = Environment

    best: float | None = None

    def build(self, folder: Path) -> Environment:  # noqa: ARG002 - environments are found by Python
        (one,) = environments(self.environment, self.options, 1)
        body = _Body.of(one, self.observed)
        threshold = getattr(one.spec, "reward_threshold", None)
        best = threshold if self.best is None else self.best
        if best is None:
            raise SettingsError(
                [Mistake("best", f"{self.environment} has no threshold of its own: say which return has the error 0")]
            )
        return Environment(
            environment=self.environment,
            options=self.options,
            observed=self.observed,
            n_steps=self.n_steps,
            n_train=self.n_train,
            n_validation=self.n_validation,
            n_test=self.n_test,
            data_seed=self.data_seed,
            n_inputs=body.n_inputs,
            n_outputs=body.n_outputs,
            best=float(best),
        )


@dataclass(frozen=True, eq=False)
class _Body:
    """How networks see and act in an environment.

    Attributes:
        space: Of the observations.
        low: Of the flattened observation, where it is scaled, else 0.
        factor: What is multiplied with the distance from `low`, 1 where nothing is scaled.
        shift: What is added then.
        chosen: Numbers of it that are seen.
        first: The first of the choices, or None where the action is a box.
        n_outputs: Choices, or numbers of the box.
        actions: The box of the actions; None where there are choices.
    """

    space: Any
    low: FloatArray
    factor: FloatArray
    shift: FloatArray
    chosen: NDArray[np.int64]
    first: int | None
    n_outputs: int
    actions: Any

    @classmethod
    def of(cls, environment: Any, observed: tuple[int, ...] | None) -> _Body:
        from gymnasium import spaces

        space, actions = environment.observation_space, environment.action_space
        try:
            size = spaces.flatdim(space)
        except (NotImplementedError, ValueError) as error:
            raise BadInput(f"observations of the kind {space} can't be seen as numbers: {error}") from error
        low, high = np.zeros(size), np.zeros(size)
        if isinstance(space, spaces.Box):
            low, high = (np.asarray(bound, np.float64).ravel() for bound in (space.low, space.high))
        bounded = (np.abs(low) < _LARGEST_BOUND) & (np.abs(high) < _LARGEST_BOUND) & (low < high)
        with np.errstate(all="ignore"):
            factor = np.where(bounded, 2 / np.where(bounded, high - low, 1.0), 1.0)
        chosen = np.arange(size) if observed is None else np.array(observed, np.int64)
        if len(chosen) == 0 or chosen.min() < 0 or chosen.max() >= size:
            raise SettingsError([Mistake("observed", f"must be numbers from 0 to {size - 1}", str(observed))])
        scales = np.where(bounded, low, 0.0), factor, np.where(bounded, -1.0, 0.0), chosen
        if isinstance(actions, spaces.Discrete):
            return cls(space, *scales, int(actions.start), int(actions.n), None)
        if isinstance(actions, spaces.Box):
            return cls(space, *scales, None, int(np.prod(actions.shape)), actions)
        raise BadInput(f"actions must be a Discrete or a Box of Gymnasium, got {actions}")

    @property
    def n_inputs(self) -> int:
        return len(self.chosen)

    def seen(self, observation: Any) -> FloatArray:
        """``(n_inputs,)`` of an observation."""
        from gymnasium import spaces

        flat = np.asarray(spaces.flatten(self.space, observation), np.float64)
        return ((flat - self.low) * self.factor + self.shift)[self.chosen]

    def action(self, outputs: FloatArray) -> Any:
        """What outputs ``(n_outputs,)`` ask for."""
        if self.actions is None:
            return int(np.argmax(outputs)) + (self.first or 0)
        low, high = (np.asarray(bound, np.float64).ravel() for bound in (self.actions.low, self.actions.high))
        bounded = np.isfinite(low) & np.isfinite(high)
        with np.errstate(all="ignore"):
            within = low + (np.clip(outputs, -1, 1) + 1) / 2 * (high - low)
        chosen = np.where(bounded, within, np.clip(outputs, low, high))
        return chosen.reshape(self.actions.shape).astype(self.actions.dtype)


def environments(name: str, options: Mapping[str, Any], n: int) -> list[Any]:
    """`n` environments of a name, kept by this thread for the next time.

    Raises:
        BadInput: Gymnasium is not installed, or does not make it.
    """
    try:
        import gymnasium
    except ImportError as error:
        raise BadInput(f"{name} needs Gymnasium: pip install neuroevo-rnn[gymnasium]") from error
    kept = vars(_mine).setdefault("environments", {}).setdefault((name, json.dumps(dict(options), sort_keys=True)), [])
    try:
        while len(kept) < n:
            kept.append(gymnasium.make(name, **options))
    except (gymnasium.error.Error, ImportError, TypeError, ValueError) as error:
        raise BadInput(f"Gymnasium makes no {name!r}: {error}") from error
    return list(kept[:n])
