"""Links that are there: counted one by one, and as a graph that says the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neuroevo as ne
from neuroevo.networks import as_graph, count_links, link_genes, links_remarks
from tests.spaces.test_quantised import NETWORKS

FIXED = ne.Elman(2, 3, 1, skip=True, fixed={"weight_skip": [[0.5, 0.0]]})


def one_by_one(network, genome):
    """The entries of weight arrays that are not 0; of a graph without those from the constant."""
    arrays = network.layout.decode(genome)
    if isinstance(network, ne.Graph):
        links = zip(network.links.tolist(), arrays["weight_links"], strict=True)
        return sum(weight != 0 and source != network.n_inputs for (source, _), weight in links)
    kept = [name for name in arrays if name.startswith(("weight", "feedback"))]
    return sum(int(np.count_nonzero(arrays[name])) for name in kept)


@pytest.mark.parametrize("network", [*NETWORKS, FIXED], ids=lambda network: network.kind)
def test_links_are_counted_as_one_by_one(network):
    rng = np.random.default_rng(1)
    genomes = rng.normal(size=(20, network.n_genes)) * (rng.random((20, network.n_genes)) < 0.5)
    assert count_links(network, genomes).tolist() == [one_by_one(network, genome) for genome in genomes]
    full = np.ones(network.n_genes)
    assert links_remarks(network, full) == []
    full[np.flatnonzero(link_genes(network))[0]] = 0.0
    n_possible = one_by_one(network, np.ones(network.n_genes))
    assert links_remarks(network, full) == [f"{n_possible - 1} of {n_possible} links are there, biases not counted"]


@given(
    seed=st.integers(0, 2**32 - 1),
    share=st.floats(0.1, 1.0),
    skip=st.booleans(),
    initial=st.booleans(),
    activation=st.sampled_from(["tanh", "relu", "logistic"]),
)
def test_a_pruned_elman_network_is_the_graph_of_its_links(seed, share, skip, initial, activation):
    network = ne.Elman(2, 4, 2, skip=skip, initial_state=initial, activation=activation)
    rng = np.random.default_rng(seed)
    genome = rng.normal(size=network.n_genes) * (rng.random(network.n_genes) < share)
    genome[0] = 1.0
    graph, of_graph = as_graph(network, genome)
    biases = sum(np.count_nonzero(array) for name, array in network.layout.decode(genome).items() if "bias" in name)
    assert len(graph.links) == count_links(network, genome)[0] + biases
    assert count_links(graph, of_graph)[0] == count_links(network, genome)[0]
    inputs = rng.normal(size=(3, 7, 2))
    np.testing.assert_allclose(graph.predict(of_graph, inputs), network.predict(genome, inputs), rtol=1e-9, atol=1e-12)
    again, of_again = as_graph(graph, of_graph)
    assert again == graph
    assert np.array_equal(of_again, of_graph)


def test_networks_that_are_no_graph_are_refused():
    with pytest.raises(ne.BadInput, match="got 'gru'"):
        as_graph(ne.Gru(1, 2, 1), np.ones(ne.Gru(1, 2, 1).n_genes))
    stack = ne.Elman(1, 2, 1, n_layers=2)
    with pytest.raises(ne.BadInput, match="'elman' with 2 layers"):
        as_graph(stack, np.ones(stack.n_genes))
    with pytest.raises(ne.BadInput, match="no link"):
        as_graph(ne.Elman(1, 2, 1), np.zeros(ne.Elman(1, 2, 1).n_genes))
