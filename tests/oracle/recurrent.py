"""Every network kind and the error, one multiplication at a time.

Nothing here calls the package: a genome is read gene by gene in the order that the documentation gives, and each
equation stands as it does in the literature.
"""

from __future__ import annotations

import math


def tanh(x: float) -> float:
    return math.tanh(x)


def logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x)) if x > 0 else math.exp(x) / (1.0 + math.exp(x))


def softsign(x: float) -> float:
    return x / (1.0 + abs(x))


def relu(x: float) -> float:
    return 0.0 if x < 0.0 else x


def linear(x: float) -> float:
    return x


def hard_step(x: float) -> float:
    return x if math.isnan(x) else 1.0 if x > 0.0 else 0.0


def sign(x: float) -> float:
    return x if math.isnan(x) or x == 0.0 else math.copysign(1.0, x)


ACTIVATIONS = {
    "tanh": tanh,
    "logistic": logistic,
    "softsign": softsign,
    "relu": relu,
    "linear": linear,
    "sine": math.sin,
    "hard_step": hard_step,
    "sign": sign,
}


def units(network, sums):
    """The units of a layer from their weighted sums."""
    if network.activation == "k_winners":
        last_winner = sorted(sums, reverse=True)[network.winners - 1]
        return [1.0 if value >= last_winner else 0.0 for value in sums]
    return [ACTIVATIONS[network.activation](value) for value in sums]


def read_out(name: str, sums: list[float]) -> list[float]:
    """The outputs of one step from their weighted sums."""
    if name == "softmax":
        powers = [math.exp(value - max(sums)) for value in sums]
        return [power / sum(powers) for power in powers]
    return [ACTIVATIONS[name](value) for value in sums]


class Genes:
    """Hands out the genes of a genome one after the other; fixed entries take none."""

    def __init__(self, genome, fixed=None):
        self.genes = [float(gene) for gene in genome]
        self.used = 0
        self.fixed = fixed or {}

    def number(self, fixed=math.nan):
        if not math.isnan(fixed):
            return float(fixed)
        self.used += 1
        return self.genes[self.used - 1]

    def vector(self, name, n):
        fixed = self.fixed.get(name, [math.nan] * n)
        return [self.number(fixed[i]) for i in range(n)]

    def matrix(self, name, n_rows, n_columns):
        fixed = self.fixed.get(name, [[math.nan] * n_columns] * n_rows)
        return [[self.number(fixed[i][j]) for j in range(n_columns)] for i in range(n_rows)]


def dot(row, values):
    total = 0.0
    for weight, value in zip(row, values, strict=True):
        total += weight * value
    return total


N_GATES = {"elman": 1, "jordan": 1, "ctrnn": 1, "lstm": 4, "gru": 3}


def outputs(network, genome, inputs, lengths=None):
    """Nested lists [sequence][step][output], each sequence as long as its length says."""
    results = []
    for s in range(len(inputs)):
        n_steps = len(inputs[s]) if lengths is None else int(lengths[s])
        sequence = [[float(value) for value in inputs[s][t]] for t in range(n_steps)]
        results.append(runner(network.kind)(network, genome, sequence))
    return results


def runner(kind):
    if kind == "lif":
        from tests.oracle import spiking

        return spiking.outputs
    if kind == "locally_recurrent":
        from tests.oracle import filters

        return filters.outputs
    return graph_outputs if kind == "graph" else dense_outputs


def dense_outputs(network, genome, sequence):
    """One sequence through Elman, Jordan, Lstm, Gru or Ctrnn."""
    genes = Genes(genome, network.fixed)
    n_layers = 1 if network.kind == "jordan" else network.n_layers
    n_hidden, n_outputs = network.n_hidden, network.n_outputs
    n_gates = N_GATES[network.kind] if getattr(network, "forget_gate", True) else 3
    n_rows = n_gates * n_hidden
    n_fed_back = n_outputs if network.kind == "jordan" else n_hidden
    layers = []
    for k in range(n_layers):
        layer = {
            "W": genes.matrix(f"weight_ih_l{k}", n_rows, network.n_inputs if k == 0 else n_hidden),
            "U": genes.matrix(f"weight_hh_l{k}", n_rows, n_fed_back),
            "b": genes.vector(f"bias_l{k}", n_rows),
        }
        if network.kind == "gru":
            layer["d"] = genes.vector(f"bias_hn_l{k}", n_hidden)
        layers.append(layer)
    for k, layer in enumerate(layers):
        layer["h"] = genes.vector(f"initial_state_l{k}", n_fed_back) if network.initial_state else [0.0] * n_fed_back
        if network.kind == "lstm":
            layer["c"] = genes.vector(f"initial_cell_l{k}", n_hidden) if network.initial_state else [0.0] * n_hidden
    if network.kind == "ctrnn":
        for k, layer in enumerate(layers):
            layer["a"] = [logistic(gene) for gene in genes.vector(f"time_constant_l{k}", n_hidden)]
    V, c = genes.matrix("weight_out", n_outputs, n_hidden), genes.vector("bias_out", n_outputs)
    S = genes.matrix("weight_skip", n_outputs, network.n_inputs) if network.skip else None
    assert genes.used == len(genes.genes)

    results = []
    for x in sequence:
        seen = x
        for _ in range(getattr(network, "substeps", 1)):
            seen = x
            for layer in layers:
                STEPS[network.kind](network, layer, seen)
                seen = layer["seen"]
        sums = [dot(V[i], seen) + c[i] for i in range(n_outputs)]
        if S is not None:
            sums = [sums[i] + dot(S[i], x) for i in range(n_outputs)]
        y = read_out(network.output_activation, sums)
        if network.kind == "jordan":
            layers[0]["h"] = y
        results.append(y)
    return results


def elman_step(network, layer, x):
    h = layer["h"]
    layer["h"] = units(network, [dot(layer["W"][i], x) + dot(layer["U"][i], h) + layer["b"][i] for i in range(len(h))])
    layer["seen"] = layer["h"]


def jordan_step(network, layer, x):
    y = layer["h"]
    sums = [dot(layer["W"][i], x) + dot(layer["U"][i], y) + layer["b"][i] for i in range(network.n_hidden)]
    layer["seen"] = units(network, sums)


def ctrnn_step(network, layer, x):
    h = layer["h"]
    targets = units(network, [dot(layer["W"][i], x) + dot(layer["U"][i], h) + layer["b"][i] for i in range(len(h))])
    shares = [share / network.substeps for share in layer["a"]]
    layer["h"] = layer["seen"] = [h[i] + shares[i] * (targets[i] - h[i]) for i in range(len(h))]


def lstm_step(network, layer, x):
    h, c, n = layer["h"], layer["c"], network.n_hidden
    sums = [dot(layer["W"][r], x) + dot(layer["U"][r], h) + layer["b"][r] for r in range(len(layer["b"]))]
    if not network.forget_gate:
        sums = sums[:n] + [math.inf] * n + sums[n:]
    new_h, new_c = [], []
    for i in range(n):
        write, keep, value, show = sums[i], sums[n + i], sums[2 * n + i], sums[3 * n + i]
        new_c.append(logistic(keep) * c[i] + logistic(write) * math.tanh(value))
        new_h.append(logistic(show) * math.tanh(new_c[i]))
    layer["h"] = layer["seen"] = new_h
    layer["c"] = new_c


def gru_step(network, layer, x):
    h, n = layer["h"], network.n_hidden
    W, U, b, d = layer["W"], layer["U"], layer["b"], layer["d"]
    new = []
    for i in range(n):
        reset = logistic(dot(W[i], x) + dot(U[i], h) + b[i])
        update = logistic(dot(W[n + i], x) + dot(U[n + i], h) + b[n + i])
        candidate = math.tanh(dot(W[2 * n + i], x) + b[2 * n + i] + reset * (dot(U[2 * n + i], h) + d[i]))
        new.append((1.0 - update) * candidate + update * h[i])
    layer["h"] = layer["seen"] = new


STEPS = {"elman": elman_step, "jordan": jordan_step, "ctrnn": ctrnn_step, "lstm": lstm_step, "gru": gru_step}


def graph_outputs(network, genome, sequence):
    """One sequence through a Graph, link by link."""
    n_units, n_outputs = network.n_units, network.n_outputs
    weights = [float(gene) for gene in genome[: len(network.links)]]
    h = [float(gene) for gene in genome[len(network.links) :]] if network.initial_state else [0.0] * n_units
    links = [(int(source), int(target)) for source, target in network.links]
    results = []
    for x in sequence:
        seen = [*x, 1.0, *h]
        sums = [0.0] * n_units
        for weight, (source, target) in zip(weights, links, strict=True):
            if target < n_units:
                sums[target] += weight * seen[source]
        h = units(network, sums)
        seen = [*x, 1.0, *h]
        sums = [0.0] * n_outputs
        for weight, (source, target) in zip(weights, links, strict=True):
            if target >= n_units:
                sums[target - n_units] += weight * seen[source]
        results.append(read_out(network.output_activation, sums))
    return results


def counts(problem, part, s, t, o):
    """Whether one target counts."""
    return bool(
        problem.target_mask[s][t][o] and problem.parts[part][s][t] and t >= problem.washout and t < problem.lengths[s]
    )


def error(network, genome, problem, part="train"):
    """Mean squared error over the targets that count, plus the weight decay; inf where that is not finite."""
    predicted = outputs(network, genome, problem.inputs, problem.lengths)
    total, n = 0.0, 0
    for s in range(problem.n_sequences):
        for t in range(problem.n_steps):
            for o in range(problem.n_outputs):
                if counts(problem, part, s, t, o):
                    total += (predicted[s][t][o] - float(problem.targets[s][t][o])) ** 2
                    n += 1
    result = total / n
    if problem.weight_decay:
        result += problem.weight_decay * sum(float(gene) ** 2 for gene in genome) / len(genome)
    return result if math.isfinite(result) else math.inf


def learned(network, genome, problem, part="train", tolerance=None):
    """Share of the steps with a counted target that are right: within `tolerance`, or by class where it is None."""
    predicted = outputs(network, genome, problem.inputs, problem.lengths)
    right, n = 0, 0
    for s in range(problem.n_sequences):
        for t in range(problem.n_steps):
            counted = [o for o in range(problem.n_outputs) if counts(problem, part, s, t, o)]
            if not counted:
                continue
            n += 1
            if tolerance is None:
                best = max(counted, key=lambda o: predicted[s][t][o])
                right += best == max(counted, key=lambda o: problem.targets[s][t][o])
            else:
                right += all(abs(predicted[s][t][o] - float(problem.targets[s][t][o])) <= tolerance for o in counted)
    return right / n


def weight(problem, s, t, o):
    """Weight of one target: its own times that of the right class of its step."""
    result = 1.0
    if problem.target_weights is not None:
        own = problem.target_weights
        # Of sequences of unequal lengths, weights of steps are rows.
        place = [problem.rows.offsets[s] + t, o] if own.ndim == 2 else [s, t, o][3 - own.ndim :]
        result *= float(own[tuple(0 if size == 1 else k for size, k in zip(own.shape, place, strict=True))])
    if problem.class_weights is not None:
        result *= float(problem.class_weights[[float(y) for y in problem.targets[s][t]].index(1.0)])
    return result


def log_probability(p):
    return math.log(max(p, 1e-7))


def huber(y, t, threshold):
    d = abs(y - t)
    return d * d / 2 if d <= threshold else threshold * (d - threshold / 2)


LOSSES = {
    "squared": lambda y, t, _: (y - t) ** 2,
    "absolute": lambda y, t, _: abs(y - t),
    "huber": huber,
    "pinball": lambda y, t, q: q * (t - y) if y < t else (1 - q) * (y - t),
    "binary": lambda y, t, _: -t * log_probability(y) - (1 - t) * log_probability(1 - y),
}


def objective(network, genome, problem, part="train", tolerance=None):
    """The objective over what counts, plus the weight decay; arguments as those of `learned`."""
    predicted = outputs(network, genome, problem.inputs, problem.lengths)
    name, parameter = problem.objective.name, problem.objective.parameter
    total, divisor, of_classes = 0.0, 0.0, {}
    for s in range(problem.n_sequences):
        for t in range(problem.n_steps):
            counted = [o for o in range(problem.n_outputs) if counts(problem, part, s, t, o)]
            if not counted:
                continue
            y, targets = predicted[s][t], [float(value) for value in problem.targets[s][t]]
            weights = {o: weight(problem, s, t, o) for o in counted}
            of_step = sum(weights.values()) / len(weights)
            if tolerance is None:
                wrong = y.index(max(y)) != targets.index(1.0)
            else:
                wrong = any(abs(y[o] - targets[o]) > tolerance for o in counted)
            if name == "balanced_error":
                missed, seen = of_classes.get(targets.index(1.0), (0.0, 0.0))
                of_classes[targets.index(1.0)] = missed + of_step * wrong, seen + of_step
            elif name in ("classification_error", "not_learned"):
                total, divisor = total + of_step * wrong, divisor + of_step
            elif name == "cross_entropy" and tolerance is None:
                right = targets.index(1.0)
                total, divisor = total - weights[right] * log_probability(y[right]), divisor + weights[right]
            else:
                loss = LOSSES["binary" if name == "cross_entropy" else name]
                total += sum(weights[o] * loss(y[o], targets[o], parameter) for o in counted)
                divisor += sum(weights.values())
    if name == "balanced_error":
        result = sum(missed / seen for missed, seen in of_classes.values()) / len(of_classes)
    else:
        result = total / divisor
    return result + problem.weight_decay * sum(float(gene) ** 2 for gene in genome) / len(genome)
