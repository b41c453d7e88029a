from __future__ import annotations

import numpy as np
import pytest

import neuroevo.networks as nets
from neuroevo.bench import WORKLOADS, Workload, arithmetic, as_workload
from neuroevo.bench.workloads import Arithmetic


def test_named_workloads_have_the_published_numbers():
    numbers = {workload.name: (workload.cell, *workload.numbers) for workload in WORKLOADS}
    assert numbers["series-elman-16"] == ("elman", 256, 1, 1000, 1, 16, 1)
    assert numbers["control-elman-5"] == ("elman", 512, 1, 1000, 6, 5, 1)
    assert numbers["batch-lstm-32"] == ("lstm", 256, 64, 50, 2, 32, 1)
    assert numbers["mid-gru-64"] == ("gru", 64, 8, 200, 8, 64, 4)
    assert numbers["batch-graph-64"] == ("graph", 256, 8, 1000, 1, 64, 1)
    assert len(numbers) == len(WORKLOADS) == 13


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_network_problem_and_population_of_a_workload_fit(workload):
    network, problem, population = workload.network(), workload.problem(), workload.population()
    assert problem.inputs.shape == (workload.n_sequences, workload.n_steps, network.n_inputs)
    assert problem.targets.shape[2] == network.n_outputs == workload.n_outputs
    assert population.shape == (workload.n_genomes, network.n_genes)
    assert np.isfinite(population).all()


def test_any_workload_can_be_given_by_its_numbers():
    assert as_workload("gru,3,4,5,1,7,2") == Workload("gru,3,4,5,1,7,2", "gru", 3, 4, 5, 1, 7, 2)
    assert as_workload("mid-elman-64") is WORKLOADS[3]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("series-elman-61", "did you mean 'series-elman-64'"),
        ("elman,256,1,1000,1,16", "cell,P,S,T,I,H,O"),
        ("elman,256,1,1000,1,0,1", r"n_hidden of workload .* at least 1, got 0"),
        ("elmann,256,1,1000,1,16,1", "did you mean 'elman'"),
    ],
)
def test_unknown_workloads_are_refused_with_the_remedy(text, message):
    with pytest.raises(ValueError, match=message):
        as_workload(text)


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (nets.Elman(1, 16, 1), Arithmetic(16 * 17 + 16, 16)),
        (nets.Elman(2, 3, 4, n_layers=2), Arithmetic(3 * 5 + 3 * 6 + 12, 6)),
        (nets.Elman(1, 16, 1, activation="relu"), Arithmetic(16 * 17 + 16, 0)),
        (nets.Elman(1, 3, 2, output_activation="softmax"), Arithmetic(3 * 4 + 6, 3 + 2)),
        (nets.Elman(1, 2, 1, fixed={"weight_hh_l0": [[0.0, "gene"], [2.0, "gene"]]}), Arithmetic(2 + 3 + 2, 2)),
        (nets.Jordan(2, 3, 4), Arithmetic(3 * 6 + 12, 3)),
        (nets.Lstm(1, 16, 1), Arithmetic(4 * 16 * 17 + 16 + 48, 80)),
        (nets.Lstm(1, 16, 1, forget_gate=False), Arithmetic(3 * 16 * 17 + 16 + 32, 64)),
        (nets.Gru(1, 16, 1), Arithmetic(3 * 16 * 17 + 16 + 48, 48)),
        (nets.Ctrnn(1, 16, 1), Arithmetic(16 * 17 + 16 + 16, 16)),
        (nets.Ctrnn(2, 3, 1, n_layers=2, substeps=4), Arithmetic(6 + 4 * (9 + 9 + 9) + 3 + 4 * 6, 4 * 6)),
        (nets.Graph(2, 3, 1, [(0, 0), (2, 0), (4, 1), (5, 3), (2, 3)]), Arithmetic(3, 3)),
    ],
)
def test_arithmetic_counts_the_weights_that_exist(network, expected):
    assert arithmetic(network) == expected


def test_a_graph_with_all_links_costs_what_an_elman_network_costs():
    assert arithmetic(nets.Graph(3, 5, 2, "all")) == arithmetic(nets.Elman(3, 5, 2))
