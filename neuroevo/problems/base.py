"""Problem: what search, evaluation, records and results ask of whatever is to be learnt."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.problems.arrays import Arrays, fingerprint
from neuroevo.problems.results import Measured, Results

if TYPE_CHECKING:
    from neuroevo.networks import Network


class Problem(ABC):
    """What is to be learnt, be it sequences, episodes of a control task, or a simulator. Immutable and picklable.

    A kind defines its error for one genome in readable numpy (`score`), and turns into plain arrays and back; whatever
    else it can say better than this class, it overrides.

    Attributes:
        kind: The name in `PROBLEMS` that leads to this class (`problem_class`), by which a record finds it again.
        n_inputs: Inputs of the networks that can learn it.
        n_outputs: Their outputs.
        error_name: What the error is, for the axes of plots; a unit in brackets.
        parts: Names of its parts. One is "train"; "validation", where there is one, chooses the champion.
    """

    kind: ClassVar[str]
    error_name: str = "error"
    n_inputs: int
    n_outputs: int
    parts: Collection[str] = ("train",)

    @abstractmethod
    def score(self, network: Network, genome: NDArray[np.float64], part: str) -> tuple[float, float]:
        """Error and learned share of one genome: the definition that every faster evaluation has to meet.

        Args:
            network: What the genome means.
            genome: ``(n_genes,)`` float64.
            part: One of `parts`.

        Returns:
            The error, at least 0, which is minimised; not finite where the evaluation failed. And the share of what is
            to be learnt that the network gets right, in 0 ... 1.
        """

    @abstractmethod
    def to_arrays(self) -> Arrays:
        """The problem as plain arrays of numbers, truth values and texts, as a record stores it."""

    @classmethod
    @abstractmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The problem that `to_arrays` wrote, bit for bit; other keys of the mapping are ignored.

        Raises:
            ValueError: An array is missing or is not what `to_arrays` writes. Records come from anybody.
        """

    @abstractmethod
    def describe(self) -> object:
        """What the problem is; ``str`` of it is a few lines for people."""

    def build(self, folder: Path) -> Self:  # noqa: ARG002 - as settings that read files do
        """The problem itself: a frozen dataclass of this kind is its own settings in a scenario."""
        return self

    def warnings(self) -> list[str]:
        """Sentences on what is legal and yet probably not meant; empty where all is well."""
        return []

    def network_warnings(self, network: Network) -> list[str]:  # noqa: ARG002 - for problems that can tell
        """Sentences on why this network can't learn it, whatever its weights; empty where all is well."""
        return []

    def fingerprint(self) -> str:
        """SHA-256 over `to_arrays`: equal for equal problems on every platform."""
        return fingerprint(self.to_arrays())

    def check_part(self, part: object) -> None:
        """Check that there is a part of that name.

        Raises:
            ValueError: There is none.
        """
        if not isinstance(part, str) or part not in self.parts:
            raise BadInput(f"there is no part {part!r}; the problem has {', '.join(self.parts)}")

    def check_network(self, network: Network) -> None:
        """Check that a network can learn this problem.

        Raises:
            BadInput: It can't: its numbers of inputs or outputs differ, or what a kind adds.
        """
        for name in ("n_inputs", "n_outputs"):
            if getattr(network, name) != getattr(self, name):
                raise BadInput(
                    f"network and problem must have the same {name}, got {getattr(network, name)} and "
                    f"{getattr(self, name)}"
                )

    def scaling_arrays(self) -> Arrays:
        """What a champion needs beside its weights to be used on new data; names begin with "scaling_"."""
        return {}

    @property
    def measures(self) -> Mapping[str, str]:
        """What the table of a finished run shows: names of figures that `measure` gives, and their titles."""
        return {"error": "error", "learned": "share learnt"}

    def measure(self, network: Network, genome: NDArray[np.float64]) -> Measured:
        """Part names to the measures of a network on them; beside those in `measures` there may be more."""
        return {
            part: dict(zip(("error", "learned"), self.score(network, genome, part), strict=True)) for part in self.parts
        }

    def competitors(self) -> Mapping[str, Measured]:
        """What stands beside a champion in the table of a finished run: names to measures, as of `measure`."""
        return {}

    def results(self, network: Network, genome: NDArray[np.float64]) -> Results:
        """The table of a finished run: the champion on every part, beside the simple competitors."""
        with np.errstate(over="ignore", invalid="ignore"):
            champion = self.measure(network, genome)
        return Results(self.measures, {"champion": champion, **self.competitors()}, self.verdict(champion))

    def verdict(self, champion: Measured) -> str:  # noqa: ARG002 - for problems that have competitors
        """A sentence that says so where the champion loses to a simple competitor, with what to try next; else empty.

        Judged by the validation part, or where there is none by the training part; tests have no say.
        """
        return ""
