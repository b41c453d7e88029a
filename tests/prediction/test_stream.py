"""Rows that arrive one at a time are predicted as all of them at once, to the bit, at a cost that does not grow."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neuroevo.errors import BadInput
from neuroevo.networks import NETWORKS, Elman, Network, make_network
from neuroevo.networks.layout import ArraySpec
from neuroevo.prediction import Member, Predictor
from neuroevo.problems import SequenceProblem

FORMS: list[tuple[Any, Any]] = [
    (None, None),
    ("last_value", None),
    ("seasonal", None),
    ("linear", None),
    (None, "log"),
    (None, ["difference", "seasonal_difference"]),
    ("linear", ["log", "difference"]),
    ("seasonal", "difference"),
    ("linear", "seasonal_difference"),
]


def problem_of(form: tuple[Any, Any], lags: int, horizon: int, scaling: Any) -> SequenceProblem:
    """Two series, of which the first is predicted, each with its lags."""
    steps = np.arange(72)
    rng = np.random.default_rng(7)
    values = 50 + steps / 3 + 9 * np.sin(steps * np.pi / 6) + rng.normal(size=72)
    other = rng.gamma(2.0, size=72) + 1
    columns = [np.roll(series, lag)[lags - 1 :] for series in (values, other) for lag in range(lags)]
    inputs = np.column_stack(columns)[None, : 73 - lags - horizon]
    targets = values[None, lags - 1 + horizon :, None]
    train = np.arange(inputs.shape[1])[None] < 40
    problem = SequenceProblem(inputs, targets, parts={"train": train, "validation": ~train}, tied=[0], season=12)
    return problem.prepared(*form).scaled(scaling)


def predictor_of(
    problem: SequenceProblem, kind: str, n: int, combine: Any = "median", *, skip: bool = False
) -> Predictor:
    sizes: dict[str, Any] = {"n_units": 3, "links": "all"} if kind == "graph" else {"n_hidden": 3}
    sizes |= {"skip": True} if skip else {}
    network = make_network(kind, problem.n_inputs, problem.n_outputs, **sizes)
    genomes = np.random.default_rng(n).normal(size=(n, network.n_genes))
    members = tuple(Member(network, genome, problem.scaling_arrays()) for genome in genomes)
    if combine != "weighted":
        return Predictor(members, combine)
    weights = np.arange(1, n + 1) / np.arange(1, n + 1).sum()
    return Predictor(members, "mean", weights=tuple(weights.tolist()))


@pytest.mark.parametrize("kind", NETWORKS.names())
@settings(deadline=None, max_examples=6, suppress_health_check=[HealthCheck.too_slow])
@given(
    form=st.sampled_from(FORMS),
    lags=st.integers(1, 3),
    horizon=st.sampled_from([1, 2, 14]),
    scaling=st.sampled_from(["none", "standard", "range"]),
    n_members=st.sampled_from([1, 2, 3, 9]),
    combine=st.sampled_from(["median", "mean", "weighted"]),
    skip=st.booleans(),
)
def test_rows_one_at_a_time_give_the_bits_of_all_at_once(
    kind: str, form: Any, lags: int, horizon: int, scaling: Any, n_members: int, combine: Any, skip: bool
) -> None:
    problem = problem_of(form, lags, horizon, scaling)
    predictor = predictor_of(
        problem, kind, n_members, combine, skip=skip and kind not in ("graph", "locally_recurrent")
    )
    inputs = problem.original.inputs
    expected = predictor.predict(inputs)
    predictor.step(inputs[0, 5])
    predictor.reset()
    found = [predictor.step(row) for row in inputs[0]]
    np.testing.assert_array_equal(np.stack(found)[None], expected)
    # Nothing is seen of what comes later.
    np.testing.assert_array_equal(predictor.predict(inputs[:, :30]), expected[:, :30])


def test_streams_go_on_independently_and_side_by_side() -> None:
    problem = problem_of(("linear", "difference"), 2, 1, "standard")
    predictor = predictor_of(problem, "gru", 3)
    rng = np.random.default_rng(1)
    inputs = problem.original.inputs[:, :40] + rng.normal(size=(4, 40, 4))
    expected, stream = predictor.predict(inputs), predictor.stream(4)
    for step in range(20):
        np.testing.assert_array_equal(stream.step(inputs[:, step]), expected[:, step])
    other = stream.copy()
    other.step(inputs[:, 0])
    assert (stream.n_seen, other.n_seen) == (20, 21)
    for step in range(20, 40):
        np.testing.assert_array_equal(stream.step(inputs[:, step]), expected[:, step])


def test_what_is_refused_leaves_the_state_as_it_was() -> None:
    problem = problem_of(("last_value", None), 1, 1, "standard")
    predictor = predictor_of(problem, "elman", 2)
    inputs = problem.original.inputs[0]
    predictor.step(inputs[0])
    for wrong, words in [
        (inputs[0, :1], r"shape \(2,\) or \(1, 2\); got \(1,\)"),
        (inputs, "one row of each sequence"),
        ([np.nan, 1.0], "must be finite"),
        (["a", "b"], "real numbers"),
        ([1e308, -1e308], "too far"),
    ]:
        problem_with = pytest.raises((ValueError, TypeError), match=words)
        if words == "too far":
            scaling = dict(problem.scaling_arrays())
            scaling["scaling_input_factor"] = scaling["scaling_input_factor"] * 1e-10
            tiny = Predictor(tuple(Member(each.network, each.genome, scaling) for each in predictor.champions))
            tiny.step(inputs[0])
            kept = tiny.stream().copy()
            with problem_with:
                tiny.step(wrong)
            kept.step(inputs[0])
            np.testing.assert_array_equal(tiny.step(inputs[1]), kept.step(inputs[1]))
            continue
        with problem_with:
            predictor.step(wrong)
    np.testing.assert_array_equal(predictor.step(inputs[1]), predictor.predict(inputs[None, :2])[0, 1])


class Whole(Network):
    """A kind that sees whole sequences alone."""

    kind = "whole"
    n_inputs, n_outputs, output_activation, initial_state = 1, 1, "linear", False

    def __init__(self) -> None:
        pass

    def _specs(self) -> list[ArraySpec]:
        return [ArraySpec("bias", (1,), "bias", np.zeros(1, dtype=np.int64))]

    def _run(self, arrays: Any, inputs: Any) -> Any:
        return inputs[:, ::-1] + arrays["bias"]


def test_a_network_that_sees_whole_sequences_alone_says_so() -> None:
    predictor = Predictor((Member(Whole(), np.ones(1), {}),))
    np.testing.assert_array_equal(predictor.predict([[[1.0], [2.0]]]), [[[3.0], [2.0]]])
    with pytest.raises(ValueError, match="sees whole sequences alone"):
        predictor.step([1.0])


def test_a_stream_keeps_no_more_rows_than_it_looks_back_to() -> None:
    problem = problem_of(("linear", "seasonal_difference"), 1, 1, "standard")
    stream = predictor_of(problem, "gru", 1).stream()
    for row in np.tile(problem.original.inputs[0], (3, 1)):
        stream.members(row[None])
    assert problem.preparation is not None
    assert problem.preparation.reach == 12 + 12
    assert [stepper._rows.shape for stepper in stream._steppers] == [(1, 25, 2)]


def test_steps_need_numpy_alone() -> None:
    code = (
        "import sys, numpy as np\n"
        "from neuroevo.networks import Elman\nfrom neuroevo.prediction import Member, Predictor\n"
        "network = Elman(1, 2, 1)\n"
        "Predictor((Member(network, np.zeros(network.n_genes), {}),)).step([1.0])\n"
        "print([name for name in ('numba', 'ray', 'scipy', 'matplotlib', 'deap') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert Elman(1, 2, 1).n_genes == 11


def test_a_logistic_regression_on_lags_is_streamed_to_the_bit_and_one_on_wholes_is_refused():
    from neuroevo.prediction import LogisticMember
    from neuroevo.problems.classifiers import Logistic

    rng = np.random.default_rng(5)
    columns, lags = np.repeat(np.arange(2), 3), np.tile(np.arange(3), 2)
    model = Logistic(columns, lags, rng.normal(size=6), rng.gamma(2.0, size=6), rng.normal(size=(7, 3)))
    predictor = Predictor((LogisticMember(model, 2),), "mean", by_class=True)
    inputs = rng.normal(size=(1, 12, 2))
    rows = np.stack([predictor.step(row) for row in inputs[0]])
    assert rows.tobytes() == predictor.predict(inputs)[0].tobytes()
    nothing = np.zeros(0, np.int64)
    whole = Logistic(nothing, nothing, np.zeros(18), np.ones(18), rng.normal(size=(19, 3)))
    with pytest.raises(BadInput, match="sees whole sequences alone"):
        Predictor((LogisticMember(whole, 2),), "mean", by_class=True).stream()
