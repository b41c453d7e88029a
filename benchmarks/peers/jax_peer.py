"""JAX: the forward pass of one genome as a `lax.scan` over the steps, `vmap` over the population, `jit` around it.

This is what a user of evosax runs. Gated cells come in two forms, of which now one, now the other is quicker: all gates
in one product that is split afterwards, and a product a gate (as in flax's `LSTMCell`). A graph is the dense network
with zeros where there is no link, which on a CPU is faster in JAX than gathering along the links.
"""

from __future__ import annotations

import os

import numpy as np


def ways(workload, n_threads):
    return {name: on_device(error) for name, error in errors_of(workload, n_threads).items()}


def gradient_ways(workload, n_threads):
    """Errors with their gradients: `value_and_grad` of what `ways` evaluates."""
    return {name: gradient_on_device(error) for name, error in errors_of(workload, n_threads).items()}


def errors_of(workload, n_threads):
    """The error of one genome in each form."""
    # Flags are read when JAX starts, so the first workload of a process decides.
    flags = [f"--xla_cpu_multi_thread_eigen={str(n_threads > 1).lower()}", f"intra_op_parallelism_threads={n_threads}"]
    os.environ.setdefault("XLA_FLAGS", " ".join(flags))
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    if workload.cell == "graph":
        return {"jax": graph_error(workload)}
    cells = {
        "elman": {"jax": elman},
        "lstm": {"jax": lstm, "jax_apart": lstm_apart},
        "gru": {"jax": gru, "jax_apart": gru_apart},
    }
    return {name: dense_error(workload, cell) for name, cell in cells.get(workload.cell, {}).items()}


def on_device(error):
    """Errors of a population, which is moved to the device once: an evolution in JAX has it there already."""
    import jax

    return with_device_arrays(jax.jit(jax.vmap(error)))


def gradient_on_device(error):
    """As `on_device`: errors and gradients."""
    import jax

    return with_device_arrays(jax.jit(jax.vmap(jax.value_and_grad(error))))


def with_device_arrays(compiled):
    import jax
    import jax.numpy as jnp

    moved = {}

    def call(population):
        if id(population) not in moved:
            moved.clear()
            moved[id(population)] = jnp.asarray(population, jnp.float32)
        return jax.tree.map(np.asarray, jax.block_until_ready(compiled(moved[id(population)])))

    return call


def elman(w, h, x):
    import jax.numpy as jnp

    h = jnp.tanh(x @ w["weight_ih_l0"].T + h @ w["weight_hh_l0"].T + w["bias_l0"])
    return h, h


def lstm(w, state, x):
    import jax.numpy as jnp
    from jax.nn import sigmoid

    h, c = state
    gates = x @ w["weight_ih_l0"].T + h @ w["weight_hh_l0"].T + w["bias_l0"]
    i, f, g, o = jnp.split(gates, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * jnp.tanh(g)
    h = sigmoid(o) * jnp.tanh(c)
    return (h, c), h


def gru(w, h, x):
    import jax.numpy as jnp
    from jax.nn import sigmoid

    below = jnp.split(x @ w["weight_ih_l0"].T + w["bias_l0"], 3, axis=-1)
    back = jnp.split(h @ w["weight_hh_l0"].T, 3, axis=-1)
    r, z = sigmoid(below[0] + back[0]), sigmoid(below[1] + back[1])
    n = jnp.tanh(below[2] + r * (back[2] + w["bias_hn_l0"]))
    h = (1 - z) * n + z * h
    return h, h


def apart(array, n_gates):
    """The gates of a stacked array."""
    import jax.numpy as jnp

    return jnp.split(array, n_gates)


def lstm_apart(w, state, x):
    import jax.numpy as jnp
    from jax.nn import sigmoid

    h, c = state
    arrays = (apart(w[name], 4) for name in ("weight_ih_l0", "weight_hh_l0", "bias_l0"))
    i, f, g, o = (x @ below.T + h @ back.T + bias for below, back, bias in zip(*arrays, strict=True))
    c = sigmoid(f) * c + sigmoid(i) * jnp.tanh(g)
    h = sigmoid(o) * jnp.tanh(c)
    return (h, c), h


def gru_apart(w, h, x):
    import jax.numpy as jnp
    from jax.nn import sigmoid

    below = [x @ u.T + b for u, b in zip(apart(w["weight_ih_l0"], 3), apart(w["bias_l0"], 3), strict=True)]
    back = [h @ u.T for u in apart(w["weight_hh_l0"], 3)]
    r, z = sigmoid(below[0] + back[0]), sigmoid(below[1] + back[1])
    n = jnp.tanh(below[2] + r * (back[2] + w["bias_hn_l0"]))
    h = (1 - z) * n + z * h
    return h, h


def sequences(workload):
    """Inputs and targets with the steps first, as a scan wants them."""
    import jax.numpy as jnp

    problem = workload.problem()
    return tuple(jnp.asarray(np.moveaxis(array, 1, 0), jnp.float32) for array in (problem.inputs, problem.targets))


def dense_error(workload, cell):
    import jax
    import jax.numpy as jnp

    layout = workload.network().layout
    xy = sequences(workload)
    zeros = jnp.zeros((workload.n_sequences, workload.n_hidden), jnp.float32)
    start = (zeros, zeros) if workload.cell == "lstm" else zeros

    def error(genome):
        w = {block.name: genome[block.genes.ravel()[0] :][: block.genes.size] for block in layout.blocks}
        w = {name: w[name].reshape(shape) for name, shape in zip(layout.names, layout.shapes, strict=True)}

        def step(state, pair):
            state, h = cell(w, state, pair[0])
            return state, ((h @ w["weight_out"].T + w["bias_out"] - pair[1]) ** 2).mean()

        return jax.lax.scan(step, start, xy)[1].mean()

    return error


def graph_error(workload):
    import jax
    import jax.numpy as jnp

    network = workload.network()
    xy = sequences(workload)
    n_units, one = network.n_units, network.n_inputs
    start = jnp.zeros((workload.n_sequences, n_units), jnp.float32)
    sources, targets = network.links.T

    def error(genome):
        weights = jnp.zeros((n_units + network.n_outputs, one + 1 + n_units), jnp.float32)
        weights = weights.at[targets, sources].set(genome)
        below, bias, back = weights[:, :one].T, weights[:, one], weights[:, one + 1 :].T

        def step(h, pair):
            h = jnp.tanh(pair[0] @ below[:, :n_units] + bias[:n_units] + h @ back[:, :n_units])
            out = pair[0] @ below[:, n_units:] + bias[n_units:] + h @ back[:, n_units:]
            return h, ((out - pair[1]) ** 2).mean()

        return jax.lax.scan(step, start, xy)[1].mean()

    return error
