"""The composition root: a scenario becomes objects, the objects a run, the run a record.

The one module that knows everything. `run` starts, `resume` goes on where a run was interrupted, `extend` goes on past
a finished end.
"""

from __future__ import annotations

import math
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w

from neuroevo.callbacks import Callback, Callbacks, ClusterMetrics
from neuroevo.compute import Compute, ComputeSession, session
from neuroevo.errors import BadInput
from neuroevo.evolution import front_of
from neuroevo.networks import links_remarks
from neuroevo.records import RecordError, RunRecord, RunWriter, restoring, set_in
from neuroevo.records.errors import writing
from neuroevo.records.record import FINAL_FOLDER
from neuroevo.scenario import Scenario, load_scenario
from neuroevo.scenario.schema import lasting
from neuroevo.search import open_search
from neuroevo.stopping import Progress, SignalTrap, ending_criterion

if TYPE_CHECKING:
    from neuroevo.evolution import Champion, Evolution, Logbook
    from neuroevo.scenario.schema import RecordSettings
    from neuroevo.stopping import StoppingCriterion, StopReason

DEFAULT_RESULTS = Path("results/runs")


def run(
    scenario: str | Path | Scenario,
    *,
    seed: int | None = None,
    overrides: Mapping[str, Any] | None = None,
    results: str | Path = DEFAULT_RESULTS,
    compute: Compute | ComputeSession | None = None,
    callbacks: Iterable[Callback] = (),
) -> RunRecord:
    """Run a scenario until its stopping criterion holds.

    Args:
        scenario: A scenario file, or what `load_scenario` or `make_scenario` gave.
        seed: Replaces the scenario's seed.
        overrides: Values at dotted key paths that replace the scenario's: ``{"stop.generations": 10}``.
        results: The folder in which the run makes its own.
        compute: Who computes, where that differs from the scenario's [distribution]; never changes the result.
        callbacks: Told what happens.

    Returns:
        The record; its status is "interrupted" where a signal ended the run.

    Raises:
        ScenarioError: The scenario is wrong; nothing has been written.
        WrongType: Callbacks or compute are of another kind; nothing has been written.
        ClusterError: There is no cluster to work on; nothing has been written.
        RecordUnwritable: The machine refused to write; what was written before stays.
    """
    told, values = Callbacks(callbacks), dict(overrides or {})
    if seed is not None:
        values["seed"] = seed
    loaded = scenario.replaced(values) if isinstance(scenario, Scenario) else load_scenario(scenario, overrides=values)
    with session(compute, loaded.distribution) as opened:
        name = f"{loaded.name}-seed{loaded.head.seed}"
        return start_run(loaded, Path(results), name, opened, told)


def start_run(
    scenario: Scenario,
    results: Path,
    name: str,
    opened: ComputeSession,
    callbacks: Callbacks,
    shared: Path | None = None,
) -> RunRecord:
    """Run a scenario in a folder of that name, or NAME-2 where it is taken; `shared` as of `RunWriter.create`.

    Raises:
        RecordUnwritable: The machine refused to write.
    """
    with RunWriter.create(
        results,
        name,
        scenario_toml=tomli_w.dumps(dict(scenario.table)),
        run={
            "title": scenario.head.title,
            "seed": scenario.head.seed,
            **({} if scenario.generalise.fold is None else {"fold": scenario.generalise.fold}),
            "scenario_file": scenario.source.name,
        },
        problem=scenario.problem,
        network=scenario.network,
        shared=shared,
    ) as writer:
        for warning in scenario.warnings():
            warn(warning, writer, callbacks)
        with _telling(callbacks):
            record = _carry_out(scenario, writer, None, opened, callbacks)
    callbacks.finished(record)
    return record


@contextmanager
def _telling(callbacks: Callbacks) -> Iterator[None]:
    """Tell callbacks of an error that ends a run."""
    try:
        yield
    except BaseException as error:
        callbacks.failed(error)
        raise


def warn(text: str, writer: RunWriter, callbacks: Callbacks) -> None:
    """Tell of something that is legal and yet probably not meant, in the run's log and to whoever watches."""
    writer.log(f"warning: {text}")
    callbacks.message(f"warning: {text}")


def resume(
    path: str | Path,
    *,
    compute: Compute | ComputeSession | None = None,
    callbacks: Iterable[Callback] = (),
) -> RunRecord:
    """Go on with a run that was interrupted or killed; it ends as if nothing had happened.

    A run that has finished stays as it is, and callbacks are told so: `extend` goes on past an end.

    Args:
        path: The run's folder.
        compute: Who computes, where that differs from the scenario's [distribution]; never changes the result.
        callbacks: Told what happens.

    Raises:
        RecordError: It is no record of one run.
        RecordLocked: Another process is at work on it.
        RecordUnwritable: The machine refused to write.
    """
    record, told = _single(path), Callbacks(callbacks)
    if record.status == "finished":
        told.message(
            f"{path} has finished ({stated_reason(record)}); to go on past its end, move that end: "
            "neuroevo extend RUN --set stop.generations=2000"
        )
        return record
    return go_on(record, {}, compute, told)


def extend(
    path: str | Path,
    *,
    overrides: Mapping[str, Any],
    compute: Compute | ComputeSession | None = None,
    callbacks: Iterable[Callback] = (),
) -> RunRecord:
    """Go on past the end of a run, with other stopping criteria; it equals a run that had them from the beginning.

    Args:
        path: The run's folder.
        overrides: Values at dotted key paths below "stop", "record" and "distribution".
        compute: Who computes, where that differs from the scenario's [distribution]; never changes the result.
        callbacks: Told what happens.

    Raises:
        RecordError: It is no record.
        ScenarioError: An override is wrong.
        BadInput: An override would change the result so far, or the run has gone past the new end; nothing is written.
        RecordLocked: Another process is at work on it.
        RecordUnwritable: The machine refused to write.
    """
    others = sorted(key for key in overrides if key.partition(".")[0] not in ("stop", "record", "distribution"))
    if others or not overrides:
        named = f", got {', '.join(others)}" if others else ""
        raise BadInput(
            f"extend changes only keys below stop, record and distribution{named}; "
            "for example --set stop.generations=2000. Anything else is another run: neuroevo run"
        )
    return go_on(_single(path), overrides, compute, Callbacks(callbacks))


def _single(path: str | Path) -> RunRecord:
    """The record of one run.

    Raises:
        RecordError: It is none.
    """
    if set_in(path) is not None:
        raise RecordError(f"{path} holds many runs; the command that began it goes on with them, or name one of them")
    return RunRecord.open(path)


def go_on(
    record: RunRecord, overrides: Mapping[str, Any], compute: Compute | ComputeSession | None, callbacks: Callbacks
) -> RunRecord:
    """Go on with a run where its last checkpoint stands, or from its beginning.

    Raises:
        RecordError: The record is damaged.
        ScenarioError: An override is wrong.
        RecordLocked: Another process is at work on it.
        ClusterError: There is no cluster to work on.
        RecordUnwritable: The machine refused to write.
    """
    _ = record.scenario  # a damaged scenario.toml is a damaged record, and said so
    loaded = load_scenario(record.path / "scenario.toml", overrides=overrides, problem=record.problem)
    if overrides and record.stop_reason is not None:
        _refuse_earlier_end(record, loaded.criterion)
    altered = record.altered
    with session(compute, loaded.distribution) as opened:
        writer, state = RunWriter.reopen(record.path)
        with writer:
            if altered:
                changed = f"altered since the run ended: {', '.join(altered)}; what follows builds on that"
                warn(changed, writer, callbacks)
            if overrides:
                writer.replace_scenario(tomli_w.dumps(dict(loaded.table)))
            with _telling(callbacks):
                ended = _carry_out(loaded, writer, state, opened, callbacks)
    callbacks.finished(ended)
    return ended


def _refuse_earlier_end(record: RunRecord, criterion: StoppingCriterion) -> None:
    """Refuse a criterion that would have ended a run before the end that it has come to.

    Raises:
        BadInput: It would.
    """
    try:
        history = RunRecord.open(record.path).history
    except RecordError:
        return  # damaged: how much of it can be used is found out when the run goes on
    history.truncate(max(0, history.n_generations - 1))
    progress = Progress.last_of(history, record.error_name)
    reason = None if progress is None else criterion.check(progress)
    if progress is not None and reason is not None:
        raise BadInput(
            f"{record.path} has gone past this end ({reason.message} at generation {progress.generation} already): "
            "extend moves an end further, an earlier one is another run"
        )


def _carry_out(
    scenario: Scenario,
    writer: RunWriter,
    state: Mapping[str, Any] | None,
    opened: ComputeSession,
    callbacks: Callbacks,
) -> RunRecord:
    """Evolve from the beginning or from a checkpoint's state, and write down what comes of it."""
    criterion = scenario.criterion | ending_criterion()
    of_final = callbacks
    if opened.cluster is not None:
        callbacks = Callbacks([*callbacks.members, ClusterMetrics()])
    callbacks.started(scenario, writer.path)

    def announce(text: str) -> None:
        writer.log(text)
        callbacks.message(text)

    with (
        open_search(scenario, opened, writer.history, announce=announce, watch=callbacks.workers) as evolution,
        SignalTrap(scenario.criterion) as trap,
        _Fronts(scenario, writer, opened.threads) as fronts,
    ):
        due, failures = _Checkpoints(scenario.record), _Once(not writer.history["n_failed"].any())
        if state is not None:
            with restoring(writer.path):
                evolution.restore(state)
                if evolution.champion is not None:
                    scenario.network.layout.checked(evolution.champion.genome)

        def keep() -> None:
            reached = evolution.state()
            writer.checkpoint(evolution.generation, reached)
            fronts.write(reached)

        def after(progress: Progress) -> None:
            writer.append(progress.row())
            if evolution.at_rest and due.now(progress.generation):
                keep()
            if progress.n_failed and failures.is_first():
                warn(_failure_warning(progress), writer, callbacks)
            callbacks.generation(progress)

        reason = _resumed_reason(evolution, criterion) or evolution.run(criterion, after, lambda: trap.received)
        callbacks.stopped(reason)
        keep()
    champion, final = evolution.champion, None
    if scenario.generalise.fits_at_last and reason.criterion != "signal" and champion is not None:
        final = _final_fit(scenario, champion, writer, opened, of_final)
        # Interrupted there, the run is: whoever goes on with it finds its search at its end, and the fit to go on with.
        reason = final.stop_reason or reason if final.status == "interrupted" else reason
    _finish(scenario, writer, evolution.logbook, reason, final)
    return RunRecord.open(writer.path)


def _final_fit(
    scenario: Scenario, champion: Champion, writer: RunWriter, opened: ComputeSession, callbacks: Callbacks
) -> RunRecord:
    """Search again on training and validation data together, as long as the champion took; or go on with that.

    Raises:
        RecordError: What there is of it is damaged.
        RecordUnwritable: The machine refused.
    """
    wanted, path = scenario.final_fit(champion.generation), writer.path / FINAL_FOLDER
    text = f"final fit on training and validation data, {champion.generation} generations"
    writer.log(text)
    callbacks.step(text)
    if path.exists():
        record = RunRecord.open(path)
        if lasting(record.scenario) == lasting(wanted.table):
            return record if record.status == "finished" else go_on(record, {}, opened, callbacks)
        # Of another champion: the search has been extended since. What a crash leaves of it here is swept away later.
        hidden = writer.path / f".{uuid.uuid4().hex}.new"
        with writing(path):
            path.rename(hidden)
        shutil.rmtree(hidden, ignore_errors=True)
    return start_run(wanted, writer.path, FINAL_FOLDER, opened, callbacks)


def _resumed_reason(evolution: Evolution, criterion: StoppingCriterion) -> StopReason | None:
    """The reason to stop at once: the run was killed between its last generation and its end."""
    progress = Progress.last_of(evolution.history, evolution.logbook.error_name)
    return None if progress is None else criterion.check(progress)


class _Fronts:
    """Writes the front of a search for several goals beside its checkpoints; of others nothing."""

    def __init__(self, scenario: Scenario, writer: RunWriter, n_threads: int | None) -> None:
        self._make_strategy, self._writer = scenario.make_strategy, writer
        self._evaluator = scenario.evaluator.build(n_threads) if scenario.evaluator.goals else None

    def write(self, state: Mapping[str, Any]) -> None:
        front = None if self._evaluator is None else front_of(state, self._make_strategy, self._evaluator)
        if front is not None:
            self._writer.front(front)

    def __enter__(self) -> _Fronts:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._evaluator is not None:
            self._evaluator.close()


class _Once:
    """True the first time it is asked, unless it has been so in an earlier life of the run."""

    def __init__(self, fresh: bool) -> None:
        self._fresh = fresh

    def is_first(self) -> bool:
        fresh, self._fresh = self._fresh, False
        return fresh


def _failure_warning(progress: Progress) -> str:
    return (
        f"{progress.n_failed} of {progress.population_size} evaluations failed in generation {progress.generation}: "
        "the outputs of these networks overflow. They count as worst; if they are many, start with smaller genes, set "
        "bounds, or choose units that saturate"
    )


class _Checkpoints:
    """Says when a checkpoint is due."""

    def __init__(self, settings: RecordSettings) -> None:
        self._settings = settings
        self._last = time.monotonic()

    def now(self, generation: int) -> bool:
        every = self._settings.checkpoint_generations
        due = every is not None and generation % every == 0
        if not due and time.monotonic() - self._last < self._settings.checkpoint_seconds:
            return False
        self._last = time.monotonic()
        return True


def _finish(
    scenario: Scenario, writer: RunWriter, logbook: Logbook, reason: StopReason, final: RunRecord | None
) -> None:
    entries: dict[str, Any] = {
        "stop_reason": reason.to_dict(),
        "generations": logbook.generation,
        "evaluations": logbook.evaluations,
        "seconds": logbook.seconds,
    }
    champion = logbook.champion
    if champion is not None:
        figures = champion.figures()
        writer.champion(champion.genome, network=scenario.network, problem=scenario.problem, **figures)
        entries["champion"] = {name: value if math.isfinite(value) else None for name, value in figures.items()}
        results = scenario.problem.results(scenario.network, champion.genome)
        entries["results"] = results.to_dict()
        if results.verdict:
            writer.log(results.verdict)
        links = links_remarks(scenario.network, champion.genome)
        if remarks := [*scenario.network.remarks(champion.genome), *links]:
            entries["remarks"] = remarks
            writer.log("; ".join(remarks))
    if scenario.generalise.fits_at_last:
        entries["final_fit"] = _of_final_fit(final) if final is not None and final.status == "finished" else None
    if reason.criterion == "signal":
        entries["status"] = "interrupted"
    writer.log(f"stopped after generation {logbook.generation}: {reason.message}")
    writer.finish(entries)


def _of_final_fit(final: RunRecord) -> dict[str, Any]:
    said = {key: final.run.get(key) for key in ("generations", "evaluations", "seconds", "champion")}
    return {"folder": final.path.name, **said}


def stated_reason(record: RunRecord) -> str:
    """Why a run stopped, in words."""
    return record.stop_reason.message if record.stop_reason else "no reason given"
