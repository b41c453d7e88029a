"""The truncated gradient of Hochreiter and Schmidhuber (1997) in forward mode, sequence by sequence, step by step.

Nothing here calls the package but for the arrays of a genome. Derivatives of a cell by its weights run along with it;
errors reach gates and cells from the outputs of the same step alone.
"""

from __future__ import annotations

import numpy as np


def sigma(x):
    return 1.0 / (1.0 + np.exp(-x))


def gradient(arrays, inputs, targets, counts, forget_gate, moved=None):
    """Derivatives of the sum of squared errors by the arrays of a network with linear outputs.

    Args:
        arrays: Name to array; replaced by what `moved` returns.
        inputs, targets: Lists of sequences ``(n_steps, n)``.
        counts: Lists of ``(n_steps, n_outputs)`` bool.
        forget_gate: Whether the cells have one.
        moved: None, or a function of arrays, gradient and whether the sequence ends, called after each step: the arrays
            that follow, and the gradient to go on with.
    """
    gradient = {name: np.zeros_like(array) for name, array in arrays.items()}
    for x, target, counted in zip(inputs, targets, counts, strict=True):
        n = len(arrays["weight_out"][0])
        h, c = arrays.get("initial_state_l0", np.zeros(n)), arrays.get("initial_cell_l0", np.zeros(n))
        gates = ["i", "f", "g"] if forget_gate else ["i", "g"]
        traces = {gate: np.zeros((n, 1 + x.shape[1] + n)) for gate in gates}
        of_first = np.ones(n)
        for t in range(len(x)):
            z = np.concatenate([[1.0], x[t], h])
            w = np.column_stack([arrays["bias_l0"], arrays["weight_ih_l0"], arrays["weight_hh_l0"]])
            sums = dict(zip([*gates, "o"], np.split(w @ z, len(gates) + 1), strict=True))
            i, o, g = sigma(sums["i"]), sigma(sums["o"]), np.tanh(sums["g"])
            f = sigma(sums["f"]) if forget_gate else np.ones(n)
            local = {"i": g * i * (1 - i), "g": i * (1 - g**2), "f": c * f * (1 - f)}
            for gate in gates:
                traces[gate] = f[:, None] * traces[gate] + np.outer(local[gate], z)
            of_first = f * of_first
            c = f * c + i * g
            h_new = o * np.tanh(c)
            y = arrays["weight_out"] @ h_new + arrays["bias_out"]
            if "weight_skip" in arrays:
                y = y + arrays["weight_skip"] @ x[t]
            delta = 2.0 * (y - target[t]) * counted[t]
            at_unit = arrays["weight_out"].T @ delta
            at_cell = at_unit * o * (1 - np.tanh(c) ** 2)
            found = [at_cell[:, None] * traces[gate] for gate in gates]
            found = np.concatenate([*found, np.outer(at_unit * np.tanh(c) * o * (1 - o), z)])
            gradient["bias_l0"] = gradient["bias_l0"] + found[:, 0]
            gradient["weight_ih_l0"] = gradient["weight_ih_l0"] + found[:, 1 : 1 + x.shape[1]]
            gradient["weight_hh_l0"] = gradient["weight_hh_l0"] + found[:, 1 + x.shape[1] :]
            gradient["weight_out"] = gradient["weight_out"] + np.outer(delta, h_new)
            gradient["bias_out"] = gradient["bias_out"] + delta
            if "weight_skip" in arrays:
                gradient["weight_skip"] = gradient["weight_skip"] + np.outer(delta, x[t])
            if "initial_cell_l0" in arrays:
                gradient["initial_cell_l0"] = gradient["initial_cell_l0"] + at_cell * of_first
            h = h_new
            if moved is not None:
                arrays, gradient = moved(arrays, gradient, t + 1 == len(x))
    return arrays if moved is not None else gradient
