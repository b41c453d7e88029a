"""Matrices without the weights of absent links in C: the same outputs, in fewer bytes, counted beforehand."""

from __future__ import annotations

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.evaluation.goals import bytes_of
from neuroevo.export import export_model
from neuroevo.export.c.cells import cell_bytes
from neuroevo.export.c.format import CFormat, header
from neuroevo.export.c.tables import stored
from neuroevo.export.plan import Cell, plan_of
from neuroevo.prediction import Member, Predictor
from neuroevo.spaces import Switched

pytestmark = pytest.mark.skipif(not CFormat.can_be_tried(), reason="there is no C compiler")

PRUNED = {
    "elman": (ne.Elman(2, 12, 1, skip=True), "real"),
    "elman_int8": (ne.Elman(2, 12, 1), "int8"),
    "lstm_ternary": (ne.Lstm(1, 9, 2, n_layers=2), "ternary"),
    "gru_int4": (ne.Gru(2, 9, 1), "int4"),
    "jordan": (ne.Jordan(2, 10, 6), "real"),
    "ctrnn": (ne.Ctrnn(1, 12, 1, initial_state=True), "real"),
    "graph": (ne.Graph(2, 12, 1, "all"), "real"),
    "wide": (ne.Elman(1, 300, 1), "real"),
}


def pruned(name, share=0.08):
    network, weights = PRUNED[name]
    space = Switched(share=share, weights=weights)
    genome = np.random.default_rng(3).normal(size=space.n_genes(network))
    # Chaos would hide the difference that is looked for.
    return network, space.express((0.3 if name == "wide" else 1.0) * genome[None], network, None)[0]


def predictor_of(network, genome):
    return Predictor((Member(network, genome, {}, "model", {}),), "median", False)


@pytest.mark.parametrize("name", PRUNED)
def test_outputs_stay_and_bytes_fall(name, tmp_path):
    network, genome = pruned(name)
    predictor = predictor_of(network, genome)
    # Refused where it does not say what the predictor says.
    made = export_model(predictor, "c", tmp_path / "model.h")
    assert made.difference < 1e-5
    text = (tmp_path / "model.h").read_text()
    assert "_columns[" in text
    # Beside the weights nothing is stored here.
    assert made.sizes.flash == bytes_of(network, genome[None])[0]
    full = header(plan_of(predictor_of(network, np.where(genome == 0, 0.1, genome)), "model"), "model.h", "single")
    assert made.sizes.flash < 0.8 * full.sizes.flash


def test_double_precision_and_matrices_without_a_link(tmp_path):
    network, genome = pruned("elman")
    arrays = network.layout.decode(genome)
    arrays["weight_hh_l0"][:] = 0.0
    genome = network.layout.encode(arrays)
    made = export_model(predictor_of(network, genome), "c", tmp_path / "model.h", precision="double")
    assert made.difference < 1e-12
    assert "_weight_hh_l0[1] = {" in (tmp_path / "model.h").read_text()


@pytest.mark.parametrize("real_bytes", [4, 8])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("levels", [None, 1, 7, 127])
def test_the_smaller_form_is_taken_and_holds_the_matrix(real_bytes, share, levels):
    rng = np.random.default_rng(1)
    values = rng.normal(size=(7, 11)) if levels is None else 0.5 * rng.choice([-1, 1], (7, 11)) * levels
    values = np.where(rng.random((7, 11)) < share, values, 0.0)
    found = stored(values, real_bytes)
    n = np.count_nonzero(values)
    bits = {None: 8 * real_bytes, 1: 1, 7: 1, 127: 1}[levels]
    scale = 0 if levels is None else real_bytes
    whole = 77 * real_bytes if levels is None or not n else -(-77 * (2 if n < 77 else 1) // 8) + real_bytes
    links = -(-max(n, 1) * (bits if n else 8 * real_bytes) // 8) + scale * (n > 0) + max(n, 1) + 8
    assert found.n_bytes <= whole
    if found.columns is None:
        assert np.array_equal(found.numbers, values)
        return
    assert found.n_bytes <= links
    again = np.zeros(values.shape)
    for row in range(7):
        span = slice(found.starts[row], found.starts[row + 1])
        again[row, found.columns[span]] = found.numbers[span]
    assert np.array_equal(again, values)


def test_bytes_are_a_goal_that_falls_with_links():
    network = ne.Elman(1, 8, 1)
    rng = np.random.default_rng(2)
    problem = ne.SequenceProblem(rng.normal(size=(1, 20, 1)), rng.normal(size=(1, 20, 1)))
    there = rng.random((6, network.n_genes)) < np.linspace(0.05, 1, 6)[:, None]
    genomes = rng.normal(size=there.shape) * there
    with ne.LocalEvaluator(network, problem, goals=("error", "bytes")) as evaluator:
        goals = evaluator.evaluate(genomes, wants=frozenset({"goals"})).more["goals"]
    assert goals[:, 1].tolist() == [cell_bytes(Cell.of(network, genome)) for genome in genomes]
    assert (np.diff(goals[:, 1]) >= 0).all()
    assert goals[-1, 1] == 4 * network.n_genes


def test_networks_without_a_form_in_c_have_no_bytes():
    network = ne.LocallyRecurrent(1, 2, 1)
    problem = ne.SequenceProblem(np.zeros((1, 5, 1)), np.zeros((1, 5, 1)))
    with pytest.raises(ne.BadInput, match="cannot be exported"):
        ne.EvaluatorRecipe(network, problem, goals=("bytes",)).check()
