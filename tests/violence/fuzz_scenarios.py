"""Feed mutated scenarios to the command line: only exit codes 0 and 2, no traceback, no hang, no stray file.

    python tests/violence/fuzz_scenarios.py --cases 2000 --seed 1

Three quarters of the cases change the tables (keys, types, values, whole tables), one quarter the bytes. A case that
`check` calls good is run for two generations.
"""

from __future__ import annotations

import argparse
import copy
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import tomli_w
from typer.testing import CliRunner

from neuroevo.cli.app import app
from neuroevo.networks import NETWORKS
from neuroevo.problems import PROBLEMS
from neuroevo.stopping import CRITERIA
from neuroevo.strategies import STRATEGIES

LIMIT_SECONDS = 10
BASE: dict[str, Any] = {
    "title": "A small series",
    "seed": 1,
    "precision": "single",
    "problem": {
        "kind": "series",
        "file": "series.csv",
        "time": "year",
        "input": ["value"],
        "target": "value",
        "horizon": 1,
        "washout": 2,
        "scaling": "range",
        "scaling_range": [-1.0, 1.0],
        "tolerance": 0.1,
        "weight_decay": 0.0,
        "objective": "huber",
        "threshold": 0.5,
        "target_weights": [2.0],
        "parts": {"train": [1900, 1920], "validation": [1921, 1929], "test": [1930, 1939]},
    },
    "network": {"kind": "elman", "n_hidden": 2, "activation": "tanh", "n_layers": 1, "initial_state": False},
    # Decaying widths keep the checkpoints of networks of millions of genes, which mutations make, half as large.
    "strategy": {
        "kind": "genetic_algorithm",
        "population_size": 6,
        "start_width": 1.0,
        "bounds": [-5.0, 5.0],
        "mutation_adaptation": "decaying",
    },
    "stop": {"generations": 2, "error": 0.001, "all": [{"learned": 0.9, "evaluations": 10}]},
    "record": {"plots": False, "checkpoint_seconds": 5.0},
    "distribution": {"threads": 1},
}
BATCHED: dict[str, Any] = {
    **BASE,
    "strategy": {"kind": "snes", "population_size": 6},
    "batch": {"size": 2, "steps": 3, "washout": 1, "growth": 1.1, "every": 2},
}
GENERALISED: dict[str, Any] = {
    **BATCHED,
    "generalise": {"input_noise": 0.1, "weight_noise": 0.1, "folds": 2, "scheme": "rolling", "fold": 1},
}
FITTED: dict[str, Any] = {
    **BASE,
    "strategy": {"kind": "snes", "population_size": 6},
    "generalise": {"input_noise": 0.1, "every": 1, "final_fit": True, "train_on": "train"},
}
VALUES: tuple[Any, ...] = (
    0, 1, -1, 2, 7, 2**31, 2**63, 2**64, 10**30, -(10**30), 0.0, -0.0, 0.5, 1.5, -2.5, 1e-320, 1e308, float("inf"),
    float("nan"), True, False, "", "x", "value", "train", "nan", "../series.csv", "/etc/passwd", "/dev/zero", "\x00", "é" * 50,
    "x" * 5000, [], [1], [[]], [1.5, "a"], ["value", "value"], [0, 0], [5, -5], {}, {"a": 1}, {"kind": 3}, [{}],
)  # fmt: skip


def place(table: Any, dice: random.Random) -> tuple[Any, Any]:
    """A random container in a table, and one of its keys."""
    here, key = table, dice.choice(list(table))
    while isinstance(here[key], dict | list) and here[key] and dice.random() < 0.8:
        here = here[key]
        key = dice.choice(list(here)) if isinstance(here, dict) else dice.randrange(len(here))
    return here, key


def mutated(dice: random.Random) -> dict[str, Any]:
    """One of the bases with one to three changes."""
    table = copy.deepcopy(dice.choice((BASE, BASE, BASE, BATCHED, GENERALISED, FITTED)))
    names = [*NETWORKS.names(), *PROBLEMS.names(), *CRITERIA.names(), *STRATEGIES.names()]
    for _ in range(dice.choice((1, 1, 2, 3))):
        if not table:
            break
        here, key = place(table, dice)
        change = dice.randrange(6)
        if change == 0:
            del here[key]
        elif change == 1 and isinstance(here, dict):
            letters = list(str(key))
            letters.insert(dice.randrange(len(letters) + 1), dice.choice("abc_. é"))
            here["".join(letters)] = here.pop(key)
        elif change == 2 and isinstance(here, dict):
            here[dice.choice(names)] = dice.choice(VALUES)
        elif change == 3:
            here[key] = dice.choice(names)
        elif change == 4 and isinstance(here[key], int | float):
            here[key] = here[key] * dice.choice((-1, 0, 2, 10, 1000, 0.5))
        else:
            here[key] = copy.deepcopy(dice.choice(VALUES))
    return table


def content(dice: random.Random) -> bytes:
    """A mutated scenario as bytes."""
    if dice.random() < 0.75:
        return tomli_w.dumps(mutated(dice)).encode("utf-8")
    data = bytearray(tomli_w.dumps(BASE).encode("utf-8"))
    for _ in range(dice.choice((1, 2, 5, 20))):
        where = dice.randrange(len(data))
        change = dice.randrange(4)
        if change == 0:
            data[where] = dice.randrange(256)
        elif change == 1:
            del data[where : where + dice.randrange(1, 30)]
        elif change == 2:
            data[where:where] = data[where : where + dice.randrange(1, 60)]
        else:
            data[where:where] = dice.choice((b"[", b"]", b'"', b"\n", b"=", b"\xff", b"{" * 400, b"9" * 400, b"'''"))
        if not data:
            break
    return bytes(data)


def _late(number: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"more than {LIMIT_SECONDS} s")


def attack(folder: Path, data: bytes) -> tuple[str, int]:
    """What is wrong with the answers to a scenario (nothing: empty), and the exit code of `check`."""
    scenario = folder / "scenario.toml"
    scenario.write_bytes(data)
    allowed = {scenario, folder / "series.csv"}
    code = -1
    for command in (["check"], ["run", "--set", "stop={generations=2}", "--results", str(folder / "results")]):
        signal.alarm(LIMIT_SECONDS)
        try:
            result = CliRunner().invoke(app, [command[0], str(scenario), *command[1:]])
        finally:
            signal.alarm(0)
        if command[0] == "check":
            code = result.exit_code
        if result.exit_code not in (0, 2) or (result.exception and not isinstance(result.exception, SystemExit)):
            return f"{command[0]}: exit code {result.exit_code}, {result.exception!r}\n{result.stderr[-2000:]}", code
        if result.exit_code == 2 and not result.stderr.strip():
            return f"{command[0]}: refused without a word", code
        if result.exit_code:
            break
    stray = {item for item in folder.iterdir() if item.name != "results"} - allowed
    return (f"left {sorted(map(str, stray))}" if stray else ""), code


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    dice, found, codes = random.Random(options.seed), 0, Counter[int]()
    signal.signal(signal.SIGALRM, _late)
    slowest = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = "".join(f"{1900 + k},{(k * k) % 11}\n" for k in range(40))
        (folder / "series.csv").write_text("year,value\n" + rows)
        (folder / "scenario.toml").write_bytes(tomli_w.dumps(BASE).encode("utf-8"))
        # Compiles, so that no case is charged with that.
        CliRunner().invoke(app, ["run", str(folder / "scenario.toml"), "--results", str(folder / "results")])
        for case in range(options.cases):
            # Written anew each time: a scenario must not be able to spoil the data for those after it.
            (folder / "series.csv").write_text("year,value\n" + rows)
            data, begun = content(dice), time.monotonic()
            wrong, code = attack(folder, data)
            slowest = max(slowest, time.monotonic() - begun)
            codes[code] += 1
            if wrong:
                found += 1
                print(f"case {case}: {wrong}\n{data.decode('utf-8', 'replace')[:3000]}\n")
    print(f"{options.cases} cases, {found} wrong; exit codes {dict(codes)}; the slowest took {slowest:.1f} s")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
