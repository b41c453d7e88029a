"""Runs on the command line: the live line, the closing table, and the exit code."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

import typer

from neuroevo.analysis import n_runs, summary
from neuroevo.callbacks import Callback
from neuroevo.cli.display import Display
from neuroevo.cli.terminal import escaped, print_message, print_path, print_result
from neuroevo.cli.texts import champion_text, ensemble_text, final_text, results_text, stop_text, summary_text
from neuroevo.errors import BadInput
from neuroevo.records import RunRecord, SweepSet, set_in
from neuroevo.records.record import FINAL_FOLDER, PLOT_FOLDER
from neuroevo.stopping import exit_code
from neuroevo.trials import run_plans

if TYPE_CHECKING:
    from neuroevo.compute import Compute
    from neuroevo.distribution import PoolStatus
    from neuroevo.plots.episode import Episode
    from neuroevo.plots.times import Span
    from neuroevo.scenario import Scenario
    from neuroevo.stopping import Progress, StopReason
    from neuroevo.trials import Plan


class Start(Protocol):
    """Starts a run, or goes on with one."""

    def __call__(self, *, callbacks: Sequence[Callback]) -> RunRecord: ...


class Console(Callback, logging.Handler):
    """Shows a run on standard error; with `quiet`, only what a user must know.

    While it is in use (a context manager), the package's own log messages are shown too: they announce waits.

    Attributes:
        began: Whether a run has been started or gone on with.
    """

    def __init__(self, *, quiet: bool) -> None:
        logging.Handler.__init__(self, logging.WARNING if quiet else logging.INFO)
        self._quiet = quiet
        self.began = False
        self._warned: set[str] = set()
        self._display: Display | None = None
        self._log = logging.getLogger("neuroevo")

    def __enter__(self) -> Self:
        self._log.addHandler(self)
        self._log.setLevel(logging.INFO)
        self._log.propagate = False
        return self

    def __exit__(self, *_: object) -> None:
        self._log.removeHandler(self)
        self._log.propagate = True

    def emit(self, record: logging.LogRecord) -> None:
        self.message(record.getMessage())

    def started(self, scenario: Scenario, path: Path) -> None:  # noqa: ARG002 - the folder is printed at the end
        self.began = True
        if self._quiet:
            return
        network, strategy = scenario.table["network"]["kind"], scenario.table["strategy"]["kind"]
        title = escaped(scenario.head.title or scenario.name)
        name = escaped(scenario.problem.error_name)
        print_message(f"{title}: {network} of {scenario.network.n_genes} genes by {strategy}, minimising {name}")
        self._display = Display(scenario.table["stop"], criterion=scenario.criterion)

    def workers(self, status: PoolStatus) -> None:
        if self._display is not None:
            self._display.show_pool(status)

    def generation(self, progress: Progress) -> None:
        if self._display is not None:
            self._display.show(progress)

    def step(self, text: str) -> None:
        if not self._quiet:
            print_message(text)

    def message(self, text: str) -> None:
        # All runs of a sweep warn of the same data.
        if text.startswith("warning: ") and text in self._warned:
            return
        self._warned.add(text)
        if self._display is not None:
            self._display.message(text)
        else:
            print_message(text)

    def stopped(self, reason: StopReason) -> None:  # noqa: ARG002 - it is printed with the results
        if self._display is not None:
            self._display.close()


def execute(start: Start, *, quiet: bool) -> None:
    """Start or go on with a run, draw its plots, and print what came of it; one that had finished only tells.

    Raises:
        typer.Exit: With 130 or 143, where a signal ended the run.
    """
    with Console(quiet=quiet) as console:
        record = start(callbacks=[console])
    if _wants_plots(record) and (console.began or not (record.path / PLOT_FOLDER).is_dir()):
        draw(record.path)
    if not quiet and record.run.get("results"):
        print_result(results_text(record.run["results"]) + "\n")
    if not quiet and record.final is not None:
        print_result(final_text(record.final) + "\n")
    if not quiet and (text := champion_text(record.run)):
        print_message(text)
    print_message(stop_text(record.run))
    print_path(record.path, alone=quiet)
    code = exit_code(record.stop_reason)
    if code:
        raise typer.Exit(code)


def reports_finished_set(path: Path, *, quiet: bool) -> bool:
    """Say so where a folder is a set of trials or a sweep whose runs have all finished, and print it."""
    found = set_in(path)
    if found is None:
        return False
    what = summary(found)
    n_all = n_runs(what)
    if not n_all or n_all != n_runs(what, "n_finished"):
        return False
    print_message(f"all {n_all} runs in {path} have finished; the command that began it adds what it still lacks")
    print_path(path, alone=quiet)
    return True


def execute_plans(plans: Sequence[Plan], results: Path, compute: Compute, *, quiet: bool) -> None:
    """Run what is missing of plans, and print what the runs of each have in common.

    Raises:
        typer.Exit: With 130 or 143, where a signal ended it.
    """
    n_planned = sum(plan.n_runs for plan in plans)
    with Console(quiet=quiet) as console:
        if not quiet and any(plan.keys for plan in plans):
            n_points = sum(len(plan.sets) for plan in plans)
            print_message(f"{n_points} points, {n_planned} runs")
        outcome = run_plans(plans, results, compute, [console])
    for plan, folder, what in zip(plans, outcome.folders, outcome.summaries, strict=True):
        if plan.plots:
            draw(folder.path)
        if not quiet:
            print_result("\n\n".join(filter(None, (summary_text(what), ensemble_text(folder.path)))) + "\n")
        print_path(folder.path, alone=quiet)
    if outcome.exit_code:
        n_done = sum(n_runs(each, "n_finished") for each in outcome.summaries)
        print_message(f"interrupted after {n_done} finished runs; the same command goes on")
        raise typer.Exit(outcome.exit_code)


def _wants_plots(record: RunRecord) -> bool:
    return bool(record.scenario.get("record", {}).get("plots", True))


def draw(
    path: Path,
    formats: Sequence[str] = ("png", "svg"),
    *,
    folder: Path | None = None,
    span: Span | None = None,
    size: tuple[float, float] | None = None,
    episode: Episode | None = None,
) -> list[Path]:
    """Draw what there is to see in the folder of a run, a set of trials or a sweep; the files.

    Args:
        path: The folder.
        formats: Of "png", "svg" and "pdf".
        folder: Where the files go; ``plots`` in `path` where it is None.
        span: As in `plot_run`.
        size: Inches.
        episode: As in `plot_run`.

    Raises:
        BadInput: There is nothing to be drawn so.
        RecordError: It is none of them, or damaged.
        RecordUnwritable: The machine refused.
    """
    from neuroevo.plots import plot_run, plot_sweep, plot_trials

    found = set_in(path)
    if found is not None and episode is not None and episode.asked:
        raise BadInput(f"{path} holds several runs: name one of them to see its champion in an episode")
    if isinstance(found, SweepSet):
        if span is not None:
            raise BadInput(f"{path} is a sweep, whose plots show no predictions: give a span with one of its runs")
        return plot_sweep(found, formats, folder=folder, size=size)
    if found is not None:
        return plot_trials(found, formats, folder=folder, span=span, size=size)
    record = RunRecord.open(path)
    paths = plot_run(record, formats, folder=folder, span=span, size=size, episode=episode)
    if record.final is None:
        return paths
    final = None if folder is None else folder / FINAL_FOLDER
    return paths + plot_run(record.final, formats, folder=final, span=span, size=size, episode=episode)
