from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroevo.networks import Elman
from neuroevo.problems import RightClass, SequenceProblem
from neuroevo.problems.arrays import fingerprint
from neuroevo.problems.objectives import Huber, Own
from tests.problems.drawn import largest, problems


def through_a_file(arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    file.seek(0)
    with np.load(file, allow_pickle=False) as loaded:
        return {name: loaded[name] for name in loaded}


@given(problems(), st.sampled_from(["none", "standard", "range", "robust"]))
@settings(max_examples=60, deadline=None)
def test_a_problem_survives_a_file_bit_for_bit(problem, method):
    problem = problem.scaled(method)
    arrays = problem.to_arrays()
    copy = SequenceProblem.from_arrays(through_a_file(arrays))
    for name in ("inputs", "targets", "lengths", "target_mask"):
        assert getattr(copy, name).tobytes() == getattr(problem, name).tobytes()
        assert getattr(copy.original, name).tobytes() == getattr(problem.original, name).tobytes()
    assert list(copy.parts) == list(problem.parts)
    for part in problem.parts:
        assert np.array_equal(copy.counted(part), problem.counted(part))
    for name in (
        "washout",
        "learned",
        "weight_decay",
        "input_names",
        "target_names",
        "tied",
        "reference_variance",
        "season",
        "objective",
    ):
        assert getattr(copy, name) == getattr(problem, name)
    for name in ("target_weights", "class_weights"):
        assert np.array_equal(getattr(copy, name), getattr(problem, name))
    assert copy.error_name == problem.error_name
    assert (copy.times is None) == (problem.times is None)
    assert problem.times is None or np.array_equal(copy.times, problem.times)
    assert copy.scaling.method == method
    assert fingerprint(copy.to_arrays()) == fingerprint(arrays)


def test_layout_grows_only_where_an_objective_is_named():
    values = np.eye(2)[[[0, 1, 0]]]
    plain = SequenceProblem(values, values, learned=RightClass())
    known = {
        "inputs", "targets", "lengths", "target_mask", "washout", "learned", "tolerance", "weight_decay", "part_names",
        "part_masks", "input_names", "target_names", "tied",
    } | {f"scaling_{name}" for name in ("method", "input_offset", "input_factor", "target_offset", "target_factor")}  # fmt: skip
    assert set(plain.to_arrays()) == known
    changes = {"objective": Huber(0.5), "target_weights": [1.0, 2.0], "class_weights": "balanced"}
    grown = SequenceProblem(**{**plain.fields(), **changes}).to_arrays()
    assert set(grown) - known == {"objective", "objective_parameter", "target_weights", "class_weights"}
    assert (str(grown["objective"]), float(grown["objective_parameter"])) == ("huber", 0.5)


def test_own_objective_is_stored_by_its_place_and_looked_for_only_when_it_is_called():
    values = np.ones((1, 3, 1))
    arrays = SequenceProblem(values, values, objective=largest).to_arrays()
    assert str(arrays["objective"]) == "tests.problems.drawn:largest"
    assert SequenceProblem.from_arrays(arrays).objective == Own("tests.problems.drawn:largest")
    elsewhere = SequenceProblem.from_arrays({**arrays, "objective": np.array("no_such_module:loss")})
    network = Elman(1, 2, 1)
    genome = np.zeros(network.n_genes)
    assert network.predict(genome, elsewhere.inputs).shape == (1, 3, 1)
    with pytest.raises(ValueError, match="the objective 'no_such_module:loss' is not found: No module named"):
        elsewhere.score(network, genome, "train")
    nested = SequenceProblem(values, values, objective=lambda outputs, *_: outputs.sum(axis=(1, 2, 3)))
    with pytest.raises(ValueError, match="can't be written down or sent to workers: define the function at the top"):
        nested.to_arrays()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"objective": np.array("best")}, "no objective 'best'"),
        ({"objective": np.array("os:")}, "function or \"module:function\", got 'os:'"),
        ({"objective": np.array("huber"), "objective_parameter": np.array(-1.0)}, "threshold must be .* above 0"),
        ({"objective": np.array("pinball"), "objective_parameter": np.array(1.0)}, "between 0 and 1"),
        ({"target_weights": np.array([0.0])}, "target_weights must be finite and above 0"),
        ({"class_weights": np.array([1.0])}, "class_weights need classes"),
    ],
)
def test_wrong_objectives_and_weights_are_refused(arrays, message):
    known = SequenceProblem(np.ones((1, 3, 1)), np.ones((1, 3, 1))).to_arrays()
    with pytest.raises(ValueError, match=message):
        SequenceProblem.from_arrays({**known, **arrays})


def test_arrays_handed_out_are_copies():
    problem = SequenceProblem(np.zeros((1, 2, 1)), np.zeros((1, 2, 1)))
    problem.to_arrays()["inputs"][...] = 5.0
    assert not problem.inputs.any()


def test_missing_and_wrong_arrays_are_refused():
    arrays = SequenceProblem(np.zeros((1, 2, 1)), np.zeros((1, 2, 1))).to_arrays()
    with pytest.raises(ValueError, match="lack lengths, part_masks"):
        SequenceProblem.from_arrays({k: v for k, v in arrays.items() if k not in ("lengths", "part_masks")})
    with pytest.raises(ValueError, match="lack scaling_method"):
        SequenceProblem.from_arrays({k: v for k, v in arrays.items() if k != "scaling_method"})
    with pytest.raises(ValueError, match="'within' or 'right_class'"):
        SequenceProblem.from_arrays({**arrays, "learned": np.array("about")})
    with pytest.raises(ValueError, match="part_names and part_masks"):
        SequenceProblem.from_arrays({**arrays, "part_names": np.array(["train", "test"])})


def test_the_fingerprint_sees_every_bit_name_type_and_shape_but_not_the_order():
    arrays = {"a": np.arange(6.0), "b": np.array(["x"])}
    known = fingerprint(arrays)
    assert known == fingerprint(dict(reversed(arrays.items())))
    assert known == fingerprint({**arrays, "a": np.arange(6.0).astype(">f8")})
    flipped = np.arange(6.0)
    flipped[3] = np.nextafter(3.0, 4.0)
    others = [{"a": flipped}, {"a": np.arange(6.0).reshape(2, 3)}, {"a": np.arange(6)}, {"c": np.arange(6.0)}]
    assert len({known, *(fingerprint({**arrays, **other}) for other in others)}) == 5


def test_the_fingerprint_is_the_one_that_the_description_gives():
    import hashlib

    content = b"x\0<f8\0(2,)\0" + np.array([1.0, 2.0]).tobytes()
    assert fingerprint({"x": np.array([1.0, 2.0])}) == hashlib.sha256(content).hexdigest()
