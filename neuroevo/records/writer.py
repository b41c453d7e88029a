"""RunWriter: a run's folder while the run is at work on it."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from numpy.typing import ArrayLike

from neuroevo.errors import BadInput
from neuroevo.networks import Network
from neuroevo.problems import Problem
from neuroevo.records import provenance
from neuroevo.records.champion import CHAMPION_FILE, write_champion
from neuroevo.records.checkpoints import State, discard_after, last_good, write_checkpoint
from neuroevo.records.contents import first_contents, store_data
from neuroevo.records.digests import unsealed, write_sealed
from neuroevo.records.errors import RecordError, RecordUnwritable, writing
from neuroevo.records.files import (
    RUN_FILE,
    SCENARIO_FILE,
    open_to_append,
    remove_leftovers,
    sync_folder,
    write_atomically,
    write_json,
)
from neuroevo.records.front import Front, write_front
from neuroevo.records.history_file import HISTORY_FILE, HistoryWriter, cut_back, salvage_history
from neuroevo.records.lock import RunLock, sweep_abandoned
from neuroevo.records.record import LOG_FILE, RunRecord, log_line
from neuroevo.records.schema import FORMAT_VERSION
from neuroevo.stopping import History

_TAKEN = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)

#: Data up to this size are stored in the record, bytes; above it only their fingerprint.
DATA_LIMIT = 256 * 2**20


class RunWriter:
    """Writes the record of one run. Made by :meth:`create` or :meth:`reopen`; a context manager.

    Attributes:
        path: The run's folder.
        history: The rows that the file had when it was opened, for a run that goes on; empty for a new one.
    """

    def __init__(self, path: Path, run: Mapping[str, Any], lock: RunLock, history: History) -> None:
        self.path = path
        self.history = history
        self._run = dict(run)
        self._lock = lock
        columns = tuple(history) if history.n_generations else None
        self._rows = HistoryWriter(path / HISTORY_FILE, columns, history.n_generations)
        self._log = open_to_append(path / LOG_FILE)

    @classmethod
    def create(
        cls,
        results: str | Path,
        name: str,
        *,
        scenario_toml: str,
        run: Mapping[str, Any],
        problem: Problem,
        network: Network,
        data_limit: int = DATA_LIMIT,
        shared: Path | None = None,
        numbered: bool = True,
    ) -> RunWriter:
        """Make the folder of a new run, complete from its first moment on.

        Args:
            results: The folder in which the run gets its own; made where it is missing.
            name: The name of the run's folder; where it is taken, "-2", "-3", ... is appended.
            scenario_toml: The resolved scenario.
            run: Further entries of run.json: title, seed, ...
            problem: What is to be learnt.
            network: What its genomes mean.
            data_limit: Data above this size in bytes are not stored, only their fingerprint.
            shared: The folder of a set whose runs have the same data, which are stored once for all of them.
            numbered: Whether a number may be appended; otherwise a name that is taken is refused.

        Raises:
            ValueError: The name is no name of a folder.
            RecordError: The name is taken.
            RecordUnwritable: The machine refused; nothing is left behind.
        """
        results = Path(results)
        if not name or name.startswith(".") or "/" in name or "\0" in name:
            raise BadInput(f"name must be the name of a folder, got {name!r}")
        # Filled under a hidden name first, so that whoever looks sees a whole record or none.
        hidden = results / f".{uuid.uuid4().hex}.new"
        with writing(results):
            results.mkdir(parents=True, exist_ok=True)
            sweep_abandoned(results)
            hidden.mkdir()
        lock = writer = None
        try:
            lock = RunLock(hidden)
            write_atomically(hidden / SCENARIO_FILE, scenario_toml.encode("utf-8"))
            contents = first_contents(run, network, store_data(hidden, problem, data_limit, shared))
            writer = cls(hidden, contents, lock, History())
            writer._claim(results, name, numbered)
        except BaseException:
            if writer is not None:
                writer.close()
            elif lock is not None:
                lock.release()
            shutil.rmtree(hidden, ignore_errors=True)
            raise
        return writer

    @classmethod
    def reopen(cls, path: str | Path) -> tuple[RunWriter, State | None]:
        """Go on with a run: take its lock, choose its last good checkpoint, and take back all that came after that.

        Returns:
            The writer and the state of the checkpoint; None where there is none, then the run begins anew.

        Raises:
            RecordLocked: Another process is working on it.
            RecordError: It is not the record of a run.
            RecordUnwritable: The machine refused.
        """
        path = Path(path)
        RunRecord.open(path)
        lock = RunLock(path)
        try:
            record = RunRecord.open(path)  # again: what was read before the lock may be old
            remove_leftovers(path)
            history, damage = salvage_history(path / HISTORY_FILE)
            generation, state, messages = last_good(path, history.n_generations)
            # First of all the run is one at work: its files may differ from then on from what their digests say.
            run = _going_on(record.run, generation)
            write_json(path / RUN_FILE, run)
            discard_after(path, generation)
            history = cut_back(path / HISTORY_FILE, history, generation)
            writer = cls(path, run, lock, history)
        except BaseException:
            lock.release()
            raise
        for message in filter(None, (damage, *messages)):
            writer.log(message)
        writer.log(f"resumed after generation {generation}")
        return writer, state

    def append(self, row: Mapping[str, float]) -> None:
        """Write the history's row of the next generation.

        Raises:
            ValueError: It is not the next one, or its keys are not the columns.
            RecordUnwritable: The machine refused.
        """
        self._rows.append(row)

    def checkpoint(self, generation: int, state: Mapping[str, Any]) -> None:
        """Put on the disk all that is needed to go on after a generation, whose row must have been appended.

        Raises:
            ValueError: The history does not end with that generation, or the state holds more than arrays and numbers.
            RecordUnwritable: The machine refused; the checkpoints before are untouched.
        """
        if generation != self._rows.n_rows:
            raise ValueError(f"the history ends with generation {self._rows.n_rows}, the checkpoint is of {generation}")
        # The rows first: a checkpoint without its history could not be used.
        self._rows.sync()
        write_checkpoint(self.path, generation, state)

    def champion(
        self, genome: ArrayLike, *, network: Network, problem: Problem, error: float, **figures: float
    ) -> None:
        """Write champion.npz.

        Args:
            genome: ``(n_genes,)``.
            network: Decodes it.
            problem: Whose scaling it was trained in.
            error: Its error on the training part.
            **figures: Further numbers about it; the same ones for equal runs, so no times.

        Raises:
            ValueError: The genome is not one of the network.
            RecordUnwritable: The machine refused; the champion before is untouched.
        """
        write_champion(
            self.path / CHAMPION_FILE,
            genome,
            arrays=network.layout.decode(genome),
            scaling=problem.scaling_arrays(),
            figures={"error": float(error), **figures},
        )

    def front(self, front: Front) -> None:
        """Write front.npz and front.csv.

        Raises:
            RecordUnwritable: The machine refused; the files before are untouched.
        """
        write_front(self.path, front)

    def update(self, entries: Mapping[str, Any]) -> None:
        """Replace entries of run.json, or add to them.

        Raises:
            TypeError: An entry has no form in JSON.
            RecordUnwritable: The machine refused; the old run.json is untouched.
        """
        self._run |= {**entries, "updated": provenance.now()}
        write_json(self.path / RUN_FILE, self._run)

    def replace_scenario(self, scenario_toml: str) -> None:
        """Write another resolved scenario, for a run that is extended."""
        write_atomically(self.path / SCENARIO_FILE, scenario_toml.encode("utf-8"))

    def finish(self, entries: Mapping[str, Any]) -> None:
        """Write the last entries of run.json ("stop_reason" among them) with the files' digests, and let go of the run.

        The status is "finished" unless the entries have one.

        Raises:
            TypeError: An entry has no form in JSON.
            RecordUnwritable: The machine refused; the run can be resumed.
        """
        self._rows.sync()
        self._run |= {"status": "finished", **entries, "updated": provenance.now()}
        write_sealed(self.path, self._run)
        self.close()

    def log(self, message: str) -> None:
        """Add a line to run.log. A disk that is full does not end a run here: it ends at the next checkpoint."""
        try:
            os.write(self._log, log_line(message))
        except OSError:
            return

    def close(self) -> None:
        """Close the files and release the lock; calling it again does nothing."""
        self._rows.close()
        if self._log >= 0:
            os.close(self._log)
            self._log = -1
        self._lock.release()

    def _claim(self, results: Path, name: str, numbered: bool) -> None:
        """Give the folder the first free name; renaming is what decides between two runs that start at once."""
        for number in itertools.count(1):
            if number > 1 and not numbered:
                raise RecordError(f"{results / name} is there already")
            path = results / (name if number == 1 else f"{name}-{number}")
            if path.exists() or path.is_symlink():
                continue
            self._run["name"] = path.name
            write_json(self.path / RUN_FILE, self._run)
            with writing(path):
                try:
                    self.path.rename(path)
                except OSError as error:
                    if error.errno not in _TAKEN:
                        raise
                    continue
                self.path = path
                self._rows.path = path / HISTORY_FILE
                sync_folder(results)
            return

    def __enter__(self) -> RunWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.log(f"ended by {type(error).__name__}: {error}")
            # Best effort: what ends a run may be the disk itself, and its error is the one to be seen.
            with suppress(RecordUnwritable):
                self._rows.sync()
                self.update({"status": "failed" if isinstance(error, Exception) else "interrupted"})
        self.close()


def _going_on(run: Mapping[str, Any], generation: int) -> dict[str, Any]:
    """The contents of run.json for a run that goes on after a generation."""
    moment = provenance.now()
    before = run.get("resumed")
    resumed = [*(before if isinstance(before, list) else []), {"time": moment, "generation": generation}]
    state = {"status": "running", "stop_reason": None, "resumed": resumed[-100:], "updated": moment}
    return unsealed(run) | state | {"format_version": FORMAT_VERSION}
