from __future__ import annotations

import io
import os
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from neuroevo.problems import DataError
from neuroevo.problems.tables.archive import read_archive
from neuroevo.problems.tables.table import read_table


def archive(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return path


def npy(header, content=b"", version=b"\x01\x00"):
    text = header.encode("latin1") + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text + content


@given(
    st.sampled_from(["<f8", ">f4", "<i2", "|u1", "|b1", "<U3"]).flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
    ),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_what_numpy_writes_is_read_as_numpy_reads_it(tmp_path_factory, array, fortran):
    path = tmp_path_factory.mktemp("npz") / "data.npz"
    np.savez_compressed(path, x=np.asfortranarray(array) if fortran else array, y=np.arange(3))
    ours = read_archive(path)
    with np.load(path, allow_pickle=False) as theirs:
        assert list(ours) == list(theirs)
        assert ours["x"].dtype == theirs["x"].dtype
        assert ours["x"].shape == theirs["x"].shape
        assert ours["x"].tobytes() == theirs["x"].tobytes()


class Bomb:
    def __reduce__(self):
        return os._exit, (3,)


def test_pickled_objects_are_never_opened(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, x=np.array([Bomb()], dtype=object))
    with pytest.raises(DataError, match=r"array 'x' holds pickled Python objects"):
        read_archive(path)


HEADERS = [
    ("{'descr': '<f8', 'fortran_order': False, 'shape': (100000000000,)}", "more than the"),
    ("{'descr': '<f8', 'fortran_order': False, 'shape': (-5,)}", "more than the"),
    ("{'descr': '<U0', 'fortran_order': False, 'shape': (100000000000,)}", "more than the"),
    ("{'descr': '<f8', 'fortran_order': False, 'shape': (9,)}", "its header claims 72 bytes"),
    ("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", "its header claims 8 bytes"),
    ("{'descr': '<c16', 'fortran_order': False, 'shape': (1,)}", "only real numbers"),
    ("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2,)}", "only real numbers"),
    ("{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", "pickled"),
    ("{'descr': 'nonsense', 'fortran_order': False, 'shape': (2,)}", "header can't be read"),
    ("__import__('os')", "header can't be read"),
    ("(" * 3000, "header can't be read"),
]


@pytest.mark.parametrize(("header", "message"), HEADERS, ids=[str(i) for i in range(len(HEADERS))])
def test_lying_headers_are_refused_before_any_memory_is_taken(tmp_path, header, message):
    path = archive(tmp_path / "data.npz", x=npy(header, b"\0" * 16))
    with pytest.raises(DataError, match=message):
        read_archive(path)


def test_content_that_grows_beyond_the_limit_is_refused(tmp_path):
    path = tmp_path / "data.npz"
    np.savez_compressed(path, x=np.zeros(10_000), y=np.zeros(10_000))
    assert path.stat().st_size < 2000
    with pytest.raises(DataError, match=r"array 'y' claims the shape \(10000,\), more than the 20000 bytes"):
        read_archive(path, limit=100_000)


def test_a_file_beyond_the_limit_is_refused(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, x=np.zeros(1000))
    with pytest.raises(DataError, match="more than the 1000 that are read"):
        read_archive(path, limit=1000)


def test_damaged_and_foreign_archives_are_refused(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, x=np.arange(100))
    content = path.read_bytes()
    path.write_bytes(content[:400] + b"\1" + content[401:])
    with pytest.raises(DataError, match="damaged"):
        read_archive(path)
    path.write_bytes(content[:200])
    with pytest.raises(DataError, match="damaged"):
        read_archive(path)
    path.write_bytes(b"1,2,3\n")
    with pytest.raises(DataError, match="not an NPZ file"):
        read_archive(path)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("xl/workbook.xml", "<xml/>")
    with pytest.raises(DataError, match=r"holds 'xl/workbook.xml'\. Save a spreadsheet as CSV"):
        read_archive(path)
    path.write_bytes(archive(io.BytesIO(), x=b"").getvalue())
    with pytest.raises(DataError, match="header can't be read"):
        read_archive(path)
    path.write_bytes(archive(io.BytesIO()).getvalue())
    with pytest.raises(DataError, match="holds no arrays"):
        read_archive(path)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_flipped_byte_gives_an_error_of_ours_or_arrays(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("npz") / "data.npz"
    np.savez_compressed(path, x=np.arange(50.0), y=np.array(["a", "b"]))
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(4, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(content))
    try:
        arrays = read_archive(path)
    except DataError:
        return
    assert all(isinstance(array, np.ndarray) for array in arrays.values())


def test_arrays_are_columns_of_a_table(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, t=np.arange(3), x=np.array([[1.0, 2.0], [3.0, np.nan], [5.0, 6.0]]), name=np.array(["a", "b", "c"]))
    table = read_table(path)
    assert table.names == ("t", "x_1", "x_2", "name")
    assert table.numbers("x_1").tolist() == [1.0, 3.0, 5.0]
    with pytest.raises(DataError, match="row 2, column 'x_2': the value is missing"):
        table.numbers("x_2")
    with pytest.raises(DataError, match="row 1, column 'name': 'a' is not a finite number"):
        table.numbers("name")


@pytest.mark.parametrize(
    "arrays",
    [{"x": np.zeros(3), "y": np.zeros(4)}, {"x": np.zeros((2, 3, 4))}, {"x": np.zeros(0)}, {"x": np.array(1.0)}],
)
def test_arrays_that_are_no_table_are_refused(tmp_path, arrays):
    np.savez(tmp_path / "data.npz", **arrays)
    with pytest.raises(DataError, match="a series"):
        read_table(tmp_path / "data.npz")
