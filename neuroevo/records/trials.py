"""TrialSet: one folder for the trials of a scenario, runs that differ in their seeds alone."""

from __future__ import annotations

import errno
import hashlib
import shutil
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from neuroevo.records import surroundings
from neuroevo.records.errors import RecordError, RecordUnwritable, writing
from neuroevo.records.files import read_json, write_json
from neuroevo.records.record import RUN_FILE, RunRecord
from neuroevo.records.summary import summarised, write_summary

TRIALS_FILE = "trials.json"
FORMAT = "neuroevo-trials"
FORMAT_VERSION = 1


class TrialSet:
    """The folder of a set of trials. Trials that have ended stay; asking for more of them adds to the set.

    Two processes may work on one set: each trial is a run with a lock of its own.

    Attributes:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def open(cls, results: str | Path, name: str, *, identity: str, title: str = "") -> TrialSet:
        """The set of that name, made where there is none; one of another scenario gets a number and is left alone.

        Args:
            results: The folder of all runs.
            name: The name of the set's folder.
            identity: A text that is equal for scenarios whose trials belong together: the resolved scenario without
                its seed and without what never changes a result.
            title: What people call it.

        Raises:
            RecordUnwritable: The machine refused.
        """
        results, wanted = Path(results), hashlib.sha256(identity.encode("utf-8")).hexdigest()
        number = 1
        while True:
            path = results / (name if number == 1 else f"{name}-{number}")
            number += 1
            if _is_made(path, wanted, title) or _fingerprint(path) == wanted:
                return cls(path)

    @classmethod
    def read(cls, path: str | Path) -> TrialSet:
        """An existing set.

        Raises:
            RecordError: It is none.
        """
        if _fingerprint(Path(path)) is None:
            raise RecordError(f"{path} is not the folder of a set of trials")
        return cls(Path(path))

    @staticmethod
    def name_of(seed: int) -> str:
        """The folder's name of the trial with that seed."""
        return f"seed{seed}"

    def trial(self, seed: int) -> RunRecord | None:
        """The trial with that seed, whatever became of it; None where there is none yet.

        Raises:
            RecordError: There is a folder for it, and no record in it.
        """
        path = self.path / self.name_of(seed)
        return RunRecord.open(path) if path.exists() else None

    def is_done(self, seed: int) -> bool:
        """Whether the trial with that seed has come to its end."""
        record = self.trial(seed)
        return record is not None and record.status == "finished"

    def missing(self, seeds: Iterable[int]) -> list[int]:
        """Those of the seeds whose trials have not come to their ends."""
        return [seed for seed in seeds if not self.is_done(seed)]

    def trials(self) -> list[RunRecord]:
        """All trials, by their seeds; damaged ones are left out."""
        found = []
        for path in self.path.iterdir():
            if path.is_symlink() or not (path / RUN_FILE).is_file():
                continue
            try:
                found.append(RunRecord.open(path))
            except RecordError:
                continue
        return sorted(found, key=_seed_of)

    def summarise(self) -> dict[str, Any]:
        """Write summary.csv and summary.json over the finished trials, and give the contents of the latter.

        Raises:
            RecordUnwritable: The machine refused.
        """
        trials = self.trials()
        summary = summarised(trials)
        write_summary(self.path, trials, summary)
        return summary


def _is_made(path: Path, fingerprint: str, title: str) -> bool:
    """Make the set's folder, whole from its first moment on; False where the name is taken."""
    if path.exists() or path.is_symlink():
        return False
    contents = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "title": title,
        "created": surroundings.now(),
        "scenario_sha256": fingerprint,
    }
    hidden = path.parent / f".{uuid.uuid4().hex}.new"
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        hidden.mkdir()
    try:
        write_json(hidden / TRIALS_FILE, contents)
        with writing(path):
            hidden.rename(path)
    except RecordUnwritable as error:
        shutil.rmtree(hidden, ignore_errors=True)
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    return True


def _fingerprint(path: Path) -> str | None:
    try:
        values = read_json(path / TRIALS_FILE)
    except RecordError:
        return None
    if values.get("format") != FORMAT or values.get("format_version") != FORMAT_VERSION:
        return None
    return str(values.get("scenario_sha256"))


def _seed_of(record: RunRecord) -> tuple[float, str]:
    seed = record.run.get("seed")
    return (seed if isinstance(seed, int) else float("inf"), record.path.name)
