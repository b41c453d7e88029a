"""Generators against the protocols of their papers, written once more in the plainest way, and published linear floors."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from neuroevo.problems import PROBLEMS
from neuroevo.problems.baselines import baselines
from neuroevo.problems.generators.chaos import lorenz, mackey_glass
from neuroevo.problems.generators.reber import SYMBOLS, successors
from neuroevo.problems.generators.tomita import STRINGS, all_strings, in_language
from neuroevo.settings import SettingsError, parse_settings

NOWHERE = Path("/nonexistent")
GENERATORS = {
    "adding": {"n_test": 50},
    "multiplication": {"n_test": 50},
    "temporal_order": {"n_test": 50},
    "latch": {"n_test": 50},
    "delayed_recall": {},
    "parity": {},
    "tomita": {"language": 3},
    "embedded_reber": {},
    "mackey_glass": {},
    "lorenz": {},
    "narma10": {},
    "superimposed_sines": {},
    "sine": {},
}
RANDOM = (
    "adding",
    "multiplication",
    "temporal_order",
    "latch",
    "delayed_recall",
    "parity",
    "embedded_reber",
    "narma10",
)


def build(kind, **values):
    return parse_settings(PROBLEMS[kind], {**GENERATORS[kind], **values}, "problem").build(NOWHERE)


def ends(problem, part):
    """Inputs up to the end of each sequence of a part, and the target there."""
    for i in np.flatnonzero(problem.parts[part].any(axis=1)):
        length = problem.lengths[i]
        yield problem.inputs[i, :length], problem.targets[i, length - 1]


def test_every_kind_but_the_readers_is_tested_here():
    control = {name for name in PROBLEMS.names() if "control" in PROBLEMS[name].__module__}
    assert {*PROBLEMS.names()} == {*GENERATORS, "series", "sequences", *control}


@pytest.mark.parametrize("kind", PROBLEMS.names())
def test_every_kind_has_a_summary_of_a_line(kind):
    assert 20 < len(PROBLEMS.summary(kind)) <= 120


@pytest.mark.parametrize("kind", GENERATORS)
def test_same_settings_same_bits_and_the_global_generator_untouched(kind):
    np.random.seed(7)  # noqa: NPY002 - the global state is what is checked
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    one, other = build(kind), build(kind)
    assert one.inputs.tobytes() == other.inputs.tobytes()
    assert one.targets.tobytes() == other.targets.tobytes()
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002
    assert one.warnings() == []


@pytest.mark.parametrize("kind", RANDOM)
def test_another_data_seed_gives_other_data(kind):
    assert not np.array_equal(build(kind).inputs, build(kind, data_seed=1).inputs)


@pytest.mark.parametrize("kind", [kind for kind in RANDOM if kind != "narma10"])
def test_more_test_sequences_do_not_change_the_training_sequences(kind):
    one, other = build(kind, n_train=5, n_test=3), build(kind, n_train=5, n_test=9, n_validation=4)
    for (ours, target), (theirs, its) in zip(ends(one, "train"), ends(other, "train"), strict=True):
        assert np.array_equal(ours, theirs)
        assert np.array_equal(target, its)
    assert build(kind, n_train=5, n_test=0).parts.keys() == {"train"}


@pytest.mark.parametrize("shortest", [6, 20, 100])
@pytest.mark.parametrize("kind", ["adding", "multiplication"])
def test_marked_values_make_the_result(kind, shortest):
    problem = build(kind, min_length=shortest, n_train=400)
    assert problem.learned.tolerance == 0.04
    places = set()
    for inputs, target in ends(problem, "train"):
        assert shortest <= len(inputs) <= shortest + shortest // 10
        values, markers = inputs[:, 0], inputs[:, 1]
        first, second = np.flatnonzero(markers == 1.0)
        places.update((first, second))
        assert first < 10
        assert second < shortest // 2 + 1
        assert markers[-1] == -1.0
        assert markers[0] == (1.0 if first == 0 else -1.0)
        assert np.count_nonzero(markers) == (3 if first == 0 else 4)
        if kind == "adding":
            assert np.abs(values).max() <= 1.0
            assert first or values[0] == 0.0
            assert target[0] == 0.5 + (values[first] + values[second]) / 4.0
        else:
            assert values.min() >= 0.0
            assert first or values[0] == 1.0
            assert target[0] == values[first] * values[second]
    # The second marker lies among the first T/2 - 1 unmarked pairs, so place T/2 is out of reach from zero on.
    assert max(places) == shortest // 2 - 1
    assert problem.counted("train").sum() == 400


def test_a_constant_has_the_analytic_error_on_the_adding_problem():
    constant = baselines(build("adding", n_train=10_000, n_test=0))[0]
    # X1 is 0 in one of ten sequences, X2 in one of 49 of the others; else each has the variance 1/3.
    expected = (0.9 + 1.0 - 0.9 / 49.0) / 3.0 / 16.0
    assert constant.parts["train"].error == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize(("n_relevant", "places"), [(2, [(10, 20), (50, 60)]), (3, [(10, 20), (33, 43), (66, 76)])])
def test_temporal_order_is_that_of_the_relevant_symbols(n_relevant, places):
    problem = build("temporal_order", n_relevant=n_relevant, n_train=300)
    assert (problem.n_inputs, problem.n_outputs) == (8, 2**n_relevant)
    seen = [set() for _ in places]
    for inputs, target in ends(problem, "train"):
        assert 100 <= len(inputs) <= 110
        assert (inputs.sum(axis=1) == 1).all()
        text = "".join(problem.input_names[i] for i in inputs.argmax(axis=1))
        assert re.fullmatch("E[abcdXY]+B", text)
        found = [match.start() for match in re.finditer("[XY]", text)]
        for place, (first, last), its in zip(found, places, seen, strict=True):
            assert first <= place <= last
            its.add(place)
        assert target.sum() == 1.0
        assert problem.target_names[target.argmax()] == "".join(text[place] for place in found)
    assert all(its == set(range(first, last + 1)) for its, (first, last) in zip(seen, places, strict=True))


def test_the_latch_shows_its_class_and_then_noise():
    problem = build("latch", n_train=400)
    noise = []
    for inputs, target in ends(problem, "train"):
        assert 100 <= len(inputs) <= 110
        assert (inputs[:3, 0] == (1.0 if target[0] else -1.0)).all()
        noise.append(inputs[3:, 0])
    assert np.concatenate(noise).var() == pytest.approx(0.2, rel=0.03)
    assert np.concatenate(noise).mean() == pytest.approx(0.0, abs=0.01)
    noisy = [(i[:3, 0], t[0]) for i, t in ends(build("latch", noisy_information=True), "train")]
    assert np.var([i - (1.0 if t else -1.0) for i, t in noisy]) == pytest.approx(0.2, rel=0.15)


@pytest.mark.parametrize("values", ["uniform", "binary"])
def test_recall_gives_back_the_input_of_some_steps_ago(values):
    problem = build("delayed_recall", delay=7, n_steps=30, values=values)
    assert np.array_equal(problem.targets[:, 7:], problem.inputs[:, :-7])
    assert np.array_equal(problem.counted("train")[0, :, 0], np.arange(30) >= 7)
    assert (np.abs(problem.inputs) == 1).all() if values == "binary" else (np.abs(problem.inputs) <= 0.5).all()


def test_parity_counts_ones():
    problem = build("parity", min_length=1, max_length=9, counts="all", noise=0.2)
    for inputs, target in ends(problem, "train"):
        assert target[0] == (inputs > 0).sum() % 2
        assert (np.abs(np.abs(inputs) - 1.0) <= 0.2).all()
    assert problem.counted("train").sum() == problem.lengths[:100].sum()
    assert build("parity").counted("train").sum() == 100


def test_printed_labels_of_tomita_agree_with_the_definitions():
    for language, line in STRINGS.items():
        inside, outside = (part.replace("e", "").split(" ") for part in line.split("  "))
        assert all(in_language(string, language) for string in inside), language
        assert not any(in_language(string, language) for string in outside), language
    # The two misprints, which are replaced.
    assert in_language("110", 3)
    assert not in_language("001", 5)


def test_tomita_languages_equal_their_automata():
    """For each language the next state after 0 and after 1, from state 0 on, and the accepting states."""
    automata = {
        1: ([(1, 0), (1, 1)], [0]),
        2: ([(2, 1), (0, 2), (2, 2)], [0]),
        4: ([(1, 0), (2, 0), (3, 0), (3, 3)], [0, 1, 2]),
        5: ([(1, 2), (0, 3), (3, 0), (2, 1)], [0]),
        6: ([(2, 1), (0, 2), (1, 0)], [0]),
        7: ([(0, 1), (2, 1), (2, 3), (4, 3), (4, 4)], [0, 1, 2, 3]),
    }
    for language, (steps, accepting) in automata.items():
        for string in all_strings(9):
            state = 0
            for bit in string:
                state = steps[state][int(bit)]
            assert in_language(string, language) == (state in accepting), (language, string)


def test_language_3_forbids_an_odd_run_of_zeros_anywhere_after_an_odd_run_of_ones():
    for string in all_strings(9):
        runs = [match.group() for match in re.finditer("0+|1+", string)]
        bad = any(
            one[0] == "1" and len(one) % 2 and zero[0] == "0" and len(zero) % 2
            for i, one in enumerate(runs)
            for zero in runs[i + 1 :]
        )
        assert in_language(string, 3) == (not bad), string


def test_tomita_strings_are_shown_as_the_paper_shows_them():
    problem = build("tomita", language=2)
    assert (problem.n_sequences, problem.n_outputs) == (16 + 2**11 - 1, 1)
    inputs, target = next(ends(problem, "test"))
    assert inputs[:, 0].tolist() == [0.0, 0.0, 0.0]
    assert target[0] == 1.0
    inputs, target = list(ends(problem, "train"))[5]
    assert inputs[:, 0].tolist() == [1.0, -1.0] * 7 + [0.0] * 3
    assert target[0] == 1.0
    assert problem.counted("train").sum() == 16
    assert build("tomita", language=2, train_length=4, test_length=0).n_sequences == 31


def test_reber_strings_are_legal_and_targets_are_their_successors():
    problem = build("embedded_reber", n_train=200, n_test=100)
    reber = re.compile(r"B(T|P)B(TS*X(XT*VP)*(XT*VV|S)|PT*V(PXT*V)*(PS|V))E(\1)E")
    strings = {"train": set(), "test": set()}
    for part, its in strings.items():
        for i in np.flatnonzero(problem.parts[part].any(axis=1)):
            length = problem.lengths[i]
            string = "".join(SYMBOLS[j] for j in problem.inputs[i, :length].argmax(axis=1)) + "E"
            its.add(string)
            assert reber.fullmatch(string), string
            for step, following in enumerate(successors(string)):
                assert string[step + 1] in following
                legal = {SYMBOLS[j] for j in np.flatnonzero(problem.targets[i, step])}
                assert legal == set(following)
    assert not strings["train"] & strings["test"]


def test_mackey_glass_gives_the_published_linear_floor():
    # [0, 1], 500 / 500, three values: persistence 3.02e-2, linear 2.0e-3, normalised 9.8e-5. The series is chaotic and
    # begins with a jump, so integrators that treat the jump differently part ways by the last printed digit.
    found = {baseline.name: baseline.parts["test"] for baseline in baselines(build("mackey_glass"), 3)}
    assert found["persistence"].error ** 0.5 == pytest.approx(3.02e-2, rel=0.01)
    assert found["linear"].error ** 0.5 == pytest.approx(2.0e-3, rel=0.06)
    assert found["linear"].nmse == pytest.approx(9.8e-5, rel=0.03)


def test_lorenz_gives_the_published_linear_floor():
    for time_step, repeated, linear in ((0.01, 2.5e-2, 3.5e-4), (0.02, 5.1e-2, 2.9e-3), (0.05, None, 3.6e-2)):
        problem = build("lorenz", time_step=time_step)
        found = {baseline.name: baseline.parts["test"] for baseline in baselines(problem, 3)}
        # At 0.01 the series has few turns, so its start matters more.
        assert found["linear"].error ** 0.5 == pytest.approx(linear, rel=0.1 if time_step == 0.01 else 0.02)
        assert repeated is None or found["persistence"].error ** 0.5 == pytest.approx(repeated, rel=0.1)


def test_narma_gives_the_published_linear_floor():
    linear = baselines(build("narma10"), 20)[-1]
    assert linear.parts["test"].nmse == pytest.approx(0.156, abs=0.01)


def test_superimposed_sines_are_linear():
    for n_sines in (2, 5, 8):
        problem = build("superimposed_sines", n_sines=n_sines)
        assert problem.times[0][problem.counted("train")[0, :, 0]][[0, -1]].tolist() == [101, 399]
        linear = {baseline.name: baseline for baseline in baselines(problem, 2 * n_sines)}["linear"]
        assert linear.parts["test"].nmse < 1e-18


def test_narma_obeys_its_equation():
    problem = build("narma10", scaling="none", washout=0)
    driven, values = problem.inputs[0, :, 0], problem.targets[0, :, 0]
    for t in range(20, 200):
        past = values[t - 10 : t]
        assert values[t] == pytest.approx(
            0.3 * past[-1] + 0.05 * past[-1] * past.sum() + 1.5 * driven[t - 9] * driven[t] + 0.1
        )


def test_mackey_glass_converges_with_the_time_step_at_the_order_of_the_method():
    reference = mackey_glass(60, time_step=0.0125)
    for rk4, least in ((False, 1.7), (True, 3.5)):
        errors = [np.abs(mackey_glass(60, time_step=step, rk4=rk4) - reference).max() for step in (0.1, 0.05)]
        assert errors[0] / errors[1] > least
    assert mackey_glass(5, rk4=False, time_step=1.0)[:3] == pytest.approx([1.2, 1.08, 0.972])


def test_lorenz_equals_scipy():
    from scipy.integrate import solve_ivp

    def slope(_, state):
        x, y, z = state
        return 10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z

    times = np.arange(200) * 0.01
    found = solve_ivp(slope, (0, 2), [1.0, 1.0, 1.0], t_eval=times, rtol=1e-10, atol=1e-12).y.T
    assert lorenz(200) == pytest.approx(found, abs=2e-3)


def test_lorenz_shows_and_asks_for_the_coordinates_named():
    problem = build("lorenz", input=["x", "z"], target=["z", "y"], scaling="none")
    assert problem.tied == (1, -1)
    assert problem.input_names == ("x", "z")
    assert np.array_equal(problem.targets[0, :-1, 0], problem.inputs[0, 1:, 1])


def test_the_squashed_mackey_glass_series_is_that_of_jaeger():
    plain, squashed = (build("mackey_glass", scaling="none", squash=squash) for squash in (False, True))
    assert squashed.inputs == pytest.approx(np.tanh(plain.inputs - 1.0))


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        ("adding", {"min_length": 5}, "problem.min_length: must be at least 6"),
        ("latch", {"n_informative": 100}, "problem.n_informative: must be less than min_length"),
        ("delayed_recall", {"delay": 100}, "problem.delay: must be less than n_steps"),
        ("parity", {"min_length": 70}, "problem.min_length: must not exceed max_length"),
        ("tomita", {"language": 8}, "problem.language: must be"),
        ("mackey_glass", {"time_step": 0.3}, "problem.time_step: .*multiples"),
        ("mackey_glass", {"tau": 17.05}, "problem.tau: .*multiples"),
        ("lorenz", {"input": ["w"]}, "problem.input"),
        ("lorenz", {"horizon": 0}, "problem.horizon: must be at least 1"),
        ("narma10", {"horizon": 2}, "problem.horizon: must be 1"),
        ("superimposed_sines", {"n_sines": 9}, "problem.n_sines"),
        ("sine", {"period": 2.0}, "problem.period: must be greater than 2"),
        ("temporal_order", {"n_relevant": 4}, "problem.n_relevant"),
    ],
)
def test_impossible_settings_are_refused(kind, values, message):
    with pytest.raises(SettingsError, match=message):
        build(kind, **values)
