"""The command plot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neuroevo.cli.failures import exit_codes
from neuroevo.cli.terminal import print_message, print_result
from neuroevo.errors import BadInput

if TYPE_CHECKING:
    from neuroevo.plots.episode import Episode
    from neuroevo.plots.times import Span
    from neuroevo.records import RunRecord


def plot(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of runs, sets of trials, or sweeps.")],
    start: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="TIME", help="The first time of the predictions drawn, as the data write it, or step."
        ),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="The last one; 2016-07 stands for all of July.")
    ] = None,
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Inches of each picture, as in 12x5. [default: what it needs]")
    ] = None,
    formats: Annotated[
        str, typer.Option("--format", metavar="NAMES", help="Of png, svg and pdf, with commas between them.")
    ] = "png,svg",
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where the pictures go. [default: plots/ in each run's folder]"),
    ] = None,
    part: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of control: the part whose episode is drawn. [default: train]"),
    ] = None,
    episode: Annotated[
        int | None, typer.Option(metavar="N", help="Of control: its number in the part. [default: 1]")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(metavar="N", help="Of control: steps that are drawn at most. [default: 1000]")
    ] = None,
    animate: Annotated[
        bool, typer.Option("--animate", help="Of control: an animation (GIF) of the episode too.")
    ] = False,
    together: Annotated[
        bool,
        typer.Option(
            "--together", help="All runs in one picture: errors, and predictions; --out is the present folder."
        ),
    ] = False,
) -> None:
    """Draw the curves of runs anew, and predictions, or their champions at work."""
    with exit_codes():
        kinds = tuple(dict.fromkeys(name.strip() for name in formats.split(",") if name.strip()))
        span = None if start is None and end is None else (start, end)
        inches = None if size is None else _inches(size)
        chosen = _episode(part, episode, steps, animate=animate)
        if together:
            if chosen.asked:
                raise BadInput("--together shows no episodes: leave out --part, --episode, --steps and --animate")
            files = _draw_together(runs, kinds, Path() if out is None else out, span, inches)
        else:
            files = _draw_each(runs, kinds, out, span, inches, chosen)
        for file in files:
            print_result(file)


def _inches(text: str) -> tuple[float, float]:
    width, _, height = text.lower().partition("x")
    try:
        return float(width), float(height)
    except ValueError as error:
        raise BadInput(f"--size must be width x height in inches, such as 12x5, got {text!r}") from error


def _episode(part: str | None, number: int | None, n_steps: int | None, *, animate: bool) -> Episode:
    from neuroevo.plots.episode import Episode

    for name, value in (("--episode", number), ("--steps", n_steps)):
        if value is not None and value < 1:
            raise BadInput(f"{name} must be at least 1, got {value}")
    return Episode(part, number, n_steps, animate)


def _draw_each(
    runs: Sequence[Path],
    formats: Sequence[str],
    out: Path | None,
    span: Span | None,
    size: tuple[float, float] | None,
    episode: Episode,
) -> list[Path]:
    from neuroevo.cli.running import draw

    names = [path.resolve().name for path in runs]
    several = [name for name, n in Counter(names).items() if n > 1]
    if out is not None and several:
        raise BadInput(f"--out would hold the pictures of several runs in {out / several[0]}: draw them one at a time")
    files = []
    for path, name in zip(runs, names, strict=True):
        folder = out if out is None or len(runs) == 1 else out / name
        files += draw(path, formats, folder=folder, span=span, size=size, episode=episode)
    return files


def _draw_together(
    runs: Sequence[Path], formats: Sequence[str], out: Path, span: Span | None, size: tuple[float, float] | None
) -> list[Path]:
    """The errors of all, trials of a set as one group, and predictions where the runs are single and share a target."""
    from neuroevo.plots import plot_compare, plot_predictions
    from neuroevo.records import RunRecord, SweepSet, set_in

    if len(runs) < 2:
        raise BadInput("--together needs two runs or sets at least")
    names = [path.resolve().name for path in runs]
    if len(set(names)) < len(names):
        names = [str(path) for path in runs]
    groups: dict[Path, str] = {}
    records: list[RunRecord] = []
    for path, name in zip(runs, names, strict=True):
        found = set_in(path)
        if isinstance(found, SweepSet):
            raise BadInput(f"{path} is a sweep: name those of its points that are to be compared, as in {path}/*")
        each = [RunRecord.open(path)] if found is None else [r for r in found.trials() if r.history.n_generations]
        groups |= {record.path: name for record in each}
        records += each
    files = plot_compare(records, out, formats, group_by=lambda record: groups[record.path], size=size)
    if len(records) > len(runs):
        print_message("no picture of predictions: there is one of single runs only, and these are sets of trials")
        return files
    try:
        return files + plot_predictions(
            records, out, formats, label=lambda record: groups[record.path], span=span, size=size
        )
    except BadInput as error:
        if span is not None:
            raise
        print_message(f"no picture of predictions: {error}")
        return files
