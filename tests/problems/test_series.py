from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroevo.problems import PROBLEMS, DataError
from neuroevo.settings import SettingsError, parse_settings

SHIPPED = Path(__file__).parents[2] / "scenarios"
HALVES = {"train": [1700, 1920], "test_1921_1955": [1921, 1955], "test_1956_1979": [1956, 1979]}


def series(folder, **values):
    return parse_settings(PROBLEMS["series"], {"file": "data.csv", **values}, "problem").build(folder)


@pytest.fixture
def folder(tmp_path):
    """Rows 1900 ... 1919: a = 0 ... 19, b = 100 ... 119, every fifth row flagged."""
    rows = [f"{1900 + i},{i},{100 + i},{int(i % 5 == 0)}" for i in range(20)]
    (tmp_path / "data.csv").write_text("year,a,b,flag\n" + "\n".join(rows))
    return tmp_path


def test_sunspots_are_split_by_the_year_that_is_predicted():
    problem = series(SHIPPED, file="data/sunspots_yearly.csv", time="year", parts=HALVES)
    years = {part: problem.times[problem.counted(part).any(axis=2)] for part in problem.parts}
    assert years["train"].tolist() == list(range(1701, 1921))
    assert years["test_1921_1955"].tolist() == list(range(1921, 1956))
    assert years["test_1956_1979"].tolist() == list(range(1956, 1980))
    assert problem.n_sequences == 1
    assert problem.tied == (0,)
    assert (problem.input_names, problem.target_names) == (("sunspots",), ("sunspots",))


@given(
    n_rows=st.integers(4, 30),
    horizon=st.integers(1, 4),
    lags=st.integers(1, 4),
    n_train=st.integers(1, 29),
    scale=st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_windows_are_those_of_a_loop(tmp_path_factory, n_rows, horizon, lags, n_train, scale):
    folder = tmp_path_factory.mktemp("series")
    values = np.random.default_rng(n_rows).normal(size=(n_rows, 2))
    np.savez(folder / "data.npz", x=values[:, 0], y=values[:, 1])
    arguments = {
        "file": "data.npz", "input": ["x", "y"], "target": ["y"], "horizon": horizon, "lags": lags,
        "parts": {"train": n_train, "test": "rest"}, "scaling": "standard" if scale else "none",
    }  # fmt: skip
    first = lags - 1 + horizon
    if not (first < n_train < n_rows):
        with pytest.raises(DataError):
            series(folder, **arguments)
        return
    problem = series(folder, **arguments).original
    assert problem.n_steps == n_rows - first
    assert problem.tied == (lags,)
    for step in range(problem.n_steps):
        now = lags - 1 + step
        expected = [values[now - lag, column] for column in (0, 1) for lag in range(lags)]
        assert problem.inputs[0, step].tolist() == expected
        assert problem.targets[0, step].tolist() == [values[now + horizon, 1]]
        assert problem.times[0, step] == now + horizon + 1
        assert problem.counted("train")[0, step, 0] == (now + horizon < n_train)
        assert problem.counted("test")[0, step, 0] == (now + horizon >= n_train)


def test_steps_after_the_last_part_are_left_out(folder):
    problem = series(folder, input="a", time="year", parts={"train": [1900, 1905], "test": [1906, 1909]})
    assert problem.times[0].tolist() == list(range(1901, 1910))


def test_a_target_that_is_no_input_has_a_scaling_of_its_own(folder):
    problem = series(folder, input="a", target=["b", "a"], time="year")
    assert problem.tied == (-1, 0)
    assert problem.scaling.target_offset[0] > 100
    assert problem.scaling.target_offset[1] == problem.scaling.input_offset[0]


def test_horizon_0_predicts_another_column_of_the_same_row(folder):
    problem = series(folder, input="a", target="b", horizon=0, scaling="none")
    assert (problem.targets - problem.inputs == 100).all()
    with pytest.raises(DataError, match="handed the answer"):
        series(folder, input="a", target="a", horizon=0)


def test_flagged_rows_do_not_count_and_may_lack_a_target(tmp_path):
    (tmp_path / "data.csv").write_text(
        "a,b,flag\n" + "".join(f"{i},{'' if i == 3 else i},{int(i == 3)}\n" for i in range(8))
    )
    problem = series(tmp_path, input="a", target="b", ignore="flag", parts={"train": 6, "test": "rest"}, scaling="none")
    assert problem.target_mask[0, :, 0].tolist() == [True, True, False, True, True, True, True]
    with pytest.raises(DataError, match=r"line 5, column 'b': the value is missing"):
        series(tmp_path, input="a", target="b")
    with pytest.raises(DataError, match="line 4, column 'a': must be 0 or 1, got 2"):
        series(tmp_path, input="flag", target="flag", ignore="a")


def test_the_only_free_column_is_the_input(folder):
    (folder / "data.csv").write_text("year,flow\n1900,1\n1901,3\n1902,2\n1903,5\n")
    assert series(folder, time="year").input_names == ("flow",)
    with pytest.raises(DataError, match=r"say which column .* is the input, input = \.\.\.: 'year', 'flow'"):
        series(folder)


def test_two_time_columns_and_dates_are_labels_that_begin_with_the_year():
    problem = series(
        SHIPPED, file="data/sunspots_monthly.csv", input="smoothed13", time=["year", "month"], span=["1833-06", "2000-01"],
        parts={"train": [1833, "1916-09"], "test": ["1916-10", 2000]}
    )  # fmt: skip
    assert problem.n_steps == 1999
    assert problem.times[0, 0] == "1833-07"
    assert problem.describe().parts[1].last == "2000-01"
    problem = series(
        SHIPPED, file="data/co2_weekly.csv", input="co2_ppm", time="date", ignore="interpolated",
        parts={"train": ["1958", "1990"], "test": ["1991", "2001-11"]},
    )  # fmt: skip
    assert problem.describe().parts[0].last == "1990-12-29"
    assert problem.describe().parts[1].first == "1991-01-05"
    assert problem.describe().parts[1].last == "2001-11-24"


def test_shares_and_numbers_of_rows_follow_one_another(folder):
    problem = series(folder, input="a", parts={"train": 0.5, "validation": 0.25, "test": "rest"})
    assert [int(problem.counted(part).sum()) for part in problem.parts] == [9, 5, 5]
    problem = series(folder, input="a", parts={"train": 12, "test": 5})
    assert [int(problem.counted(part).sum()) for part in problem.parts] == [11, 5]


DATA_MISTAKES = [
    ({"input": "c"}, "has no column 'c'"),
    ({"input": ["a", "a"]}, "names the column 'a' twice"),
    ({"input": [2, "a"]}, "names the column 'a' twice"),
    ({"input": "a", "horizon": 20}, "too short: horizon = 20 and lags = 1 need 21 rows"),
    ({"input": "a", "parts": {"train": [1900, 1909]}}, "holds no row: the times run from 1 to 20"),
    ({"input": "a", "time": "year", "parts": {"train": ["1900", "1909"]}}, "the times are numbers"),
    (
        {"input": "a", "time": "year", "parts": {"train": [1900, 1910], "test": [1910, 1919]}},
        "'train' and 'test' share the time 1910",
    ),
    ({"input": "a", "parts": {"train": 25}}, "parts.train = 25 cannot be had: of 20 rows, 20 are left"),
    ({"input": "a", "parts": {"train": 20, "test": "rest"}}, "parts.test = 'rest' cannot be had"),
    ({"input": "a", "parts": {"train": 2, "test": "rest"}, "washout": 3}, "parts.train = 2 counts no target"),
    ({"input": "a", "time": "year", "span": [1950, 1960]}, r"span = \[1950, 1960\] holds no row"),
    ({"input": "a", "time": "flag"}, "line 3, column 'flag': the time 0 comes before 1"),
    ({"file": "dta.csv"}, "did you mean 'data.csv'"),
]


@pytest.mark.parametrize(("values", "message"), DATA_MISTAKES, ids=[str(i) for i in range(len(DATA_MISTAKES))])
def test_what_the_data_cannot_give_is_refused_with_a_remedy(folder, values, message):
    with pytest.raises(DataError, match=message):
        series(folder, **values)


SETTINGS_MISTAKES = [
    ({"parts": {"test": 0.5}}, "problem.parts: one part must be called train, got test"),
    ({"parts": {"train": 0.9, "test": 0.2}}, "problem.parts: the shares must not exceed 1 together"),
    ({"parts": {"train": "rest", "test": 0.2}}, 'problem.parts.train: only the last part can be "rest"'),
    ({"parts": {"train": [1, 2], "test": 0.2}}, "problem.parts: either all parts have limits"),
    ({"parts": {"train": [2, 1]}}, "problem.parts.train: the first limit must not lie after the last"),
    ({"parts": {"train": [1]}}, r"problem.parts.train: must be \[first, last\]"),
    ({"parts": {"train": 0}}, "problem.parts.train: must be"),
    ({"parts": {"train": True}}, "problem.parts.train: must be"),
    ({"parts": {"train": 1.5}}, "problem.parts.train: must be"),
    ({"parts": {"train": [1, 2], "a b": [3, 4]}}, "problem.parts.a b: a part's name"),
    ({"horizon": -1}, "problem.horizon: must be at least 0"),
    ({"lags": 0}, "problem.lags: must be at least 1"),
    ({"tolerance": 0.0}, "problem.tolerance: must be greater than 0"),
    ({"scaling": "standart"}, "problem.scaling: must be .*did you mean 'standard'"),
    ({"scaling_range": [1.0, 0.0]}, "problem.scaling_range: must be two rising numbers"),
    ({"input": []}, "problem.input: must name a column at least"),
    ({"colour": 1}, "problem.colour: unknown key"),
]


@pytest.mark.parametrize(("values", "message"), SETTINGS_MISTAKES, ids=[str(i) for i in range(len(SETTINGS_MISTAKES))])
def test_impossible_settings_are_refused_before_anything_is_read(tmp_path, values, message):
    with pytest.raises(SettingsError, match=message):
        series(tmp_path, **values)


def test_dates_of_toml_are_limits():
    import tomllib

    parts = tomllib.loads("train = [1958-03-29, 1990-12-29]\ntest = [1991-01-05, 2001-12-29]")
    problem = series(SHIPPED, file="data/co2_weekly.csv", input="co2_ppm", time="date", parts=parts)
    assert problem.describe().parts[1].first == "1991-01-05"
