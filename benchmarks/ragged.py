"""What many sequences of unequal lengths cost: memory, the run's folder, the closing table, `show` and trials.

    python benchmarks/ragged.py PYTHON [PYTHON]...

118 sequences of 47 000 steps in all, two of them long test records: sines with noise, 6 inputs, 1 target. Each PYTHON
is an interpreter of an environment in which a state of the sources is installed. A table goes to standard output.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

SCENARIO = """
seed = 1
[problem]
kind = "sequences"
file = "records.csv"
sequence = "record"
part = "part"
inputs = ["x1", "x2", "x3", "x4", "x5", "x6"]
targets = "y"
counts = "all"
[network]
kind = "gru"
n_hidden = 8
[strategy]
kind = "snes"
[stop]
generations = 20
[record]
plots = false
"""
CLOSING = """
import sys, time
from neuroevo import RunRecord
record = RunRecord.open(sys.argv[1])
problem, network, genome = record.problem, record.network, record.champion.genome
begun = time.process_time()
problem.results(network, genome)
print(time.process_time() - begun)
"""


def lengths() -> list[int]:
    """116 short sequences and two long ones."""
    rng = np.random.default_rng(0)
    short = 60 + rng.multinomial(19_000 - 116 * 60, rng.dirichlet(np.full(116, 2.0)))
    return [*short.tolist(), 14_000, 14_000]


def write_records(path: Path) -> None:
    rng = np.random.default_rng(1)
    with path.open("w") as file:
        file.write("record,part,x1,x2,x3,x4,x5,x6,y\n")
        for number, n_steps in enumerate(lengths()):
            part = "test" if number >= 116 else "validation" if number % 6 == 5 else "train"
            phase, steps = rng.uniform(0, 6, 6), np.arange(n_steps)[:, None]
            inputs = np.sin(phase + steps * np.linspace(0.03, 0.4, 6)) + rng.normal(0, 0.1, (n_steps, 6))
            target = np.tanh(inputs[:, 0] * inputs[:, 3]) + 0.5 * np.roll(inputs[:, 5], 2)
            for values, wanted in zip(inputs, target, strict=True):
                file.write(f"{number},{part},{','.join(f'{value:.5f}' for value in values)},{wanted:.5f}\n")


def called(folder: Path, *words: str) -> tuple[float, float, str]:
    """Seconds of the processor, the largest resident memory in MB, and what a command in a folder wrote."""
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(words)}:\n{said}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, said


def size_of(folder: Path) -> float:
    """What a folder takes on the disk in MB, a file of several names once."""
    files = {path.stat().st_ino: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    return sum(files.values()) / 1e6


def measured(python: str, folder: Path) -> list[tuple[str, str]]:
    neuroevo = (python, "-m", "neuroevo")
    results = folder / "results"
    run = (*neuroevo, "run", str(folder / "records.toml"), "--results", str(results), "--quiet")
    called(folder, *run, "--set", "stop.generations=1")  # kernels are compiled, files are in memory
    first = next(results.iterdir())
    _, memory, _ = called(folder, *run)
    last = next(path for path in results.iterdir() if path != first)
    closing = float(called(folder, python, "-c", CLOSING, str(last))[2])
    show = min(called(folder, *neuroevo, "show", str(last))[0] for _ in range(3))
    called(folder, *run, "--trials", "5", "--set", "stop.generations=2")
    trials = next(path for path in results.iterdir() if (path / "trials.json").exists())
    return [
        ("peak memory of a run, MB", f"{memory:.0f}"),
        ("folder of a run, MB", f"{size_of(last):.1f}"),
        ("closing table, s of the processor", f"{closing:.2f}"),
        ("show, s of the processor", f"{show:.2f}"),
        ("folder of five trials, MB", f"{size_of(trials):.1f}"),
    ]


def main() -> None:
    columns = []
    for python in sys.argv[1:] or [sys.executable]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_records(folder / "records.csv")
            (folder / "records.toml").write_text(SCENARIO)
            columns.append(measured(python, folder))
    print("| " + " | ".join(["", *map(str, range(1, len(columns) + 1))]) + " |\n| --- |" + " ---: |" * len(columns))
    for rows in zip(*columns, strict=True):
        print("| " + " | ".join([rows[0][0], *(figure for _, figure in rows)]) + " |")


if __name__ == "__main__":
    main()
