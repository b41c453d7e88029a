"""A task of one's own: a network that runs freely, fed with its own last outputs, scored against a series."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.evaluation.plans import plan_of
from neuroevo.kernels.compilation import implements, is_kind
from neuroevo.kernels.loops.driver import evaluate, make_scratch
from neuroevo.kernels.tasks.base import feed, finish, judge
from neuroevo.kernels.tasks.sequences import flush
from neuroevo.kernels.tiles import number_of
from neuroevo.kernels.vectors import broadcast, fma, lanes, load, peek, store


class FreeRun(NamedTuple):
    """Series to be continued: `targets` and what is fed first, one number a sequence and step."""

    order: Any
    n_run: Any
    first: Any
    targets: Any
    n_steps: int


@implements(feed)
def _feed(task, memory, inputs, moment, columns):
    def feed_back(task, memory, inputs, moment, columns):
        width = lanes(memory.values)
        # The slot of the previous step, which lies behind the inputs, begins with its outputs.
        outputs = inputs + memory.stride
        for column in range(number_of(columns)):
            given = broadcast(memory.values, peek(task.first, peek(task.order, moment.position + column)))
            last = load(memory.values, outputs + column * width) if moment.t > 0 else given
            store(memory.values, inputs + column * width, last)
        return True

    return feed_back if is_kind(task, FreeRun) else None


@implements(judge)
def _judge(task, tally, memory, outputs, moment, wanted, columns):
    def judge_all(task, tally, memory, outputs, moment, wanted, columns):
        width = lanes(memory.values)
        for column in range(number_of(columns)):
            sequence, e = peek(task.order, moment.position + column), tally.first + 2 * column * width
            target = broadcast(memory.values, peek(task.targets, sequence * task.n_steps + moment.t))
            difference = load(memory.values, outputs + column * width) - target
            store(tally.sums, e, fma(difference, difference, load(tally.sums, e)))
            if moment.t + 1 == peek(task.n_run, moment.position + column):
                flush(tally.sums, e, tally.totals, sequence, width)
        return True

    return judge_all if is_kind(task, FreeRun) else None


@implements(finish)
def _finish(task, totals, population, first, error, right):
    def sum_up(task, totals, population, first, error, right):
        width = totals.size // (2 * task.order.size)
        for lane in range(min(width, population.shape[0] - first)):
            error[first + lane] = totals[lane :: 2 * width].sum() / task.n_run.sum()
            right[first + lane] = 0.0

    return sum_up if is_kind(task, FreeRun) else None


def free_run(network, genome, first, n_steps):
    """The outputs, by `predict` on what has been fed so far."""
    inputs, outputs = [first], []
    for _ in range(n_steps):
        outputs.append(network.predict(genome, np.reshape(inputs, (1, -1, 1)))[0, -1, 0])
        inputs.append(outputs[-1])
    return outputs


@pytest.mark.parametrize("network", [ne.Elman(1, 5, 1), ne.Lstm(1, 3, 1)], ids=["elman", "lstm"])
def test_closed_loop_equals_predict_fed_with_its_own_outputs(network):
    rng = np.random.default_rng(2)
    n_sequences, n_steps = 7, 9
    lengths = rng.integers(1, n_steps + 1, n_sequences)
    order = np.argsort(-lengths, kind="stable")
    first, targets = rng.normal(size=n_sequences), rng.normal(size=(n_sequences, n_steps))
    genomes = rng.normal(size=(11, network.n_genes))
    plan = plan_of(network)
    scratch = make_scratch(len(plan.packing.genes), plan.n_slots * plan.n_rows, n_sequences, np.float64)
    task = FreeRun(order, lengths[order], first, targets.ravel(), n_steps)
    error, right = np.empty(11), np.empty(11)
    evaluate(plan.cell, plan.packing, task, genomes, scratch, np.zeros(1, np.int64), error, right)
    for genome, found in zip(genomes, error, strict=True):
        runs = [free_run(network, genome, first[s], lengths[s]) - targets[s, : lengths[s]] for s in range(n_sequences)]
        assert found == pytest.approx(np.mean(np.concatenate(runs) ** 2), rel=1e-11)
