"""Runs on the command line: the live line, the closing table, and the exit code."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import typer

from neuroevo.cli.display import Display
from neuroevo.cli.texts import results_text, stop_text, trials_text
from neuroevo.experiment import Observer

if TYPE_CHECKING:
    from neuroevo.records import RunRecord
    from neuroevo.records.trials import TrialSet
    from neuroevo.scenario import Scenario
    from neuroevo.stopping import Progress


class Start(Protocol):
    """Starts a run, or goes on with one."""

    def __call__(self, *, observer: Observer) -> RunRecord: ...


class StartTrials(Protocol):
    """Starts or completes a set of trials."""

    def __call__(self, *, observer: Observer) -> TrialSet: ...


class Shown(Observer, logging.Handler):
    """Shows a run on standard error; with `quiet`, only what a user must know.

    While it is in use (a context manager), the package's own log messages are shown too: they announce waits.
    """

    def __init__(self, *, quiet: bool) -> None:
        logging.Handler.__init__(self, logging.WARNING if quiet else logging.INFO)
        self._quiet = quiet
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
        if self._quiet:
            return
        network, strategy = scenario.table["network"]["kind"], scenario.table["strategy"]["kind"]
        tell(f"{scenario.head.title or scenario.name}: {network} of {scenario.network.n_genes} genes by {strategy}")
        self._display = Display(scenario.table["stop"])

    def workers(self, status: str) -> None:
        if self._display is not None:
            self._display.workers = status

    def generation(self, progress: Progress) -> None:
        if self._display is not None:
            self._display.show(progress)

    def message(self, text: str) -> None:
        if self._display is not None:
            self._display.message(text)
        else:
            tell(text)

    def finished(self) -> None:
        if self._display is not None:
            self._display.close()


def carry_out(start: Start, *, quiet: bool) -> None:
    """Start or go on with a run, draw its plots, and print what came of it.

    Raises:
        typer.Exit: With 130 or 143, where a signal ended the run.
    """
    with Shown(quiet=quiet) as observer:
        record = start(observer=observer)
    _draw(record)
    if not quiet and record.run.get("results"):
        print(results_text(record.run["results"]) + "\n", flush=True)  # noqa: T201
    tell(stop_text(record.run))
    print(record.path, flush=True)  # noqa: T201
    code = exit_code(record.run)
    if code:
        raise typer.Exit(code)


def carry_out_trials(start: StartTrials, *, quiet: bool) -> None:
    """Run what is missing of a set of trials, and print what they have in common.

    Raises:
        typer.Exit: With 130 or 143, where a signal ended the set.
    """
    with Shown(quiet=quiet) as observer:
        trials = start(observer=observer)
    records = trials.trials()
    if not quiet:
        print(trials_text(trials.summarise()) + "\n", flush=True)  # noqa: T201
    stopped = [code for record in records if (code := exit_code(record.run))]
    done = sum(record.status == "finished" for record in records)
    tell(f"{done} trials finished" + ("; interrupted, the same command goes on" if stopped else ""))
    print(trials.path, flush=True)  # noqa: T201
    if stopped:
        raise typer.Exit(stopped[-1])


def exit_code(run: Mapping[str, Any]) -> int:
    """0, or 128 + the number of the signal that ended the run."""
    reason = run.get("stop_reason") or {}
    number = int(reason["value"]) if reason.get("criterion") == "signal" else 0
    return 128 + number if number in (2, 15) else 0


def _draw(record: RunRecord) -> None:
    if not record.scenario.get("record", {}).get("plots", True):
        return
    from neuroevo.plots import plot_run

    plot_run(record)


def tell(text: str) -> None:
    """Write a line to standard error."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201
