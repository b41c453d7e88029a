"""What direct links from inputs to outputs bring, for the table of docs/decisions/generalisation.md.

    python benchmarks/skip.py                      # results/benchmarks/skip.md

The series of `residuals.py` without their test parts: 60 % train, 20 % validate, 20 % are held out. A GRU of 4 units by
SNES with 24 genomes, 300 generations, 5 seeds, the champion by validation, single precision; inputs are the present
value alone, or the last nine. Normalised errors on validation and held-out rows, medians of the seeds.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import neuroevo as ne  # noqa: E402
from benchmarks.residuals import GENERATIONS, PARTS, POPULATION, SERIES, champion, rows  # noqa: E402
from neuroevo.problems import PROBLEMS, SequenceProblem  # noqa: E402
from neuroevo.problems.links import fitted_links  # noqa: E402
from neuroevo.problems.metrics import measure  # noqa: E402
from neuroevo.settings import parse_settings  # noqa: E402

SEEDS = 5
HEAD = f"""# Direct links from inputs to outputs

Made by `python benchmarks/skip.py`: a GRU of 4 units, SNES, {GENERATIONS} generations of {POPULATION}, medians of
{SEEDS} seeds. Normalised mean squared errors on the rows that chose the champion / on the last fifth before the test
part. The ridge regression of the competitors sees nine values, or a season and one, where there is one input, and
else the nine inputs; so does the linear model of the residual.
"""
VARIANTS = ("none", "true", "true, begun at the fit", "fitted", "residual linear")


def settings(variant: str, problem: SequenceProblem) -> tuple[ne.Network, dict[str, Any]]:
    """The network of a variant, and what its strategy starts from."""
    if variant in ("none", "residual linear"):
        return ne.Gru(problem.n_inputs, 4, 1), {}
    links = fitted_links(problem)
    if variant == "fitted":
        return ne.Gru(problem.n_inputs, 4, 1, skip=True, fixed={"weight_skip": links}), {}
    network = ne.Gru(problem.n_inputs, 4, 1, skip=True)
    if variant == "true":
        return network, {}
    arrays = network.layout.decode(np.zeros(network.n_genes)) | {"weight_skip": links}
    return network, {"initial": network.layout.encode(arrays)[None]}


def figures(variant: str, table: Mapping[str, Any], folder: Path) -> list[float]:
    """Median errors on the parts."""
    keys = {"residual": "linear"} if variant == "residual linear" else {}
    problem = parse_settings(PROBLEMS["series"], {**table, **keys}).build(folder)
    network, start = settings(variant, problem)
    with ne.LocalEvaluator(network, problem, n_threads=1) as evaluator:
        genomes = [champion(evaluator, network, seed, start) for seed in range(SEEDS)]
    outputs = [network.predict(genome, problem.inputs, problem.lengths) for genome in genomes]
    return [float(np.median([measure(problem, each, part).nmse for each in outputs])) for part in PARTS]


def series(name: str, lags: int, folder: Path) -> str:
    """A row of the table: validation / held out for each variant, and for ridge regression."""
    file, column, n, every = SERIES[name]
    values = rows(file, column, n, every)
    (folder / "values.csv").write_text("value\n" + "\n".join(map(repr, values.tolist())))
    parts = {"train": int(0.6 * len(values)), "validation": int(0.2 * len(values)), "held_out": "rest"}
    table = {"file": "values.csv", "input": "value", "lags": lags, "washout": 12, "parts": parts}
    found = [figures(variant, table, folder) for variant in VARIANTS]
    competitors = parse_settings(PROBLEMS["series"], table).build(folder).competitors()
    ridge = next(errors for label, errors in competitors.items() if label.startswith("ridge"))
    cells = [f"{a:.3f} / {b:.3f}" for a, b in [*found, [ridge[part]["nmse"] for part in PARTS]]]
    return f"| {name} | {lags} | {' | '.join(cells)} |"


def main() -> None:
    bars = f"| --- | ---: |{' ---: |' * (len(VARIANTS) + 1)}"
    lines = [HEAD, f"| series | inputs | {' | '.join(VARIANTS)} | ridge |", bars]
    with tempfile.TemporaryDirectory() as folder:
        for name in SERIES:
            for lags in (1, 9):
                lines.append(series(name, lags, Path(folder)))
                print(lines[-1], flush=True)
    (ROOT / "results" / "benchmarks" / "skip.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
