"""The commands."""

from __future__ import annotations

import importlib
import sys
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from neuroevo.cli.evaluate import evaluate
from neuroevo.cli.export import export
from neuroevo.cli.failures import exit_codes
from neuroevo.cli.forecast import forecast
from neuroevo.cli.plot import plot
from neuroevo.cli.predict import predict
from neuroevo.cli.terminal import escaped, print_message, print_result
from neuroevo.errors import BadInput

if TYPE_CHECKING:
    from neuroevo.compute import Compute


class Precision(StrEnum):
    """Arithmetic of the evaluator."""

    single = "single"
    double = "double"


UsageError: Any = typer.BadParameter.__base__  # typer exports its kin alone


class Commands(TyperGroup):
    """The commands; arguments that are wrong come back escaped, since a file's name may have stood among them."""

    def make_context(self, *args: Any, **options: Any) -> Any:
        try:
            return super().make_context(*args, **options)
        except UsageError as error:
            error.message = escaped(error.message)
            raise

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except UsageError as error:
            error.message = escaped(error.message)
            raise


app = typer.Typer(
    cls=Commands,
    name="neuroevo",
    help="Train recurrent neural networks without gradients.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Threads = Annotated[
    int | None,
    typer.Option(min=1, help="Threads of the evaluator; never changes a result. [default: one a processor]"),
]
Workers = Annotated[
    int | None,
    typer.Option(min=0, help="Compute on so many workers on this machine (0: none); never changes a result."),
]
Ray = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Compute on a Ray cluster, HOST:PORT or auto; never changes a result."),
]
Columns = Annotated[
    list[str] | None, typer.Option(metavar="COLUMN", help="A column that is to be predicted; may be repeated.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the run's folder and nothing else.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Replace a value of the scenario, as in stop.generations=10."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Results = Annotated[Path, typer.Option(help="The folder in which each run makes its own.")]


def _version(value: bool) -> None:
    if value:
        from neuroevo import __version__

        print_result(f"neuroevo {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    _shown: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
    imports: Annotated[
        list[str] | None,
        typer.Option(
            "--import",
            metavar="MODULE",
            help="Import a module of your own first: what it registers is known to the command and its workers.",
        ),
    ] = None,
) -> None:
    with exit_codes():
        # Functions that scenarios and records name may stand in the present folder, which hides nothing else.
        if (folder := str(Path.cwd())) not in sys.path:
            sys.path.insert(0 if imports else len(sys.path), folder)
        for module in imports or ():
            _import(module)


def _import(name: str) -> None:
    """Import a module by its name, from the present folder too.

    Raises:
        BadInput: There is none of that name.
    """
    folder = str(Path.cwd())
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise BadInput(
            f"--import {name}: there is no such module in {folder} or among the installed packages; name it as Python "
            "does, without .py"
        ) from error


@app.command()
def run(
    scenarios: Annotated[list[Path], typer.Argument(metavar="SCENARIO...", help="Scenario files (*.toml).")],
    seed: Annotated[int | None, typer.Option(min=0, help="Replace the scenario's seed.")] = None,
    trials: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Run N seeds into one folder with a summary; those done are skipped."),
    ] = None,
    sweep: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUES",
            help="Run all values of a key: 16,32,64, or with --samples LOW..HIGH or LOW..HIGH:log. May be repeated: "
            "all combinations.",
        ),
    ] = None,
    samples: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Draw N points of the sweep instead of running all.")
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="K", help="Run K folds of the training and validation data; 0 leaves the scenario's out."
        ),
    ] = None,
    no_sweep: Annotated[
        bool, typer.Option("--no-sweep", help="Leave out the scenario's [sweep]: the one run that it describes.")
    ] = False,
    overrides: Set = None,
    results: Results = Path("results/runs"),
    threads: Threads = None,
    workers: Workers = None,
    ray: Ray = None,
    quiet: Quiet = False,
) -> None:
    """Run scenarios until their stopping criteria hold.

    Each run leaves a folder with its history, champion, checkpoints and plots. Ctrl-C ends it in good order after the
    current generation; `neuroevo resume` goes on from there.
    """
    with exit_codes():
        from neuroevo import experiment
        from neuroevo.cli.running import execute, execute_plans
        from neuroevo.scenario import load_scenario, parse_sweep
        from neuroevo.trials import plan_runs, wants_many

        if no_sweep and (sweep or samples):
            raise BadInput("--no-sweep leaves every sweep out: give it, or --sweep and --samples")
        values: dict[str, Any] = _overrides(overrides)
        if seed is not None:
            values["seed"] = seed
        many: dict[str, Any] = {
            "trials": trials, "samples": samples, "over": dict(map(parse_sweep, sweep or ())), "folds": folds,
        }  # fmt: skip
        # A mistake in the last of ten scenarios is better known now than after nine runs.
        plans, single = [], []
        for path in scenarios:
            if any(many.values()) or wants_many(path, values, sweep=not no_sweep, folds=folds is None):
                plans.append(plan_runs(path, **many, overrides=values, sweep=not no_sweep))
            else:
                single.append(path)
        if len(scenarios) > 1:
            for path in single:
                load_scenario(path, overrides=values)
        compute = _compute(threads, workers, ray)
        for path in single:
            execute(partial(experiment.run, path, overrides=values, results=results, compute=compute), quiet=quiet)
        if plans:
            execute_plans(plans, results, compute, quiet=quiet)


@app.command()
def resume(
    path: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")],
    threads: Threads = None,
    workers: Workers = None,
    ray: Ray = None,
    quiet: Quiet = False,
) -> None:
    """Go on with a run that was interrupted or killed; it ends as if nothing had happened. A finished one says so."""
    with exit_codes():
        from neuroevo import experiment
        from neuroevo.cli.running import execute, reports_finished_set

        if not reports_finished_set(path, quiet=quiet):
            execute(partial(experiment.resume, path, compute=_compute(threads, workers, ray)), quiet=quiet)


@app.command()
def extend(
    path: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")],
    overrides: Set = None,
    threads: Threads = None,
    workers: Workers = None,
    ray: Ray = None,
    quiet: Quiet = False,
) -> None:
    """Go on past the end of a run: neuroevo extend RUN --set stop.generations=2000."""
    with exit_codes():
        from neuroevo import experiment
        from neuroevo.cli.running import execute

        compute = _compute(threads, workers, ray)
        execute(partial(experiment.extend, path, overrides=_overrides(overrides), compute=compute), quiet=quiet)


@app.command()
def check(
    scenarios: Annotated[list[Path], typer.Argument(metavar="SCENARIO...", help="Scenario files (*.toml).")],
    overrides: Set = None,
    json: Json = False,
) -> None:
    """Check scenarios without running them, and say what they would do."""
    with exit_codes():
        from neuroevo.cli.documents import as_json, scenario_document
        from neuroevo.cli.texts import scenario_text
        from neuroevo.scenario import load_scenario
        from neuroevo.trials import plan_runs, wants_many

        for path in scenarios:
            values: dict[str, Any] = _overrides(overrides)
            if wants_many(path, values):
                # Each point is checked; without the values of one, the scenario may be incomplete.
                values |= plan_runs(path, overrides=values).sets[0].values
            found = load_scenario(path, overrides=values)
            print_result(as_json(scenario_document(found)) if json else scenario_text(found))


@app.command()
def new(
    data: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[DATA]...", help="A file of data: CSV, NPZ or Parquet; several are a series each."),
    ] = None,
    example: Annotated[
        str | None, typer.Option(metavar="NAME", help="Write a shipped example and its data instead, such as sunspots.")
    ] = None,
    target: Columns = None,
    horizon: Annotated[
        list[int] | None,
        typer.Option(min=0, metavar="ROWS", help="How many rows ahead the target lies; may be repeated."),
    ] = None,
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="COLUMN", help="A column that the network sees; may be repeated."),
    ] = None,
    known: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="An input that is known ahead of time, such as a plan; may be repeated."),
    ] = None,
    time: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="The column that says when; may be repeated.")
    ] = None,
    label: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The column of classes, of rows or of whole sequences.")
    ] = None,
    sequence: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The column that tells which rows belong together.")
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="The longest that all runs may take together.")
    ] = 120.0,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The scenario. [default: DATA.toml in the present folder]")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: take what is proposed.")] = False,
) -> None:
    """Write a scenario for a file of data, a reason at each line.

    Looks at the columns and proposes what to predict, from what, and how; asks on a terminal what no option says.
    Never overwrites a file.
    """
    with exit_codes():
        from neuroevo.cli.new import is_terminal, new_example, new_scenario
        from neuroevo.proposals import Wishes

        if bool(data) == (example is not None):
            raise BadInput(
                "name a file of data, neuroevo new DATA.csv, or a shipped one, neuroevo new --example sunspots"
            )
        if example is not None:
            new_example(example)
        elif data:
            wishes = Wishes(
                target=tuple(target or ()),
                horizon=tuple(horizon or ()),
                input=tuple(inputs or ()),
                known=tuple(known or ()),
                label=label,
                sequence=sequence,
                seconds=seconds,
            )
            new_scenario(data, wishes, time=time or (), scenario=out, ask=is_terminal() and not yes)


@app.command()
def show(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of runs, sets of trials, or sweeps.")],
    front: Annotated[
        bool, typer.Option("--front", help="Print the front of a search for several goals, a line for each member.")
    ] = False,
    json: Json = False,
) -> None:
    """Print what came of runs: errors by part beside simple competitors, and why each stopped."""
    with exit_codes():
        from neuroevo.cli.documents import as_json, folder_document, front_document
        from neuroevo.cli.texts import folder_text, front_text

        document, text = (front_document, front_text) if front else (folder_document, folder_text)
        for path in runs:
            print_result(as_json(document(path)) if json else text(path))


app.command()(plot)
app.command()(predict)
app.command()(forecast)
app.command()(evaluate)
app.command()(export)


@app.command(name="list")
def list_names(
    folder: Annotated[Path, typer.Argument(help="Where to look for scenarios.")] = Path("scenarios"),
    json: Json = False,
) -> None:
    """List scenarios, strategies, networks, problems, search spaces and stopping criteria, a line each."""
    with exit_codes():
        from neuroevo.cli.documents import as_json, catalogue_document
        from neuroevo.cli.texts import catalogue_text

        print_result(as_json(catalogue_document(folder)) if json else catalogue_text(folder))


@app.command()
def schema() -> None:
    """Print the JSON Schema of scenario files: editors complete and check keys with it."""
    with exit_codes():
        from neuroevo.cli.documents import as_json
        from neuroevo.scenario.json_schema import scenario_schema

        print_result(as_json(scenario_schema()))


@app.command()
def bench(
    workloads: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORKLOAD]...", help="Names, or one's own as cell,P,S,T,I,H,O. [default: all named]"),
    ] = None,
    threads: Threads = None,
    precision: Annotated[Precision, typer.Option(help="Arithmetic of the evaluator.")] = Precision.single,
    repeats: Annotated[int, typer.Option(min=1, help="The best of so many timings counts.")] = 5,
    json: Json = False,
) -> None:
    """Time the evaluator, and compare it with what this machine could do at best."""
    with exit_codes():
        from neuroevo.bench import run_bench
        from neuroevo.machine import available_processors

        n_threads = threads or available_processors()
        options: dict[str, Any] = {"n_threads": n_threads, "precision": precision.value, "repeats": repeats}
        report = run_bench(workloads or None, **options, announce=print_message)
        print_result(report.to_json() if json else report.to_text())


def _compute(threads: int | None, workers: int | None, ray: str | None) -> Compute:
    from neuroevo.compute import Compute

    return Compute(threads, workers, ray)


def _overrides(texts: list[str] | None) -> dict[str, Any]:
    from neuroevo.scenario import parse_override

    return dict(parse_override(text) for text in texts or [])
