"""Mountain car, acrobot, T-maze and recall, one episode at a time with plain numbers: slow, obvious, written on its own."""

from __future__ import annotations

import math

import numpy as np

from neuroevo.networks import Player


def clipped(value, most):
    return max(-most, min(most, value))


def car(network, genome, start, n_steps, *, continuous=False, velocities=False):
    """Positions after each step, pushes, and whether the flag was reached."""
    power, goal = (0.0015, 0.45) if continuous else (0.001, 0.5)
    position, speed, player, places, pushes = start, 0.0, Player(network, genome), [], []
    for _ in range(n_steps):
        outputs = player.step([(position + 0.3) / 0.9] + [speed / 0.07] * velocities)
        push = clipped(outputs[0], 1.0) if continuous else list(outputs).index(max(outputs)) - 1
        speed = clipped(speed + push * power - 0.0025 * math.cos(3 * position), 0.07)
        position = min(0.6, position + speed)
        if position <= -1.2:
            position, speed = -1.2, max(speed, 0.0)
        places.append(position)
        pushes.append(push)
        if position >= goal:
            return places, pushes, True
    return places, pushes, False


def motion(state, torque):
    """The derivative of (a1, a2, a1', a2') by time, from the equations of motion D a'' + h + g = torque (Spong 1995)."""
    first, second, speed, second_speed = state
    coupling = 0.5 * math.cos(second)
    inertia = np.array([[0.25 + 1.25 + 2 * coupling + 2.0, 0.25 + coupling + 1.0], [0.25 + coupling + 1.0, 1.25]])
    swirl = 0.5 * math.sin(second)
    forces = np.array([-swirl * second_speed**2 - 2 * swirl * speed * second_speed, swirl * speed**2])
    outer = 0.5 * 9.8 * math.sin(first + second)
    weight = np.array([1.5 * 9.8 * math.sin(first) + outer, outer])
    return np.array([speed, second_speed, *np.linalg.solve(inertia, np.array([0.0, torque]) - forces - weight)])


def links(network, genome, start, n_steps, *, velocities=False):
    """Heights of the tip after each step, and whether the last is above the goal."""
    state, player, heights, h = np.array(start), Player(network, genome), [], 0.2
    for _ in range(n_steps):
        first, second, speed, second_speed = state
        seen = [math.cos(first), math.sin(first), math.cos(second), math.sin(second)]
        outputs = player.step(seen + [speed / (4 * math.pi), second_speed / (9 * math.pi)] * velocities)
        torque = list(outputs).index(max(outputs)) - 1
        k1 = motion(state, torque)
        k2 = motion(state + h / 2 * k1, torque)
        k3 = motion(state + h / 2 * k2, torque)
        k4 = motion(state + h * k3, torque)
        first, second, speed, second_speed = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        angles = (math.atan2(math.sin(angle), math.cos(angle)) for angle in (first, second))
        state = np.array([*angles, clipped(speed, 4 * math.pi), clipped(second_speed, 9 * math.pi)])
        heights.append(-math.cos(first) - math.cos(first + second))
        if heights[-1] > 1.0:
            return heights, True
    return heights, False


def maze(network, genome, length, goal, n_steps, noise=None):
    """The return of a walk, and whether it came to the goal, "north" or "south"; `noise` ``(n_steps, 2)``."""
    player, place, total = Player(network, genome), 0, 0.0
    for step in range(n_steps):
        if place == 0:
            seen = [0, 1, 1] if goal == "north" else [1, 1, 0]
        elif place == length:
            seen = [0, 1, 0]
        else:
            seen = [1, 0, 1] if noise is None else [noise[step][0], 0, noise[step][1]]
        outputs = player.step(seen)
        way = ["north", "east", "south", "west"][list(outputs).index(max(outputs))]
        if way in ("north", "south") and place == length:
            return total + (4.0 if way == goal else -0.1), way == goal
        if way == "east" and place < length:
            place += 1
        elif way == "west" and place > 0:
            place -= 1
        else:
            total -= 0.1
    return total, False


def recall(network, genome, symbols, wanted, n_inputs):
    """How many of the answers at the last steps are the `wanted` ones."""
    player, answers = Player(network, genome), []
    for symbol in symbols:
        outputs = player.step(np.eye(n_inputs)[symbol])
        answers.append(list(outputs).index(max(outputs)))
    return sum(answer == right for answer, right in zip(answers[-len(wanted) :], wanted, strict=True))
