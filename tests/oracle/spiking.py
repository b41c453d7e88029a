"""Leaky integrate-and-fire networks, unit by unit, with the names of Gerstner and Kistler (2002).

Nothing here calls the package: a genome is read gene by gene in the order that the documentation gives.
"""

from __future__ import annotations

from tests.oracle.recurrent import Genes, dot, logistic, read_out


class Neuron:
    """One unit: its potential, whether it has just fired, and how long it still keeps still."""

    def __init__(self, network, share, potential=0.0):
        self.network, self.share, self.potential = network, share, potential
        self.fired, self.still = 0.0, 0

    def integrate(self, current):
        self.potential = self.potential + self.share * (current - self.potential)

    def step(self, current):
        """One step of the integration: move, fire, reset; or keep still."""
        self.fired = 0.0
        if self.still > 0:
            self.still -= 1
            return
        self.integrate(current)
        if self.potential >= self.network.threshold:
            self.fired, self.still = 1.0, self.network.refractory
            self.potential = self.potential - self.network.threshold if self.network.reset == "subtract" else 0.0


def run(network, genome, sequence):
    """Outputs of one sequence, and spikes and potentials of all units at the end of every step."""
    genes = Genes(genome, network.fixed)
    n, n_outputs, k = network.n_hidden, network.n_outputs, network.substeps
    below = [network.n_inputs] + [n] * (network.n_layers - 1)
    weights = [
        (genes.matrix(f"weight_ih_l{layer}", n, m), genes.matrix(f"weight_hh_l{layer}", n, n), genes.vector(f"bias_l{layer}", n))
        for layer, m in enumerate(below)
    ]  # fmt: skip
    first = [genes.vector(f"initial_state_l{layer}", n) if network.initial_state else [0.0] * n for layer in range(network.n_layers)]  # fmt: skip
    shares = [
        [logistic(g) / k for g in genes.vector(f"time_constant_l{layer}", n)] for layer in range(network.n_layers)
    ]
    layers = [[Neuron(network, a, v) for a, v in zip(*pair, strict=True)] for pair in zip(shares, first, strict=True)]
    readers = [Neuron(network, logistic(gene) / k) for gene in genes.vector("time_constant_out", n_outputs)]
    V, c = genes.matrix("weight_out", n_outputs, n), genes.vector("bias_out", n_outputs)
    S = genes.matrix("weight_skip", n_outputs, network.n_inputs) if network.skip else None
    assert genes.used == len(genes.genes)

    outputs, spikes, potentials = [], [], []
    for x in sequence:
        counted = [0.0] * n_outputs
        for _ in range(k):
            seen = x
            for (W, U, b), neurons in zip(weights, layers, strict=True):
                before = [neuron.fired for neuron in neurons]
                for i, neuron in enumerate(neurons):
                    neuron.step(dot(W[i], seen) + dot(U[i], before) + b[i])
                seen = [neuron.fired for neuron in neurons]
            for i, reader in enumerate(readers):
                current = dot(V[i], seen) + c[i] + (dot(S[i], x) if S is not None else 0.0)
                if network.readout == "leaky":
                    reader.integrate(current)
                else:
                    reader.step(current)
                    counted[i] += reader.fired
        if network.readout == "leaky":
            outputs.append(read_out(network.output_activation, [reader.potential for reader in readers]))
        else:
            outputs.append([total / k for total in counted])
        spikes.append([neuron.fired for neurons in layers for neuron in neurons])
        potentials.append([neuron.potential for neurons in layers for neuron in neurons])
    return outputs, spikes, potentials


def outputs(network, genome, sequence):
    """The outputs of one sequence."""
    return run(network, genome, sequence)[0]
