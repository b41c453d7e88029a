"""The mountain car; `neuroevo.problems.control.hills` has its sources.

Rows: steps, push, position, speed, farthest position to the right, sum of the squared pushes.
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
    fma,
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
from neuroevo.kernels.worlds.shared import cosine, largest

PUSH, POSITION, SPEED, FARTHEST, SQUARES = range(1, 6)


class Hill(NamedTuple):
    """A car between hills.

    Attributes:
        n_steps: Longest episode.
        n_episodes: Episodes of a genome.
        starts: ``(n_episodes,)`` float64, positions.
        velocities: Whether the speed is shown too.
        discrete: Whether the largest of three outputs chooses the push; else the only output is the push.
        returned: Whether the error is the return short of the threshold; else the share of the road not reached.
        left: Left end of the road.
        right: Right end of the road.
        fastest: Largest speed, a step.
        gravity: Change of the speed by the steepest slope.
        power: Change of the speed by a full push.
        goal: Where the flag is.
        threshold: Return whose error is 0.
        bonus: Reward for the flag.
        step_cost: Of each step.
        push_cost: Of each squared push.
        n_rows: Rows of memory.
    """

    n_steps: int
    n_episodes: int
    starts: NDArray[Any]
    velocities: bool
    discrete: bool
    returned: bool
    left: float
    right: float
    fastest: float
    gravity: float
    power: float
    goal: float
    threshold: float
    bonus: float
    step_cost: float
    push_cost: float
    n_rows: int = 6


@implements(begin)
def _begin(world, states, stride, at, episode):
    def park(world, states, stride, at, episode):
        position = peek(world.starts, episode)
        for row, value in ((POSITION, position), (SPEED, 0.0), (FARTHEST, position), (SQUARES, 0.0)):
            poke(states, at + row * stride, value)

    return park if is_kind(world, Hill) else None


@implements(observe)
def _observe(world, states, stride, at, memory, inputs):
    def look(world, states, stride, at, memory, inputs):
        middle, half = 0.5 * (world.left + world.right), 0.5 * (world.right - world.left)
        place = load(states, at + POSITION * stride) - broadcast(states, middle)
        store(memory.values, inputs, place / broadcast(states, half))
        if world.velocities:
            speed = load(states, at + SPEED * stride) / broadcast(states, world.fastest)
            store(memory.values, inputs + memory.stride, speed)

    return look if is_kind(world, Hill) else None


@implements(act)
def _act(world, states, stride, at, memory, outputs):
    def push(world, states, stride, at, memory, outputs):
        one = broadcast(states, 1.0)
        if world.discrete:
            store(states, at + PUSH * stride, largest(memory, outputs, 3) - one)
        else:
            store(states, at + PUSH * stride, maximum(-one, minimum(one, load(memory.values, outputs))))

    return push if is_kind(world, Hill) else None


@implements(move)
def _move(world, states, stride, now):
    def drive(world, states, stride, now):
        zero, fastest = broadcast(states, 0.0), broadcast(states, world.fastest)
        left, right = broadcast(states, world.left), broadcast(states, world.right)
        for at in range(0, stride, lanes(states)):
            push, place = load(states, at + PUSH * stride), load(states, at + POSITION * stride)
            speed = fma(broadcast(states, world.power), push, load(states, at + SPEED * stride))
            speed = fma(broadcast(states, -world.gravity), cosine(broadcast(states, 3.0) * place), speed)
            speed = maximum(-fastest, minimum(fastest, speed))
            place = maximum(left, minimum(right, place + speed))
            speed = select(both(equal(place, left), less(speed, zero)), zero, speed)
            store(states, at + POSITION * stride, place)
            store(states, at + SPEED * stride, speed)
            store(states, at + FARTHEST * stride, maximum(load(states, at + FARTHEST * stride), place))
            store(states, at + SQUARES * stride, fma(push, push, load(states, at + SQUARES * stride)))

    return drive if is_kind(world, Hill) else None


@implements(lasts)
def _lasts(world, states, stride, at):
    def below(world, states, stride, at):
        return less(load(states, at + POSITION * stride), broadcast(states, world.goal))

    return below if is_kind(world, Hill) else None


@implements(conclude)
def _conclude(world, states, stride, at, lasted, now):
    def arrive(world, states, stride, at, lasted, now):
        if np.isnan(peek(states, at + POSITION * stride)):
            return np.inf, 0.0
        error = 0.0
        if world.returned:
            cost = world.step_cost * peek(states, at) + world.push_cost * peek(states, at + SQUARES * stride)
            error = max(world.threshold - ((0.0 if lasted else world.bonus) - cost), 0.0)
        elif lasted:
            error = max(world.goal - peek(states, at + FARTHEST * stride), 0.0) / (world.goal - world.left)
        return error, 1.0 if error == 0.0 else 0.0

    return arrive if is_kind(world, Hill) else None
