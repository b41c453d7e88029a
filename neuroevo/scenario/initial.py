"""The key `initial` of [strategy]: genomes to start from, of a champion, of a file, or written out.

A resolved scenario holds the numbers themselves, so that a record needs nothing else to go on.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neuroevo.problems.archive import read_archive
from neuroevo.problems.errors import DataError
from neuroevo.settings import Mistake, SettingsError, shown

LIMIT = 200_000
"""Numbers that a scenario can hold; larger populations are better drawn than written down."""

_NAMES = ("genome", "genomes", "population")


def initial_genomes(value: object, folder: Path, path: str) -> list[list[float]]:
    """The genomes that a scenario names or holds, one a row.

    Args:
        value: Text: a run's folder, its champion.npz, or an NPZ file with an array "genome" `(n_genes,)`, "genomes" or
            "population" `(n, n_genes)`; relative to the scenario. Lists: one genome, or a list of genomes.
        folder: The scenario's.
        path: The key path, for messages.

    Raises:
        SettingsError: It is none of these, or holds too many numbers.
    """
    try:
        genomes = _read(folder / value) if isinstance(value, str) else np.array(value, dtype=np.float64)
    except DataError as error:
        raise SettingsError([Mistake(path, str(error))]) from error
    except (ValueError, TypeError, OverflowError) as error:
        expected = "must be a file in quotes, or genomes as lists of numbers of one length"
        raise SettingsError([Mistake(path, expected, shown(value))]) from error
    genomes = np.atleast_2d(genomes)
    if genomes.ndim != 2 or not genomes.size or genomes.dtype.kind not in "fiu" or not np.isfinite(genomes).all():
        raise SettingsError([Mistake(path, "must hold genomes of finite numbers, one a row", shown(value))])
    if genomes.size > LIMIT:
        expected = f"holds {genomes.size:,} numbers, a scenario at most {LIMIT:,}"
        raise SettingsError([Mistake(path, expected, hint="give fewer genomes; the rest are drawn around them")])
    return [[float(gene) for gene in genome] for genome in genomes]


def _read(file: Path) -> np.ndarray:
    arrays = read_archive(file / "champion.npz" if file.is_dir() else file)
    found = [arrays[name] for name in _NAMES if name in arrays]
    if not found:
        raise DataError(f"{file} has no array called {', '.join(_NAMES[:-1])} or {_NAMES[-1]}")
    return found[0]
