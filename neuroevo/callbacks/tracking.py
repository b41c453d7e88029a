"""What all trackers of runs are told, and when."""

from __future__ import annotations

import hashlib
import importlib
import json
import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from neuroevo.callbacks.base import Callback
from neuroevo.errors import BadInput

if TYPE_CHECKING:
    from neuroevo.records import RunRecord
    from neuroevo.scenario import Scenario
    from neuroevo.stopping import Progress

Status = Literal["finished", "interrupted", "failed"]


@dataclass(frozen=True)
class Started:
    """A run that begins, or goes on.

    Attributes:
        path: Its folder.
        name: The folder's name, after those of the sets that it is in: "demand-trials/seed1".
        group: The set's name, or the run's where it is in none.
        key: A text that no other run has, and that stays when it is resumed.
        parameters: The resolved scenario by dotted key path; lists as JSON.
        resumed: Whether it goes on.
    """

    path: Path
    name: str
    group: str
    key: str
    parameters: Mapping[str, str | float | bool]
    resumed: bool


class RunTracker(Callback):
    """A callback that opens something for each run, writes down its generations, and closes it at the end.

    A final fit is a run of its own, which begins and ends before the run that it belongs to has ended.
    """

    in_workers: ClassVar[bool] = True
    package: ClassVar[str]
    extra: ClassVar[str]

    def __init__(self) -> None:
        if find_spec(self.package) is None:
            raise BadInput(
                f'{type(self).__name__} needs the package {self.package}: pip install "neuroevo-rnn[{self.extra}]"'
            )
        self._open: dict[Path, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        # A copy that goes along to a worker hears of runs of its own.
        return {**self.__dict__, "_open": {}}

    @abstractmethod
    def open(self, run: Started) -> Any:
        """Something that the generations of a run are written to."""

    @abstractmethod
    def write(self, opened: Any, generation: int, figures: Mapping[str, float]) -> None:
        """The figures of a generation, by the columns of the history; finite ones only."""

    @abstractmethod
    def close(self, opened: Any, status: Status, record: RunRecord | None) -> None:
        """The run has ended; there is no record where an error ended it."""

    def started(self, scenario: Scenario, path: Path) -> None:
        self._open[path] = self.open(_started(scenario, path))

    def generation(self, progress: Progress) -> None:
        figures = finite({name: value for name, value in progress.row().items() if name != "generation"})
        self.write(next(reversed(self._open.values())), progress.generation, figures)

    def finished(self, record: RunRecord) -> None:
        if record.path in self._open:
            status: Status = "finished" if record.status == "finished" else "interrupted"
            self.close(self._open.pop(record.path), status, record)

    def failed(self, error: BaseException) -> None:
        if self._open:
            self.close(self._open.popitem()[1], "failed" if isinstance(error, Exception) else "interrupted", None)

    def _package(self) -> Any:
        return importlib.import_module(self.package)


def closing_figures(record: RunRecord) -> dict[str, float]:
    """What a run came to: the numbers of its row in a summary.csv, finite ones only."""
    from neuroevo.analysis import summary_row

    row = {name: value for name, value in summary_row(record).items() if name not in ("seed", "fold")}
    return finite({name: value for name, value in row.items() if isinstance(value, int | float)})


def finite(figures: Mapping[str, float]) -> dict[str, float]:
    """Those that are finite."""
    return {name: value for name, value in figures.items() if math.isfinite(value)}


def _started(scenario: Scenario, path: Path) -> Started:
    from neuroevo.records import RunRecord

    run = RunRecord.open(path).run
    key = hashlib.sha256(f"{path.resolve()}\n{run['created']}".encode()).hexdigest()[:16]
    name = _name_of(path)
    resumed = bool(run.get("resumed"))
    return Started(path, name, name.partition("/")[0], key, dict(_flat(scenario.table)), resumed)


def _name_of(path: Path) -> str:
    from neuroevo.records import set_in
    from neuroevo.records.record import FINAL_FOLDER

    within = path.name == FINAL_FOLDER or set_in(path.parent) is not None
    return f"{_name_of(path.parent)}/{path.name}" if within else path.name


def _flat(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str | float | bool]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield (
                f"{before}{key}",
                value if isinstance(value, str | bool | int | float) else json.dumps(value, default=str),
            )
