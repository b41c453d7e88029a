"""The composition root: a scenario becomes objects, the objects a run, the run a record.

The one module that knows everything. `run` starts, `resume` goes on where a run was interrupted, `extend` goes on past
a finished end.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w

from neuroevo.errors import BadInput
from neuroevo.problems import RightClass
from neuroevo.problems.baselines import competitors
from neuroevo.problems.metrics import PartMetrics, measure
from neuroevo.records import RecordError, RunRecord, RunWriter, going_on, set_in
from neuroevo.scenario import Scenario, load_scenario
from neuroevo.search import Where, open_search, reached
from neuroevo.stopping import SignalTrap, ending_criterion

if TYPE_CHECKING:
    from neuroevo.distribution import Crew
    from neuroevo.evolution import Champion, Evolution
    from neuroevo.evolution.islands import Archipelago
    from neuroevo.networks import Network
    from neuroevo.problems import SequenceProblem
    from neuroevo.scenario.schema import RecordSettings
    from neuroevo.stopping import Progress, StoppingCriterion, StopReason

DEFAULT_RESULTS = Path("results/runs")

MEASURES = {
    "arv": "average relative variance",
    "rmse": "root mean squared error",
    "nmse": "normalised mean squared error",
    "learned": "share learnt",
}
"""The measures of a finished run's table: fields of PartMetrics, and how tables call them."""


class Observer:
    """What somebody outside sees of a run; every method may be left as it is."""

    def started(self, scenario: Scenario, path: Path) -> None:
        """The run's folder exists; nothing has been computed yet, or nothing since it was interrupted."""

    def workers(self, crew: Crew) -> None:
        """Who is at work, ten times a second where workers compute."""

    def generation(self, progress: Progress) -> None:
        """A generation has been told and recorded."""

    def step(self, text: str) -> None:
        """One of many runs begins, or has ended on a worker."""

    def message(self, text: str) -> None:
        """Something that a user should know."""

    def finished(self) -> None:
        """No generation follows; what is left is to write down what came of it."""


def run(
    scenario: str | Path,
    *,
    seed: int | None = None,
    overrides: Mapping[str, Any] | None = None,
    results: str | Path = DEFAULT_RESULTS,
    threads: int | None = None,
    workers: int | None = None,
    ray: str | None = None,
    observer: Observer | None = None,
) -> RunRecord:
    """Run a scenario until its stopping criterion holds.

    Args:
        scenario: A scenario file.
        seed: Replaces the scenario's seed.
        overrides: Values at dotted key paths that replace the scenario's: ``{"stop.generations": 10}``.
        results: The folder in which the run makes its own.
        threads: Replaces the scenario's number of threads; never changes the result.
        workers: Computes on so many workers on this machine (0: in this process alone); never changes the result.
        ray: Computes on the workers of the Ray cluster at this address, or "auto"; never changes the result.
        observer: Told what happens.

    Returns:
        The record; its status is "interrupted" where a signal ended the run.

    Raises:
        ScenarioError: The scenario is wrong; nothing has been written.
        RecordUnwritable: The machine refused to write; what was written before stays.
    """
    values = dict(overrides or {})
    if seed is not None:
        values["seed"] = seed
    where = Where(threads, workers, ray)
    loaded = load_scenario(scenario, overrides=values)
    return start_run(loaded, Path(results), f"{loaded.name}-seed{loaded.head.seed}", where, observer or Observer())


def start_run(scenario: Scenario, results: Path, name: str, where: Where, observer: Observer) -> RunRecord:
    """Run a scenario in a folder of that name, or NAME-2 where it is taken.

    Raises:
        ClusterError: The cluster that it is to use does not answer; nothing has been written.
        RecordUnwritable: The machine refused to write.
    """
    with (
        reached(scenario.distribution, where),
        RunWriter.create(
            results,
            name,
            scenario_toml=tomli_w.dumps(dict(scenario.table)),
            run={"title": scenario.head.title, "seed": scenario.head.seed, "scenario_file": scenario.source.name},
            problem=scenario.problem,
            network=scenario.network,
        ) as writer,
    ):
        for warning in scenario.problem.warnings():
            warn(warning, writer, observer)
        if not scenario.criterion.surely_ends():
            warn(
                "nothing in [stop] is sure to end this run; Ctrl-C ends it in good order at any time", writer, observer
            )
        return _carry_out(scenario, writer, None, where, observer)


def warn(text: str, writer: RunWriter, observer: Observer) -> None:
    """Tell of something that is legal and yet probably not meant, in the run's log and to whoever watches."""
    writer.log(f"warning: {text}")
    observer.message(f"warning: {text}")


def resume(
    path: str | Path,
    *,
    threads: int | None = None,
    workers: int | None = None,
    ray: str | None = None,
    observer: Observer | None = None,
) -> RunRecord:
    """Go on with a run that was interrupted or killed; it ends as if nothing had happened.

    Args:
        path: The run's folder.
        threads: Replaces the scenario's number of threads; never changes the result.
        workers: Computes on so many workers on this machine (0: in this process alone); never changes the result.
        ray: Computes on the workers of the Ray cluster at this address, or "auto"; never changes the result.
        observer: Told what happens.

    Raises:
        RecordError: It is no record, or one that has finished; `extend` goes on past an end.
        RecordLocked: Another process is at work on it.
        RecordUnwritable: The machine refused to write.
    """
    record = _single(path)
    if record.status == "finished":
        raise RecordError(
            f"{path} has finished ({stated_reason(record)}); to go on past its end, move that end: "
            "neuroevo extend RUN --set stop.generations=2000"
        )
    return go_on(record, {}, Where(threads, workers, ray), observer or Observer())


def extend(
    path: str | Path,
    *,
    overrides: Mapping[str, Any],
    threads: int | None = None,
    workers: int | None = None,
    ray: str | None = None,
    observer: Observer | None = None,
) -> RunRecord:
    """Go on past the end of a run, with other stopping criteria; it equals a run that had them from the beginning.

    Args:
        path: The run's folder.
        overrides: Values at dotted key paths below "stop", "record" and "distribution".
        threads: Replaces the scenario's number of threads; never changes the result.
        workers: Computes on so many workers on this machine (0: in this process alone); never changes the result.
        ray: Computes on the workers of the Ray cluster at this address, or "auto"; never changes the result.
        observer: Told what happens.

    Raises:
        RecordError: It is no record.
        ScenarioError: An override would change the result so far, or is wrong.
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
    return go_on(_single(path), overrides, Where(threads, workers, ray), observer or Observer())


def _single(path: str | Path) -> RunRecord:
    """The record of one run.

    Raises:
        RecordError: It is none.
    """
    if set_in(path) is not None:
        raise RecordError(f"{path} holds many runs; the command that began it goes on with them, or name one of them")
    return RunRecord.open(path)


def go_on(record: RunRecord, overrides: Mapping[str, Any], where: Where, observer: Observer) -> RunRecord:
    """Go on with a run where its last checkpoint stands, or from its beginning.

    Raises:
        RecordError: The record is damaged.
        ScenarioError: An override is wrong.
        RecordLocked: Another process is at work on it.
        RecordUnwritable: The machine refused to write.
    """
    _ = record.scenario  # a damaged scenario.toml is a damaged record, and said so
    loaded = load_scenario(record.path / "scenario.toml", overrides=overrides, problem=record.problem)
    altered = record.altered
    writer, state = RunWriter.reopen(record.path)
    with writer:
        if altered:
            warn(f"altered since the run ended: {', '.join(altered)}; what follows builds on that", writer, observer)
        if overrides:
            writer.replace_scenario(tomli_w.dumps(dict(loaded.table)))
        return _carry_out(loaded, writer, state, where, observer)


def _carry_out(
    scenario: Scenario, writer: RunWriter, state: Mapping[str, Any] | None, where: Where, observer: Observer
) -> RunRecord:
    """Evolve from the beginning or from a checkpoint's state, and write down what comes of it."""
    criterion = scenario.criterion | ending_criterion()
    observer.started(scenario, writer.path)

    def announce(text: str) -> None:
        writer.log(text)
        observer.message(text)

    # The workers first: starting Ray sets signal handlers of its own, over which the trap's must stand.
    with (
        open_search(scenario, where, writer.path.name, writer.history, announce, observer.workers) as search,
        SignalTrap(scenario.criterion) as trap,
        ExitStack() as first_generation,
    ):
        evolution = search.evolution
        due, failures = _Checkpoints(scenario.record), _Once(not writer.history["n_failed"].any())
        if state is not None:
            first_generation.enter_context(going_on(writer.path))
            evolution.restore(state)

        def after(progress: Progress) -> None:
            first_generation.close()
            writer.append(progress.row())
            if evolution.at_rest and due.now(progress.generation):
                writer.checkpoint(progress.generation, evolution.state())
            if progress.n_failed and failures.is_first():
                warn(_failure_warning(progress), writer, observer)
            search.report(progress)
            observer.generation(progress)

        reason = _resumed_reason(evolution, criterion) or evolution.run(criterion, after, lambda: trap.received)
        observer.finished()
        writer.checkpoint(evolution.generation, evolution.state())
        _finish(scenario, writer, evolution, reason)
    return RunRecord.open(writer.path)


def _resumed_reason(evolution: Evolution | Archipelago, criterion: StoppingCriterion) -> StopReason | None:
    """The reason to stop at once: the run was killed between its last generation and its end."""
    progress = evolution.last_progress()
    return None if progress is None else criterion.check(progress)


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


def _finish(scenario: Scenario, writer: RunWriter, evolution: Evolution | Archipelago, reason: StopReason) -> None:
    entries: dict[str, Any] = {
        "stop_reason": reason.to_dict(),
        "generations": evolution.generation,
        "evaluations": evolution.evaluations,
        "seconds": evolution.seconds,
    }
    champion = evolution.champion
    if champion is not None:
        writer.champion(
            champion.genome,
            network=scenario.network,
            problem=scenario.problem,
            error=champion.error,
            learned=champion.learned,
            validation_error=champion.validation_error,
            generation=champion.generation,
        )
        entries["champion"] = _figures(champion)
        entries["results"] = _results(scenario.network, scenario.problem, champion)
    if reason.criterion == "signal":
        entries["status"] = "interrupted"
    writer.log(f"stopped after generation {evolution.generation}: {reason.message}")
    writer.finish(entries)


def _figures(champion: Champion) -> dict[str, float | None]:
    figures = {name: value for name, value in vars(champion).items() if name != "genome"}
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}


def _results(network: Network, problem: SequenceProblem, champion: Champion) -> dict[str, Any]:
    """The champion's measures on every part, beside those of the simple competitors."""
    outputs = network.predict(champion.genome, problem.inputs, problem.lengths)
    champion_parts = {part: measure(problem, outputs, part) for part in problem.parts}
    contestants = {"champion": champion_parts, **competitors(problem)}
    plain = {name: {part: _plain(metrics) for part, metrics in parts.items()} for name, parts in contestants.items()}
    return {"measures": {name: MEASURES[name] for name in _shown(problem)}, "contestants": plain}


def _shown(problem: SequenceProblem) -> tuple[str, ...]:
    """The measures that tell most about a problem."""
    if isinstance(problem.learned, RightClass):
        return ("learned", "rmse")
    return ("arv", "rmse", "learned") if problem.reference_variance else ("nmse", "rmse", "learned")


def _plain(metrics: PartMetrics) -> dict[str, float | None]:
    values = dataclasses.asdict(metrics)
    return {name: None if value is None or not math.isfinite(value) else value for name, value in values.items()}


def stated_reason(record: RunRecord) -> str:
    """Why a run stopped, in words."""
    return record.stop_reason.message if record.stop_reason else "no reason given"
