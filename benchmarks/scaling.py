"""What distribution costs and gains: start-up, a task's overhead, and the speed of two workers against one.

One and two workers are timed in turn in one run, one thread each, beside what two processes reach without Ray.
`--undisturbed` gives the driver and all of Ray real-time priority while the clock runs (Linux, root), for machines that
do other work.

    python benchmarks/scaling.py [--undisturbed] [--json results/benchmarks/scaling.json]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import neuroevo as ne
from benchmarks.undisturbed import REST
from neuroevo.distribution import Cluster, Scheduler, ShardedEvaluator, Task
from neuroevo.distribution.calls import ONE_AT_A_TIME, Caller
from neuroevo.distribution.islands import DistributedHost
from neuroevo.distribution.ray_pool import RayPool
from neuroevo.evolution.hosts import Migrants
from neuroevo.evolution.stretches import Order
from neuroevo.trials import PlannedRun, TrialOnWorker, plan_runs


class Echo(Task):
    """Does nothing, so that what is timed is the way there and back; a number is how long to sleep."""

    def start(self) -> None:
        return None

    def run(self, item):
        if isinstance(item, float):
            time.sleep(item)
            return 0
        return len(item)


def processes() -> list[int]:
    """This process and all that came of it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [os.getpid()]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children.get(pid, [])
    return found


def set_policy(policy: int, priority: int) -> None:
    for pid in processes():
        with contextlib.suppress(OSError):
            for thread in (Path("/proc") / str(pid) / "task").iterdir():
                with contextlib.suppress(OSError):
                    os.sched_setscheduler(int(thread.name), policy, os.sched_param(priority))


@contextlib.contextmanager
def first_in_line(undisturbed: bool):
    if not undisturbed:
        yield
        return
    set_policy(os.SCHED_RR, 1)
    begun = time.perf_counter()
    try:
        yield
    finally:
        set_policy(os.SCHED_OTHER, 0)
        time.sleep(REST * (time.perf_counter() - begun))


def timed(function) -> float:
    begun = time.perf_counter()
    function()
    return time.perf_counter() - begun


def at_work(function, n: int, around) -> float:
    """Seconds of a call in the midst of others: after a rest the processes first have to find their cores again."""
    function()
    with around():
        return timed(lambda: [function() for _ in range(n)]) / n


def wait_for(scheduler: Scheduler, n: int) -> None:
    deadline = time.monotonic() + 120
    while scheduler.n_workers < n:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{scheduler.n_workers} of {n} workers")
        scheduler.advance()


def workload(seconds: float, rng: np.random.Generator):
    """A network, a problem and a population whose evaluation takes about so long on one thread."""
    network = ne.Elman(n_inputs=1, n_hidden=16, n_outputs=1)
    problem = ne.SequenceProblem(rng.normal(size=(20, 500, 1)), rng.normal(size=(20, 500, 1)))
    with ne.LocalEvaluator(network, problem, n_threads=1) as local:
        block = rng.normal(size=(64, network.n_genes))
        block.flags.writeable = False
        each = min(local.evaluate(block).seconds for _ in range(8)) / 64
    n = max(32, round(seconds / each / 32) * 32)
    return network, problem, rng.normal(size=(n, network.n_genes))


def task_costs(cluster: Cluster, around) -> dict[str, float]:
    """Seconds that a task costs: the driver alone, on the way, and for each byte."""
    pool = RayPool(cluster, Echo())
    scheduler = Scheduler(pool)
    wait_for(scheduler, 1)
    figures = {}
    for name, n_bytes in (("small", 100), ("80 kB", 80_000), ("800 kB", 800_000)):
        argument = np.zeros(n_bytes, np.uint8)
        with around():
            alone = [timed(lambda argument=argument: scheduler.map([argument])) for _ in range(100)]
            stream = [timed(lambda argument=argument: scheduler.map([argument] * 50)) / 50 for _ in range(6)]
        figures[f"round trip, {name}"] = statistics.median(alone)
        figures[f"each of a stream, {name}"] = min(stream)
    pool.close()
    return figures


def driver_costs(cluster: Cluster, n: int = 1000) -> dict[str, float]:
    """Seconds that the driver spends on each task, workers and network left out: what limits how many it can serve."""
    pool = RayPool(cluster, Echo())
    (joined,) = pool.wait(60.0)
    worker = joined.worker
    genomes = np.zeros((10, 300))
    submit, collect, alone, watch = [], [], [], []
    for _ in range(5):
        begun = time.perf_counter()
        for _ in range(n):
            pool.submit(worker, (genomes,))
        submit.append((time.perf_counter() - begun) / n)
        time.sleep(2.0)
        left = n
        while left:
            begun = time.perf_counter()
            events = pool.wait(1.0)
            collect.append((time.perf_counter() - begun) / max(1, len(events)))
            left -= len(events)
        pool.submit(worker, (genomes,))
        time.sleep(0.2)
        alone.append(timed(partial(pool.wait, 1.0)))
        pool.submit(worker, 2.0)
        for _ in range(n):
            pool.submit(worker, (genomes,))
        # In vain: what it costs to look over many tasks.
        watch += [timed(partial(pool.wait, 0.0)) / n for _ in range(20)]
        left = n + 1
        while left:
            left -= len(pool.wait(1.0))
    pool.close()
    times = {
        "giving out a task": submit,
        "taking in one of many answers": collect,
        "taking in one answer": alone,
        "looking at a task that waits": watch,
    }
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def sharded(cluster_of, seconds: float, rounds: int, around) -> dict[str, float]:
    network, problem, population = workload(seconds, np.random.default_rng(1))
    with contextlib.ExitStack() as stack:
        evaluators = {
            n: stack.enter_context(ShardedEvaluator(cluster_of(n), ne.EvaluatorRecipe(network, problem)))
            for n in (1, 2)
        }
        for n, evaluator in evaluators.items():
            wait_for(evaluator.scheduler, n)
            for _ in range(4):
                evaluator.evaluate(population)
        times: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(rounds):
            for n, evaluator in evaluators.items():
                times[n].append(at_work(partial(evaluator.evaluate, population), 5, around))
        before = evaluators[2].scheduler.counters.answers
        evaluators[2].evaluate(population)
        chunks = evaluators[2].scheduler.counters.answers - before
    return report_pair(times) | {"genomes": len(population), "chunks": chunks}


def islands(cluster_of, rounds: int, around) -> dict[str, float]:
    network, problem, _ = workload(0.05, np.random.default_rng(2))

    def make(island: int):
        return ne.make_strategy("genetic_algorithm", n_genes=network.n_genes, seed=1, population_size=64, island=island)

    recipe = ne.EvaluatorRecipe(network, problem)
    # Stretches of about half a second, as runs order them.
    orders = [Order(island, 0, None, Migrants.none(), False, 160, 2, np.inf) for island in range(4)]
    with contextlib.ExitStack() as stack:
        hosts = {n: stack.enter_context(DistributedHost(cluster_of(n), make, recipe, 4)) for n in (1, 2)}
        for n, host in hosts.items():
            wait_for(host.scheduler, n)
            host.carry_out(orders)
        times: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(rounds):
            for n, host in hosts.items():
                times[n].append(at_work(partial(host.carry_out, orders), 2, around))
    return report_pair(times)


def evaluate_at_the_bell(bell, done, seconds: float) -> None:
    """A process of its own that evaluates the same population, once each time the bell rings."""
    network, problem, population = workload(seconds, np.random.default_rng(3))
    population.flags.writeable = False
    with ne.LocalEvaluator(network, problem, n_threads=1) as local:
        local.evaluate(population)
        done.release()
        while True:
            bell.acquire()
            for _ in range(5):
                local.evaluate(population)
            done.release()


def machine(rounds: int, around) -> dict[str, float]:
    """What two processes reach here that have nothing to do with each other: the limit of all that follows."""
    context = multiprocessing.get_context("spawn")
    done = context.Semaphore(0)
    bells = [context.Semaphore(0) for _ in range(2)]
    processes = [context.Process(target=evaluate_at_the_bell, args=(bell, done, 0.1), daemon=True) for bell in bells]
    for process in processes:
        process.start()
    for _ in processes:
        done.acquire()

    def rung(n: int) -> None:
        for bell in bells[:n]:
            bell.release()
        for _ in range(n):
            done.acquire()

    times: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds):
        with around():
            # The same work: twice by one of them, or once by each.
            times[1].append(timed(lambda: (rung(1), rung(1))))
            times[2].append(timed(partial(rung, 2)))
        bells.reverse()
    for process in processes:
        process.kill()
    return report_pair(times)


TRIAL = """
[problem]
kind = "series"
file = "series.csv"
input = "value"
[network]
kind = "elman"
n_hidden = 16
[strategy]
kind = "genetic_algorithm"
population_size = 64
[stop]
generations = {generations}
[record]
plots = false
"""


def trials(
    cluster_of, rounds: int, around, folder: Path, generations: int = 800, n_trials: int = 8
) -> dict[str, float]:
    """Whole runs with their records, as `--trials` gives them to workers that are there already."""
    values = np.sin(np.arange(3000) * 0.6) + 0.3 * np.sin(np.arange(3000) * 1.7)
    (folder / "series.csv").write_text("value\n" + "".join(f"{value:.4f}\n" for value in values))
    scenario = folder / "trial.toml"
    scenario.write_text(TRIAL.format(generations=generations))
    plan = plan_runs(scenario)
    (planned,) = plan.sets
    with contextlib.ExitStack() as stack:
        schedulers = {}
        for n in (1, 2):
            pool = RayPool(cluster_of(n), Caller(TrialOnWorker(plan.problems, 1)))
            stack.callback(pool.close)
            schedulers[n] = Scheduler(pool, ONE_AT_A_TIME)
            wait_for(schedulers[n], n)
        times: dict[int, list[float]] = {1: [], 2: []}
        for number in range(-1, rounds):
            for n, scheduler in schedulers.items():
                results = folder / f"{n}-{number}"
                results.mkdir()
                runs = [PlannedRun(scenario, planned.table, planned.data, results, seed) for seed in range(n_trials)]
                with around():
                    seconds = timed(partial(scheduler.map, [{"run": run} for run in runs]))
                if number >= 0:
                    times[n].append(seconds)
    return report_pair(times) | {"a trial": statistics.median(times[1]) / n_trials, "trials": n_trials}


def report_pair(times: dict[int, list[float]]) -> dict[str, float]:
    one, two = statistics.median(times[1]), statistics.median(times[2])
    ratios = sorted(a / b for a, b in zip(times[1], times[2], strict=True))
    return {
        "1 worker": one,
        "2 workers": two,
        "share of twice the speed": one / two / 2,
        "quartiles": [ratios[len(ratios) // 4] / 2, ratios[3 * len(ratios) // 4] / 2],
        "best of each": min(times[1]) / min(times[2]) / 2,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--undisturbed", action="store_true", help="real-time priority while the clock runs")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    around = partial(first_in_line, options.undisturbed)
    figures: dict[str, object] = {}

    def note(name: str, value: object) -> None:
        figures[name] = value
        print(name, json.dumps(value, indent=2), flush=True)

    note("two processes without Ray, 1 s", machine(options.rounds, around))
    begun = time.perf_counter()
    # One worker of the one pool and two of the other, at work in turn.
    with Cluster.local(3):
        note("start of Ray", time.perf_counter() - begun)
        network, problem, population = workload(0.2, np.random.default_rng(0))
        begun = time.perf_counter()
        with ShardedEvaluator(Cluster.local(2), ne.EvaluatorRecipe(network, problem)) as evaluator:
            evaluator.evaluate(population)
            note("first generation after that", time.perf_counter() - begun)
        note("sharded, 200 ms a generation", sharded(Cluster.local, 0.2, options.rounds, around))
        note("islands, 4 of 64", islands(Cluster.local, options.rounds, around))
        with tempfile.TemporaryDirectory() as folder:
            note(
                "trials, 8 of about a second", trials(Cluster.local, max(3, options.rounds // 3), around, Path(folder))
            )
        note("a task", task_costs(Cluster.local(1), around))
        note("the driver", driver_costs(Cluster.local(1)))
    text = json.dumps(figures, indent=2)
    if options.json:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
