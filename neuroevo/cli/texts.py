"""What the commands print about scenarios, records and registries."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuroevo.cli.display import duration
from neuroevo.cli.terminal import escaped
from neuroevo.records.errors import RecordError

if TYPE_CHECKING:
    from neuroevo.evolution.batches import BatchPlan
    from neuroevo.problems import Problem
    from neuroevo.records import RunRecord
    from neuroevo.registry import Registry
    from neuroevo.scenario import Scenario, Sweep

_GAP = "  "
_LEAST_SHARE = 0.01


def columns(rows: Iterable[Sequence[str]], indent: str = "") -> str:
    """Rows as text, the first column left-aligned and the others right-aligned."""
    table = [list(map(escaped, row)) for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    lines = []
    for first, *others in table:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        lines.append(indent + _GAP.join(cells).rstrip())
    return "\n".join(lines)


def catalogue(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """The names a scenario can use, room by room, and the scenarios in a folder, each with what it is."""
    from neuroevo.networks import NETWORKS
    from neuroevo.problems import PROBLEMS
    from neuroevo.proposals import examples
    from neuroevo.spaces import SPACES
    from neuroevo.stopping import CRITERIA
    from neuroevo.strategies import STRATEGIES

    registries: dict[str, Registry[Any]] = {
        "strategies": STRATEGIES,
        "networks": NETWORKS,
        "problems": PROBLEMS,
        "search spaces": SPACES,
        "stopping criteria": CRITERIA,
    }
    scenarios = [(str(path), _title(path)) for path in sorted(folder.glob("*.toml"))]
    title = f"scenarios in {folder}"
    if not scenarios:
        title = "examples, which `neuroevo new --example NAME` writes here"
        scenarios = [(name, _title(path)) for name, path in examples().items()]
    listings = {title: scenarios} if scenarios else {}
    return listings | {
        title: [(name, registry.summary(name)) for name in registry.names()] for title, registry in registries.items()
    }


def catalogue_text(folder: Path) -> str:
    """The names a scenario can use, room by room, and the scenarios in a folder."""
    listings = {
        escaped(title): [(escaped(name), escaped(what)) for name, what in rows]
        for title, rows in catalogue(folder).items()
    }
    width = max(len(name) for rows in listings.values() for name, _ in rows)
    parts = []
    for title, rows in listings.items():
        lines = [f"  {name.ljust(width)}{_GAP}{summary}".rstrip() for name, summary in rows]
        parts.append("\n".join([title, *lines]))
    return "\n\n".join(parts)


def _title(path: Path) -> str:
    try:
        title = tomllib.loads(path.read_text(encoding="utf-8")).get("title", "")
    except (OSError, ValueError) as error:
        return f"(can't be read: {error})"
    return title if isinstance(title, str) else ""


def scenario_text(scenario: Scenario) -> str:
    """What a scenario would do."""
    from neuroevo.scenario.first_generation import start_warnings

    problem, network = scenario.problem, scenario.network
    table = scenario.table
    size = table["strategy"].get("population_size")
    genomes = f", {size} genomes a generation" if size else ""
    stops = ", ".join(f"{key} = {escaped(value)}" for key, value in table["stop"].items())
    rows = [
        ("network", f"{table['network']['kind']}, {network.n_genes} genes, precision {scenario.head.precision}"),
        *([("space", f"{table['space']['kind']}, {scenario.evaluator.n_genes} genes")] if "space" in table else []),
        ("strategy", f"{table['strategy']['kind']}{_partners_text(table)}{genomes}, seed {scenario.head.seed}"),
        *([("islands", _islands_text(table))] if "islands" in table else []),
        *([("batch", _batch_text(scenario.batches, problem))] if scenario.batches is not None else []),
        *_generalise_rows(scenario),
        *([("sweep", _sweep_text(scenario.sweep))] if scenario.sweep else []),
        ("stops at", stops),
    ]
    lines = [f"{scenario.source}: good" + (f" - {escaped(scenario.head.title)}" if scenario.head.title else "")]
    lines += [f"  {line}" for line in str(problem.describe()).splitlines()]
    lines += [f"  {name.ljust(9)}{text}" for name, text in rows]
    lines += [f"  warning: {text}" for text in (*scenario.warnings(), *start_warnings(scenario))]
    return "\n".join(lines)


def _partners_text(table: Mapping[str, Any]) -> str:
    """The strategies that a strategy holds."""
    kinds = [inner["kind"] for inner in table["strategy"].values() if isinstance(inner, dict) and "kind" in inner]
    return f" of {' and '.join(kinds)}" if kinds else ""


def _batch_text(batches: BatchPlan, problem: Problem) -> str:
    from neuroevo.problems.control.base import EpisodeProblem

    own = batches.settings
    whole = "episodes" if isinstance(problem, EpisodeProblem) else "sequences"
    pieces = whole if own.steps is None else f"stretches of {own.steps} steps after {own.washout} of washout"
    grows = f", times {own.growth:g} a generation" if own.growth > 1 else ""
    return f"{own.size} {pieces}{grows}; the best on all data every {batches.every} generations"


def _generalise_rows(scenario: Scenario) -> Iterator[tuple[str, str]]:
    own, conditions = scenario.generalise, scenario.conditions
    if conditions is not None and own.noisy:
        sizes = (("inputs", own.input_noise), ("weights", own.weight_noise))
        said = " and ".join(f"{size:g} on {where}" for where, size in sizes if size)
        yield "noise", f"{said}; the best without it every {conditions.every} generations"
    if own.folds is not None:
        scheme = f", {own.scheme}" if own.scheme else ""
        yield "folds", f"{own.folds if own.fold is None else f'number {own.fold} of {own.folds}'}{scheme}"
    if own.train_on != "train":
        yield "trains on", "training and validation data together"
    if own.fits_at_last:
        yield "at last", "a final fit on training and validation data together"


def _islands_text(table: Mapping[str, Any]) -> str:
    islands = table["islands"]
    kinds = [table["strategy"]["kind"], *(other["kind"] for other in islands.get("strategies", []))]
    each = f" of {', '.join(kinds)} in turn" if len(kinds) > 1 else ""
    moves = f"{islands['migrants']} migrants every {islands['interval']} generations"
    return f"{islands['count']}{each}, {islands['topology']}, {moves}"


def _sweep_text(sweep: Sweep) -> str:
    trials = f"{sweep.settings.trials} seed{'s' if sweep.settings.trials > 1 else ''}"
    if not sweep.over:
        return trials
    how = "over" if sweep.settings.samples is None else "drawn over"
    return f"{len(sweep.points())} points {how} {', '.join(sweep.over)}; {trials} at each"


def folder_text(path: Path) -> str:
    """What came of a run, a set of trials or a sweep.

    Raises:
        RecordError: The folder is none of them, or damaged.
    """
    from neuroevo.analysis import summary
    from neuroevo.records import RunRecord, set_in

    found = set_in(path)
    if found is None:
        return record_text(RunRecord.open(path))
    ensemble = f"\n\n{text}" if (text := ensemble_text(path)) else ""
    return f"{escaped(found.title or path.name)}\n\n{summary_text(summary(found))}{ensemble}\n\n  {path}"


def ensemble_text(path: Path) -> str:
    """What the ensemble in the folder of a set is worth, beside single trials; empty where there is none.

    Raises:
        RecordError: It is damaged.
    """
    from neuroevo.records import saved_ensemble

    found = saved_ensemble(path)
    if found is None or not found.results:
        return ""
    tables = [results_text(found.results), *([intervals_text(found.intervals)] if found.intervals else [])]
    return "\n\n".join([*tables, *([_chosen_text(found.chosen)] if found.chosen else [])])


def _chosen_text(chosen: Mapping[str, Any]) -> str:
    """Which models validation has chosen, and what their validation error is where it had no say."""
    from neuroevo.problems.metrics import TITLES

    shares = sorted(chosen["weights"].items(), key=lambda item: -item[1])
    rows = [[name, f"{100 * share:.0f} %"] for name, share in shares if share >= _LEAST_SHARE]
    left = sum(share for _, share in shares if share < _LEAST_SHARE)
    rows += [["others", f"{100 * left:.1f} %"]] if left else []
    measures = ", ".join(f"{TITLES.get(name, name)} {_figure(value)}" for name, value in chosen["validation"].items())
    head = f"chosen by validation, which gives targets that had no say in it (out of the bag) a {measures}"
    return f"{head}:\n{columns(rows, '  ')}"


def intervals_text(intervals: Mapping[str, Any]) -> str:
    """The share of each part's targets that lie in their intervals."""
    rows = [["", *intervals["parts"]]]
    for name, title in (("absolute", "of one width"), ("scaled", "as wide as the members differ")):
        shares = [figures.get(f"{name}_coverage") for figures in intervals["parts"].values()]
        if any(share is not None for share in shares):
            rows.append([f"targets in intervals {title}", *("-" if x is None else f"{100 * x:.3g} %" for x in shares)])
    rows[0][0] = f"intervals of {100 * intervals['level']:g} %, from {intervals['n_targets']:g} validation targets"
    return columns(rows, "  ")


def summary_text(found: Mapping[str, Any]) -> str:
    """What the runs of a set of trials or of a sweep have in common."""
    return sweep_text(found) if "points" in found else trials_text(found)


def record_text(record: RunRecord) -> str:
    """What came of a run."""
    run = record.run
    lines = [escaped(run.get("title") or record.path.name)]
    lines.append(f"  {stop_text(run)}")
    lines += [f"  {text}"] if (text := champion_text(run)) else []
    lines += [f"  its network: {escaped(text)}" for text in run.get("remarks", ()) if isinstance(text, str)]
    lines += [f"  {text}"] if (text := _front_line(record)) else []
    lines += [f"  warning: altered since the run ended: {', '.join(record.altered)}"] if record.altered else []
    if run.get("results"):
        lines += ["", results_text(run["results"])]
    if record.final is not None:
        lines += ["", final_text(record.final)]
    lines += ["", f"  {record.path}"]
    return "\n".join(lines)


def _front_line(record: RunRecord) -> str:
    """That there is a front, and where it can be seen."""
    try:
        front = record.front
    except RecordError as error:
        return f"warning: its front can't be read: {escaped(error)}"
    return "" if front is None else f"{_front_of(front)}: neuroevo show {record.path} --front"


def _front_of(front: Sized) -> str:
    return f"front of {len(front)} network{'s' if len(front) > 1 else ''}"


def front_text(path: Path) -> str:
    """The front of a run, a line for each member.

    Raises:
        BadInput: It has none.
        RecordError: The folder is no run, or damaged.
    """
    from neuroevo.records import front_in

    front = front_in(path)
    rows, part = front.rows(), "training" if front.validation is None else "validation"
    table = [[*(name.replace("_", " ") for name in rows[0]), ""]]
    for number, row in enumerate(rows):
        mark = f"smallest {front.goals[0]} in {part}" if number == front.best else ""
        table.append([*map(_figure, row.values()), mark])
    titles = [f"  {name}: {escaped(title)}" for name, title in zip(front.goals, front.titles, strict=True)]
    use = f"  neuroevo export {path} --to c --member N; so do predict, forecast and evaluate"
    return "\n".join([_front_of(front), *titles, "", columns(table, "  "), "", use])


def final_text(final: RunRecord) -> str:
    """What came of a final fit, whose champion is the result; there is no validation error of it."""
    n = final.run.get("generations", "unknown")
    lines = [f"final fit on training and validation data: {n} generations; its champion is the result"]
    lines += [f"  warning: altered since it ended: {', '.join(final.altered)}"] if final.altered else []
    return "\n".join(lines) + (f"\n\n{results_text(final.run['results'])}" if final.run.get("results") else "")


def stop_text(run: Mapping[str, Any]) -> str:
    """Why a run ended and how long it took, as a line."""
    reason = run.get("stop_reason")
    if not reason:
        return f"not finished; go on with `neuroevo resume`, status: {run.get('status', 'unknown')}"
    spent = f"after {run['generations']} generations, {run['evaluations']} evaluations, {duration(run['seconds'])}"
    return f"stopped {spent}: {escaped(reason['message'])}"


def champion_text(run: Mapping[str, Any]) -> str:
    """The champion's errors as the live line and the history have them, by name; empty where there is no champion."""
    figures = run.get("champion")
    if not isinstance(figures, Mapping) or not isinstance(figures.get("error"), int | float):
        return ""
    name = run.get("data", {}).get("error", "mean squared error (scaled units)")
    errors = [f"{_figure(figures['error'])} in training"]
    if figures.get("validation_error") is not None:
        errors.append(f"{_figure(figures['validation_error'])} in validation")
    return f"champion: {escaped(name)} {', '.join(errors)}"


def results_text(results: Mapping[str, Any]) -> str:
    """Errors by part of the champion and of the simple competitors, a table per measure, and what they say."""
    contestants: Mapping[str, Mapping[str, Mapping[str, float]]] = results["contestants"]
    parts = list(next(iter(contestants.values())))
    tables = []
    for measure, title in results["measures"].items():
        rows = [[title, *parts]]
        rows += [
            [name, *(_figure(figures[part].get(measure)) for part in parts)] for name, figures in contestants.items()
        ]
        tables.append(columns(rows, "  "))
    tables += [escaped(results["verdict"])] if results.get("verdict") else []
    return "\n\n".join(tables)


def trials_text(summary: Mapping[str, Any]) -> str:
    """Medians and quartiles over the trials of a set."""
    rows = [["over the trials", "median", "lower quartile", "upper quartile", "smallest", "largest"]]
    keys = ("median", "lower_quartile", "upper_quartile", "min", "max")
    shown = ("error", "learned", "mse", "nmse", "arv")
    for name, figures in summary["figures"].items():
        part, _, measure = name.partition(".")
        if (measure in shown and figures["n"]) or name in ("generations", "seconds"):
            rows.append([f"{part} {measure}".strip(), *(_figure(figures[key]) for key in keys)])
    success = summary["success"]
    share = "" if success is None else f", {100 * success:.0f} % reached a target of [stop]"
    folds = (
        f"\n{_measure(summary)} of validation over {n} folds: {_over_folds(summary)}"
        if (n := _n_folds(summary))
        else ""
    )
    return f"{summary['n_finished']} trials{share}{folds}\n\n{columns(rows, '  ')}"


def _n_folds(summary: Mapping[str, Any]) -> int:
    return int(summary.get("folds", {}).get("n", 0))


def _measure(summary: Mapping[str, Any]) -> str:
    return escaped(summary.get("folds", {}).get("measure") or "error")


def _over_folds(summary: Mapping[str, Any]) -> str:
    """Mean and standard deviation over folds."""
    folds = summary.get("folds") or {"mean": None, "deviation": None}
    return f"{_figure(folds['mean'])} ± {_figure(folds['deviation'])}"


_MOST_POINTS = 40


def sweep_text(found: Mapping[str, Any]) -> str:
    """The points of a sweep, the best first."""
    from neuroevo.analysis import finished, median, n_runs, quartiles_of, ranked, shown_figures, unequal_costs
    from neuroevo.records.sweeps import short_value
    from neuroevo.scenario.sweep import short_names

    keys, chosen_by, points = found["keys"], found["chosen_by"], finished(found)
    shown = shown_figures(points, chosen_by)
    has_target = any(point["success"] is not None for point in points)
    titles = {"champion.error": "training error", "champion.validation_error": "validation error"}
    several = any(point["n_finished"] > 1 for point in points)
    of_folds = any(map(_n_folds, points))
    head = [*short_names(keys).values(), "runs", *(["reached"] if has_target else []), "evaluations"]
    head += ["over folds"] if of_folds else []
    rows = [head + [titles.get(name, name.replace(".", " ")) for name in shown]]
    for point in ranked(found)[:_MOST_POINTS]:
        row = [short_value(point["values"].get(key)) for key in keys] + [str(point["n_finished"])]
        row += ["-" if point["success"] is None else f"{100 * point['success']:.0f} %"] if has_target else []
        row.append(f"{median(point, 'evaluations'):,.0f}")
        row += [_over_folds(point)] if of_folds else []
        row += [_spread(quartiles_of(point, name), several and name == chosen_by) for name in shown]
        rows.append(row)
    order = "validation" if "validation" in chosen_by else "training"
    what = f"medians{' (lower to upper quartile)' if several else ''}, the smallest {order} error first"
    if of_folds:
        what += f", as mean ± standard deviation over the folds, {_measure(points[0])}"
    head_line = f"{len(points)} of {len(found['points'])} points, {n_runs(found, 'n_finished')} runs: {what}"
    lines = [head_line, "", columns(rows, "  ")]
    if len(points) > _MOST_POINTS:
        lines.append(f"  and {len(points) - _MOST_POINTS} more in summary.csv")
    if unequal_costs(points):
        lines += [
            "",
            "The points spent different numbers of evaluations; to compare them at equal cost, end all runs by",
            "[stop] evaluations alone.",
        ]
    return "\n".join(lines)


def _spread(quartiles: tuple[float, float, float] | None, whole: bool) -> str:
    if quartiles is None:
        return "-"
    lower, middle, upper = map(_figure, quartiles)
    return f"{middle} ({lower} to {upper})" if whole else middle


def _figure(value: float | None) -> str:
    return "-" if value is None or not math.isfinite(value) else f"{value:.4g}"
