"""Fitness, the policy for failed evaluations, and what a population must be."""

from __future__ import annotations

import numpy as np
import pytest

from neuroevo.evaluation import Evaluation, base, fitness_of, memory


def test_fitness_is_the_reciprocal_of_the_error():
    np.testing.assert_array_equal(fitness_of([0.5, 4.0]), [2.0, 0.25])


def test_fitness_of_a_perfect_network_is_the_largest_finite_float():
    assert fitness_of(0.0) == np.finfo(np.float64).max
    assert np.isfinite(fitness_of(5e-324))


def test_fitness_of_a_failed_evaluation_is_zero():
    np.testing.assert_array_equal(fitness_of([np.inf, np.nan]), [0.0, 0.0])


def test_whatever_is_not_finite_is_a_failed_evaluation():
    evaluation = Evaluation.of(np.array([1.0, np.nan, np.inf]), np.array([0.5, 0.5, 1.0]), 0.25)
    np.testing.assert_array_equal(evaluation.error, [1.0, np.inf, np.inf])
    np.testing.assert_array_equal(evaluation.fitness, [1.0, 0.0, 0.0])
    np.testing.assert_array_equal(evaluation.learned, [0.5, 0.0, 0.0])
    assert (evaluation.n_failed, evaluation.seconds) == (2, 0.25)


def test_arrays_of_an_evaluation_are_read_only():
    evaluation = Evaluation.of(np.ones(2), np.ones(2), 0.0)
    with pytest.raises(ValueError, match="read-only"):
        evaluation.error[0] = 0.0


@pytest.mark.parametrize(
    ("population", "kind", "message"),
    [
        (np.zeros((3, 4)), ValueError, r"shape \(n, 5\), one genome per row, got \(3, 4\)"),
        (np.zeros(5), ValueError, r"a single genome is population\[None, :\]"),
        (np.zeros((1, 2, 5)), ValueError, "shape"),
        (np.full((2, 5), "a"), TypeError, "real numbers"),
        (np.zeros((2, 5), complex), TypeError, "real numbers"),
    ],
)
def test_population_of_wrong_shape_or_type_is_refused(population, kind, message):
    with pytest.raises(kind, match=message):
        base.checked_population(population, 5)


@pytest.mark.parametrize("dtype", [np.float32, np.int64, bool])
def test_population_of_other_numbers_is_converted(dtype):
    converted = base.checked_population(np.ones((2, 5), dtype, order="F"), 5)
    assert converted.dtype == np.float64
    assert converted.flags.c_contiguous


def test_population_beyond_the_memory_is_refused_before_it_is_copied(monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: 1000)
    with pytest.raises(MemoryError, match=r"population of 100 genomes with 5 genes needs 0\.0 GiB"):
        base.checked_population(np.zeros((100, 5), np.float32), 5)


def test_available_memory_is_read_from_the_system():
    available = memory.available_bytes()
    assert available is None or available > 2**20
