"""Links fitted by ridge regression against the normal equations and against what a network makes of them."""

from __future__ import annotations

import numpy as np

import neuroevo as ne
from neuroevo.problems.links import fitted_links
from neuroevo.problems.ridge import PENALTIES


def problem_of(inputs, targets, **settings):
    """Training rows 0 to 59, validation rows 60 to 79."""
    steps = np.arange(inputs.shape[1])[None]
    parts = {"train": steps < 60, "validation": (steps >= 60) & (steps < 80), "test": steps >= 80}
    return ne.SequenceProblem(inputs, targets, parts=parts, **settings)


def by_normal_equations(inputs, targets, seen_at, train, held):
    """Weights of raw inputs: standardised, penalised but for the intercept, the penalty with the least held-out error."""
    mean, deviation = inputs[seen_at].mean(axis=0), inputs[seen_at].std(axis=0)
    rows = (inputs - mean) / deviation
    seen = rows[train] - rows[train].mean(axis=0)
    candidates = []
    for penalty in PENALTIES:
        gram = seen.T @ seen + train.sum() * penalty * np.eye(rows.shape[1])
        weights = np.linalg.solve(gram, seen.T @ (targets[train] - targets[train].mean()))
        offset = targets[train].mean() - rows[train].mean(axis=0) @ weights
        candidates.append((((rows[held] @ weights + offset - targets[held]) ** 2).sum(), weights / deviation))
    return min(candidates, key=lambda each: each[0])[1]


def noisy_sums(seed, n_outputs=2):
    rng = np.random.default_rng(seed)
    inputs = rng.normal(3.0, 2.0, (1, 100, 3))
    targets = inputs @ rng.normal(size=(3, n_outputs)) + rng.normal(size=(1, 100, n_outputs)) + 5.0
    return inputs, targets


def test_links_are_those_of_the_normal_equations():
    inputs, targets = noisy_sums(1)
    mask = np.random.default_rng(2).random(targets.shape) < 0.8
    problem = problem_of(inputs, targets, target_mask=mask).scaled("standard")
    links = fitted_links(problem)
    assert links.shape == (2, 3)
    for o in range(2):
        train, held = (problem.counted(part)[0, :, o] for part in ("train", "validation"))
        seen_at = problem.counted("train")[0].any(axis=1)
        expected = by_normal_equations(problem.inputs[0], problem.targets[0, :, o], seen_at, train, held)
        np.testing.assert_allclose(links[o], expected, rtol=1e-8)


def test_the_test_part_has_no_say():
    inputs, targets = noisy_sums(3)
    links = fitted_links(problem_of(inputs, targets))
    targets[:, 80:] = -7.0
    inputs[:, 80:] *= 50.0
    np.testing.assert_array_equal(fitted_links(problem_of(inputs, targets)), links)


def test_what_repeats_another_input_or_is_constant_has_no_link():
    inputs, targets = noisy_sums(4, n_outputs=1)
    inputs = np.concatenate([inputs, inputs[:, :, 1:2], np.full((1, 100, 1), 2.0)], axis=2)
    links = fitted_links(problem_of(inputs, targets))
    assert (links[0, :3] != 0).all()
    assert links[0, 3:].tolist() == [0.0, 0.0]
    np.testing.assert_allclose(links[:, :3], fitted_links(problem_of(inputs[:, :, :3], targets)), rtol=1e-10)


def test_a_network_whose_units_are_silent_is_the_linear_model():
    inputs, targets = noisy_sums(5)
    problem = problem_of(inputs, targets).scaled("standard")
    network = ne.Lstm(3, 4, 2, skip=True, fixed={"weight_skip": fitted_links(problem)})
    assert network.n_genes == ne.Lstm(3, 4, 2).n_genes
    arrays = network.layout.decode(np.random.default_rng(5).normal(size=network.n_genes))
    arrays |= {"weight_out": np.zeros((2, 4)), "bias_out": np.zeros(2)}
    genome = network.layout.encode(arrays)
    np.testing.assert_allclose(network.predict(genome, problem.inputs), problem.inputs @ fitted_links(problem).T)
    with ne.LocalEvaluator(network, problem, precision="double") as evaluator:
        error = evaluator.evaluate(genome[None]).error[0]
    # The noise of variance 1 is all that is left, in units of the targets' deviation.
    deviation = targets[0, :60].std(axis=0)
    assert error < 1.3 * (1 / deviation**2).mean()
