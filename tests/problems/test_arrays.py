from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroevo.problems import SequenceProblem
from neuroevo.problems.arrays import fingerprint
from tests.problems.drawn import problems


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
    ):
        assert getattr(copy, name) == getattr(problem, name)
    assert (copy.times is None) == (problem.times is None)
    assert problem.times is None or np.array_equal(copy.times, problem.times)
    assert copy.scaling.method == method
    assert fingerprint(copy.to_arrays()) == fingerprint(arrays)


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
