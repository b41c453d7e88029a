"""The picture of free runs: runs that follow one another, and nothing between them."""

from __future__ import annotations

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.plots.free_runs import draw_free_runs
from neuroevo.plots.series import Look

N = 90


@pytest.mark.parametrize("every", [3, 10])
def test_the_drawn_line_is_the_runs_that_do_not_overlap(every):
    wave = np.sin(np.arange(N) / 3) + 2
    asked = {"steps": 6, "every": every, "washout": 12}
    parts = {"train": 60, "test": "rest"}
    problem = ne.make_series({"wave": wave}, parts=parts, free_run=asked, residual="last_value")
    network = ne.Elman(1, 3, 1)
    genome = 0.5 * np.random.default_rng(2).normal(size=network.n_genes)
    figure = draw_free_runs(network, genome, problem, Look("A wave"))
    # True values are dark, what is predicted is not.
    (line,) = (its for its in figure.axes[0].lines if its.get_label().startswith("after 12 rows"))
    drawn = np.asarray(line.get_ydata(), dtype=np.float64)
    runs, expected = problem.free_runs, np.full(len(drawn), np.nan)
    for part in problem.parts:
        rows = runs.judged_rows(part)
        said = runs.problem_of(part).predictions(runs.outputs(network, genome, part)).reshape(rows.shape)
        free = -1
        for its, values in zip(rows, said, strict=True):
            if its[0] > free:
                expected[its], free = values, its[-1]
    assert np.isfinite(expected).sum() == np.isfinite(drawn).sum() > 30
    np.testing.assert_allclose(drawn, expected)
    assert "free runs of 6 steps" in figure.texts[0].get_text() + str(figure.get_suptitle())
