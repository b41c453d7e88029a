"""Poles on a cart as a linear system of equations of motion, number by number: slow, obvious, derived on its own.

A cart of mass M and uniform rods of mass m and half length l hinged on it, angles from the vertical (Lagrange):

    (M + sum m) x'' + sum m l cos(a) a''    = F - mu_c sgn(x') + sum m l a'^2 sin(a)
    m l cos(a) x'' + (4/3) m l^2 a''        = m g l sin(a) - mu_p a'
"""

from __future__ import annotations

import numpy as np

GRAVITY = 9.8
RODS = [(0.1, 0.5), (0.01, 0.05)]


def motion(state, force, rods, cart_friction, hinge_friction):
    """The derivative of (x, x', a1, a1', a2, a2') by time."""
    n = len(rods)
    matrix, right = np.zeros((n + 1, n + 1)), np.zeros(n + 1)
    matrix[0, 0] = 1.0
    right[0] = force - cart_friction * np.sign(state[1])
    for k, (mass, half) in enumerate(rods, 1):
        angle, turning = state[2 * k], state[2 * k + 1]
        matrix[0, 0] += mass
        matrix[0, k] = matrix[k, 0] = mass * half * np.cos(angle)
        matrix[k, k] = 4 / 3 * mass * half**2
        right[0] += mass * half * turning**2 * np.sin(angle)
        right[k] = mass * GRAVITY * half * np.sin(angle) - hinge_friction * turning
    accelerations = np.linalg.solve(matrix, right)
    slopes = np.empty(2 * n + 2)
    slopes[0::2], slopes[1::2] = state[1::2], accelerations
    return slopes


def control_step(state, force, rods, friction=(0.0, 0.0)):
    """0.02 s under a constant force: two Runge-Kutta steps of 0.01 s."""
    for _ in range(2):
        k1 = motion(state, force, rods, *friction)
        k2 = motion(state + 0.005 * k1, force, rods, *friction)
        k3 = motion(state + 0.005 * k2, force, rods, *friction)
        k4 = motion(state + 0.01 * k3, force, rods, *friction)
        state = state + 0.01 / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return state


def balance(network, genome, start, n_steps, show, rods, friction, limit, least=10 / 256):
    """The states after every step that was balanced; the network through `predict` on all that it has seen."""
    state, seen, states = np.array(start), [], []
    for _ in range(n_steps):
        seen.append(show(state))
        force = 10.0 * min(1.0, max(-1.0, network.predict(genome, np.array([seen]))[0, -1, 0]))
        if abs(force) < least:
            force = -least if force < 0 else least
        state = control_step(state, force, rods, friction)
        if abs(state[0]) > 2.4 or (np.abs(state[2::2]) > limit).any():
            break
        states.append(state)
    return np.array(states)
