"""Records with random damage, in bytes and in fields: they open or are refused, and nothing else ever happens."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroevo.networks import Network
from neuroevo.plots import plot_compare, plot_run
from neuroevo.problems import SequenceProblem
from neuroevo.problems.arrays import fingerprint
from neuroevo.records import RecordError, RunRecord, RunWriter
from neuroevo.records.npz import pack_npz, read_npz
from tests.records.conftest import advance, finish
from tests.records.test_hostile import read_all

FILES = ["run.json", "scenario.toml", "history.csv", "champion.npz", "data.npz", "checkpoints/000000008.npz"]
SCALARS: list[Any] = [
    None, True, False, 0, 1, -1, 2, 3, 10**6, 2**31, 2**63, 10**30, -(2**63), 0.5, -0.0, 1e308, 1e-320, "", "x", "nan",
    "../../etc/passwd", "\x00", "é" * 300, "running", "elman", "lstm", [], {}, [1], [[]], {"a": 1}, [None] * 5,
]  # fmt: skip
CELLS = [
    "",
    "nan",
    "inf",
    "-inf",
    "1e400",
    "-1",
    "0",
    "0x10",
    "1_0",
    "é",
    "9" * 400,
    "1,1",
    "1\n1",
    " ",
    "#",
    '"',
    "1e-320",
]


@pytest.fixture
def record(start: Callable[..., RunWriter], network: Network, problem: SequenceProblem) -> Path:
    writer = start()
    advance(writer, 1, 8)
    finish(writer, network, problem)
    return writer.path


def change_bytes(data: bytes, rng: np.random.Generator) -> bytes:
    """Flip, insert, remove, repeat or cut a few bytes."""
    changed = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        place = int(rng.integers(len(changed) + 1))
        length = int(rng.integers(1, 1 + min(64, len(changed))))
        how = rng.integers(6)
        if how == 0 and place < len(changed):
            changed[place] ^= 1 << int(rng.integers(8))
        elif how == 1 and place < len(changed):
            changed[place] = int(rng.choice([0, 255, 127, 128, 0x30, 0x39, 0x22]))
        elif how == 2:
            changed[place:place] = rng.bytes(length)
        elif how == 3:
            del changed[place : place + length]
        elif how == 4:
            changed[place:place] = changed[place : place + length]
        else:
            changed = changed[: max(1, place)]
    return bytes(changed)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to all values inside nested tables and lists."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


def change_json(path: Path, rng: np.random.Generator) -> None:
    values = json.loads(path.read_text())
    for _ in range(rng.integers(1, 4)):
        options = list(places(values))
        *way, last = options[rng.integers(len(options))]
        inner = values
        for key in way:
            inner = inner[key]
        if rng.random() < 0.2:
            del inner[last]
        elif rng.random() < 0.1 and isinstance(inner, dict):
            inner["new"] = inner.pop(last)
        else:
            inner[last] = SCALARS[rng.integers(len(SCALARS))]
    path.write_text(json.dumps(values))


def change_cells(path: Path, rng: np.random.Generator) -> None:
    lines = [line.split(",") for line in path.read_text().splitlines()]
    for _ in range(rng.integers(1, 4)):
        line = lines[rng.integers(len(lines))]
        line[rng.integers(len(line))] = CELLS[rng.integers(len(CELLS))]
    path.write_text("\n".join(",".join(line) for line in lines) + "\n")


def changed_array(array: np.ndarray[Any, Any], rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """An array of another shape or type, or with wild values in it."""
    how = rng.integers(6)
    if how == 0:
        return array.reshape(-1)[: int(rng.integers(array.size + 1))]
    if how == 1:
        return np.stack([array, array])
    if how == 2:
        return array.astype(str)
    if how == 3:
        return np.zeros(array.shape, dtype=rng.choice(["f4", "i8", "u1", "?", "f8"]))
    if how == 4 and array.dtype.kind in "fiu" and array.size:
        wild = array.astype(np.float64).reshape(-1).copy()
        wild[rng.integers(wild.size)] = rng.choice([np.nan, np.inf, -np.inf, 1e308, -1e308, 1e-320, -1, 0, 2**53])
        with np.errstate(invalid="ignore"):
            return wild.reshape(array.shape).astype(array.dtype)
    return np.zeros(tuple(rng.integers(0, 5, size=rng.integers(0, 4))))


def change_arrays(path: Path, rng: np.random.Generator) -> None:
    """Change arrays and mend the checksums, so that the damage reaches those who use the arrays."""
    arrays = dict(read_npz(path))
    for _ in range(rng.integers(1, 3)):
        name = list(arrays)[rng.integers(len(arrays))]
        if rng.random() < 0.15:
            del arrays[name]
        else:
            arrays[name] = changed_array(arrays[name], rng)
    if "checkpoint.sha256" in arrays:
        del arrays["checkpoint.sha256"]
        arrays["checkpoint.sha256"] = np.asarray(fingerprint(arrays))
    path.write_bytes(pack_npz(arrays))
    if path.name == "data.npz":
        run = json.loads((path.parent / "run.json").read_text())
        run["data"]["sha256"] = fingerprint(arrays)
        (path.parent / "run.json").write_text(json.dumps(run))


def mutate(folder: Path, rng: np.random.Generator) -> None:
    path = folder / FILES[rng.integers(len(FILES))]
    if rng.random() < 0.4:
        path.write_bytes(change_bytes(path.read_bytes(), rng))
    elif path.suffix == ".json":
        change_json(path, rng)
    elif path.suffix == ".csv":
        change_cells(path, rng)
    elif path.suffix == ".npz":
        change_arrays(path, rng)
    else:
        path.write_text(path.read_text() + SCALARS[-10:][rng.integers(10)].__repr__())


def attempts(folder: Path) -> list[Callable[[], object]]:
    def resume() -> None:
        writer, _ = RunWriter.reopen(folder)
        writer.close()

    return [
        lambda: read_all(folder),
        lambda: plot_run(RunRecord.open(folder), ("png",), folder=folder),
        lambda: plot_compare([RunRecord.open(folder)], folder, ("png",)),
        resume,
    ]


def fuzz(record: Path, seed: int, plot_every: int) -> int:
    """One damaged copy; returns how many of the attempts were refused."""
    rng = np.random.default_rng([20, seed])
    folder = record.parent / f"copy{seed}"
    shutil.copytree(record, folder)
    before = sorted(path.name for path in record.parent.parent.iterdir())
    mutate(folder, rng)
    refused = 0
    for index, attempt in enumerate(attempts(folder)):
        if index in (1, 2) and seed % plot_every:
            continue
        began, message = time.monotonic(), ""
        try:
            attempt()
        except RecordError as error:
            refused += 1
            message = str(error)
        assert "\n" not in message, f"seed {seed}: {message}"
        assert len(message) < 1000, f"seed {seed}"
        assert time.monotonic() - began < 10, f"seed {seed}: attempt {index} hangs"
    assert sorted(path.name for path in record.parent.parent.iterdir()) == before
    shutil.rmtree(folder)
    return refused


# More by hand: NEUROEVO_FUZZ=2000 pytest tests/records/test_fuzz.py
N_COPIES = int(os.environ.get("NEUROEVO_FUZZ", "150"))


def test_damaged_records_are_read_or_refused(record: Path) -> None:
    refused = sum(fuzz(record, seed, plot_every=30) > 0 for seed in range(N_COPIES))
    assert N_COPIES // 4 < refused < N_COPIES  # else the damage is too little or too much to say anything


def test_the_record_itself_is_whole(record: Path) -> None:
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in record.glob("*.npz")}
    for attempt in attempts(record)[:3]:
        attempt()
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in record.glob("*.npz")} == digests
