"""Disturbs runs on a cluster of several nodes in every way there is, and compares what they leave with a quiet run.

Actors are killed at random moments, nodes removed and added, a worker is frozen, the driver is killed and resumed with
another number of workers. The nodes are processes of this machine.

    python -m tests.distribution.faults [--kills 30] [--seed 1]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

QUICK = {"health_check_initial_delay_ms": 1000, "health_check_period_ms": 500, "health_check_failure_threshold": 2}
SCENARIO = """
seed = 4
[problem]
kind = "series"
file = "series.csv"
time = "t"
input = "value"
[problem.parts]
train = [0, {n_train}]
validation = [{n_validated}, {n_rows}]
[network]
kind = "elman"
n_hidden = 16
[strategy]
kind = "genetic_algorithm"
population_size = {population_size}
{islands}
[stop]
generations = {generations}
[record]
plots = false
checkpoint_generations = 3
"""
ISLANDS = "[islands]\ncount = 4\ninterval = 3\n"


def write_scenario(folder: Path, *, islands: bool, generations: int, n_rows: int = 6000) -> Path:
    folder.mkdir()
    t = np.arange(n_rows)
    values = np.sin(t * 0.6) + 0.3 * np.sin(t * 1.7)
    rows = "".join(f"{time},{value:.3f}\n" for time, value in zip(t, values, strict=True))
    (folder / "series.csv").write_text("t,value\n" + rows)
    sizes = {
        "n_rows": n_rows - 1,
        "n_train": n_rows * 3 // 4,
        "n_validated": n_rows * 3 // 4 + 1,
        "population_size": 64 if islands else 256,
    }
    path = folder / "job.toml"
    path.write_text(SCENARIO.format(**sizes, generations=generations, islands=ISLANDS if islands else ""))
    return path


def neuroevo(*arguments: object, output: Path) -> subprocess.Popen[bytes]:
    with output.open("ab") as file:
        command = [sys.executable, "-m", "neuroevo", *map(str, arguments)]
        return subprocess.Popen(command, stdout=file, stderr=file)


def figures(run: Path) -> tuple[list[str], bytes]:
    """The history without the seconds, and the champion."""
    lines = (run / "history.csv").read_text().splitlines()
    column = lines[0].split(",").index("seconds")
    rows = [",".join(value for place, value in enumerate(line.split(",")) if place != column) for line in lines]
    return rows, (run / "champion.npz").read_bytes()


def descendants(root: int) -> list[tuple[int, str]]:
    """Processes that came of one, with their command lines."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            children.setdefault(int((entry / "stat").read_text().rpartition(")")[2].split()[1]), []).append(
                int(entry.name)
            )
    found, todo = [], list(children.get(root, []))
    while todo:
        pid = todo.pop()
        with contextlib.suppress(OSError):
            found.append((pid, (Path("/proc") / str(pid) / "cmdline").read_bytes().decode("utf-8", "replace")))
        todo += children.get(pid, [])
    return found


def hosts() -> list[int]:
    """The processes of our actors."""
    return [pid for pid, command in descendants(os.getpid()) if command.startswith("ray::Actor")]


class Trouble:
    """A cluster, and what can be done to it and to a run on it."""

    def __init__(self, folder: Path, seed: int) -> None:
        from ray.cluster_utils import Cluster

        self.folder = folder
        self.rng = np.random.default_rng(seed)
        self.cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "_system_config": QUICK})
        self.nodes = [self.cluster.add_node(num_cpus=1) for _ in range(2)]
        self.log = folder / "driver.log"

    def start(self, scenario: Path, name: str) -> tuple[subprocess.Popen[bytes], Path]:
        results = self.folder / name
        driver = neuroevo("run", scenario, "--results", results, "--ray", self.cluster.address, output=self.log)
        return driver, results

    def until_generation(self, driver: subprocess.Popen[bytes], results: Path, generation: int) -> bool:
        """Wait until a run has come so far; False if it has ended."""
        while driver.poll() is None:
            for history in results.glob("*/history.csv"):
                if len(history.read_text().splitlines()) > generation:
                    return True
            time.sleep(0.02)
        return False

    def kill_actors(self, driver: subprocess.Popen[bytes], results: Path, n_kills: int) -> int:
        killed = 0
        self.until_generation(driver, results, 1)
        while killed < n_kills and driver.poll() is None:
            time.sleep(self.rng.exponential(2.0))
            alive = hosts()
            if alive:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(self.rng.choice(alive)), signal.SIGKILL)
                    killed += 1
        return killed

    def swap_nodes(self, driver: subprocess.Popen[bytes], results: Path) -> int:
        self.until_generation(driver, results, 3)
        self.cluster.remove_node(self.nodes.pop(), allow_graceful=False)
        self.until_generation(driver, results, 9)
        self.nodes.append(self.cluster.add_node(num_cpus=1))
        return 2

    def freeze(self, driver: subprocess.Popen[bytes], results: Path) -> int:
        self.until_generation(driver, results, 2)
        victim = hosts()[0]
        os.kill(victim, signal.SIGSTOP)
        self.until_generation(driver, results, 12)
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGCONT)
        return 1

    def kill_driver(self, driver: subprocess.Popen[bytes], results: Path) -> int:
        if self.until_generation(driver, results, 7):
            driver.kill()
        driver.wait()
        (run,) = results.iterdir()
        resumed = neuroevo("resume", run, "--workers", 2, output=self.log)
        if resumed.wait(timeout=300) != 0:
            raise RuntimeError(self.log.read_text()[-3000:])
        return 1

    def close(self) -> None:
        self.cluster.shutdown()


def disturb(folder: Path, *, n_kills: int, generations: int, seed: int, only: str = "") -> None:
    """Run both ways of distribution through all of it, or through what has `only` in its name.

    Raises:
        AssertionError: A run ended with other bits.
    """
    quiet = {}
    for islands in (False, True):
        scenario = write_scenario(folder / f"islands-{islands}", islands=islands, generations=generations)
        results = folder / f"quiet-{islands}"
        if neuroevo("run", scenario, "--results", results, output=folder / "quiet.log").wait(timeout=300) != 0:
            raise RuntimeError((folder / "quiet.log").read_text()[-3000:])
        quiet[islands] = scenario, figures(next(results.iterdir()))
    trouble = Trouble(folder, seed)
    try:
        ways = {
            "actors killed": lambda *run: trouble.kill_actors(*run, n_kills),
            "nodes removed and added": trouble.swap_nodes,
            "worker frozen": trouble.freeze,
            "driver killed and resumed": trouble.kill_driver,
        }
        for name, disturbance in ways.items():
            for islands, (scenario, expected) in quiet.items():
                kind = "islands" if islands else "sharded"
                if only not in f"{name}, {kind}":
                    continue
                begun = time.monotonic()
                driver, results = trouble.start(scenario, f"{name}-{islands}".replace(" ", "-"))
                n = disturbance(driver, results)
                code = driver.wait(timeout=300)
                if code not in (0, -signal.SIGKILL):
                    raise RuntimeError(f"{name}: exit code {code}\n{trouble.log.read_text()[-3000:]}")
                same = figures(next(results.iterdir())) == expected
                bits = "equal" if same else "DIFFER"
                sys.stdout.write(f"{name}, {kind}: {n}, {time.monotonic() - begun:.1f} s, bits {bits}\n")
                sys.stdout.flush()
                assert same, f"{name}, {kind}"
    finally:
        trouble.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--generations", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--only", default="", help="part of the name of a disturbance, as in 'nodes' or 'frozen, islands'"
    )
    options = parser.parse_args()
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_USAGE_STATS_ENABLED": "0"}
    with tempfile.TemporaryDirectory() as folder:
        disturb(
            Path(folder), n_kills=options.kills, generations=options.generations, seed=options.seed, only=options.only
        )


if __name__ == "__main__":
    main()
