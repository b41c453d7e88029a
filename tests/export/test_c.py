"""The C header: against predictors, against NumPy on its own tables, and as a compiler and its user see it."""

from __future__ import annotations

import ctypes
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neuroevo as ne
from neuroevo.errors import BadInput
from neuroevo.export import export_model, plan_of
from neuroevo.export.c.compiler import compiler, identifier
from neuroevo.export.c.format import header
from neuroevo.export.c.tables import on_grid
from neuroevo.networks import Network
from neuroevo.prediction import Member, Predictor
from neuroevo.spaces import Quantised
from tests.cli.test_commands import neuroevo
from tests.export.cases import FIRING, NETWORKS, predictors, scaled

COMPILER = compiler()
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")
CASES = {
    **predictors(),
    **{
        name: (Predictor((scaled(network, 5),)), np.random.default_rng(8).normal(size=(2, 30, 2)))
        for name, network in FIRING.items()
    },
}
STRICT = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-pedantic"]


def compiled(text: str, name: str, folder: Path, *, flags: list[str] | None = None) -> Any:
    """The functions of a header, callable, and the sizes of its state."""
    (folder / f"{name}.h").write_text(text)
    source, number = folder / f"{name}.c", re.findall(r"const (\w+) inputs\[", text)[0]
    source.write_text(
        f'#include "{name}.h"\n'
        f"void reset({name}_state *s) {{ {name}_reset(s); }}\n"
        f"void step({name}_state *s, const {number} *x, {number} *y) {{ {name}_step(s, x, y); }}\n"
        f"int size(void) {{ return (int)sizeof({name}_state); }}\n"
    )
    library = folder / f"{name}.so"
    command = [str(COMPILER), *(STRICT if flags is None else flags), "-shared", "-fPIC", str(source)]
    done = subprocess.run([*command, "-o", str(library), "-lm"], capture_output=True, text=True, check=False)
    assert not done.stderr
    return ctypes.CDLL(str(library))


def said(library: Any, inputs: Any, n_outputs: int, dtype: type) -> Any:
    outputs = np.zeros((*inputs.shape[:2], n_outputs), dtype=dtype)
    for sequence, found in zip(np.asarray(inputs, dtype=dtype), outputs, strict=True):
        state = ctypes.create_string_buffer(library.size())
        library.reset(state)
        for row, to in zip(sequence, found, strict=True):
            given, told = np.ascontiguousarray(row), np.zeros(n_outputs, dtype=dtype)
            library.step(state, given.ctypes.data_as(ctypes.c_void_p), told.ctypes.data_as(ctypes.c_void_p))
            to[:] = told
    return outputs


def quantised(network: Network, levels: Any, seed: int) -> Predictor:
    """A member of drawn weights that are rounded."""
    member = scaled(network, seed)
    (genome,) = Quantised(levels).express(member.genome[None], network, None)  # type: ignore[arg-type]
    return Predictor((Member(network, genome, member.scaling),))


@needs_compiler
@pytest.mark.parametrize("case", CASES)
def test_outputs_are_those_of_the_predictor_step_by_step(case: str, tmp_path: Path) -> None:
    predictor, inputs = CASES[case]
    expected = predictor.predict(inputs)
    for precision, dtype, tolerance in (("single", np.float32, 1e-5), ("double", np.float64, 1e-11)):
        made = header(plan_of(predictor, "model"), f"{precision}.h", precision)
        library = compiled(made.text, f"{identifier(precision)}", tmp_path)
        found = said(library, inputs, expected.shape[2], dtype)
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max())
        assert made.sizes.state == library.size()
        tables = re.findall(r"static const (\w+) \w+?(?:_(columns|starts))?\[(\d+)\]", made.text)
        size = np.dtype(dtype).itemsize
        bytes_of = {"float": 4, "double": 8, "uint8_t": 1, "int8_t": 1, "int16_t": 2}
        scales = sum(kind.endswith("int8_t") and not index for kind, index, _ in tables) + len(predictor.weights or ())
        assert made.sizes.flash == sum(bytes_of[kind] * int(n) for kind, _, n in tables) + size * scales


WIDE: list[Network] = [
    ne.Elman(2, 9, 1, n_layers=2, activation="relu"),
    ne.Jordan(2, 9, 3, initial_state=True, skip=True),
    ne.Lstm(2, 9, 1, initial_state=True),
    ne.Lstm(2, 9, 2, forget_gate=False),
    ne.Gru(2, 9, 3, n_layers=2, output_activation="softmax"),
    ne.Ctrnn(2, 9, 1, initial_state=True),
]


@needs_compiler
@pytest.mark.parametrize("levels", ["binary", "ternary", "int4", "int8"])
def test_weights_of_few_bits_are_packed_and_computed_with(levels: Any, tmp_path: Path) -> None:
    bits = {"binary": 1, "ternary": 2, "int4": 4, "int8": 8}[levels]
    inputs = np.random.default_rng(3).normal(size=(1, 25, 2))
    for number, network in enumerate(WIDE):
        predictor = quantised(network, levels, number)
        made = header(plan_of(predictor), f"n{number}.h", "single")
        declared = re.search(r"static const (\w+) n\d_weight_hh_l0\[(\d+)\]", made.text)
        assert declared is not None
        n_weights = network.layout.decode(predictor.champions[0].genome)["weight_hh_l0"].size  # type: ignore[union-attr]
        assert declared.groups() == ("int8_t" if bits == 8 else "uint8_t", str(-(-n_weights * bits // 8)))
        expected = predictor.predict(inputs)
        found = said(compiled(made.text, f"n{number}", tmp_path), inputs, network.n_outputs, np.float32)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max(), err_msg=network.kind)


@needs_compiler
@pytest.mark.parametrize("levels", ["binary", "ternary", "int4", "int8"])
@pytest.mark.parametrize("activation", ["relu", "hard_step"])
def test_a_step_is_the_same_arithmetic_in_numpy_to_the_bit(levels: Any, activation: Any, tmp_path: Path) -> None:
    network = ne.Elman(3, 11, 2, activation=activation)
    predictor = quantised(network, levels, 5)
    plan = plan_of(predictor)
    inputs = np.random.default_rng(4).normal(size=(2, 40, 3)).astype(np.float32)
    library = compiled(header(plan, "n.h", "single").text, "n", tmp_path, flags=["-std=c99", "-O2"])
    single = np.float32
    weights = {name: on_grid(values) for name, values in plan.members[0].cell.arrays.items()}
    scaling = plan.members[0].scaling

    def total(name: str, vector: Any) -> Any:
        """Row by row in the order of the entries, in single precision; the scale comes last."""
        grid = weights[name]
        assert grid is not None
        sums = []
        for row in grid.codes:
            sums.append(single(0))
            for code, value in zip(row, vector, strict=True):
                sums[-1] = single(sums[-1] + single(code) * value)
        return single(grid.scale) * np.array(sums, dtype=single)

    def bias(name: str) -> Any:
        grid, values = weights[name], plan.members[0].cell.arrays[name].astype(single)
        is_packed = grid is not None and grid.packed().size + 4 < 4 * grid.codes.size
        return single(grid.scale) * grid.codes.astype(single) if is_packed else values  # type: ignore[union-attr]

    expected = np.zeros((2, 40, 2), dtype=single)
    for sequence, outputs in zip(inputs, expected, strict=True):
        h = np.zeros(11, dtype=single)
        for step, row in enumerate(sequence):
            x = (row - scaling.input_offset.astype(single)) / scaling.input_factor.astype(single)
            v = bias("bias_l0") + total("weight_ih_l0", x) + total("weight_hh_l0", h)
            h = np.maximum(v, single(0)) if activation == "relu" else (v > 0).astype(single)
            y = bias("bias_out") + total("weight_out", h)
            outputs[step] = y * scaling.target_factor.astype(single) + scaling.target_offset.astype(single)
    assert said(library, inputs, 2, single).tobytes() == expected.tobytes()


@given(
    codes=st.lists(st.integers(-127, 127), min_size=2, max_size=40).filter(any),
    scale=st.floats(1e-6, 1e3),
)
def test_whole_numbers_with_a_scale_are_found_in_an_array(codes: list[int], scale: float) -> None:
    values = scale * np.array(codes, dtype=float)
    grid = on_grid(values)
    assert grid is not None
    np.testing.assert_allclose(grid.codes * grid.scale, values, rtol=1e-14, atol=0)
    assert np.gcd.reduce(grid.codes) == 1
    divided = np.abs(grid.codes).max()
    fewest = (1 if grid.codes.all() else 2) if divided == 1 else 4 if divided <= 7 else 8
    assert grid.bits == fewest
    bits = np.unpackbits(grid.packed().view(np.uint8), bitorder="little")
    numbers = bits[: grid.bits * len(codes)].reshape(-1, grid.bits) @ (1 << np.arange(grid.bits))
    if grid.bits == 8:
        found = numbers.astype(np.uint8).view(np.int8)
    else:
        found = numbers.astype(int) * {1: 2}.get(grid.bits, 1) - {1: 1, 2: 1, 4: 8}[grid.bits]
    assert found.tolist() == grid.codes.tolist()


@given(st.lists(st.floats(-1, 1), min_size=4, max_size=30, unique=True))
def test_arrays_on_no_grid_stay_as_they_are(values: list[float]) -> None:
    array = np.array([1.0, np.sqrt(0.5), *values])
    assert on_grid(array) is None


def test_names_in_a_header_are_names_in_c() -> None:
    for file, name in (("a-b.h", "a_b"), ("2nd.h", "model_2nd"), ("int.h", "model_int"), ("_x.h", "model__x")):
        assert identifier(file) == name
    assert identifier("größe.h") == "gr__e"


@needs_compiler
def test_titles_and_columns_of_strangers_stay_comments(tmp_path: Path) -> None:
    predictor = Predictor((scaled(NETWORKS["elman_relu"], 1),))
    plan = plan_of(predictor, "*/ int evil; /*", ("a */ int b;", "REAL NAME MODEL"), ("FILE",))
    made = header(plan, "m.h", "single")
    assert made.text.count("*/") == made.text.count("/*")
    assert "REAL NAME MODEL" in made.text
    compiled(made.text, "m", tmp_path)


@needs_compiler
def test_a_header_is_good_for_c_plus_plus(tmp_path: Path) -> None:
    for name in ("lstm", "all forms", "median of three"):
        predictor, _ = CASES[name]
        made = header(plan_of(predictor, name), f"{identifier(name)}.h", "single")
        compiled(made.text, identifier(name), tmp_path, flags=["-x", "c++", "-Wall", "-Wextra", "-Werror"])


def test_numbers_that_single_precision_cannot_hold_are_refused(tmp_path: Path) -> None:
    network = ne.Elman(1, 1, 1)
    predictor = Predictor((Member(network, np.array([1e39, 1, 1, 1, 1.0]), {}),))
    with pytest.raises(BadInput, match=r"1e\+39 is too large for single precision; take double"):
        export_model(predictor, "c", tmp_path)
    assert not list(tmp_path.iterdir())


@needs_compiler
def test_the_command_writes_a_header_and_tells_its_size(small_scenario: Path, tmp_path: Path) -> None:
    space = '\n[space]\nkind = "quantised"\nweights = "ternary"\n'
    text = small_scenario.read_text().replace("n_hidden = 3", "n_hidden = 8") + space
    small_scenario.write_text(text)
    ne.run(small_scenario, results=tmp_path / "runs", overrides={"stop.generations": 1})
    done = neuroevo("export", "runs/small-seed1", "--to", "c", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["small-seed1-c/model.h"]
    assert done.stderr.startswith("checked with a C compiler: ")
    # 64 recurrent weights of 2 bits, 8 + 8 of other matrices, 8 biases of 8 bits, their scales, and one number as it is.
    flash = 64 // 4 + 2 * 8 // 4 + 8 + 4 * 4 + 4 + 4 * 4
    assert f"{flash} bytes of flash for weights and constants, 32 of RAM for a state" in done.stderr
    told = json.loads(
        neuroevo("export", "runs/small-seed1", "--to", "c", "--out", "brain.h", "--json", cwd=tmp_path).stdout
    )
    assert told["sizes"]["flash"] == flash
    assert "brain_step(" in (tmp_path / "brain.h").read_text()
