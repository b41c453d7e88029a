"""The acrobot; `neuroevo.problems.control.acrobot` has its sources.

Rows: steps, torque, both angles, both speeds; as many as these four for the stage of the integration, and for the sum
of its slopes; then the highest place of the tip.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroevo.kernels.activations import sine
from neuroevo.kernels.compilation import called, implements, inlined, is_kind
from neuroevo.kernels.vectors import (
    absolute,
    broadcast,
    fma,
    lanes,
    less_equal,
    load,
    maximum,
    minimum,
    peek,
    poke,
    rounder,
    select,
    store,
)
from neuroevo.kernels.worlds.base import act, begin, conclude, lasts, move, observe
from neuroevo.kernels.worlds.shared import cosine, largest

TORQUE, FIRST, SECOND, SPEED, SECOND_SPEED = range(1, 6)
HIGHEST = 14


class Links(NamedTuple):
    """Two links of 1 m and 1 kg.

    Attributes:
        n_steps: Longest episode.
        n_episodes: Episodes of a genome.
        starts: ``(n_episodes * 5,)`` float64: both angles, both speeds, height of the tip.
        velocities: Whether speeds are shown too.
        returned: Whether the error is the return short of the threshold; else the share of the height not reached.
        gravity: m / s^2.
        time_step: Of the integration, s.
        fastest: Largest speed of the first joint, rad / s.
        second_fastest: Of the second.
        goal: Height to be passed, m.
        lowest: Lowest height, m.
        threshold: Return whose error is 0.
        n_rows: Rows of memory.
    """

    n_steps: int
    n_episodes: int
    starts: NDArray[Any]
    velocities: bool
    returned: bool
    gravity: float
    time_step: float
    fastest: float
    second_fastest: float
    goal: float
    lowest: float
    threshold: float
    n_rows: int = 15


@implements(begin)
def _begin(world, states, stride, at, episode):
    def hang(world, states, stride, at, episode):
        for k in range(4):
            poke(states, at + (FIRST + k) * stride, peek(world.starts, 5 * episode + k))
        poke(states, at + HIGHEST * stride, peek(world.starts, 5 * episode + 4))

    return hang if is_kind(world, Links) else None


@implements(observe)
def _observe(world, states, stride, at, memory, inputs):
    def feel(world, states, stride, at, memory, inputs):
        values, further = memory.values, memory.stride
        for joint in range(2):
            angle = load(states, at + (FIRST + joint) * stride)
            store(values, inputs + 2 * joint * further, cosine(angle))
            store(values, inputs + (2 * joint + 1) * further, sine(angle))
        if world.velocities:
            fastest, second_fastest = broadcast(states, world.fastest), broadcast(states, world.second_fastest)
            store(values, inputs + 4 * further, load(states, at + SPEED * stride) / fastest)
            store(values, inputs + 5 * further, load(states, at + SECOND_SPEED * stride) / second_fastest)

    return feel if is_kind(world, Links) else None


@implements(act)
def _act(world, states, stride, at, memory, outputs):
    def twist(world, states, stride, at, memory, outputs):
        store(states, at + TORQUE * stride, largest(memory, outputs, 3) - broadcast(states, 1.0))

    return twist if is_kind(world, Links) else None


@implements(move)
def _move(world, states, stride, now):
    def swing(world, states, stride, now):
        _swing(world, states, stride)

    return swing if is_kind(world, Links) else None


@called
def _swing(world, states, stride):
    """A Runge-Kutta step; angles are wrapped and speeds cut after it."""
    width, h = lanes(states), world.time_step
    for row in range(FIRST * stride, (FIRST + 4) * stride, width):
        store(states, row + 4 * stride, load(states, row))
        store(states, row + 8 * stride, broadcast(states, 0.0))
    for stage in range(4):
        weight = broadcast(states, 2.0 if 0 < stage < 3 else 1.0)
        onward = broadcast(states, h if stage == 2 else 0.5 * h)
        for at in range(0, stride, width):
            _stage(world, states, stride, at, weight, onward)
    sixth = broadcast(states, h / 6)
    for at in range(0, stride, width):
        for k in range(4):
            row = at + (FIRST + k) * stride
            value = fma(sixth, load(states, row + 8 * stride), load(states, row))
            if k < 2:
                store(states, row, _wrapped(value))
            else:
                most = broadcast(states, world.fastest if k == 2 else world.second_fastest)
                store(states, row, maximum(-most, minimum(most, value)))
        highest = load(states, at + HIGHEST * stride)
        store(states, at + HIGHEST * stride, maximum(highest, _height(states, stride, at)))


@inlined
def _stage(world, states, stride, at, weight, onward):
    """One stage: weigh its slopes into the sums, and go `onward` s along them for the next stage."""
    row = at + (FIRST + 4) * stride
    first, second = load(states, row), load(states, row + stride)
    speed, second_speed = load(states, row + 2 * stride), load(states, row + 3 * stride)
    half, one_quarter = broadcast(states, 0.5), broadcast(states, 1.25)
    bend, across = cosine(second), sine(second)
    d1, d2 = bend + broadcast(states, 3.5), fma(half, bend, one_quarter)
    phi2 = broadcast(states, 0.5 * world.gravity) * sine(first + second)
    turning = fma(half * second_speed, second_speed, second_speed * speed) * across
    phi1 = fma(broadcast(states, 1.5 * world.gravity), sine(first), phi2) - turning
    share = d2 / d1
    push = fma(share, phi1, load(states, at + TORQUE * stride)) - fma(half * speed * speed, across, phi2)
    second_change = push / fma(-share, d2, one_quarter)
    change = -(fma(d2, second_change, phi1) / d1)
    _go_on(states, at + FIRST * stride, stride, speed, weight, onward)
    _go_on(states, at + SECOND * stride, stride, second_speed, weight, onward)
    _go_on(states, at + SPEED * stride, stride, change, weight, onward)
    _go_on(states, at + SECOND_SPEED * stride, stride, second_change, weight, onward)


@inlined
def _go_on(states, at, stride, slope, weight, onward):
    store(states, at + 4 * stride, fma(onward, slope, load(states, at)))
    store(states, at + 8 * stride, fma(weight, slope, load(states, at + 8 * stride)))


@inlined
def _wrapped(angle):
    """The same angle within -pi ... pi; one that is there stays as it is."""
    turns = fma(angle, broadcast(angle, 0.5 / math.pi), rounder(angle)) - rounder(angle)
    within = less_equal(absolute(angle), broadcast(angle, math.pi))
    return select(within, angle, fma(turns, broadcast(angle, -2 * math.pi), angle))


@inlined
def _height(states, stride, at):
    first, second = load(states, at + FIRST * stride), load(states, at + SECOND * stride)
    return -cosine(first) - cosine(first + second)


@implements(lasts)
def _lasts(world, states, stride, at):
    def below(world, states, stride, at):
        return less_equal(_height(states, stride, at), broadcast(states, world.goal))

    return below if is_kind(world, Links) else None


@implements(conclude)
def _conclude(world, states, stride, at, lasted, now):
    def reach(world, states, stride, at, lasted, now):
        if np.isnan(peek(states, at + FIRST * stride)):
            return np.inf, 0.0
        error = 0.0
        if world.returned:
            error = max(peek(states, at) - (0.0 if lasted else 1.0) + world.threshold, 0.0)
        elif lasted:
            error = max(world.goal - peek(states, at + HIGHEST * stride), 0.0) / (world.goal - world.lowest)
        return error, 1.0 if error == 0.0 else 0.0

    return reach if is_kind(world, Links) else None
