"""A record that was altered after the end of its run still opens, and says which files were."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.callbacks import Callback
from neuroevo.cli.texts import folder_text
from neuroevo.networks import Network
from neuroevo.problems import SequenceProblem
from neuroevo.records import RecordError, RunRecord, RunWriter
from tests.records.conftest import advance, finish, row

FILES = ("scenario.toml", "data.npz", "history.csv", "champion.npz", "run.json")


def read_whole(path: Path) -> None:
    """Read everything that a record holds."""
    record = RunRecord.open(path)
    for part in ("stop_reason", "scenario", "history", "champion", "network", "problem"):
        getattr(record, part)


def test_digests_are_those_of_sha256sum(finished: Path) -> None:
    text = (finished / "run.json").read_text()
    digests = json.loads(text)["digests"]
    assert tuple(digests) == FILES
    for name in FILES[:-1]:
        assert digests[name] == hashlib.sha256((finished / name).read_bytes()).hexdigest()
    own = digests["run.json"]
    assert text.count(own) == 1
    assert hashlib.sha256(text.replace(own, "0" * 64).encode()).hexdigest() == own
    assert RunRecord.open(finished).altered == ()


@pytest.mark.parametrize("name", FILES)
def test_every_flipped_bit_is_an_error_or_told(finished: Path, name: str) -> None:
    good = (finished / name).read_bytes()
    rng = np.random.default_rng(0)
    n_told = 0
    for bit in rng.choice(8 * len(good), 150, replace=False):
        data = bytearray(good)
        data[bit // 8] ^= 1 << bit % 8
        (finished / name).write_bytes(data)
        try:
            altered = RunRecord.open(finished).altered
        except RecordError:
            continue
        # A flipped bit in the digest of another file accuses that one too.
        assert name in altered if name == "run.json" else altered == (name,), f"bit {bit}"
        n_told += 1
    assert n_told > 10
    (finished / name).write_bytes(good)
    assert RunRecord.open(finished).altered == ()


def test_an_altered_record_opens_and_show_warns(finished: Path) -> None:
    assert "altered since" not in folder_text(finished)
    history = (finished / "history.csv").read_text().splitlines()
    cells = history[4].split(",")
    (finished / "history.csv").write_text(
        "\n".join([*history[:4], ",".join([*cells[:5], "0.25", *cells[6:]]), *history[5:], ""])
    )
    text = (finished / "run.json").read_text().replace('"seconds": 0.5', '"seconds": 0.4')
    (finished / "run.json").write_text(text)
    read_whole(finished)
    assert RunRecord.open(finished).altered == ("history.csv", "run.json")
    assert "warning: altered since the run ended: history.csv, run.json" in folder_text(finished)
    (finished / "champion.npz").unlink()
    assert RunRecord.open(finished).altered == ("history.csv", "champion.npz", "run.json")


def test_a_digest_cannot_lead_out_of_the_record_nor_be_left_out(finished: Path) -> None:
    run = json.loads((finished / "run.json").read_text())
    for digests in (
        {"../../secret": "0", "run.json": "0" * 64},
        {},
        {"run.json": ""},
        {"run.json": 7},
        {"run.json": None},
    ):
        (finished / "run.json").write_text(json.dumps(run | {"digests": digests}))
        assert RunRecord.open(finished).altered == ("run.json",)
    del run["digests"]
    (finished / "run.json").write_text(json.dumps(run))
    assert RunRecord.open(finished).altered == ("run.json",)


def test_a_run_at_work_has_no_digests(finished: Path, network: Network, problem: SequenceProblem) -> None:
    writer, _ = RunWriter.reopen(finished)
    assert "digests" not in json.loads((finished / "run.json").read_text())
    writer.append(row(9))
    assert RunRecord.open(finished).altered == ()
    writer.close()
    assert RunRecord.open(finished).altered == ()
    writer, _ = RunWriter.reopen(finished)
    advance(writer, 9, 10)
    finish(writer, network, problem)
    assert RunRecord.open(finished).altered == ()
    assert json.loads((finished / "run.json").read_text())["digests"]


def test_data_that_are_not_stored_have_no_digest(
    start: Callable[..., RunWriter], network: Network, problem: SequenceProblem
) -> None:
    writer = start(data_limit=100)
    advance(writer, 1, 2)
    finish(writer, network, problem)
    record = RunRecord.open(writer.path)
    assert "data.npz" not in record.run["digests"]
    assert record.altered == ()


class Listener(Callback):
    def __init__(self) -> None:
        self.said: list[str] = []

    def message(self, text: str) -> None:
        self.said.append(text)


def test_extending_an_altered_run_warns(small_scenario: Path, tmp_path: Path) -> None:
    record = ne.run(small_scenario, results=tmp_path / "runs")
    assert record.altered == ()
    listener = Listener()
    assert ne.extend(record.path, overrides={"stop.generations": 13}, callbacks=[listener]).altered == ()
    assert listener.said == []
    with (record.path / "scenario.toml").open("a") as file:
        file.write("# a note\n")
    ne.extend(record.path, overrides={"stop.generations": 14}, callbacks=[listener])
    assert listener.said == ["warning: altered since the run ended: scenario.toml; what follows builds on that"]
    assert listener.said[0] in (record.path / "run.log").read_text()


def test_an_end_that_was_taken_back_by_hand_is_told(finished: Path) -> None:
    path = finished / "run.json"
    good = path.read_text()
    for status in ("failed", "running"):
        path.write_text(good.replace('"status": "finished"', f'"status": "{status}"'))
        assert RunRecord.open(finished).altered == ("run.json",)
    own = json.loads(good)["digests"]["run.json"]
    path.write_text(good.replace(own, "\\ud800"))
    assert RunRecord.open(finished).altered == ("run.json",)
