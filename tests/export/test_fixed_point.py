"""Networks in whole numbers: against the real functions, against the network, and C against them to the bit."""

from __future__ import annotations

import ctypes
import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neuroevo as ne
from neuroevo.export import export_model, plan_of
from neuroevo.export.c.format import CFormat, fixed_header
from neuroevo.export.fixed_point import FixedPoint
from neuroevo.export.fixed_point import arithmetic as fixed
from neuroevo.export.plan import Examples
from neuroevo.networks import Network
from neuroevo.prediction import Member, Predictor
from tests.cli.test_commands import neuroevo
from tests.export.cases import scaled
from tests.export.test_c import compiled, needs_compiler, quantised

NETWORKS: dict[str, Network] = {
    "elman": ne.Elman(2, 9, 1, n_layers=2, initial_state=True),
    "elman_relu": ne.Elman(2, 9, 2, activation="relu", output_activation="softmax"),
    "elman_linear": ne.Elman(2, 3, 1, activation="linear"),
    "elman_logistic": ne.Elman(2, 9, 1, activation="logistic", output_activation="logistic"),
    "elman_softsign": ne.Elman(2, 9, 1, activation="softsign", output_activation="tanh"),
    "elman_sign": ne.Elman(2, 9, 1, n_layers=2, activation="sign"),
    "elman_hard_step": ne.Elman(2, 9, 1, activation="hard_step", initial_state=True),
    "elman_winners": ne.Elman(2, 9, 3, activation="k_winners", winners=3, skip=True),
    "jordan": ne.Jordan(2, 9, 3, initial_state=True, skip=True),
    "jordan_tanh": ne.Jordan(2, 9, 3, output_activation="tanh", initial_state=True),
    "jordan_winners": ne.Jordan(2, 5, 2, activation="k_winners", winners=2),
    "lstm": ne.Lstm(2, 9, 1, n_layers=2, initial_state=True),
    "lstm_1997": ne.Lstm(2, 9, 2, forget_gate=False, skip=True),
    "gru": ne.Gru(2, 9, 3, n_layers=2, output_activation="softmax"),
    "gru_started": ne.Gru(2, 9, 3, initial_state=True),
    "graph": ne.Graph(2, 9, 1, {"density": 0.5, "seed": 1}),
    "lif": ne.Lif(2, 9, 2, n_layers=2, refractory=1, substeps=2, initial_state=True, skip=True),
    "lif_spikes": ne.Lif(2, 9, 2, readout="spikes", reset="zero", substeps=2),
}
LEVELS = ["binary", "ternary", "int4", "int8"]
INPUTS = np.random.default_rng(3).normal(size=(2, 40, 2))


def planned(predictor: Predictor, inputs: Any = INPUTS) -> Any:
    counted = np.ones(inputs.shape[:2], dtype=bool)
    return dataclasses.replace(plan_of(predictor, "n"), examples=Examples(inputs, counted, predictor.predict(inputs)))


@given(st.lists(st.floats(-12, 12), min_size=1, max_size=40))
def test_functions_are_those_of_real_numbers_to_a_few_parts_in_a_hundred_thousand(values: list[float]) -> None:
    whole = np.rint(np.array(values) * 2**16).astype(np.int64)
    x = whole / 2**16
    for found, expected in (
        (fixed.tanh(whole), np.tanh(x)),
        (fixed.logistic(whole), 1 / (1 + np.exp(-x))),
        (fixed.softsign(whole), x / (1 + np.abs(x))),
    ):
        np.testing.assert_allclose(found / 2**15, expected, rtol=0, atol=8e-5)
    powers = np.exp(x - x.max())
    np.testing.assert_allclose(fixed.softmax(whole) / 2**16, powers / powers.sum(), rtol=0, atol=5e-5)


@given(value=st.floats(1e-9, 1e5), number=st.integers(-(2**31) + 1, 2**31 - 1))
def test_a_factor_is_a_multiplier_and_a_shift(value: float, number: int) -> None:
    factor = fixed.Factor.of(value, "")
    assert 0 <= factor.multiplier < 2**31
    assert 1 <= factor.shift <= 62
    exact = number * value
    assert abs(int(factor.times(np.array(number))) - exact) <= 0.5 + abs(exact) * 2.0**-30 + 1e-6


@given(first=st.integers(-(2**40), 2**40), shift=st.integers(1, 40))
def test_shifts_round_to_the_nearest(first: int, shift: int) -> None:
    assert abs(int(fixed.shifted(np.array(first), shift)) * 2**shift - first) <= 2 ** (shift - 1)


@pytest.mark.parametrize("levels", ["ternary", "int8"])
@pytest.mark.parametrize("name", NETWORKS)
def test_outputs_lie_near_those_of_the_network(name: str, levels: Any) -> None:
    predictor = quantised(NETWORKS[name], levels, 5)
    plan = planned(predictor)
    network = FixedPoint(plan)
    expected = predictor.predict(INPUTS)
    found = network.predict(INPUTS)
    difference = float(np.abs(found - expected).max() / np.abs(expected).max())
    assert network.distance(plan.examples) == pytest.approx(difference)
    # A unit that jumps may do so a step earlier; those of these seeds do not.
    assert difference < 3e-3


@needs_compiler
@pytest.mark.parametrize("name", NETWORKS)
def test_c_has_the_bits_of_the_definition(name: str, tmp_path: Path) -> None:
    levels: Any = LEVELS[list(NETWORKS).index(name) % 4]
    plan = planned(quantised(NETWORKS[name], levels, 5))
    network, made = FixedPoint(plan), fixed_header(plan, "n.h")
    library = compiled(made.text, "n", tmp_path)
    # Beyond the range of the examples, values stay at the ends of theirs.
    inputs = network.inputs.to_whole(np.concatenate([INPUTS, 50 * INPUTS]))
    n_outputs = len(network.outputs.bits)
    found = np.zeros((*inputs.shape[:2], n_outputs), dtype=np.int32)
    for sequence, outputs in zip(inputs.astype(np.int32), found, strict=True):
        state = ctypes.create_string_buffer(library.size())
        library.reset(state)
        for row, to in zip(sequence, outputs, strict=True):
            given_, told = np.ascontiguousarray(row), np.zeros(n_outputs, dtype=np.int32)
            library.step(state, given_.ctypes.data_as(ctypes.c_void_p), told.ctypes.data_as(ctypes.c_void_p))
            to[:] = told
    np.testing.assert_array_equal(found, network.run(inputs))
    code = re.sub(r"/\*.*?\*/|//.*", "", made.text, flags=re.DOTALL)
    assert not re.search(r"\b(float|double|math)\b|\d\.\d", code)
    assert made.sizes.state == library.size()
    bytes_of = {"int32_t": 4, "uint16_t": 2, "int16_t": 2, "uint8_t": 1, "int8_t": 1}
    tables = re.findall(r"static const (\w+) n_(\w+)\[(\d+)\]", made.text)
    factors = sum(kind.endswith("int8_t") and not array.endswith("shift") for kind, array, _ in tables)
    starts = sum(kind == "int8_t" and array.startswith("start_") for kind, array, _ in tables)
    assert made.sizes.flash == sum(bytes_of[kind] * int(n) for kind, _, n in tables) + 5 * (factors - starts)


@needs_compiler
def test_a_header_without_floating_point_is_good_for_c_plus_plus(tmp_path: Path) -> None:
    for number, name in enumerate(("gru", "lif", "elman_winners")):
        made = fixed_header(planned(quantised(NETWORKS[name], "int4", 1)), f"n{number}.h")
        compiled(made.text, f"n{number}", tmp_path, flags=["-x", "c++", "-Wall", "-Wextra", "-Werror"])


def refused(network: Network, genome: Any = None) -> Predictor:
    member = scaled(network, 1) if genome is None else Member(network, genome, {})
    return Predictor((member,))


@pytest.mark.parametrize(
    ("predictor", "message"),
    [
        (refused(ne.Elman(2, 9, 1)), "weights weight_hh_l0 are on no grid of 8 bits.*kind = \"quantised\""),
        (refused(ne.Ctrnn(2, 3, 1)), "kind 'ctrnn' is not known to fixed-point C; those that are: elman, jordan"),
        (refused(ne.Elman(2, 3, 1, activation="sine")), "activation 'sine' is not known to fixed-point C"),
        (Predictor((scaled(ne.Elman(2, 3, 1), 1), scaled(ne.Elman(2, 3, 1), 2))), "one network, and this is an ensemble"),
        (quantised(ne.Elman(2, 9, 1, activation="linear"), "int8", 4), "values inside of the network reach"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_refused(predictor: Predictor, message: str, tmp_path: Path) -> None:
    with pytest.raises(ne.BadInput, match=message):
        export_model(predictor, "c", tmp_path, precision="fixed")
    assert not list(tmp_path.iterdir())


def test_other_formats_have_no_fixed_point(tmp_path: Path) -> None:
    with pytest.raises(ne.BadInput, match="numpy has double precision alone, got 'fixed'"):
        export_model(refused(ne.Elman(2, 3, 1)), "numpy", tmp_path, precision="fixed")


@needs_compiler
def test_the_command_tells_distance_and_size(small_scenario: Path, tmp_path: Path) -> None:
    text = small_scenario.read_text() + '\n[space]\nkind = "quantised"\nweights = "ternary"\n'
    small_scenario.write_text(text)
    ne.run(small_scenario, results=tmp_path / "runs", overrides={"stop.generations": 1})
    done = neuroevo("export", "runs/small-seed1", "--to", "c", "--precision", "fixed", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    header = (tmp_path / "small-seed1-c" / "model.h").read_text()
    (distance,) = re.findall(r"lie within (\S+) of the network", header)
    assert 0 < float(distance) < 1e-3
    assert "checked with a C compiler: the bits of its definition in whole numbers, which differs from" in done.stderr
    assert f"by {float(distance):.1g} of its largest output at most" in done.stderr
    assert re.search(r"\d+ bytes of flash for weights and constants, 6 of RAM for a state", done.stderr)
    record = ne.RunRecord.open(tmp_path / "runs" / "small-seed1")
    inputs = record.problem.original.inputs[:, :30]
    said = CFormat().outputs(tmp_path / "small-seed1-c" / "model.h", [inputs], "fixed")
    expected = record.predictor(calibrate=False).predict(inputs)
    assert np.abs(said - expected).max() <= 1.2 * float(distance) * np.abs(expected).max() + 1e-4
