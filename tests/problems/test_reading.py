from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from neuroevo.errors import BadInput
from neuroevo.problems import PROBLEMS, DataError, RightClass
from neuroevo.problems.making import make_sequences, make_series
from neuroevo.problems.tables.missing import Gaps
from neuroevo.problems.tables.table import read_table
from neuroevo.problems.tables.text_files import Dialect
from neuroevo.settings import SettingsError, parse_settings

SHIPPED = Path(__file__).parents[2] / "scenarios"


def settings_of(kind, **values):
    return parse_settings(PROBLEMS[kind], {"file": "data.csv", **values}, "problem")


def series(folder, **values):
    return settings_of("series", **values).build(folder)


NAMES = st.text(st.characters(codec="cp1252", exclude_categories=("C", "Z"), exclude_characters='";|,#'), min_size=1)
VALUES = st.floats(allow_nan=False, allow_infinity=False)


@given(data=st.data(), n_columns=st.integers(1, 3), n_rows=st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_tables_come_back_in_any_dialect(tmp_path_factory, data, n_columns, n_rows):
    names = data.draw(st.lists(NAMES.map(lambda name: "n" + name), min_size=n_columns, max_size=n_columns, unique=True))
    decimal, separator = data.draw(
        st.sampled_from([(".", ","), (".", ";"), (",", ";"), (",", "\t"), (",", "|"), (".", " ")])
    )
    encoding = data.draw(st.sampled_from(["utf-8", "cp1252", "utf-16"]))
    values = np.array(data.draw(st.lists(VALUES, min_size=n_rows * n_columns, max_size=n_rows * n_columns)))
    rows = values.reshape(n_rows, n_columns)
    quoted = data.draw(st.booleans())
    cells = [names, *([repr(value).replace(".", decimal) for value in row] for row in rows.tolist())]
    text = "\n".join(separator.join(f'"{cell}"' if quoted else cell for cell in line) for line in cells)
    path = tmp_path_factory.mktemp("csv") / "data.csv"
    path.write_bytes(text.encode(encoding))
    shown = None if separator in "\t;," and n_columns > 1 and not (separator == ";" and decimal == ",") else separator
    table = read_table(path, Dialect(decimal, shown, encoding))
    assert table.names == tuple(names)
    found = np.column_stack([table.numbers(i + 1) for i in range(n_columns)])
    assert found.tobytes() == rows.tobytes()


def test_a_semicolon_is_found_although_cells_have_decimal_commas(tmp_path):
    (tmp_path / "data.csv").write_text("day;load, MW;wind, m/s\n1;3,5;1,0\n2;4,5;2,0\n")
    table = read_table(tmp_path / "data.csv", Dialect(","))
    assert table.names == ("day", "load, MW", "wind, m/s")
    assert table.numbers("load, MW").tolist() == [3.5, 4.5]


DIALECTS = [
    (
        b"a;b\n1,5;2\n2,5;3\n2,5;3\n",
        {},
        r"'1,5' is not a finite number; write a decimal point, not a comma, or set decimal = \",\"",
    ),
    (
        b"a;b\n1.234,5;2\n1,5;2\n1,5;2\n",
        {"decimal": ","},
        "numbers have no points, and no thousands separators",
    ),
    ("a,ä\n1,2\n".encode("cp1252"), {}, 'it may be cp1252: set encoding = "cp1252"'),
    (b"a,b\x81\n1,2\n", {}, 'it may be latin-1: set encoding = "latin-1"'),
    ("a,ä\n1,2\n".encode("utf-16"), {}, 'set encoding = "utf-16"'),
    ("a,ä\n1,2\n".encode(), {"encoding": "ascii"}, "line 1: the text is not encoded as ascii"),
    (b"PK\x03\x04 [Content_Types].xml", {}, "is an Excel workbook"),
    (b"1 5\n2 6\n3 7\n", {}, 'separator = " "'),
]


@pytest.mark.parametrize(("content", "keys", "message"), DIALECTS, ids=[str(i) for i in range(len(DIALECTS))])
def test_what_is_written_otherwise_is_answered_with_the_key_that_helps(tmp_path, content, keys, message):
    (tmp_path / "data.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        series(tmp_path, input=1, **keys)


SETTINGS = [
    ({"encoding": "utf-800"}, "problem.encoding: must be the name of an encoding"),
    ({"separator": "ab"}, "problem.separator: must be one character"),
    ({"decimal": ",", "separator": ","}, "problem.separator: must differ from decimal"),
    ({"missing": "forwards"}, "problem.missing: must be .*did you mean 'forward'"),
    ({"calendar": ["hours"]}, "problem.calendar: must be .*did you mean 'hour'"),
    ({"horizon": [24, 1]}, "problem.horizon: must be rising"),
    ({"horizon": []}, "problem.horizon: must be"),
    ({"lags": {"a": 0}}, "problem.lags: must be"),
    ({"file": []}, "problem.file: must name"),
    ({"labels": "a", "target": "b"}, "problem.labels: give either"),
    ({"parts": {"train": 0.5, "test": ["b*.csv"]}}, "problem.parts.train: must be a list of files"),
    ({"parts": {"train": ["a.csv"], "validation": 1.0}}, "must leave something of the training files"),
]


@pytest.mark.parametrize(("values", "message"), SETTINGS, ids=[str(i) for i in range(len(SETTINGS))])
def test_impossible_keys_are_refused_before_anything_is_read(values, message):
    with pytest.raises(SettingsError, match=message):
        settings_of("series", **values)


@st.composite
def gapped(draw):
    n = draw(st.integers(1, 12))
    known = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    groups = np.cumsum(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    zones = np.cumsum(draw(st.lists(st.booleans(), min_size=n, max_size=n))) - 1
    moments = np.cumsum(draw(st.lists(st.integers(0, 5), min_size=n, max_size=n))).astype(float)
    return np.where(known, np.arange(n) ** 2.0, np.nan), known, groups, zones, moments


@given(given=gapped(), rule=st.sampled_from(["forward", "interpolate"]))
@settings(max_examples=150, deadline=None)
def test_what_stands_in_is_that_of_a_loop(given, rule):
    values, known, groups, zones, moments = given
    gaps = Gaps(rule, groups, zones, moments)
    sources = gaps.sources(known)
    found, drawn = gaps.filled(values, known)
    for row in range(len(values)):
        same = [i for i in range(len(values)) if groups[i] == groups[row] and known[i]]
        before, after = [i for i in same if i <= row], [i for i in same if i >= row]
        if not before and not (after and zones[row] in (-1, zones[after[0]])):
            assert sources[row] == -1
            continue
        last = before[-1] if before else after[0]
        assert sources[row] == last
        between = before and after and zones[before[-1]] == zones[after[0]] and moments[after[0]] > moments[before[-1]]
        if rule == "interpolate" and not known[row] and between:
            line = np.interp(
                moments[row], [moments[before[-1]], moments[after[0]]], [values[before[-1]], values[after[0]]]
            )
            assert found[row] == pytest.approx(line)
            assert drawn[row]
        else:
            assert found[row] == values[last]
            assert not drawn[row]


@pytest.fixture
def folder(tmp_path):
    """Hours with a gap at the third, fourth and last row, and one in the weekday; the training part is rows 1 to 8."""
    lines = ["t,load,day,note"]
    for i in range(12):
        load = "" if i in (2, 3, 9) else i * i
        day = "" if i == 5 else "Mon" if i < 10 and i % 2 else "Tue" if i < 10 else "Sun"
        lines.append(f"2021-01-01 {i:02d}:00,{load},{day},{i}")
    (tmp_path / "data.csv").write_text("\n".join(lines))
    return tmp_path


KEYS = {
    "time": "t",
    "input": ["load", "day"],
    "target": "load",
    "scaling": "none",
    "parts": {"train": 8, "test": "rest"},
}


def test_missing_cells_are_refused_with_advice_that_works(folder):
    with pytest.raises(DataError, match=r"line 4, column 'load': the value is missing; .* missing = \"forward\""):
        series(folder, **KEYS)
    problem = series(folder, **KEYS, missing="forward")
    assert problem.inputs[0, :, 0].tolist() == [0, 1, 1, 1, 16, 25, 36, 49, 64, 64, 100]
    assert problem.target_mask[0, :, 0].tolist() == [
        True,
        False,
        False,
        True,
        True,
        True,
        True,
        True,
        False,
        True,
        True,
    ]
    assert problem.input_names == ("load", "day=Mon", "day=Tue")
    assert problem.inputs[0, 5].tolist() == [25, 0, 1]  # the day before stands in
    assert problem.inputs[0, 10].tolist() == [100, 0, 0]  # nobody has seen a Sunday
    told = problem.warnings()
    assert any("3 of 12 cells of 'load' are missing: the last known value stands in" in text for text in told)
    assert any("'day' has texts that the training part lacks, 'Sun', in 2 rows" in text for text in told)


def test_a_line_to_a_later_value_stays_within_its_part_and_is_told_outside_training(folder):
    problem = series(folder, **KEYS, missing="interpolate")
    assert problem.inputs[0, :, 0].tolist() == [0, 1, 6, 11, 16, 25, 36, 49, 64, 82, 100]
    assert any("1 cells of part 'test' were filled by a line to a later value" in text for text in problem.warnings())
    problem = series(folder, **{**KEYS, "parts": {"train": 3, "test": "rest"}}, missing="interpolate")
    assert problem.inputs[0, :4, 0].tolist() == [0, 1, 1, 1]


def test_masks_are_inputs_where_training_has_gaps(folder):
    problem = series(folder, **KEYS, missing="mask", lags={"load": 2})
    assert problem.input_names == (
        "load", "load (t-1)", "load is missing", "load is missing (t-1)", "day=Mon", "day=Tue", "day is missing",
    )  # fmt: skip
    assert problem.inputs[0, :4].tolist() == [
        [1, 0, 0, 0, 1, 0, 0], [1, 1, 1, 0, 0, 1, 0], [1, 1, 1, 1, 1, 0, 0], [16, 1, 0, 1, 0, 1, 0],
    ]  # fmt: skip
    late = series(folder, **{**KEYS, "parts": {"train": 2, "test": "rest"}}, missing="mask")
    assert late.input_names == ("load", "day=Mon", "day=Tue")


@given(seed=st.integers(0, 2**31), rule=st.sampled_from(["forward", "interpolate", "mask"]))
@settings(max_examples=30, deadline=None)
def test_nothing_of_the_test_part_is_in_what_training_sees(seed, rule):
    rng = np.random.default_rng(seed)
    values = np.where(rng.random(20) < 0.4, np.nan, rng.normal(size=20))
    other = np.concatenate([values[:10], np.where(rng.random(10) < 0.4, np.nan, rng.normal(size=10))])
    keys = {"target": "y", "input": ["y", "kind"], "missing": rule, "parts": {"train": 10, "test": "rest"}, "lags": 2}
    kinds = np.array(["a", "b"])[rng.integers(2, size=20)]
    others = np.concatenate([kinds[:10], np.full(10, "c")])
    assume(not np.isnan(values[:10]).all())
    with contextlib.suppress(BadInput):  # hardly anything is left to train on
        one = make_series({"y": values, "kind": kinds}, **keys)
        two = make_series({"y": other, "kind": others}, **keys)
        train = one.parts["train"][0]
        assert one.input_names == two.input_names
        assert np.array_equal(one.inputs[0][train], two.inputs[0][train])
        assert np.array_equal(one.counted("train"), two.counted("train"))


@given(
    data=st.data(),
    n_rows=st.integers(8, 25),
    horizons=st.lists(st.integers(1, 4), min_size=1, max_size=3, unique=True).map(sorted),
)
@settings(max_examples=60, deadline=None)
def test_steps_are_those_of_a_loop(data, n_rows, horizons):
    lags = data.draw(st.dictionaries(st.sampled_from(["x", "y"]), st.integers(1, 3)))
    n_train = data.draw(st.integers(1, n_rows - 1))
    rng = np.random.default_rng(n_rows)
    columns = {name: rng.normal(size=n_rows) for name in ("x", "y", "plan")}
    lag = {"x": lags.get("x", 1), "y": lags.get("y", 1)}
    first, reach = max(lag.values()) - 1, horizons[-1]
    keys = {
        "input": ["x", "y"], "target": ["y", "x"], "lags": lags, "horizon": horizons, "known": "plan",
        "parts": {"train": n_train, "test": "rest"}, "scaling": "none",
    }  # fmt: skip
    if not first + reach < n_train < n_rows:
        with pytest.raises(DataError):
            make_series(columns, **keys)
        return
    problem = make_series(columns, **keys)
    assert problem.n_steps == n_rows - first - reach
    assert problem.tied == (lag["x"],) * len(horizons) + (0,) * len(horizons)
    for step in range(problem.n_steps):
        now = first + step
        seen = [columns[name][now - k] for name in ("x", "y") for k in range(lag[name])]
        assert problem.inputs[0, step].tolist() == seen + [columns["plan"][now + h] for h in horizons]
        assert problem.targets[0, step].tolist() == [columns[name][now + h] for name in ("y", "x") for h in horizons]
        assert problem.times[0, step] == now + reach + 1
        assert problem.counted("train")[0, step].all() == (now + reach < n_train)
    if len(horizons) > 1:
        assert problem.target_names[:2] == (f"y +{horizons[0]}", f"y +{horizons[1]}")


def test_the_season_of_each_horizon_is_repeated():
    wave = np.tile([3.0, 1.0, 4.0, 1.5, 5.0, 9.0, 2.0], 12)
    problem = make_series({"y": wave}, target="y", horizon=[1, 3, 9], season=7, scaling="standard")
    seasonal = problem.competitors()["last season repeated (7 steps)"]
    last = problem.competitors()["last value repeated"]
    assert seasonal["test"]["rmse"] == pytest.approx(0, abs=1e-12)
    ahead = np.concatenate([wave[h : h + 75] - wave[:75] for h in (1, 3, 9)])
    both = [values["rmse"] ** 2 * problem.counted(part).sum() for part, values in last.items()]
    assert sum(both) == pytest.approx((ahead**2).sum())


def test_the_calendar_is_that_of_the_predicted_row(folder):
    problem = series(folder, **KEYS, missing="forward", calendar="hour", horizon=3)
    turned = 2 * np.pi * (np.arange(9) + 3) / 24
    assert problem.input_names[-2:] == ("hour sin", "hour cos")
    assert problem.inputs[0, :, -2:] == pytest.approx(np.column_stack([np.sin(turned), np.cos(turned)]))
    with pytest.raises(DataError, match="calendar needs dates"):
        series(folder, **{**KEYS, "time": "note"}, missing="forward", calendar="hour")


def test_texts_are_classes_as_targets(folder):
    (folder / "data.csv").write_text("a,state\n" + "".join(f"{i},{'up' if i % 3 else 'down'}\n" for i in range(20)))
    named = series(folder, input="a", labels="state", horizon=0, class_weights="balanced")
    assert named.learned == RightClass()
    assert named.target_names == ("down", "up")
    assert named.targets[0, :4].tolist() == [[1, 0], [0, 1], [0, 1], [1, 0]]
    assert np.array_equal(series(folder, input="a", target="state", horizon=0).targets, named.targets)
    (folder / "data.csv").write_text("a,state\n" + "".join(f"{i},{i % 3 * 5}\n" for i in range(60)))
    assert series(folder, input="a", labels="state").target_names == ("0", "5", "10")


MISTAKES = [
    ({"input": "note", "target": "load", "known": "x"}, "has no column 'x'"),
    ({"known": "load"}, "known names the target 'load': it would be handed the answer"),
    ({"parts": {"train": ["01.01.2021", "31.12.2021"]}}, r"the times begin with the year \(2021-01-01 00:00 ...\), so"),
    ({"span": ["01.01.2021", "31.12.2021"]}, "limits must too, such as"),
    ({"lags": {"lod": 2}}, "lags names 'lod', which is no input; did you mean 'load'"),
    (
        {"file": "codes.csv", "time": None, "input": "t", "parts": {"train": 30, "test": "rest"}},
        "column 't' holds 30 different texts in 30 training rows",
    ),
    ({"labels": "day", "target": None, "horizon": [1, 2]}, "classes have one horizon"),
    ({"parts": {"train": ["x*.csv"]}}, "names none of the files, data.csv"),
    ({"parts": {"train": ["*.csv"], "test": ["data.csv"]}}, "both name data.csv"),
    ({"file": "x*.csv"}, "no file fits"),
    ({"file": ["data.csv", "dat*.csv"]}, "is named twice"),
    (
        {"file": ["data.csv", "short.csv"], "parts": {"train": ["data.csv"], "test": ["short.csv"]}},
        "short.csv is too short",
    ),
    ({"file": ["data.csv", "other.csv"]}, "other.csv has no column 'load'"),
]


@pytest.mark.parametrize(("values", "message"), MISTAKES, ids=[str(i) for i in range(len(MISTAKES))])
def test_what_the_data_cannot_give_is_refused(folder, values, message):
    (folder / "short.csv").write_text("t,load,day\n2021-01-01,1,Mon\n")
    (folder / "other.csv").write_text("t,day\n" + "".join(f"2021-01-{i},Mon\n" for i in range(10, 30)))
    (folder / "codes.csv").write_text("t,load\n" + "".join(f"t{i},{i}\n" for i in range(40)))
    keys = {name: value for name, value in {**KEYS, "missing": "forward", **values}.items() if value is not None}
    with pytest.raises((DataError, SettingsError), match=message):
        series(folder, **keys)


@pytest.fixture
def machines(tmp_path):
    """machine_1.csv to machine_11.csv of 20 rows more than their number; x counts on from 100 times the number."""
    for m in range(1, 12):
        rows = [f"{100 * m + i},{'ab'[i % 2]},{'hot' if i % 4 else 'cold'}" for i in range(20 + m)]
        (tmp_path / f"machine_{m}.csv").write_text("x,mode,state\n" + "\n".join(rows))
    return tmp_path


FILES = {"file": "machine_*.csv", "parts": {"train": ["machine_?.csv"], "validation": 0.25, "test": ["machine_1?.csv"]}}


def test_each_file_is_a_series_and_parts_are_files(machines):
    problem = series(machines, **FILES, input=["x", "mode"], target="x", lags={"x": 2}, scaling="none")
    assert problem.lengths.tolist() == [20 + m - 2 for m in range(1, 12)]
    assert problem.inputs[9, 0].tolist() == [1001, 1000, 0, 1]
    for m in range(1, 10):
        n = 20 + m
        counted = {part: problem.counted(part)[m - 1, :, 0] for part in problem.parts}
        n_train = round(0.75 * n)
        steps = np.arange(problem.n_steps) + 2  # the row of each target
        assert counted["train"].tolist() == (steps < n_train).tolist()
        assert counted["validation"].tolist() == ((steps >= n_train) & (steps < n)).tolist()
        assert not counted["test"].any()
    assert problem.counted("test")[9:, :, 0].sum() == 28 + 29
    with_shares = series(
        machines, file=["machine_1.csv", "machine_2.csv"], input="x", parts={"train": 10, "test": "rest"}
    )
    assert with_shares.counted("train").sum(axis=(1, 2)).tolist() == [9, 9]


def test_files_are_sequences_with_horizons_and_lags(machines):
    keys = {"inputs": ["x", "mode"], "targets": "x", "horizon": [1, 3], "lags": {"x": 2}, "scaling": "none"}
    problem = settings_of("sequences", **FILES, **keys).build(machines)
    alike = series(machines, **FILES, input=["x", "mode"], target="x", horizon=[1, 3], lags={"x": 2}, scaling="none")
    for name in ("inputs", "targets", "lengths"):
        assert np.array_equal(getattr(problem, name), getattr(alike, name))
    assert all(np.array_equal(problem.counted(part), alike.counted(part)) for part in problem.parts)
    assert (problem.target_names, problem.tied) == (("x +1", "x +3"), (0, 0))
    by_row = settings_of("sequences", file="machine_*.csv", inputs="x", labels="state", counts="all").build(machines)
    assert by_row.targets[0, :5].tolist() == [[1, 0], [0, 1], [0, 1], [0, 1], [1, 0]]
    with pytest.raises(DataError, match='counts = "all" each row has a label of its own'):
        settings_of("sequences", file="machine_*.csv", inputs="x", labels="state").build(machines)
    with pytest.raises(DataError, match=r"validation = 0\.2 for a share"):
        settings_of("sequences", **FILES, inputs="x", targets="x").build(machines)


def test_sequences_of_one_table_and_of_files_are_the_same(machines):
    rows = [line for m in range(1, 12) for line in (machines / f"machine_{m}.csv").read_text().splitlines()[1:]]
    owners = [m for m in range(1, 12) for _ in range(20 + m)]
    text = "id,x,mode,state\n" + "\n".join(f"{owner},{row}" for owner, row in zip(owners, rows, strict=True))
    (machines / "all.csv").write_text(text)
    keys = {"inputs": ["x", "mode"], "targets": "x", "horizon": 2}
    one = settings_of("sequences", file="all.csv", sequence="id", **keys).build(machines)
    many = settings_of("sequences", file="machine_*.csv", **keys).build(machines)
    assert one.to_arrays().keys() == many.to_arrays().keys()
    assert all(np.array_equal(a, many.to_arrays()[name]) for name, a in one.to_arrays().items())


@given(
    n_rows=st.integers(12, 24),
    rule=st.sampled_from(["forward", "interpolate", "mask"]),
    horizon=st.sampled_from([0, 1, [1, 2]]),
    lags=st.sampled_from([1, 3, {"y": 2}]),
    ahead=st.integers(0, 3),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=60, deadline=None)
def test_other_data_are_read_as_the_problem_was(n_rows, rule, horizon, lags, ahead, seed):
    rng = np.random.default_rng(seed)
    holes = rng.random(n_rows) < 0.2
    # Lines of the problem do not pass from training to test, and new data have no parts.
    holes[[0, n_rows - 1, round(0.7 * n_rows) - 1, round(0.7 * n_rows)]] = False
    times = [f"2021-01-{i + 1:02d}" for i in range(n_rows + ahead)]
    empty = np.full(ahead, np.nan)
    columns = {
        "t": times, "y": np.concatenate([np.where(holes, np.nan, rng.normal(size=n_rows)), empty]),
        "kind": ["ab"[i % 2] if i < n_rows else "" for i in range(n_rows + ahead)],
        "plan": np.arange(n_rows + ahead) % 3, "z": np.concatenate([rng.normal(size=n_rows), empty]),
    }  # fmt: skip
    keys = {
        "file": "data.csv", "time": "t", "input": ["y", "kind"], "target": "z" if horizon == 0 else ["z", "y"],
        "missing": rule, "horizon": horizon, "lags": lags, "known": "plan", "calendar": "weekday",
        "parts": {"train": 0.7, "test": "rest"},
    }  # fmt: skip
    parsed = parse_settings(PROBLEMS["series"], keys)
    problem = make_series(columns, **{name: value for name, value in keys.items() if name != "file"})
    (found,) = parsed.read_inputs(columns, problem)
    n_steps, mask = problem.n_steps, problem.target_mask[0]
    assert np.array_equal(found.inputs[:n_steps], problem.original.inputs[0])
    assert np.array_equal(found.targets[:n_steps][mask], problem.original.targets[0][mask])
    assert np.isnan(found.targets[:n_steps][~mask]).all()
    assert found.target_times[:n_steps, -1].tolist() == problem.times[0].tolist()
    reach = horizon if isinstance(horizon, int) else horizon[-1]
    assert len(found.inputs) == n_steps + min(reach, ahead)
    assert np.isnan(found.targets[n_steps:, -1]).all()
    without = {name: column for name, column in columns.items() if name != "z"}
    (blind,) = parsed.read_inputs(without, problem)
    assert np.array_equal(blind.inputs, found.inputs)


def test_rows_whose_targets_nobody_knows_yet_have_times(folder):
    parsed = settings_of("series", **KEYS, missing="forward", horizon=[1, 24])
    days = {"t": [f"2021-02-{i + 1:02d} 00:00" for i in range(28)], "load": np.arange(28.0), "day": ["Mon"] * 28}
    built = make_series(days, **{**KEYS, "horizon": [1, 24], "parts": {"train": 26, "test": "rest"}})
    (found,) = parsed.read_inputs({name: column[:3] for name, column in days.items()}, built)
    assert found.times.tolist() == ["2021-02-01 00:00", "2021-02-02 00:00", "2021-02-03 00:00"]
    assert found.target_times[-1].tolist() == ["2021-02-04 00:00", "2021-02-27 00:00"]
    assert found.targets[0, 0] == 1.0
    assert np.isnan(found.targets[2]).all()
    with pytest.raises(DataError, match="has no column 'day'"):
        parsed.read_inputs({"t": days["t"], "load": days["load"]}, built)
    with pytest.raises(DataError, match="the problem has"):
        settings_of("series", **KEYS, lags=3, horizon=[1, 24]).read_inputs(days, built)


def test_new_sequences_are_read_as_the_old_ones(machines):
    parsed = settings_of("sequences", **FILES, inputs=["x", "mode"], targets="x", horizon=2)
    problem = parsed.build(machines)
    (found,) = parsed.read_inputs(machines / "machine_3.csv", problem)
    length = problem.lengths[2]
    assert np.array_equal(found.inputs[:length], problem.original.inputs[2, :length])
    assert len(found.inputs) == length + 2
    assert np.isnan(found.targets[-2:]).all()


def test_arrays_of_sequences_may_have_gaps(tmp_path):
    x = np.arange(24.0).reshape(4, 3, 2)
    x[1, 1, 0] = np.nan
    y = np.arange(12.0).reshape(4, 3, 1)
    y[0, 2] = np.nan
    np.savez(tmp_path / "data.npz", X=x, y=y, n=np.full(4, 3))
    keys = {"file": "data.npz", "targets": "y", "lengths": "n", "scaling": "none", "counts": "all"}
    with pytest.raises(DataError, match='set missing = "forward"'):
        settings_of("sequences", **keys).build(tmp_path)
    forward = settings_of("sequences", **keys, missing="forward").build(tmp_path)
    assert forward.inputs[1, :, 0].tolist() == [6, 6, 10]
    assert not forward.target_mask[0, 2, 0]
    assert forward.target_mask.sum() == 11
    assert settings_of("sequences", **keys, missing="interpolate").build(tmp_path).inputs[1, 1, 0] == 8
    with pytest.raises(DataError, match="is for CSV and Parquet"):
        settings_of("sequences", **keys, missing="mask").build(tmp_path)
    parsed = settings_of("sequences", **keys, missing="forward")
    np.savez(tmp_path / "new.npz", X=x)
    found = parsed.read_inputs(tmp_path / "new.npz", forward)
    assert [each.inputs.shape for each in found] == [(3, 2)] * 4
    assert all(np.isnan(each.targets).all() for each in found)


def test_classes_of_new_arrays_are_those_of_the_problem():
    values = {"file": "data/japanese_vowels.npz", "labels": "y", "lengths": "len", "parts": ["train", "test"]}
    parsed = settings_of("sequences", **values)
    problem = parsed.build(SHIPPED)
    found = parsed.read_inputs(SHIPPED / values["file"], problem)
    assert len(found) == problem.n_sequences
    for i in (0, 300, 639):
        n = problem.lengths[i]
        assert np.array_equal(found[i].inputs, problem.original.inputs[i, :n])
        assert np.array_equal(found[i].targets[-1], problem.targets[i, n - 1])
        assert np.isnan(found[i].targets[:-1]).all()


def test_mappings_and_lists_of_them_are_files():
    one = {"y": np.sin(np.arange(30.0)), "flag": np.arange(30) % 2 == 0}
    problem = make_series([one, one], input=["y", "flag"], target="y")
    assert problem.n_sequences == 2
    named = {"a": one, "b": one}
    assert make_series(named, input="y", parts={"train": ["a*"], "test": ["b*"]}).counted("test")[0].sum() == 0
    many = {"id": np.repeat([1, 2, 3, 4], 5), "y": np.arange(20.0), "kind": np.repeat(["a", "b", "a", "b"], 5)}
    assert make_sequences(many, sequence="id", inputs="y", labels="kind").target_names == ("a", "b")
    with pytest.raises(TypeError, match="data must be a data frame"):
        make_series(3)
    with pytest.raises(DataError, match="same length"):
        make_series({"a": [1, 2], "b": [1]})


@pytest.mark.peers
@pytest.mark.parametrize("package", ["polars", "pandas"])
def test_frames_and_parquet_are_the_mapping_that_they_were_made_of(tmp_path, package):
    import datetime

    frames = pytest.importorskip(package)
    start = datetime.datetime(2021, 1, 1)
    columns = {
        "t": [start + datetime.timedelta(hours=i) for i in range(40)],
        "y": [None if i == 7 else float(i * i) for i in range(40)],
        "kind": ["ab"[i % 2] for i in range(40)],
        "flag": [i % 3 == 0 for i in range(40)],
    }
    keys = {"time": "t", "input": ["y", "kind", "flag"], "target": "y", "missing": "interpolate", "calendar": "hour"}
    plain = make_series({**columns, "t": [str(moment) for moment in columns["t"]]}, **keys).to_arrays()
    frame = frames.DataFrame(columns)
    (frame.write_parquet if package == "polars" else frame.to_parquet)(tmp_path / "data.parquet")
    for data in (frame, tmp_path / "data.parquet"):
        found = make_series(data, **keys).to_arrays()
        assert found["times"][0, 0] == "2021-01-01 01:00"
        assert all(np.array_equal(array, found[name]) for name, array in plain.items() if name != "times")


@pytest.mark.peers
@given(given=gapped())
@settings(max_examples=50, deadline=None)
def test_what_stands_in_is_that_of_pandas(given):
    pandas = pytest.importorskip("pandas")
    values, known, _, _, moments = given
    alike = np.zeros(len(values), dtype=np.int64)  # one sequence, one part
    if not known.any() or (np.diff(moments) == 0).any():
        return
    column = pandas.Series(values, index=moments)
    for rule, its in (
        ("forward", column.ffill()),
        ("interpolate", column.interpolate("index", limit_area="inside").ffill()),
    ):
        found, _ = Gaps(rule, alike, alike, moments).filled(values, known)
        assert found == pytest.approx(its.bfill().to_numpy())


@pytest.mark.peers
def test_nulls_and_indices_of_pandas_are_read():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"y": pandas.array([*range(19), None], dtype="Int64"), "kind": pandas.array([None, *["a", "b"] * 9, "a"])},
        index=pandas.date_range("2021-01-01", periods=20, name="day"),
    )
    problem = make_series(frame, time="day", input=["y", "kind"], target="y", missing="forward")
    assert problem.times[0, [0, -1]].tolist() == ["2021-01-02", "2021-01-20"]
    assert problem.inputs.shape == (1, 19, 3)
    assert not problem.target_mask[0, -1, 0]


def test_limits_with_times_of_day_are_those_of_the_labels():
    import tomllib

    columns = {"t": [f"{i // 24 + 1}.1.2021 {i % 24}:00" for i in range(96)], "y": np.sin(np.arange(96.0))}
    parts = tomllib.loads("train = [2021-01-01, 2021-01-02T12:00:00]\ntest = ['2021-01-02T13:00', '2021-01-03']")
    problem = make_series(columns, time="t", input="y", parts=parts)
    assert [int(problem.counted(part).sum()) for part in problem.parts] == [36, 35]
    assert problem.describe().parts[1].first == "2021-01-02 13:00"
