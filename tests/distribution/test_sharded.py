"""Sharded evaluation has the bits of evaluation in this process, whoever computes and whatever dies."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neuroevo as ne
from neuroevo.distribution import ChunkFailed, Cluster, ClusterError, ShardedEvaluator
from neuroevo.distribution.scheduler import Limits
from neuroevo.distribution.sharded import chunk_sizes


def assert_same_bits(found, expected):
    for name in ("error", "fitness", "learned"):
        assert getattr(found, name).tobytes() == getattr(expected, name).tobytes()
    assert found.n_failed == expected.n_failed


def worker_pids(evaluator):
    """The processes of the workers that have joined, as the machine knows them."""
    ray = evaluator._pool._ray
    members = [member for member in evaluator._pool._members.values() if member.joined]
    return ray.get([member.actor.__ray_call__.remote(lambda _host: os.getpid()) for member in members])


def wait_for_workers(evaluator, n, population):
    deadline = time.monotonic() + 60
    while evaluator.scheduler.n_workers < n and time.monotonic() < deadline:
        evaluator.evaluate(population)
        time.sleep(0.05)
    assert evaluator.scheduler.n_workers == n


@given(st.integers(0, 3000), st.integers(1, 50), st.floats(0, 1e4), st.sampled_from([1, 8, 16, 64]))
def test_chunks_cover_the_population_and_keep_every_worker_busy(n, n_workers, least, unit):
    sizes = chunk_sizes(n, n_workers, least, unit)
    assert sum(sizes) == n
    assert all(size > 0 for size in sizes)
    assert sorted(sizes, reverse=True) == sizes
    if n >= n_workers * unit * 2:
        assert len(sizes) >= n_workers // 2 + 1


def test_chunks_halve_until_overhead_forbids_it():
    assert chunk_sizes(256, 2, 20, 16) == [64, 64, 32, 32, 32, 32]
    assert chunk_sizes(256, 2, 1e9, 16) == [128, 128]
    assert chunk_sizes(5, 3, 1e9, 16) == [2, 2, 1]


@pytest.mark.parametrize("address", ["nowhere", "host:port", "ray://10.0.0.1:10001", "host:99999"])
def test_an_address_that_is_none_is_bad_input(address):
    with pytest.raises(ValueError, match="HOST:PORT"):
        Cluster.join(address)


def test_a_dead_address_is_refused_within_seconds_with_advice():
    begun = time.monotonic()
    with pytest.raises(ClusterError, match=r"no cluster answers at 127.0.0.1:1 .*--workers"):
        Cluster.join("127.0.0.1:1")
    assert time.monotonic() - begun < 6


def test_a_stale_file_of_a_cluster_is_found_out(tmp_path, monkeypatch):
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text("127.0.0.1:1")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    with pytest.raises(ClusterError, match="no cluster answers"):
        Cluster.join("auto")


@pytest.mark.ray
@pytest.mark.parametrize(("n_workers", "chunk_size"), [(1, None), (1, 1), (2, None), (3, 7), (5, 16), (5, 1000)])
def test_any_number_of_workers_and_any_chunk_give_the_same_bits(ray_here, job, n_workers, chunk_size):
    network, problem, population = job
    for precision in ("single", "double"):
        with ne.LocalEvaluator(network, problem, precision=precision) as local:
            expected = [local.evaluate(population, part) for part in problem.parts]
        with ShardedEvaluator(
            Cluster.local(n_workers), network, problem, precision=precision, chunk_size=chunk_size
        ) as sharded:
            for part, evaluation in zip(problem.parts, expected, strict=True):
                assert_same_bits(sharded.evaluate(population, part), evaluation)
            assert len(sharded.evaluate(population[:0]).error) == 0


@pytest.mark.ray
def test_mistakes_are_reported_as_those_of_a_local_evaluator(ray_here, job):
    network, problem, population = job
    with pytest.raises(ValueError, match="n_inputs"):
        ShardedEvaluator(Cluster.local(1), ne.Elman(n_inputs=7, n_hidden=2, n_outputs=1), problem)
    with ShardedEvaluator(Cluster.local(1), network, problem) as sharded:
        with pytest.raises(ValueError, match="shape"):
            sharded.evaluate(population[:, 1:])
        with pytest.raises(ValueError, match="train"):
            sharded.evaluate(population, "trian")


@pytest.mark.ray
def test_a_worker_killed_in_the_middle_changes_nothing_and_is_replaced(ray_here, job):
    network, problem, population = job
    with ne.LocalEvaluator(network, problem) as local:
        expected = local.evaluate(population)
    said = []
    with ShardedEvaluator(Cluster.local(2), network, problem, chunk_size=1, announce=said.append) as sharded:
        wait_for_workers(sharded, 2, population)
        victim = worker_pids(sharded)[0]
        killer = threading.Timer(0.02, os.kill, (victim, signal.SIGKILL))
        killer.start()
        for _ in range(10):
            assert_same_bits(sharded.evaluate(population), expected)
        killer.join()
        wait_for_workers(sharded, 2, population)
        assert victim not in worker_pids(sharded)
        assert sharded.scheduler.counters.lost == 1
    assert any("lost" in line for line in said)


@pytest.mark.ray
def test_a_frozen_worker_is_not_waited_for(ray_here, job):
    network, problem, population = job
    with ne.LocalEvaluator(network, problem) as local:
        expected = local.evaluate(population)
    with ShardedEvaluator(Cluster.local(2), network, problem, chunk_size=5, limits=Limits(floor=0.3)) as sharded:
        wait_for_workers(sharded, 2, population)
        frozen = worker_pids(sharded)[0]
        os.kill(frozen, signal.SIGSTOP)
        try:
            assert_same_bits(sharded.evaluate(population), expected)
            assert sharded.scheduler.counters.repeats >= 1
            assert "repeated" in sharded.status
        finally:
            os.kill(frozen, signal.SIGCONT)
        assert_same_bits(sharded.evaluate(population), expected)


@pytest.mark.ray
def test_a_chunk_that_fails_everywhere_is_reported_with_what_the_worker_said(ray_here, job):
    network, problem, population = job
    with ShardedEvaluator(Cluster.local(2), network, problem) as sharded:
        sharded.problem = type("Part", (), {"parts": {"unknown": None}})()
        with pytest.raises(ChunkFailed, match=r"3 times[\s\S]*unknown"):
            sharded.evaluate(population, "unknown")
        sharded.problem = problem
        assert np.isfinite(sharded.evaluate(population).error[0])
