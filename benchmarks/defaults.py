"""Settings of strategies compared on problems that the quality table does not use, so that defaults can be chosen.

    python benchmarks/defaults.py openai_es 'noise=0.02,0.1' 'learning_rate=0.01,0.1' --seeds 3

Prints the median error of every combination on every problem, and the mean over problems of its logarithm relative to
the best combination. Runs are as in quality.py, with fewer evaluations.
"""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path

import numpy as np
from quality import DATA, Case, run_once

import neuroevo as ne
from neuroevo.problems import PROBLEMS


def el_nino() -> Case:
    series = PROBLEMS["series"](
        file="elnino_sst_monthly.csv", parts={"train": 500, "test": "rest"}, **_only_value("elnino_sst_monthly.csv")
    )
    return ne.Gru(1, 6, 1), series.build(DATA)


def _only_value(file: str) -> dict[str, object]:
    names = (DATA / file).read_text(encoding="utf-8").splitlines()[0].split(",")
    return {"input": names[-1], "time": tuple(names[:-1])} if len(names) > 1 else {}


def narma() -> Case:
    return ne.Elman(1, 10, 1), PROBLEMS["narma10"]().build(DATA)


def lorenz() -> Case:
    return ne.Lstm(1, 5, 1), PROBLEMS["lorenz"](time_step=0.05).build(DATA)


def multiplication() -> Case:
    return ne.Gru(2, 5, 1), PROBLEMS["multiplication"](min_length=15, n_train=128, n_test=256).build(DATA)


def passengers() -> Case:
    file = "airline_passengers.csv"
    return ne.Elman(1, 8, 1), PROBLEMS["series"](file=file, **_only_value(file)).build(DATA)


CASES = (el_nino, narma, lorenz, multiplication, passengers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind")
    parser.add_argument("setting", nargs="*", help="name=value,value,...")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budget", type=int, default=30_000)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    names = [setting.split("=")[0] for setting in arguments.setting]
    values = [[_value(text) for text in setting.split("=")[1].split(",")] for setting in arguments.setting]
    combinations = [dict(zip(names, choice, strict=True)) for choice in itertools.product(*values)]
    medians = np.empty((len(combinations), len(CASES)))
    for column, make in enumerate(CASES):
        case = make()
        for row, settings in enumerate(combinations):
            errors = [
                run_once(case, arguments.kind, settings, 1000 + seed, arguments.budget)["train"]
                for seed in range(arguments.seeds)
            ]
            medians[row, column] = np.median(errors)
    loss = np.log(medians / medians.min(axis=0)).mean(axis=1)
    print(arguments.kind, [case.__name__ for case in CASES])
    for row in np.argsort(loss):
        print(
            f"{loss[row]:6.2f}  {combinations[row]}  {' '.join(f'{value:.3g}' for value in medians[row])}", flush=True
        )
    if arguments.out:
        rows = [{"settings": s, "medians": m.tolist()} for s, m in zip(combinations, medians, strict=True)]
        arguments.out.write_text(json.dumps({"kind": arguments.kind, "rows": rows}, indent=1), encoding="utf-8")


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


if __name__ == "__main__":
    main()
