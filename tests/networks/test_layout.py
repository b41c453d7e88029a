from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neuroevo.networks as nets
from tests.networks.drawn import networks


@given(networks(), st.integers(0, 1000))
def test_encode_undoes_decode(network, seed):
    genome = np.random.default_rng(seed).normal(size=network.n_genes)
    arrays = network.layout.decode(genome)
    assert network.layout.encode(arrays).tobytes() == genome.tobytes()
    again = network.layout.decode(network.layout.encode(arrays))
    assert all(again[name].tobytes() == array.tobytes() for name, array in arrays.items())


@given(networks())
def test_slots_and_fixed_values_describe_every_entry_of_the_arrays(network):
    layout = network.layout
    genome = np.arange(1.0, network.n_genes + 1)
    entries = np.concatenate([array.ravel() for array in layout.decode(genome).values()])
    expected = np.where(layout.slots >= 0, genome[layout.slots], layout.fixed_values)
    np.testing.assert_array_equal(entries, expected)
    assert sorted(layout.slots[layout.slots >= 0]) == list(range(network.n_genes))
    assert (layout.fixed_values[layout.slots >= 0] == 0).all()


@given(networks())
def test_blocks_hold_each_gene_once(network):
    blocks = network.layout.blocks
    assert [block.name for block in blocks] == list(network.layout.names)
    genes = np.concatenate([block.genes.ravel() for block in blocks])
    np.testing.assert_array_equal(genes, network.layout.slots)


def test_genome_order_is_layer_by_layer_then_states_then_read_out():
    layout = nets.Lstm(2, 3, 1, n_layers=2, initial_state=True).layout
    assert layout.names == (
        "weight_ih_l0", "weight_hh_l0", "bias_l0", "weight_ih_l1", "weight_hh_l1", "bias_l1",
        "initial_state_l0", "initial_cell_l0", "initial_state_l1", "initial_cell_l1", "weight_out", "bias_out",
    )  # fmt: skip
    assert layout.shapes[:4] == ((12, 2), (12, 3), (12,), (12, 3))
    assert nets.Gru(2, 3, 1).layout.names[:4] == ("weight_ih_l0", "weight_hh_l0", "bias_l0", "bias_hn_l0")
    assert nets.Ctrnn(2, 3, 1).layout.names[-3:] == ("time_constant_l0", "weight_out", "bias_out")
    assert nets.Jordan(2, 3, 4).layout.shapes == ((3, 2), (3, 4), (3,), (4, 3), (4,))
    for kind in (nets.Elman, nets.Jordan, nets.Lstm, nets.Gru, nets.Ctrnn):
        plain, skip = kind(2, 3, 4).layout, kind(2, 3, 4, skip=True).layout
        assert (skip.names, skip.shapes) == ((*plain.names, "weight_skip"), (*plain.shapes, (4, 2)))
        assert skip.units[-8:].tolist() == np.repeat(plain.units[-4:], 2).tolist()


@pytest.mark.parametrize(
    ("network", "n_genes"),
    [
        (nets.Elman(1, 16, 1), 16 + 256 + 16 + 17),
        (nets.Lstm(1, 16, 1), 4 * (16 + 256 + 16) + 17),
        (nets.Lstm(1, 16, 1, forget_gate=False), 3 * (16 + 256 + 16) + 17),
        (nets.Gru(1, 16, 1), 3 * (16 + 256 + 16) + 16 + 17),
        (nets.Ctrnn(1, 16, 1), 16 + 256 + 16 + 16 + 17),
        (nets.Jordan(1, 16, 1), 16 + 16 + 16 + 17),
        (nets.Elman(1, 16, 1, n_layers=2, initial_state=True), 305 + 16 * 33 + 32),
        (nets.Graph(1, 4, 1, [(0, 0), (1, 0), (2, 4)], initial_state=True), 3 + 4),
    ],
)
def test_one_gene_per_weight_bias_and_declared_extra(network, n_genes):
    assert network.n_genes == n_genes


def test_genes_of_a_unit_share_its_number_across_arrays_and_gates():
    network = nets.Gru(2, 3, 1, n_layers=2, initial_state=True)
    units = network.layout.decode(network.layout.units.astype(float))
    np.testing.assert_array_equal(units["weight_ih_l0"][:, 0], [0, 1, 2] * 3)
    np.testing.assert_array_equal(units["bias_hn_l1"], [3, 4, 5])
    np.testing.assert_array_equal(units["initial_state_l1"], [3, 4, 5])
    assert units["weight_out"].ravel().tolist() == [6, 6, 6]
    graph = nets.Graph(1, 2, 1, [(0, 1), (2, 0), (1, 2)], initial_state=True)
    assert graph.layout.units.tolist() == [1, 0, 2, 0, 1]


def test_fans_count_the_links_that_exist():
    fixed = {"weight_hh_l0": [["gene", 0.0, 0.0], ["gene", "gene", 2.0], [0.0, "gene", "gene"]]}
    layout = nets.Elman(2, 3, 1, fixed=fixed).layout
    fan_in = layout.decode(layout.fan_in)
    fan_out = layout.decode(layout.fan_out)
    gene = np.array([[True, False, False], [True, True, False], [False, True, True]])
    assert fan_in["weight_hh_l0"][gene].tolist() == [1, 3, 3, 2, 2]
    assert fan_out["weight_hh_l0"][gene].tolist() == [2, 2, 2, 2, 2]
    assert fan_in["bias_l0"].tolist() == [2 + 1, 2 + 3, 2 + 2]
    assert fan_in["weight_ih_l0"].tolist() == [[2, 2]] * 3
    gated = nets.Lstm(2, 3, 1).layout
    assert gated.decode(gated.fan_out)["weight_ih_l0"].tolist() == [[3, 3]] * 12
    assert gated.decode(gated.fan_in)["bias_l0"].tolist() == [5] * 12


def test_a_fixed_entry_has_no_gene_and_keeps_its_value():
    network = nets.Elman(1, 2, 1, fixed={"weight_hh_l0": [[0.0, np.nan], [0.5, np.nan]], "bias_out": 0.25})
    assert network.n_genes == nets.Elman(1, 2, 1).n_genes - 3
    arrays = network.layout.decode(np.full(network.n_genes, 7.0))
    np.testing.assert_array_equal(arrays["weight_hh_l0"], [[0.0, 7.0], [0.5, 7.0]])
    assert arrays["bias_out"].tolist() == [0.25]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weight_hh_l0": [[0.0, 1.0], [0.6, 1.0]]}, r"weight_hh_l0\[1, 0\] is fixed at 0\.5 .* got 0\.6; 1 fixed"),
        ({"bias_l0": [1.0]}, r"bias_l0 must have shape \(2,\), got \(1,\)"),
        ({"bias_10": [1.0]}, "unknown: bias_10"),
    ],
)
def test_encode_refuses_arrays_of_another_network(change, message):
    layout = nets.Elman(1, 2, 1, fixed={"weight_hh_l0": [[0.0, np.nan], [0.5, np.nan]]}).layout
    arrays = layout.decode(np.ones(layout.n_genes))
    with pytest.raises(ValueError, match=message):
        layout.encode({**arrays, **change})
    with pytest.raises(ValueError, match="missing: bias_l0"):
        layout.encode({name: array for name, array in arrays.items() if name != "bias_l0"})


def test_decode_refuses_a_genome_of_another_network():
    with pytest.raises(ValueError, match=r"genome must have shape \(10,\), one entry a gene, got \(11,\)"):
        nets.Elman(1, 2, 1, fixed={"bias_out": 0.0}).layout.decode(np.zeros(11))


def test_layout_arrays_are_read_only_and_decoded_ones_are_not_shared():
    layout = nets.Elman(1, 2, 1).layout
    for array in (layout.slots, layout.fixed_values, layout.units, layout.fan_in, layout.fan_out):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    genome = np.zeros(layout.n_genes)
    layout.decode(genome)["bias_l0"][:] = 1.0
    assert not genome.any()


@given(networks())
def test_layouts_compare_by_content(network):
    same = nets.make_network(network.kind, network.n_inputs, network.n_outputs, **network.settings())
    assert same.layout == network.layout
    assert hash(same.layout) == hash(network.layout)
    assert network.layout != nets.Elman(4, 6, 4).layout
