"""Kill runs at random moments, resume them, and compare what they leave with the uninterrupted run, byte for byte.

    python tests/violence/kill_runs.py --runs 100                      # by hand: 100 kills for every strategy
    python tests/violence/kill_runs.py --runs 20 --signal TERM         # orderly ends
    python tests/violence/kill_runs.py --runs 5 --kills 20 --threads 3 # each run killed 20 times on its way

Each run is a child forked from this process, which has imported everything and compiled the kernel: so most of a
child's life is evolution and writing, and a random moment often falls into a write.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from neuroevo import experiment
from neuroevo.compute import Compute
from neuroevo.records import RunRecord
from neuroevo.strategies import STRATEGIES

ELSEWHERE = ("crbp", "lstm_truncated", "signal_flow", "pearlmutter")
"""Strategies for other networks than that of the scenario."""

SCENARIO = """
seed = 1
[problem]
kind = "series"
file = "series.csv"
parts = { train = 40, validation = 10, test = "rest" }
[network]
kind = "elman"
n_hidden = 3
[strategy]
kind = "genetic_algorithm"
[stop]
generations = 60
[record]
plots = false
checkpoint_generations = 1
"""


def make_scenario(folder: Path) -> Path:
    folder.mkdir(parents=True)
    rows = "".join(f"{(7 * k * k) % 23},{k}\n" for k in range(70))
    (folder / "series.csv").write_text("value,number\n" + rows)
    text = SCENARIO.replace('file = "series.csv"', 'file = "series.csv"\ninput = "value"')
    (folder / "scenario.toml").write_text(text)
    return folder / "scenario.toml"


def outcome(path: Path) -> tuple[str, bytes]:
    """history.csv without its seconds, and champion.npz."""
    lines = (path / "history.csv").read_text().splitlines()
    place = lines[0].split(",").index("seconds")
    rows = [",".join(cell for k, cell in enumerate(line.split(",")) if k != place) for line in lines]
    return "\n".join(rows), (path / "champion.npz").read_bytes()


def in_child(work: Callable[[], object]) -> int:
    """Fork a child that does the work and leaves without any clean-up; its process number."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        sys.stderr.flush()
        work()
        code = 0
    finally:
        os._exit(code)


def ended(child: int) -> int:
    """Wait for a child; its exit code, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def fast_folder() -> str | None:
    """Memory, where there is a file system in it: a process that dies loses nothing there, and fsync costs nothing."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108


class Victim:
    """One run that is killed again and again until it has finished."""

    def __init__(self, scenario: Path, results: Path, strategy: str, threads: int) -> None:
        self.scenario, self.results, self.threads = scenario, results, threads
        self.overrides = {"strategy": {"kind": strategy, "population_size": 12}}

    def start(self) -> int:
        return in_child(
            lambda: experiment.run(
                self.scenario, overrides=self.overrides, results=self.results, compute=Compute(threads=1)
            )
        )

    def path(self) -> Path | None:
        found = [item for item in self.results.glob("*") if not item.name.startswith(".")]
        return found[0] if found else None

    def go_on(self) -> int:
        path = self.path()
        if path is None:
            return self.start()
        return in_child(lambda: experiment.resume(path, compute=Compute(threads=self.threads)))

    def is_finished(self) -> bool:
        path = self.path()
        return path is not None and RunRecord.open(path).status == "finished"


def torture(victim: Victim, kills: int, number: int, seconds: float, dice: random.Random) -> int:
    """Kill a run up to so often, then let it end; how often the signal met a run at work."""
    met = 0
    child = victim.start()
    for _ in range(kills):
        # What is left of a run that has been resumed often is short, and so is the time before the next blow.
        time.sleep(dice.uniform(0, seconds / max(1, kills / 2)))
        os.kill(child, number)
        met += ended(child) != 0 or not victim.is_finished()
        if victim.is_finished():
            return met
        child = victim.go_on()
    if ended(child):
        raise SystemExit(f"{victim.path()}: resuming failed")
    return met


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100, help="of each strategy")
    parser.add_argument(
        "--strategies", nargs="*", default=[kind for kind in STRATEGIES.names() if kind not in ELSEWHERE]
    )
    parser.add_argument("--signal", choices=("KILL", "TERM", "INT"), default="KILL")
    parser.add_argument("--kills", type=int, default=1, help="of each run")
    parser.add_argument("--threads", type=int, default=1, help="when resuming")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args(arguments)
    number, dice = signal.Signals[f"SIG{options.signal}"], random.Random(options.seed)
    wrong = 0
    with tempfile.TemporaryDirectory(dir=fast_folder()) as folder:
        scenario = make_scenario(Path(folder) / "scenario")
        # Here and not in a child: what is compiled and imported now, all children have.
        experiment.run(
            scenario, overrides={"stop.generations": 1}, results=Path(folder) / "first", compute=Compute(threads=1)
        )
        for strategy in options.strategies:
            whole = Victim(scenario, Path(folder) / f"{strategy}-whole", strategy, 1)
            begun = time.monotonic()
            if ended(whole.start()):
                raise SystemExit(f"{strategy}: the uninterrupted run failed")
            seconds = time.monotonic() - begun
            path = whole.path()
            expected = outcome(path) if path else None
            equal = met = 0
            for k in range(options.runs):
                victim = Victim(scenario, Path(folder) / f"{strategy}-{k}", strategy, options.threads)
                met += torture(victim, options.kills, number, seconds, dice)
                path = victim.path()
                equal += path is not None and outcome(path) == expected
            wrong += options.runs - equal
            print(f"{strategy}: {equal} of {options.runs} equal, SIG{options.signal} met a run at work {met} times")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
