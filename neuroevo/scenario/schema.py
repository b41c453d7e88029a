"""What a scenario holds, and the checks of its tables; all mistakes of all tables are reported at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import numpy as np
from annotated_types import Ge, Gt

from neuroevo.compute import Compute
from neuroevo.errors import BadInput
from neuroevo.evaluation import EvaluatorRecipe
from neuroevo.evolution.batches import BatchPlan, BatchSettings, batchable
from neuroevo.evolution.conditions import EVERY, Conditions
from neuroevo.machine import physical_memory
from neuroevo.networks import NETWORKS, make_network
from neuroevo.problems import PROBLEMS, as_sequences, checked_problem
from neuroevo.problems.folds import natural_scheme, together
from neuroevo.registry import Registry, UnknownName
from neuroevo.scenario.generalise import (
    PARTS_KEYS,
    GeneraliseSettings,
    check_generalise,
    read_generalise,
    remembering,
)
from neuroevo.scenario.initial import initial_genomes
from neuroevo.scenario.islands import BESIDE_SETTINGS, IslandSettings, StrategyRecipe, wanted_of
from neuroevo.scenario.kinds import overridden
from neuroevo.scenario.reader import ScenarioError, read_table
from neuroevo.scenario.skip import asks_for_fit, refitted, resolved_with_fit, with_fit
from neuroevo.scenario.sweep import Sweep, read_sweep
from neuroevo.settings import Mistake, SettingsError, joined, parse_settings, parse_value, shown, unknown_key
from neuroevo.spaces import SPACES, Direct, SearchSpace
from neuroevo.stopping import stopping_from_table
from neuroevo.strategies import STRATEGIES

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems import Problem
    from neuroevo.stopping import StoppingCriterion

T = TypeVar("T")

Precision = Literal["single", "double"]

TABLES = (
    "problem", "network", "space", "strategy", "islands", "batch", "generalise", "stop", "record", "distribution",
    "sweep",
)  # fmt: skip
IN_MEMORY = "in memory"
"""The kind of a problem that was handed over as an object: a scenario's table cannot make it again."""
NEEDED = {
    "problem": 'what is to be learnt, with kind = "series" or another name that `neuroevo list` shows',
    "network": 'what learns it, with kind = "elman" or another name that `neuroevo list` shows',
    "strategy": 'how it is searched, with kind = "genetic_algorithm" or another name that `neuroevo list` shows',
    "stop": "when the run ends, for example generations = 300",
}


@dataclass(frozen=True)
class Head:
    """The keys on top of a scenario.

    Attributes:
        title: What it is, in a line.
        seed: Seed of the run; with the scenario it fixes the result.
        precision: Arithmetic of the evaluator: "single" (32 bits, twice as fast) or "double".
    """

    title: str = ""
    seed: Annotated[int, Ge(0)] = 1
    precision: Precision = "single"


@dataclass(frozen=True)
class RecordSettings:
    """The table [record]: what a run leaves on disk; never changes a result.

    Attributes:
        checkpoint_seconds: Seconds between two checkpoints.
        checkpoint_generations: Generations between two checkpoints; left out, only the seconds count.
        plots: Whether the curves are drawn at the end of a run.
    """

    checkpoint_seconds: Annotated[float, Gt(0)] = 30.0
    checkpoint_generations: Annotated[int, Ge(1)] | None = None
    plots: bool = True


@dataclass(frozen=True)
class Scenario:
    """What to run: checked as a whole, its problem and network built.

    Attributes:
        table: The resolved tables, defaults and overrides filled in, as they go into the record.
        source: The file that it was read from.
        head: Title, seed and precision.
        problem: In scaled units.
        network: With the inputs and outputs of the problem.
        criterion: When to stop.
        record: Checkpoints and plots.
        distribution: Who computes, where the caller does not say.
        space: What the strategy moves.
        islands: How many populations, and how genomes move between them; None for one population.
        sweep: The many runs that the scenario asks for beside the one that it describes; None where it asks for none.
        batch: How large the mini-batches are; None where every generation sees all data.
        generalise: Noise, folds and the final fit; the folds are in no resolved table.
    """

    table: Mapping[str, Any]
    source: Path
    head: Head
    problem: Problem
    network: Network
    criterion: StoppingCriterion
    record: RecordSettings
    distribution: Compute
    space: SearchSpace = field(default_factory=Direct)
    islands: IslandSettings | None = None
    sweep: Sweep | None = None
    batch: BatchSettings | None = None
    generalise: GeneraliseSettings = field(default_factory=GeneraliseSettings)

    @property
    def name(self) -> str:
        """A short name for folders: the file's, without its ending."""
        return self.source.stem

    @property
    def make_strategy(self) -> StrategyRecipe:
        """Builds the strategy, or that of one of the islands, at its beginning."""
        return StrategyRecipe(self._strategies, self.head.seed, self.network, self.space)

    @property
    def batches(self) -> BatchPlan | None:
        """What each generation is evaluated on; None for all data."""
        if self.batch is None:
            return None
        return BatchPlan(batchable(self.problem), self.batch, self.head.seed)

    @property
    def conditions(self) -> Conditions | None:
        """What the genomes of each generation are evaluated under; None for themselves on all data."""
        own, batches = self.generalise, self.batches
        if batches is None and not own.noisy:
            return None
        return Conditions(batches, own.input_noise, own.weight_noise, self.head.seed, own.every or EVERY)

    @cached_property
    def evaluator(self) -> EvaluatorRecipe:
        """What the evaluator is made of."""
        make = self.make_strategy
        wanted = wanted_of([make(island) for island in range(len(make.tables))])
        return EvaluatorRecipe(self.network, self.problem, self.head.precision, self.space, *wanted)

    def warnings(self) -> list[str]:
        """What is legal and yet probably not meant, a line each."""
        warnings = [*self.problem.warnings(), *self.problem.network_warnings(self.network)]
        if not self.criterion.surely_ends():
            warnings.append("nothing in [stop] is sure to end this run; Ctrl-C ends it in good order at any time")
        if isinstance(self.space, Direct) and {"links", "bytes"} & {*self.evaluator.goals}:
            warnings.append(
                'strategy.goals: all networks have the same links; [space] with kind = "switched" lets some be absent'
            )
        for number, table in enumerate(self._strategies):
            path = f"islands.strategies.{number - 1}" if number else "strategy"
            cls, values = _member(STRATEGIES, table, path)
            own = {key: value for key, value in values.items() if key not in BESIDE_SETTINGS}
            settings = parse_settings(cls.Settings, own, path)
            lengths = {"generations": settings.schedule_length, "evaluations": settings.schedule_evaluations}
            for unit, length in lengths.items():
                end = self.table["stop"].get(unit)
                if end is not None and length is not None and length > end:
                    warnings.append(
                        f"{path}: {table['kind']} follows a schedule of {length} {unit} and the run ends after {end}; "
                        f"{path}.horizon = {end} would let it finish"
                    )
        return warnings

    def replaced(self, overrides: Mapping[str, Any]) -> Scenario:
        """The scenario with other values at dotted key paths ("stop.generations").

        Raises:
            ScenarioError: With every mistake in it.
        """
        if not overrides:
            return self
        kept = None if any(map(changes_problem, overrides)) else self.problem
        return check_table(overridden(self.with_sweep, overrides), self.source, kept)

    def final_fit(self, n_generations: int) -> Scenario:
        """The scenario of the final fit: the same search on training and validation data together, so many generations.

        Raises:
            BadInput: There is no validation part.
        """
        own = {**_plain(self.generalise.alone()), "final_fit": False, "train_on": "train_and_validation"}
        table = {**refitted(self.table), "generalise": own, "stop": {"generations": n_generations}}
        if self.batches is not None and self.batch is not None:
            # The champion's generation is one that is measured; by default that depends on how many data there are.
            table["batch"] = {**_plain(self.batch), "every": self.batches.every}
        return check_table(table, self.source, together(as_sequences(self.problem, "[generalise] final_fit")))

    def of_fold(self, number: int, problem: Problem | None = None) -> Scenario:
        """The scenario of one of the folds that it asks for.

        Args:
            number: The fold's, from 1.
            problem: That of the fold, where it has been made already.

        Raises:
            BadInput: The data do not allow so many.
        """
        whole = as_sequences(self.problem, "[generalise] folds")
        scheme = self.generalise.scheme or natural_scheme(whole)
        own = dataclasses.replace(self.generalise, fold=number, scheme=scheme, final_fit=False)
        table = {**refitted(self.table), "generalise": _plain(own)}
        return check_table(table, self.source, problem or own.problem_of(whole))

    @property
    def with_sweep(self) -> Mapping[str, Any]:
        """The resolved tables with [sweep] and folds, which no record has."""
        own = self.generalise
        folds = {"generalise": _plain(own)} if own.asks_for_folds else {}
        return {**self.table, **folds, **({} if self.sweep is None else {"sweep": self.sweep.table()})}

    @property
    def _strategies(self) -> list[Mapping[str, Any]]:
        """The tables of the strategies, those of the islands included."""
        return [self.table["strategy"], *self.table.get("islands", {}).get("strategies", [])]


def load_scenario(
    path: str | Path, *, overrides: Mapping[str, Any] | None = None, problem: Problem | None = None
) -> Scenario:
    """Read and check a scenario.

    Args:
        path: A TOML file; the paths in it are relative to its folder.
        overrides: Values at dotted key paths ("stop.generations") that replace those of the file.
        problem: The problem as a record keeps it; the table [problem] is then not read.

    Raises:
        ScenarioError: With every mistake in it.
    """
    source = Path(path)
    table = overridden(read_table(source), overrides or {})
    return check_table(table, source, problem)


def changes_problem(path: str) -> bool:
    """Whether a key path leads to something that says what is to be learnt, or on which data."""
    table, _, key = path.partition(".")
    return table == "problem" or (table == "generalise" and key in ("", *PARTS_KEYS))


def lasting(table: Mapping[str, Any]) -> dict[str, Any]:
    """A resolved table without what changes no result."""
    return {key: value for key, value in table.items() if key not in ("title", "record", "distribution", "sweep")}


def check_sweep(table: Mapping[str, Any], source: Path) -> Sweep | None:
    """The table [sweep] of a scenario's table alone: without its points, the scenario may be incomplete.

    Raises:
        ScenarioError: With every mistake in it.
    """
    collect = _Collector()
    values = collect.table(table, "sweep")
    sweep = collect.of(lambda: read_sweep(values))
    if collect.mistakes:
        raise ScenarioError(str(source), collect.mistakes)
    return sweep


def check_table(table: Mapping[str, Any], source: Path, problem: Problem | None = None) -> Scenario:
    """The scenario of a table.

    Args:
        table: The tables of a scenario, as they are written or resolved.
        source: The file that they are from; paths in them are relative to its folder.
        problem: What is to be learnt, with the parts that [generalise] asks for; [problem] is then not read.

    Raises:
        ScenarioError: With every mistake in it.
    """
    collect = _Collector()
    keys = {field.name for field in dataclasses.fields(Head)}
    collect.mistakes += [unknown_key("", key, (*keys, *TABLES)) for key in table if key not in (*keys, *TABLES)]
    tables = {name: collect.table(table, name) for name in TABLES}
    head = collect.of(lambda: parse_settings(Head, {key: table[key] for key in keys if key in table}))
    built, resolved_problem = problem, tables["problem"] or {}
    generalise = collect.of(lambda: read_generalise(tables["generalise"])) or GeneraliseSettings()
    if problem is None:
        built, resolved_problem = collect.pair(lambda: _problem(tables["problem"], source.parent, generalise))
    network, resolved_network = collect.pair(lambda: _network(tables["network"], built, problem is not None))
    if tables["strategy"] and "initial" in tables["strategy"]:
        given = tables["strategy"].pop("initial")
        genomes = collect.of(lambda: initial_genomes(given, source.parent, "strategy.initial", network))
        tables["strategy"] |= {} if genomes is None else {"initial": genomes}
    space, resolved_space = collect.pair(lambda: _space(tables["space"]))
    strategy = collect.of(lambda: _checked_strategy(tables["strategy"], built, network, space))
    islands, resolved_islands = collect.pair(
        lambda: _islands(tables["islands"], tables["strategy"], source.parent, built, network, space)
    )
    strategies = [each for each in (strategy, *resolved_islands.get("strategies", [])) if each]
    batch = collect.of(lambda: _batch(tables["batch"], built, strategies, islands))
    collect.of(lambda: check_generalise(generalise, built, strategies, islands, batch))
    criterion = collect.of(lambda: _criterion(tables["stop"], source.parent, built))
    record = collect.of(lambda: parse_settings(RecordSettings, tables["record"] or {}, "record"))
    distribution = collect.of(lambda: parse_settings(Compute, tables["distribution"] or {}, "distribution"))
    sweep = collect.of(lambda: read_sweep(tables["sweep"]))
    if not (head and built and network and space and strategy and criterion and record and distribution):
        raise ScenarioError(str(source), collect.mistakes)
    if collect.mistakes:
        raise ScenarioError(str(source), collect.mistakes)
    resolved = {
        **_plain(head),
        "problem": resolved_problem,
        "network": resolved_network,
        **({"space": resolved_space} if resolved_space else {}),
        "strategy": strategy,
        **({"islands": resolved_islands} if islands else {}),
        **({"batch": _plain(batch)} if batch else {}),
        **({"generalise": _plain(generalise.alone())} if generalise.alone() != GeneraliseSettings() else {}),
        "stop": _listed(tables["stop"]),
        "record": _plain(record),
        "distribution": _plain(distribution),
    }
    return Scenario(
        resolved,
        source,
        head,
        built,
        network,
        criterion,
        record,
        distribution,
        space,
        islands,
        sweep,
        batch,
        generalise,
    )


class _Collector:
    """Gathers the mistakes of steps that fail one by one, so that each is reported."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []

    def of(self, step: Callable[[], T]) -> T | None:
        try:
            return step()
        except SettingsError as error:
            self.mistakes += error.mistakes
            return None

    def pair(self, step: Callable[[], tuple[T, dict[str, Any]]]) -> tuple[T | None, dict[str, Any]]:
        found = self.of(step)
        return (None, {}) if found is None else found

    def table(self, tables: Mapping[str, Any], name: str) -> dict[str, Any] | None:
        if name not in tables:
            if name in NEEDED:
                self.mistakes.append(Mistake(f"[{name}]", "this table is needed and missing", hint=NEEDED[name]))
            return None
        if not isinstance(tables[name], dict):
            self.mistakes.append(Mistake(name, f"must be a table, written [{name}]", shown(tables[name])))
            return None
        return dict(tables[name])


def _member(registry: Registry[T], table: Mapping[str, Any], path: str) -> tuple[T, dict[str, Any]]:
    """The registered member that a table names by its kind, and the table's other keys.

    Raises:
        SettingsError: The kind is missing, no text, or unknown.
    """
    kind = table.get("kind")
    if not isinstance(kind, str):
        known = ", ".join(registry.names())
        got = shown(kind) if "kind" in table else ""
        raise SettingsError([Mistake(f"{path}.kind", f"must name a {registry.noun} in quotes", got, f"known: {known}")])
    try:
        return registry[kind], {key: value for key, value in table.items() if key != "kind"}
    except UnknownName as error:
        raise SettingsError([Mistake(f"{path}.kind", str(error))]) from error


class _ReportedError(SettingsError):
    """A step can't be taken because of a mistake that is reported already; it adds none."""

    def __init__(self) -> None:
        super().__init__([])


def _criterion(table: Mapping[str, Any] | None, folder: Path, problem: Problem | None) -> StoppingCriterion:
    if table is None:
        raise _ReportedError
    criterion = stopping_from_table(table, "stop", folder=folder)
    if problem is not None and "validation" not in problem.parts:
        blind = [leaf.name for leaf in criterion.leaves() if "validation_error" in leaf.columns]
        if blind:
            hint = 'add one to [problem], such as parts = { train = 0.7, validation = 0.15, test = "rest" }'
            expected = "needs a part called validation, and the problem has none"
            raise SettingsError([Mistake(f"stop.{name}", expected, hint=hint) for name in blind])
    return criterion


def _problem(
    table: Mapping[str, Any] | None, folder: Path, generalise: GeneraliseSettings
) -> tuple[Problem, dict[str, Any]]:
    if table is None:
        raise _ReportedError
    if table.get("kind") == IN_MEMORY:
        hint = "the record holds its data: use neuroevo resume or extend, or run it from Python"
        raise SettingsError([Mistake("problem", "was made in Python and is not described here", hint=hint)])
    cls, values = _member(PROBLEMS, table, "problem")
    settings: Any = parse_settings(cls, values, "problem")
    try:
        problem = checked_problem(settings.build(folder))
    except BadInput as error:
        raise SettingsError([Mistake("problem", str(error))]) from error
    try:
        problem = generalise.problem_of(problem)
    except BadInput as error:
        raise SettingsError([Mistake("generalise", str(error))]) from error
    return problem, {"kind": table["kind"], **_plain(settings)}


def _network(table: Mapping[str, Any] | None, problem: Problem | None, known: bool) -> tuple[Network, dict[str, Any]]:
    """The network and its resolved table; `known` says that the problem is not made anew."""
    if table is None:
        raise _ReportedError
    cls, values = _member(NETWORKS, table, "network")
    fields: dict[str, Any] = (
        {field.name: field for field in dataclasses.fields(cls)} if dataclasses.is_dataclass(cls) else {}
    )
    own = [name for name in fields if name not in ("n_inputs", "n_outputs") and fields[name].init]
    mistakes = [unknown_key("network", key, own) for key in values if fields and key not in own]
    if mistakes:
        raise SettingsError(mistakes)
    for name, factor in (("n_hidden", values.get("n_layers", 1)), ("n_units", 1)):
        size = values.get(name, 0)
        if isinstance(size, int) and isinstance(factor, int):
            # Links between all units, as weights, as indices, and as decoded copies.
            _refuse_giants(f"network.{name}", f"{size} units", 4 * 8.0 * size * size * factor)
    fitted = {"skip", "fixed"} <= {*own} and asks_for_fit(values)
    if problem is None:
        _check_alone(table["kind"], {**values, "skip": True} if fitted else values)
        raise _ReportedError
    try:
        values = with_fit(values, problem, known) if fitted else values
        network = make_network(table["kind"], problem.n_inputs, problem.n_outputs, **values)
        problem.check_network(network)
    except SettingsError as error:
        raise SettingsError([dataclasses.replace(m, path=joined("network", m.path)) for m in error.mistakes]) from error
    except BadInput as error:
        raise SettingsError([Mistake("network", str(error))]) from error
    return network, {"kind": table["kind"], **(resolved_with_fit(network) if fitted else network.settings())}


def _space(table: Mapping[str, Any] | None) -> tuple[SearchSpace, dict[str, Any]]:
    """The search space and its resolved table, empty where the scenario has none."""
    if table is None:
        return Direct(), {}
    cls, values = _member(SPACES, table, "space")
    space: SearchSpace = parse_settings(cls, values, "space")
    return space, {"kind": table["kind"], **_plain(space)}


def _refuse_giants(path: str, what: str, n_bytes: float) -> None:
    """Refuse what the machine's memory can't hold, before half of it has been filled.

    Raises:
        SettingsError: It can't.
    """
    memory = physical_memory()
    if memory is not None and n_bytes > memory:
        expected = f"{what} would need about {n_bytes / 2**30:.3g} GiB, and this machine has {memory / 2**30:.3g}"
        raise SettingsError([Mistake(path, expected, hint="make it smaller")])


def _check_alone(kind: str, values: Mapping[str, Any]) -> None:
    """Find the mistakes in a network's settings that do not depend on the problem, which can't be built.

    Raises:
        SettingsError: With them.
    """
    try:
        make_network(kind, 1, 1, **values)
    except SettingsError as error:
        own = [mistake for mistake in error.mistakes if mistake.path not in ("", "n_inputs", "n_outputs")]
        raise SettingsError([dataclasses.replace(m, path=joined("network", m.path)) for m in own]) from error


def _islands(
    table: Mapping[str, Any] | None,
    first: Mapping[str, Any] | None,
    folder: Path,
    problem: Problem | None,
    network: Network | None,
    space: SearchSpace | None,
) -> tuple[IslandSettings | None, dict[str, Any]]:
    """The settings of [islands] and its resolved table.

    Raises:
        SettingsError: Of itself or of one of its strategies.
    """
    if table is None:
        return None, {}
    mistakes: list[Mistake] = []
    others = table.get("strategies", [])
    if not isinstance(others, list) or not all(isinstance(other, dict) for other in others):
        mistakes.append(Mistake("islands.strategies", "must be tables, each written [[islands.strategies]]"))
        others = []
    resolved = []
    for number, other in enumerate(others):
        path = f"islands.strategies.{number}"
        try:
            given = _with_genomes(other, folder, path, network)
            resolved.append(_checked_strategy(given, problem, network, space, path))
        except SettingsError as error:
            mistakes += error.mistakes
        if first is not None and other.get("bounds") != first.get("bounds"):
            mistakes.append(Mistake(f"{path}.bounds", "must be those of [strategy]: genomes move between the islands"))
    keys = {key: value for key, value in table.items() if key != "strategies"}
    try:
        settings = parse_settings(IslandSettings, keys, "islands")
    except SettingsError as error:
        raise SettingsError([*mistakes, *error.mistakes]) from error
    if len(resolved) >= settings.count:
        what = f"{len(resolved)} strategies beside [strategy] need at least {len(resolved) + 1} islands"
        mistakes.append(Mistake("islands.count", what, shown(settings.count)))
    if mistakes:
        raise SettingsError(mistakes)
    return settings, _plain(settings) | ({"strategies": resolved} if resolved else {})


def _with_genomes(table: Mapping[str, Any], folder: Path, path: str, network: Network | None) -> Mapping[str, Any]:
    """A strategy's table in which `initial` holds the genomes themselves."""
    if "initial" not in table:
        return table
    return {**table, "initial": initial_genomes(table["initial"], folder, f"{path}.initial", network)}


def _batch(
    table: Mapping[str, Any] | None,
    problem: Problem | None,
    strategies: Sequence[Mapping[str, Any]],
    islands: IslandSettings | None,
) -> BatchSettings | None:
    """The settings of [batch], which strategies and problem allow.

    Raises:
        SettingsError: They do not.
    """
    if table is None:
        return None
    settings = parse_settings(BatchSettings, table, "batch")
    mistakes = [
        Mistake("batch", f"{what} of different generations, whose batches differ", hint=hint)
        for what, hint in remembering(strategies).items()
    ]
    if islands is not None and islands.replacement == "if_better":
        what = 'must be "always" with mini-batches: errors of different generations can\'t be compared'
        mistakes.append(Mistake("islands.replacement", what))
    try:
        if problem is not None:
            BatchPlan(batchable(problem), settings, 0).check()
    except BadInput as error:
        mistakes.append(Mistake("batch", str(error)))
    if mistakes:
        raise SettingsError(mistakes)
    return settings


def _checked_strategy(
    table: Mapping[str, Any] | None,
    problem: Problem | None,
    network: Network | None,
    space: SearchSpace | None,
    path: str = "strategy",
) -> dict[str, Any]:
    """The resolved table of the strategy; it is built once here, so that its own checks speak before the run."""
    if table is None:
        raise _ReportedError
    cls, values = _member(STRATEGIES, table, path)
    shared = {key: values.pop(key) for key in BESIDE_SETTINGS if key in values}
    settings = parse_settings(cls.Settings, values, path)
    if "bounds" in table:
        parse_value(tuple[float, float], table["bounds"], f"{path}.bounds")
    if network is not None and space is not None:
        # The population asked, its offspring, and a copy of either in the making.
        n_bytes = 4 * 8.0 * settings.population_size * space.n_genes(network)
        _refuse_giants(f"{path}.population_size", f"{settings.population_size} genomes", n_bytes)
        try:
            wanted = wanted_of([StrategyRecipe([table], 0, network, space)()])
            if problem is not None:
                EvaluatorRecipe(network, problem, "single", space, *wanted).check()
        except BadInput as error:
            raise SettingsError([Mistake(path, str(error))]) from error
    return {"kind": table["kind"], **_plain(settings), **_listed(shared)}


def _plain(settings: Any) -> dict[str, Any]:
    """A settings dataclass as TOML writes it: what is None is left out, tuples are lists, numpy's numbers Python's."""
    return {key: _listed(value) for key, value in dataclasses.asdict(settings).items() if value is not None}


def _listed(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_listed(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items() if item is not None}
    return value
