"""Stages: where the episodes of one genome are played, in environments of Gymnasium or in a vector one; `play_all`."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.networks.players import players
from neuroevo.problems.functions import found

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems.control.bodies import Body, FloatArray

_mine = threading.local()


class Maker(NamedTuple):
    """What environments are made of.

    Attributes:
        environment: Name in the registry of Gymnasium.
        options: Keyword arguments.
        wrappers: Places of what they are wrapped in, from the inside out.
        vector: Whether it is a vector environment.
    """

    environment: str
    options: Mapping[str, Any]
    wrappers: tuple[str, ...]
    vector: bool

    def make(self, n_episodes: int, *, checked: bool = False) -> Any:
        """An environment, or a vector one of `n_episodes`.

        Args:
            n_episodes: Episodes that a vector environment plays side by side.
            checked: Whether Gymnasium looks at its first steps and warns of what is not right.

        Raises:
            BadInput: Gymnasium is not installed, or does not make it.
        """
        try:
            import gymnasium
        except ImportError as error:
            raise BadInput(f"{self.environment} needs Gymnasium: pip install 'neuroevo-rnn[gymnasium]'") from error
        wrappers: list[Any] = [found(place, "the wrapper") for place in self.wrappers]
        mode = {"num_envs": n_episodes, "vectorization_mode": "vector_entry_point"}
        try:
            made: Any = (
                gymnasium.make_vec(self.environment, **mode, **self.options)
                if self.vector
                else gymnasium.make(self.environment, disable_env_checker=not checked, **self.options)
            )
            for wrapper in wrappers:
                made = wrapper(made)
        except (gymnasium.error.Error, ImportError, TypeError, ValueError, AssertionError) as error:
            raise BadInput(f"Gymnasium makes no {self.environment!r}: {error}") from error
        return made

    def stage(self, n_episodes: int) -> Stage:
        """A stage of so many episodes, one that was given back if there is one."""
        kept = self._kept(n_episodes)
        if kept:
            return kept.pop()
        if self.vector:
            return Vectored(self.make(n_episodes))
        return Singles([self.make(1, checked=k == 0) for k in range(n_episodes)])

    def give_back(self, stages: Sequence[Stage]) -> None:
        """Keep stages for the next time that this thread needs one."""
        for stage in stages:
            self._kept(len(stage.returns)).append(stage)

    def _kept(self, n_episodes: int) -> list[Stage]:
        options = json.dumps(dict(self.options), sort_keys=True)
        key = self.environment, options, self.wrappers, self.vector, n_episodes
        stages: dict[Any, list[Stage]] = vars(_mine).setdefault("stages", {})
        return stages.setdefault(key, [])


class Stage:
    """The episodes of one genome, each until it is over.

    Attributes:
        observations: The last one of each episode.
        returns: Rewards so far; NaN where the network's outputs were not finite.
        steps: Steps so far.
        playing: Numbers of the episodes that are not over.
        spaces: Of the observations and the actions of one episode.
        threshold: The return from which the environment counts as solved, if it says so.
    """

    def __init__(self, n_episodes: int, spaces: tuple[Any, Any], spec: Any) -> None:
        self.spaces = spaces
        self.threshold: float | None = getattr(spec, "reward_threshold", None)
        self.observations: list[Any] = [None] * n_episodes
        self.returns = [0.0] * n_episodes
        self.steps = [0] * n_episodes
        self.playing = list(range(n_episodes))

    def begin(self, seeds: Sequence[int]) -> None:
        """Begin all episodes anew."""
        n = len(self.returns)
        self.returns, self.steps, self.playing = [0.0] * n, [0] * n, list(range(n))
        self.observations = self._reset(seeds)

    def move(self, actions: Sequence[Any], finite: Sequence[bool], n_steps: int) -> None:
        """One step of all episodes that are not over.

        Args:
            actions: One for each episode, whether it is over or not.
            finite: Whether the outputs behind each were finite; where not, the episode has failed.
            n_steps: Steps after which an episode is over at the latest.
        """
        if not all(finite):
            for k in self.playing:
                if not finite[k]:
                    self.returns[k] = np.nan
            self.playing = [k for k in self.playing if finite[k]]
        if self.playing:
            first = self.playing[0]
            self._act(actions)
            if self.steps[first] >= n_steps:
                self.playing = []

    def _reset(self, seeds: Sequence[int]) -> list[Any]:
        raise NotImplementedError

    def _act(self, actions: Sequence[Any]) -> None:
        raise NotImplementedError


class Singles(Stage):
    """An environment for each episode.

    Args:
        environments: As many as there are episodes.
    """

    def __init__(self, environments: Sequence[Any]) -> None:
        first = environments[0]
        super().__init__(len(environments), (first.observation_space, first.action_space), first.spec)
        self._environments = environments

    def _reset(self, seeds: Sequence[int]) -> list[Any]:
        return [one.reset(seed=seed)[0] for one, seed in zip(self._environments, seeds, strict=True)]

    def _act(self, actions: Sequence[Any]) -> None:
        going_on = []
        for k in self.playing:
            self.observations[k], reward, ended, cut, _ = self._environments[k].step(actions[k])
            self.returns[k] += float(reward)
            self.steps[k] += 1
            if not (ended or cut):
                going_on.append(k)
        self.playing = going_on


class Vectored(Stage):
    """A vector environment, whose episodes have one seed together: that of the first.

    Args:
        environment: A `gymnasium.vector.VectorEnv` of as many episodes.
    """

    def __init__(self, environment: Any) -> None:
        from gymnasium.vector.utils import create_empty_array

        spaces = environment.single_observation_space, environment.single_action_space
        super().__init__(environment.num_envs, spaces, environment.spec)
        self._environment = environment
        self._actions = create_empty_array(environment.single_action_space, environment.num_envs)

    def _reset(self, seeds: Sequence[int]) -> list[Any]:
        return self._parted(self._environment.reset(seed=seeds[0])[0])

    def _act(self, actions: Sequence[Any]) -> None:
        from gymnasium.vector.utils import concatenate

        # Those that are over are begun anew by the environment and go on unseen.
        together = concatenate(self._environment.single_action_space, actions, self._actions)
        observations, rewards, ended, cut, _ = self._environment.step(together)
        self.observations = self._parted(observations)
        over = np.logical_or(ended, cut)
        for k in self.playing:
            self.returns[k] += float(rewards[k])
            self.steps[k] += 1
        self.playing = [k for k in self.playing if not over[k]]

    def _parted(self, observations: Any) -> list[Any]:
        from gymnasium.vector.utils import iterate

        return list(iterate(self._environment.observation_space, observations))


def play_all(
    network: Network, genomes: FloatArray, body: Body, stages: list[Stage], seeds: list[int], n_steps: int
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Play the episodes of many genomes; a stage whose episodes are over takes the next genome.

    Args:
        network: What genomes mean.
        genomes: ``(n, n_genes)`` float64, at least one.
        body: How they see and act.
        stages: At most as many as there are genomes.
        seeds: Of the episodes.
        n_steps: Steps after which an episode is over at the latest.

    Returns:
        Returns and steps, ``(n, n_episodes)`` each.
    """
    n = len(seeds)
    returns, steps = np.empty((len(genomes), n)), np.empty((len(genomes), n), np.int64)
    company, acting, n_begun = players(network, genomes[: len(stages)], n), list(enumerate(stages)), len(stages)
    for stage in stages:
        stage.begin(seeds)
    while True:
        seen = body.seen([one for _, stage in acting for one in stage.observations])
        outputs = company.step(seen.reshape(len(acting), n, -1)).reshape(len(seen), -1)
        finite: NDArray[np.bool_] = np.asarray(np.isfinite(outputs).all(axis=1))
        actions, are_finite = body.actions(np.where(finite[:, None], outputs, 0.0)), finite.tolist()
        for k, (_, stage) in enumerate(acting):
            stage.move(actions[k * n : (k + 1) * n], are_finite[k * n : (k + 1) * n], n_steps)
        stays = np.array([bool(stage.playing) for _, stage in acting])
        if stays.all():
            continue
        over = [one for one, stay in zip(acting, stays, strict=True) if not stay]
        for k, stage in over:
            returns[k], steps[k] = stage.returns, stage.steps
        joining = genomes[n_begun : n_begun + len(over)]
        begin = [(n_begun + k, stage) for k, (_, stage) in enumerate(over[: len(joining)])]
        for _, stage in begin:
            stage.begin(seeds)
        acting, n_begun = [one for one, stay in zip(acting, stays, strict=True) if stay] + begin, n_begun + len(joining)
        if not acting:
            return returns, steps
        company.replace(stays, joining)
