"""What the record of a new run begins with: the contents of run.json, and the data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neuroevo.networks import Network
from neuroevo.problems import Problem
from neuroevo.problems.arrays import fingerprint
from neuroevo.records import provenance
from neuroevo.records.files import DATA_FILE, write_atomically, write_shared
from neuroevo.records.npz import pack_npz
from neuroevo.records.schema import FORMAT, FORMAT_VERSION


def first_contents(run: Mapping[str, Any], network: Network, data: Mapping[str, Any]) -> dict[str, Any]:
    """The contents of run.json; `run` has the entries that the caller adds, `data` comes from :func:`store_data`."""
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "name": "",
        **run,
        "status": "running",
        "created": provenance.now(),
        "updated": provenance.now(),
        "stop_reason": None,
        "network": description_of(network),
        "data": data,
        "versions": provenance.versions(),
        "machine": provenance.machine(),
    }


def description_of(network: Network) -> dict[str, Any]:
    """What a network is, for `network_of`."""
    return {
        "kind": network.kind,
        "n_inputs": network.n_inputs,
        "n_outputs": network.n_outputs,
        "n_genes": network.n_genes,
        "settings": network.settings(),
    }


def store_data(folder: Path, problem: Problem, limit: int, shared: Path | None = None) -> dict[str, Any]:
    """Write data.npz, unless the data have more than `limit` bytes, and give what run.json says of them.

    Args:
        folder: The run's.
        problem: Has the data.
        limit: In bytes.
        shared: The folder of a set whose runs have the same data: its data.npz and the run's are one file.
    """
    arrays = problem.to_arrays()
    n_bytes = sum(array.nbytes for array in arrays.values())
    stored = n_bytes <= limit
    if stored:
        content = pack_npz(arrays)
        if shared is None:
            write_atomically(folder / DATA_FILE, content)
        else:
            write_shared(folder / DATA_FILE, content, shared / DATA_FILE)
    return {
        "problem": problem.kind,
        "error": problem.error_name,
        "stored": stored,
        "sha256": fingerprint(arrays),
        "n_bytes": n_bytes,
    }
