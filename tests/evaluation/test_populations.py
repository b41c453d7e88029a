"""Networks without a kernel: many genomes at once have the bits of one at a time, or are evaluated one at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.evaluation.fallback import evaluate_by_score
from neuroevo.networks.populations import does_populations, predict_population

NETWORKS = [
    ne.Elman(2, 5, 1),
    ne.Elman(2, 3, 2, n_layers=2, initial_state=True, skip=True),
    ne.Jordan(2, 5, 1, initial_state=True),
    ne.Gru(2, 4, 1, n_layers=2),
    ne.Lstm(2, 4, 2),
    ne.Lstm(2, 4, 2, forget_gate=False),
    ne.Ctrnn(2, 5, 1),
    ne.LocallyRecurrent(2, 5, 1, n_layers=2),
    ne.LocallyRecurrent(2, 5, 1, feedback="output", dynamic_output=True),
    ne.Lif(2, 5, 2, n_layers=2, initial_state=True, refractory=1, skip=True),
    ne.Lif(2, 5, 2, readout="spikes", substeps=2),
]


def problem_of(n_outputs: int) -> ne.SequenceProblem:
    rng = np.random.default_rng(1)
    lengths = [30, 7, 12]
    inputs = [rng.standard_normal((n, 2)) for n in lengths]
    return ne.SequenceProblem(inputs, [rng.standard_normal((n, n_outputs)) for n in lengths], weight_decay=0.01)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: f"{network.kind}{network.n_layers if hasattr(network, 'n_layers') else ''}")  # fmt: skip
def test_a_population_has_the_bits_of_its_genomes(network):
    problem = problem_of(network.n_outputs)
    genomes = np.random.default_rng(2).standard_normal((9, network.n_genes))
    assert does_populations(network, genomes, problem.input_rows, problem.lengths)
    outputs = predict_population(network, genomes, problem.input_rows, problem.lengths)
    alone = [network.predict_rows(genome, problem.input_rows, problem.lengths) for genome in genomes]
    assert outputs.tobytes() == np.stack(alone).tobytes()
    error, learned = evaluate_by_score(network, problem, genomes, "train")
    scores = [problem.score(network, genome, "train") for genome in genomes]
    assert (error.tolist(), learned.tolist()) == ([e for e, _ in scores], [share for _, share in scores])


@dataclass(frozen=True, eq=False)
class Transposing(ne.Elman):
    """Written for one genome: `.T` turns all axes of a population around."""

    kind = "transposing"

    def _step(self, arrays, layer, sources, state):
        (h,) = state
        weighted = sources @ arrays[f"weight_ih_l{layer}"].T + h @ arrays[f"weight_hh_l{layer}"].T
        return (np.tanh(weighted + arrays[f"bias_l{layer}"]),)


@dataclass(frozen=True, eq=False)
class Averaging(ne.Elman):
    """Runs with a population, but mixes its genomes."""

    kind = "averaging"

    def _step(self, arrays, layer, sources, state):
        return (super()._step(arrays, layer, sources, state)[0] - state[0].mean(axis=0),)


@pytest.mark.parametrize("cls", [Transposing, Averaging])
@pytest.mark.parametrize("n_hidden", [2, 3, 5])
def test_what_is_written_for_one_genome_is_found_out(cls, n_hidden):
    network, problem = cls(2, n_hidden, 1), problem_of(1)
    genomes = np.random.default_rng(2).standard_normal((6, network.n_genes))
    assert not does_populations(network, genomes, problem.input_rows, problem.lengths)
    error, _ = evaluate_by_score(network, problem, genomes, "train")
    assert error.tolist() == [problem.score(network, genome, "train")[0] for genome in genomes]
