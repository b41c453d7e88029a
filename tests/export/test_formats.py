"""What leaves says what the predictor says: every kind of network, preparation and ensemble, in every format."""

from __future__ import annotations

import importlib.util
import re
import runpy
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import neuroevo as ne
from neuroevo.errors import BadInput
from neuroevo.export import FORMATS, export_model, plan_of
from neuroevo.export.c.format import CFormat
from neuroevo.export.numpy_format import NumpyFormat, reader
from neuroevo.networks import NETWORKS, Ctrnn, Elman, Gru, Network, make_network
from neuroevo.networks.base import Array
from neuroevo.prediction import Member, Predictor
from neuroevo.problems import Scaling
from tests.export.cases import pieces_of, predictors
from tests.networks.drawn import genome_and_inputs, networks
from tests.oracle import recurrent

NEEDS = {"torch": ("torch", "safetensors"), "onnx": ("onnx", "onnxruntime"), "numpy": (), "c": ()}
LIVE = [
    "numpy",
    pytest.param("torch", marks=pytest.mark.peers),
    pytest.param("onnx", marks=pytest.mark.peers),
]
CASES = predictors()


def live(name: str) -> Any:
    """The format, where its packages are installed."""
    for package in NEEDS[name]:
        pytest.importorskip(package)
    return FORMATS[name]()


def said_by(format_: Any, predictor: Predictor, pieces: list[Any], folder: Path, precision: str) -> Any:
    file = folder / f"model{format_.suffix}"
    for path, contents in format_.files(plan_of(predictor, "model"), file, precision).items():
        path.write_bytes(contents)
    return format_.outputs(file, pieces, precision)


@pytest.mark.parametrize("name", LIVE)
@pytest.mark.parametrize("case", CASES)
def test_outputs_are_those_of_the_predictor_whole_and_in_pieces(case: str, name: str, tmp_path: Path) -> None:
    format_ = live(name)
    predictor, inputs = CASES[case]
    expected = predictor.predict(inputs)
    for precision in format_.precisions:
        tolerance = {"single": 1e-5, "double": 1e-11}[precision] * np.abs(expected).max()
        for pieces in pieces_of(inputs):
            found = said_by(format_, predictor, pieces, tmp_path, precision)
            np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


@settings(deadline=None, max_examples=40)
@given(network=networks(), seed=st.integers(0, 1000))
def test_numpy_models_equal_the_equations(
    network: Network, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assume(network.kind not in ("locally_recurrent", "lif") and getattr(network, "substeps", 1) == 1)
    genome, inputs = genome_and_inputs(network, seed)
    rng = np.random.default_rng(seed)
    scaling = Scaling(
        "standard", rng.normal(size=network.n_inputs), rng.gamma(2.0, size=network.n_inputs),
        rng.normal(size=network.n_outputs), rng.gamma(2.0, size=network.n_outputs),
    )  # fmt: skip
    predictor = Predictor((Member(network, genome, scaling.to_arrays()),))
    folder = tmp_path_factory.mktemp("model")
    found = said_by(NumpyFormat(), predictor, [inputs * scaling.input_factor + scaling.input_offset], folder, "double")
    outputs = np.array(recurrent.outputs(network, genome, inputs, [inputs.shape[1]] * len(inputs)))
    np.testing.assert_allclose(found, outputs * scaling.target_factor + scaling.target_offset, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(
    "name", [*LIVE, pytest.param("c", marks=pytest.mark.skipif(not CFormat.can_be_tried(), reason="no C compiler"))]
)
@pytest.mark.parametrize("kind", NETWORKS.names())
def test_every_registered_network_is_right_or_refused(kind: str, name: str, tmp_path: Path) -> None:
    format_ = live(name)
    sizes: dict[str, Any] = {"n_units": 3, "links": "all"} if kind == "graph" else {"n_hidden": 3}
    fields = NETWORKS[kind].__dataclass_fields__  # type: ignore[attr-defined]
    for more in [{}, {"skip": True}] if "skip" in fields else [{}]:
        network = make_network(kind, 2, 2, **sizes, **more)
        genome, inputs = genome_and_inputs(network, seed=2, n_steps=9)
        predictor = Predictor((Member(network, genome, {}),))
        try:
            found = said_by(format_, predictor, [inputs[:, :4], inputs[:, 4:]], tmp_path, "double")
        except BadInput as error:
            refused = str(error)
        else:
            np.testing.assert_allclose(found, predictor.predict(inputs), rtol=1e-9, atol=1e-11)
            continue
        assert kind in refused
        assert "\n" not in refused


@dataclass(frozen=True, eq=False)
class Foreign(Elman):
    """A kind that no format knows."""

    kind: ClassVar[str] = "foreign"

    def _step(self, arrays: Mapping[str, Array], layer: int, sources: Array, state: Any) -> Any:
        return (sources[:, :1] * state[0],)


@pytest.mark.parametrize("name", FORMATS.names())
def test_what_no_format_knows_is_refused(name: str, tmp_path: Path) -> None:
    network = Foreign(1, 2, 1)
    genome = np.zeros(network.n_genes)
    with pytest.raises(BadInput, match="kind 'foreign' cannot be exported; those that can are elman, jordan"):
        export_model(Predictor((Member(network, genome, {}),)), name, tmp_path)
    known = Elman(1, 2, 1)
    scaling = {**Scaling.identity(1, 1).to_arrays(), "scaling_wavelet": np.zeros(1)}
    with pytest.raises(BadInput, match=r"cannot be exported \(scaling_wavelet\)"):
        export_model(Predictor((Member(known, genome, scaling),)), name, tmp_path)
    finer = Ctrnn(1, 2, 1, substeps=2)
    with pytest.raises(BadInput, match="a ctrnn with substeps = 2 cannot be exported: files hold networks"):
        export_model(Predictor((Member(finer, np.zeros(finer.n_genes), {}),)), name, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("case", ["gru_started", "all forms", "mean of three"])
def test_a_numpy_model_needs_neither_neuroevo_nor_another_package(case: str, tmp_path: Path) -> None:
    predictor, inputs = CASES[case]
    export_model(predictor, "numpy", tmp_path / "here.npz")
    np.save(tmp_path / "inputs.npy", inputs[0])
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['neuroevo', 'scipy', 'numba', 'torch']))\n"
        "import numpy as np; from here import Model\n"
        "model, inputs = Model(), np.load('inputs.npy')\n"
        "whole = model.predict(inputs)\n"
        "model.reset(); kept = model.state; first = [model.step(row) for row in inputs]\n"
        "model.state = kept; again = [model.step(row) for row in inputs]\n"
        "np.savez('said.npz', whole=whole, steps=first, again=again)"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, check=True)
    said = np.load(tmp_path / "said.npz")
    expected = predictor.predict(inputs[:1])[0]
    for name in ("whole", "steps", "again"):
        np.testing.assert_allclose(said[name], expected, rtol=1e-11, atol=1e-11)


@pytest.mark.peers
@pytest.mark.parametrize("case", ["gru", "all forms"])
def test_an_onnx_model_needs_onnxruntime_alone(case: str, tmp_path: Path) -> None:
    for package in NEEDS["onnx"]:
        pytest.importorskip(package)
    predictor, inputs = CASES[case]
    (file,) = export_model(predictor, "onnx", tmp_path).files
    np.save(tmp_path / "inputs.npy", inputs)
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['neuroevo', 'onnx', 'torch']))\n"
        "import numpy as np, onnxruntime\n"
        f"session, inputs = onnxruntime.InferenceSession({str(file)!r}), np.load('inputs.npy').astype('float32')\n"
        "state, said = np.zeros((len(inputs), session.get_inputs()[1].shape[1]), 'float32'), []\n"
        "for step in range(inputs.shape[1]):\n"
        "    outputs, state = session.run(None, {'inputs': inputs[:, step:step + 1], 'state': state})\n"
        "    said.append(outputs)\n"
        "np.save('said.npy', np.concatenate(said, axis=1))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stderr == ""
    expected = predictor.predict(inputs)
    np.testing.assert_allclose(np.load(tmp_path / "said.npy"), expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_names_from_strangers_stay_text(tmp_path: Path) -> None:
    predictor, inputs = CASES["gru"]
    plan = plan_of(predictor, 'a"""\nimport os\\', ('x"""', "y\n"), ())
    for path, contents in NumpyFormat().files(plan, tmp_path / "m.npz", "double").items():
        path.write_bytes(contents)
    names = runpy.run_path(str(tmp_path / "m.py"))
    assert "os" not in names
    np.testing.assert_allclose(
        names["Model"]().predict(inputs), NumpyFormat().outputs(tmp_path / "m.npz", [inputs], "")
    )


def test_the_reader_in_the_documents_is_what_is_written(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")
    (printed,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    network = Gru(2, 4, 1)
    predictor = Predictor((Member(network, np.zeros(network.n_genes), {}),))
    plan = plan_of(predictor, "demand-seed1", ("demand", "temperature"), ("demand",))
    assert printed == reader(plan, "model.npz")


def test_files_that_are_there_stay(tmp_path: Path) -> None:
    predictor, _ = CASES["gru"]
    (tmp_path / "model.py").write_text("mine")
    with pytest.raises(BadInput, match=r"model\.py is there already: choose another place with --out, or replace it"):
        export_model(predictor, "numpy", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model.py"]
    files = export_model(predictor, "numpy", tmp_path, overwrite=True).files
    assert [file.name for file in files] == ["model.npz", "model.py"]
    assert (tmp_path / "model.py").read_text() != "mine"


def test_a_model_that_says_something_else_is_not_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    predictor, _ = CASES["gru_started"]
    right = NumpyFormat.outputs
    monkeypatch.setattr(NumpyFormat, "outputs", lambda *arguments: right(*arguments) * (1 + 1e-6))
    with pytest.raises(BadInput, match=r"differs from the champion by 1e-06 of its largest output, where 1e-09"):
        export_model(predictor, "numpy", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.peers
def test_a_network_that_amplifies_rounding_needs_double_precision_and_is_told(tmp_path: Path) -> None:
    for package in NEEDS["onnx"]:
        pytest.importorskip(package)
    network = Elman(1, 16, 1, activation="sine")
    genome = np.random.default_rng(0).normal(size=network.n_genes)
    predictor = Predictor((Member(network, genome, {}),))
    with pytest.raises(BadInput, match=r"take double precision \(--precision double\)"):
        export_model(predictor, "onnx", tmp_path)
    exported = export_model(predictor, "onnx", tmp_path, precision="double")
    assert exported.amplifies
    assert exported.difference is not None
    assert exported.difference > 1e-9


def test_precision_is_checked(tmp_path: Path) -> None:
    predictor, _ = CASES["gru"]
    with pytest.raises(BadInput, match="numpy has double precision alone, got 'single'"):
        export_model(predictor, "numpy", tmp_path, precision="single")


@pytest.mark.parametrize("name", ["torch", "onnx"])
def test_a_missing_package_is_named(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("neuroevo.export.base.find_spec", lambda _: None)
    package = {"torch": "safetensors", "onnx": "onnx"}[name]
    with pytest.raises(BadInput, match=rf"needs the package {package}: pip install 'neuroevo-rnn\[{name}\]'"):
        export_model(CASES["gru"][0], name, tmp_path)


@pytest.mark.peers
def test_what_cannot_be_tried_is_written_and_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "neuroevo.export.writing.find_spec", lambda name: None if name == "onnxruntime" else found(name)
    )
    exported = export_model(CASES["gru"][0], "onnx", tmp_path)
    assert exported.difference is None
    assert exported.checked_by == "onnxruntime"
    assert exported.files[0].stat().st_size > 100


def test_runs_records_and_ensembles_are_exported(small_scenario: Path, tmp_path: Path) -> None:
    trials = ne.run_trials(small_scenario, 3, results=tmp_path / "runs")
    record = trials.finished()[0]
    inputs = record.problem.original.inputs  # type: ignore[attr-defined]
    for source, predictor in (
        (record.path, record.predictor()),
        (record, record.predictor()),
        (trials.path, ne.load_predictor(trials.path)),
    ):
        exported = export_model(source, "numpy", tmp_path / "out", overwrite=True)
        assert exported.difference is not None
        assert exported.difference < 1e-12
        model = runpy.run_path(str(exported.files[1]))["Model"](exported.files[0])
        np.testing.assert_allclose(model.predict(inputs[0]), predictor.predict(inputs)[0], rtol=1e-12)
        text = exported.files[1].read_text()
        assert "Inputs: 1 (value)" in text
    assert "median of 3 networks (elman)" in text
