"""Pearlmutter's gradient of a continuous-time network, in his notation and plain loops.

B. A. Pearlmutter: Learning state space trajectories in recurrent neural networks. Neural Computation 1 (1989), 263-269.
His network is T_i dy_i/dt = -y_i + sigma(x_i), x_i = sum_j w_ji y_j + what comes in, and its adjoint
dz_i/dt = z_i / T_i - e_i - sum_j (1 / T_j) w_ij sigma'(x_j) z_j with z(t1) = 0; both are integrated by first-order
differences, the one forward, the other backward, its right-hand side taken where the difference begins.
"""

from __future__ import annotations

import math


def gradient(W, U, b, T, inputs, dt, n_substeps, e):
    """Derivatives by W, U, b and T.

    Args:
        W: ``[unit][input]``, U ``[unit][unit]``, b and T ``[unit]``; sigma is tanh, y(t0) = 0.
        inputs: ``[step][input]``, held for `n_substeps` differences of length `dt` each.
        e: From the units after a step, and its number, to the derivatives of the error by them (impulses).
    """
    n, units = len(b), range(len(b))

    def sums(y, u):
        return [
            sum(U[i][j] * y[j] for j in units) + sum(w * x for w, x in zip(W[i], u, strict=True)) + b[i] for i in units
        ]

    y, path = [0.0] * n, []
    for u in inputs:
        for _ in range(n_substeps):
            x = sums(y, u)
            y = [y[i] + dt / T[i] * (math.tanh(x[i]) - y[i]) for i in units]
            path.append((y, u))
    z = [0.0] * n
    dW, dU = [[0.0] * len(inputs[0]) for _ in units], [[0.0] * n for _ in units]
    db, dT = [0.0] * n, [0.0] * n
    for k in range(len(path) - 1, -1, -1):
        y, u = path[k]
        if (k + 1) % n_substeps == 0:
            impulse = e(y, k // n_substeps)
            z = [z[i] + impulse[i] for i in units]
        x = sums(y, u)
        factor = [(1.0 - math.tanh(x[j]) ** 2) * z[j] / T[j] for j in units]
        for j in units:
            db[j] += factor[j] * dt
            dT[j] -= z[j] / T[j] * (math.tanh(x[j]) - y[j]) / T[j] * dt
            for i in units:
                dU[j][i] += y[i] * factor[j] * dt
            for i in range(len(u)):
                dW[j][i] += u[i] * factor[j] * dt
        z = [z[i] - dt * (z[i] / T[i] - sum(U[j][i] * factor[j] for j in units)) for i in units]
    return dW, dU, db, dT
