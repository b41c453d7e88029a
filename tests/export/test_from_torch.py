"""Models that come from PyTorch: modules, and state dictionaries as files."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.errors import BadInput, WrongType
from neuroevo.export import export_model
from neuroevo.networks.exchange import from_state_dict
from neuroevo.prediction import Member, Predictor
from neuroevo.scenario import ScenarioError, load_scenario
from tests.networks.torch_cases import as_network, stored_cases

CASES = stored_cases()
PLAIN = [case for case in CASES if not case.endswith(("_started", "_skip"))]


def state_dict_of(case: str, cell: str = "encoder.", linear: str = "head.") -> dict[str, Any]:
    """The stored weights as a model's state dictionary would name them."""
    arrays = {f"{cell}{name}": array for name, array in CASES[case].items() if name.endswith(("_l0", "_l1"))}
    readout = {f"{linear}{word}": CASES[case][f"readout.{word}"] for word in ("weight", "bias")}
    return arrays | readout


@pytest.mark.parametrize("names", [("encoder.", "head."), ("", ""), ("model.rnn.", "model.out.")])
@pytest.mark.parametrize("case", PLAIN)
def test_a_state_dictionary_is_a_genome_whatever_its_names(case: str, names: tuple[str, str]) -> None:
    network, genome, inputs, outputs = as_network(case, CASES[case])
    found = from_state_dict(network, state_dict_of(case, *names))
    np.testing.assert_array_equal(found, genome)
    np.testing.assert_allclose(network.predict(found, inputs), outputs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", [case for case in CASES if case.endswith("_skip")])
def test_direct_links_stand_beside_the_read_out(case: str) -> None:
    network, genome, _, _ = as_network(case, CASES[case])
    arrays = state_dict_of(case, "cell.", "readout.")
    weight = arrays["readout.weight"]
    split = {"readout.weight": weight[:, :7], "skip.weight": weight[:, 7:]}
    np.testing.assert_array_equal(from_state_dict(network, arrays | split), genome)
    without = from_state_dict(network, arrays | {"readout.weight": weight[:, :7]})
    assert not network.layout.decode(without)["weight_skip"].any()
    with pytest.raises(BadInput, match="set skip"):
        from_state_dict(as_network(case[:-5], CASES[case[:-5]])[0], arrays | split)


def test_without_biases_they_are_zero() -> None:
    network, _, _, _ = as_network("gru_1", CASES["gru_1"])
    arrays = {name: array for name, array in state_dict_of("gru_1").items() if "bias" not in name}
    decoded = network.layout.decode(from_state_dict(network, arrays))
    assert not any(array.any() for name, array in decoded.items() if name.startswith("bias"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"norm.weight": np.ones(7)}, "one linear layer beside the recurrent one, and nothing else; got .*norm.weight"),
        ({"other.weight_ih_l0": np.ones((21, 3))}, "have 2 recurrent layers"),
        ({"head.weight": np.ones((2, 6))}, r"weight_out must have shape \(2, 7\), got \(2, 6\)"),
        ({"encoder.weight_ih_l0_reverse": np.ones((21, 3))}, "nothing else; got encoder.weight_ih_l0_reverse"),
        ({"encoder.weight_hh_l0": np.ones(3)}, "must be matrices"),
        ({"start": np.ones((1, 1, 1, 7)), "other": np.zeros(1)}, "nothing else; got start, other"),
    ],
)
def test_other_models_are_refused(change: dict[str, Any], words: str) -> None:
    network, _, _, _ = as_network("gru_1", CASES["gru_1"])
    with pytest.raises(BadInput, match=words):
        from_state_dict(network, state_dict_of("gru_1") | change)


def test_weights_of_another_size_are_told() -> None:
    for network, its in (
        (ne.Gru(3, 5, 2), "gru, n_inputs = 3, n_hidden = 5, n_layers = 1"),
        (ne.Lstm(3, 7, 2), "lstm, n_inputs = 3, n_hidden = 7, n_layers = 1"),
        (ne.Gru(2, 7, 2, n_layers=2), "gru, n_inputs = 2, n_hidden = 7, n_layers = 2"),
    ):
        with pytest.raises(BadInput, match=f"of gru, n_inputs = 3, n_hidden = 7, n_layers = 1; the network is {its}"):
            from_state_dict(network, state_dict_of("gru_1"))


def test_what_is_no_module_is_refused() -> None:
    with pytest.raises(WrongType, match="a module of PyTorch, got dict"):
        ne.from_torch({})


def test_weights_that_are_not_there_are_a_mistake_in_the_scenario(small_scenario: Path) -> None:
    with pytest.raises(ScenarioError, match=r"strategy.initial: .*model.safetensors: there is no such file"):
        load_scenario(small_scenario, overrides={"strategy.initial": "model.safetensors"})


def model_of(cell: Any, readout: Any) -> Any:
    from torch import nn

    class Forecaster(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.dropout, self.out = cell, nn.Dropout(0.2), readout

    return Forecaster()


def modules() -> list[Any]:
    """Cells of PyTorch that have a network here."""
    from torch import nn

    return [
        nn.RNN(2, 4),
        nn.RNN(2, 4, 2, nonlinearity="relu", batch_first=True),
        nn.LSTM(2, 4, 2),
        nn.GRU(2, 4, 2, batch_first=True),
        nn.GRU(2, 4, bias=False),
    ]


@pytest.mark.peers
@pytest.mark.parametrize("number", range(5))
def test_pytorch_to_genome_to_pytorch(number: int, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    torch.manual_seed(number)
    cell, readout = modules()[number].double(), torch.nn.Linear(4, 3, bias=number != 4).double()
    inputs = np.random.default_rng(number).normal(size=(2, 11, 2))
    given = torch.from_numpy(inputs if cell.batch_first else inputs.transpose(1, 0, 2).copy())
    expected = readout(cell(given)[0]).detach().numpy()
    expected = expected if cell.batch_first else expected.transpose(1, 0, 2)
    network, genome = ne.from_torch(model_of(cell, readout))
    np.testing.assert_array_equal(ne.from_torch(cell, readout)[1], genome)
    np.testing.assert_allclose(network.predict(genome, inputs), expected, rtol=1e-12, atol=1e-12)
    file, reader = export_model(Predictor((Member(network, genome, {}),)), "torch", tmp_path).files
    model = runpy.run_path(str(reader))["load"](torch.float64, file)
    outputs, _ = model(torch.from_numpy(inputs))
    np.testing.assert_allclose(outputs.detach().numpy(), expected, rtol=1e-12, atol=1e-12)
    again, its = ne.from_torch(model.cell, model.readout)
    assert again == network
    np.testing.assert_array_equal(its, genome)


@pytest.mark.peers
def test_modules_of_other_forms_are_refused() -> None:
    torch = pytest.importorskip("torch")
    nn = torch.nn
    head = nn.Linear(4, 1)
    for module, words in (
        ((nn.GRU(2, 4, bidirectional=True), nn.Linear(8, 1)), "sees later steps"),
        ((nn.LSTM(2, 4, proj_size=3), nn.Linear(3, 1)), "projection of its state"),
        ((nn.LSTM(2, 4, 2, dropout=0.1), head), "set module.dropout = 0"),
        ((nn.GRU(2, 5), head), "reads 4 values, the recurrent layer has 5 units"),
        ((nn.GRU(2, 4),), "alone has no outputs"),
        ((nn.Linear(2, 4), head), "must be an nn.RNN, nn.LSTM or nn.GRU, got Linear"),
        ((nn.GRU(2, 4), nn.GRU(4, 4)), "must be an nn.Linear, got GRU"),
        ((model_of(nn.GRU(2, 4), nn.Sequential(nn.LayerNorm(4), head)),), r"also has out.0 \(LayerNorm\)"),
        ((model_of(nn.GRU(2, 4), nn.Sequential(nn.Linear(4, 4), head)),), "1 recurrent and 2 linear layers"),
        ((nn.LSTMCell(2, 4), head), "got LSTMCell"),
    ):
        with pytest.raises(BadInput, match=words):
            ne.from_torch(*module)
    network, _ = ne.from_torch(nn.GRU(2, 4), head, output_activation="logistic")
    assert network.output_activation == "logistic"


@pytest.mark.peers
@pytest.mark.parametrize("kind", ["own", "exported"])
def test_a_run_begins_at_pytorchs_weights(kind: str, small_scenario: Path, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    numpy_files = pytest.importorskip("safetensors.numpy")
    settings: dict[str, Any] = {"network": {"kind": "gru", "n_hidden": 3}, "strategy.population_size": 8}
    file = small_scenario.with_name("model.safetensors")
    if kind == "own":
        model = model_of(torch.nn.GRU(1, 3), torch.nn.Linear(3, 1)).double()
        numpy_files.save_file({name: values.numpy() for name, values in model.state_dict().items()}, file)
        genome = ne.from_torch(model)[1]
    else:
        settings["network"]["initial_state"] = True
        settings["problem.residual"] = "last_value"
        first = ne.run(small_scenario, overrides=settings, results=tmp_path)
        export_model(first, "torch", file)
        genome = first.champion.genome
    scenario = load_scenario(small_scenario, overrides={**settings, "strategy.initial": "model.safetensors"})
    np.testing.assert_array_equal(scenario.make_strategy().ask()[0], genome)
    record = ne.run(small_scenario, overrides={**settings, "strategy.initial": "model.safetensors"}, results=tmp_path)
    error, _ = scenario.problem.score(scenario.network, genome, "train")
    assert record.champion.error <= error * (1 + 1e-6)
    with pytest.raises(ScenarioError, match="no cell like Ctrnn"):
        load_scenario(small_scenario, overrides={"network.kind": "ctrnn", "strategy.initial": "model.safetensors"})
    file.write_bytes(b"nothing")
    with pytest.raises(ScenarioError, match="no safetensors file"):
        load_scenario(small_scenario, overrides={**settings, "strategy.initial": "model.safetensors"})
