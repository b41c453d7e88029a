"""The T-maze; `neuroevo.problems.control.mazes` has its source.

Rows: steps, action, position, side of the goal (1 north, -1 south), steps against a wall, arm that was taken, episode.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.kernels.compilation import implements, is_kind
from neuroevo.kernels.vectors import (
    both,
    broadcast,
    equal,
    lanes,
    less,
    load,
    maximum,
    minimum,
    peek,
    poke,
    select,
    store,
)
from neuroevo.kernels.worlds.base import act, begin, conclude, lasts, move, observe
from neuroevo.kernels.worlds.shared import largest

ACTION, POSITION, GOAL, STANDING, ARM, EPISODE = range(1, 7)


class Maze(NamedTuple):
    """A corridor with an arm to either side of its end.

    Attributes:
        n_steps: Longest episode.
        n_episodes: Episodes of a genome.
        goals: ``(n_episodes,)`` float64: 1 north, -1 south.
        noise: ``(n_episodes * n_steps * 2,)`` float64: what the corridor shows, where it is noisy.
        noisy: Whether it is.
        junction: Position of the junction.
        reward: For the right arm.
        standing: For a step against a wall.
        wrong: For the wrong arm.
        n_rows: Rows of memory.
    """

    n_steps: int
    n_episodes: int
    goals: NDArray[Any]
    noise: NDArray[Any]
    noisy: bool
    junction: int
    reward: float
    standing: float
    wrong: float
    n_rows: int = 7


@implements(begin)
def _begin(world, states, stride, at, episode):
    def enter(world, states, stride, at, episode):
        for row in (POSITION, STANDING, ARM):
            poke(states, at + row * stride, 0.0)
        poke(states, at + GOAL * stride, peek(world.goals, episode))
        poke(states, at + EPISODE * stride, episode)

    return enter if is_kind(world, Maze) else None


@implements(observe)
def _observe(world, states, stride, at, memory, inputs):
    def look(world, states, stride, at, memory, inputs):
        values, last = memory.values, inputs + 2 * memory.stride
        one, zero = broadcast(states, 1.0), broadcast(states, 0.0)
        store(values, inputs, one)
        store(values, last, one)
        if world.noisy:
            for lane in range(lanes(states)):
                episode, step = np.int64(peek(states, at + EPISODE * stride + lane)), np.int64(peek(states, at + lane))
                place = 2 * (episode * world.n_steps + step)
                poke(values, inputs + lane, peek(world.noise, place))
                poke(values, last + lane, peek(world.noise, place + 1))
        position, goal = load(states, at + POSITION * stride), load(states, at + GOAL * stride)
        at_start, at_end = equal(position, zero), equal(position, broadcast(states, world.junction))
        south, north = select(less(goal, zero), one, zero), select(less(zero, goal), one, zero)
        store(values, inputs, select(at_start, south, select(at_end, zero, load(values, inputs))))
        store(values, inputs + memory.stride, select(at_start, one, select(at_end, one, zero)))
        store(values, last, select(at_start, north, select(at_end, zero, load(values, last))))

    return look if is_kind(world, Maze) else None


@implements(act)
def _act(world, states, stride, at, memory, outputs):
    def choose(world, states, stride, at, memory, outputs):
        store(states, at + ACTION * stride, largest(memory, outputs, 4))

    return choose if is_kind(world, Maze) else None


@implements(move)
def _move(world, states, stride, now):
    def walk(world, states, stride, now):
        one, zero, junction = broadcast(states, 1.0), broadcast(states, 0.0), broadcast(states, world.junction)
        for at in range(0, stride, lanes(states)):
            action, position = load(states, at + ACTION * stride), load(states, at + POSITION * stride)
            north, east = equal(action, zero), equal(action, one)
            south, west = equal(action, one + one), equal(action, one + one + one)
            aside = select(north, one, select(south, -one, zero))
            ahead = select(east, one, select(west, -one, zero))
            turned = select(equal(position, junction), aside, zero)
            to = maximum(zero, minimum(junction, position + ahead))
            stands = select(both(equal(to, position), equal(turned, zero)), one, zero)
            store(states, at + POSITION * stride, select(equal(action, action), to, action))
            store(states, at + STANDING * stride, load(states, at + STANDING * stride) + stands)
            store(states, at + ARM * stride, turned)

    return walk if is_kind(world, Maze) else None


@implements(lasts)
def _lasts(world, states, stride, at):
    def inside(world, states, stride, at):
        position = load(states, at + POSITION * stride)
        return both(equal(load(states, at + ARM * stride), broadcast(states, 0.0)), equal(position, position))

    return inside if is_kind(world, Maze) else None


@implements(conclude)
def _conclude(world, states, stride, at, lasted, now):
    def arrive(world, states, stride, at, lasted, now):
        if np.isnan(peek(states, at + POSITION * stride)):
            return np.inf, 0.0
        arm, goal = peek(states, at + ARM * stride), peek(states, at + GOAL * stride)
        right, wrong = 1.0 if arm == goal else 0.0, 1.0 if arm == -goal else 0.0
        stood = peek(states, at + STANDING * stride)
        return world.reward * (1.0 - right) - world.standing * stood - world.wrong * wrong, right

    return arrive if is_kind(world, Maze) else None
