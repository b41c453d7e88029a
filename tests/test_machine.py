"""Systems that lack calls of Linux: neuroevo imports and computes there, and says what it cannot do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import neuroevo as ne
from neuroevo.machine import available_processors, physical_memory

WITHOUT = """
import importlib, os, pkgutil, sys
import numba, numpy, pydantic, shutil, tempfile, subprocess, multiprocessing, ray, typer, rich, matplotlib, deap
for name in sys.argv[1].split(","):
    delattr(os, name)
for name in filter(None, sys.argv[2].split(",")):
    sys.modules[name] = None
import neuroevo as ne
for module in pkgutil.walk_packages(ne.__path__, "neuroevo."):
    try:
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    except ne.errors.PackageMissing:
        pass
from neuroevo.scenario import load_scenario
scenario, results, finished = sys.argv[3:]
loaded = load_scenario(scenario)
with ne.LocalEvaluator(loaded.network, loaded.problem) as evaluator:
    print(evaluator.evaluate(loaded.make_strategy().ask()).error.min())
record = ne.RunRecord.open(finished)
print(record.history["incumbent_error"][-1], record.champion.error, record.problem.n_steps)
try:
    print(ne.run(scenario, results=results, compute=ne.Compute(threads=1)).champion.error)
except ne.errors.MachineRefused as error:
    print(f"refused: {error}")
"""
MACOS = ["sched_getaffinity"]
WINDOWS = [
    *("sched_getaffinity", "sysconf", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_DIRECTORY", "pwrite", "getuid"),
    *("fork", "uname", "statvfs", "sync", "killpg", "setsid", "getpgid"),
]


@pytest.mark.parametrize(("lacking", "modules"), [(MACOS, []), (WINDOWS, ["fcntl", "resource", "pwd", "grp"])])
def test_a_system_without_calls_of_linux_computes_the_same(
    small_scenario: Path, tmp_path: Path, lacking: list[str], modules: list[str]
) -> None:
    assert all(hasattr(os, name) for name in lacking)
    here = ne.run(small_scenario, results=tmp_path / "here")
    arguments = [",".join(lacking), ",".join(modules), str(small_scenario), str(tmp_path / "there"), str(here.path)]
    done = subprocess.run([sys.executable, "-c", WITHOUT, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    first, read, last = done.stdout.splitlines()
    assert first == str(here.history["best_error"][0])
    assert read == f"{here.history['incumbent_error'][-1]} {here.champion.error} {here.problem.n_steps}"
    assert last.startswith("refused: runs can be recorded on Linux") if modules else last == str(here.champion.error)
    assert bool(list((tmp_path / "there").iterdir())) == (not modules)


def test_what_the_system_says_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert available_processors() == len(os.sched_getaffinity(0))
    (kib,) = [line.split()[1] for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal")]
    assert physical_memory() == int(kib) * 1024
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.delattr(os, "sysconf")
    assert available_processors() == os.cpu_count()
    assert physical_memory() is None
