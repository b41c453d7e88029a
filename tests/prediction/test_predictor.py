"""Predictors against loops over members, sequences and steps, and with numpy alone."""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroevo.networks import Elman, Gru, Network
from neuroevo.prediction import Calibration, Member, Predictor
from neuroevo.problems import RightClass, Scaling, SequenceProblem
from neuroevo.records import load_predictor, save_predictor


def member(network: Network, seed: int, **arguments: Any) -> Member:
    """With a scaling of its own."""
    rng = np.random.default_rng(seed)
    columns = [rng.normal(size=network.n_inputs), rng.gamma(2.0, size=network.n_inputs)]
    columns += [rng.normal(size=network.n_outputs), rng.gamma(2.0, size=network.n_outputs)]
    scaling = Scaling("standard", *columns)
    return Member(network, rng.normal(size=network.n_genes), scaling.to_arrays(), f"seed{seed}", **arguments)


def ensemble(n: int = 4, n_inputs: int = 2, n_outputs: int = 2, **arguments: Any) -> Predictor:
    kinds = (Elman, Gru)
    members = [member(kinds[k % 2](n_inputs, 2 + k % 3, n_outputs), k) for k in range(n)]
    return Predictor(tuple(members), **arguments)


def by_hand(one: Member, sequence: np.ndarray[Any, Any]) -> list[list[float]]:
    """``(n_steps, n_outputs)`` of a member: each step of inputs scaled, each output unscaled, number by number."""
    s = one.scaling
    offset, factor = s["scaling_input_offset"], s["scaling_input_factor"]
    steps = [[(x - a) / b for x, a, b in zip(step, offset, factor, strict=True)] for step in sequence]
    outputs = one.network.predict(one.genome, np.array(steps)[None])[0]
    ends = list(zip(s["scaling_target_offset"], s["scaling_target_factor"], strict=True))
    return [[y * factor + offset for y, (offset, factor) in zip(step, ends, strict=True)] for step in outputs]


@pytest.mark.parametrize("combine", ["median", "mean"])
@settings(deadline=None, max_examples=40)
@given(n_members=st.integers(1, 5), n_outputs=st.integers(1, 2), seed=st.integers(0, 2**32 - 1))
def test_members_are_combined_in_original_units(combine: Any, n_members: int, n_outputs: int, seed: int) -> None:
    predictor = ensemble(n_members, n_outputs=n_outputs, combine=combine)
    rng = np.random.default_rng(seed)
    inputs, lengths = rng.normal(size=(3, 5, 2)), rng.integers(1, 6, size=3)
    said = predictor.forecast(inputs, lengths)
    for k, length in enumerate(lengths):
        alone = [by_hand(one, inputs[k, :length]) for one in predictor.champions]
        np.testing.assert_allclose(said.members[:, k, :length], alone, rtol=1e-12, atol=1e-12)
        for step in range(length):
            for output in range(n_outputs):
                values = [each[step][output] for each in alone]
                np.testing.assert_allclose(
                    said.prediction[k, step, output], getattr(statistics, combine)(values), rtol=1e-12, atol=1e-12
                )
                np.testing.assert_allclose(said.spread[k, step, output], statistics.pstdev(values), atol=1e-12)
        assert np.isnan(said.prediction[k, length:]).all()
    for name in ("prediction", "members", "spread"):
        found = getattr(predictor, name.replace("prediction", "predict"))(inputs, lengths)
        np.testing.assert_array_equal(found, getattr(said, name))


def test_one_champion_is_its_network_in_original_units() -> None:
    steps = np.arange(40)
    problem = SequenceProblem(
        np.sin(steps)[None, :, None] * 50, np.cos(steps)[None, :, None] * 9 + 100,
        parts={"train": steps[None] < 20, "validation": steps[None] >= 20},
    ).scaled("range")  # fmt: skip
    network = Elman(1, 3, 1)
    genome = np.random.default_rng(2).normal(size=network.n_genes)
    predictor = Predictor((Member(network, genome, problem.scaling_arrays()),)).calibrated(problem)
    expected = problem.predictions(network.predict(genome, problem.inputs))
    np.testing.assert_array_equal(predictor.predict(problem.original.inputs), expected)
    low, high = predictor.interval(problem.original.inputs, level=0.8)
    misses = sorted(abs(expected - problem.original.targets)[0, 20:, 0])
    np.testing.assert_allclose(high - expected, np.full((1, 40, 1), misses[16]), rtol=1e-9)
    np.testing.assert_allclose(expected - low, high - expected, rtol=1e-9)
    with pytest.raises(ValueError, match="at least 99 validation targets of each output, there are 20"):
        predictor.interval(problem.original.inputs, level=0.99)
    with pytest.raises(ValueError, match="only one"):
        predictor.interval(problem.original.inputs, scaled=True)


def test_classes_have_the_mean_of_the_outputs_and_no_intervals() -> None:
    predictor = ensemble(3, n_outputs=3, combine="mean", by_class=True)
    inputs = np.random.default_rng(1).normal(size=(4, 6, 2))
    found = predictor.classes(inputs, [6, 1, 3, 6])
    for k, length in enumerate([6, 1, 3, 6]):
        for step in range(6):
            total = sum(each[k, step] for each in predictor.members(inputs))
            assert found[k, step] == (list(total).index(max(total)) if step < length else -1)
    with pytest.raises(ValueError, match="classes have none"):
        predictor.interval(inputs)
    with pytest.raises(ValueError, match="not on classes"):
        ensemble().classes(inputs)
    targets = np.eye(3)[np.arange(24).reshape(4, 6) % 3]
    parts = {"train": np.arange(4) < 2, "validation": np.arange(4) >= 2}
    problem = SequenceProblem(inputs, targets, learned=RightClass(), parts=parts)
    assert predictor.calibrated(problem).calibration is None


@pytest.mark.parametrize(
    ("inputs", "lengths", "words"),
    [
        (np.zeros((4, 2)), None, "single sequence needs a leading axis"),
        (np.zeros((1, 4, 3)), None, r"shape \(n_sequences, n_steps, 2\), got \(1, 4, 3\)"),
        (np.full((1, 4, 2), np.nan), None, "must be finite"),
        (np.zeros((1, 4, 2)), [5], "between 1 and 4"),
        (np.full((1, 4, 2), 1e308) * [1, -1], None, "beyond the range"),
    ],
)
def test_inputs_are_checked(inputs: Any, lengths: Any, words: str) -> None:
    tiny = Scaling("standard", np.zeros(2), np.full(2, 1e-10), np.zeros(1), np.ones(1)).to_arrays()
    network = Elman(2, 1, 1)
    with pytest.raises(ValueError, match=words):
        Predictor((Member(network, np.zeros(network.n_genes), tiny),)).predict(inputs, lengths)


def test_what_is_no_predictor_is_refused() -> None:
    one, other = ensemble().champions[0], ensemble(n_inputs=3).champions[0]
    wrong: list[tuple[Any, dict[str, Any], str]] = [
        ((), {}, "at least one member"),
        ((one, other), {}, "equally many inputs and outputs"),
        ((one,), {"combine": "mode"}, "median, mean"),
        ((one,), {"by_class": True}, 'by the "mean"'),
        ((one,), {"calibration": Calibration((np.ones(1),), (np.ones(1),), np.ones(1))}, "for 1 outputs, not 2"),
    ]
    for members, arguments, words in wrong:
        with pytest.raises(ValueError, match=words):
            Predictor(members, **arguments)
    with pytest.raises(ValueError, match="one entry a gene"):
        Member(one.network, np.zeros(3), one.scaling)
    with pytest.raises(ValueError, match="for 3 inputs and 2 outputs"):
        Member(one.network, one.genome, other.scaling)
    with pytest.raises(ValueError, match="lack scaling_target_factor"):
        Member(one.network, one.genome, {k: v for k, v in one.scaling.items() if k != "scaling_target_factor"})


@pytest.mark.parametrize("combine", ["median", "mean"])
def test_a_member_that_overflows_has_no_say(combine: Any) -> None:
    good = ensemble(4, combine=combine).champions
    wild = Elman(2, 2, 2, activation="linear")
    overflowing = Member(wild, np.full(wild.n_genes, 1e3), good[0].scaling)
    inputs = np.ones((2, 400, 2))
    said = Predictor((*good, overflowing), combine).forecast(inputs, [400, 200])
    alone = Predictor(good, combine).forecast(inputs, [400, 200])
    lost = ~np.isfinite(said.members[-1])
    assert lost[0, -1].all()
    assert not lost[:, 0].any()
    for name in ("prediction", "spread"):
        np.testing.assert_allclose(getattr(said, name)[lost], getattr(alone, name)[lost], rtol=1e-12)
        assert not np.isnan(getattr(said, name)[0]).any()
        assert np.isnan(getattr(said, name)[1, 200:]).all()


FORBIDDEN = ("numba", "ray", "deap", "pyswarms", "matplotlib", "scipy", "typer", "rich", "tomli_w")


def test_a_saved_ensemble_predicts_with_numpy_alone(tmp_path: Path) -> None:
    predictor = ensemble(3)
    save_predictor(predictor, tmp_path / "kept")
    code = (
        "import sys, numpy as np\n"
        f"for name in {FORBIDDEN!r}: sys.modules[name] = None\n"
        "import neuroevo.prediction, neuroevo as ne\n"
        "predictor = ne.load_predictor('kept')\n"
        "inputs = np.sin(np.arange(24.0)).reshape(2, 6, 2)\n"
        "print(predictor.predict(inputs).tobytes().hex())\n"
        f"print([name for name in {FORBIDDEN!r} if sys.modules[name] is not None])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    inputs = np.sin(np.arange(24.0)).reshape(2, 6, 2)
    assert done.stdout.splitlines() == [predictor.predict(inputs).tobytes().hex(), "[]"]
    np.testing.assert_array_equal(load_predictor(tmp_path / "kept").predict(inputs), predictor.predict(inputs))
