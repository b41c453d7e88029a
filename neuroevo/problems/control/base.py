"""EpisodeProblem: a network acts in episodes, each of which is worth something at its end."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.problems.base import Problem
from neuroevo.settings import parse_settings

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems.arrays import Arrays
    from neuroevo.problems.results import Measured

FloatArray = NDArray[np.float64]
Chosen = NDArray[np.int64] | None
"""Which episodes of a part are played, by their numbers; None for all of them."""


class Played(NamedTuple):
    """How episodes went.

    Attributes:
        error: ``(n_episodes,)`` float64; not finite where the evaluation failed.
        solved: ``(n_episodes,)`` float64, 1 for success, else 0.
        steps: ``(n_episodes,)`` int64, how many steps each lasted.
    """

    error: FloatArray
    solved: FloatArray
    steps: NDArray[np.int64]


class EpisodeProblem(Problem):
    """What is learnt by acting: a network plays episodes, with a state that it keeps until the episode ends.

    The error of a genome is the mean of the errors of the episodes of a part, and it has learnt the share of them that
    it solves. All genomes play the same episodes. A kind says how many there are and plays them; it may also name a
    world of `neuroevo.kernels.loops.control` that does the same on vectors.
    """

    has_world: ClassVar[bool] = False
    """Whether there is a `world`."""
    chooses: ClassVar[bool] = False
    """Whether the largest output is what the network does, for pictures."""
    output_names: ClassVar[tuple[str, ...]] = ()
    """Names of the outputs, for pictures; empty where they have none."""

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs, for pictures; empty where they have none."""
        return ()

    @abstractmethod
    def n_episodes(self, part: str) -> int:
        """Episodes of a part."""

    @abstractmethod
    def play(self, network: Network, genome: FloatArray, part: str, episodes: Chosen = None) -> Played:
        """How episodes of a part go, in double precision.

        Args:
            network: What the genome means.
            genome: ``(n_genes,)`` float64.
            part: One of `parts`.
            episodes: Which of them.
        """

    def world(self, part: str, episodes: Chosen = None) -> Any:
        """The world of `neuroevo.kernels.loops.control` that episodes of a part are played in, where `has_world`."""
        raise NotImplementedError(f"{type(self).__name__} has no compiled world")

    @property
    def measures(self) -> Mapping[str, str]:
        return {"error": self.error_name, "learned": "share of the episodes solved", "steps": "steps of an episode"}

    def measure(self, network: Network, genome: FloatArray) -> Measured:
        return {part: _means(self.play(network, genome, part)) for part in self.parts}

    def score(self, network: Network, genome: FloatArray, part: str) -> tuple[float, float]:
        means = _means(self.play(network, genome, part))
        return means["error"], means["learned"]

    def scores(
        self, network: Network, genomes: FloatArray, part: str, episodes: Chosen = None
    ) -> tuple[FloatArray, FloatArray]:
        """Error and learned share ``(n,)`` of genomes ``(n, n_genes)``; each as it has them alone, to the last bit.

        A kind that plays many genomes at a time does it here.
        """
        means = [_means(self.play(network, genome, part, episodes)) for genome in genomes]
        return np.array([one["error"] for one in means]), np.array([one["learned"] for one in means])

    def to_arrays(self) -> Arrays:
        return {name: np.array(value) for name, value in self._stored().items() if value is not None}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        names = [field.name for field in fields(cls) if field.name in arrays]  # type: ignore[arg-type]
        return parse_settings(cls, {name: arrays[name].tolist() for name in names})

    def _stored(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]


@dataclass(frozen=True)
class SomeEpisodes(EpisodeProblem):
    """Some of the training episodes of a problem, as a generation's batch has them.

    Attributes:
        whole: The problem.
        part: The part of it whose episodes are drawn from.
        episodes: Their numbers.
    """

    whole: EpisodeProblem
    part: str
    episodes: NDArray[np.int64]

    @property
    def n_inputs(self) -> int:  # type: ignore[override]
        return self.whole.n_inputs

    @property
    def n_outputs(self) -> int:  # type: ignore[override]
        return self.whole.n_outputs

    @property
    def has_world(self) -> bool:  # type: ignore[override]
        return self.whole.has_world

    def n_episodes(self, part: str) -> int:
        self.check_part(part)
        return len(self.episodes)

    def play(self, network: Network, genome: FloatArray, part: str, episodes: Chosen = None) -> Played:  # noqa: ARG002
        chosen = self.episodes if episodes is None else self.episodes[episodes]
        return self.whole.play(network, genome, self.part, chosen)

    def world(self, part: str, episodes: Chosen = None) -> Any:  # noqa: ARG002 - the part is that of the whole
        return self.whole.world(self.part, self.episodes if episodes is None else self.episodes[episodes])

    def scores(
        self, network: Network, genomes: FloatArray, part: str, episodes: Chosen = None
    ) -> tuple[FloatArray, FloatArray]:
        self.check_part(part)
        chosen = self.episodes if episodes is None else self.episodes[episodes]
        return self.whole.scores(network, genomes, self.part, chosen)

    def to_arrays(self) -> Arrays:
        own = {"kind": np.array(self.whole.kind), "part": np.array(self.part), "episodes": self.episodes}
        return {**own, **{f"whole_{name}": array for name, array in self.whole.to_arrays().items()}}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        from neuroevo.problems import problem_class

        try:
            kind, part, episodes = (arrays[name] for name in ("kind", "part", "episodes"))
        except KeyError as error:
            raise BadInput(f"the arrays of a batch of episodes lack {error}") from error
        found = problem_class(str(kind))
        if not issubclass(found, EpisodeProblem):
            raise BadInput(f"a batch of episodes is of a control problem, got the kind {str(kind)!r}")
        whole = found.from_arrays({name[6:]: array for name, array in arrays.items() if name.startswith("whole_")})
        whole.check_part(str(part))
        # As they were drawn, so that whatever else is not a batch of this problem is refused here too.
        some = chosen_episodes(whole, np.asarray(episodes)[:, None], str(part))
        return cls(some.whole, some.part, some.episodes)

    def describe(self) -> str:
        return f"{len(self.episodes)} episodes of: {self.whole.describe()}"


def chosen_episodes(problem: EpisodeProblem, stretches: NDArray[np.int64], part: str) -> SomeEpisodes:
    """The episodes that stretches name, whose first column are their numbers, as a problem whose part is "train".

    Raises:
        BadInput: There are no such episodes.
    """
    array = np.asarray(stretches)
    n = problem.n_episodes(part)
    if array.ndim != 2 or len(array) == 0 or array.dtype.kind not in "iu" or not _within(array[:, 0], n):
        raise BadInput(f"a batch of episodes must be whole numbers of shape (n, 4), the first below {n}")
    return SomeEpisodes(problem, part, array[:, 0].astype(np.int64))


def _within(numbers: NDArray[np.int64], n: int) -> bool:
    return bool(((numbers >= 0) & (numbers < n)).all())


def _means(played: Played) -> dict[str, float]:
    """One after the other, as the kernels add."""
    n = len(played.error)
    sums = [float(np.add.accumulate(column)[-1]) for column in (played.error, played.solved)]
    return {"error": sums[0] / n, "learned": sums[1] / n, "steps": float(played.steps.mean())}
