"""Locally recurrent networks and causal recursive backpropagation, one multiplication at a time.

Notation of Campolucci, Uncini, Piazza and Rao (1999): x the values of a layer, y those of its synapses, s the sums,
w the taps of sources, v those of what is fed back. Nothing here calls the package.
"""

from __future__ import annotations

import math

from tests.oracle.recurrent import ACTIVATIONS, Genes, read_out


def layers_of(network, genes):
    """The layers with their weights, in genome order: w[n][m][p], v[n][m][r] or v[n][r], b[n]."""
    layers, n_sources = [], network.n_inputs
    L, I = network.ma_taps, network.ar_taps  # noqa: E741 - the paper's letters
    names = [f"l{k}" for k in range(network.n_layers)] + ["out"] * network.dynamic_output
    for name in names:
        n_units = network.n_outputs if name == "out" else network.n_hidden
        layer = {"kind": network.feedback, "f": network.output_activation if name == "out" else network.activation}
        layer["w"] = cube(genes, f"weight_ma_{name}", n_units, n_sources, L)
        if I and network.feedback == "synapse":
            layer["v"] = cube(genes, f"weight_ar_{name}", n_units, n_sources, I)
        else:
            layer["v"] = genes.matrix(f"weight_ar_{name}", n_units, I) if I else [[]] * n_units
        if not I:
            layer["kind"] = "nothing"
        layer["b"] = genes.vector(f"bias_{name}", n_units)
        layers.append(layer)
        n_sources = n_units
    if not network.dynamic_output:
        weights = genes.matrix("weight_out", network.n_outputs, network.n_hidden)
        out = {"kind": "nothing", "f": network.output_activation, "w": [[[w] for w in row] for row in weights]}
        layers.append({**out, "v": [[]] * network.n_outputs, "b": genes.vector("bias_out", network.n_outputs)})
    assert genes.used == len(genes.genes)
    return layers


def cube(genes, name, n, m, taps):
    fixed = genes.fixed.get(name, [[[math.nan] * taps] * m] * n)
    return [[[genes.number(fixed[i][j][k]) for k in range(taps)] for j in range(m)] for i in range(n)]


def outputs(network, genome, sequence):
    """One sequence through the network."""
    return forward(layers_of(network, Genes(genome, network.fixed)), sequence)[-1]["x"]


def forward(layers, sequence):
    """For each layer its values of all steps: below[t][m], y[t][n][m], s[t][n], x[t][n]."""
    found, below = [], sequence
    for layer in layers:
        values = {"below": below, "y": [], "s": [], "x": []}
        for t in range(len(sequence)):
            values["y"].append([])
            values["s"].append([])
            for n, b in enumerate(layer["b"]):
                y = [
                    sum(w * below[t - p][m] for p, w in enumerate(layer["w"][n][m]) if t >= p)
                    for m in range(len(layer["w"][n]))
                ]
                s = b
                if layer["kind"] == "synapse":
                    y = [
                        y[m] + sum(v * values["y"][t - r][n][m] for r, v in enumerate(layer["v"][n][m], 1) if t >= r)
                        for m in range(len(y))
                    ]
                elif layer["kind"] != "nothing":
                    past = values["s" if layer["kind"] == "activation" else "x"]
                    s += sum(v * past[t - r][n] for r, v in enumerate(layer["v"][n], 1) if t >= r)
                values["y"][t].append(y)
                values["s"][t].append(s + sum(y))
            s = values["s"][t]
            values["x"].append(read_out(layer["f"], s) if layer is layers[-1] else [ACTIVATIONS[layer["f"]](v) for v in s])
        found.append(values)
        below = values["x"]
    return found
