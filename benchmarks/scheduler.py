"""How far distribution scales, on paper: the real scheduler on simulated workers, with the costs that were measured.

Checked first against `--real` runs of sleeping workers on this machine; then 10 to 10 000 workers, with stragglers and
deaths, for sharded evaluation (each worker has 10 genomes of 100 ms a generation) and for islands.

    python benchmarks/scheduler.py [--real] [--json results/benchmarks/scheduler.json]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.simulated_pool import Costs, SimulatedPool
from neuroevo.distribution import Cluster, Scheduler, Task
from neuroevo.distribution.ray_pool import RayPool
from neuroevo.distribution.scheduler import Limits
from neuroevo.distribution.sharded import chunk_sizes, smallest_chunk

MEASURED = Costs(submit=120e-6, collect=15e-6, wake=375e-6, watch=0.25e-6, latency=150e-6, notice=0.5, replace=10.0)
"""From benchmarks/scaling.py ("the driver", "a task") on two quiet cores."""
GENOME = 0.1
PER_WORKER = 10
GENERATIONS = 6


class Sleeper(Task):
    """Takes as long as it is told, without a processor, so that two cores host eight workers."""

    def start(self) -> None:
        return None

    def run(self, item):
        time.sleep(item)
        return item


def efficiency(n_workers: int, costs: Costs, *, spread: float, slow: float, deaths: float, seed: int = 1) -> dict:
    """Computation that entered results, as a share of all the workers' time.

    Args:
        spread: Standard deviation of a chunk's duration, of its logarithm.
        slow: Share of the workers that take three times as long.
        deaths: Deaths of each worker an hour; another one comes after `costs.replace`.
    """
    rng = np.random.default_rng(seed)
    slow_ones = set(np.flatnonzero(rng.random(n_workers) < slow).tolist())

    def duration(worker: int, task: int) -> float:
        factor = float(np.exp(spread * rng.standard_normal())) if spread else 1.0
        return task * GENOME * factor * (3.0 if worker in slow_ones else 1.0)

    pool = SimulatedPool(n_workers, duration, costs=costs)
    scheduler = Scheduler(pool, Limits(deaths=50))
    n = n_workers * PER_WORKER
    scheduler.map([1] * n_workers)
    begun, ideal = pool.now, 0.0
    if deaths:
        for worker in range(n_workers):
            moment = rng.exponential(3600 / deaths)
            if moment < 10 * GENERATIONS:
                pool.kill(begun + moment, worker)
    capacity = n_workers - len(slow_ones) * 2 / 3
    for _ in range(GENERATIONS):
        sizes = chunk_sizes(n, scheduler.speeds or (1.0,), smallest_chunk(scheduler, n_workers, n), 1)
        scheduler.map(sizes, [float(size) for size in sizes])
        ideal += n * GENOME * float(np.exp(spread**2 / 2)) / capacity
    seconds = pool.now - begun
    return {
        "workers": n_workers,
        "seconds a generation": seconds / GENERATIONS,
        "efficiency": ideal / seconds,
        "repeats": scheduler.counters.repeats,
    }


def islands(n_workers: int, costs: Costs, stretch: float, spread: float) -> dict:
    """One island a worker, all waiting for the last one at each migration."""
    rng = np.random.default_rng(1)
    pool = SimulatedPool(n_workers, lambda _w, _t: stretch * float(np.exp(spread * rng.standard_normal())), costs=costs)
    scheduler = Scheduler(pool, Limits(floor=5.0, patience=10.0))
    scheduler.map([1] * n_workers)
    begun = pool.now
    for _ in range(GENERATIONS):
        scheduler.map([1] * n_workers)
    ideal = GENERATIONS * stretch * float(np.exp(spread**2 / 2))
    return {"workers": n_workers, "stretch": stretch, "efficiency": ideal / (pool.now - begun)}


def check_against_real(costs: Costs) -> list[dict]:
    """The same tasks, slept by real workers and simulated."""
    rows = []
    with Cluster.local(8):
        for n_workers in (1, 2, 4, 8):
            tasks = [0.05] * (8 * n_workers)
            pool = RayPool(Cluster.local(n_workers), Sleeper())
            scheduler = Scheduler(pool)
            while scheduler.n_workers < n_workers:
                scheduler.advance()
            scheduler.map(tasks)
            begun = time.perf_counter()
            for _ in range(3):
                scheduler.map(tasks)
            real = (time.perf_counter() - begun) / 3
            pool.close()
            simulated = SimulatedPool(n_workers, lambda _worker, task: task, costs=costs)
            Scheduler(simulated).map(tasks)
            rows.append({"workers": n_workers, "real": real, "simulated": simulated.now, "ideal": 0.4})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", action="store_true", help="check the simulation against real workers first")
    parser.add_argument("--largest", type=int, default=10_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    report: dict[str, object] = {"costs": vars(MEASURED)}
    if options.real:
        report["check"] = check_against_real(MEASURED)
        for row in report["check"]:
            print(row, flush=True)
    sizes = [n for n in (10, 30, 100, 300, 1000, 3000, 10_000) if n <= options.largest]
    cases = {
        "equal workers": {"spread": 0.0, "slow": 0.0, "deaths": 0.0},
        "stragglers": {"spread": 0.1, "slow": 0.02, "deaths": 0.0},
        "stragglers and deaths": {"spread": 0.1, "slow": 0.02, "deaths": 1.0},
    }
    for name, case in cases.items():
        report[f"sharded, {name}"] = [efficiency(n, MEASURED, **case) for n in sizes]
        print(f"sharded, {name}")
        for row in report[f"sharded, {name}"]:
            print("  ", {key: round(value, 4) for key, value in row.items()}, flush=True)
    report["islands"] = [islands(n, MEASURED, stretch, 0.05) for stretch in (0.5, 5.0) for n in sizes]
    print("islands")
    for row in report["islands"]:
        print("  ", {key: round(value, 4) for key, value in row.items()}, flush=True)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
