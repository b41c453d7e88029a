"""RunRecord: a run's folder, opened for reading. Nothing in it is trusted: whoever made it, opening it runs no code."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroevo.errors import BadInput
from neuroevo.networks import Network, make_network
from neuroevo.problems import Problem, Results, SequenceProblem, problem_class
from neuroevo.problems.arrays import fingerprint
from neuroevo.records import provenance
from neuroevo.records.champion import CHAMPION_FILE, SavedChampion, read_champion
from neuroevo.records.digests import altered_files
from neuroevo.records.errors import RecordError
from neuroevo.records.files import DATA_FILE, RUN_FILE, SCENARIO_FILE, open_to_append, read_bytes, read_json
from neuroevo.records.front import FRONT_FILE, Front, read_front
from neuroevo.records.history_file import HISTORY_FILE, read_history
from neuroevo.records.lock import is_locked
from neuroevo.records.npz import read_npz
from neuroevo.records.schema import check_run, line, shown, stop_reason_of
from neuroevo.registry import UnknownName
from neuroevo.stopping import History, StopReason

if TYPE_CHECKING:
    from neuroevo.prediction import Predictor

LOG_FILE, PLOT_FOLDER, FINAL_FOLDER = "run.log", "plots", "final"


class RunRecord:
    """A run's folder. Every part is read when it is first asked for; damage in one part leaves the others readable.

    Attributes:
        path: The folder.
        run: The contents of run.json, read-only.
    """

    def __init__(self, path: Path, run: Mapping[str, Any]) -> None:
        self.path = path
        self.run = MappingProxyType(dict(run))

    @classmethod
    def open(cls, path: str | Path) -> RunRecord:
        """Open a run's folder.

        Raises:
            RecordError: It is not the record of a run, or one of a format that this version cannot read.
        """
        path = Path(path)
        if not path.is_dir():
            raise RecordError(f"{path} is not the folder of a run")
        if not (path / RUN_FILE).exists():
            raise RecordError(f"{path} is not the folder of a run: it has no {RUN_FILE}")
        run = read_json(path / RUN_FILE)
        check_run(path / RUN_FILE, run)
        return cls(path, run)

    def __repr__(self) -> str:
        return f"<RunRecord {str(self.path)!r}: {self.status}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return RunRecord, (self.path, dict(self.run))

    @property
    def name(self) -> str:
        """The name that the run was given; the folder's, unless someone renamed that."""
        return str(self.run["name"])

    @property
    def status(self) -> str:
        """One of "running" (or killed in the middle), "finished", "interrupted", "failed"."""
        return str(self.run["status"])

    @property
    def error_name(self) -> str:
        """What the errors in the history are; records of before there were other problems do not say it."""
        return str(self.run["data"].get("error", SequenceProblem.error_name))

    @property
    def is_running(self) -> bool:
        """Whether a process is working on the run at this moment."""
        return is_locked(self.path)

    @cached_property
    def stop_reason(self) -> StopReason | None:
        """Why the run ended; None while it has not."""
        return stop_reason_of(self.path / RUN_FILE, self.run)

    @cached_property
    def results(self) -> Results | None:
        """The closing table: the champion and its simple competitors on each part; None where the run has none."""
        said = self.run.get("results")
        return None if said is None else Results(said["measures"], said["contestants"], said.get("verdict", ""))

    @cached_property
    def altered(self) -> tuple[str, ...]:
        """Names of the files that have been altered since the run ended, or damaged, or are gone.

        Empty for a run that has not ended, and for records of format version 1, which keep no digests.
        """
        return altered_files(self.path, self.run)

    @cached_property
    def scenario(self) -> Mapping[str, Any]:
        """The resolved scenario."""
        path = self.path / SCENARIO_FILE
        try:
            return MappingProxyType(tomllib.loads(read_bytes(path).decode("utf-8")))
        except (ValueError, RecursionError) as error:
            raise RecordError(f"{path} is not valid TOML: {error}") from error

    @cached_property
    def history(self) -> History:
        """The columns of history.csv."""
        return read_history(self.path / HISTORY_FILE, at_work=self.status == "running")

    @cached_property
    def champion(self) -> SavedChampion:
        """What the run delivers."""
        champion = read_champion(self.path / CHAMPION_FILE)
        if len(champion.genome) != _n_genes(self.run):
            raise RecordError(
                f"{self.path / CHAMPION_FILE} has {len(champion.genome)} genes, the network {_n_genes(self.run)}"
            )
        return champion

    @cached_property
    def front(self) -> Front | None:
        """The front of a search for several goals; None where the run has none, or none yet.

        Raises:
            RecordError: It is damaged.
        """
        path = self.path / FRONT_FILE
        return read_front(path, _n_genes(self.run)) if path.exists() else None

    @property
    def known_front(self) -> Front:
        """The front of a search for several goals.

        Raises:
            BadInput: The run has none.
            RecordError: It is damaged.
        """
        if self.front is None:
            raise BadInput(f"{self.path} has no front: a search for several goals leaves one, such as nsga2's")
        return self.front

    def member(self, number: int) -> RunRecord:
        """The run with another network of its front as its champion, for whatever takes a record.

        Args:
            number: From 1, as in front.csv.

        Raises:
            BadInput: The run has no front, or no such member.
            RecordError: The front is damaged.
        """
        front = self.known_front
        row = front.index(number)
        genome = front.genomes[row]
        figures = {"member": float(number)}
        if front.validation is not None and "error" in front.goals:
            figures["validation_error"] = float(front.validation[row, front.goals.index("error")])
        arrays = self.network.layout.decode(genome)
        other = RunRecord(self.path, self.run)
        vars(other).update(
            champion=SavedChampion(genome, float(front.error[row]), arrays, front.scaling_arrays, figures),
            front=front,
            final=None,
        )
        return other

    @cached_property
    def final(self) -> RunRecord | None:
        """The final fit of a run that has finished, on training and validation data together; None where there is none.

        Raises:
            RecordError: It is damaged, or gone.
        """
        if self.status != "finished" or not self.run.get("final_fit"):
            return None
        path = self.path / FINAL_FOLDER
        if path.is_symlink():
            raise RecordError(f"{path} is a symbolic link, where the folder of the final fit should be")
        return RunRecord.open(path)

    @property
    def delivered(self) -> RunRecord:
        """The run whose champion is the result: the final fit where there is one, otherwise this run."""
        return self.final or self

    @cached_property
    def network(self) -> Network:
        """The network, rebuilt from its kind and settings in run.json."""
        return network_of(f"{self.path / RUN_FILE}: network", self.run["network"])

    @cached_property
    def problem(self) -> Problem:
        """The problem, rebuilt from data.npz, in the units that the run was trained in.

        Raises:
            RecordError: The data are not stored here (they were above the size limit), or not those of the run.
        """
        if not self.run["data"].get("stored"):
            raise RecordError(f"{self.path} does not hold its data, only their fingerprint; give the file with --data")
        return self.problem_from(self.path / DATA_FILE)

    def predictor(self, *, calibrate: bool = True) -> Predictor:
        """The champion, of the final fit if there is one, as an object that predicts from new inputs in original units.

        Args:
            calibrate: Whether it has intervals, which need a prediction of the validation part; it has none where the
                record does not hold its data.

        Raises:
            RecordError: The record is damaged, or holds no champion.
            NotSequences: Its problem is not made of sequences.
        """
        from neuroevo.records.ensembles import predictor_of

        return predictor_of([self], calibrate=calibrate)

    def log(self, message: str) -> None:
        """Add a line to run.log.

        Raises:
            RecordUnwritable: The machine refused.
        """
        with os.fdopen(open_to_append(self.path / LOG_FILE), "ab") as log:
            log.write(log_line(message))

    def problem_from(self, path: Path) -> Problem:
        """The problem, rebuilt from a data.npz that lies somewhere else.

        Raises:
            RecordError: The file does not hold the data of this run.
        """
        arrays = read_npz(path)
        if fingerprint(arrays) != self.run["data"].get("sha256"):
            raise RecordError(f"{path} does not hold the data of this run: its fingerprint (SHA-256) is another one")
        try:
            with np.errstate(all="ignore"):
                # Records of before there were other problems do not say what theirs is.
                kind = self.run["data"].get("problem", SequenceProblem.kind)
                return problem_class(kind).from_arrays(arrays)
        except UnknownName as error:
            raise RecordError(f"{self.path}: {line(error)}; the package that defines its problem is missing") from error
        except (ValueError, TypeError, IndexError, KeyError, OverflowError, MemoryError) as error:
            raise RecordError(f"{path} does not hold a problem: {line(error)}") from error


def log_line(message: str) -> bytes:
    """A message as a line of run.log, with the time."""
    return f"{provenance.now()} {' '.join(message.split())}\n".encode("utf-8", "replace")


def network_of(where: str, values: Mapping[str, Any]) -> Network:
    """A network from its kind and settings, as a record describes it.

    Raises:
        RecordError: The description is none, or contradicts itself; the message begins with `where`.
    """
    _check_sizes(where, values)
    try:
        network = make_network(values["kind"], values["n_inputs"], values["n_outputs"], **values["settings"])
    except (ValueError, TypeError, MemoryError, OverflowError, RecursionError) as error:
        raise RecordError(f"{where}: {line(error)}") from error
    if network.n_genes != values["n_genes"]:
        raise RecordError(f"{where}: it has {network.n_genes} genes, n_genes says {values['n_genes']}")
    return network


def _check_sizes(where: str, network: Mapping[str, Any]) -> None:
    """Refuse sizes that contradict each other before a layout is made of them: those arrays could fill the memory."""
    settings = network.get("settings")
    if not isinstance(network.get("kind"), str) or not isinstance(settings, dict):
        raise RecordError(f"{where} needs the text kind and the table settings")
    counts: dict[str, Any] = {key: network.get(key) for key in ("n_genes", "n_inputs", "n_outputs")}
    counts |= {key: value for key, value in settings.items() if key.startswith("n_")}
    for key, value in counts.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise RecordError(f"{where}: {key} should be a whole number above 0, got {shown(value)}")
    # A fixed entry has no gene, but then it is written down in the settings.
    n_entries = network["n_genes"] + _n_numbers(settings)
    largest = max(value for key, value in counts.items() if key != "n_genes")
    if largest > n_entries:
        raise RecordError(f"{where}: {largest} units or columns cannot have {network['n_genes']} genes")


def _n_numbers(value: Any, depth: int = 0) -> int:
    if depth > 20:
        return 0
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return sum(_n_numbers(item, depth + 1) for item in value)
    return 1


def _n_genes(run: Mapping[str, Any]) -> int:
    value = run["network"].get("n_genes")
    return value if isinstance(value, int) else -1
