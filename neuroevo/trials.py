"""Many runs: the trials of scenarios and of the points of their sweeps, one after the other or side by side on workers.

Everything is planned and checked before anything is written, and the plan holds all that is run: the scenario and its
data are not read again. Runs that have finished are not repeated, those that were interrupted go on: the same call
completes what an earlier one began, also with more seeds, values or samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w

from neuroevo.analysis import ranked, write_ensemble, write_selection, write_summaries
from neuroevo.callbacks import Callback, Callbacks, ClusterMetrics
from neuroevo.checks import whole_number
from neuroevo.compute import Compute, ComputeSession, session
from neuroevo.errors import BadInput
from neuroevo.experiment import DEFAULT_RESULTS, go_on, start_run, stated_reason
from neuroevo.records import RecordError, RecordUnwritable, RunRecord, SweepSet, TrialSet
from neuroevo.records.selection import check_selectable
from neuroevo.scenario import Point, Scenario, ScenarioError, check_sweep, check_table, read_table
from neuroevo.scenario.kinds import overridden
from neuroevo.scenario.reader import with_overrides, without
from neuroevo.scenario.schema import changes_problem
from neuroevo.settings import Mistake
from neuroevo.stopping import SignalTrap, exit_code

if TYPE_CHECKING:
    from neuroevo.distribution import Cluster
    from neuroevo.problems import Problem

_CHANGE_NOTHING = ("record", "distribution", "sweep")
"""Tables that change no result, so that sets which differ in them are one."""


@dataclass(frozen=True)
class PlannedSet:
    """Trials that differ in their seeds alone.

    Attributes:
        point: Of the sweep; where only seeds vary, one without values.
        values: Key paths to all values that replace the scenario's, the point's among them.
        table: The resolved scenario, with the first seed.
        data: Fingerprint of its data.
        identity: What the trials have in common, as `TrialSet.open` takes it.
        folds: The resolved table of each fold with the fingerprint of its data; empty where there are none.
    """

    point: Point
    values: Mapping[str, Any]
    table: Mapping[str, Any]
    data: str
    identity: str
    folds: tuple[tuple[Mapping[str, Any], str], ...] = ()

    @property
    def of_a_seed(self) -> list[tuple[int | None, Mapping[str, Any], str]]:
        """What is run with each seed: the fold, the table and the fingerprint of the data."""
        if not self.folds:
            return [(None, self.table, self.data)]
        return [(number, table, data) for number, (table, data) in enumerate(self.folds, start=1)]


@dataclass(frozen=True)
class Plan:
    """What is to be run of one scenario; made by `plan_runs`.

    Attributes:
        source: The scenario file, for names and as what paths are relative to; it is not read again.
        title: Its title.
        seeds: Of the trials of each set.
        sets: One for each point of the sweep, or the only one.
        problems: Fingerprints of data to what is learnt from them.
        keys: Paths of what varies from set to set.
        identity: What all sets of a sweep have in common.
        distribution: Who computes.
        plots: Whether the sets are to be drawn.
        ensemble: "selection" where the validation part chooses among the points and the simple competitors; else None.
    """

    source: Path
    title: str
    seeds: range
    sets: tuple[PlannedSet, ...]
    problems: Mapping[str, Problem]
    keys: tuple[str, ...]
    identity: str
    distribution: Compute
    plots: bool
    ensemble: str | None = None

    @property
    def n_runs(self) -> int:
        """Runs in all sets together, those that are done among them."""
        return sum(len(each.of_a_seed) for each in self.sets) * len(self.seeds)


@dataclass(frozen=True)
class Outcome:
    """What came of plans.

    Attributes:
        folders: For each plan its set of trials or its sweep.
        summaries: For each of them what `analysis.summary` gives.
        exit_code: 0, or 128 + the number of the signal that ended it early.
    """

    folders: tuple[TrialSet | SweepSet, ...]
    summaries: tuple[Mapping[str, Any], ...]
    exit_code: int


@dataclass(frozen=True)
class PlannedRun:
    """One run of a set that is open.

    Attributes:
        source: The scenario file, for names.
        table: The resolved scenario.
        data: Fingerprint of its data.
        folder: The set's.
        shared: The folder of all runs with these data: the set's, or that of the sweep.
        seed: The run's.
        fold: Which one it is, where there are folds.
    """

    source: Path
    table: Mapping[str, Any]
    data: str
    folder: Path
    shared: Path
    seed: int
    fold: int | None = None

    @property
    def label(self) -> str:
        """What tells it from the others."""
        fold = "" if self.fold is None else f", fold {self.fold}"
        return f"{self.folder.name}{fold}, seed {self.seed}"

    def carry_out(self, problems: Mapping[str, Problem], opened: ComputeSession, callbacks: Callbacks) -> RunRecord:
        """Start it, or go on with it."""
        name = TrialSet.name_of(self.seed, self.fold)
        if (self.folder / name).exists():
            return go_on(RunRecord.open(self.folder / name), {}, opened, callbacks)
        scenario = check_table({**self.table, "seed": self.seed}, self.source, problems[self.data])
        shared = self.shared if self.fold is None else None
        return start_run(scenario, self.folder, name, opened, callbacks, shared)


def run_trials(
    scenario: str | Path | Scenario,
    n_trials: int,
    *,
    folds: int | None = None,
    seed: int | None = None,
    overrides: Mapping[str, Any] | None = None,
    results: str | Path = DEFAULT_RESULTS,
    compute: Compute | ComputeSession | None = None,
    callbacks: Iterable[Callback] = (),
) -> TrialSet:
    """Run a scenario with the seeds s, s + 1, ..., s + n_trials - 1, s being its own, into one folder with a summary.

    Args:
        scenario: A scenario file, or a `Scenario`; its table [sweep] is not read.
        n_trials: How many seeds.
        folds: Replaces the scenario's number of folds, each of which is run with every seed; 0 leaves them out.
        seed: Replaces the scenario's seed.
        overrides: Values at dotted key paths that replace the scenario's.
        results: The folder in which the set makes its own.
        compute: Who computes, where that differs from the scenario's [distribution]; never changes the result.
        callbacks: Told what happens in each trial.

    Returns:
        The set; a signal ends it after the current generation of the current trial.

    Raises:
        ScenarioError: The scenario is wrong; nothing has been written.
        ValueError: n_trials is below 1.
        RecordUnwritable: The machine refused to write; what was written before stays.
    """
    plan = plan_runs(scenario, trials=n_trials, folds=folds, seed=seed, overrides=overrides, sweep=False)
    (folder,) = run_plans([plan], results, compute, callbacks).folders
    return TrialSet.read(folder.path)


def run_sweep(
    scenario: str | Path | Scenario,
    *,
    over: Mapping[str, Any] | None = None,
    samples: int | None = None,
    trials: int | None = None,
    folds: int | None = None,
    seed: int | None = None,
    overrides: Mapping[str, Any] | None = None,
    results: str | Path = DEFAULT_RESULTS,
    compute: Compute | ComputeSession | None = None,
    callbacks: Iterable[Callback] = (),
) -> SweepSet:
    """Run a scenario with many values of some keys, into one folder with a summary.

    Args:
        scenario: A scenario file, or a `Scenario`.
        over: Key paths to lists of values or to ranges ({"low": 0.01, "high": 1.0, "log": True}); they join those of
            the scenario's [sweep.over].
        samples: Replaces the scenario's number of points to draw; without one, all combinations are run.
        trials: Replaces the scenario's number of seeds at each point.
        folds: Replaces the scenario's number of folds, each of which is run with every seed; 0 leaves them out.
        seed: Replaces the scenario's seed, the first of each point.
        overrides: Values at dotted key paths that replace the scenario's.
        results: The folder in which the sweep makes its own.
        compute: Who computes, where that differs from the scenario's [distribution]; never changes the result.
        callbacks: Told what happens in each run.

    Returns:
        The sweep; a signal ends it after the current generation of the current run.

    Raises:
        ScenarioError: The scenario is wrong, here or at one of its points; nothing has been written.
        ValueError: No key varies.
        RecordUnwritable: The machine refused to write; what was written before stays.
    """
    plan = plan_runs(scenario, over=over, samples=samples, trials=trials, folds=folds, seed=seed, overrides=overrides)
    if not plan.keys:
        raise BadInput("no key varies: say which in [sweep.over] or in over; run_trials is for seeds alone")
    (folder,) = run_plans([plan], results, compute, callbacks).folders
    return SweepSet.read(folder.path)


def plan_runs(
    scenario: str | Path | Scenario,
    *,
    over: Mapping[str, Any] | None = None,
    samples: int | None = None,
    trials: int | None = None,
    folds: int | None = None,
    seed: int | None = None,
    overrides: Mapping[str, Any] | None = None,
    sweep: bool = True,
) -> Plan:
    """Find out what is to be run, and check every point of it.

    Args:
        scenario: A scenario file, or a `Scenario`.
        over: As `run_sweep` takes it.
        samples: As `run_sweep` takes it.
        trials: Seeds of each set.
        folds: Replaces the scenario's number of folds; 0 leaves them out.
        seed: Replaces the scenario's seed.
        overrides: Values at dotted key paths that replace the scenario's.
        sweep: Whether the scenario's table [sweep] is read.

    Raises:
        ScenarioError: A point is wrong.
        ValueError: trials is below 1, or the validation part is to choose and can't.
    """
    if trials is not None:
        whole_number("n_trials", trials)
    given = scenario if isinstance(scenario, Scenario) else None
    source, values = given.source if given else Path(str(scenario)), dict(overrides or {})
    asked = {"sweep.samples": samples, "sweep.trials": trials, "generalise.folds": folds or None, "seed": seed}
    values |= {key: value for key, value in asked.items() if value is not None}
    table = overridden(given.with_sweep if given else read_table(source), values)
    if folds == 0:
        table = without(table, ["generalise.folds", "generalise.scheme"])
    if not sweep:
        table.pop("sweep", None)
    elif over:
        table = with_overrides(table, {"sweep.over": {**dict(_flat(table)), **over}})
    found = check_sweep(table, source)
    keys = tuple(found.over) if found is not None else ()
    points = found.points() if found is not None and keys else [Point("", {})]
    n_trials = trials or (1 if found is None else found.settings.trials)
    # Each point is a scenario of its own, whose record says nothing of the others.
    table.pop("sweep", None)
    values = {key: value for key, value in values.items() if key.partition(".")[0] != "sweep"}
    # Data that all points share are read, scaled and fingerprinted once.
    is_shared = not any(map(changes_problem, keys))
    # Folds are made of the whole data below.
    own = set(values) - {"generalise.folds", "generalise.scheme"}
    is_given = not any(map(changes_problem, (*keys, *own)))
    first = _checked(table, source, points[0], given if is_given else None)
    data = first.problem.fingerprint()
    shared = first if is_shared else None
    scenarios = chain([first], (_checked(table, source, point, shared) for point in points[1:]))
    sets: list[PlannedSet] = []
    problems, divided = {data: first.problem}, _Folds(source)
    for point, there in zip(points, scenarios, strict=True):
        its_data = data if shared else there.problem.fingerprint()
        of_folds = divided.of(there, its_data) if there.generalise.asks_for_folds else []
        problems.update({name: problem for _, name, problem in of_folds} if of_folds else {its_data: there.problem})
        named = point if keys else Point(f"{source.stem}-{'folds' if of_folds else 'trials'}", {})
        tables = tuple((table, name) for table, name, _ in of_folds)
        identity = _identity(there, its_data, {"folds": [name for _, name in tables]} if tables else {})
        if found is not None and found.settings.ensemble is not None:
            check_selectable(there.problem)
        sets.append(PlannedSet(named, {**values, **point.values}, there.table, its_data, identity, tables))
    return Plan(
        source=source,
        title=first.head.title,
        seeds=range(first.head.seed, first.head.seed + n_trials),
        sets=tuple(sets),
        problems=problems,
        keys=keys,
        identity=_sweep_identity(table, keys, data if shared else None),
        distribution=first.distribution,
        plots=first.record.plots,
        ensemble=None if found is None else found.settings.ensemble,
    )


class _Folds:
    """The folds of scenarios; those of equal data are made once.

    Args:
        source: The scenario file, for messages.
    """

    def __init__(self, source: Path) -> None:
        self._source = source
        self._made: dict[tuple[object, ...], list[tuple[Problem, str]]] = {}

    def of(self, scenario: Scenario, data: str) -> list[tuple[Mapping[str, Any], str, Problem]]:
        """The resolved table of each fold, the fingerprint of its data, and these.

        Raises:
            ScenarioError: The data do not allow so many.
        """
        own = scenario.generalise
        key = data, own.folds, own.scheme
        numbers = range(1, (own.folds or 0) + 1)
        try:
            if key not in self._made:
                made = [scenario.of_fold(number, None) for number in numbers]
                self._made[key] = [(each.problem, each.problem.fingerprint()) for each in made]
            return [
                (scenario.of_fold(number, problem).table, name, problem)
                for number, (problem, name) in zip(numbers, self._made[key], strict=True)
            ]
        except ScenarioError:
            raise
        except BadInput as error:
            raise ScenarioError(str(self._source), [Mistake("generalise.folds", str(error))]) from error


def wants_many(scenario: str | Path, overrides: Mapping[str, Any], *, sweep: bool = True, folds: bool = True) -> bool:
    """Whether a scenario has a table [sweep] or asks for folds, as far as these are of interest.

    Raises:
        ScenarioError: The scenario cannot be read.
    """
    table = with_overrides(read_table(Path(scenario)), overrides)
    own = table.get("generalise")
    of_folds = isinstance(own, Mapping) and "folds" in own and "fold" not in own
    return (sweep and "sweep" in table) or (folds and of_folds)


def run_plans(
    plans: Sequence[Plan],
    results: str | Path,
    compute: Compute | ComputeSession | None = None,
    callbacks: Iterable[Callback] = (),
) -> Outcome:
    """Run what is missing of plans, all of them side by side where there are workers.

    Args:
        plans: What to run.
        results: The folder in which each plan makes its own.
        compute: Who computes, where that differs from the first plan's [distribution].
        callbacks: Told what happens.

    Raises:
        ClusterError: There is no cluster to work on.
        RecordError: A sweep was begun with other data than the plan has.
        RecordUnwritable: The machine refused to write; what was written before stays.
    """
    problems, told = {data: problem for plan in plans for data, problem in plan.problems.items()}, Callbacks(callbacks)
    with session(compute, plans[0].distribution) as opened:
        folders, runs = [], []
        for plan in plans:
            folder, of_plan = _opened(plan, Path(results))
            folders.append(folder)
            runs += of_plan
        together = _Together(problems, opened, told)
        try:
            code = together.complete(runs, sum(plan.n_runs for plan in plans))
        finally:
            summaries = [write_summaries(folder) for folder in folders]
        if code == 0:
            for plan, folder, found in zip(plans, folders, summaries, strict=True):
                if any(each.folds for each in plan.sets):
                    continue  # champions of other data are no ensemble
                if plan.ensemble is None or isinstance(folder, SweepSet):
                    _combine(folder if isinstance(folder, TrialSet) else _best_point(folder, found), together.callbacks)
                if plan.ensemble is not None:
                    _combine(folder, together.callbacks, write_selection)
    return Outcome(tuple(folders), tuple(summaries), code)


def _opened(plan: Plan, results: Path) -> tuple[TrialSet | SweepSet, list[PlannedRun]]:
    """The folder of a plan, and the runs that it lacks."""
    name = plan.source.stem
    parent, sweep = results, None
    if plan.keys:
        sweep = SweepSet.open(results, f"{name}-sweep", identity=plan.identity, keys=plan.keys, title=plan.title)
        parent = sweep.path
    sets = []
    for planned in plan.sets:
        options: dict[str, Any] = {"identity": planned.identity, "values": planned.point.values or None}
        sets.append((planned, TrialSet.open(parent, planned.point.name, title=plan.title, **options)))
    one_for_all = None if sweep is None or len({planned.data for planned in plan.sets}) > 1 else sweep.path
    # All points with the first seed, then all with the second: a sweep that is cut short has something of each.
    runs = [
        PlannedRun(
            plan.source.absolute(),
            table,
            data,
            trials.path.absolute(),
            (one_for_all or trials.path).absolute(),
            seed,
            fold,
        )
        for seed in plan.seeds
        for planned, trials in sets
        for fold, table, data in planned.of_a_seed
        if not trials.is_done(seed, fold)
    ]
    return sweep or sets[0][1], runs


def _combine(found: TrialSet | SweepSet, callbacks: Callbacks, write: Callable[[Any], object] = write_ensemble) -> None:
    """Write the ensemble of a set whose runs have all ended; a damaged one among them costs the ensemble alone."""
    try:
        write(found)
    except RecordUnwritable:
        raise
    except (RecordError, BadInput) as error:
        callbacks.message(f"warning: no ensemble of {found.path}: {error}")


def _best_point(sweep: SweepSet, found: Mapping[str, Any]) -> TrialSet:
    return TrialSet.read(sweep.path / ranked(found)[0]["folder"])


@dataclass(frozen=True)
class _Together:
    """Carries out runs, here or on workers.

    Attributes:
        problems: Fingerprints of data to what is learnt from them.
        opened: Who computes.
        callbacks: Told what happens.
    """

    problems: Mapping[str, Problem]
    opened: ComputeSession
    callbacks: Callbacks

    def complete(self, runs: Sequence[PlannedRun], n_all: int) -> int:
        """Carry out the runs that are missing of so many; the exit code."""
        if self.opened.cluster is not None and len(runs) > 1:
            return self._on_workers(self.opened.cluster, runs)
        for number, run in enumerate(runs, start=n_all - len(runs) + 1):
            self.callbacks.step(f"{number} of {n_all}: {run.label}")
            record = run.carry_out(self.problems, self.opened, self.callbacks)
            if record.status != "finished":
                return exit_code(record.stop_reason)
        return 0

    def _on_workers(self, cluster: Cluster, runs: Sequence[PlannedRun]) -> int:
        """Runs side by side, each as a whole on one worker, which writes its record itself."""
        from neuroevo.distribution.calls import calls_on_workers

        problems = {run.data: self.problems[run.data] for run in runs}
        trial = TrialOnWorker(problems, cluster.threads, self.callbacks.travelling())
        calls = {number: {"run": run} for number, run in enumerate(runs)}
        announce = self.callbacks.message
        with SignalTrap() as trap:
            done = calls_on_workers(cluster, trial, calls, stop=lambda: bool(trap.received), announce=announce)
            for count, (number, message) in enumerate(done, start=1):
                self.callbacks.step(f"{count} of {len(runs)} runs, {runs[number].label}: {message}")
            return trap.exit_code or 0


@dataclass(frozen=True)
class TrialOnWorker:
    """Carries out runs in a worker, to which it travels once.

    Attributes:
        problems: Fingerprints of data to what is learnt from them.
        threads: Of the evaluators.
        callbacks: That came along.
    """

    problems: Mapping[str, Problem]
    threads: int
    callbacks: tuple[Callback, ...] = ()

    def __call__(self, run: PlannedRun) -> str:
        """Carry out a run; says why it stopped.

        Raises:
            BadInput: The worker does not see the set's folder.
        """
        if not run.folder.is_dir():
            raise BadInput(
                f"{run.folder} is not on this machine: trials on a cluster need a folder that all machines share"
            )
        callbacks = Callbacks([*self.callbacks, ClusterMetrics(f"{run.folder.name}/")])
        return stated_reason(run.carry_out(self.problems, ComputeSession(self.threads, None), callbacks))


def _checked(table: Mapping[str, Any], source: Path, point: Point, shared: Scenario | None = None) -> Scenario:
    """The scenario at a point, with the problem of another one where all points have the same.

    Raises:
        ScenarioError: It is wrong; says at which point.
    """
    there = overridden(table, point.values, quiet=True)
    if shared is not None:
        there["problem"] = shared.table["problem"]
    try:
        return check_table(there, source, shared.problem if shared else None)
    except ScenarioError as error:
        raise ScenarioError(f"{source} at {point.name}" if point.values else str(source), error.mistakes) from error


def _identity(scenario: Scenario, data: str, more: Mapping[str, Any]) -> str:
    """What the trials of one set have in common: the scenario without its seed and without what changes no result."""
    return tomli_w.dumps({**_lasting(scenario.table), "data": data, **more})


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
