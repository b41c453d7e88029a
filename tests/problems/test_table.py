from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroevo.problems import DataError
from neuroevo.problems.tables.table import read_table


def table_of(tmp_path, content, name="data.csv"):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path)


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,2\n3,4\n",
        "a;b\n1;2\n3;4\n",
        "a\tb\n1\t2\n3\t4\n",
        "\ufeffa,b\n1,2\n3,4\n",
        "# made by hand\n\na, b\n 1 , 2\n\n# half way\n3,4",
        'a,b\r\n"1","2"\r\n3,4\r\n',
        "a,b\r1,2\r3,4\r",
    ],
    ids=["commas", "semicolons", "tabs", "byte order mark", "comments and blanks", "quotes and CRLF", "CR"],
)
def test_csv_dialects_are_read_alike(tmp_path, content):
    table = table_of(tmp_path, content)
    assert table.names == ("a", "b")
    assert table.numbers("a").tolist() == [1.0, 3.0]
    assert table.numbers(2).tolist() == [2.0, 4.0]


def test_without_a_header_columns_have_numbers(tmp_path):
    table = table_of(tmp_path, "1949-01,112\n1949-02,118\n")
    assert table.names == ("", "")
    assert table.numbers(2).tolist() == [112.0, 118.0]
    assert table.name(2) == "column 2"
    with pytest.raises(DataError, match="no header line, so name columns by number, 1 to 2"):
        table.find("passengers")


def test_columns_that_nobody_asks_for_may_hold_anything(tmp_path):
    table = table_of(tmp_path, "a,note\n1,x\n2,\n")
    assert table.numbers("a").tolist() == [1.0, 2.0]
    assert table.texts("note") == ["x", ""]


def test_only_the_rows_asked_for_are_read(tmp_path):
    values = table_of(tmp_path, "a\nx\n2\n3\n").numbers("a", rows=np.array([1, 2]))
    assert np.isnan(values[0])
    assert values[1:].tolist() == [2.0, 3.0]


NUMBERS = ["1", "-2.5", "+3", "1e-3", ".5", "1E5", " 7 "]


def test_all_ways_to_write_a_number_are_read(tmp_path):
    assert table_of(tmp_path, "a\n" + "\n".join(NUMBERS)).numbers("a").tolist() == [float(text) for text in NUMBERS]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
@settings(max_examples=40, deadline=None)
def test_numbers_written_by_repr_come_back_bit_for_bit(tmp_path_factory, values):
    folder = tmp_path_factory.mktemp("csv")
    table = table_of(folder, "a,b\n" + "".join(f"{value!r},0\n" for value in values))
    assert table.numbers("a").tobytes() == np.array(values).tobytes()


CELLS = [
    ("", "value is missing"),
    ("NA", "value is missing"),
    ("NaN", "value is missing"),
    ("inf", "'inf' is not a finite number"),
    ("1e999", "'1e999' is not a finite number"),
    ("high", "'high' is not a finite number; only columns of numbers"),
    ('"3,5"', "decimal point, not a comma"),
    ('"1,234.5"', "no thousands separators"),
    ("1_000", "'1_000' is not a finite number"),
    ("0x10", "'0x10' is not a finite number"),
    ("x" * 500, "x…' is not a finite number"),
]


@pytest.mark.parametrize(("cell", "message"), CELLS, ids=[cell[:10] or "empty" for cell, _ in CELLS])
def test_a_bad_cell_is_named_by_file_line_and_column(tmp_path, cell, message):
    table = table_of(tmp_path, f"# comment\nyear,flow\n1900,1\n\n1901,{cell}\n")
    with pytest.raises(DataError, match=rf"data\.csv, line 5, column 'flow': .*{message}"):
        table.numbers("flow")


FILES = [
    ("", "is empty"),
    ("# nothing\n\n  \n", "only blank lines or comments"),
    ("a,b\n", "a header line .* and no data under it"),
    ("a,b\n1,2\n3\n", r"line 3: it has 1 cells where line 1 has 2"),
    ("a,b\n1,2\n3,4,5\n", r"line 3: it has 3 cells where line 1 has 2"),
    ("a,b,a\n1,2,3\n", r"line 1: the header names 'a' twice"),
    ('a,b\n1,"2\n3,4\n', r"line 2: .*quotation mark is not closed"),
    (b"a,b\n1,\xe4\n", r"line 2: the text is not encoded as UTF-8"),
    ("a,b\n1,2\n".encode("utf-16"), "encoded as UTF-16"),
    (b"\x7fELF\0\0\0", "not a text file"),
]


@pytest.mark.parametrize(("content", "message"), FILES, ids=[str(i) for i in range(len(FILES))])
def test_a_file_that_is_no_table_is_refused_with_a_remedy(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        table_of(tmp_path, content)


def test_blanks_between_columns_are_explained(tmp_path):
    with pytest.raises(DataError, match="not by blanks"):
        table_of(tmp_path, "1700 5\n1701 11\n").numbers(1)


def test_paths_that_cannot_be_read_are_explained(tmp_path, monkeypatch):
    (tmp_path / "rivers.csv").write_text("1\n")
    with pytest.raises(DataError, match=r"did you mean 'rivers\.csv' in the same folder"):
        read_table(tmp_path / "river.csv")
    with pytest.raises(DataError, match="nor a folder"):
        read_table(tmp_path / "missing" / "rivers.csv")
    with pytest.raises(DataError, match="is a folder, not a data file"):
        read_table(tmp_path)
    with pytest.raises(DataError, match="no usable path"):
        read_table(tmp_path / ("x" * 300))
    with pytest.raises(DataError, match="no usable path"):
        read_table(tmp_path / "rivers.csv" / "inside")
    with pytest.raises(DataError, match="no usable path"):
        read_table(tmp_path / "a\0b")
    monkeypatch.setattr("pathlib.Path.read_bytes", lambda self: (_ for _ in ()).throw(PermissionError(13, "denied")))
    with pytest.raises(DataError, match="may not be read by this user"):
        read_table(tmp_path / "rivers.csv")


def test_pipes_and_devices_are_not_read():
    from pathlib import Path

    with pytest.raises(DataError, match="a device or a pipe"):
        read_table(Path("/dev/zero"))


def test_unknown_columns_are_answered_with_the_nearest(tmp_path):
    table = table_of(tmp_path, "year,flow\n1900,1\n")
    with pytest.raises(DataError, match=r"no column 'flwo'; did you mean 'flow'\?"):
        table.find("flwo")
    with pytest.raises(DataError, match="its columns are 'year', 'flow'"):
        table.find("temperature")
    for number in (0, 3, -1):
        with pytest.raises(DataError, match="numbered from 1 to 2"):
            table.find(number)


@given(st.one_of(st.binary(max_size=200), st.text(alphabet='1234.,;\t"\n\r#ab -\u2028', max_size=200).map(str.encode)))
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_a_table_or_an_error_of_ours(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("csv") / "data.csv"
    path.write_bytes(content)
    with contextlib.suppress(DataError):
        table = read_table(path)
        for column in range(1, len(table.names) + 1):
            assert np.isfinite(table.numbers(column)).all()
