"""The key `initial` of [strategy]: genomes to start from, of a champion, of a file, or written out.

A resolved scenario holds the numbers themselves, so that a record needs nothing else to go on.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neuroevo.errors import BadInput
from neuroevo.networks import Network
from neuroevo.networks.exchange import from_state_dict
from neuroevo.problems.errors import DataError
from neuroevo.problems.tables.archive import read_archive
from neuroevo.settings import Mistake, SettingsError, shown

LIMIT = 200_000
"""Numbers that a scenario can hold; larger populations are better drawn than written down."""

_NAMES = ("genome", "genomes", "population")


def initial_genomes(value: object, folder: Path, path: str, network: Network | None) -> list[list[float]]:
    """The genomes that a scenario names or holds, one a row.

    Args:
        value: Text, or a list of texts, each: a run's folder, its champion.npz, an NPZ file with an array "genome"
            `(n_genes,)`, "genomes" or "population" `(n, n_genes)`, or the state dictionary of a PyTorch model as a file
            *.safetensors; relative to the scenario. Lists of numbers: one genome, or a list of genomes.
        folder: The scenario's.
        path: The key path, for messages.
        network: What PyTorch's weights become a genome of; None where mistakes left none, and then there is no genome.

    Raises:
        SettingsError: It is none of these, or holds too many numbers.
    """
    try:
        if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
            value = [row for each in value for row in initial_genomes(each, folder, path, network)]
        if isinstance(value, str) and value.endswith(".safetensors"):
            return [] if network is None else [_of_torch(network, folder / value).tolist()]
        genomes = _read(folder / value) if isinstance(value, str) else np.array(value, dtype=np.float64)
    except BadInput as error:
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


def _of_torch(network: Network, file: Path) -> np.ndarray:
    if not file.is_file():
        raise DataError(f"cannot read {file}: there is no such file")
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file
    except ImportError:
        raise DataError(f"{file} needs the package safetensors: pip install 'neuroevo-rnn[torch]'") from None
    try:
        arrays = load_file(file)
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(f"{file} is no safetensors file of real numbers ({error})") from error
    try:
        return from_state_dict(network, arrays)
    except BadInput as error:
        raise DataError(f"{file}: {error}") from error
