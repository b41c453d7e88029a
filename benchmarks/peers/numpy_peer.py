"""Numpy: one genome after the other, and all sequences of a step in one matrix product."""

from __future__ import annotations

import numpy as np


def ways(workload, n_threads):
    from threadpoolctl import threadpool_limits

    threadpool_limits(n_threads)
    network, problem = workload.network(), workload.problem()
    inputs = np.ascontiguousarray(np.moveaxis(problem.inputs, 1, 0), dtype=np.float32)
    targets = np.ascontiguousarray(np.moveaxis(problem.targets, 1, 0), dtype=np.float32)
    cells = {"elman": _elman, "lstm": _lstm, "gru": _gru}
    if workload.cell not in cells:
        return {}
    outputs = cells[workload.cell]

    def errors(population):
        result = np.empty(len(population), np.float32)
        for k, genome in enumerate(population):
            arrays = {name: array.astype(np.float32) for name, array in network.layout.decode(genome).items()}
            result[k] = np.mean((outputs(arrays, inputs) - targets) ** 2)
        return result

    return {"numpy": errors}


def _logistic(x):
    return 1 / (1 + np.exp(-x))


def _read_out(w, states):
    return states @ w["weight_out"].T + w["bias_out"]


def _elman(w, inputs):
    n_steps, n_sequences, _ = inputs.shape
    below = inputs @ w["weight_ih_l0"].T + w["bias_l0"]
    back = np.ascontiguousarray(w["weight_hh_l0"].T)
    h = np.zeros((n_sequences, len(back)), np.float32)
    states = np.empty((n_steps, n_sequences, len(back)), np.float32)
    for t in range(n_steps):
        h = np.tanh(below[t] + h @ back)
        states[t] = h
    return _read_out(w, states)


def _lstm(w, inputs):
    n_steps, n_sequences, _ = inputs.shape
    below = inputs @ w["weight_ih_l0"].T + w["bias_l0"]
    back = np.ascontiguousarray(w["weight_hh_l0"].T)
    h = np.zeros((n_sequences, len(back)), np.float32)
    c = np.zeros_like(h)
    states = np.empty((n_steps, n_sequences, len(back)), np.float32)
    for t in range(n_steps):
        i, f, g, o = np.split(below[t] + h @ back, 4, axis=1)
        c = _logistic(f) * c + _logistic(i) * np.tanh(g)
        h = _logistic(o) * np.tanh(c)
        states[t] = h
    return _read_out(w, states)


def _gru(w, inputs):
    n_steps, n_sequences, _ = inputs.shape
    below = inputs @ w["weight_ih_l0"].T + w["bias_l0"]
    back = np.ascontiguousarray(w["weight_hh_l0"].T)
    h = np.zeros((n_sequences, len(back)), np.float32)
    states = np.empty((n_steps, n_sequences, len(back)), np.float32)
    for t in range(n_steps):
        r_x, z_x, n_x = np.split(below[t], 3, axis=1)
        r_h, z_h, n_h = np.split(h @ back, 3, axis=1)
        r, z = _logistic(r_x + r_h), _logistic(z_x + z_h)
        n = np.tanh(n_x + r * (n_h + w["bias_hn_l0"]))
        h = (1 - z) * n + z * h
        states[t] = h
    return _read_out(w, states)
