"""Distracted sequence recall; `neuroevo.problems.control.recall` has its source.

Rows: steps, answer, right answers, episode, the answer that is asked for now, -1 for none.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.kernels.compilation import implements, is_kind
from neuroevo.kernels.vectors import broadcast, equal, lanes, load, peek, poke, select, store
from neuroevo.kernels.worlds.base import act, begin, conclude, lasts, move, observe
from neuroevo.kernels.worlds.shared import largest

ANSWER, RIGHT, EPISODE, ASKED = range(1, 5)


class Recall(NamedTuple):
    """Symbols that come, and answers that are asked for.

    Attributes:
        n_steps: Length of every episode.
        n_episodes: Episodes of a genome.
        n_inputs: Different symbols.
        n_outputs: Different answers.
        n_asked: Answers of an episode.
        symbols: ``(n_episodes * n_steps,)`` int64, the input that is 1.
        answers: ``(n_episodes * n_steps,)`` int64, the right answer, -1 where none is asked for.
        n_rows: Rows of memory.
    """

    n_steps: int
    n_episodes: int
    n_inputs: int
    n_outputs: int
    n_asked: int
    symbols: NDArray[Any]
    answers: NDArray[Any]
    n_rows: int = 5


@implements(begin)
def _begin(world, states, stride, at, episode):
    def open_book(world, states, stride, at, episode):
        poke(states, at + RIGHT * stride, 0.0)
        poke(states, at + EPISODE * stride, episode)

    return open_book if is_kind(world, Recall) else None


@implements(observe)
def _observe(world, states, stride, at, memory, inputs):
    def read(world, states, stride, at, memory, inputs):
        for i in range(world.n_inputs):
            store(memory.values, inputs + i * memory.stride, broadcast(states, 0.0))
        for lane in range(lanes(states)):
            episode, step = np.int64(peek(states, at + EPISODE * stride + lane)), np.int64(peek(states, at + lane))
            place = episode * world.n_steps + step
            poke(memory.values, inputs + peek(world.symbols, place) * memory.stride + lane, 1.0)
            poke(states, at + ASKED * stride + lane, peek(world.answers, place))

    return read if is_kind(world, Recall) else None


@implements(act)
def _act(world, states, stride, at, memory, outputs):
    def answer(world, states, stride, at, memory, outputs):
        store(states, at + ANSWER * stride, largest(memory, outputs, world.n_outputs))

    return answer if is_kind(world, Recall) else None


@implements(move)
def _move(world, states, stride, now):
    def judge(world, states, stride, now):
        one, zero = broadcast(states, 1.0), broadcast(states, 0.0)
        for at in range(0, stride, lanes(states)):
            answer, right = load(states, at + ANSWER * stride), load(states, at + RIGHT * stride)
            hit = select(equal(answer, load(states, at + ASKED * stride)), one, zero)
            store(states, at + RIGHT * stride, select(equal(answer, answer), right + hit, answer))

    return judge if is_kind(world, Recall) else None


@implements(lasts)
def _lasts(world, states, stride, at):
    def sound(world, states, stride, at):
        right = load(states, at + RIGHT * stride)
        return equal(right, right)

    return sound if is_kind(world, Recall) else None


@implements(conclude)
def _conclude(world, states, stride, at, lasted, now):
    def mark(world, states, stride, at, lasted, now):
        right = peek(states, at + RIGHT * stride)
        if np.isnan(right):
            return np.inf, 0.0
        return 1.0 - right / world.n_asked, 1.0 if right == world.n_asked else 0.0

    return mark if is_kind(world, Recall) else None
