"""TrialSet: one folder for the trials of a scenario, runs that differ in their seeds alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuroevo.records.champion import CHAMPION_FILE
from neuroevo.records.errors import RecordError
from neuroevo.records.files import RUN_FILE
from neuroevo.records.record import RunRecord
from neuroevo.records.sets import Marker, RunSet

if TYPE_CHECKING:
    from neuroevo.prediction import Combine, Predictor


class TrialSet(RunSet):
    """The folder of a set of trials. Trials that have ended stay; asking for more of them adds to the set.

    Two processes may work on one set: each trial is a run with a lock of its own.
    """

    MARKER = Marker("trials.json", "neuroevo-trials", "set of trials")

    @classmethod
    def open(
        cls,
        results: str | Path,
        name: str,
        *,
        identity: str,
        title: str = "",
        values: Mapping[str, Any] | None = None,
    ) -> TrialSet:
        """The set of that name, made where there is none; one of another scenario gets a number and is left alone.

        Args:
            results: The folder of all runs.
            name: The name of the set's folder.
            identity: A text that is equal for scenarios whose trials belong together: the resolved scenario without
                its seed and without what never changes a result.
            title: What people call it.
            values: Key paths to values, where the set is a point of a sweep.

        Raises:
            RecordError: The point of those values was made with other data.
            RecordUnwritable: The machine refused.
        """
        contents = {"title": title} | ({} if values is None else {"values": values})
        return cls(cls.MARKER.open_folder(results, name, identity=identity, contents=contents))

    @property
    def values(self) -> Mapping[str, Any]:
        """Key paths to values, where the set is a point of a sweep; empty otherwise."""
        values = self._says.get("values")
        return values if isinstance(values, dict) else {}

    @staticmethod
    def name_of(seed: int, fold: int | None = None) -> str:
        """The folder's name of the trial with that seed, of a fold where there are folds."""
        return f"seed{seed}" if fold is None else f"fold{fold}-seed{seed}"

    def trial(self, seed: int, fold: int | None = None) -> RunRecord | None:
        """The trial with that seed, whatever became of it; None where there is none yet.

        Raises:
            RecordError: There is a folder for it, and no record in it.
        """
        path = self.path / self.name_of(seed, fold)
        return RunRecord.open(path) if path.exists() else None

    def is_done(self, seed: int, fold: int | None = None) -> bool:
        """Whether the trial with that seed has come to its end."""
        record = self.trial(seed, fold)
        return record is not None and record.status == "finished"

    def missing(self, seeds: Iterable[int]) -> list[int]:
        """Those of the seeds whose trials have not come to their ends."""
        return [seed for seed in seeds if not self.is_done(seed)]

    def finished(self) -> list[RunRecord]:
        """The trials that have come to their ends with a champion, by their seeds; where they have one, final fits."""
        done = [each for each in self.trials() if each.status == "finished" and (each.path / CHAMPION_FILE).is_file()]
        return [each.delivered for each in done]

    def ensemble(self, *, combine: Combine | None = None, best: int | None = None, calibrate: bool = True) -> Predictor:
        """The champions of the finished trials as one predictor; arguments and errors as of `neuroevo.ensemble`."""
        from neuroevo.records.ensembles import predictor_of

        return predictor_of(self.finished(), combine=combine, best=best, calibrate=calibrate)

    def trials(self) -> list[RunRecord]:
        """All trials, by their seeds and folds; damaged ones are left out."""
        found = []
        for path in self.path.iterdir():
            if path.is_symlink() or not (path / RUN_FILE).is_file():
                continue
            try:
                found.append(RunRecord.open(path))
            except RecordError:
                continue
        return sorted(found, key=_place_of)


def _place_of(record: RunRecord) -> tuple[float, float, str]:
    seed, fold = (record.run.get(name) for name in ("seed", "fold"))
    places = (value if isinstance(value, int) else float("inf") for value in (seed, fold))
    return (*places, record.path.name)  # type: ignore[return-value]
