"""A champion at work in one episode: as a strip of poses over curves, and as an animation."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroevo.checks import whole_number
from neuroevo.plots import style
from neuroevo.plots.poses import Pose, pose_of, shape_of
from neuroevo.plots.thinning import thin
from neuroevo.problems.control.base import FloatArray
from neuroevo.problems.control.stepped import SteppedProblem
from neuroevo.records.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from PIL.Image import Image

    from neuroevo.problems.control.base import EpisodeProblem
    from neuroevo.problems.control.traces import Trace

_MOST_STEPS = 1000
#: Curves that one panel tells apart; more are drawn as an image, a row each.
_MOST_LINES = 6
_N_POSES = 6
_MOST_FRAMES = 120
_SECONDS = 8.0
_RATES = (2.0, 20.0)
_DPI = 80


@dataclass(frozen=True)
class Episode:
    """Which episode is drawn, and how.

    Attributes:
        part: Whose episode it is; None for "train".
        number: Its number in the part, from 1; None for the first.
        n_steps: Steps that are drawn at most; None for 1000.
        animate: Whether there is an animation beside the strip.
    """

    part: str | None = None
    number: int | None = None
    n_steps: int | None = None
    animate: bool = False

    @property
    def asked(self) -> bool:
        """Whether anything differs from what is drawn anyway."""
        return self != Episode()

    def traced(self, problem: EpisodeProblem, network: Any, genome: Any, *, in_sight: bool = True) -> Trace:
        """The episode, played once more.

        Raises:
            BadInput: There is none such, or it can't be played.
        """
        from neuroevo.problems.control.traces import trace

        number = whole_number("episode", 1 if self.number is None else self.number)
        n_steps = whole_number("steps", _MOST_STEPS if self.n_steps is None else self.n_steps)
        return trace(problem, network, genome, self.part or "train", number - 1, n_steps, in_sight=in_sight)

    def words(self, problem: EpisodeProblem, trace: Trace) -> str:
        """What the picture shows, in a line."""
        which = f"episode {self.number or 1} of {self.part or 'train'}"
        if trace.error is None:
            return f"{which} · its first {trace.n_steps:,} steps"
        solved = "solved" if trace.solved else "not solved"
        steps = f"{trace.n_steps:,} step{'s' * (trace.n_steps > 1)}"
        return f"{which} · {solved} · {problem.error_name}: {trace.error:.4g} · {steps}"


def draw_strip(problem: EpisodeProblem, trace: Trace, title: str, subtitle: str, size: style.Size | None) -> Figure:
    """Poses at a few times, and below them inputs, outputs and the state of the network over time.

    Args:
        problem: What was played.
        trace: One episode of it.
        title: Of the figure.
        subtitle: A line below it.
        size: Width and height in inches; None: what the panels need.
    """
    pose = pose_of(problem, trace)
    n_poses = min(_N_POSES, trace.n_steps + 1) if pose else 1
    tall = [float(np.clip(7.8 / n_poses * shape_of(pose), 0.4, 2.0))] if pose else []
    figure = style.new_figure(9.0, 4.9 + sum(tall) + 0.35 * len(tall), size)
    heights = [*tall, 1.2, 1.2, 1.2]
    grid = figure.add_gridspec(len(heights), n_poses, height_ratios=heights)
    panels = _panels(figure, grid, problem, trace, first=len(heights) - 3)
    if pose:
        unit = _seconds(problem)
        for k, step in enumerate(np.linspace(0, _last(trace, pose), n_poses).round().astype(int)):
            axes = figure.add_subplot(grid[0, k])
            pose(axes, int(step))
            axes.set_title(f"{step * unit:.4g} s" if unit != 1 else f"step {step}", loc="center", color=style.GREY)
            for panel in panels:
                panel.axvline(step * unit, color=style.GREY, lw=0.8, ls=":", alpha=0.7, zorder=0.5)
    style.heading(figure, title, subtitle)
    return figure


def animate(
    problem: EpisodeProblem, trace: Trace, title: str, subtitle: str, size: style.Size | None, path: Path
) -> Path:
    """Write an animated GIF: the world above, and a line that walks along the curves below.

    Args:
        problem: What was played.
        trace: One episode of it.
        title: Of the figure.
        subtitle: A line below it.
        size: Width and height in inches; None: what the panels need.
        path: Where to.

    Raises:
        RecordUnwritable: The machine refused.
    """
    pose, unit = pose_of(problem, trace), _seconds(problem)
    tall = [float(np.clip(5.5 * shape_of(pose), 1.0, 3.5))] if pose else []
    figure = style.new_figure(7.0, 4.4 + sum(tall), size)
    grid = figure.add_gridspec(3 + len(tall), 1, height_ratios=[*tall, 1, 1, 1])
    world = figure.add_subplot(grid[0]) if pose else None
    panels = _panels(figure, grid, problem, trace, first=1 if pose else 0)
    cursors = [panel.axvline(0, color=style.INK, lw=1) for panel in panels]
    style.heading(figure, title, subtitle)
    if pose and world:
        pose(world, 0)
    style.settle(figure)
    last = _last(trace, pose)
    steps = np.unique(np.linspace(0, last, min(_MOST_FRAMES, last + 1)).round().astype(int))
    pictures = []
    for step in steps:
        if pose and world:
            world.clear()
            pose(world, int(step))
        for cursor in cursors:
            cursor.set_xdata([step * unit, step * unit])
        pictures.append(_picture(figure))
    _write(path, pictures)
    return path


def _picture(figure: Any) -> Image:
    """The figure as an image."""
    from PIL import Image

    figure.set_dpi(_DPI)
    figure.canvas.draw()
    return Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")


def _write(path: Path, pictures: Sequence[Image]) -> None:
    """An animated GIF; the last picture stays for a second."""
    from PIL.Image import Dither

    # One palette for all, without dithering: what stands still is the same in all and takes no place.
    palette = pictures[len(pictures) // 2].quantize(255)
    drawn = [picture.quantize(palette=palette, dither=Dither.NONE) for picture in pictures]
    colours, white = drawn[0].getpalette() or [], int(drawn[0].getpixel((0, 0)))  # type: ignore[arg-type]
    for picture in drawn:
        picture.putpalette([*colours[: 3 * white], 255, 255, 255, *colours[3 * white + 3 :]])
    first, *others = drawn
    pause = round(1000 / float(np.clip(len(pictures) / _SECONDS, *_RATES)))
    buffer, pauses = io.BytesIO(), [pause] * len(others) + [1000]
    first.save(buffer, "GIF", save_all=True, append_images=others, duration=pauses, loop=0)
    write_atomically(path, buffer.getvalue())


def _last(trace: Trace, pose: Pose | None) -> int:
    """The last moment that there is something to see of."""
    return trace.n_steps - (0 if pose and trace.states is not None else 1)


def _seconds(problem: EpisodeProblem) -> float:
    return problem.step_seconds if isinstance(problem, SteppedProblem) else 1.0


def _panels(figure: Figure, grid: Any, problem: EpisodeProblem, trace: Trace, *, first: int) -> list[Axes]:
    """Inputs, outputs and units in rows of a grid."""
    from neuroevo.plots.ticks import set_counts

    unit = _seconds(problem)
    times: FloatArray = unit * np.arange(trace.n_steps, dtype=np.float64)
    panels: list[Axes] = []
    shown = (
        ("inputs", trace.inputs, problem.input_names, "input"),
        ("outputs", trace.outputs, problem.output_names, "output"),
        ("network's state", trace.units, trace.unit_names, "unit"),
    )
    for row, (name, values, names, one) in enumerate(shown):
        panels.append(figure.add_subplot(grid[first + row, :], sharex=panels[0] if panels else None))
        _curves(panels[-1], times, unit, values, names or tuple(f"{one} {k + 1}" for k in range(values.shape[1])))
        panels[-1].set_ylabel(name)
        panels[-1].tick_params(labelbottom=row == 2)
    if problem.chooses:
        _choices(panels[1], times, trace.outputs)
    panels[0].set_xlim(0, max(float(times[-1] + unit), unit))
    panels[-1].set_xlabel("time (s)" if unit != 1 else "step")
    if unit == 1:
        set_counts(panels[-1].xaxis, 10)
    figure.align_ylabels(panels)
    return panels


def _curves(axes: Axes, times: FloatArray, unit: float, values: FloatArray, names: tuple[str, ...]) -> None:
    n = values.shape[1]
    if n == 0:
        axes.text(0.5, 0.5, "none", transform=axes.transAxes, ha="center", va="center", color=style.GREY)
        return
    if n > _MOST_LINES:
        _rows(axes, times, unit, values, names)
        return
    drawn: dict[str, Any] = {"drawstyle": "steps-post"} if len(times) <= 100 else {}
    for k, name in enumerate(names):
        colour, dashes = style.line_looks(k)
        curve = thin(np.append(times, times[-1] + unit), np.append(values[:, k], values[-1, k]))
        if curve.stretch > 1:
            axes.fill_between(curve.x, curve.low, curve.high, color=colour, alpha=0.2, lw=0)
        axes.plot(curve.x, curve.middle, color=colour, ls=dashes, lw=1.2, label=style.single_line(name, 20), **drawn)
    style.end_legend(axes)


def _rows(axes: Axes, times: FloatArray, unit: float, values: FloatArray, names: tuple[str, ...]) -> None:
    """An image, a row a number: white for 0."""
    most, n = float(np.abs(values).max(initial=0.0)) or 1.0, values.shape[1]
    extent = (0.0, float(times[-1] + unit), n - 0.5, -0.5)
    looks: dict[str, Any] = {"cmap": "RdBu_r", "vmin": -1.4 * most, "vmax": 1.4 * most, "interpolation": "nearest"}
    axes.imshow(values.T, aspect="auto", extent=extent, **looks)
    axes.grid(visible=False)
    axes.set_yticks(range(n), [style.single_line(name, 16) for name in names] if n <= 16 else [""] * n, fontsize=6)


def _choices(axes: Axes, times: FloatArray, outputs: FloatArray) -> None:
    """Which output is the largest, as dots above the curves in their colours."""
    if outputs.shape[1] > _MOST_LINES:
        return
    low, high = axes.get_ylim()
    step = max(1, len(times) // 300)
    chosen = [style.line_looks(int(k))[0] for k in outputs[::step].argmax(axis=1)]
    place = high + 0.08 * (high - low)
    half = 0.5 * (times[1] - times[0]) if 1 < len(times) <= 100 else 0.0
    axes.scatter(times[::step] + half, np.full(len(chosen), place), c=chosen, marker="s", s=9, lw=0)
    axes.set_ylim(low, high + 0.16 * (high - low))
