"""Environments of Gymnasium (the extra `gymnasium`): whatever observes and acts in numbers.

M. Towers et al., "Gymnasium: a standard interface for reinforcement learning environments", arXiv:2407.17032, 2024.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.problems.control.base import Chosen, FloatArray, Played
from neuroevo.problems.control.bodies import Body
from neuroevo.problems.control.drawn import Drawn, DrawnEpisodes
from neuroevo.problems.control.stages import Maker, play_all
from neuroevo.problems.functions import check_place
from neuroevo.settings import Mistake, SettingsError, parse_settings

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems.arrays import Arrays
    from neuroevo.problems.results import Measured

_LANES = 128
"""Episodes that are played side by side, if one genome does not have more: numpy's costs are small then, and they fit
into memory for all but the largest environments."""
_NEWER = "wrappers", "scaled", "vector"
"""Keys that are stored where they are not left out, so that the fingerprints of older records hold."""


@dataclass(frozen=True, kw_only=True)
class _Described(Drawn):
    environment: str
    options: Mapping[str, Any] = field(default_factory=dict)
    wrappers: tuple[str, ...] = ()
    vector: bool = False
    observed: tuple[int, ...] | None = None
    scaled: bool = True
    n_steps: Annotated[int, Ge(1)] = 10_000

    def __post_init__(self) -> None:
        for place in self.wrappers:
            check_place(place, "a wrapper")

    def maker(self) -> Maker:
        """What makes the environments."""
        return Maker(self.environment, self.options, self.wrappers, self.vector)


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
        returns, steps = self.played(network, genome[None], part, episodes)
        error = self._errors(returns[0])
        return Played(error, (error == 0).astype(np.float64), steps[0])

    def scores(
        self, network: Network, genomes: FloatArray, part: str, episodes: Chosen = None
    ) -> tuple[FloatArray, FloatArray]:
        error = self._errors(self.played(network, genomes, part, episodes)[0])
        sums = [np.add.accumulate(column, axis=1)[:, -1] for column in (error, (error == 0).astype(np.float64))]
        return sums[0] / error.shape[1], sums[1] / error.shape[1]

    def _errors(self, returns: FloatArray) -> FloatArray:
        return np.where(np.isfinite(returns), np.maximum(self.best - returns, 0.0), np.inf)

    def measure(self, network: Network, genome: FloatArray) -> Measured:
        found = {}
        for part in self.parts:
            (returns,), (steps,) = self.played(network, genome[None], part)
            error = np.maximum(self.best - returns, 0.0)
            found[part] = {
                "error": float(error.mean()),
                "return": float(returns.mean()),
                "learned": float((error == 0).mean()),
                "steps": float(steps.mean()),
            }
        return found

    def played(
        self, network: Network, genomes: FloatArray, part: str, episodes: Chosen = None
    ) -> tuple[FloatArray, NDArray[np.int64]]:
        """Play episodes with many genomes side by side.

        Args:
            network: What genomes mean.
            genomes: ``(n, n_genes)`` float64.
            part: One of `parts`.
            episodes: Which of its episodes.

        Returns:
            Returns and steps, ``(n, n_episodes)`` each. The return is NaN where outputs were not finite.
        """
        # Episodes of a vector environment have one seed, so that some of them can't be played alone.
        chosen = None if self.vector else episodes
        seeds = [int(seed) for seed in self.seeds(part, chosen)]
        shape = len(genomes), len(seeds)
        if not len(genomes):
            return np.empty(shape), np.empty(shape, np.int64)
        maker = self.maker()
        stages = [maker.stage(len(seeds)) for _ in range(min(len(genomes), max(1, _LANES // len(seeds))))]
        body = Body.of(*stages[0].spaces, self.observed, scaled=self.scaled)
        returns, steps = play_all(network, genomes, body, stages, seeds, self.n_steps)
        maker.give_back(stages)
        return (returns, steps) if chosen is episodes else (returns[:, episodes], steps[:, episodes])

    def to_arrays(self) -> Arrays:
        arrays = {**super().to_arrays(), "options": np.array(json.dumps(dict(self.options)))}
        left_out = [one.name for one in fields(self) if one.name in _NEWER and getattr(self, one.name) == one.default]
        return {name: array for name, array in arrays.items() if name not in left_out}

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

    Observations are flattened, categories as one-hot numbers, and those of boxes with bounds scaled to -1 ... 1.
    Outputs choose the action: the largest of them where there are choices, those above 0 where things are switched on,
    and numbers of a box are cut to -1 ... 1 and scaled to its bounds. Networks keep their state over an episode. The
    error is how much less than `best` episodes return, on average; one that returns more counts as 0.

    Attributes:
        environment: Its name, as in "CartPole-v1"; of an environment of one's own "module:Name-v0".
        options: Keyword arguments of the environment.
        wrappers: What it is wrapped in, from the inside out, "module:Wrapper": called with an environment, each gives
            another one.
        vector: Whether the environment's own vector form is taken, which plays all episodes of a part in arrays. They
            have one seed together then.
        observed: Which numbers of the flattened observation networks see; left out, all.
        scaled: Whether numbers of boxes with bounds are scaled.
        best: The return whose error is 0; left out, the environment's own threshold.
        n_steps: Steps after which an episode is over at the latest; most environments have a limit of their own.
    """

    problem_class: ClassVar[type[Environment]] = Environment

    best: float | None = None

    def build(self, folder: Path) -> Environment:  # noqa: ARG002 - environments are found by Python
        maker = self.maker()
        stage = maker.stage(self.n_train if self.vector else 1)
        body = Body.of(*stage.spaces, self.observed, scaled=self.scaled)
        best = stage.threshold if self.best is None else self.best
        maker.give_back([stage])
        if best is None:
            raise SettingsError(
                [Mistake("best", f"{self.environment} has no threshold of its own: say which return has the error 0")]
            )
        given = {one.name: getattr(self, one.name) for one in fields(_Described)}
        return Environment(**given, n_inputs=body.n_inputs, n_outputs=body.n_outputs, best=float(best))
