"""Many runs: the trials of scenarios and of the points of their sweeps, one after the other or side by side on workers.

Everything is planned and checked before anything is written. Runs that have finished are not repeated, those that were
interrupted go on: the same call completes what an earlier one began, also with more seeds, values or samples.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w

from neuroevo.analysis import write_summaries
from neuroevo.errors import BadInput
from neuroevo.experiment import DEFAULT_RESULTS, Observer, go_on, start_run, stated_reason
from neuroevo.problems.arrays import fingerprint
from neuroevo.records import RunRecord, SweepSet, TrialSet
from neuroevo.scenario import Point, ScenarioError, check_sweep, check_table, load_scenario, read_table
from neuroevo.scenario.reader import with_overrides, without
from neuroevo.search import Where, open_cluster, reached
from neuroevo.stopping import SignalTrap, exit_code

if TYPE_CHECKING:
    from neuroevo.distribution import Cluster
    from neuroevo.scenario import Scenario
    from neuroevo.scenario.schema import DistributionSettings
    from neuroevo.stopping import Progress

_CHANGE_NOTHING = ("record", "distribution", "sweep")
"""Tables that change no result, so that sets which differ in them are one."""


@dataclass(frozen=True)
class PlannedSet:
    """Trials that differ in their seeds alone.

    Attributes:
        point: Of the sweep; where only seeds vary, one without values.
        values: Key paths to all values that replace the scenario's, the point's among them.
        identity: What the trials have in common, as `TrialSet.open` takes it.
    """

    point: Point
    values: Mapping[str, Any]
    identity: str


@dataclass(frozen=True)
class Plan:
    """What is to be run of one scenario; made by `plan_runs`.

    Attributes:
        source: The scenario file.
        title: Its title.
        seeds: Of the trials of each set.
        sets: One for each point of the sweep, or the only one.
        keys: Paths of what varies from set to set.
        identity: What all sets of a sweep have in common.
        distribution: Who computes.
        plots: Whether the sets are to be drawn.
    """

    source: Path
    title: str
    seeds: range
    sets: tuple[PlannedSet, ...]
    keys: tuple[str, ...]
    identity: str
    distribution: DistributionSettings
    plots: bool

    @property
    def n_runs(self) -> int:
        """Runs in all sets together, those that are done among them."""
        return len(self.sets) * len(self.seeds)


@dataclass(frozen=True)
class Outcome:
    """What came of plans.

    Attributes:
        folders: For each plan its set of trials or its sweep.
        summaries: For each of them what `summarise` gives.
        exit_code: 0, or 128 + the number of the signal that ended it early.
    """

    folders: tuple[TrialSet | SweepSet, ...]
    summaries: tuple[Mapping[str, Any], ...]
    exit_code: int


@dataclass(frozen=True)
class _Run:
    """One run of a set that is open."""

    source: Path
    values: Mapping[str, Any]
    trials: TrialSet
    seed: int

    @property
    def label(self) -> str:
        """What tells it from the others."""
        return f"{self.trials.path.name}, seed {self.seed}"


def run_trials(
    scenario: str | Path,
    n_trials: int,
    *,
    seed: int | None = None,
    overrides: Mapping[str, Any] | None = None,
    results: str | Path = DEFAULT_RESULTS,
    threads: int | None = None,
    workers: int | None = None,
    ray: str | None = None,
    observer: Observer | None = None,
) -> TrialSet:
    """Run a scenario with the seeds s, s + 1, ..., s + n_trials - 1, s being its own, into one folder with a summary.

    Args:
        scenario: A scenario file; its table [sweep] is not read.
        n_trials: How many seeds.
        seed: Replaces the scenario's seed.
        overrides: Values at dotted key paths that replace the scenario's.
        results: The folder in which the set makes its own.
        threads: Replaces the scenario's number of threads; never changes the result.
        workers: Computes on so many workers on this machine (0: in this process alone); never changes the result.
        ray: Computes on the workers of the Ray cluster at this address, or "auto"; never changes the result.
        observer: Told what happens in each trial.

    Returns:
        The set; a signal ends it after the current generation of the current trial.

    Raises:
        ScenarioError: The scenario is wrong; nothing has been written.
        ValueError: n_trials is below 1.
        RecordUnwritable: The machine refused to write; what was written before stays.
    """
    plan = plan_runs(scenario, trials=n_trials, seed=seed, overrides=overrides, sweep=False)
    (folder,) = carry_out([plan], results, Where(threads, workers, ray), observer or Observer()).folders
    return TrialSet.read(folder.path)


def run_sweep(
    scenario: str | Path,
    *,
    over: Mapping[str, Any] | None = None,
    samples: int | None = None,
    trials: int | None = None,
    seed: int | None = None,
    overrides: Mapping[str, Any] | None = None,
    results: str | Path = DEFAULT_RESULTS,
    threads: int | None = None,
    workers: int | None = None,
    ray: str | None = None,
    observer: Observer | None = None,
) -> SweepSet:
    """Run a scenario with many values of some keys, into one folder with a summary.

    Args:
        scenario: A scenario file.
        over: Key paths to lists of values or to ranges ({"low": 0.01, "high": 1.0, "log": True}); they join those of
            the scenario's [sweep.over].
        samples: Replaces the scenario's number of points to draw; without one, all combinations are run.
        trials: Replaces the scenario's number of seeds at each point.
        seed: Replaces the scenario's seed, the first of each point.
        overrides: Values at dotted key paths that replace the scenario's.
        results: The folder in which the sweep makes its own.
        threads: Replaces the scenario's number of threads; never changes the result.
        workers: Computes on so many workers on this machine (0: in this process alone); never changes the result.
        ray: Computes on the workers of the Ray cluster at this address, or "auto"; never changes the result.
        observer: Told what happens in each run.

    Returns:
        The sweep; a signal ends it after the current generation of the current run.

    Raises:
        ScenarioError: The scenario is wrong, here or at one of its points; nothing has been written.
        ValueError: No key varies.
        RecordUnwritable: The machine refused to write; what was written before stays.
    """
    plan = plan_runs(scenario, over=over, samples=samples, trials=trials, seed=seed, overrides=overrides)
    if not plan.keys:
        raise BadInput("no key varies: say which in [sweep.over] or in over; run_trials is for seeds alone")
    (folder,) = carry_out([plan], results, Where(threads, workers, ray), observer or Observer()).folders
    return SweepSet.read(folder.path)


def plan_runs(
    scenario: str | Path,
    *,
    over: Mapping[str, Any] | None = None,
    samples: int | None = None,
    trials: int | None = None,
    seed: int | None = None,
    overrides: Mapping[str, Any] | None = None,
    sweep: bool = True,
) -> Plan:
    """Find out what is to be run, and check every point of it.

    Args:
        scenario: A scenario file.
        over: As `run_sweep` takes it.
        samples: As `run_sweep` takes it.
        trials: Seeds of each set.
        seed: Replaces the scenario's seed.
        overrides: Values at dotted key paths that replace the scenario's.
        sweep: Whether the scenario's table [sweep] is read.

    Raises:
        ScenarioError: A point is wrong.
        ValueError: trials is below 1.
    """
    if trials is not None and trials < 1:
        raise BadInput(f"n_trials must be at least 1, got {trials}")
    source, values = Path(scenario), dict(overrides or {})
    asked = {"sweep.samples": samples, "sweep.trials": trials, "seed": seed}
    values |= {key: value for key, value in asked.items() if value is not None}
    table = with_overrides(read_table(source), values)
    if not sweep:
        table.pop("sweep", None)
    elif over:
        table = with_overrides(table, {"sweep.over": {**dict(_flat(table)), **over}})
    found = check_sweep(table, source)
    keys = tuple(found.over) if found is not None else ()
    points = found.points() if found is not None and keys else [Point(f"{source.stem}-trials", {})]
    n_trials = trials or (1 if found is None else found.settings.trials)
    # Each point is a scenario of its own, whose record says nothing of the others.
    table.pop("sweep", None)
    values = {key: value for key, value in values.items() if key.partition(".")[0] != "sweep"}
    first = _checked(table, source, points[0])
    data = fingerprint(first.problem.to_arrays())
    # Data that all points share are read, scaled and fingerprinted once.
    shared = None if any(key.partition(".")[0] == "problem" for key in keys) else first
    scenarios = chain([first], (_checked(table, source, point, shared) for point in points[1:]))
    sets = []
    for point, there in zip(points, scenarios, strict=True):
        its_data = data if shared else fingerprint(there.problem.to_arrays())
        sets.append(PlannedSet(point, {**values, **point.values}, _identity(there, its_data)))
    return Plan(
        source=source,
        title=first.head.title,
        seeds=range(first.head.seed, first.head.seed + n_trials),
        sets=tuple(sets),
        keys=keys,
        identity=_sweep_identity(table, keys, data if shared else None),
        distribution=first.distribution,
        plots=first.record.plots,
    )


def wants_many(scenario: str | Path, overrides: Mapping[str, Any]) -> bool:
    """Whether a scenario has a table [sweep].

    Raises:
        ScenarioError: The scenario cannot be read.
    """
    return "sweep" in with_overrides(read_table(Path(scenario)), overrides)


def carry_out(plans: Sequence[Plan], results: str | Path, where: Where, observer: Observer) -> Outcome:
    """Run what is missing of plans, all of them side by side where there are workers.

    Args:
        plans: What to run.
        results: The folder in which each plan makes its own.
        where: Who computes.
        observer: Told what happens.

    Raises:
        ClusterError: There is no cluster to work on.
        RecordUnwritable: The machine refused to write; what was written before stays.
    """
    distribution = plans[0].distribution
    with reached(distribution, where):
        folders, runs = [], []
        for plan in plans:
            folder, of_plan = _opened(plan, Path(results))
            folders.append(folder)
            runs += of_plan
        try:
            code = _complete(runs, sum(plan.n_runs for plan in plans), distribution, where, observer)
        finally:
            summaries = [write_summaries(folder) for folder in folders]
    return Outcome(tuple(folders), tuple(summaries), code)


def _complete(
    runs: Sequence[_Run], n_all: int, distribution: DistributionSettings, where: Where, observer: Observer
) -> int:
    """Carry out the runs that are missing, here or on workers; the exit code."""
    if not runs:
        return 0
    with open_cluster(distribution, where) as cluster:
        if cluster is not None and len(runs) > 1:
            return _on_workers(cluster, runs, observer)
        return _one_by_one(runs, n_all, where, observer)


def _opened(plan: Plan, results: Path) -> tuple[TrialSet | SweepSet, list[_Run]]:
    """The folder of a plan, and the runs that it lacks."""
    name = plan.source.stem
    parent, sweep = results, None
    if plan.keys:
        sweep = SweepSet.open(results, f"{name}-sweep", identity=plan.identity, keys=plan.keys, title=plan.title)
        parent = sweep.path
    sets = []
    for planned in plan.sets:
        options: dict[str, Any] = {"identity": planned.identity, "values": planned.point.values or None}
        trials = TrialSet.open(parent, planned.point.name, title=plan.title, **options)
        sets.append((planned.values, trials, set(trials.missing(plan.seeds))))
    # All points with the first seed, then all with the second: a sweep that is cut short has something of each.
    runs = [
        _Run(plan.source, values, trials, seed)
        for seed in plan.seeds
        for values, trials, missing in sets
        if seed in missing
    ]
    return sweep or sets[0][1], runs


def _one_by_one(runs: Sequence[_Run], n_all: int, where: Where, observer: Observer) -> int:
    done = n_all - len(runs)
    for number, run in enumerate(runs, start=done + 1):
        observer.step(f"{number} of {n_all}: {run.label}")
        record = _carried_out(run.source, run.values, run.trials.path, run.seed, where, observer)
        if record.status != "finished":
            return exit_code(record.stop_reason)
    return 0


def _carried_out(
    source: Path, values: Mapping[str, Any], folder: Path, seed: int, where: Where, observer: Observer
) -> RunRecord:
    """Run one, or go on with it."""
    path = folder / TrialSet.name_of(seed)
    if path.exists():
        return go_on(RunRecord.open(path), {}, where, observer)
    loaded = load_scenario(source, overrides={**values, "seed": seed})
    return start_run(loaded, folder, TrialSet.name_of(seed), where, observer)


def _on_workers(cluster: Cluster, runs: Sequence[_Run], observer: Observer) -> int:
    """Runs side by side, each as a whole on one worker, which writes its record itself."""
    from neuroevo.distribution.calls import calls_on_workers

    calls = {
        number: {
            "source": run.source.absolute(),
            "values": dict(run.values),
            "folder": run.trials.path.absolute(),
            "seed": run.seed,
            "threads": cluster.threads,
        }
        for number, run in enumerate(runs)
    }
    with SignalTrap() as trap:
        done = calls_on_workers(
            cluster, trial_on_worker, calls, stop=lambda: bool(trap.received), announce=observer.message
        )
        for count, (number, message) in enumerate(done, start=1):
            observer.step(f"{count} of {len(runs)} runs, {runs[number].label}: {message}")
        return trap.exit_code or 0


def trial_on_worker(source: Path, values: Mapping[str, Any], folder: Path, seed: int, threads: int) -> str:
    """A run in a worker; says why it stopped.

    Raises:
        ValueError: The worker does not see the set's folder.
    """
    if not folder.is_dir():
        raise BadInput(f"{folder} is not on this machine: trials on a cluster need a folder that all machines share")
    observer = _Reporting(f"{folder.name}/{TrialSet.name_of(seed)}")
    return stated_reason(_carried_out(source, values, folder, seed, Where(threads=threads, workers=0), observer))


class _Reporting(Observer):
    """Shows the figures of a run in a worker to the cluster."""

    def __init__(self, run: str) -> None:
        from neuroevo.distribution import RunMetrics

        self._metrics = RunMetrics(run)

    def generation(self, progress: Progress) -> None:
        self._metrics.report(progress)


def _checked(table: Mapping[str, Any], source: Path, point: Point, shared: Scenario | None = None) -> Scenario:
    """The scenario at a point, with the problem of another one where all points have the same.

    Raises:
        ScenarioError: It is wrong; says at which point.
    """
    there = with_overrides(table, point.values)
    if shared is not None:
        there["problem"] = shared.table["problem"]
    try:
        return check_table(there, source, shared.problem if shared else None)
    except ScenarioError as error:
        raise ScenarioError(f"{source} at {point.name}" if point.values else str(source), error.mistakes) from error


def _identity(scenario: Scenario, data: str) -> str:
    """What the trials of one set have in common: the scenario without its seed and without what changes no result."""
    return tomli_w.dumps({**_lasting(scenario.table), "data": data})


def _sweep_identity(table: Mapping[str, Any], keys: Iterable[str], data: str | None) -> str:
    """What the points of a sweep have in common: the scenario as it was written, without what varies, and its data."""
    rest = without(_lasting(table), keys)
    return tomli_w.dumps({**rest, **({} if data is None else {"data": data}), "keys": sorted(keys)})


def _lasting(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key not in ("seed", *_CHANGE_NOTHING)}


def _flat(table: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    """Key paths and values of [sweep.over], as far as it is a table."""
    from neuroevo.scenario.sweep import leaves

    sweep = table.get("sweep")
    over = sweep.get("over") if isinstance(sweep, Mapping) else None
    return leaves(over) if isinstance(over, Mapping) else ()
