"""Compiled code on disk: never an old answer, never a crash."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import neuroevo
from neuroevo.kernels import cache, sources
from neuroevo.kernels.compilation import kernel


@pytest.fixture
def fresh_folder(tmp_path, monkeypatch):
    """A cache folder of this test."""
    monkeypatch.setattr(cache, "cache_root", lambda: tmp_path / "kernels")
    cache.cache_folder.cache_clear()
    yield tmp_path / "kernels"
    cache.cache_folder.cache_clear()


def twice(x):
    return 2.0 * x


def test_code_is_written_once_and_read_again(fresh_folder):
    assert kernel(twice)(4.0) == 8.0
    (file,) = fresh_folder.rglob("*.bin")
    written = file.stat().st_mtime_ns
    again = kernel(twice)
    assert again(4.0) == 8.0
    assert sum(again.stats.cache_hits.values()) == 1
    assert file.stat().st_mtime_ns == written


def test_each_signature_has_its_own_file(fresh_folder):
    function = kernel(twice)
    function(4.0)
    function(np.float32(4.0))
    assert len(list(fresh_folder.rglob("*.bin"))) == 2


def test_damaged_file_is_compiled_anew(fresh_folder):
    kernel(twice)(4.0)
    (file,) = fresh_folder.rglob("*.bin")
    file.write_bytes(file.read_bytes()[:-7])
    again = kernel(twice)
    assert again(4.0) == 8.0
    assert not again.stats.cache_hits


def test_folder_that_cannot_be_written_costs_time_only(monkeypatch):
    monkeypatch.setattr(cache, "cache_root", lambda: Path("/proc/no/such/folder"))
    cache.cache_folder.cache_clear()
    assert kernel(twice)(4.0) == 8.0
    cache.cache_folder.cache_clear()


def test_old_versions_are_removed_but_not_recent_ones(tmp_path):
    for age in range(12):
        folder = tmp_path / f"version-{age:02}"
        folder.mkdir()
        seconds = 1e9 - 1e6 * age
        os.utime(folder, (seconds, seconds))
    recent = tmp_path / "recent"
    recent.mkdir()
    cache.prune(tmp_path, keep=tmp_path / "version-11", n_kept=3)
    assert sorted(f.name for f in tmp_path.iterdir()) == ["recent", "version-00", "version-01", "version-11"]


def test_hash_of_sources_covers_every_file(tmp_path):
    folder = tmp_path / "kernels"
    shutil.copytree(sources.FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    hashes = {sources.digest(folder)}
    assert hashes == {sources.AT_IMPORT}
    paths = list(folder.rglob("*.py"))
    for path in paths:
        path.write_text(path.read_text() + "\n")
        hashes.add(sources.digest(folder))
    assert len(hashes) == len(paths) + 1


EVALUATE = """
import numpy as np
import neuroevo as ne
problem = ne.SequenceProblem(np.ones((1, 5, 1)), np.zeros((1, 5, 1)))
network = ne.Elman(1, 2, 1)
with ne.LocalEvaluator(network, problem, n_threads=1) as evaluator:
    print(evaluator.evaluate(np.ones((1, network.n_genes))).error[0])
"""


@pytest.mark.slow
def test_edit_in_a_helper_of_another_file_is_never_answered_from_old_code(tmp_path):
    package = tmp_path / "neuroevo"
    shutil.copytree(Path(neuroevo.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}

    def run():
        command = [sys.executable, "-c", EVALUATE]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout

    before = run()
    assert run() == before
    path = package / "kernels" / "activations.py"
    text = path.read_text()
    assert text.count("_TANH_CLAMP = ") == 1
    path.write_text(text.replace("_TANH_CLAMP = ", "_TANH_CLAMP = 0.25 * "))
    assert run() != before


@pytest.mark.slow
def test_processes_that_compile_at_once_agree(tmp_path):
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    command = [sys.executable, "-c", EVALUATE]
    processes = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    results = {process.communicate()[0] for process in processes}
    assert len(results) == 1
    assert all(process.returncode == 0 for process in processes)
