"""Record what runs of every kind leave, and compare it with what another state of the sources leaves, bit for bit.

    PYTHONPATH=TREE_BEFORE python tests/violence/same_bits.py record golden.json
    PYTHONPATH=TREE_AFTER  python tests/violence/same_bits.py compare golden.json
    PYTHONPATH=TREE_AFTER  python tests/violence/same_bits.py compare golden.json snes islands   # some cases only

All strategies, cells, precisions, islands, trials, sweeps, workers, and runs that were extended: of each run the
columns of its history (without its seconds) and its champion, as a hash. Hashes are of one kind of processor and of one
set of versions, so the file is made where it is compared and is not part of the repository. Only the command line is
used, which changes less than anything else.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import hashlib
import io
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

COLUMNS = (
    "generation", "evaluations", "best_error", "median_error", "mean_error", "worst_error", "incumbent_error",
    "incumbent_fitness", "incumbent_learned", "validation_error", "n_failed", "diversity",
)  # fmt: skip
SERIES = """
seed = 3
[problem]
kind = "series"
file = "series.csv"
input = "value"
parts = { train = 60, validation = 20, test = "rest" }
[network]
kind = "elman"
n_hidden = 4
[strategy]
kind = "genetic_algorithm"
[stop]
generations = 12
[record]
plots = false
checkpoint_generations = 4
"""
CLASSIC = {
    "strategy.population_size": 96, "strategy.start_width": 0.5, "strategy.n_elites": 1, "strategy.tournament_size": 3,
    "strategy.crossover": "blend", "strategy.crossover_probability": 0.9, "strategy.gene_probability": 0.1,
    "strategy.mutation_width": 0.2, "strategy.mutation_adaptation": "decaying",
}  # fmt: skip
"""Written out, so that the genetic algorithm of all cases stays what it is when its defaults change."""
STRATEGIES: dict[str, dict[str, Any]] = {
    "genetic_algorithm": {},
    "simulated_annealing": {"strategy.population_size": 8},
    "parallel_tempering": {"strategy.population_size": 8},
    "particle_swarm": {"strategy.population_size": 16},
    "cosyne": {"strategy.population_size": 20},
    "random_search": {},
    "random_weight_guessing": {},
    "cma_es": {"strategy.population_size": 12},
    "differential_evolution": {"strategy.population_size": 20},
    "snes": {"strategy.population_size": 12},
    "cr_fm_nes": {"strategy.population_size": 12},
    "openai_es": {"strategy.population_size": 12},
    "pgpe": {"strategy.population_size": 12},
}
NETWORKS: dict[str, dict[str, Any]] = {
    "jordan": {},
    "lstm": {"network.n_layers": 2},
    "gru": {"network.initial_state": True},
    "ctrnn": {},
    "locally_recurrent": {"network.ar_taps": 2},
    "lif": {"network.refractory": 1},
    "elman": {"network.n_hidden": 64},
}
GRAPH = 'network = { kind = "graph", n_units = 5, links = [[0, 0], [1, 0], [2, 1], [3, 2], [4, 3], [5, 4], [6, 0], [6, 5], [3, 5]] }'


def cases() -> dict[str, tuple[dict[str, Any], list[str]]]:
    """Names to overrides and further words of the command line."""
    found: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for kind, values in STRATEGIES.items():
        found[kind] = ({"strategy.kind": kind, **values}, [])
    for kind, values in NETWORKS.items():
        found[f"{kind}-network"] = ({"network.kind": kind, **values}, [])
        found[f"{kind}-double"] = ({"network.kind": kind, "precision": "double", **values}, [])
    mixed = [{"kind": "particle_swarm", "population_size": 16}, {"kind": "snes", "population_size": 16}]
    for topology in ("ring", "star", "complete", "random"):
        islands = {"islands.count": 3, "islands.interval": 3, "islands.topology": topology}
        found[f"islands-{topology}"] = ({**islands, "strategy.population_size": 16, "islands.strategies": mixed}, [])
    found["islands-workers"] = (found["islands-random"][0], ["--workers", "2"])
    found["workers"] = ({}, ["--workers", "2"])
    found["trials"] = ({}, ["--trials", "3"])
    found["trials-workers"] = ({}, ["--trials", "3", "--workers", "2"])
    found["sweep"] = ({}, ["--sweep", "network.n_hidden=2,3", "--trials", "2"])
    found["decay"] = ({"problem.weight_decay": 0.01}, [])
    noise = {"strategy.kind": "snes", "generalise.input_noise": 0.1, "generalise.weight_noise": 0.05}
    found["noise"] = (noise, [])
    found["noise-batch"] = ({**noise, "batch.size": 3, "batch.steps": 8, "batch.washout": 4}, [])
    found["noise-workers"] = (noise, ["--workers", "2"])
    found["noise-islands-workers"] = ({**noise, "islands.count": 3, "islands.interval": 3}, ["--workers", "2"])
    found["final-fit"] = ({**noise, "generalise.final_fit": True}, [])
    found["folds"] = (noise, ["--folds", "3", "--trials", "2"])
    found["folds-workers"] = (noise, ["--folds", "3", "--trials", "2", "--workers", "2"])
    classic = "genetic_algorithm"
    return {
        name: ({**CLASSIC, **values}, words) if values.get("strategy.kind", classic) == classic else (values, words)
        for name, (values, words) in found.items()
    }


def called(words: list[str]) -> None:
    """Run a command in this process, silently."""
    from neuroevo.cli import main

    sys.argv = ["neuroevo", *words]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            main()
        except SystemExit as end:
            if end.code:
                raise RuntimeError(f"{words}: exit code {end.code}: {said.getvalue()}") from end


def hashes(folder: Path) -> dict[str, str]:
    """A hash for each run below a folder."""
    found = {}
    for path in sorted(folder.rglob("history.csv")):
        digest = hashlib.sha256()
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                digest.update(repr([float(row[name]) for name in COLUMNS]).encode())
        with np.load(path.parent / "champion.npz") as champion:
            digest.update(champion["genome"].tobytes())
            digest.update(repr([float(champion[name]) for name in ("error", "validation_error")]).encode())
        found[path.parent.relative_to(folder).as_posix()] = digest.hexdigest()[:20]
    return found


def texts(overrides: Mapping[str, Any]) -> list[str]:
    """Overrides as words of the command line."""
    import tomli_w

    words = []
    for key, value in overrides.items():
        words += ["--set", f"{key}={tomli_w.dumps({'v': value}).partition('= ')[2].strip()}"]
    return words


def carried_out(names: list[str], folder: Path) -> dict[str, dict[str, str]]:
    rows = "".join(f"{(7 * k * k) % 23 + (k * 0.37) % 5:.3f},{k}\n" for k in range(110))
    (folder / "series.csv").write_text("value,number\n" + rows)
    scenario = folder / "case.toml"
    scenario.write_text(SERIES)
    graph = folder / "graph.toml"
    graph.write_text(GRAPH + SERIES.replace('[network]\nkind = "elman"\nn_hidden = 4\n', ""))
    found = {}
    for name, (overrides, words) in cases().items():
        if names and not any(name.startswith(word) or name.endswith(word) for word in names):
            continue
        called(["run", str(scenario), *texts(overrides), *words, "--results", str(folder / name)])
        found[name] = hashes(folder / name)
        if not words:
            for run in sorted(path.parent for path in (folder / name).rglob("run.json")):
                called(["extend", str(run), "--set", "stop.generations=18"])
            found[f"{name}, extended"] = hashes(folder / name)
    if not names or "graph" in names:
        called(["run", str(graph), *texts(CLASSIC), "--results", str(folder / "graph")])
        found["graph"] = hashes(folder / "graph")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["record", "compare"])
    parser.add_argument("file", type=Path)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = carried_out(options.names, Path(folder))
    if options.what == "record":
        options.file.write_text(json.dumps(found, indent=1))
        print(f"{sum(map(len, found.values()))} runs recorded in {options.file}")
        return
    wanted = json.loads(options.file.read_text())
    differing = [name for name, runs in found.items() if wanted.get(name) != runs]
    print(
        f"{len(found) - len(differing)} of {len(found)} cases equal" + "".join(f"\n  differs: {n}" for n in differing)
    )
    sys.exit(bool(differing))


if __name__ == "__main__":
    main()
