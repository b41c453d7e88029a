"""ensemble.npz and ensemble.json: a predictor of several champions, saved and loaded as one champion is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.prediction import COMBINE, Calibration, LogisticMember, Member, Predictor
from neuroevo.problems.arrays import fingerprint
from neuroevo.problems.classifiers import Logistic
from neuroevo.records.champion import LIMIT
from neuroevo.records.contents import description_of
from neuroevo.records.errors import RecordError, writing
from neuroevo.records.files import read_json, write_json
from neuroevo.records.npz import read_npz, write_npz
from neuroevo.records.record import RunRecord, network_of
from neuroevo.records.schema import check_figures, check_keys, check_results, line, shown

ENSEMBLE_FILE, ENSEMBLE_ARRAYS = "ensemble.json", "ensemble.npz"
FORMAT, FORMAT_VERSIONS = "neuroevo-ensemble", (1, 2)
"""Version 2 has members with weights, or that are no networks; equal to version 1 but for these."""
_LOGISTIC = "logistic_"

_SHARED = "calibration_"
_TEXT, _NUMBER, _TABLE, _LIST = "a text", "a number", "an object", "a list"


@dataclass(frozen=True, eq=False)
class SavedEnsemble:
    """What the folder of a set says of its ensemble.

    Attributes:
        path: The folder.
        contents: What ensemble.json holds, checked.
    """

    path: Path
    contents: Mapping[str, Any]

    @property
    def results(self) -> Mapping[str, Any] | None:
        """Errors by part beside those of single champions and simple competitors; as in run.json."""
        return self.contents.get("results")

    @property
    def intervals(self) -> Mapping[str, Any] | None:
        """Of its intervals: `level`, `n_targets` that they are learnt from, and by `parts` their coverage and width."""
        return self.contents.get("intervals")

    @property
    def chosen(self) -> Mapping[str, Any] | None:
        """Where validation chose its members: `weights` of models, and the measures on `validation` out of the bag."""
        return self.contents.get("chosen")

    def predictor(self) -> Predictor:
        """The ensemble itself.

        Raises:
            RecordError: ensemble.npz is missing, damaged, or not the one that ensemble.json describes.
        """
        path = self.path / ENSEMBLE_ARRAYS
        arrays = read_npz(path, LIMIT)
        if fingerprint(arrays) != self.contents["sha256"]:
            raise RecordError(f"{path} is not the one that {ENSEMBLE_FILE} beside it describes; make it again")
        contents = self.contents
        try:
            members = tuple(self._member(number, arrays) for number in range(len(contents["members"])))
            calibration = Calibration.from_arrays(arrays)
            weighted = any("weight" in each for each in contents["members"])
            weights = tuple(float(each["weight"]) for each in contents["members"]) if weighted else None
            return Predictor(members, contents["combine"], contents["by_class"], calibration, weights)
        except (ValueError, TypeError, KeyError, IndexError, OverflowError, MemoryError) as error:
            raise RecordError(f"{path} does not hold an ensemble: {line(error)}") from error

    def _member(self, number: int, arrays: Mapping[str, NDArray[Any]]) -> Member | LogisticMember:
        values = self.contents["members"][number]
        start = f"member{number}."
        own = {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
        if "network" not in values:
            return LogisticMember(Logistic.from_arrays(own, _LOGISTIC), values["n_inputs"], values["name"])
        network = network_of(f"{self.path / ENSEMBLE_FILE}: members.{number}.network", values["network"])
        genome = own.pop("genome", None)
        if genome is None or genome.dtype != np.float64 or not np.isfinite(genome).all():
            raise RecordError(f"{self.path / ENSEMBLE_ARRAYS} holds no {start}genome of finite float64 numbers")
        scaling = {name: array for name, array in own.items() if name.startswith("scaling_")}
        figures = {key: math.nan if figure is None else figure for key, figure in values["figures"].items()}
        return Member(network, genome, scaling, values["name"], figures)


def save_predictor(
    predictor: Predictor,
    folder: str | Path,
    *,
    title: str = "",
    results: Mapping[str, Any] | None = None,
    intervals: Mapping[str, Any] | None = None,
    chosen: Mapping[str, Any] | None = None,
) -> SavedEnsemble:
    """Write ensemble.npz and ensemble.json, which need nothing else to predict; equal arguments give equal bytes.

    Args:
        predictor: Any one.
        folder: Where they go; made where it is missing.
        title: What people call it.
        results: Its errors, as `Results.to_dict` gives them, where they are known.
        intervals: As `SavedEnsemble.intervals` has them, where they are known.
        chosen: As `SavedEnsemble.chosen` has it, where validation chose the members.

    Raises:
        RecordUnwritable: The machine refused.
    """
    path = Path(folder)
    arrays: dict[str, Any] = {} if predictor.calibration is None else predictor.calibration.to_arrays()
    for number, member in enumerate(predictor.champions):
        own = _arrays_of(member)
        arrays |= {f"member{number}.{name}": value for name, value in own.items()}
    beyond = predictor.weights is not None or any(isinstance(each, LogisticMember) for each in predictor.champions)
    contents = {
        "format": FORMAT,
        "format_version": FORMAT_VERSIONS[beyond],
        "title": title,
        "combine": predictor.combine,
        "by_class": predictor.by_class,
        "members": [_description_of(predictor, number) for number in range(len(predictor.champions))],
        "sha256": fingerprint(arrays),
        **({} if results is None else {"results": results}),
        **({} if intervals is None else {"intervals": intervals}),
        **({} if chosen is None else {"chosen": chosen}),
    }
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)
    write_npz(path / ENSEMBLE_ARRAYS, arrays)
    write_json(path / ENSEMBLE_FILE, contents)
    return SavedEnsemble(path, contents)


def _arrays_of(member: Member | LogisticMember) -> dict[str, NDArray[Any]]:
    if isinstance(member, LogisticMember):
        return member.model.to_arrays(_LOGISTIC)
    return {"genome": member.genome, **member.scaling}


def _description_of(predictor: Predictor, number: int) -> dict[str, Any]:
    member = predictor.champions[number]
    return {
        "name": member.name,
        "figures": dict(member.figures),
        **(
            {"network": description_of(member.network)} if isinstance(member, Member) else {"n_inputs": member.n_inputs}
        ),
        **({} if predictor.weights is None else {"weight": predictor.weights[number]}),
    }


def saved_ensemble(folder: str | Path) -> SavedEnsemble | None:
    """The ensemble saved in a folder, None where there is none.

    Raises:
        RecordError: ensemble.json is damaged, or of another format.
    """
    path = Path(folder) / ENSEMBLE_FILE
    if not path.exists() and not path.is_symlink():
        return None
    contents = read_json(path)
    _check(path, contents)
    return SavedEnsemble(Path(folder), contents)


def load_predictor(folder: str | Path) -> Predictor:
    """The predictor in a folder: the ensemble saved there, or the champion of the run.

    Raises:
        RecordError: There is neither, or it is damaged.
    """
    found = saved_ensemble(folder)
    return RunRecord.open(Path(folder)).predictor() if found is None else found.predictor()


def _check(path: Path, contents: Mapping[str, Any]) -> None:
    where = str(path)
    if contents.get("format") != FORMAT or contents.get("format_version") not in FORMAT_VERSIONS:
        raise RecordError(f"{path} is not of the format {FORMAT!r}, version {' or '.join(map(str, FORMAT_VERSIONS))}")
    check_keys(where, contents, {"title": _TEXT, "combine": _TEXT, "sha256": _TEXT, "members": _LIST}, needed=True)
    check_keys(where, contents, {"results": _TABLE, "intervals": _TABLE})
    if contents["combine"] not in COMBINE or not isinstance(contents.get("by_class"), bool):
        raise RecordError(f"{path}: combine should be one of {', '.join(COMBINE)}, by_class true or false")
    for number, member in enumerate(contents["members"]):
        here = f"{where}: members.{number}"
        if not isinstance(member, dict):
            raise RecordError(f"{here} should be an object, got {shown(member)}")
        check_keys(here, member, {"name": _TEXT, "figures": _TABLE}, needed=True)
        check_keys(here, member, {"network": _TABLE} if "network" in member else {"n_inputs": _NUMBER}, needed=True)
        check_keys(here, member, {"weight": _NUMBER})
        check_figures(f"{here}.figures", member["figures"])
    if "results" in contents:
        check_results(f"{where}: results", contents["results"])
    if "chosen" in contents:
        check_keys(where, contents, {"chosen": _TABLE})
        for key in ("weights", "validation"):
            check_keys(f"{where}: chosen", contents["chosen"], {key: _TABLE}, needed=True)
            check_figures(f"{where}: chosen.{key}", contents["chosen"][key])
    if "intervals" in contents:
        here = f"{where}: intervals"
        check_keys(here, contents["intervals"], {"level": _NUMBER, "n_targets": _NUMBER, "parts": _TABLE}, needed=True)
        for part, figures in contents["intervals"]["parts"].items():
            check_keys(here, {shown(part): figures}, {shown(part): _TABLE})
            check_figures(f"{here}.{shown(part)}", figures)
