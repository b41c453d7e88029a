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
from benchmarks.simulated_pool import SimulatedPool
from neuroevo.distribution import ChunkFailed, Cluster, ClusterError, Scheduler, ShardedEvaluator
from neuroevo.distribution.scheduler import Limits
from neuroevo.distribution.sharded import chunk_sizes
from tests.distribution.conftest import make_job


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


@given(
    st.integers(0, 3000),
    st.lists(st.sampled_from([1.0, 1.0, 1.0, 0.1, 0.5, 2.0]), min_size=1, max_size=50),
    st.floats(0, 1e4),
    st.sampled_from([1, 8, 16, 64]),
)
def test_chunks_cover_the_population_and_keep_every_worker_busy(n, speeds, least, unit):
    sizes = chunk_sizes(n, speeds, least, unit)
    n_workers = len(speeds)
    assert sum(sizes) == n
    assert all(size > 0 for size in sizes)
    assert sorted(sizes, reverse=True) == sizes
    if n >= n_workers * unit * 2 and set(speeds) == {1.0}:
        assert len(sizes) >= n_workers // 2 + 1


def test_chunks_halve_until_overhead_forbids_it():
    assert chunk_sizes(256, [1, 1], 20, 16) == [64, 64, 32, 32, 32, 32]
    assert chunk_sizes(256, [1, 1], 1e9, 16) == [128, 128]
    assert chunk_sizes(5, [1, 1, 1], 1e9, 16) == [2, 2, 1]


def test_a_slow_worker_has_a_chunk_of_its_own_measure():
    assert chunk_sizes(100, [1, 0.25, 1, 1, 1], 1e9, 1) == [24, 24, 23, 23, 6]


def test_with_slow_workers_a_generation_takes_little_longer_than_their_speeds_allow():
    # Ten workers of which two need three times as long: 8 + 2/3 workers in all, for 400 genomes of 0.1 s.
    pool = SimulatedPool(10, lambda worker, size: 0.1 * size * (3.0 if worker < 2 else 1.0))
    scheduler = Scheduler(pool)
    scheduler.map([1] * 10)
    begun = pool.now
    sizes = chunk_sizes(400, scheduler.speeds, 2, 1)
    scheduler.map(sizes, [float(size) for size in sizes])
    assert pool.now - begun <= 1.12 * 40 / (8 + 2 / 3)


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


@pytest.fixture(scope="module")
def job():
    return make_job()


@pytest.fixture(scope="module")
def pair(ray_here, job):
    """Two workers, for tests that leave both of them well."""
    network, problem, _ = job
    with ShardedEvaluator(Cluster.local(2), ne.EvaluatorRecipe(network, problem), limits=Limits(floor=0.3)) as sharded:
        yield sharded


@pytest.fixture
def said(pair):
    lines = []
    pair.scheduler._announce = lines.append
    return lines


@pytest.mark.ray
def test_any_number_of_workers_and_any_chunk_give_the_same_bits(ray_here, job):
    network, problem, population = job
    with ne.LocalEvaluator(network, problem) as local:
        expected = [local.evaluate(population, part) for part in problem.parts]
    room = Cluster.local(1)
    with ShardedEvaluator(room, ne.EvaluatorRecipe(network, problem)) as sharded:
        for n_workers in (1, 2, 3, 5):
            room._n_workers = n_workers
            wait_for_workers(sharded, n_workers, population)
            for sharded._chunk_size in (None, 1, 7, 16, 1000):
                for part, evaluation in zip(problem.parts, expected, strict=True):
                    assert_same_bits(sharded.evaluate(population, part), evaluation)
        assert len(sharded.evaluate(population[:0]).error) == 0
        assert sharded.scheduler.n_workers == 5


@pytest.mark.ray
def test_a_batch_gives_the_bits_of_a_local_evaluator_and_a_wrong_one_is_refused_here(ray_here, job):
    network, problem, population = job
    batch = np.array([[0, 3, 5, 20], [2, 0, 0, 9]])
    with ne.LocalEvaluator(network, problem) as local, Cluster.local(2, 1) as cluster:
        expected = local.evaluate(population, batch=batch)
        with ShardedEvaluator(cluster, ne.EvaluatorRecipe(network, problem), chunk_size=16) as evaluator:
            assert_same_bits(evaluator.evaluate(population, batch=batch), expected)
            with pytest.raises(ne.BadInput, match="does not lie within a sequence"):
                evaluator.evaluate(population, batch=np.array([[0, 0, 0, 99]]))


@pytest.mark.ray
def test_double_precision_gives_the_same_bits(ray_here, job):
    network, problem, population = job
    with ne.LocalEvaluator(network, problem, precision="double") as local:
        expected = local.evaluate(population)
    with ShardedEvaluator(Cluster.local(1), ne.EvaluatorRecipe(network, problem, "double"), chunk_size=9) as sharded:
        assert_same_bits(sharded.evaluate(population), expected)


@pytest.mark.ray
def test_mistakes_are_reported_as_those_of_a_local_evaluator(pair, job):
    _, problem, population = job
    with pytest.raises(ValueError, match="n_inputs"):
        ShardedEvaluator(Cluster.local(1), ne.EvaluatorRecipe(ne.Elman(n_inputs=7, n_hidden=2, n_outputs=1), problem))
    with pytest.raises(ValueError, match="shape"):
        pair.evaluate(population[:, 1:])
    with pytest.raises(ValueError, match="train"):
        pair.evaluate(population, "trian")


@pytest.mark.ray
def test_a_chunk_that_fails_everywhere_is_reported_with_what_the_worker_said(pair, job, monkeypatch):
    _, _, population = job
    monkeypatch.setattr(pair, "_check", lambda *_: None)
    with pytest.raises(ChunkFailed, match=r"3 times[\s\S]*unhashable"):
        pair.evaluate(population, ["train"])
    with pytest.raises(ne.BadInput, match="there is no part 'unknown'"):
        pair.evaluate(population, "unknown")
    monkeypatch.undo()
    assert np.isfinite(pair.evaluate(population).error[0])


@pytest.mark.ray
def test_a_frozen_worker_is_not_waited_for(pair, job):
    network, problem, population = job
    with ne.LocalEvaluator(network, problem) as local:
        expected = local.evaluate(population)
    wait_for_workers(pair, 2, population)
    frozen = worker_pids(pair)[0]
    os.kill(frozen, signal.SIGSTOP)
    try:
        pair._chunk_size = 5
        assert_same_bits(pair.evaluate(population), expected)
        assert pair.scheduler.counters.repeats >= 1
    finally:
        os.kill(frozen, signal.SIGCONT)
    assert_same_bits(pair.evaluate(population), expected)


@pytest.mark.ray
def test_a_worker_killed_in_the_middle_changes_nothing_and_is_replaced(pair, job, said):
    network, problem, population = job
    with ne.LocalEvaluator(network, problem) as local:
        expected = local.evaluate(population)
    wait_for_workers(pair, 2, population)
    pair._chunk_size = 1
    lost = pair.scheduler.counters.lost
    victim = worker_pids(pair)[0]
    killer = threading.Timer(0.02, os.kill, (victim, signal.SIGKILL))
    killer.start()
    for _ in range(10):
        assert_same_bits(pair.evaluate(population), expected)
    killer.join()
    wait_for_workers(pair, 2, population)
    assert victim not in worker_pids(pair)
    assert pair.scheduler.counters.lost == lost + 1
    assert any("lost" in line for line in said)
