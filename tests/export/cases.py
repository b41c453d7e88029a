"""Predictors of every form that formats have to know: each network kind, each preparation, alone and together."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroevo.networks import Ctrnn, Elman, Graph, Gru, Jordan, Lif, Lstm, Network
from neuroevo.prediction import Member, Predictor
from neuroevo.problems import Scaling, SequenceProblem
from tests.prediction.test_prepared import FORMS, prepared

ALL_LINKS = [[source, target] for source in range(7) for target in range(5)]
"""Of a graph with two inputs, four units and one output: the inputs reach the output too."""

NETWORKS: dict[str, Network] = {
    "elman": Elman(2, 4, 1, n_layers=2),
    "elman_relu": Elman(2, 4, 1, activation="relu", output_activation="tanh"),
    "elman_logistic": Elman(2, 3, 2, activation="logistic", initial_state=True),
    "elman_softsign": Elman(2, 3, 1, activation="softsign"),
    "elman_sine": Elman(2, 3, 1, activation="sine", output_activation="logistic"),
    "elman_linear": Elman(2, 3, 1, activation="linear"),
    "elman_hard_step": Elman(2, 3, 1, activation="hard_step"),
    "elman_sign": Elman(2, 3, 1, activation="sign"),
    "elman_winners": Elman(2, 5, 1, n_layers=2, activation="k_winners", winners=2),
    "jordan": Jordan(2, 3, 2, initial_state=True, output_activation="tanh"),
    "lstm": Lstm(2, 3, 1, n_layers=2, initial_state=True),
    "lstm_1997": Lstm(2, 3, 1, initial_state=True, forget_gate=False),
    "gru": Gru(2, 3, 3, n_layers=2, output_activation="softmax"),
    "gru_started": Gru(2, 3, 1, initial_state=True, fixed={"bias_out": 0.5}),
    "ctrnn": Ctrnn(2, 3, 1, n_layers=2, initial_state=True),
    "elman_skip": Elman(2, 3, 2, skip=True, output_activation="tanh"),
    "elman_sine_skip": Elman(2, 3, 1, activation="sine", skip=True),
    "jordan_skip": Jordan(2, 3, 2, skip=True),
    "lstm_skip": Lstm(2, 3, 1, n_layers=2, skip=True),
    "gru_skip": Gru(2, 3, 1, skip=True, fixed={"weight_skip": [[0.5, -1.0]]}),
    "ctrnn_skip": Ctrnn(2, 3, 1, skip=True),
    "ctrnn_winners": Ctrnn(2, 4, 1, activation="k_winners", winners=1, initial_state=True),
    "jordan_winners": Jordan(2, 4, 2, activation="k_winners", winners=3),
    "graph_winners": Graph(2, 4, 1, ALL_LINKS, activation="k_winners", winners=2),
    "graph": Graph(2, 4, 1, ALL_LINKS, initial_state=True),
    "graph_sparse": Graph(2, 4, 1, {"density": 0.4, "seed": 3}, activation="softsign"),
}


def scaled(network: Network, seed: int) -> Member:
    """A member with a genome and a scaling of its own."""
    rng = np.random.default_rng(seed)
    columns = [rng.normal(size=network.n_inputs), rng.gamma(2.0, size=network.n_inputs)]
    columns += [rng.normal(size=network.n_outputs), rng.gamma(2.0, size=network.n_outputs)]
    return Member(network, 0.5 * rng.normal(size=network.n_genes), Scaling("standard", *columns).to_arrays())


def predictors() -> dict[str, tuple[Predictor, Any]]:
    """Names to predictors and inputs ``(2, n_steps, n_inputs)``."""
    inputs = np.random.default_rng(8).normal(size=(2, 30, 2))
    cases = {name: (Predictor((scaled(network, 1),)), inputs) for name, network in NETWORKS.items()}
    three = tuple(scaled(NETWORKS[name], seed) for seed, name in enumerate(["gru_started", "ctrnn", "lstm"]))
    cases["median of three"] = Predictor(three), inputs
    cases["median of two"] = Predictor(three[:2]), inputs
    cases["mean of three"] = Predictor(three, "mean"), inputs
    cases["weighted mean of three"] = Predictor(three, "mean", weights=(0.5, 0.2, 0.3)), inputs
    cells = [Gru(1, 2, 1), Elman(1, 3, 1), Jordan(1, 2, 1)]
    members = []
    for number, (form, arguments) in enumerate(FORMS.items()):
        problem = prepared(*arguments, "standard")
        cell = cells[number % 3]
        genome = 0.5 * np.random.default_rng(number).normal(size=cell.n_genes)
        members.append(Member(cell, genome, problem.scaling_arrays()))
        cases[form] = Predictor((members[-1],)), both(problem)
    cases["all forms"] = Predictor(tuple(members)), both(prepared(None, None, "standard"))
    return cases


def both(problem: SequenceProblem) -> Any:
    """The inputs of a problem, and others."""
    inputs = problem.original.inputs
    return np.concatenate([inputs, 1.1 * inputs[:, ::-1]])


def pieces_of(inputs: Any) -> list[list[Any]]:
    """The whole; and cut, with single steps among the pieces."""
    return [[inputs], [inputs[:, :1], inputs[:, 1:2], inputs[:, 2:17], inputs[:, 17:]]]


FIRING: dict[str, Network] = {
    "lif": Lif(2, 6, 2, n_layers=2, initial_state=True, output_activation="softmax"),
    "lif_still": Lif(2, 5, 1, reset="zero", refractory=2, substeps=3, skip=True, output_activation="tanh"),
    "lif_spikes": Lif(2, 4, 5, threshold=0.5, readout="spikes", refractory=1, substeps=2),
}
"""Networks that C alone knows; thresholds are crossed by far more than single precision's rounding, for these seeds."""
