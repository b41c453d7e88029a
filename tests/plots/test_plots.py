"""Plots come from records alone, the same bytes each time, for every form of problem and for histories of any length."""

from __future__ import annotations

import itertools
import json
import shutil
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroevo.errors import BadInput
from neuroevo.networks import Elman
from neuroevo.plots import plot_compare, plot_predictions, plot_run, plot_sweep, plot_trials
from neuroevo.plots.curves import draw_curves
from neuroevo.plots.prediction import draw_ensemble, draw_prediction
from neuroevo.plots.series import Look
from neuroevo.plots.style import drawing, save
from neuroevo.plots.sweep import _beside_each_other
from neuroevo.plots.thinning import thin, thin_band
from neuroevo.plots.together import _aligned
from neuroevo.plots.windows import windows
from neuroevo.prediction import Calibration, Forecast
from neuroevo.problems import RightClass, SequenceProblem
from neuroevo.records import RecordError, RunRecord, RunWriter, SweepSet, TrialSet, save_predictor
from neuroevo.stopping import COLUMNS, StopReason

RNG = np.random.default_rng(5)


def columns(n: int, **values: Any) -> dict[str, np.ndarray[Any, Any]]:
    """A history that falls from 1 towards 0.01."""
    generation = np.arange(1, n + 1)
    error = 0.01 + 1 / generation
    found: dict[str, Any] = dict.fromkeys(COLUMNS, error)
    found |= {"generation": generation, "evaluations": 10 * generation, "n_failed": 0 * generation}
    found |= {"median_error": 2 * error, "mean_error": 3 * error, "worst_error": 9 * error}
    found |= {"incumbent_fitness": 1 / error, "incumbent_learned": 1 - error, "validation_error": np.full(n, np.nan)}
    return found | values


def make_record(folder: Path, problem: SequenceProblem, n: int = 12, **values: Any) -> RunRecord:
    network = Elman(problem.n_inputs, 2, problem.n_outputs)
    writer = RunWriter.create(
        folder,
        "run",
        scenario_toml="",
        run={"title": "A $run_1$ <&> \u4e2d", "seed": 7},
        problem=problem,
        network=network,
    )
    table = columns(n, **values)
    for index in range(n):
        writer.append({name: table[name][index] for name in COLUMNS})
    genome = np.random.default_rng(0).normal(size=network.n_genes)
    writer.champion(genome, network=network, problem=problem, error=0.1)
    reason = StopReason("generations", n, f"{n} generations done")
    writer.finish({"stop_reason": reason.to_dict(), "generations": n, "evaluations": 10 * n, "seconds": 1.5})
    return RunRecord.open(writer.path)


def series(n: int = 60, times: Any = None, n_outputs: int = 1) -> SequenceProblem:
    values = 4 + np.sin(0.3 * np.arange(n + 1))
    steps = np.arange(n)
    parts = {
        "train": steps < n // 2,
        "validation": (steps >= n // 2) & (steps < 2 * n // 3),
        "test": steps >= 2 * n // 3,
    }
    return SequenceProblem(
        values[None, :-1, None], np.repeat(values[None, 1:, None], n_outputs, axis=2), washout=3, times=times,
        parts={name: mask[None] for name, mask in parts.items()},
    ).scaled("standard")  # fmt: skip


def many(counted: int, n_outputs: int = 1) -> SequenceProblem:
    inputs = RNG.random((12, 20, 2))
    mask = np.zeros((12, 20, n_outputs), bool)
    mask[:, -counted:] = True
    lengths = np.r_[np.full(11, 20), 15] if counted > 10 else None
    return SequenceProblem(
        inputs, np.repeat(inputs.sum(axis=2, keepdims=True), n_outputs, axis=2), target_mask=mask, lengths=lengths,
        parts={"train": np.arange(12) < 8, "test": np.arange(12) >= 8},
    )  # fmt: skip


def classes(n_classes: int) -> SequenceProblem:
    targets = np.repeat(np.eye(n_classes)[np.arange(24) % n_classes][:, None], 9, axis=1)
    return SequenceProblem(
        RNG.random((24, 9, 1)), targets, learned=RightClass(), washout=5,
        parts={"train": np.arange(24) < 16, "test": np.arange(24) >= 16},
    )  # fmt: skip


PROBLEMS: dict[str, Callable[[], SequenceProblem]] = {
    "series": series,
    "series with years": lambda: series(times=1700 + np.arange(60)),
    "series with dates": lambda: series(times=np.arange("2000-01", "2005-01", dtype="M8[M]")),
    "series with falling times": lambda: series(times=-np.arange(60.0)),
    "long series": lambda: series(4000),
    "many outputs": lambda: series(n_outputs=6),
    "targets at the end": lambda: many(1, n_outputs=2),
    "sequences": lambda: many(18),
    "classes": lambda: classes(3),
    "many classes": lambda: classes(14),
    "shortest": lambda: SequenceProblem(np.zeros((1, 2, 1)), np.ones((1, 2, 1))),
}


@pytest.mark.parametrize("form", PROBLEMS)
def test_every_form_of_problem_is_drawn(form: str, tmp_path: Path) -> None:
    problem = PROBLEMS[form]()
    outputs = RNG.normal(size=problem.targets.shape)
    with drawing(form):
        paths = save(draw_prediction(outputs, problem, Look(form)), tmp_path, "prediction", ("png",))
    assert paths[0].read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("form", PROBLEMS)
def test_every_form_of_ensemble_is_drawn(form: str, tmp_path: Path) -> None:
    problem = PROBLEMS[form]()
    members = problem.original.targets + RNG.normal(size=(5, *problem.targets.shape))
    members[1, 0, -1] = np.inf
    said = Forecast(members, "median")
    if not problem.learned.by_class:
        said = Forecast(members, "median", Calibration.of(problem, said.prediction, said.spread))
    with drawing(form):
        paths = save(draw_ensemble(said, problem, Look(form)), tmp_path, "prediction", ("png", "svg"))
    assert paths[0].read_bytes().startswith(b"\x89PNG")
    assert (b"<!-- 90 % interval -->" in paths[1].read_bytes()) == form.startswith(
        ("series", "long series", "many outp")
    )


def test_set_with_an_ensemble_shows_its_prediction(tmp_path: Path) -> None:
    trials = TrialSet.open(tmp_path, "trials", identity="x", title="A $set_1$")
    for _ in range(3):
        make_record(trials.path, series())
    assert [path.name for path in plot_trials(trials, ["svg"])] == ["compare.svg"]
    save_predictor(trials.ensemble(), trials.path)
    first = {path.name: path.read_bytes() for path in plot_trials(trials, ["svg"])}
    assert set(first) == {"compare.svg", "prediction.svg"}
    assert {path.name: path.read_bytes() for path in plot_trials(trials, ["svg"])} == first
    (trials.path / "ensemble.json").write_text("{")
    with pytest.raises(RecordError, match=r"ensemble\.json"):
        plot_trials(trials)


HISTORIES: dict[str, dict[str, Any]] = {
    "one generation": {"n": 1},
    "all failed": {name: np.full(12, np.inf) for name in COLUMNS[3:8]} | {"incumbent_fitness": np.zeros(12)},
    "failed at first": {"incumbent_error": np.r_[np.full(6, np.inf), np.full(6, 0.5)]},
    "error zero": {"incumbent_error": np.zeros(12), "incumbent_fitness": np.full(12, np.finfo(float).max)},
    "constant": {name: np.full(12, 0.25) for name in COLUMNS[3:]},
    "extreme": {"best_error": np.geomspace(1e-300, 1e300, 12), "worst_error": np.full(12, 1e308)},
    "validated": {"validation_error": np.linspace(2, 1, 12)},
}


@pytest.mark.parametrize("case", HISTORIES)
def test_every_history_is_drawn(case: str, tmp_path: Path) -> None:
    values = {"n": 12, **HISTORIES[case]}
    with drawing(case):
        paths = save(draw_curves(columns(**values), case, ""), tmp_path, "curves", ("svg",))
    assert paths[0].stat().st_size > 10_000


def test_equal_records_give_equal_files_and_matplotlib_keeps_its_settings(tmp_path: Path) -> None:
    import matplotlib as mpl

    mpl.rcParams["lines.linewidth"] = 7.25
    before = dict(mpl.rcParams)
    record = make_record(tmp_path, series())
    first = {path.name: path.read_bytes() for path in plot_run(record)}
    assert set(first) == {"curves.png", "curves.svg", "prediction.png", "prediction.svg"}
    assert {path.name: path.read_bytes() for path in plot_run(record)} == first
    assert dict(mpl.rcParams) == before
    ET.fromstring(first["curves.svg"])  # noqa: S314 - our own file, and the test is that it is well-formed
    assert b"<dc:date>" not in first["curves.svg"]


def test_record_is_drawn_after_everything_else_has_gone(tmp_path: Path) -> None:
    record = make_record(tmp_path / "results", series())
    shutil.move(record.path, tmp_path / "kept")
    shutil.rmtree(tmp_path / "results")
    assert len(plot_run(RunRecord.open(tmp_path / "kept"), ("png",))) == 2


def test_record_without_champion_or_data_is_drawn_as_far_as_it_goes(tmp_path: Path) -> None:
    record = make_record(tmp_path, series())
    (record.path / "champion.npz").unlink()
    assert [path.name for path in plot_run(record, ("svg",))] == ["curves.svg"]
    (record.path / "history.csv").write_text(",".join(COLUMNS) + "\n")
    with pytest.raises(RecordError, match="no generation yet"):
        plot_run(RunRecord.open(record.path))


@pytest.mark.parametrize("formats", ["png", (), ("gif",)])
def test_unknown_format_is_refused(tmp_path: Path, formats: Any) -> None:
    with pytest.raises(ValueError, match="png, svg and pdf"):
        plot_run(make_record(tmp_path, series()), formats)


def test_files_may_go_elsewhere(tmp_path: Path) -> None:
    record = make_record(tmp_path / "results", series())
    paths = plot_run(record, ("png",), folder=tmp_path)
    assert {path.parent for path in paths} == {tmp_path}
    assert not (record.path / "plots").exists()


def test_thinned_curve_keeps_every_peak_and_the_median() -> None:
    x = np.arange(10_007)
    y = RNG.normal(size=len(x))
    y[[123, 9_999]] = 50.0, -50.0
    y[2000:2100] = np.nan
    curve = thin(x, y, 100)
    assert len(curve.x) == 100
    assert (np.nanmax(curve.high), np.nanmin(curve.low)) == (50.0, -50.0)
    edges = [*(np.arange(100) * len(x) // 100), len(x)]
    for index, (start, end) in enumerate(itertools.pairwise(edges)):
        if index != 20:
            np.testing.assert_equal(curve.middle[index], np.nanmedian(y[start:end]))
            assert (curve.low[index], curve.high[index]) == (np.nanmin(y[start:end]), np.nanmax(y[start:end]))
    _, low, high = thin_band(x, y - 1, y + 1, 100)
    np.testing.assert_array_equal(low, curve.low - 1)
    np.testing.assert_array_equal(high, curve.high + 1)
    assert thin(x[:50], y[:50], 100).middle.tolist() == y[:50].tolist()


def test_million_generations_are_drawn_in_seconds() -> None:
    table = columns(10**6, best_error=0.01 + RNG.random(10**6))
    began = time.monotonic()
    with drawing("a long history"):
        figure = draw_curves(table, "long", "")
        figure.canvas.draw()
    assert time.monotonic() - began < 20
    assert "834 each" in figure.axes[-1].get_xlabel()


def test_comparison_groups_runs_by_label(tmp_path: Path) -> None:
    records = [make_record(tmp_path / str(seed), series(), n=8 + seed) for seed in range(4)]
    labels = {record.path: f"group {index % 2}" for index, record in enumerate(records)}
    paths = plot_compare(records, tmp_path / "new" / "folder", group_by=lambda record: labels[record.path])
    assert [path.name for path in paths] == ["compare.png", "compare.svg"]
    assert b"group 0" in paths[1].read_bytes() or b"<!-- group 0 (2 runs) -->" in paths[1].read_bytes()
    with pytest.raises(ValueError, match="at least one run"):
        plot_compare([], tmp_path)


KEYS = {
    "numbers": [{"a.b": 2.0**n, "a.c": "x y"} for n in range(12)],
    "tables": [{"s": {"kind": "snes", "noise": n}} for n in (0.1, 0.2)],
    "mixed": [{"a.b": value} for value in (1, True, "$x_1$", [1, 2])],
    "one": [{"a.b": 0}],
}


@pytest.mark.parametrize("case", KEYS)
def test_every_kind_of_value_of_a_sweep_is_drawn(case: str, tmp_path: Path) -> None:
    sweep = SweepSet.open(tmp_path, "sweep", identity="x", keys=list(KEYS[case][0]), title="A $sweep_1$")
    assert plot_sweep(sweep) == []
    problem = SequenceProblem(RNG.normal(size=(1, 20, 1)), RNG.normal(size=(1, 20, 1)))
    for number, values in enumerate(KEYS[case]):
        trials = TrialSet.open(sweep.path, f"point{number}", identity=f"{number}", values=values)
        assert plot_trials(trials) == []
        for _ in range(2):
            make_record(trials.path, problem)
        assert [path.name for path in plot_trials(trials, ["svg"])] == ["compare.svg"]
        for record in trials.trials():
            run = json.loads((record.path / "run.json").read_text())
            run["champion"] = {"error": 0.5 + number}
            (record.path / "run.json").write_text(json.dumps(run))
    names = [path.name for path in plot_sweep(sweep)]
    assert names == ["sweep.png", "sweep.svg"] + ([] if len(KEYS[case]) > 7 else ["compare.png", "compare.svg"])
    assert all((sweep.path / "plots" / name).stat().st_size > 4000 for name in names)


def test_points_of_one_value_stand_side_by_side() -> None:
    places = _beside_each_other(["b", "a", "a", "b", "a"], ["b", "a"], np.array([1.0, 3.0, 2.0, 5.0, 4.0]))
    assert np.rint(places).tolist() == [0, 1, 1, 0, 1]
    assert places[0] < places[3]
    assert places[2] < places[1] < places[4]


def test_span_size_and_format_are_those_asked_for(tmp_path: Path) -> None:
    record = make_record(tmp_path / "results", series(times=1700 + np.arange(60)))
    looks: dict[str, Any] = {"folder": tmp_path / "a" / "b", "span": ("1710", 1720), "size": (7, 3)}
    paths = plot_run(record, ("svg", "pdf"), **looks)
    assert [path.name for path in paths] == ["curves.svg", "curves.pdf", "prediction.svg", "prediction.pdf"]
    first = [path.read_bytes() for path in paths]
    assert all(b'width="504pt" height="216pt"' in text for text in first[::2])
    assert b"1710 to 1720: 11 of 60 rows" in first[2]
    assert [path.read_bytes() for path in plot_run(record, ("svg", "pdf"), **looks)] == first
    with pytest.raises(BadInput, match="the times go from 1700 to 1759"):
        plot_run(record, span=(1800, None))
    with pytest.raises(BadInput, match="width and height in inches"):
        plot_run(record, size=(7, 0))


def test_long_series_says_which_rows_it_shows_and_passes_over_those_where_nothing_happens() -> None:
    values = np.sin(0.3 * np.arange(4001))
    values[:1101] = 0.0
    problem = SequenceProblem(
        values[None, :-1, None], values[None, 1:, None], parts={"train": (np.arange(4000) < 3000)[None],
                                                                "test": (np.arange(4000) >= 3000)[None]},
    )  # fmt: skip
    noise = 0.1 * np.arange(4000)[:, None] / 4000
    train, test = windows(problem.target_rows + noise, problem, None)
    assert (train.part, test.part) == ("train", "test")
    # Of the nine stretches that move, from row 1000 on and 200 rows apart, the errors rise: the fifth has the median.
    assert train.rows == slice(1800, 2200)
    assert train.text == "train, rows 1,801 to 2,200, 400 of 3,000 rows"


def test_predictions_of_runs_with_other_rows_are_laid_over_each_other_by_time(tmp_path: Path) -> None:
    times = 1700 + np.arange(60)
    whole = series(times=times).original
    fields = whole.fields()
    late = {name: fields[name][:, 5:] for name in ("inputs", "targets", "target_mask")} | {
        "times": times[5:], "lengths": None, "parts": {part: mask[:, 5:] for part, mask in fields["parts"].items()},
    }  # fmt: skip
    records = [
        make_record(tmp_path / name, problem)
        for name, problem in (("a", whole), ("b", SequenceProblem(**{**fields, **late})))
    ]
    moved = _aligned(records[1], whole, records[0])
    assert np.isnan(moved[:5]).all()
    own = records[1].network.predict_rows(records[1].champion.genome, records[1].problem.input_rows, np.array([55]))
    np.testing.assert_array_equal(moved[5:], own)
    names = {record.path: record.path.parent.name for record in records}
    paths = plot_predictions(records, tmp_path, ["svg"], label=lambda record: names[record.path])
    assert [path.name for path in paths] == ["predictions.svg"]
    other = make_record(tmp_path / "c", SequenceProblem(**{**fields, "targets": fields["targets"] + 1}))
    with pytest.raises(BadInput, match="other targets"):
        plot_predictions([records[0], other], tmp_path, label=lambda record: record.path.parent.name)
    with pytest.raises(BadInput, match="names that differ"):
        plot_predictions(records, tmp_path, label=lambda _: "x")
