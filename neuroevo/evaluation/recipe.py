"""EvaluatorRecipe: what an evaluator is made of, as a value that travels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from neuroevo.evaluation.base import NOTHING_MORE
from neuroevo.evaluation.goals import check_goals
from neuroevo.evaluation.learning import Learning, Method, Online
from neuroevo.evaluation.local import LocalEvaluator, backend_for
from neuroevo.evaluation.precision import type_of
from neuroevo.spaces import Direct, SearchSpace

if TYPE_CHECKING:
    from neuroevo.evaluation.precision import Precision
    from neuroevo.networks import Network
    from neuroevo.problems import Problem


@dataclass(frozen=True)
class EvaluatorRecipe:
    """Builds the same evaluator wherever it is built, here or in a worker; where, and on how many threads, is open.

    Attributes:
        network: What a genome means.
        problem: What is to be learnt.
        precision: "single" or "double".
        space: Where the genomes come from.
        wants: What is wanted of it beside the error; it chooses the backend.
        methods: How derivatives have to be found, by names of `learning.Method`; it chooses the backend too.
        goals: Names of what is to be small, for "goals" among what is wanted (`evaluation.goals`).
    """

    network: Network
    problem: Problem
    precision: Precision = "single"
    space: SearchSpace = field(default_factory=Direct)
    wants: frozenset[str] = NOTHING_MORE
    methods: frozenset[Method] = frozenset()
    goals: tuple[str, ...] = ()

    def build(self, n_threads: int | None = None) -> LocalEvaluator:
        """The evaluator.

        Args:
            n_threads: Threads; by default one for each processor that this process may use.

        Raises:
            BadInput: Network and problem do not fit together, or nothing that is installed offers what is wanted.
        """
        return LocalEvaluator(
            self.network,
            self.problem,
            n_threads=n_threads,
            precision=self.precision,
            space=self.space,
            wants=self.wants,
            methods=self.methods,
            goals=self.goals,
        )

    def check(self) -> None:
        """Find out now whether `build` would raise, without building anything.

        Raises:
            BadInput: It would.
        """
        type_of(self.precision)
        check_goals(self.goals, self.network, self.problem)
        backend_for(self.network, self.problem, self.space, self.wants, self.methods)

    @property
    def rehearsal(self) -> tuple[frozenset[str], Learning | None]:
        """What to want, and how, to compile or to time it; genomes that are refined stay as they are."""
        found, method = self.wants - {"refined"}, min(self.methods, default=None)
        if method is None or "curvature" in found:
            return (self.wants if method is None else found), None
        if found:
            return found, Learning(method)
        return self.wants, Learning(method, online=Online(0.0))

    @property
    def n_genes(self) -> int:
        """Length of the genomes that it evaluates."""
        return self.space.n_genes(self.network)
