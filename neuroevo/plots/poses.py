"""What a controlled thing looks like, for strips and animations."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroevo.plots import style
from neuroevo.problems.control.acrobot import GOAL
from neuroevo.problems.control.hills import LEFT, RIGHT
from neuroevo.problems.control.poles import TRACK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from neuroevo.problems.control.base import EpisodeProblem
    from neuroevo.problems.control.traces import Trace

Pose = Callable[["Axes", int], None]
"""Draws what it looks like before a step into empty axes."""


def pose_of(problem: EpisodeProblem, trace: Trace) -> Pose | None:
    """How the steps of a trace are drawn; None where nobody knows."""
    if trace.frames.pictures:
        return lambda axes, step: _picture(axes, trace.frames.at(step))
    draw = _POSES.get(problem.kind)
    if draw is None or trace.states is None:
        return None
    states: Any = trace.states
    return lambda axes, step: draw(axes, problem, states[step])


def shape_of(pose: Pose) -> float:
    """Height of a pose over its width."""
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    pose(axes, 0)
    if axes.get_aspect() == "auto":
        return 0.6
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    return abs(high - low) / abs(right - left)


def _picture(axes: Axes, picture: Any) -> None:
    axes.imshow(picture, interpolation="antialiased")
    axes.set_axis_off()


def _empty(axes: Axes, x: tuple[float, float], y: tuple[float, float], *, equal: bool = True) -> None:
    axes.set_xlim(*x)
    axes.set_ylim(*y)
    if equal:
        axes.set_aspect("equal")
    axes.set_axis_off()


def _poles(axes: Axes, problem: Any, state: Any) -> None:
    _empty(axes, (-1.15 * TRACK, 1.15 * TRACK), (-0.35, 1.25))
    axes.plot([-TRACK, TRACK], [-0.12, -0.12], color=style.GREY, lw=1)
    for end in (-TRACK, TRACK):
        axes.plot([end, end], [-0.22, -0.02], color=style.GREY, lw=1)
    x = state[0]
    axes.fill([x - 0.3, x + 0.3, x + 0.3, x - 0.3], [-0.12, -0.12, 0.08, 0.08], color=style.INK, lw=0)
    for pole, angle, colour in zip(problem.poles, state[2::2], (style.VERMILION, style.BLUE), strict=False):
        length = 2 * pole.half_length
        tip = x + length * np.sin(angle), 0.08 + length * np.cos(angle)
        axes.plot([x, tip[0]], [0.08, tip[1]], color=colour, lw=3, solid_capstyle="round")


def _car(axes: Axes, problem: Any, state: Any) -> None:
    def height(x: Any) -> Any:
        return 0.45 * np.sin(3 * x) + 0.55

    road, goal = np.linspace(LEFT, RIGHT, 80), problem.car.goal
    _empty(axes, (LEFT - 0.06, RIGHT + 0.06), (0.0, 1.35))
    axes.fill_between(road, 0, height(road), color=style.FAINT, lw=0)
    axes.plot(road, height(road), color=style.GREY, lw=1)
    axes.plot([goal, goal], [height(goal), height(goal) + 0.25], color=style.INK, lw=1)
    flag = np.array([0.25, 0.19, 0.13]) + height(goal)
    axes.fill([goal, goal - 0.14, goal], flag, color=style.GREEN, lw=0)
    axes.plot([state[0]], [height(state[0]) + 0.06], "o", color=style.VERMILION, ms=9, mew=0)


def _links(axes: Axes, problem: Any, state: Any) -> None:  # noqa: ARG001 - as all poses
    _empty(axes, (-2.2, 2.2), (-2.2, 2.2))
    axes.plot([-2.2, 2.2], [GOAL, GOAL], color=style.GREEN, lw=1, ls="--")
    elbow = np.sin(state[0]), -np.cos(state[0])
    tip = elbow[0] + np.sin(state[0] + state[1]), elbow[1] - np.cos(state[0] + state[1])
    axes.plot([0, elbow[0]], [0, elbow[1]], color=style.BLUE, lw=4, solid_capstyle="round")
    axes.plot([elbow[0], tip[0]], [elbow[1], tip[1]], color=style.VERMILION, lw=4, solid_capstyle="round")
    axes.plot([0, elbow[0]], [0, elbow[1]], "o", color=style.INK, ms=5, mew=0)


def _maze(axes: Axes, problem: Any, state: Any) -> None:  # noqa: ARG001 - as all poses
    place, goal, _, arm, end, *_ = state
    reach = 0.09 * end + 0.4  # so that arms are seen beside corridors of any length
    _empty(axes, (-0.1 * end - 0.3, 1.1 * end + 0.3), (-1.9 * reach, 1.9 * reach), equal=end <= 25)
    looks: dict[str, Any] = {"color": style.FAINT, "lw": 7, "solid_capstyle": "round", "zorder": 1}
    axes.plot([0, end], [0, 0], **looks)
    axes.plot([end, end], [-1.3 * reach, 1.3 * reach], **looks)
    axes.plot([end], [1.3 * reach * goal], "*", color=style.GREEN, ms=10, mew=0, zorder=2)
    axes.text(0, 0.5 * reach, "north" if goal > 0 else "south", ha="left", va="bottom", color=style.GREEN, fontsize=7)
    axes.plot([place], [1.3 * reach * arm], "o", color=style.VERMILION, ms=6, mew=0, zorder=3)


_POSES: dict[str, Callable[[Any, Any, Any], None]] = {
    "single_pole": _poles,
    "double_pole": _poles,
    "mountain_car": _car,
    "acrobot": _links,
    "t_maze": _maze,
}
