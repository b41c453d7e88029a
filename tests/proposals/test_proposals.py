"""What is proposed for files of many kinds: that it can be run, and that it says what the file shows."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroevo.errors import BadInput
from neuroevo.proposals import Proposal, Wishes, example_files, examples, propose, survey, survey_together
from neuroevo.proposals.examples import PLACES
from neuroevo.proposals.model import model_tables
from neuroevo.proposals.task import span
from neuroevo.proposals.toml_text import Line, document, toml_value
from neuroevo.scenario import check_table, load_scenario

RNG = np.random.default_rng(7)
WAVE = 10 + 3 * np.sin(np.arange(400) * 2 * np.pi / 24) + 0.2 * RNG.normal(size=400)
HOURS = [dt.datetime(2021, 3, 1) + dt.timedelta(hours=i) for i in range(400)]


def proposed(path: Path, content: str, wishes: Wishes | None = None, **more: object) -> Proposal:
    path.write_text(content)
    return propose(survey(path, **more), wishes or Wishes(), path.with_suffix(".toml"))


def hourly(*columns: str) -> str:
    """A file of hours, a wave called load, and columns made by an expression in i."""
    lines = [",".join(["time", *(column.split("=")[0] for column in columns), "load"])]
    for i, (hour, value) in enumerate(zip(HOURS, WAVE, strict=True)):
        cells = [str(eval(column.split("=", 1)[1], {"i": i, "np": np})) for column in columns]  # noqa: S307
        lines.append(",".join([f"{hour:%Y-%m-%d %H:%M}", *cells, f"{value:.3f}"]))
    return "\n".join(lines)


def sequences(label: str = "'up' if k % 2 else 'down'") -> str:
    lines = ["recording,step,x,label"]
    for k in range(24):
        name = eval(label, {"k": k})  # noqa: S307
        lines += [f"r{k},{j},{(j if name == 'up' else -j) + RNG.normal():.3f},{name}" for j in range(9)]
    return "\n".join(lines)


FILES = {
    "two columns": hourly(),
    "no header": "\n".join(f"{i},{value:.3f}" for i, value in enumerate(WAVE)),
    "one column": "v\n" + "\n".join(f"{value:.3f}" for value in WAVE),
    "decimal commas": "Zeit;Wert\n" + "\n".join(f"{h:%d.%m.%Y %H:%M};{v:.2f}".replace(".", ",").replace(",", ".", 2) for h, v in zip(HOURS, WAVE, strict=True)),
    "blanks": "\n".join(f"{i}   {value:.3f}" for i, value in enumerate(WAVE)),
    "gaps and text": hourly("wind='' if i % 50 == 3 else i % 7", "sky=('sun', 'rain')[i % 3 % 2]", "note='text %d' % i"),
    "a constant": hourly("k=5", "empty=''", "odd='err' if i == 70 else i"),
    "many columns": hourly(*(f"c{n}=np.sin(i * {n} * i)" for n in range(30))),
    "outliers": hourly("gust=500 if i == 100 else i % 7"),
    "twenty rows": "\n".join(hourly().splitlines()[:21]),
    "classes of rows": hourly("state=('on', 'off')[i // 30 % 2]"),
    "classes of sequences": sequences(),
    "forecasts of sequences": "\n".join(line.rsplit(",", 1)[0] for line in sequences().splitlines()),
    "names to escape": 'time,"a ""b\\",x=y\n' + "\n".join(f"{i},{v:.3f},{v * v:.3f}" for i, v in enumerate(WAVE)),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_proposal_is_a_scenario_that_can_be_run(tmp_path: Path, name: str) -> None:
    path = tmp_path / "data.csv"
    found = proposed(path, FILES[name])
    scenario = check_table(found.table, path.with_suffix(".toml"))
    assert scenario.criterion.surely_ends()
    assert scenario.problem.counted("train").any()
    assert scenario.problem.counted("test").any()


def test_each_setting_of_the_problem_has_its_reason(tmp_path: Path) -> None:
    found = proposed(tmp_path / "data.csv", FILES["gaps and text"])
    lines = found.text.split("[network]")[0].split("[problem]")[1].strip().splitlines()
    for above, line in zip(["", *lines], lines, strict=False):
        assert line.startswith("#") or "  # " in line or above.startswith("#"), line


def test_hours_with_a_daily_pattern_get_season_and_calendar(tmp_path: Path) -> None:
    problem = proposed(tmp_path / "data.csv", FILES["two columns"], Wishes(horizon=(24,))).table["problem"]
    assert (problem["time"], problem["season"], problem["horizon"]) == ("time", 24, 24)
    assert problem["calendar"] == ["hour"]
    assert problem["residual"] == "linear"
    assert list(problem["parts"]) == ["train", "validation", "test"]


def test_what_is_written_unusually_is_said_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    keys = {"encoding", "separator", "decimal", "date_format", "missing"}
    assert not keys & proposed(path, FILES["two columns"]).table["problem"].keys()
    assert proposed(path, FILES["blanks"]).table["problem"]["separator"] == " "
    assert proposed(path, FILES["gaps and text"]).table["problem"]["missing"] == "forward"
    problem = proposed(path, FILES["decimal commas"]).table["problem"]
    assert {key: problem[key] for key in keys & problem.keys()} == {"decimal": ","}
    path.write_bytes(FILES["two columns"].replace("load", "Höhe").encode("cp1252"))
    assert propose(survey(path), Wishes(), path).table["problem"]["encoding"] == "cp1252"
    months = "\n".join(f"{dt.date(1990 + i // 12, 1 + i % 12, 1):%b %Y},{WAVE[i]}" for i in range(100))
    assert proposed(path, "month,x\n" + months).table["problem"]["date_format"] == "%b %Y"


def test_columns_that_cannot_be_used_are_named_and_left_out(tmp_path: Path) -> None:
    found = proposed(tmp_path / "data.csv", FILES["a constant"])
    assert found.table["problem"]["input"] == "load"
    assert [note.split("'")[1] for note in found.notes] == ["k", "empty", "odd"]
    assert "# Note: column 'odd' is not used: numbers, but for 'err' in line 72." in found.text


def test_of_many_columns_those_are_seen_that_go_along_with_the_target(tmp_path: Path) -> None:
    columns = [f"c{n}=np.sin(i * {n + 2} * i)" for n in range(30)]
    columns[17] = "c17=np.sin((i + 1) * 2 * np.pi / 24)"
    inputs = proposed(tmp_path / "data.csv", hourly(*columns)).table["problem"]["input"]
    assert inputs[0] == "load"
    assert "c17" in inputs
    assert len(inputs) == 12


def test_values_far_out_ask_for_a_robust_scaling(tmp_path: Path) -> None:
    assert proposed(tmp_path / "data.csv", FILES["outliers"]).table["problem"]["scaling"] == "robust"
    assert proposed(tmp_path / "data.csv", FILES["two columns"]).table["problem"]["scaling"] == "standard"


def test_few_rows_get_no_validation_part_and_a_short_run(tmp_path: Path) -> None:
    table = proposed(tmp_path / "data.csv", FILES["twenty rows"]).table
    assert "validation" not in table["problem"]["parts"]
    assert "validation_patience" not in table["stop"]


def test_validation_chooses_among_runs_where_there_is_time(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    sweep = proposed(path, FILES["two columns"]).table["sweep"]
    assert sweep == {"trials": 5, "ensemble": "selection", "over": {"problem.residual": ["linear", "none"]}}
    assert proposed(path, FILES["classes of sequences"]).table["sweep"] == {"trials": 10, "ensemble": "selection"}
    assert "sweep" not in proposed(path, FILES["twenty rows"]).table
    tables = model_tables(n_steps=10**6, by_class=False, has_validation=True, seconds=60)
    assert "sweep" not in tables
    assert {line.key: line.value for line in tables["stop"]}["seconds"] == 60


def test_classes_of_rows_and_of_sequences_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    rows = proposed(path, FILES["classes of rows"]).table
    assert (rows["problem"]["kind"], rows["problem"]["target"], rows["problem"]["horizon"]) == ("series", "state", 0)
    whole = proposed(path, FILES["classes of sequences"]).table
    assert whole["problem"]["kind"] == "sequences"
    assert {key: whole["problem"][key] for key in ("sequence", "labels", "inputs")} == {
        "sequence": "recording",
        "labels": "label",
        "inputs": "x",
    }
    assert rows["network"]["output_activation"] == whole["network"]["output_activation"] == "softmax"


def test_rows_sorted_by_class_are_told(tmp_path: Path) -> None:
    found = proposed(
        tmp_path / "data.csv", "x,species\n" + "\n".join(f"{WAVE[i]},{'ab'[i // 100]}" for i in range(200))
    )
    assert any("sorted by class" in note for note in found.notes)


def test_a_column_of_flags_marks_rows_and_is_no_target(tmp_path: Path) -> None:
    content = "\n".join(f"{line},{int(i % 9 == 4)}" for i, line in enumerate(hourly().splitlines()[1:]))
    problem = proposed(tmp_path / "data.csv", "time,load,interpolated\n" + content).table["problem"]
    assert (problem["target"], problem["ignore"], problem["input"]) == ("load", "interpolated", "load")


def test_wishes_come_first(tmp_path: Path) -> None:
    wishes = Wishes(target=("wind",), horizon=(1, 6), input=("load", "sky"), known=("wind",), seconds=30)
    content = hourly("wind=i % 7", "sky=('sun', 'rain')[i % 3 % 2]")
    table = proposed(tmp_path / "data.csv", content, wishes).table
    problem = table["problem"]
    assert (problem["target"], problem["horizon"], problem["input"]) == ("wind", [1, 6], ["load", "sky"])
    assert (problem["known"], table["stop"]["seconds"]) == ("wind", 3.0)  # of each of ten runs


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        (Wishes(target=("sky",)), "sky of each row"),
        (Wishes(target=("time",)), "can't be a target, it holds time"),
        (Wishes(target=("lod",)), "did you mean 'load'"),
        (Wishes(input=("note",)), "can't be an input, it holds text"),
        (Wishes(horizon=(300,)), "--horizon 300 leaves too little"),
        (Wishes(label="wind"), "--target wind"),
        (Wishes(label="sky", input=("sky",)), "can't be an input too"),
        (Wishes(label="sky", sequence="wind"), "'0' goes on here after another one"),
        (Wishes(label="sky", sequence="time"), "every row has its own 'time'"),
    ],
)
def test_wishes_that_cannot_be_met_are_refused(tmp_path: Path, wishes: Wishes, words: str) -> None:
    try:
        found = proposed(tmp_path / "data.csv", FILES["gaps and text"], wishes).table["title"]
    except BadInput as error:
        found = str(error)
    assert words in found


def test_several_files_are_a_series_each_and_what_any_lacks_is_filled(tmp_path: Path) -> None:
    paths = [tmp_path / f"m_{i}.csv" for i in (1, 2)]
    paths[0].write_text(FILES["two columns"])
    paths[1].write_text(FILES["two columns"].replace(f"{WAVE[50]:.3f}", ""))
    found = survey_together(paths)
    proposal = propose(found, Wishes(), tmp_path / "m.toml")
    problem = proposal.table["problem"]
    assert (problem["file"], problem["missing"]) == (["m_1.csv", "m_2.csv"], "forward")
    scenario = check_table(proposal.table, tmp_path / "m.toml")
    assert scenario.problem.n_sequences == 2
    paths[1].write_text(FILES["one column"])
    with pytest.raises(BadInput, match="other columns"):
        survey_together(paths)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a,b\n" + "1,2\n" * 5, "too few"),
        ("a,b\n" + "x,y\n" * 30, "no column of numbers that change"),
        ("\n".join([hourly().splitlines()[0], *hourly().splitlines()[:0:-1]]), "the latest row comes first"),
        ("\n".join([*hourly().splitlines()[:9], *hourly().splitlines()[4:]]), "no order"),
    ],
)
def test_data_from_which_nothing_can_be_learnt_are_refused(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        proposed(tmp_path / "data.csv", content)


def test_spans_in_words() -> None:
    assert [span("hour", 24), span("month", 1), span("15 minutes", 2), span("row", 3)] == [
        "24 hours",
        "1 month",
        "30 minutes",
        "3 rows",
    ]


@settings(deadline=None, max_examples=40)
@given(
    st.recursive(
        st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_values_come_back_from_toml(value: object) -> None:
    assert tomllib.loads(f"value = {toml_value(value)}")["value"] == value


@settings(deadline=None)
@given(st.text(), st.text(max_size=200))
def test_reasons_stay_comments(value: str, reason: str) -> None:
    text = document([reason], [Line("a", value, reason)], {"t": [Line("b", [value], reason), Line("c", 1)]})
    assert tomllib.loads(text) == {"a": value, "t": {"b": [value], "c": 1}}


def test_every_example_comes_with_its_data(tmp_path: Path) -> None:
    assert "sunspots" in examples()
    for name in examples():
        for path, content in example_files(name).items():
            (tmp_path / path).parent.mkdir(exist_ok=True)
            (tmp_path / path).write_bytes(content)
    # Those whose data are large were checked where they lie.
    load_scenario(tmp_path / "sunspots.toml")
    load_scenario(tmp_path / "power_demand.toml")
    with pytest.raises(BadInput, match="did you mean 'sunspots'"):
        example_files("sunspot")


def test_the_wheel_takes_the_examples_where_they_are_looked_for() -> None:
    root = Path(__file__).parents[2]
    wheel = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert {root / source: root / target for source, target in wheel["force-include"].items()} == {PLACES[1]: PLACES[0]}
