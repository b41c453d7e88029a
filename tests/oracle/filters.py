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
    found = nothing_yet(layers, sequence)
    for t in range(len(sequence)):
        advance(layers, found, t)
    return found


def nothing_yet(layers, sequence):
    found, below = [], sequence
    for _ in layers:
        found.append({"below": below, "y": [], "s": [], "x": []})
        below = found[-1]["x"]
    return found


def advance(layers, found, t):
    """One step of all layers."""
    for layer, values in zip(layers, found, strict=True):
        ys, sums, below = [], [], values["below"]
        for n, b in enumerate(layer["b"]):
            y = [sum(w * below[t - p][m] for p, w in enumerate(taps) if t >= p) for m, taps in enumerate(layer["w"][n])]
            if layer["kind"] == "synapse":
                for m, taps in enumerate(layer["v"][n]):
                    y[m] += sum(v * values["y"][t - r][n][m] for r, v in enumerate(taps, 1) if t >= r)
            s = b + sum(y)
            if layer["kind"] in ("activation", "output"):
                past = values["s" if layer["kind"] == "activation" else "x"]
                s += sum(v * past[t - r][n] for r, v in enumerate(layer["v"][n], 1) if t >= r)
            ys.append(y)
            sums.append(s)
        values["y"].append(ys)
        values["s"].append(sums)
        is_out = layer is layers[-1]
        values["x"].append(read_out(layer["f"], sums) if is_out else [ACTIVATIONS[layer["f"]](s) for s in sums])


def slope(name, s):
    """f'(s) from the derivative's own formula."""
    if name == "tanh":
        return 1.0 / math.cosh(s) ** 2
    if name == "logistic":
        return math.exp(-s) / (1.0 + math.exp(-s)) ** 2
    return {"linear": lambda: 1.0, "sine": lambda: math.cos(s), "softsign": lambda: 1.0 / (1.0 + abs(s)) ** 2}[name]()


class Passed:
    """What one sequence leaves behind, with everything before the first step 0."""

    def __init__(self, layers, found):
        self.layers, self.found = layers, found

    def below(self, k, t, m):
        return self.found[k]["below"][t][m] if t >= 0 else 0.0

    def fed_back(self, k, t, n, m):
        if t < 0:
            return 0.0
        kind, found = self.layers[k]["kind"], self.found[k]
        return found["y"][t][n][m] if kind == "synapse" else found["s" if kind == "activation" else "x"][t][n]

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
    passed, steps = Passed(layers, forward(layers, sequence)), range(len(sequence))
    reaches = [reach if layer["kind"] != "nothing" else min(reach, len(layer["w"][0][0]) - 1) for layer in layers]
    delta, gradient = deltas(passed, errors, reaches), []
    for k, layer in enumerate(layers):
        units, links = range(len(layer["b"])), range(len(layer["w"][0]))

        def contribution(n, m, sources, k=k):
            alpha = filtered(passed, k, n, m, sources)
            return sum(delta[k][t][n] * alpha[t] for t in steps)

        for n in units:
            for m in links:
                seen = ([passed.below(k, t - p, m) for t in steps] for p in range(len(layer["w"][n][m])))
                gradient += [contribution(n, m, sources) for sources in seen]
        for n in units:
            for m in links if layer["kind"] == "synapse" else (0,):
                delays = range(1, len(passed.taps(k, n, m)) + 1)
                fed_back = ([passed.fed_back(k, t - r, n, m) for t in steps] for r in delays)
                gradient += [contribution(n, m, sources) for sources in fed_back]
        for n in units:
            if layer["kind"] == "synapse":
                gradient.append(sum(delta[k][t][n] for t in steps))
            else:
                gradient.append(contribution(n, 0, [1.0 for t in steps]))
    return gradient


def coefficients(layers):
    """Layer, unit, link, what ("w", "v" or "b"), tap, and the list that holds it, in genome order."""
    for k, layer in enumerate(layers):
        units, links = range(len(layer["b"])), range(len(layer["w"][0]))
        holders = [(n, m, "w", layer["w"][n][m]) for n in units for m in links]
        if layer["kind"] == "synapse":
            holders += [(n, m, "v", layer["v"][n][m]) for n in units for m in links]
        else:
            holders += [(n, 0, "v", layer["v"][n]) for n in units]
        yield from ((k, n, m, what, tap, holder) for n, m, what, holder in holders for tap in range(len(holder)))
        yield from ((k, n, 0, "b", n, layer["b"]) for n in units)


def online(  # noqa: C901, PLR0912 - the paper's loops as they are
    network, genome, sequence, error_slopes, reach, rate, momentum=0.0, interval=1, clip=math.inf
):
    """The genome after one pass in which weights move; `error_slopes(t, outputs)` are the derivatives of a step's error."""
    layers = layers_of(network, Genes(genome))
    passed, genes, n_steps = Passed(layers, nothing_yet(layers, sequence)), list(coefficients(layers)), len(sequence)
    reaches = [reach if layer["kind"] != "nothing" else min(reach, len(layer["w"][0][0]) - 1) for layer in layers]
    lags = [sum(reaches[k + 1 :]) for k in range(len(layers))]
    delta, alphas = [{} for _ in layers], [[] for _ in genes]
    gradient, moves = [0.0] * len(genes), [0.0] * len(genes)
    for t in range(n_steps + lags[0]):
        if t < n_steps:
            advance(layers, passed.found, t)
        for k in reversed(range(len(layers))):
            now = t - lags[k]
            if not 0 <= now < n_steps:
                continue
            e = error_slopes(t, passed.found[-1]["x"][t]) if k + 1 == len(layers) else [0.0] * len(layers[k]["b"])
            if k + 1 < len(layers):
                last = min(reaches[k + 1], n_steps - 1 - now)
                for q in range(len(layers[k + 1]["b"])):
                    for n in range(len(e)):
                        h = impulse(passed, k + 1, q, n, now, last)
                        e[n] += sum(delta[k + 1][now + p][q] * h[p] for p in range(last + 1))
            delta[k][now] = [e[n] * passed.slope(k, now, n) for n in range(len(e))]
            for i, (layer, n, m, what, tap, _) in enumerate(genes):
                if layer != k:
                    continue
                alpha = 1.0
                if what != "b":
                    alpha = passed.below(k, now - tap, m) if what == "w" else passed.fed_back(k, now - 1 - tap, n, m)
                v = [] if what == "b" and layers[k]["kind"] == "synapse" else passed.taps(k, n, m)
                for r in range(1, min(len(v), now) + 1):
                    alpha += v[r - 1] * passed.gain(k, now - r, n) * alphas[i][now - r]
                alphas[i].append(alpha)
                gradient[i] += delta[k][now][n] * alphas[i][now]
        if (t + 1) % interval == 0 or t + 1 == n_steps + lags[0]:
            norm = math.sqrt(sum(g * g for g in gradient))
            factor = clip / norm if norm > clip else 1.0
            for i, (*_, tap, holder) in enumerate(genes):
                moves[i] = momentum * moves[i] + rate * factor * gradient[i]
                holder[tap] -= moves[i]
            gradient = [0.0] * len(genes)
    return [holder[tap] for *_, tap, holder in genes]
