"""The picture of a front shows its numbers, whatever they are."""

from __future__ import annotations

import numpy as np
import pytest

from neuroevo.plots.front import draw_front
from neuroevo.plots.style import drawing
from neuroevo.records import Front


def front_of(goals, validation=None):
    names = ("error", "links", "absolute")[: goals.shape[1]]
    titles = ("mean squared error (scaled units)", "links that are there", "mean absolute error")[: goals.shape[1]]
    return Front(names, titles, np.zeros((len(goals), 3)), goals[:, 0], goals, validation)


def drawn(front):
    with drawing("a front"):
        figure = draw_front(front, "A title", "a line")
        figure.canvas.draw()
    return figure


@pytest.mark.parametrize("n_goals", [2, 3])
def test_lines_are_the_goals(n_goals):
    rng = np.random.default_rng(1)
    goals, held = np.sort(rng.random((2, 9, n_goals)), axis=1)
    goals[:, 1] = np.arange(9)[::-1]
    held[:, 1] = goals[:, 1]
    panels = drawn(front_of(goals, held)).axes
    assert len(panels) == n_goals - 1
    for k, axes in enumerate(panels, start=1):
        trained, validated = axes.get_lines()
        order = np.argsort(goals[:, k], kind="stable")
        np.testing.assert_array_equal(trained.get_xydata(), goals[order][:, [k, 0]])
        np.testing.assert_array_equal(validated.get_xydata(), held[order][:, [k, 0]])
        assert axes.get_xlabel() == front_of(goals).titles[k]
    numbers = [text.get_text() for text in panels[0].texts]
    assert numbers == ([str(member) for member in range(9, 0, -1)] if n_goals == 2 else [])


@pytest.mark.parametrize(
    "goals", [[[0.5, 3.0]], [[0.0, 0.0], [1e300, 5.0]], [[1e-9, 90.0], [1.0, 0.0]], [[0.1, 1.0], [np.inf, 0.0]]]
)
def test_any_front_can_be_drawn(goals):
    assert drawn(front_of(np.array(goals))).axes
