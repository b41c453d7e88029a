# ruff: noqa: C901, N803, PLR0915 - one loop of scalars, with the names of the equations
"""Double pole balancing by a plain numba loop and by JAX: the published equations, as one would write them.

The network is `neuroevo.Elman(3, 3, 1, output_activation="tanh")`: it sees three positions.
"""

from __future__ import annotations

import functools
import math

import numba
import numpy as np

N_HIDDEN, N_INPUTS = 3, 3
START = math.radians(4.0)
MASSES, HALVES, HINGE, TRACK_FRICTION, GRAVITY = (0.1, 0.01), (0.5, 0.05), 0.000002, 0.0005, -9.8


def parts_of(network, genomes):
    """The weight arrays of genomes: W, U, b, V, c."""
    names = ("weight_ih_l0", "weight_hh_l0", "bias_l0", "weight_out", "bias_out")
    arrays = [network.layout.decode(genome) for genome in genomes]
    return [np.stack([one[name] for one in arrays]) for name in names]


def numba_loop(dtype, fastmath):
    """Steps balanced by each genome, one genome after the other, all numbers of type `dtype`."""
    real = numba.float32 if dtype == np.float32 else numba.float64
    g, mu_c, mu_p = dtype(GRAVITY), dtype(TRACK_FRICTION), dtype(HINGE)
    m1, m2, l1, l2 = (dtype(x) for x in (*MASSES, *HALVES))
    one, q, ten, least = dtype(1.0), dtype(0.75), dtype(10.0), dtype(10 / 256)
    h, half, sixth, two = dtype(0.01), dtype(0.005), dtype(0.01 / 6), dtype(2.0)
    track, lean, start = dtype(2.4), dtype(0.628329), dtype(START)

    @numba.njit(fastmath=fastmath, inline="always")
    def slopes(force, xd, a1, w1, a2, w2):
        s1, c1, s2, c2 = math.sin(a1), math.cos(a1), math.sin(a2), math.cos(a2)
        p1 = mu_p * w1 / (m1 * l1) + g * s1
        p2 = mu_p * w2 / (m2 * l2) + g * s2
        f1 = m1 * l1 * w1 * w1 * s1 + q * m1 * c1 * p1
        f2 = m2 * l2 * w2 * w2 * s2 + q * m2 * c2 * p2
        mass = one + m1 * (one - q * c1 * c1) + m2 * (one - q * c2 * c2)
        rub = mu_c if xd > 0 else (-mu_c if xd < 0 else real(0))
        acceleration = (force - rub + f1 + f2) / mass
        return acceleration, -q / l1 * (acceleration * c1 + p1), -q / l2 * (acceleration * c2 + p2)

    @numba.njit(fastmath=fastmath)
    def step(force, x, xd, a1, w1, a2, w2):
        for _ in range(2):
            b1, d1, e1 = slopes(force, xd, a1, w1, a2, w2)
            v2, t2, u2 = xd + half * b1, w1 + half * d1, w2 + half * e1
            b2, d2, e2 = slopes(force, v2, a1 + half * w1, t2, a2 + half * w2, u2)
            v3, t3, u3 = xd + half * b2, w1 + half * d2, w2 + half * e2
            b3, d3, e3 = slopes(force, v3, a1 + half * t2, t3, a2 + half * u2, u3)
            v4, t4, u4 = xd + h * b3, w1 + h * d3, w2 + h * e3
            b4, d4, e4 = slopes(force, v4, a1 + h * t3, t4, a2 + h * u3, u4)
            x += sixth * (xd + two * v2 + two * v3 + v4)
            a1 += sixth * (w1 + two * t2 + two * t3 + t4)
            a2 += sixth * (w2 + two * u2 + two * u3 + u4)
            xd += sixth * (b1 + two * b2 + two * b3 + b4)
            w1 += sixth * (d1 + two * d2 + two * d3 + d4)
            w2 += sixth * (e1 + two * e2 + two * e3 + e4)
        return x, xd, a1, w1, a2, w2

    @numba.njit(fastmath=fastmath)
    def balance(W, U, b, V, c, n_steps, steps):
        n_hidden = b.shape[1]
        old, new, seen = np.zeros(n_hidden, dtype), np.zeros(n_hidden, dtype), np.zeros(3, dtype)
        for k in range(len(b)):
            x = xd = w1 = a2 = w2 = real(0)
            a1 = start
            old[:] = 0
            steps[k] = n_steps
            for t in range(n_steps):
                seen[0], seen[1], seen[2] = x / track, a1 / lean, a2 / lean
                for i in range(n_hidden):
                    total = b[k, i]
                    for j in range(3):
                        total += W[k, i, j] * seen[j]
                    for j in range(n_hidden):
                        total += U[k, i, j] * old[j]
                    new[i] = math.tanh(total)
                out = c[k, 0]
                for i in range(n_hidden):
                    old[i] = new[i]
                    out += V[k, 0, i] * new[i]
                force = ten * math.tanh(out)
                if abs(force) < least:
                    force = -least if force < 0 else least
                x, xd, a1, w1, a2, w2 = step(force, x, xd, a1, w1, a2, w2)
                if not (abs(x) <= track and abs(a1) <= lean and abs(a2) <= lean):
                    steps[k] = t
                    break
        return steps

    def run(parts, n_steps):
        arrays = [np.ascontiguousarray(part, dtype=dtype) for part in parts]
        return balance(*arrays, n_steps, np.zeros(len(arrays[0]), np.int64))

    return run


def jax_vmap():
    """Steps balanced by each genome: `jit(vmap(while_loop))` in single precision."""
    import jax
    import jax.numpy as jnp

    m, half = jnp.array(MASSES, jnp.float32), jnp.array(HALVES, jnp.float32)

    def slopes(state, force):
        _, xd, a, w = state
        s, c = jnp.sin(a), jnp.cos(a)
        pull = HINGE * w / (m * half) + GRAVITY * s
        total = force - TRACK_FRICTION * jnp.sign(xd) + (m * half * w * w * s + 0.75 * m * c * pull).sum()
        acceleration = total / (1.0 + (m * (1 - 0.75 * c * c)).sum())
        return xd, acceleration, w, -0.75 / half * (acceleration * c + pull)

    def integrated(state, force):
        def along(slope, h):
            return jax.tree.map(lambda s, k: s + h * k, state, slope)

        k1 = slopes(state, force)
        k2 = slopes(along(k1, 0.005), force)
        k3 = slopes(along(k2, 0.005), force)
        k4 = slopes(along(k3, 0.01), force)
        return jax.tree.map(lambda s, a, b, c, d: s + 0.01 / 6 * (a + 2 * b + 2 * c + d), state, k1, k2, k3, k4)

    def episode(W, U, b, V, c, n_steps):
        def goes_on(carry):
            return carry[3]

        def step(carry):
            t, hidden, state, _ = carry
            x, _, a, _ = state
            seen = jnp.stack([x / 2.4, a[0] / 0.628329, a[1] / 0.628329])
            hidden = jnp.tanh(W @ seen + U @ hidden + b)
            force = 10.0 * jnp.tanh(V @ hidden + c)[0]
            force = jnp.where(jnp.abs(force) < 10 / 256, jnp.where(force < 0, -10 / 256, 10 / 256), force)
            state = integrated(integrated(state, force), force)
            upright = (jnp.abs(state[0]) <= 2.4) & (jnp.abs(state[2]) <= 0.628329).all()
            t = t + upright
            return t, hidden, state, upright & (t < n_steps)

        zero = jnp.float32(0)
        state = zero, zero, jnp.array([START, 0.0], jnp.float32), jnp.zeros(2, jnp.float32)
        return jax.lax.while_loop(goes_on, step, (0, jnp.zeros(N_HIDDEN, jnp.float32), state, True))[0]

    compiled = jax.jit(jax.vmap(episode, in_axes=(0, 0, 0, 0, 0, None)))

    @functools.wraps(episode)
    def run(parts, n_steps):
        return np.asarray(compiled(*(np.asarray(part, np.float32) for part in parts), n_steps))

    return run
