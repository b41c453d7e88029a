"""Errors by part, by sequence and by class, against loops."""

from __future__ import annotations

import numpy as np

from neuroevo.analysis import confusion, part_errors, sequence_errors
from tests.plots.test_plots import RNG, classes, many, series


def test_errors_of_the_parts_are_mean_squares_in_original_units() -> None:
    problem = series().original
    predicted = problem.targets + np.where(problem.counted("test"), 2.0, 1.0)
    assert part_errors(predicted, problem) == {"train": 1.0, "validation": 1.0, "test": 4.0}


def test_errors_of_the_sequences_are_those_of_their_counted_targets() -> None:
    problem = many(18, n_outputs=2)
    predicted = RNG.normal(size=problem.targets.shape)
    for part in problem.parts:
        counted = problem.counted(part)
        for sequence, error in enumerate(sequence_errors(predicted, problem, part)):
            squares = [
                (predicted[sequence, step, output] - problem.targets[sequence, step, output]) ** 2
                for step in range(problem.n_steps)
                for output in range(2)
                if counted[sequence, step, output]
            ]
            np.testing.assert_allclose(error, np.mean(squares) if squares else np.nan, rtol=1e-12)


def test_confusion_counts_steps_by_right_and_chosen_class() -> None:
    problem = classes(3)
    predicted = RNG.normal(size=problem.targets.shape)
    for part in problem.parts:
        expected = np.zeros((3, 3), dtype=int)
        for sequence, step in np.argwhere(problem.counted(part).any(axis=2)):
            expected[problem.targets[sequence, step].argmax(), predicted[sequence, step].argmax()] += 1
        np.testing.assert_array_equal(confusion(predicted, problem, part), expected)
