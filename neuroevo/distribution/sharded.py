"""ShardedEvaluator: the chunks of a population on many workers, with the bits of a LocalEvaluator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.checks import whole_number
from neuroevo.distribution.pool import Slice, Task
from neuroevo.distribution.ray_pool import RayPool
from neuroevo.distribution.scheduler import Limits, PoolStatus, Scheduler
from neuroevo.errors import BadInput
from neuroevo.evaluation import NOTHING_MORE, Evaluation, Evaluator, EvaluatorRecipe, Learning, LocalEvaluator
from neuroevo.evaluation.base import checked_population
from neuroevo.machine import available_processors
from neuroevo.problems import as_sequences
from neuroevo.problems.control.base import EpisodeProblem, chosen_episodes
from neuroevo.problems.noise import InputNoise
from neuroevo.problems.stretches import Stretches, checked_stretches
from neuroevo.spaces import expressed

if TYPE_CHECKING:
    from neuroevo.distribution.cluster import Cluster
    from neuroevo.evaluation.local import Precision

_SMALL_OVERHEAD = 0.05
"""Share of a chunk's computation that its overhead may cost where chunks are made smaller only to balance the load."""
_JUDGED_AFTER = 3.0
"""Seconds of evaluation after which it is judged whether distribution pays."""
_LOSS = 1.1
"""It does not, where a generation takes so many times what this process alone would need."""


class EvaluationTask(Task):
    """Evaluates chunks of populations in a worker; what is asked is a `Question`, and the genomes of its rows.

    Args:
        recipe: Of the worker's evaluator.
        threads: Its threads.
    """

    def __init__(self, recipe: EvaluatorRecipe, threads: int) -> None:
        self._recipe = recipe
        self._threads = threads
        self._evaluator: LocalEvaluator | None = None

    def start(self) -> float:
        self._evaluator = self._recipe.build(self._threads)
        block = np.zeros((lanes(self._recipe.precision) * self._threads, self._recipe.n_genes))
        # As items arrive: the kernel for arrays that may be written to is another one.
        block.flags.writeable = False
        # The first evaluation compiles or loads the kernel, the second is timed.
        wants, learning = self._recipe.rehearsal
        seconds = [self._evaluator.evaluate(block, wants=wants, learning=learning).seconds for _ in range(2)]
        return seconds[1] / len(block)

    def run(self, item: tuple[Question, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
        if self._evaluator is None:
            raise RuntimeError("run() before start()")
        question, genomes = item
        rows = genomes[question.low : question.high]
        evaluation = self._evaluator.evaluate(
            rows,
            question.part,
            question.wants,
            batch=question.batch,
            noise=question.noise,
            learning=question.learning,
        )
        return {"error": evaluation.error, "learned": evaluation.learned, **evaluation.more, **evaluation.figures}


class Question(NamedTuple):
    """What is asked about some rows of a population.

    Attributes:
        part: Of the problem.
        wants: What is wanted beside the error.
        low: The first row.
        high: The row after the last.
        batch: The stretches that are run; None for all data.
        noise: What is added to their inputs; None for nothing.
        learning: How derivatives are found; None for any way.
    """

    part: str
    wants: frozenset[str]
    low: int
    high: int
    batch: Stretches | None
    noise: InputNoise | None
    learning: Learning | None


class ShardedEvaluator(Evaluator):
    """Evaluates populations on the workers of a cluster.

    Neither the number of workers nor the size of the chunks nor who computes what changes a bit of the result.

    Args:
        cluster: Where; its owner closes it.
        recipe: Of the evaluator that each worker builds; it travels once.
        chunk_size: Genomes in a chunk; by default it follows from the measured cost.
        limits: When the scheduler loses its patience.
        announce: Told what a user should know.
        watch: Shown who is at work.

    Raises:
        ValueError: Network and problem differ in inputs or outputs, or an argument is out of range.
    """

    def __init__(
        self,
        cluster: Cluster,
        recipe: EvaluatorRecipe,
        *,
        chunk_size: int | None = None,
        limits: Limits | None = None,
        announce: Callable[[str], None] | None = None,
        watch: Callable[[PoolStatus], None] | None = None,
    ) -> None:
        # Mistakes are found here and not in a worker.
        recipe.check()
        if chunk_size is not None:
            whole_number("chunk_size", chunk_size)
        self.recipe = recipe
        self._announce = announce or (lambda _text: None)
        self._chunk_size = chunk_size
        self._unit = lanes(recipe.precision) * cluster.threads
        self._pool = RayPool(cluster, EvaluationTask(recipe, cluster.threads), announce=self._announce)
        self._scheduler = Scheduler(self._pool, limits, self._announce, watch)
        self._judge: _Judge | None = _Judge(cluster.threads)

    @property
    def scheduler(self) -> Scheduler:
        """Who computes what."""
        return self._scheduler

    @property
    def offers(self) -> frozenset[str]:
        return self.recipe.wants

    def express(self, genomes: NDArray[np.float64]) -> NDArray[np.float64]:
        return expressed(self.recipe.space, genomes, self.recipe.network, self.recipe.problem)

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
        """As in `Evaluator`.

        Raises:
            ChunkFailed: A chunk failed wherever it was tried.
            NoWorkers: There has been no worker for long.
            ClusterError: Workers cannot start.
        """
        begun = perf_counter()
        genomes = checked_population(population, self.recipe.n_genes)
        self._check(part, wants, batch, noise)
        sizes = self._sizes(len(genomes))
        cuts = np.cumsum([0, *sizes])
        common = self._pool.share(genomes) if len(genomes) else None
        items = [
            (Question(part, wants, 0, high - low, batch, noise, learning), genomes[low:high])
            if common is None
            else Slice((Question(part, wants, low, high, batch, noise, learning),), common)
            for low, high in pairwise(cuts.tolist())
        ]
        busy = self._scheduler.counters.busy
        answers = self._scheduler.map(items, [float(size) for size in sizes])
        found = {name: np.concatenate([answer[name] for answer in answers]) for name in (answers[0] if answers else ())}
        error, learned = found.pop("error", np.empty(0)), found.pop("learned", np.empty(0))
        seconds = perf_counter() - begun
        if self._judge is not None and self._judge.note(seconds, self._scheduler.counters.busy - busy):
            verdict = self._judge.verdict(self._scheduler.n_workers)
            self._judge = None
            if verdict:
                self._announce(verdict)
        return Evaluation.of(error, learned, seconds, found)

    def close(self) -> None:
        """Let the workers go."""
        self._pool.close()

    def _check(self, part: str, wants: frozenset[str], batch: Stretches | None, noise: InputNoise | None) -> None:
        """Refuse here what every worker would refuse.

        Raises:
            BadInput: There is no such part or batch, or more is wanted than the recipe said.
        """
        self.recipe.problem.check_part(part)
        if isinstance(self.recipe.problem, EpisodeProblem) and batch is not None and noise is None:
            chosen_episodes(self.recipe.problem, batch, part)
        elif batch is not None or noise is not None:
            problem = as_sequences(self.recipe.problem, "mini-batches and noise on inputs")
            if batch is not None:
                checked_stretches(problem, batch)
        if not wants <= self.offers:
            raise BadInput(f"its recipe wants {sorted(self.offers)} beside the error, got {sorted(wants)}")

    def _sizes(self, n: int) -> list[int]:
        if self._chunk_size is not None:
            return [min(self._chunk_size, n - low) for low in range(0, n, self._chunk_size)]
        speeds = self._scheduler.speeds or (1.0,)
        return chunk_sizes(n, speeds, smallest_chunk(self._scheduler, len(speeds), float(n)), self._unit)


def smallest_chunk(scheduler: Scheduler, n_workers: int, unknown: float) -> float:
    """Genomes that a chunk must have for its costs to be small, as measured so far.

    Its overhead must be small beside its computation, and the driver, who gives out and takes in the chunks of all
    workers, must not be kept busy by them.

    Args:
        scheduler: Whose measurements count; a genome has weight 1.
        n_workers: Workers.
        unknown: The answer as long as nothing has been measured.
    """
    if not scheduler.cost:
        return unknown
    overhead = scheduler.counters.overhead / (_SMALL_OVERHEAD * scheduler.cost)
    # A chunk lasts as long as it takes the driver to give one to every worker: best on the whole of what
    # benchmarks/scheduler.py simulates, from 3 to 3000 workers, equal ones and some that are slow.
    driver = scheduler.counters.submission * n_workers / scheduler.cost
    return max(overhead, driver)


def chunk_sizes(n: int, speeds: Sequence[float], least: float, unit: int) -> list[int]:
    """Sizes of chunks that keep workers equally busy: each round deals out half of what is left (factoring).

    After Hummel, Schonberg and Flynn 1992, "Factoring: a method for scheduling parallel loops". In a round each worker
    has a chunk in proportion to its speed, the largest first: the scheduler gives slow workers the last ones.

    Args:
        n: Genomes.
        speeds: One for each worker, in any unit.
        least: Smaller chunks cost too much overhead; but every worker gets one, however small.
        unit: Genomes that a worker evaluates at once; chunks are multiples of it where that leaves no worker idle.
    """
    n_workers = len(speeds)
    shares = np.sort(np.array(speeds, dtype=np.float64))[::-1] / np.sum(speeds)
    if n < unit * n_workers:
        unit = 1
    sizes: list[int] = []
    left = n
    while left >= max(2 * least, unit) * n_workers:
        # Every worker of one speed gets the same, rather less than half: a few small chunks more do no harm at the end.
        for size in np.maximum(np.floor(shares * left / (2 * unit)), 1).astype(int) * unit:
            sizes.append(min(int(size), left))
            left -= sizes[-1]
    # The last round deals out all that is left, since two more would have chunks that are too small. Here cuts are
    # rounded and not sizes, so that no rounding errors add up at the last worker.
    cuts = np.minimum(np.rint(np.cumsum(shares) * left / unit) * unit, left).astype(int)
    cuts[-1] = left
    return sorted([*sizes, *(size for size in np.diff(cuts, prepend=0).tolist() if size)], reverse=True)


def lanes(precision: Precision) -> int:
    """Genomes that a kernel evaluates at once."""
    from neuroevo.kernels.processor import LANES

    return int(LANES["float32" if precision == "single" else "float64"])


class _Judge:
    """Compares distributed evaluation with what this process alone would need."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._seconds = 0.0
        self._busy = 0.0
        self._n = 0

    def note(self, seconds: float, busy: float) -> bool:
        """Add an evaluation; whether it is time for a verdict. The first one, in which workers start, is left out."""
        self._n += 1
        if self._n > 1:
            self._seconds += seconds
            self._busy += busy
        return self._seconds >= _JUDGED_AFTER

    def verdict(self, n_workers: int) -> str:
        """A line where distribution costs more than it gains, else nothing."""
        here = available_processors()
        alone = self._busy * self._threads / here
        if self._seconds < _LOSS * alone:
            return ""
        n = self._n - 1
        return (
            f"distribution costs more than it gains: an evaluation takes {_time(self._seconds / n)} on {n_workers} "
            f"workers, this process alone with {here} threads would need about {_time(alone / n)} "
            f"({self._seconds / alone:.1f} times less); leave --workers and --ray out"
        )


def _time(seconds: float) -> str:
    return f"{1e3 * seconds:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
