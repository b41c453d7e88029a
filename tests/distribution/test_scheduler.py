"""The scheduler on workers in virtual time: every answer arrives once, in place, whatever happens to the workers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.simulated_pool import Costs, SimulatedPool
from neuroevo.distribution import ChunkFailed, NoWorkers, Scheduler
from neuroevo.distribution.scheduler import Limits


def second_each(_worker, _task):
    return 1.0


def test_answers_come_back_in_the_order_of_the_tasks_though_workers_differ_in_speed():
    pool = SimulatedPool(3, lambda worker, task: (1 + worker) * (1 + task % 5), answer=lambda task: task**2)
    assert Scheduler(pool).map(list(range(40))) == [task**2 for task in range(40)]


def test_free_workers_share_the_work_by_speed():
    pool = SimulatedPool(2, lambda worker, _task: 1.0 if worker == 0 else 3.0)
    Scheduler(pool, Limits(patience=100)).map(list(range(40)))
    assert pool.now == pytest.approx(30, abs=3)
    assert pool.submitted[0] == pytest.approx(30, abs=2)


def test_a_worker_never_has_more_than_two_tasks():
    waiting = {0: 0, 1: 0}

    class Counted(SimulatedPool):
        def submit(self, worker, task):
            waiting[worker] = len(self._members[worker].queue) + 1
            assert waiting[worker] <= 2
            return super().submit(worker, task)

    Scheduler(Counted(2, second_each)).map(list(range(20)))
    assert set(waiting.values()) == {2}


def test_answers_reported_in_another_order_than_given_keep_their_places():
    class Shuffled(SimulatedPool):
        def wait(self, timeout):
            events = list(super().wait(timeout))
            self.now += 1.5
            return events[::-1]

    pool = Shuffled(3, lambda _worker, _task: 0.5)
    assert Scheduler(pool, Limits(patience=100)).map(list(range(30))) == list(range(30))


def test_a_dead_workers_tasks_go_to_the_others():
    pool = SimulatedPool(3, second_each, costs=Costs(notice=0.01))
    pool.kill(2.5, 1)
    said = []
    scheduler = Scheduler(pool, announce=said.append)
    assert scheduler.map(list(range(30))) == list(range(30))
    assert scheduler.counters.lost == 1
    assert scheduler.n_workers == 2
    assert len(said) == 1
    assert "killed" in said[0]


def test_a_replaced_worker_and_a_late_joiner_are_used():
    pool = SimulatedPool(1, second_each, costs=Costs(replace=2.0))
    pool.kill(3.5, 0)
    late = pool.join(10.0)
    Scheduler(pool).map(list(range(20)))
    assert pool.submitted[1] > 4
    assert pool.submitted[late] > 3


def test_a_frozen_workers_tasks_are_repeated_and_its_late_answers_ignored():
    answers = []

    def answer(task):
        answers.append(task)
        return task

    pool = SimulatedPool(2, second_each, answer)
    pool.freeze(4.2, 0, until=40.0)
    scheduler = Scheduler(pool, Limits(give_up=1000))
    assert scheduler.map(list(range(20))) == list(range(20))
    assert pool.now < 25
    assert scheduler.counters.repeats == 2
    # It thaws while other tasks are under way, is used again, and what it then says of old tasks changes nothing.
    assert scheduler.map(list(range(100, 160))) == list(range(100, 160))
    assert pool.submitted[0] > 12
    assert sorted(answers)[:20] != list(range(20))


def test_a_worker_that_stays_frozen_is_replaced():
    pool = SimulatedPool(2, second_each, costs=Costs(replace=1.0))
    pool.freeze(4.2, 0, until=1e9)
    scheduler = Scheduler(pool, Limits(give_up=20))
    assert scheduler.map(list(range(80))) == list(range(80))
    assert scheduler.counters.lost == 1
    assert pool.submitted[2] > 10


def test_no_task_is_repeated_where_nothing_goes_wrong():
    scheduler = Scheduler(SimulatedPool(5, lambda _worker, task: 1.0 + task % 3))
    for _ in range(5):
        scheduler.map(list(range(37)))
    assert scheduler.counters.repeats == 0
    assert scheduler.counters.answers == 5 * 37


def test_a_task_that_fails_everywhere_is_reported_with_what_the_worker_said():
    def answer(task):
        if task == 7:
            raise ArithmeticError("seven is wrong")
        return task

    scheduler = Scheduler(SimulatedPool(3, second_each, answer))
    with pytest.raises(ChunkFailed, match=r"3 times.*seven is wrong"):
        scheduler.map(list(range(20)))
    assert scheduler.map([1, 2, 3]) == [1, 2, 3]


def test_a_task_that_kills_its_workers_ends_the_run_before_it_has_killed_all():
    pool = SimulatedPool(4, second_each, costs=Costs(replace=1.0), deadly=lambda task: task == 5)
    with pytest.raises(ChunkFailed, match="killed"):
        Scheduler(pool).map(list(range(20)))


def test_a_task_that_fails_once_is_tried_again():
    failed = []

    def answer(task):
        if task == 3 and not failed:
            failed.append(task)
            raise OSError("no room on this machine")
        return task

    assert Scheduler(SimulatedPool(2, second_each, answer)).map(list(range(9))) == list(range(9))


def test_without_workers_the_user_is_told_and_then_the_run_ends():
    said = []
    scheduler = Scheduler(SimulatedPool(0, second_each), Limits(mention=10, alone=60), said.append)
    with pytest.raises(NoWorkers, match="60 seconds"):
        scheduler.map([1])
    assert said == ["waiting for workers: simulated workers"]


def test_who_is_at_work_is_shown_ten_times_a_second():
    seen = []
    pool = SimulatedPool(2, lambda _worker, _task: 0.04)
    Scheduler(pool, watch=lambda crew: seen.append((pool.now, crew))).map(list(range(100)))
    # Two workers need 2 s for it, in which they have two tasks each.
    assert 15 <= len(seen) <= 22
    assert min(np.diff([now for now, _ in seen])) >= 0.1
    assert {crew.workers for _, crew in seen} == {2}
    assert [crew.in_flight + crew.waiting for _, crew in seen] == sorted(
        (crew.in_flight + crew.waiting for _, crew in seen), reverse=True
    )


def test_answers_can_be_taken_while_tasks_are_added():
    scheduler = Scheduler(SimulatedPool(2, second_each, lambda task: -task))
    for task in range(4):
        scheduler.submit(task, task)
    seen = {}
    while len(seen) < 30:
        for key, value in scheduler.collect():
            seen[key] = value
            if key + 4 < 30:
                scheduler.submit(key + 4, key + 4)
    assert seen == {task: -task for task in range(30)}
    assert scheduler.collect() == []


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(1, 60))
def test_any_mix_of_deaths_freezes_and_births_leaves_the_answers_as_they_are(seed, n_workers, n_tasks):
    rng = np.random.default_rng(seed)
    pool = SimulatedPool(
        n_workers,
        lambda _worker, task: 0.1 + (task % 7) / 5,
        lambda task: 3 * task,
        Costs(1e-3, 1e-3, 1e-4, 1e-6, 2e-3, 0.05, 1.0),
    )
    for worker in range(n_workers):
        moment = rng.uniform(0, 10)
        if rng.random() < 0.4:
            pool.kill(moment, worker)
        elif rng.random() < 0.5:
            pool.freeze(moment, worker, moment + rng.exponential(20))
    pool.join(rng.uniform(0, 20))
    scheduler = Scheduler(pool, Limits(deaths=50, give_up=10))
    for _ in range(3):
        assert scheduler.map(list(range(n_tasks)), rng.uniform(1, 3, n_tasks)) == [3 * task for task in range(n_tasks)]
