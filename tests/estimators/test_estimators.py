"""The estimators do what scikit-learn's users rely on, and what the search that they stand for does."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import neuroevo as ne

pytest.importorskip("sklearn", minversion="1.6")

from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from neuroevo.estimators import NeuroevoClassifier, NeuroevoRegressor
from neuroevo.estimators.base import _spread
from neuroevo.estimators.shapes import many, targets_of
from neuroevo.networks import Gru
from neuroevo.problems import SequenceProblem

RNG = np.random.default_rng(0)
SERIES = RNG.normal(size=(80, 2))
FOLLOWING = np.convolve(SERIES[:, 0], [0.0, 1.0, 0.5])[:80]
SEQUENCES = RNG.normal(size=(12, 6, 2))
RAGGED = [SEQUENCES[k, : 3 + k % 4] for k in range(12)]
SIGNS = np.where(SEQUENCES[:, :, 0].sum(axis=1) > 0, "up", "down")


def quick(kind=NeuroevoRegressor, **options):
    return kind(**{"generations": 8, "n_hidden": 2, "random_state": 0, **options})


ORDER = "a row is predicted from those before it: permuting or leaving out rows is another series"


@pytest.mark.parametrize("kind", [NeuroevoRegressor, NeuroevoClassifier])
def test_scikit_learns_own_checks_pass_but_for_those_of_rows_without_order(kind):
    expected = dict.fromkeys(("check_methods_sample_order_invariance", "check_methods_subset_invariance"), ORDER)
    results = check_estimator(kind(generations=40), expected_failed_checks=expected, on_skip=None)
    assert sum(result["status"] == "passed" for result in results) >= 50
    assert {result["check_name"] for result in results if result["status"] == "xfail"} == set(expected)


def test_a_fit_is_the_run_that_its_arguments_describe(tmp_path):
    model = quick(residual="linear", validation_fraction=0.25).fit(SERIES, FOLLOWING)
    train = np.arange(80)[None] < 60
    problem = SequenceProblem(
        SERIES[None], FOLLOWING[None, :, None], parts={"train": train, "validation": ~train}
    ).prepared("linear").scaled("standard")  # fmt: skip
    scenario = ne.make_scenario(
        problem, Gru(2, 2, 1), "snes", {"generations": 8, "validation_patience": 100},
        seed=int(np.random.default_rng(0).integers(2**31)),
    )  # fmt: skip
    record = ne.run(scenario, results=tmp_path)
    assert model.predictor_.champions[0].genome.tobytes() == record.champion.genome.tobytes()
    assert model.histories_[0]["validation_error"].tolist() == record.history["validation_error"].tolist()
    assert model.predict(SERIES).tolist() == record.predictor().predict(SERIES[None])[0, :, 0].tolist()
    assert model.n_iter_ == 8
    low, high = model.predictor_.interval(SERIES[None], level=0.8)
    assert (low < high).all()


def test_fits_leave_nothing_behind_and_the_global_generators_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = np.random.get_state()[1].tolist()  # noqa: NPY002 - it is what must not change
    first, second = (quick().fit(SERIES, FOLLOWING) for _ in range(2))
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    assert list(tmp_path.iterdir()) == []
    assert first.predict(SERIES).tolist() == second.predict(SERIES).tolist()
    assert quick(random_state=1).fit(SERIES, FOLLOWING).predict(SERIES).tolist() != first.predict(SERIES).tolist()


@pytest.mark.parametrize("make", [np.random.default_rng, np.random.RandomState])
def test_generators_are_drawn_from(make):
    one, other, same = make(5), make(5), make(5)
    said = [quick(random_state=each).fit(SERIES, FOLLOWING).predict(SERIES).tolist() for each in (one, other, one)]
    assert said[0] == said[1] != said[2]
    assert quick(random_state=same).fit(SERIES, FOLLOWING).predict(SERIES).tolist() == said[0]


@pytest.mark.parametrize("residual", [None, "linear"])
def test_predictions_go_on_from_training_where_that_is_asked_for(residual):
    anew = quick(residual=residual).fit(SERIES[:60], FOLLOWING[:60])
    on = quick(residual=residual, follows_training=True).fit(SERIES[:60], FOLLOWING[:60])
    assert on.predict(SERIES[60:]).tolist() == anew.predict(SERIES)[60:].tolist()
    assert on.predict(SERIES[60:]).tolist() != anew.predict(SERIES[60:]).tolist()
    with pytest.raises(ValueError, match="follow those of fit"):
        on.predict(SERIES[None, 60:])
    with pytest.raises(ValueError, match="needs one series"):
        quick(follows_training=True).fit(SEQUENCES, SEQUENCES[:, :, 0])


def test_pipelines_searches_copies_and_pickles():
    pipeline = make_pipeline(StandardScaler(), quick(follows_training=True))
    cv = TimeSeriesSplit(n_splits=3)
    grid = GridSearchCV(pipeline, {"neuroevoregressor__residual": [None, "linear"]}, cv=cv).fit(SERIES, FOLLOWING)
    assert grid.best_params_ == {"neuroevoregressor__residual": "linear"}
    assert grid.best_score_ > 0.9
    fitted = grid.best_estimator_[-1]
    copied = clone(fitted)
    assert copied.get_params() == fitted.get_params()
    assert not hasattr(copied, "predictor_")
    twin = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - our own bytes
    assert twin.predict(SERIES).tolist() == fitted.predict(SERIES).tolist()
    assert cross_val_score(quick(NeuroevoClassifier), SEQUENCES, SIGNS, cv=2).shape == (2,)
    assert cross_val_score(quick(), RAGGED, SEQUENCES[:, 0, 0], cv=2).shape == (2,)


FORMS = {
    "one number a row": (SERIES, FOLLOWING),
    "two numbers a row": (SERIES, np.stack([FOLLOWING, -FOLLOWING], axis=1)),
    "a number for each row of sequences": (SEQUENCES, SEQUENCES[:, :, 0]),
    "two numbers for each row of sequences": (SEQUENCES, SEQUENCES[:, :, ::-1]),
    "a number a sequence": (SEQUENCES, SEQUENCES[:, 0, 0]),
    "two numbers a sequence": (SEQUENCES, SEQUENCES[:, 0]),
    "a number for each row of ragged sequences": (RAGGED, [own[:, 0] for own in RAGGED]),
    "a number a ragged sequence": (RAGGED, [own[0, 0] for own in RAGGED]),
}


@pytest.mark.parametrize("form", FORMS)
def test_predictions_have_the_form_of_the_targets_and_sequences_are_independent(form):
    X, y = FORMS[form]
    model = quick(residual=None).fit(X, y)
    said = model.predict(X)
    assert [np.shape(own) for own in said] == [np.shape(own) for own in y]
    assert type(said) is (list if isinstance(y, list) and np.ndim(y[0]) else np.ndarray)
    if X is not SERIES:
        alone = [model.predict([own])[0] for own in X]
        for one, other in zip(said, alone, strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-13)


def test_the_score_is_the_coefficient_of_determination_over_all_rows():
    y = [own[:, 0] for own in RAGGED]
    model = quick().fit(RAGGED, y)
    right, said = np.concatenate(y), np.concatenate(model.predict(RAGGED))
    r2 = 1 - ((right - said) ** 2).sum() / ((right - right.mean()) ** 2).sum()
    assert model.score(RAGGED, y) == pytest.approx(r2, rel=1e-12)
    padded = quick().fit(SEQUENCES, SEQUENCES[:, :, ::-1])
    both = padded.predict(SEQUENCES)
    parts = [
        1
        - ((SEQUENCES[..., 1 - k] - both[..., k]) ** 2).sum()
        / ((SEQUENCES[..., 1 - k] - SEQUENCES[..., 1 - k].mean()) ** 2).sum()
        for k in (0, 1)
    ]
    assert padded.score(SEQUENCES, SEQUENCES[:, :, ::-1]) == pytest.approx(np.mean(parts), rel=1e-12)


@pytest.mark.parametrize("labels", [["down", "up"], [7, -3], [False, True]])
def test_classes_of_sequences_have_any_labels(labels):
    y = np.array(labels)[(SIGNS == "up").astype(int)]
    model = quick(NeuroevoClassifier, generations=60, n_trials=2).fit(SEQUENCES, y)
    shares = model.predict_proba(SEQUENCES)
    assert shares.shape == (12, 2)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-12)
    assert model.classes_.tolist() == sorted(labels)
    said = model.predict(SEQUENCES)
    assert said.tolist() == [sorted(labels)[k] for k in shares.argmax(axis=1)]
    assert model.score(SEQUENCES, y) == np.mean(said == y) > 0.8
    assert len(model.predictor_.champions) == len(model.histories_) == 2


def test_classes_of_rows_of_ragged_sequences():
    y = [np.where(own[:, 0] > 0, "up", "down") for own in RAGGED]
    model = quick(NeuroevoClassifier, generations=60).fit(RAGGED, y)
    said = model.predict(RAGGED)
    assert [len(own) for own in said] == [len(own) for own in RAGGED]
    right = np.mean(np.concatenate(said) == np.concatenate(y))
    assert model.score(RAGGED, y) == right > 0.8
    assert [own.shape for own in model.predict_proba(RAGGED)] == [(len(own), 2) for own in RAGGED]


@given(st.lists(st.integers(0, 3), min_size=4, max_size=60), st.integers(1, 20), st.integers(0, 9))
@settings(max_examples=50, deadline=None)
def test_each_class_has_its_share_of_the_sequences_held_out(kinds, n_chosen, seed):
    n_chosen = min(n_chosen, len(kinds) - 1)
    chosen = _spread(np.array(kinds), len(kinds), n_chosen, np.random.default_rng(seed))
    assert len({*chosen.tolist()}) == n_chosen
    for kind in set(kinds):
        share = kinds.count(kind) * n_chosen / len(kinds)
        assert abs(sum(kinds[k] == kind for k in chosen) - share) <= 1


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.integers(1, 3), st.booleans())
@settings(max_examples=50, deadline=None)
def test_rows_of_sequences_come_back_as_they_were(lengths, n_features, per_row):
    given_ = [RNG.normal(size=(n, n_features)) for n in lengths]
    inputs = many(given_)
    y = [own[:, 0] for own in given_] if per_row else np.array([own[-1, 0] for own in given_])
    targets = targets_of(inputs, y)
    assert targets.whole is not per_row
    rows = targets.values if per_row else inputs.rows[:, 0]
    back = inputs.given_back(rows, whole=targets.whole)
    for one, other in zip(back, y, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_residual_of_the_last_value_needs_the_column_that_holds_it():
    walk = np.cumsum(RNG.normal(size=200))
    X, y = walk[:-1, None], walk[1:]
    model = quick(residual="last_value", tied=0, generations=1, n_hidden=1).fit(X, y)
    assert model.score(X, y) > 0.9
    with pytest.raises(ValueError, match="needs the past of each target"):
        quick(residual="last_value").fit(X, y)


@pytest.mark.parametrize(
    ("X", "y", "options", "complaint"),
    [
        (SERIES, FOLLOWING, {"validation_fraction": 1.5}, "from 0 to below 1"),
        (SERIES, FOLLOWING, {"random_state": "x"}, "random_state must be"),
        (SERIES, FOLLOWING, {"network": "gruu"}, "did you mean 'gru'"),
        (SERIES, FOLLOWING, {"strategy": "sness"}, "did you mean 'snes'"),
        (SERIES, FOLLOWING, {"generations": 0}, "^stop.generations: must be"),
        (SERIES, FOLLOWING, {"strategy_options": {"sigma": 3}}, "^strategy.sigma: unknown"),
        (SERIES, FOLLOWING, {"network_options": 3}, "network_options must be a mapping"),
        (SERIES, FOLLOWING, {"residual": "liniar"}, "residual must be one of"),
        (SERIES, FOLLOWING, {"n_trials": 0}, "n_trials must be"),
        (SERIES, FOLLOWING, {"n_threads": 0}, "threads must be"),
        (SERIES, FOLLOWING, {"tied": 0.5}, "tied must be"),
        (SEQUENCES, FOLLOWING, {}, "12 sequences, y has targets of 80"),
        (SEQUENCES, None, {}, "requires y to be passed"),
        (SEQUENCES, SEQUENCES[:, :4], {}, "6, 6, 6 rows, their targets the shapes"),
        (np.where(SEQUENCES > 2, np.nan, SEQUENCES), SIGNS == "up", {}, "X contains NaN"),
        ([SEQUENCES[0], SEQUENCES[1, :, :1]], [0.0, 1.0], {}, "different numbers of features"),
        (SERIES[:1], FOLLOWING[:1], {}, "n_samples = 1"),
    ],
)
def test_what_is_wrong_is_said(X, y, options, complaint):
    with pytest.raises(ne.BadInput if "NaN" not in complaint else ValueError, match=complaint):
        quick(**options).fit(X, y)


def test_other_features_than_those_of_fit_are_refused():
    model = quick().fit(SEQUENCES, SEQUENCES[:, 0, 0])
    with pytest.raises(ValueError, match="X has 1 features, but NeuroevoRegressor is expecting 2"):
        model.predict(SEQUENCES[:, :, :1])
    with pytest.raises(ValueError, match="at least two are needed"):
        quick(NeuroevoClassifier).fit(SEQUENCES, np.zeros(12))
    with pytest.raises(ValueError, match="class_weight must be"):
        quick(NeuroevoClassifier, class_weight="even").fit(SEQUENCES, SIGNS)
