from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neuroevo.problems import PROBLEMS, DataError, RightClass, Within
from neuroevo.settings import SettingsError, parse_settings

SHIPPED = Path(__file__).parents[2] / "scenarios"
STORED = {"labels": "y", "lengths": "len", "parts": ["train", "test"]}


def sequences(folder, **values):
    return parse_settings(PROBLEMS["sequences"], values, "problem").build(folder)


@pytest.fixture
def folder(tmp_path):
    """Five sequences of up to four steps, two inputs, three classes."""
    x = np.arange(40.0).reshape(5, 4, 2)
    x[2, 3] = np.nan
    np.savez(
        tmp_path / "data.npz",
        X=x,
        n=np.array([4, 3, 3, 1, 2]),
        kind=np.array(["up", "down", "up", "flat", "down"]),
        y=np.arange(5.0),
        steps=np.arange(60.0).reshape(5, 4, 3),
        flat=np.arange(20.0).reshape(5, 4),
    )
    (tmp_path / "data.csv").write_text(
        "id,a,b,kind,set\n1,0.1,2,up,train\n1,0.2,3,up,train\n2,1,2,down,train\n2,2,3,down,train\n2,2,4,down,train\n"
        "7,0,1,up,test\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    ("file", "n_train", "n_test", "n_inputs", "n_classes"),
    [
        ("japanese_vowels", 270, 370, 12, 9),
        ("italy_power_demand", 67, 1029, 1, 2),
        ("basic_motions", 40, 40, 6, 4),
        ("pickup_gesture_wiimote_z", 50, 50, 1, 10),
    ],
)
def test_the_shipped_sets_are_the_stored_arrays(file, n_train, n_test, n_inputs, n_classes):
    problem = sequences(SHIPPED, file=f"data/{file}.npz", **STORED, scaling="none")
    assert (problem.n_sequences, problem.n_inputs, problem.n_outputs) == (n_train + n_test, n_inputs, n_classes)
    assert problem.learned == RightClass()
    stored = np.load(SHIPPED / f"data/{file}.npz", allow_pickle=False)
    lengths = np.concatenate([stored["len_train"], stored["len_test"]])
    assert problem.lengths.tolist() == lengths.tolist()
    for part, start in (("train", 0), ("test", n_train)):
        counted = problem.counted(part)
        for i, (x, label) in enumerate(zip(stored[f"X_{part}"], stored[f"y_{part}"], strict=True)):
            length = lengths[start + i]
            assert np.array_equal(problem.inputs[start + i, :length], x[:length])
            assert problem.targets[start + i, length - 1].argmax() == label
            assert counted[start + i].sum() == n_classes
            assert counted[start + i, length - 1].all()


def test_steps_of_nan_at_the_end_are_padding_where_no_lengths_are_given(folder):
    problem = sequences(folder, file="data.npz", labels="kind")
    assert problem.lengths.tolist() == [4, 4, 3, 4, 4]
    assert problem.target_names == ("down", "flat", "up")


def test_targets_hold_for_the_sequence_or_for_each_step(folder):
    whole = {"file": "data.npz", "lengths": "n", "parts": {"train": 4, "test": 1}, "scaling": "none"}
    last = sequences(folder, **whole, targets="y")
    assert last.learned == Within(0.1)
    assert [last.targets[i, n - 1, 0] for i, n in enumerate([4, 3, 3, 1, 2])] == [0, 1, 2, 3, 4]
    assert last.counted("train").sum() == 4
    every = sequences(folder, **whole, targets="steps", counts="all", washout=1)
    assert every.targets[1, 2].tolist() == [18.0, 19.0, 20.0]
    assert every.counted("train").sum() == (3 + 2 + 2 + 0) * 3
    assert sequences(folder, **whole, targets="flat").n_outputs == 4


def test_parts_are_shares_in_order_or_shuffled_by_the_data_seed(folder):
    arguments = {
        "file": "data.npz",
        "labels": "kind",
        "lengths": "n",
        "parts": {"train": 0.6, "test": 2},
        "scaling": "none",
    }
    problem = sequences(folder, **arguments)
    assert problem.parts["train"][:, 0].tolist() == [True] * 3 + [False] * 2
    assert problem.inputs[:, 0, 0].tolist() == [0, 8, 16, 24, 32]
    firsts = set()
    for seed in range(8):
        shuffled = sequences(folder, **arguments, shuffle=True, data_seed=seed)
        again = sequences(folder, **arguments, shuffle=True, data_seed=seed)
        assert np.array_equal(shuffled.inputs, again.inputs)
        assert sorted(shuffled.inputs[:, 0, 0]) == [0, 8, 16, 24, 32]
        firsts.add(frozenset(shuffled.inputs[:3, 0, 0]))
    assert len(firsts) > 3


def test_sequences_of_no_part_are_left_out(folder):
    problem = sequences(folder, file="data.npz", targets="y", lengths="n", parts={"train": 2, "test": 1})
    assert problem.n_sequences == 3


def test_validation_takes_the_same_share_of_each_class():
    whole = sequences(SHIPPED, file="data/japanese_vowels.npz", **STORED)
    problem = sequences(SHIPPED, file="data/japanese_vowels.npz", **STORED, validation=0.2)
    labels = problem.targets[np.arange(640), problem.lengths - 1].argmax(axis=1)
    for part, n_each in (("validation", 6), ("train", 24)):
        owned = problem.counted(part).any(axis=(1, 2))
        assert np.bincount(labels[owned]).tolist() == [n_each] * 9
    assert problem.counted("test").sum() == whole.counted("test").sum()


def test_csv_rows_with_the_same_name_are_a_sequence(folder):
    arguments = {"file": "data.csv", "sequence": "id", "part": "set", "scaling": "none"}
    problem = sequences(folder, **arguments, inputs=["a", "b"], labels="kind")
    assert problem.lengths.tolist() == [2, 3, 1]
    assert problem.inputs[1].tolist() == [[1, 2], [2, 3], [2, 4]]
    assert problem.target_names == ("down", "up")
    assert problem.targets[0, 1].tolist() == [0, 1]
    assert problem.describe().parts[0].n_sequences == 2
    problem = sequences(folder, **arguments, inputs="a", targets="b", counts="all")
    assert problem.targets[1, :, 0].tolist() == [2, 3, 4]
    assert problem.counted("train").sum() == 5
    shares = sequences(
        folder, file="data.csv", sequence="id", inputs="a", targets="b", parts={"train": 2, "test": "rest"}
    )
    assert shares.counted("test").sum() == 1


DATA_MISTAKES = [
    ({"file": "data.npz", "inputs": "Z", "labels": "kind"}, "has no array 'Z'"),
    ({"file": "data.npz", "labels": "kinds"}, "did you mean 'kind'"),
    ({"file": "data.npz", "labels": "y"}, "named by the setting `targets`"),
    ({"file": "data.npz", "targets": "kind"}, "must hold numbers in one of the shapes"),
    ({"file": "data.npz", "inputs": "kind", "targets": "y"}, "must hold numbers in the shape"),
    ({"file": "data.npz", "labels": "kind", "lengths": "y"}, "must be 5 whole numbers"),
    ({"file": "data.npz", "labels": "kind", "lengths": "long"}, "sequence 2 has the length 5; it must lie in 1 ... 4"),
    ({"file": "data.npz", "labels": "kind", "lengths": "four"}, "sequence 3, step 4, column 1: the value is nan"),
    ({"file": "data.npz", "labels": "same"}, "all sequences have the label '1'"),
    ({"file": "data.npz", "labels": "kind", "class_names": "n"}, "holds 5 names, and the labels 3 classes"),
    ({"file": "data.npz", "labels": "kind", "parts": ["train", "test"]}, "has no array 'X_train'"),
    ({"file": "data.npz", "targets": "holed"}, "sequence 4: a target is missing"),
    ({"file": "data.npz", "labels": "kind", "lengths": "n", "validation": 0.1}, "leaves one of both parts empty"),
    ({"file": "data.npz", "labels": 1}, "labels must be the name of one array"),
    ({"file": "data.npz", "labels": "kind", "inputs": ["X", "Y"]}, "inputs must be the name of one array"),
    ({"file": "data.csv", "inputs": "a", "labels": "kind"}, "set sequence to the column"),
    (
        {"file": "data.csv", "inputs": "a", "labels": "kind", "sequence": "id", "parts": ["train"]},
        "set part to a column",
    ),
    ({"file": "data.csv", "inputs": "a", "labels": "b", "sequence": "id"}, "needs the same entry; got '3' after '2'"),
    ({"file": "data.csv", "inputs": "a", "targets": "kind", "sequence": "id"}, "line 2, column 'kind': 'up' is not"),
    (
        {"file": "torn.csv", "inputs": "a", "targets": "a", "sequence": "id"},
        "line 4, column 'id': the sequence '1' goes on",
    ),
    (
        {"file": "notrain.csv", "inputs": "a", "targets": "a", "sequence": "id", "part": "s"},
        "belongs to the part 'train'",
    ),
]


@pytest.mark.parametrize(("values", "message"), DATA_MISTAKES, ids=[str(i) for i in range(len(DATA_MISTAKES))])
def test_what_the_data_cannot_give_is_refused_with_a_remedy(folder, values, message):
    with np.load(folder / "data.npz") as stored:
        arrays = dict(stored)
    holed = np.where(np.arange(5) == 3, np.nan, 1.0)
    np.savez(
        folder / "data.npz",
        **arrays,
        long=np.array([4, 5, 1, 1, 1]),
        four=np.full(5, 4),
        same=np.ones(5, int),
        holed=holed,
    )
    (folder / "torn.csv").write_text("id,a\n1,1\n2,1\n1,1\n")
    (folder / "notrain.csv").write_text("id,a,s\n1,1,test\n2,1,test\n")
    with pytest.raises(DataError, match=message):
        sequences(folder, **values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "problem.labels: give either labels"),
        ({"labels": "a", "targets": "b"}, "problem.labels: give either labels"),
        ({"labels": "a", "parts": ["test"]}, "problem.parts: one part must be called train, got"),
        ({"labels": "a", "parts": ["train", "validation"], "validation": 0.1}, "problem.validation: must be left out"),
        ({"labels": "a", "validation": 1.0}, "problem.validation: must be less than 1"),
        ({"labels": "a", "counts": "first"}, "problem.counts"),
    ],
)
def test_impossible_settings_are_refused_before_anything_is_read(tmp_path, values, message):
    with pytest.raises(SettingsError, match=message):
        sequences(tmp_path, file="data.npz", **values)
