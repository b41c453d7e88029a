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


def slope(name, s):
    """f'(s) from the derivative's own formula."""
    if name == "tanh":
        return 1.0 / math.cosh(s) ** 2
    if name == "logistic":
        return math.exp(-s) / (1.0 + math.exp(-s)) ** 2
    return {"linear": lambda: 1.0, "sine": lambda: math.cos(s), "softsign": lambda: 1.0 / (1.0 + abs(s)) ** 2}[name]()


class Passed:
    """What one sequence leaves behind, with everything before the first step 0."""

    def __init__(self, layers, sequence):
        self.layers, self.found = layers, forward(layers, sequence)

    def below(self, k, t, m):
        return self.found[k]["below"][t][m] if t >= 0 else 0.0

    def fed_back(self, k, t, n, m):
        if t < 0:
            return 0.0
        kind = self.layers[k]["kind"]
        return self.found[k]["y"][t][n][m] if kind == "synapse" else self.found[k]["s" if kind == "activation" else "x"][t][n]

    def slope(self, k, t, n):
        return slope(self.layers[k]["f"], self.found[k]["s"][t][n])

    def taps(self, k, n, m):
        """Of link m where links feed back, else those of the unit."""
        v = self.layers[k]["v"][n]
        return v[m] if self.layers[k]["kind"] == "synapse" else v

    def gain(self, k, t, n):
        """What a derivative of s is multiplied by before it is fed back."""
        return self.slope(k, t, n) if self.layers[k]["kind"] == "output" else 1.0


def impulse(passed, k, q, n, t, reach):
    """h_qn(p) for p up to `reach`: the derivative of s_q[t+p] by x_n[t] of the layer below k."""
    w, v, h = passed.layers[k]["w"][q][n], passed.taps(k, q, n), []
    for p in range(reach + 1):
        total = w[p] if p < len(w) else 0.0
        h.append(total + sum(v[r - 1] * passed.gain(k, t + p - r, q) * h[p - r] for r in range(1, min(len(v), p) + 1)))
    return h


def deltas(passed, errors, reaches):
    """delta[k][t][n] where errors[t][o] are the derivatives of the error by the outputs."""
    n_steps, n_layers = len(errors), len(passed.layers)
    found = [None] * n_layers
    for k in reversed(range(n_layers)):
        found[k] = []
        for t in range(n_steps):
            if k + 1 == n_layers:
                e = errors[t]
            else:
                last = min(reaches[k + 1], n_steps - 1 - t)
                e = [0.0] * len(passed.layers[k]["b"])
                for q in range(len(passed.layers[k + 1]["b"])):
                    for n in range(len(e)):
                        h = impulse(passed, k + 1, q, n, t, last)
                        e[n] += sum(found[k + 1][t + p][q] * h[p] for p in range(last + 1))
            found[k].append([e[n] * passed.slope(k, t, n) for n in range(len(e))])
    return found


def filtered(passed, k, n, m, sources):
    """alpha or beta of all steps: sources through the taps of link m to unit n."""
    v, found = passed.taps(k, n, m), []
    for t, source in enumerate(sources):
        back = (v[r - 1] * passed.gain(k, t - r, n) * found[t - r] for r in range(1, min(len(v), t) + 1))
        found.append(source + sum(back))
    return found


def crbp(network, genome, sequence, errors, reach):
    """The gradient by Q = `reach`, in genome order (nothing fixed); of layers without feedback Q is L - 1 at most."""
    layers = layers_of(network, Genes(genome))
    passed, steps = Passed(layers, sequence), range(len(sequence))
    reaches = [reach if layer["kind"] != "nothing" else min(reach, len(layer["w"][0][0]) - 1) for layer in layers]
    delta, gradient = deltas(passed, errors, reaches), []
    for k, layer in enumerate(layers):
        units, links = range(len(layer["b"])), range(len(layer["w"][0]))

        def contribution(n, m, sources, k=k):
            alpha = filtered(passed, k, n, m, sources)
            return sum(delta[k][t][n] * alpha[t] for t in steps)

        for n in units:
            for m in links:
                for p in range(len(layer["w"][n][m])):
                    gradient.append(contribution(n, m, [passed.below(k, t - p, m) for t in steps]))
        for n in units:
            for m in links if layer["kind"] == "synapse" else (0,):
                for r in range(1, len(passed.taps(k, n, m)) + 1):
                    gradient.append(contribution(n, m, [passed.fed_back(k, t - r, n, m) for t in steps]))
        for n in units:
            if layer["kind"] == "synapse":
                gradient.append(sum(delta[k][t][n] for t in steps))
            else:
                gradient.append(contribution(n, 0, [1.0 for t in steps]))
    return gradient
