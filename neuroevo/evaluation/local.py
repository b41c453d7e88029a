"""LocalEvaluator: errors of a population inside this process, by whichever backend suits network and problem."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.checks import whole_number
from neuroevo.errors import BadInput
from neuroevo.evaluation.backends import choose
from neuroevo.evaluation.base import NOTHING_MORE, Evaluation, Evaluator, checked_population
from neuroevo.evaluation.goals import check_goals, goals_of, judged_apart, with_objective
from neuroevo.evaluation.learning import Learning
from neuroevo.evaluation.precision import Precision, type_of
from neuroevo.machine import available_processors
from neuroevo.problems import SequenceProblem, as_sequences
from neuroevo.problems.control.base import EpisodeProblem, chosen_episodes
from neuroevo.problems.stretches import restricted, whole_sequences
from neuroevo.spaces import Direct, SearchSpace, expressed

if TYPE_CHECKING:
    from neuroevo.evaluation.backends import Backend
    from neuroevo.networks import Network
    from neuroevo.problems import Problem
    from neuroevo.problems.noise import InputNoise
    from neuroevo.problems.stretches import Stretches

__all__ = ["LocalEvaluator", "Precision"]

_GOALS = frozenset({"goals"})

_log = logging.getLogger("neuroevo")


class LocalEvaluator(Evaluator):
    """Evaluates populations with compiled kernels on threads, or with another backend that suits better.

    A genome's error is a pure function of its bits, the problem and the precision: neither the other genomes, nor the
    number of threads, nor the width of the processor's vectors changes a bit of it.

    Args:
        network: What a genome means.
        problem: What is to be learnt; its data are converted once, here.
        n_threads: Threads; by default one for each processor that this process may use.
        precision: "single" or "double".
        space: Where the genomes come from; by default every gene is a weight.
        wants: What will be wanted beside the error; it decides between backends.
        methods: How derivatives will have to be found, by names of `learning.Method`; it decides between backends too.
        goals: Names of what is to be small, for "goals" among what is wanted (`evaluation.goals`).

    Raises:
        BadInput: Network and problem differ in inputs or outputs, an argument is out of range, or nothing that is
            installed offers what is wanted.
    """

    def __init__(
        self,
        network: Network,
        problem: Problem,
        *,
        n_threads: int | None = None,
        precision: Precision = "single",
        space: SearchSpace | None = None,
        wants: frozenset[str] = NOTHING_MORE,
        methods: frozenset[str] = frozenset(),
        goals: Sequence[str] = (),
    ) -> None:
        type_of(precision)
        check_goals(goals, network, problem)
        self.network = network
        self.problem = problem
        self.space = space or Direct()
        self.precision = precision
        self.n_threads = _checked_threads(n_threads)
        backend = backend_for(network, problem, self.space, wants, methods)
        self._backend = backend(network, problem, n_threads=self.n_threads, precision=precision)
        self._is_prepared = False
        self._kept: tuple[tuple[object, ...], Backend] | None = None
        self._by_method: dict[str, LocalEvaluator] = {}
        self.goals = tuple(goals)
        self._apart = {
            name: LocalEvaluator(
                network, with_objective(problem, name), n_threads=n_threads, precision=precision, space=self.space
            )
            for name in judged_apart(self.goals, problem)
        }

    @property
    def offers(self) -> frozenset[str]:
        return (self._backend.offers & self.space.passes) | (_GOALS if self.goals else NOTHING_MORE)

    def evaluate(
        self,
        population: ArrayLike,
        part: str = "train",
        wants: frozenset[str] = NOTHING_MORE,
        *,
        batch: Stretches | None = None,
        noise: InputNoise | None = None,
        learning: Learning | None = None,
    ) -> Evaluation:
        """As in `Evaluator`."""
        begun = perf_counter()
        moved = checked_population(population, self.space.n_genes(self.network))
        genomes, derived = self.express(moved), wants - _GOALS
        if not wants <= self.offers:
            raise BadInput(
                f"this evaluator gives {', '.join(sorted(self.offers)) or 'nothing'} beside the error, got wants="
                f"{sorted(wants)}: say so when it is made, LocalEvaluator(..., wants=...)"
            )
        # What a backend of another package has never heard of it is not given.
        how: dict[str, Learning] = {} if learning in (None, Learning()) else {"learning": self._known(learning)}
        self.compile()
        other = batch is not None or noise is not None
        backend = self._on(batch, noise, part) if other else self._backend
        found = dict(backend.evaluate(genomes, "train" if other else part, derived, **how))
        for name in ("error", "learned", *derived):
            if name not in found or len(found[name]) != len(genomes):
                raise RuntimeError(f"{type(self._backend).__name__} gave no {name!r} of all {len(genomes)} genomes")
        found |= {name: self.space.passed(name, found[name], moved, self.network) for name in derived}
        if wants & _GOALS:
            judged = {
                f"goal {name}": each.evaluate(moved, part, batch=batch, noise=noise).error
                for name, each in self._apart.items()
            }
            found["goals"] = goals_of(self.goals, self.network, genomes, {**found, **judged})
        return Evaluation.of(found.pop("error"), found.pop("learned"), perf_counter() - begun, found)

    def _known(self, learning: Learning) -> Learning:
        methods = self._backend.methods(self.network)
        if learning.method not in methods:
            raise BadInput(
                f"this evaluator finds derivatives by {', '.join(sorted(methods))}, got {learning.method!r}: say so "
                "when it is made, LocalEvaluator(..., wants=..., methods=...)"
            )
        return learning

    def gradient(
        self, population: ArrayLike, part: str = "train", *, learning: Learning | None = None
    ) -> NDArray[np.float64]:
        """As in `Evaluator`; one that was made without gradients finds a backend for them when it is first asked."""
        method = Learning().method if learning is None else learning.method
        if "gradient" in self.offers and method in self._backend.methods(self.network):
            return super().gradient(population, part, learning=learning)
        if method not in self._by_method:
            self._by_method[method] = LocalEvaluator(
                self.network,
                self.problem,
                n_threads=self.n_threads,
                precision=self.precision,
                space=self.space,
                wants=frozenset({"gradient"}),
                methods=frozenset({method}),
            )
        return self._by_method[method].gradient(population, part, learning=learning)

    def _on(self, batch: Stretches | None, noise: InputNoise | None, part: str) -> Backend:
        """The backend for a batch, kept for whoever asks for the same one next: chunks of a population, islands."""
        key = part, None if batch is None else np.asarray(batch).tobytes(), noise
        if self._kept is None or self._kept[0] != key:
            self._kept = key, self._backend.on(self._restricted(batch, noise, part))
        return self._kept[1]

    def _restricted(self, batch: Stretches | None, noise: InputNoise | None, part: str) -> Problem:
        if isinstance(self.problem, EpisodeProblem) and batch is not None and noise is None:
            return chosen_episodes(self.problem, batch, part)
        problem = as_sequences(self.problem, "mini-batches and noise on inputs")
        return restricted(problem, whole_sequences(problem, part) if batch is None else batch, part, noise)

    def express(self, genomes: NDArray[np.float64]) -> NDArray[np.float64]:
        return expressed(self.space, genomes, self.network, self.problem)

    def close(self) -> None:
        """Stop the threads."""
        self._kept = None
        self._backend.close()
        while self._by_method:
            self._by_method.popitem()[1].close()
        for each in self._apart.values():
            each.close()

    @property
    def is_compiled(self) -> bool:
        """False if the next evaluation has to compile its kernel first, which takes some seconds."""
        return self._is_prepared or self._backend.is_compiled

    def compile(self) -> None:
        """Compile the kernel, or load it from the disk; `evaluate` does so by itself. Logs before it compiles."""
        if self._is_prepared:
            return
        if not self.is_compiled:
            _log.info(
                "compiling the %s kernel in %s precision: once per version and computer, some seconds",
                self.network.kind, self.precision,
            )  # fmt: skip
        self._backend.compile()
        self._is_prepared = True


def backend_for(
    network: Network,
    problem: Problem,
    space: SearchSpace,
    wants: frozenset[str],
    methods: frozenset[str] = frozenset(),
) -> type[Backend]:
    """The backend that suits; nothing is built or compiled.

    Raises:
        BadInput: Network and problem do not fit together, or nothing that is installed offers what is wanted.
    """
    problem.check_network(network)
    derived = wants - _GOALS
    if derived and isinstance(problem, SequenceProblem) and problem.free_run is not None:
        raise BadInput(
            f"free_run gives errors alone, no {', '.join(sorted(derived))}: what comes back as an input has no "
            "backward step; take a strategy that needs none, such as cma_es, snes or differential_evolution"
        )
    backend = choose(network, problem, derived, methods)
    if not derived <= space.passes:
        lost = ", ".join(sorted(derived - space.passes))
        raise BadInput(f"the {lost} of a network says nothing of genomes in the search space {space.kind!r}")
    return backend


def _checked_threads(n_threads: int | None) -> int:
    return available_processors() if n_threads is None else whole_number("n_threads", n_threads)
