"""Records that someone else sent: lying headers, bombs, links and pipes give an error, never code, files or memory."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroevo.plots import plot_run
from neuroevo.records import RecordError, RunRecord, RunWriter
from neuroevo.records.npz import pack_npz, read_npz


def npy(shape: object, descr: object = "<f8", body: bytes = b"", fortran: bool = False) -> bytes:
    """An NPY file whose header says what it is told to."""
    header = f"{{'descr': {descr!r}, 'fortran_order': {fortran!r}, 'shape': {shape!r}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + body


def archive(path: Path, entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in entries.items():
            file.writestr(name, content)
    return path


LYING = {
    "huge shape": npy((10**12,)),
    "huge product": npy((2**40, 2**40)),
    "overflowing product": npy((2**62, 4, 2)),
    "negative": npy((-1,), body=b"12345678"),
    "too little": npy((3,), body=b"12345678"),
    "too much": npy((1,), body=b"1234567812345678"),
    "object": npy((1,), "|O", pickle.dumps(np.array([1]))),
    "structured": npy((1,), [("a", "<f8")], b"12345678"),
    "void": npy((1,), "|V8", b"12345678"),
    "date": npy((1,), "<M8[s]", b"12345678"),
    "zero-width text": npy((10**9,), "<U0"),
    "text shape": npy("abc"),
    "float shape": npy((1.5,)),
    "bool shape": npy((True, -1)),
    "no dictionary": b"\x93NUMPY\x01\x00" + struct.pack("<H", 64) + b"[" * 63 + b"\n",
    "code": b"\x93NUMPY\x01\x00" + struct.pack("<H", 64) + b"__import__('os').system('touch hacked')".ljust(63) + b"\n",
    "version 3": b"\x93NUMPY\x03\x00" + struct.pack("<I", 10**9),
    "short": b"\x93NUM",
    "empty": b"",
    "surrogates": npy((1,), "<U1", b"\x00\xd8\x00\x00"),
    "beyond unicode": npy((1,), "<U1", b"\xff\xff\xff\xff"),
}


@pytest.mark.parametrize("entry", LYING, ids=str)
def test_lying_array_header_is_refused_without_its_memory(entry: str, tmp_path: Path) -> None:
    path = archive(tmp_path / "a.npz", {"genome.npy": LYING[entry]})
    tracemalloc.start()
    try:
        with pytest.raises(RecordError, match=r"damaged|not an NPZ"):
            read_npz(path)
        assert tracemalloc.get_traced_memory()[1] < 5e6
    finally:
        tracemalloc.stop()
    assert not Path("hacked").exists()


def test_compressed_bomb_is_refused_unread(tmp_path: Path) -> None:
    content = npy((2 * 10**7,), body=bytes(16 * 10**7))
    path = archive(tmp_path / "bomb.npz", {"genome.npy": content}, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 10**6
    tracemalloc.start()
    with pytest.raises(RecordError, match="larger than the file"):
        read_npz(path)
    assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()
    with pytest.raises(RecordError, match="compressed"):
        read_npz(archive(tmp_path / "small.npz", {"a.npy": npy((1,), body=b"12345678")}, zipfile.ZIP_DEFLATED))


def test_directory_of_very_many_entries_is_refused_unread(tmp_path: Path) -> None:
    path = archive(tmp_path / "many.npz", {f"{'a' * 150}{number}.npy": b"" for number in range(8000)})
    with pytest.raises(RecordError, match="too many entries"):
        read_npz(path)


@pytest.mark.parametrize(
    "name", ["../../evil.npy", "/etc/passwd.npy", "a/b.npy", "genome", "gen\nome.npy", ".npy", "ä.npy"]
)
def test_entry_with_a_path_for_a_name_is_refused(name: str, tmp_path: Path) -> None:
    path = archive(tmp_path / "a.npz", {name: npy((1,), body=b"12345678")})
    with pytest.raises(RecordError, match="unexpected entry"):
        read_npz(path)


def test_entry_that_comes_twice_is_refused(tmp_path: Path) -> None:
    archive(tmp_path / "a.npz", {name: npy((1,), body=b"12345678") for name in ("a.npy", "b.npy")})
    data = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(data.replace(b"b.npy", b"a.npy"))
    with pytest.raises(RecordError, match="holds 'a' twice"):
        read_npz(tmp_path / "a.npz")


def test_archive_with_a_comment_or_an_extension_is_refused(tmp_path: Path) -> None:
    good = pack_npz({"a": np.arange(3)})
    for number, data in enumerate(
        [good + b"x", good[:-2] + b"\x01\x00x", good[:-22] + b"PK\6\7" + bytes(16) + good[-22:]]
    ):
        path = tmp_path / f"{number}.npz"
        path.write_bytes(data)
        with pytest.raises(RecordError, match="end as such a file"):
            read_npz(path)


@pytest.mark.parametrize("array", [np.arange(6).reshape(2, 3).T, np.array("text"), np.zeros((0, 3)), np.float32(1.5),
                                   np.arange(3, dtype=">i4"), np.array(["a", "bcd"]), np.array(True)], ids=repr)  # fmt: skip
def test_arrays_survive_the_format(array: np.ndarray[Any, Any], tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(pack_npz({"a": array}))
    back = read_npz(path)["a"]
    np.testing.assert_array_equal(back, array)
    assert back.dtype == np.asarray(array).dtype.newbyteorder("<")
    assert not back.flags.writeable


def test_numpys_own_files_are_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", values=np.arange(4.0))
    np.testing.assert_array_equal(read_npz(tmp_path / "a.npz")["values"], np.arange(4.0))


FILES = ["run.json", "scenario.toml", "history.csv", "champion.npz", "data.npz"]


def read_all(path: Path) -> None:
    """Everything that opening, showing and plotting a record reads."""
    record = RunRecord.open(path)
    for part in ("scenario", "history", "champion", "network", "problem", "stop_reason", "is_running", "status"):
        getattr(record, part)


@pytest.mark.parametrize("file", FILES)
def test_links_out_of_the_record_are_not_followed(finished: Path, tmp_path: Path, file: str) -> None:
    outside = tmp_path / "outside"
    (finished / file).rename(outside)
    (finished / file).symlink_to(outside)
    with pytest.raises(RecordError, match="symbolic link"):
        read_all(finished)


@pytest.mark.parametrize("file", FILES)
def test_pipes_and_folders_do_not_hang_the_reader(finished: Path, file: str) -> None:
    (finished / file).unlink()
    os.mkfifo(finished / file)
    with pytest.raises(RecordError, match="not a regular file"):
        read_all(finished)
    (finished / file).unlink()
    (finished / file).mkdir()
    with pytest.raises(RecordError, match="not a regular file"):
        read_all(finished)


@pytest.mark.parametrize("file", ["history.csv", "run.log", "run.lock"])
def test_resuming_writes_through_no_link(finished: Path, tmp_path: Path, file: str) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (finished / file).unlink()
    (finished / file).symlink_to(victim)
    if file == "history.csv":
        writer, restored = RunWriter.reopen(finished)  # no history, so it begins anew with a file of its own
        writer.close()
        assert restored is None
    else:
        with pytest.raises(RecordError):
            RunWriter.reopen(finished)
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("folder", ["checkpoints", "plots"])
def test_folders_that_lead_out_of_the_record_are_refused(finished: Path, tmp_path: Path, folder: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    precious = outside / "000000099.npz"
    precious.write_text("precious")
    if (finished / folder).exists():
        (finished / folder).rename(tmp_path / "old")
    (finished / folder).symlink_to(outside)
    with pytest.raises(RecordError, match="symbolic link"):
        RunWriter.reopen(finished) if folder == "checkpoints" else plot_run(RunRecord.open(finished), ("png",))
    assert [path.name for path in outside.iterdir()] == ["000000099.npz"]


def set_entry(path: Path, keys: tuple[str, ...], value: object) -> None:
    values = json.loads((path / "run.json").read_text())
    inner = values
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    (path / "run.json").write_text(json.dumps(values))


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("network", "settings", "n_hidden"), 10**9),
        (("network", "settings", "n_hidden"), 10**30),
        (("network", "settings", "n_layers"), 10**6),
        (("network", "settings", "n_hidden"), -1),
        (("network", "settings", "n_hidden"), True),
        (("network", "settings", "n_hidden"), 2.0),
        (("network", "settings", "unknown"), 1),
        (("network", "settings"), []),
        (("network", "n_genes"), 12),
        (("network", "n_inputs"), 10**9),
        (("network", "kind"), "os:system"),
        (("network", "kind"), ["elman"]),
        (("network", "settings", "activation"), "__import__('os')"),
        (("stop_reason",), 5),
        (("stop_reason",), {"criterion": "x", "value": "y", "message": "z"}),
        (("stop_reason", "details"), [[[[]]]]),
        (("status",), "unheard of"),
        (("data", "sha256"), "0" * 64),
        (("data",), None),
        (("name",), 3),
    ],
)  # fmt: skip
def test_entries_of_run_json_that_cannot_be_are_refused(finished: Path, keys: tuple[str, ...], value: object) -> None:
    set_entry(finished, keys, value)
    tracemalloc.start()
    with pytest.raises(RecordError):
        read_all(finished)
    assert tracemalloc.get_traced_memory()[1] < 2e7
    tracemalloc.stop()


def test_sizes_and_genes_that_agree_with_each_other_but_not_with_the_network_use_no_memory(finished: Path) -> None:
    set_entry(finished, ("network", "settings", "n_hidden"), 10**7)
    set_entry(finished, ("network", "n_genes"), 10**15)
    with pytest.raises(RecordError):
        _ = RunRecord.open(finished).network


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{", "{}", "[" * 100_000, '{"a":' * 50_000, '{"format": NaN}', "9" * 5000, '{"format": 1e999}',
     "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), '{"format": "neuroevo-run"}'],
)  # fmt: skip
def test_run_json_of_any_other_kind_is_refused(finished: Path, text: str) -> None:
    (finished / "run.json").write_text(text)
    with pytest.raises(RecordError):
        RunRecord.open(finished)


@pytest.mark.parametrize("text", ["a = [" * 20_000, "= 3", 'a = "', "\x00", "a.b = 1\na = 2", "a = 9" * 2])
def test_scenario_that_is_no_toml_is_refused(finished: Path, text: str) -> None:
    (finished / "scenario.toml").write_text(text)
    with pytest.raises(RecordError, match="TOML"):
        _ = RunRecord.open(finished).scenario


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: text.partition("\n")[0],
        lambda text: text.replace("generation,", "gen,", 1),
        lambda text: text.replace("seconds", "evaluations", 1),
        lambda text: text.replace("\n3,", "\n4,", 1),
        lambda text: text.replace("\n3,21,", "\n3,x,", 1),
        lambda text: text.replace("\n3,21,", "\n3,1e300,", 1),
        lambda text: text.replace("\n3,21,", "\n3,nan,", 1),
        lambda text: text.replace("\n3,21,", "\n3,21,7,", 1),
        lambda text: text.partition("\n")[0] + "\n" + "1" * 200_000,
        lambda text: text.partition("\n")[0] + "\n\n\n",
        lambda text: text + "\u00e4\n",
        lambda text: text.partition("\n")[0] + "\n" + "\0" * 5_000_000,
    ],
)
def test_history_of_another_form_is_refused(finished: Path, change: Callable[[str], str]) -> None:
    file = finished / "history.csv"
    file.write_text(change(file.read_text()))
    with pytest.raises(RecordError, match=r"history\.csv"):
        _ = RunRecord.open(finished).history


def test_sparse_giant_files_are_refused_unread(finished: Path) -> None:
    for file, size in (("run.json", 2**40), ("scenario.toml", 2**40), ("champion.npz", 2**40), ("history.csv", 2**40)):
        saved = (finished / file).read_bytes()
        with (finished / file).open("wb") as stream:
            stream.truncate(size)
        with pytest.raises(RecordError):
            read_all(finished)
        (finished / file).write_bytes(saved)
    read_all(finished)


def test_pickle_in_a_champion_is_not_loaded(finished: Path, tmp_path: Path) -> None:
    class Touch:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    buffer = io.BytesIO()
    np.savez(buffer, genome=np.array([Touch()], dtype=object), error=np.array(0.0))
    (finished / "champion.npz").write_bytes(buffer.getvalue())
    with pytest.raises(RecordError):
        read_all(finished)
    assert not (tmp_path / "ran").exists()
