"""Damped steps against numpy's solution, and the same bits on other processors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroevo.kernels.cholesky import damped_steps, decreases
from neuroevo.kernels.scratch import aligned_empty

ROOT = Path(__file__).parents[2]


def models(n, n_genes, seed=0):
    rng = np.random.default_rng(seed)
    jacobians = rng.normal(size=(n, 2 * n_genes, n_genes))
    curvatures = np.einsum("nti,ntj->nij", jacobians, jacobians)
    scales, damping = rng.uniform(0.5, 2.0, (n, n_genes)), rng.uniform(0.1, 1.0, n)
    return curvatures, rng.normal(size=(n, n_genes)), scales, damping, rng.random((n, n_genes)) < 0.8


def solved(curvatures, slopes, scales, damping, free):
    n_genes = slopes.shape[1]
    steps = np.full_like(slopes, np.nan)
    damped_steps(
        curvatures, slopes, scales, damping, free, aligned_empty((n_genes + 1) * -(-n_genes // 16) * 16, float), steps
    )
    return steps


@given(st.integers(1, 4), st.integers(1, 40), st.integers(0, 9))
@settings(deadline=None, max_examples=40)
def test_steps_solve_the_damped_systems_of_the_free_genes(n, n_genes, seed):
    curvatures, slopes, scales, damping, free = models(n, n_genes, seed)
    kept = damping.copy()
    steps = solved(curvatures, slopes, scales, damping, free)
    np.testing.assert_array_equal(damping, kept)
    for k in range(n):
        damped = curvatures[k] + np.diag(damping[k] * scales[k])
        expected = np.zeros(n_genes)
        expected[free[k]] = -np.linalg.solve(damped[np.ix_(free[k], free[k])], slopes[k, free[k]])
        np.testing.assert_allclose(steps[k], expected, rtol=1e-9, atol=1e-12)
    found = np.empty(n)
    decreases(curvatures, slopes, steps, found)
    falls = -np.einsum("ni,ni->n", slopes, steps) - 0.5 * np.einsum("ni,nij,nj->n", steps, curvatures, steps)
    np.testing.assert_allclose(found, falls, rtol=1e-10)


def test_damping_grows_until_there_is_a_minimum():
    curvatures, slopes = np.array([np.diag([1.0, -5.0]), np.diag([1.0, np.nan])]), np.ones((2, 2))
    damping = np.array([0.1, 0.1])
    steps = solved(curvatures, slopes, np.ones((2, 2)), damping, np.ones((2, 2), dtype=bool))
    assert damping[0] == pytest.approx(10.0)
    np.testing.assert_allclose(steps[0], [-1 / 11, -1 / 5])
    np.testing.assert_array_equal(steps[1], 0.0)


def bits(**environment):
    script = (
        "from tests.kernels.test_cholesky import models, solved; import hashlib\n"
        "print([hashlib.sha256(solved(*models(3, n, n)).tobytes()).hexdigest() for n in (1, 7, 16, 45)])"
    )
    settings = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**settings, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("processor", ["haswell", "generic"])
def test_bits_are_the_same_on_other_instruction_sets(processor):
    assert bits(NUMBA_CPU_NAME=processor) == bits()


@pytest.mark.slow
def test_nothing_is_read_or_written_out_of_bounds():
    assert bits(NUMBA_BOUNDSCHECK="1") == bits()
