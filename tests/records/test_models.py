"""New rows and forecasts, against problems that were built from the whole file, and against loops written out."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neuroevo.errors import BadInput
from neuroevo.networks import Gru
from neuroevo.prediction import Member, Predictor
from neuroevo.problems.series import Series
from neuroevo.records import Model

N_RUN, N_ALL = 90, 110
FIRST = dt.date(2020, 1, 1)


def days(n: int) -> list[str]:
    return [(FIRST + dt.timedelta(days=k)).isoformat() for k in range(n)]


def values(n: int) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(3)
    steps = np.arange(n)
    load = 50 + steps / 5 + 8 * np.sin(steps * 2 * np.pi / 7) + rng.normal(size=n)
    return np.column_stack([load, rng.normal(size=n), np.tile([0.0, 1.0, 1.0], n)[:n]]).round(6)


def write(path: Path, rows: slice, *, time: bool = True, columns: int = 3, blank: slice | None = None) -> Path:
    table = values(N_ALL + 40)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*(["day"] if time else []), "load", "wind", "plan"][: columns + time])
        for k in range(*rows.indices(len(table))):
            cells = [repr(float(value)) for value in table[k, :columns]]
            if blank is not None and k in range(*blank.indices(len(table))):
                cells[0] = ""
            writer.writerow([*([days(k + 1)[-1]] if time else []), *cells])
    return path


def series(path: Path, **keys: Any) -> Series:
    parts = {"train": 50, "validation": 25, "test": "rest"}
    return Series(**{"file": path.name, "time": "day", "input": "load", "parts": parts, **keys})


def model(folder: Path, n_members: int = 1, combine: Any = "median", **keys: Any) -> Model:
    """Of a run on the first rows, with random champions."""
    asked = series(write(folder / "run.csv", slice(0, N_RUN)), **keys)
    problem = asked.build(folder)
    network = Gru(problem.n_inputs, 3, problem.n_outputs)
    genomes = np.random.default_rng(n_members).normal(size=(n_members, network.n_genes)) / 2
    members = tuple(Member(network, genome, problem.scaling_arrays()) for genome in genomes)
    return Model(folder, (), Predictor(members, combine).calibrated(problem), problem, asked)


def whole(folder: Path, its: Model, n: int, **keys: Any) -> tuple[np.ndarray[Any, Any], list[str]]:
    """What the problem of the whole file says, built as for training: each step's predictions and their last times."""
    problem = series(write(folder / "whole.csv", slice(0, n)), **keys).build(folder)
    members = [
        problem.predictions(member.network.predict(member.genome, problem.inputs))[0]
        for member in its.predictor.champions
    ]
    assert problem.times is not None
    return np.median(members, axis=0), problem.times[0].tolist()


KEYS: list[dict[str, Any]] = [
    {},
    {"lags": 4},
    {"horizon": 3, "residual": "last_value"},
    {"lags": 3, "horizon": 7, "transform": "log", "residual": "linear"},
    {"residual": "seasonal", "season": 7, "transform": "difference", "horizon": 2},
    {"input": ("load", "wind"), "target": "load", "residual": "linear", "residual_lags": 3},
    {"input": ("load", "wind"), "target": ("load", "wind"), "lags": 2, "horizon": 2},
    {"input": ("load", "wind"), "target": "load", "lags": {"wind": 5}, "horizon": 4},
    {"input": "wind", "target": "load", "horizon": 0, "lags": 2},
    {"input": "load", "known": "plan", "horizon": 2},
    {"input": "load", "calendar": ("weekday", "month"), "lags": 2},
    {"horizon": (1, 3, 7), "lags": 2},
]


@pytest.mark.parametrize("keys", KEYS, ids=str)
@settings(deadline=None, max_examples=3, suppress_health_check=list(HealthCheck))
@given(start=st.integers(0, N_RUN), n_new=st.integers(1, 15), n_members=st.sampled_from([1, 3]))
def test_predict_is_what_the_problem_of_the_whole_file_says(
    keys: dict[str, Any], start: int, n_new: int, n_members: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("model")
    its = model(folder, n_members, **keys)
    horizons = its.loop.horizons
    needed = N_RUN - horizons[-1] if its.loop.lacking or its.loop.given else N_RUN
    start = min(start, needed)
    # Rows of plans are known ahead, as far as the file goes.
    n_file = N_RUN + n_new + (horizons[-1] if "known" in keys else 0)
    blank = slice(N_RUN + n_new, None) if "known" in keys else None
    table = its.predict(write(folder / "new.csv", slice(start, n_file), blank=blank))
    expected, times = whole(folder, its, N_RUN + n_new + horizons[-1], **keys)
    n_steps = len(table.prediction)
    assert n_steps == n_new + horizons[-1]
    np.testing.assert_allclose(table.prediction, expected[-n_steps:], rtol=1e-12, atol=1e-12)
    if len(horizons) == 1:
        assert list(table.keys["day"]) == times[-n_steps:]
    else:
        made = days(N_RUN + n_new)[-n_steps:]
        assert list(table.keys["last known day"]) == made
    calibration = its.predictor.calibration
    assert calibration is not None
    assert table.high is not None
    np.testing.assert_allclose(
        table.high - table.prediction, np.tile(calibration.half_width(0.9), (n_steps, 1)), rtol=1e-9
    )


def test_a_state_that_begins_anew_sees_the_file_alone(tmp_path: Path) -> None:
    its = model(tmp_path, lags=2, residual="last_value")
    table = its.predict(write(tmp_path / "new.csv", slice(95, 110)), restart=True)
    load = values(110)[95:110, 0]
    inputs = np.column_stack([load[1:], load[:-1]])
    np.testing.assert_array_equal(table.prediction, its.predictor.predict(inputs[None])[0])
    assert list(table.keys["day"]) == [*days(112)[97:110], *days(111)[110:]]


def test_rows_without_times_follow_at_once_or_are_the_same_again(tmp_path: Path) -> None:
    write(tmp_path / "run.csv", slice(0, N_RUN), time=False, columns=1)
    asked = series(tmp_path / "run.csv", time=None, lags=3, input=None)
    problem = asked.build(tmp_path)
    network = Gru(3, 2, 1)
    member = Member(network, np.random.default_rng(1).normal(size=network.n_genes), problem.scaling_arrays())
    its = Model(tmp_path, (), Predictor((member,)), problem, asked)
    tables = [
        its.predict(write(tmp_path / "new.csv", slice(start, 100), time=False, columns=1)) for start in (0, N_RUN)
    ]
    assert [list(table.keys["row"]) for table in tables] == [list(range(91, 102))] * 2
    np.testing.assert_array_equal(tables[0].prediction, tables[1].prediction)


@pytest.mark.parametrize(
    ("keys", "rows", "words"),
    [
        ({}, slice(92, 99), "there is a gap: the data of the run end at 2020-03-30, and new.csv begins at 2020-04-02"),
        ({}, slice(0, 40), "nothing follows the data of the run"),
        ({"span": ("2020-01-20", "2020-03-30"), "parts": {"train": 0.7, "test": "rest"}}, slice(0, 5), "lie before"),
        ({"input": ("load", "wind"), "target": "load"}, slice(90, 99), "let new.csv begin at 2020-03-30 or before it"),
        ({"input": "load", "known": "plan", "horizon": 2}, slice(90, 99), "begin at 2020-03-29 or before it"),
    ],
)
def test_what_does_not_follow_is_refused(keys: dict[str, Any], rows: slice, words: str, tmp_path: Path) -> None:
    its = model(tmp_path, **keys)
    with pytest.raises(BadInput, match=words):
        its.predict(write(tmp_path / "new.csv", rows))


def test_other_values_at_the_same_times_are_refused(tmp_path: Path) -> None:
    its = model(tmp_path)
    path = write(tmp_path / "new.csv", slice(60, 99))
    lines = path.read_text().splitlines()
    for place, day in ((3, "2020-03-03"), (30, "2020-03-30")):
        wrong = [*lines]
        wrong[place] = f"{wrong[place].split(',')[0]},-1,0,0"
        path.write_text("\n".join(wrong))
        with pytest.raises(BadInput, match=f"other values than the data of the run at {day}"):
            its.predict(path)
    path.write_text("\n".join(lines).replace("load", "power"))
    with pytest.raises(BadInput, match="no column 'load'"):
        its.predict(path)


def fed_back(its: Model, member: Member, series: list[float], lags: int, horizon: int, steps: int) -> list[float]:
    """Written out: the whole history once more for each step."""
    alone, known = Predictor((member,)), list(series)
    while len(known) < len(series) + steps:
        row = len(known) - horizon
        inputs = [[known[r - lag] for lag in range(lags)] for r in range(lags - 1, row + 1)]
        known.append(float(alone.predict([inputs])[0, -1, 0]))
    return known[len(series) :]


@pytest.mark.parametrize(
    "keys", [{}, {"lags": 3, "residual": "linear"}, {"horizon": 3, "lags": 2, "transform": "difference"}], ids=str
)
@pytest.mark.parametrize("n_more", [0, 4])
def test_a_forecast_feeds_each_member_with_its_own_outputs(keys: dict[str, Any], n_more: int, tmp_path: Path) -> None:
    its = model(tmp_path, 3, "mean", **keys)
    data = write(tmp_path / "new.csv", slice(N_RUN - 5, N_RUN + n_more)) if n_more else None
    table = its.forecast(6, data)
    load = values(N_ALL)[: N_RUN + n_more, 0].tolist()
    lags, horizon = keys.get("lags", 1), keys.get("horizon", 1)
    each = [fed_back(its, member, load, lags, horizon, 6) for member in its.predictor.champions]
    np.testing.assert_allclose(table.prediction[:, 0], np.mean(each, axis=0), rtol=1e-12)
    assert table.spread is not None
    np.testing.assert_allclose(table.spread[:, 0], np.std(each, axis=0), rtol=1e-9)
    assert list(table.keys["day"]) == days(N_RUN + n_more + 6)[-6:]
    assert table.past is not None
    assert list(table.past[1][-3:, 0]) == load[-3:]
    assert list(table.past[0][-3:]) == days(N_RUN + n_more)[-3:]


@pytest.mark.parametrize("horizon", [2])
def test_intervals_of_a_step_are_the_misses_of_such_forecasts_in_the_validation_part(
    horizon: int, tmp_path: Path
) -> None:
    its = model(tmp_path, horizon=horizon)
    table = its.forecast(8, level=0.8)
    load = values(N_ALL)[:N_RUN, 0].tolist()
    (member,) = its.predictor.champions
    misses: dict[int, list[float]] = {step: [] for step in range(8)}
    for origin in range(49, 74):  # from here the next row is one of the validation part, rows 50 to 74
        run = fed_back(its, member, load[: origin + 1], 1, horizon, 8)
        for step, value in enumerate(run):
            if origin + 1 + step <= 74:
                misses[step].append(abs(value - load[origin + 1 + step]))
    assert table.high is not None
    widest = 0.0
    for step, its_misses in misses.items():
        n = len(its_misses)
        assert n == 25 - step
        widest = max(widest, sorted(its_misses)[-(-(n + 1) * 4 // 5) - 1])
        np.testing.assert_allclose(table.high[step, 0] - table.prediction[step, 0], widest, rtol=1e-9)
    short = its.forecast(30, level=0.9)
    assert short.high is not None
    assert np.isfinite(short.high[:, 0]).tolist() == [True] * 17 + [False] * 13
    assert "beyond step 17" in short.notes[-1]
    with pytest.raises(BadInput, match="needs 99 forecasts from the validation part, and there are 25"):
        its.forecast(5, level=0.99)


def test_horizons_that_were_trained_for_are_used_before_outputs_come_back(tmp_path: Path) -> None:
    its = model(tmp_path, horizon=(1, 3), input=("load", "wind"), target="load")
    path = write(tmp_path / "new.csv", slice(80, 100))
    table, made = its.forecast(3, path), its.predict(path)
    # Step 1 by the first horizon; steps 2 and 3 by the second, from the last two rows.
    assert table.names == ("load",)
    np.testing.assert_array_equal(
        table.prediction[:, 0], [made.prediction[-1, 0], made.prediction[-2, 1], made.prediction[-1, 1]]
    )
    with pytest.raises(
        BadInput, match="beyond 3 steps outputs must come back as inputs, and of these 'wind' is no target"
    ):
        its.forecast(4, path)
    with pytest.raises(BadInput, match="lack the last 3 rows of 'wind'"):
        its.forecast(3)


def test_a_calendar_goes_on(tmp_path: Path) -> None:
    keys: dict[str, Any] = {"calendar": ("weekday",), "lags": 2}
    its = model(tmp_path, **keys)
    with pytest.raises(BadInput, match="lack the last 1 rows of what is known ahead"):
        its.forecast(5)
    table = its.forecast(10, write(tmp_path / "new.csv", slice(85, 95)))
    load, stream = values(N_ALL)[:95, 0].tolist(), its.predictor.stream()
    for row in range(1, 104):
        angle = 2 * np.pi * ((FIRST + dt.timedelta(days=row + 1)).weekday() / 7)
        said = stream.step([load[row], load[row - 1], np.sin(angle), np.cos(angle)])
        if row >= 94:
            load.append(float(said[0]))
    np.testing.assert_allclose(table.prediction[:, 0], load[95:], rtol=1e-9)


def test_plans_are_read_as_far_as_the_file_goes(tmp_path: Path) -> None:
    keys: dict[str, Any] = {"known": "plan", "calendar": "weekday", "lags": 2}
    its = model(tmp_path, **keys)
    path = write(tmp_path / "new.csv", slice(80, 105), blank=slice(95, None))
    table = its.forecast(10, path)
    every, stream = values(N_ALL), its.predictor.stream()
    load = every[:95, 0].tolist()
    for row in range(1, 104):
        angle = 2 * np.pi * ((FIRST + dt.timedelta(days=row + 1)).weekday() / 7)
        said = stream.step([load[row], load[row - 1], every[row + 1, 2], np.sin(angle), np.cos(angle)])
        if row >= 94:
            load.append(float(said[0]))
    np.testing.assert_allclose(table.prediction[:, 0], load[95:], rtol=1e-9)
    assert list(table.keys["day"]) == days(105)[95:]
    assert table.high is not None
    assert np.isfinite(table.high).all()
    with pytest.raises(BadInput, match="known ahead of time reaches for 10 steps"):
        its.forecast(11, path)


def test_tables_are_csv_json_and_columns(tmp_path: Path) -> None:
    its = model(tmp_path, 3, input=("load", "wind"), target=("load", "wind"))
    table = its.forecast(25)
    rows = list(csv.DictReader(io.StringIO(table.to_csv())))
    names = [f"{name}{what}" for name in ("load", "wind") for what in ("", "_lower", "_upper", "_spread")]
    assert list(rows[0]) == ["day", *names]
    assert [float(row["wind"]) for row in rows] == table.prediction[:, 1].tolist()
    assert rows[-1]["wind_lower"] == ""
    read = json.loads(table.to_json())
    assert read["level"] == 0.9
    assert read["rows"][3]["load_upper"] == float(rows[3]["load_upper"])
    assert read["rows"][-1]["wind_lower"] is None
    assert list(table.columns()) == ["day", *names]
