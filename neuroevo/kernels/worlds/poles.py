"""One or two poles on a cart, all in the same vectors.

Equations: F. Gomez, J. Schmidhuber, R. Miikkulainen, "Accelerated neural evolution through cooperatively coevolved
synapses", JMLR 9:937-965, 2008, appendix A, for unjointed poles; integrated by the classical Runge-Kutta method.

Rows: steps, force, position, speed, then angle and angular speed of each pole; as many for the stage of the integration
and for the sum of its slopes; then the wobble |x| + |x'| + |angle 1| + |angle 1'| after each of the last
`n_wobbles` rounds.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from neuroevo.kernels.compilation import called, implements, inlined, is_kind
from neuroevo.kernels.vectors import (
    absolute,
    both,
    broadcast,
    fma,
    lanes,
    less,
    less_equal,
    load,
    maximum,
    minimum,
    peek,
    poke,
    polynomial,
    select,
    store,
)
from neuroevo.kernels.worlds.base import act, begin, conclude, lasts, move, observe

FORCE, POSITION = 1, 2
"""Rows; the others of the state follow."""

GRAVITY = 9.8
"""m / s^2."""

# Good to the last bit up to 1 rad; poles that lean more have fallen.
_SINE_SINGLE = tuple((-1) ** n / math.factorial(2 * n + 1) for n in range(4, -1, -1))
_SINE_DOUBLE = tuple((-1) ** n / math.factorial(2 * n + 1) for n in range(8, -1, -1))
_COSINE_SINGLE = tuple((-1) ** n / math.factorial(2 * n) for n in range(5, -1, -1))
_COSINE_DOUBLE = tuple((-1) ** n / math.factorial(2 * n) for n in range(9, -1, -1))


class Pole(NamedTuple):
    """A pole: mass in kg, half its length in m, friction of its hinge in kg m^2 / s."""

    mass: float
    half_length: float
    friction: float


class OnePole(NamedTuple):
    """A cart with one pole; all arrays flat.

    Attributes:
        n_rows: Rows of memory.
        n_steps: Control steps of an episode.
        n_episodes: Episodes of a genome.
        n_inputs: Inputs of the network.
        starts: ``(n_episodes * 4,)`` float64: position, speed, angle, angular speed.
        seen: ``(n_inputs,)`` int64, the row that each input shows; -1 for a constant, its offset.
        factors: ``(n_inputs,)`` float64; an input is (row + offset) * factor.
        offsets: ``(n_inputs,)`` float64.
        cart_mass: kg.
        cart_friction: Coefficient of the cart's friction, N.
        force: Largest force, N.
        least_force: Smallest force, N.
        track: Largest distance from the middle, m.
        lean: Largest angle, rad.
        time_step: Of the integration, s.
        n_substeps: Steps of the integration in a control step.
        n_wobbles: Rounds whose wobble is kept for the damping fitness; 0 for the standard one.
        pole: The pole.
    """

    n_rows: int
    n_steps: int
    n_episodes: int
    n_inputs: int
    starts: NDArray[Any]
    seen: NDArray[Any]
    factors: NDArray[Any]
    offsets: NDArray[Any]
    cart_mass: float
    cart_friction: float
    force: float
    least_force: float
    track: float
    lean: float
    time_step: float
    n_substeps: int
    n_wobbles: int
    pole: Pole


class TwoPoles(NamedTuple):
    """A cart with two poles side by side; as `OnePole`, with 6 numbers a start."""

    n_rows: int
    n_steps: int
    n_episodes: int
    n_inputs: int
    starts: NDArray[Any]
    seen: NDArray[Any]
    factors: NDArray[Any]
    offsets: NDArray[Any]
    cart_mass: float
    cart_friction: float
    force: float
    least_force: float
    track: float
    lean: float
    time_step: float
    n_substeps: int
    n_wobbles: int
    pole: Pole
    other: Pole


def n_rows(n_state: int, n_wobbles: int) -> int:
    """Rows of memory of a world with `n_state` numbers of state."""
    return 2 + 3 * n_state + n_wobbles


def _is_poles(world: Any) -> bool:
    return is_kind(world, OnePole) or is_kind(world, TwoPoles)


@implements(begin)
def _begin(world, states, stride, at, episode):
    def begin_poles(world, states, stride, at, episode):
        n = _n_state(world)
        for k in range(n):
            poke(states, at + (POSITION + k) * stride, peek(world.starts, episode * n + k))

    return begin_poles if _is_poles(world) else None


@implements(observe)
def _observe(world, states, stride, at, memory, inputs):
    def observe_poles(world, states, stride, at, memory, inputs):
        for i in range(world.n_inputs):
            row, offset = peek(world.seen, i), broadcast(states, peek(world.offsets, i))
            shown = load(states, at + row * stride) + offset if row >= 0 else offset
            store(memory.values, inputs + i * memory.stride, shown * broadcast(states, peek(world.factors, i)))

    return observe_poles if _is_poles(world) else None


@implements(act)
def _act(world, states, stride, at, memory, outputs):
    def push(world, states, stride, at, memory, outputs):
        largest, least = broadcast(states, world.force), broadcast(states, world.least_force)
        # The output second, so that NaN goes on and the lane fails.
        force = maximum(-largest, minimum(largest, largest * load(memory.values, outputs)))
        away = select(less(force, broadcast(states, 0.0)), -least, least)
        store(states, at + FORCE * stride, select(less(absolute(force), least), away, force))

    return push if _is_poles(world) else None


@implements(move)
def _move(world, states, stride, now):
    def move_poles(world, states, stride, now):
        _move_poles(world, states, stride, now)

    return move_poles if _is_poles(world) else None


@implements(lasts)
def _lasts(world, states, stride, at):
    return _balanced if _is_poles(world) else None


@implements(conclude)
def _conclude(world, states, stride, at, lasted, now):
    def conclude_poles(world, states, stride, at, lasted, now):
        return _conclude_poles(world, states, stride, at, lasted, now)

    return conclude_poles if _is_poles(world) else None


def _n_state(world):
    """Numbers of the state of the cart and its poles."""


@implements(_n_state)
def _n_state_of(world):
    return (lambda world: 4) if is_kind(world, OnePole) else (lambda world: 6)


def _stage(world, states, stride, at, weight, onward):
    """One stage of the integration: weigh its slopes into the sums, and go `onward` s along them for the next stage."""


@implements(_stage)
def _stage_of(world, states, stride, at, weight, onward):
    return _stage_of_one if is_kind(world, OnePole) else _stage_of_two


@called
def _move_poles(world, states, stride, now):
    n, width = _n_state(world), lanes(states)
    h = world.time_step
    for _ in range(world.n_substeps):
        for row in range(POSITION * stride, (POSITION + n) * stride, width):
            store(states, row + n * stride, load(states, row))
            store(states, row + 2 * n * stride, broadcast(states, 0.0))
        for stage in range(4):
            weight = broadcast(states, 2.0 if 0 < stage < 3 else 1.0)
            onward = broadcast(states, h if stage == 2 else 0.5 * h)
            for at in range(0, stride, width):
                _stage(world, states, stride, at, weight, onward)
        sixth = broadcast(states, h / 6)
        for row in range(POSITION * stride, (POSITION + n) * stride, width):
            store(states, row, fma(sixth, load(states, row + 2 * n * stride), load(states, row)))
    if world.n_wobbles > 0:
        kept = (2 + 3 * n + now % world.n_wobbles) * stride
        for at in range(0, stride, width):
            wobble = absolute(load(states, at + POSITION * stride))
            for k in range(1, 4):
                wobble = wobble + absolute(load(states, at + (POSITION + k) * stride))
            store(states, at + kept, wobble)


@inlined
def _lean(states, at, stride, pole):
    """Of the pole whose angle is at element `at`: force on the cart, its share of the mass, what turns it, cosine."""
    angle, turning = load(states, at), load(states, at + stride)
    square = angle * angle
    sine, cosine = _sine_of_small(angle, square), _cosine_of_small(square)
    friction = broadcast(states, pole.friction / (pole.mass * pole.half_length)) * turning
    pull = fma(broadcast(states, -GRAVITY), sine, friction)
    centrifugal = broadcast(states, pole.mass * pole.half_length) * turning * turning
    heavy = broadcast(states, 0.75 * pole.mass) * cosine
    force = fma(centrifugal, sine, heavy * pull)
    return force, fma(-heavy, cosine, broadcast(states, pole.mass)), pull, cosine


@inlined
def _turn(pole, cosine, pull, acceleration):
    """Angular acceleration of a pole."""
    return broadcast(pull, -3 / (4 * pole.half_length)) * fma(acceleration, cosine, pull)


@inlined
def _pushed(world, states, stride, at, speed):
    """The force on the cart, its friction taken off."""
    zero, rub = broadcast(states, 0.0), broadcast(states, world.cart_friction)
    friction = select(less(zero, speed), rub, select(less(speed, zero), -rub, zero))
    return load(states, at + FORCE * stride) - friction


@inlined
def _go_on(states, at, n_elements, slope, weight, onward):
    """Weigh a slope into the sum of the number at `at`, and write the number of the next stage."""
    store(states, at + n_elements, fma(onward, slope, load(states, at)))
    store(states, at + 2 * n_elements, fma(weight, slope, load(states, at + 2 * n_elements)))


def _stage_of_one(world, states, stride, at, weight, onward):
    n, row = 4 * stride, at + POSITION * stride
    speed, turning = load(states, row + n + stride), load(states, row + n + 3 * stride)
    force, mass, pull, cosine = _lean(states, row + n + 2 * stride, stride, world.pole)
    total = _pushed(world, states, stride, at, speed) + force
    acceleration = total / (broadcast(states, world.cart_mass) + mass)
    _go_on(states, row, n, speed, weight, onward)
    _go_on(states, row + stride, n, acceleration, weight, onward)
    _go_on(states, row + 2 * stride, n, turning, weight, onward)
    _go_on(states, row + 3 * stride, n, _turn(world.pole, cosine, pull, acceleration), weight, onward)


def _stage_of_two(world, states, stride, at, weight, onward):
    n, row = 6 * stride, at + POSITION * stride
    speed = load(states, row + n + stride)
    turning, turning_2 = load(states, row + n + 3 * stride), load(states, row + n + 5 * stride)
    force, mass, pull, cosine = _lean(states, row + n + 2 * stride, stride, world.pole)
    force_2, mass_2, pull_2, cosine_2 = _lean(states, row + n + 4 * stride, stride, world.other)
    total = _pushed(world, states, stride, at, speed) + (force + force_2)
    acceleration = total / (broadcast(states, world.cart_mass) + (mass + mass_2))
    _go_on(states, row, n, speed, weight, onward)
    _go_on(states, row + stride, n, acceleration, weight, onward)
    _go_on(states, row + 2 * stride, n, turning, weight, onward)
    _go_on(states, row + 3 * stride, n, _turn(world.pole, cosine, pull, acceleration), weight, onward)
    _go_on(states, row + 4 * stride, n, turning_2, weight, onward)
    _go_on(states, row + 5 * stride, n, _turn(world.other, cosine_2, pull_2, acceleration), weight, onward)


def _balanced(world, states, stride, at):
    """Mask: the cart is on its track and the poles are upright; False where anything is NaN."""
    lean = broadcast(states, world.lean)
    upright = less_equal(absolute(load(states, at + POSITION * stride)), broadcast(states, world.track))
    for k in range(2, _n_state(world), 2):
        upright = both(upright, less_equal(absolute(load(states, at + (POSITION + k) * stride)), lean))
    return upright


@called
def _conclude_poles(world, states, stride, at, lasted, now):
    """Standard: the share of the time fallen. Damping: 1 / F with Gruau's F = 0.1 t / n_steps + 0.9 f."""
    n = _n_state(world)
    for k in range(n):
        if np.isnan(peek(states, at + (POSITION + k) * stride)):
            return np.inf, 0.0
    t = np.int64(peek(states, at)) - (0 if lasted else 1)
    solved = 1.0 if t == world.n_steps else 0.0
    if world.n_wobbles == 0:
        return 1.0 - t / world.n_steps, solved
    fitness = 0.1 * (t / world.n_steps)
    if t >= world.n_wobbles:
        wobble = 0.0
        last = now if lasted else now - 1
        for k in range(last - world.n_wobbles + 1, last + 1):
            wobble += peek(states, at + (2 + 3 * n + k % world.n_wobbles) * stride)
        fitness += 0.9 * (0.75 / max(wobble, 1e-300))
    return (1.0 / fitness if fitness > 0.0 else np.finfo(np.float64).max), solved


def _sine_of_small(x, square):
    """sin(x) for angles up to 1 rad; `square` is x * x."""


@implements(_sine_of_small)
def _sine(x, square):
    if x.element == types.float32:
        return lambda x, square: x * polynomial(square, _SINE_SINGLE)
    return lambda x, square: x * polynomial(square, _SINE_DOUBLE)


def _cosine_of_small(square):
    """cos(x) for angles up to 1 rad, from x * x."""


@implements(_cosine_of_small)
def _cosine(square):
    if square.element == types.float32:
        return lambda square: polynomial(square, _COSINE_SINGLE)
    return lambda square: polynomial(square, _COSINE_DOUBLE)
