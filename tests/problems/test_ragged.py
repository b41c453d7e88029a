"""Sequences of unequal lengths: the same problem however it is given, each figure as a loop over sequences finds it."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuroevo as ne
from neuroevo.analysis import confusion, coverage, mean_width, part_errors, sequence_errors
from neuroevo.plots import plot_run
from neuroevo.prediction import Member, Predictor
from neuroevo.problems import RightClass, SequenceProblem
from neuroevo.problems.baselines import baselines
from neuroevo.problems.metrics import measure
from neuroevo.problems.rows import Rows
from neuroevo.problems.seasons import copies, found_season, horizon_of
from neuroevo.problems.stretches import restricted
from tests.problems.drawn import problems

several = st.lists(st.integers(1, 9), min_size=1, max_size=5)


def drawn(lengths, seed=0, **arguments):
    """Lists of arrays, one a sequence, as arguments of `SequenceProblem`."""
    rng = np.random.default_rng(seed)
    parts = [rng.random(n) < 0.6 for n in lengths]
    parts[0][0] = True
    return {
        "inputs": [rng.normal(size=(n, 2)) for n in lengths],
        "targets": [rng.normal(size=(n, 3)) for n in lengths],
        "target_mask": [np.ones((n, 3), bool) for n in lengths],
        "parts": {"train": parts, "all": np.ones(len(lengths), bool)},
        "times": [np.arange(n) * 0.5 for n in lengths],
        "target_weights": [rng.uniform(0.5, 2, (n, 1)) for n in lengths],
        **arguments,
    }


def padded(values, fill=0.0):
    """(n_sequences, n_steps + 2, ...) with what nobody may read at the ends."""
    array = np.full((len(values), 2 + max(map(len, values)), *values[0].shape[1:]), fill, values[0].dtype)
    for own, whole in zip(values, array, strict=True):
        whole[: len(own)] = own
    return array


def all_forms(lengths, seed=0):
    """The same problem from lists, from padded arrays and from rows."""
    each = drawn(lengths, seed)
    masks = each["parts"]
    whole = {name: padded(each[name]) for name in ("target_mask", "times")}
    whole |= {"inputs": padded(each["inputs"], np.nan), "targets": padded(each["targets"], np.inf)}
    whole |= {"lengths": lengths, "target_weights": padded(each["target_weights"], 1.0)}
    rows = {
        name: np.concatenate(each[name]) for name in ("inputs", "targets", "target_mask", "times", "target_weights")
    }
    rows["lengths"] = lengths
    return [
        SequenceProblem(**each),
        SequenceProblem(**whole, parts={**masks, "train": padded(masks["train"], True)}),
        SequenceProblem(**rows, parts={**masks, "train": np.concatenate(masks["train"])}),
    ]


@given(several, st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_lists_padded_arrays_and_rows_are_the_same_problem(lengths, seed):
    found = all_forms(lengths, seed)
    assert len({problem.fingerprint() for problem in found}) == 1
    each, problem = drawn(lengths, seed), found[0]
    for i, n in enumerate(lengths):
        assert np.array_equal(problem.inputs[i, :n], each["inputs"][i])
        assert np.array_equal(problem.targets[i, :n], each["targets"][i])
        assert np.array_equal(problem.times[i, :n], each["times"][i])
        assert np.array_equal(problem.parts["train"][i, :n], each["parts"]["train"][i])
        assert np.array_equal(problem.weights[i, :n], np.repeat(each["target_weights"][i], 3, axis=1))
        assert not problem.counted("all")[i, n:].any()
        assert not problem.inputs[i, n:].any()
    assert problem.counted("all").sum() == 3 * sum(lengths)
    assert problem.input_rows.nbytes == 8 * 2 * sum(lengths)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"targets": [np.zeros((2, 1)), np.zeros((4, 1))]}, "same number of sequences and steps, got 2 sequences"),
        ({"targets": np.zeros((2, 3, 1))}, "same number of sequences and steps"),
        ({"inputs": [np.zeros((2, 1)), np.zeros((3, 2))]}, "as many columns in every sequence"),
        ({"inputs": [np.zeros((2, 1)), np.zeros((3, 1), complex)]}, "real numbers"),
        ({"inputs": [np.zeros((2, 1)), np.zeros((0, 1))]}, "at least one sequence, one step"),
        ({"lengths": [2, 2]}, "leave lengths out"),
        ({"target_mask": [np.ones((2, 1), bool), np.ones((2, 1), bool)]}, "its lengths are not those of the inputs"),
        ({"target_mask": np.ones((5, 2), bool)}, "shape of the targets"),
        ({"parts": {"train": [np.ones(2, bool), np.ones(2, bool)]}}, "its lengths are not those of the inputs"),
        ({"times": [1, 2]}, "times must have the shape"),
        ({"target_weights": np.ones((5, 3))}, "target_weights must broadcast"),
    ],
)
def test_what_does_not_fit_the_sequences_is_refused(changes, message):
    right = {"inputs": [np.zeros((2, 1)), np.zeros((3, 1))], "targets": [np.zeros((2, 1)), np.zeros((3, 1))]}
    with pytest.raises((ne.BadInput, TypeError), match=message):
        SequenceProblem(**{**right, **changes})


@pytest.mark.parametrize(
    ("lengths", "message"),
    [([2, 2], "sum up to the 5 rows, got 4"), ([5, 0], "sequence 1 has 0"), ([], "one a sequence")],
)
def test_lengths_of_rows_must_be_theirs(lengths, message):
    with pytest.raises(ne.BadInput, match=message):
        SequenceProblem(np.zeros((5, 1)), np.zeros((5, 1)), lengths=np.array(lengths, dtype=int))


@given(several, st.integers(0, 12))
@settings(max_examples=60, deadline=None)
def test_rows_know_their_sequences_and_the_steps_before(lengths, lag):
    rows = Rows(np.array(lengths))
    values = np.random.default_rng(0).normal(size=(rows.n_rows, 2))
    mask = values[:, 0] > 0
    before, together = rows.lagged(values, lag), rows.together(lag)
    at = 0
    for s, own in enumerate(rows.split(values)):
        assert rows.sums(values)[s] == pytest.approx(own.sum(axis=0))
        true = np.flatnonzero(own[:, 0] > 0)
        assert rows.ends(mask)[s] == (true[-1] + 1 if true.size else 0)
        assert rows.some(mask)[s] == (true.size > 0)
        for t in range(len(own)):
            assert (rows.sequence[at], rows.step[at]) == (s, t)
            assert np.array_equal(before[at], own[max(t - lag, 0)])
            if at + lag < rows.n_rows:
                assert together[at] == (t + lag < len(own))
            at += 1
    assert np.array_equal(rows.of(rows.padded(values)), values)
    with pytest.raises(ne.BadInput, match="expected rows"):
        rows.of(values[1:])


@given(problems(), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_outputs_of_rows_are_those_of_padded_arrays_to_the_bit(problem, seed):
    network = ne.Gru(problem.n_inputs, 3, problem.n_outputs)
    genome = np.random.default_rng(seed).normal(size=network.n_genes)
    rows = network.predict_rows(genome, problem.input_rows, problem.lengths)
    whole = network.predict(genome, problem.inputs, problem.lengths)
    assert np.array_equal(rows, whole[problem.present])
    assert np.isnan(whole[~problem.present]).all()
    outputs = problem.predictions(whole)
    assert np.array_equal(problem.predictions(rows), outputs[problem.present])
    for part in problem.parts:
        assert repr(measure(problem, rows, part)) == repr(measure(problem, whole, part))


class Backwards(ne.Elman):
    """A kind that sees whole sequences."""

    def _run(self, arrays, inputs):
        return super()._run(arrays, inputs[:, ::-1])[:, ::-1]


def test_a_kind_that_sees_whole_sequences_gets_those_of_like_lengths_together(monkeypatch):
    network, sizes = Backwards(1, 2, 1), []
    genome, rng = np.random.default_rng(0).normal(size=network.n_genes), np.random.default_rng(1)
    lengths = np.array([3, 40, 5, 1, 21, 20, 3])
    rows = rng.normal(size=(lengths.sum(), 1))
    run = Backwards._run
    monkeypatch.setattr(Backwards, "_run", lambda self, arrays, x: sizes.append(x.shape[:2]) or run(self, arrays, x))
    found = network.predict_rows(genome, rows, lengths)
    assert sum(n * steps for n, steps in sizes) <= 2 * lengths.sum()
    assert sorted(n for n, _ in sizes) == [1, 1, 2, 3]  # 1; 20; 40 and 21; 5, 3 and 3
    assert found.shape == (93, 1)
    assert np.isfinite(found).all()


@given(several.filter(lambda lengths: sum(lengths) > 1), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_figures_are_those_of_a_loop_over_sequences(lengths, seed):
    problem = SequenceProblem(**drawn(lengths, seed, target_weights=None))
    rng = np.random.default_rng(seed)
    outputs = rng.normal(size=problem.target_rows.shape)
    misses, of_sequences, inside, wide = [], [], [], []
    at = 0
    for n, mask in zip(lengths, drawn(lengths, seed)["parts"]["train"], strict=True):
        own = (outputs - problem.target_rows)[at : at + n][mask]
        misses += own.ravel().tolist()
        of_sequences.append(np.mean(own**2) if own.size else np.nan)
        inside += (np.abs(own) <= 0.7).ravel().tolist()
        wide += [1.4] * own.size
        at += n
    mse = np.mean(np.square(misses))
    assert problem.objective.error(problem, outputs, problem.counted_rows()) == pytest.approx(mse)
    assert measure(problem, outputs).mse == pytest.approx(mse)
    assert part_errors(outputs, problem)["train"] == pytest.approx(mse)
    assert sequence_errors(outputs, problem, "train") == pytest.approx(np.array(of_sequences), nan_ok=True)
    interval = outputs - 0.7, outputs + 0.7
    assert coverage(interval, problem, "train") == pytest.approx(np.mean(inside))
    assert mean_width(interval, problem, "train") == pytest.approx(np.mean(wide))


def ragged_series(n_sequences=7, **arguments):
    """Sequences that repeat themselves after 5 steps, each its own next value."""
    rng = np.random.default_rng(3)
    lengths = rng.integers(11, 90, n_sequences)
    values = [np.sin(2 * np.pi * np.arange(n + 1) / 5 + i)[:, None] + 5 for i, n in enumerate(lengths)]
    values = [own + rng.normal(0, 0.05, own.shape) for own in values]
    parts = {"train": np.arange(n_sequences) % 3 > 0, "validation": np.arange(n_sequences) % 3 == 0}
    return SequenceProblem([v[:-1] for v in values], [v[1:] for v in values], tied=[0], parts=parts, **arguments)


def test_what_data_say_of_themselves_does_not_look_from_sequence_to_sequence():
    problem = ragged_series()
    assert horizon_of(problem) == 1
    assert found_season(problem) == 5
    assert copies(problem) == [0]
    lagged = SequenceProblem(
        [np.hstack([own[1:], own[:-1]]) for own in problem.rows.split(problem.input_rows)],
        [own[1:] for own in problem.rows.split(problem.target_rows)],
        tied=[0],
    )
    assert copies(lagged) == [0, 1]


def test_competitors_answer_sequence_by_sequence():
    problem = ragged_series()
    by_name = {baseline.name: baseline for baseline in baselines(problem)}
    assert by_name.keys() == {"mean", "persistence", "seasonal", "drift", "linear", "ridge"}
    whole = by_name["linear"]
    regressors, wanted = [], []
    for i, own in enumerate(problem.rows.split(problem.input_rows)):
        seen = own[:, 0]
        season = [seen[t - 4] if t >= 4 else seen[t] for t in range(len(seen))]
        assert by_name["seasonal"].outputs[i, : len(seen), 0].tolist() == season
        assert by_name["persistence"].outputs[i, : len(seen), 0].tolist() == seen.tolist()
        assert np.isnan(whole.outputs[i, :8]).all()
        if i % 3:
            regressors += [[1.0, *seen[t - 8 : t + 1]] for t in range(8, len(seen))]
            wanted += problem.targets[i, 8 : len(seen), 0].tolist()
    solution = np.linalg.lstsq(np.array(regressors), np.array(wanted), rcond=None)[0]
    one = problem.inputs[0, :30, 0]
    expected = [solution @ [1.0, *one[t - 8 : t + 1]] for t in range(8, 11)]
    assert whole.outputs[0, 8:11, 0] == pytest.approx(np.array(expected), abs=1e-6)


@pytest.mark.parametrize("transform", [None, "log", "difference", ("log", "seasonal_difference")])
@pytest.mark.parametrize("residual", [None, "last_value", "seasonal", "linear"])
def test_a_sequence_is_prepared_as_if_it_were_alone(residual, transform):
    if (residual, transform) == ("last_value", "difference") or (residual == "seasonal" and transform is not None):
        residual = None
    problem = ragged_series(season=5).prepared(residual, transform)
    if problem.preparation is None:
        return
    of, back = problem.original, problem.predictions(problem.target_rows)
    assert back == pytest.approx(of.target_rows, rel=1e-9)
    for i, n in enumerate(problem.lengths):
        alone = SequenceProblem(of.inputs[i : i + 1, :n], of.targets[i : i + 1, :n], tied=[0])
        same = alone.with_preparation(problem.preparation)
        assert np.array_equal(same.inputs[0], problem.inputs[i, :n])
        assert np.array_equal(same.references[0], problem.references[i, :n])


def test_classes_of_sequences_and_of_steps():
    rng = np.random.default_rng(0)
    lengths, kinds = rng.integers(8, 40, 30), np.arange(30) % 2
    inputs = [rng.normal(kind, 0.3, (n, 1)) for n, kind in zip(lengths, kinds, strict=True)]
    targets = [np.repeat(np.eye(2)[[kind]], n, axis=0) for n, kind in zip(lengths, kinds, strict=True)]
    last = [np.repeat(np.arange(n)[:, None] == n - 1, 2, axis=1) for n in lengths]
    parts = {"train": np.arange(30) < 20, "test": np.arange(30) >= 20}
    for mask in (last, None):
        problem = SequenceProblem(inputs, targets, target_mask=mask, learned=RightClass(), parts=parts)
        by_name = {baseline.name: baseline.parts["test"] for baseline in baselines(problem)}
        assert by_name["linear"].learned == 1.0
        assert by_name["logistic"].learned > 0.9
        table = confusion(problem.target_rows, problem, "test")
        assert np.array_equal(table, np.diag(np.bincount(kinds[20:], None if mask else lengths[20:]).astype(int)))


@given(problems(), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_a_ragged_problem_survives_its_arrays_and_its_pickle(problem, seed):
    for scaled in (problem, problem.scaled("standard" if seed % 2 else "range")):
        copy = pickle.loads(pickle.dumps(scaled))  # noqa: S301 - our own bytes
        assert copy.fingerprint() == scaled.fingerprint()
        for name in ("input_rows", "target_rows", "mask_rows", "lengths"):
            assert getattr(copy, name).tobytes() == getattr(scaled, name).tobytes()
            assert not getattr(copy, name).flags.writeable


@given(several, st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_stretches_are_the_steps_that_they_name(lengths, seed):
    problem = SequenceProblem(**drawn(lengths, seed))
    rng = np.random.default_rng(seed)
    chosen = []
    for s, n in enumerate(lengths):
        begin, first, end = np.sort(rng.integers(0, n + 1, 3))
        if first < end and problem.counted("all")[s, first:end].any():
            chosen.append((s, begin, first, end))
    if not chosen:
        return
    found = restricted(problem, np.array(chosen), "all")
    assert found.rows.n_rows == sum(end - begin for _, begin, _, end in chosen)
    for i, (s, begin, first, end) in enumerate(chosen):
        n = end - begin
        assert np.array_equal(found.inputs[i, :n], problem.inputs[s, begin:end])
        assert np.array_equal(found.weights[i, :n], problem.weights[s, begin:end])
        assert not found.counted()[i, : first - begin].any()
        assert found.counted()[i, first - begin : n].all()


def test_a_forecast_of_rows_is_that_of_padded_arrays():
    problem = ragged_series().prepared("last_value").scaled("standard")
    network = ne.Lstm(1, 2, 1)
    genomes = np.random.default_rng(0).normal(size=(3, network.n_genes))
    predictor = Predictor(tuple(Member(network, genome, problem.scaling_arrays()) for genome in genomes))
    original = problem.original
    rows = predictor.forecast_rows(original.input_rows, original.lengths)
    whole = predictor.forecast(original.inputs, original.lengths)
    assert np.array_equal(rows.prediction, whole.prediction[original.present])
    assert np.array_equal(rows.spread, whole.spread[original.present])
    one, other = predictor.calibrated(problem, rows), predictor.calibrated(problem, whole)
    assert one.calibration.half_width(0.9).tolist() == other.calibration.half_width(0.9).tolist()


def test_nothing_inside_pads(monkeypatch, tmp_path):
    """All that a run, its table, its record and its plots do with the data is done without padded copies."""
    padded_whole = Rows.padded

    def refuse(self, values, fill=0):
        assert self.is_uniform, "a padded copy is made"
        return padded_whole(self, values, fill)

    monkeypatch.setattr(Rows, "padded", refuse)
    problem = ragged_series(times=np.arange(79)).prepared("last_value").scaled("standard")
    scenario = ne.make_scenario(
        problem, ne.Elman(1, 3, 1), "snes", stop={"generations": 3}, batch={"size": 3, "steps": 10, "every": 1}
    )
    record = ne.run(scenario, results=tmp_path)
    assert str(problem.describe())
    assert problem.warnings() == []
    assert repr(problem)
    again = ne.RunRecord.open(record.path)
    assert again.problem.fingerprint() == problem.fingerprint()
    assert again.run["results"]["contestants"]
    assert ne.ensemble([record.path]).calibration.n_targets > 0
    plots = plot_run(record, ["png"])
    assert [path.stem for path in plots] == ["curves", "prediction"]
