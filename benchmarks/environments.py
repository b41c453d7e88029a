"""Solve environments of Gymnasium with hidden state, with memory and without, and time what Python costs.

    python benchmarks/environments.py                # to results/control/environments.{json,md}
    python benchmarks/environments.py --speed        # steps a second alone

Needs `pip install neuroevo-rnn[gymnasium] popgym`. Champions are tested on 100 other episodes of Gymnasium. Without
memory means the same network with its recurrent weights fixed at 0, or without the inputs before the present one.
CartPole and Pendulum are evolved in compiled twins, `peers/twins.py`, and tested in Gymnasium. Times are the
processor's. Rows that the file of results has are left as they are.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import gymnasium
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import neuroevo as ne  # noqa: E402
from neuroevo.bench.timing import environment  # noqa: E402
from neuroevo.problems import PROBLEMS  # noqa: E402
from neuroevo.settings import parse_settings  # noqa: E402

NO_MEMORY = {"network.fixed": {"weight_hh_l0": 0.0}}
STUDIES = {
    "CartPole": {"with memory": {}, "without": NO_MEMORY},
    "Pendulum": {"with memory": {}, "without": {"network.ma_taps": 1, "stop.evaluations": 24_000}},
    "repeat_first": {"with memory": {}, "without": {**NO_MEMORY, "stop.evaluations": 3000}},
}
TWINS = {
    "CartPole": {
        "problem": {"n_outputs": 2, "n_state": 5, "n_steps": 500, "n_train": 24},
        "network": {"kind": "elman", "n_hidden": 3},
        "strategy": {"step_size": 1.0, "population_size": 24},
        "stop": {"evaluations": 6000, "error": 0.0},
        "more": {},
    },
    "Pendulum": {
        "problem": {"n_outputs": 1, "n_state": 3, "n_steps": 200, "n_train": 100},
        "network": {"kind": "locally_recurrent", "n_hidden": 4, "ma_taps": 2, "ar_taps": 0},
        "strategy": {"step_size": 4.0, "population_size": 32},
        "stop": {"evaluations": 60_000, "error": 180.0},
        "more": {"batch": {"size": 8, "every": 10}},
    },
}
TESTS = {
    "CartPole": {"environment": "CartPole-v1", "observed": [0, 2], "best": 500.0, "n_train": 1},
    "Pendulum": {"environment": "Pendulum-v1", "observed": [0, 1], "best": 0.0, "n_train": 1},
}


def in_gymnasium(**keys):
    return parse_settings(PROBLEMS["gymnasium"], keys, "problem").build(ROOT)


def scenario_of(name, changes):
    """A shipped scenario in Gymnasium, or one in the compiled twin of an environment."""
    if name == "repeat_first":
        return ROOT / "scenarios" / "repeat_first.toml", changes
    from neuroevo.problems.control.compiled import CompiledSimulator

    twin = TWINS[name]
    network, stop = (
        {**twin[table], **{key[len(table) + 1 :]: value for key, value in changes.items() if key.startswith(table)}}
        for table in ("network", "stop")
    )
    problem = CompiledSimulator(functions=f"benchmarks.peers.twins:{name}", n_inputs=2, n_test=0, **twin["problem"])
    return (
        ne.make_scenario(
            problem,
            ne.make_network(network.pop("kind"), 2, problem.n_outputs, **network),
            {"kind": "cma_es", **twin["strategy"]},
            stop,
            title=f"{name}, velocities unseen",
            **twin["more"],
        ),
        {},
    )


def solved(name, changes, seed):
    """What a run came to: evaluations, seconds of the processor, error of training, and test returns."""
    scenario, overrides = scenario_of(name, changes)
    begun = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        record = ne.run(scenario, seed=seed, results=folder, overrides={"record.plots": False, **overrides})
        seconds, champion = time.process_time() - begun, record.champion
        problem = in_gymnasium(**TESTS[name]) if name in TESTS else record.problem
        returns, _ = problem.played(record.network, champion.genome[None], "test")
        return {
            "evaluations": int(record.history["evaluations"][-1]),
            "seconds": seconds,
            "error": champion.error,
            "reached": "error" in record.stop_reason.message,
            "returns": returns[0].tolist(),
        }


def speed(name, **keys):
    """Steps a second of an environment alone and with networks, and of the loop that a user would write."""
    problem = in_gymnasium(environment=name, n_train=8, n_test=0, **keys)
    network = ne.Elman(problem.n_inputs, 4, problem.n_outputs)
    genomes = np.random.default_rng(0).normal(size=(64, network.n_genes))
    best = {"alone": 0.0, "population": 0.0, "player": 0.0}
    problem.played(network, genomes[:16], "train")
    for _ in range(3):
        begun = time.process_time()
        _, steps = problem.played(network, genomes, "train")
        best["population"] = max(best["population"], steps.sum() / (time.process_time() - begun))
        best["alone"] = max(best["alone"], alone(name, steps, problem.seeds("train")))
        best["player"] = max(best["player"], with_player(name, problem, network, genomes[:8]))
    return best


def alone(name, steps, seeds):
    """Steps a second of as many episodes of the same lengths with one action; who falls before goes on falling."""
    one = gymnasium.make(name, disable_env_checker=True)
    action, gymnasium.logger.min_level = one.action_space.sample(), gymnasium.logger.ERROR
    begun = time.process_time()
    for row in steps:
        for seed, n in zip(seeds, row, strict=True):
            one.reset(seed=int(seed))
            for _ in range(n):
                one.step(action)
    return steps.sum() / (time.process_time() - begun)


def with_player(name, problem, network, genomes):
    """Steps a second of a plain loop around `neuroevo.Player`, an episode at a time."""
    one, n_steps = gymnasium.make(name), 0
    discrete = isinstance(one.action_space, gymnasium.spaces.Discrete)
    begun = time.process_time()
    for genome in genomes:
        for seed in problem.seeds("train"):
            player, over = ne.Player(network, genome), False
            observation = one.reset(seed=int(seed))[0]
            while not over:
                outputs = player.step(observation[list(problem.observed)])
                action = int(outputs.argmax()) if discrete else np.clip(2 * outputs, -2, 2).astype(np.float32)
                observation, _, ended, cut, _ = one.step(action)
                over, n_steps = ended or cut, n_steps + 1
    return n_steps / (time.process_time() - begun)


def row(name, form, runs):
    reached = [run for run in runs if run["reached"]]
    returns = [float(np.mean(run["returns"])) for run in runs]
    middle = f"{np.median([run['evaluations'] for run in reached]):,.0f}" if reached else "-"
    seconds = f"{np.median([run['seconds'] for run in runs]):.0f}"
    return (
        f"| {name} | {form} | {len(reached)} of {len(runs)} | {middle} | {seconds} | "
        f"{np.median(returns):.4g} | {min(returns):.4g} to {max(returns):.4g} |"
    )


def page(report):
    lines = ["| environment | steps a second alone | populations | share lost to Python | a loop with `Player` |"]
    lines += ["| --- | ---: | ---: | ---: | ---: |"]
    for name, one in report["speed"].items():
        lost = 1 - one["population"] / one["alone"]
        lines.append(
            f"| {name} | {one['alone']:,.0f} | {one['population']:,.0f} | {100 * lost:.0f} % | {one['player']:,.0f} |"
        )
    lines += [
        "",
        "| task | | solved in training | evaluations, median | seconds, median | test return, median | least to most |",
    ]
    lines += ["| --- | --- | ---: | ---: | ---: | ---: | ---: |"]
    lines += [
        row(name, form, list(runs.values())) for name, forms in report["runs"].items() for form, runs in forms.items()
    ]
    machine = ", ".join(f"{name} {value}" for name, value in report["environment"].items())
    return "\n".join(
        [*lines, "", f"`python benchmarks/environments.py`; gymnasium {gymnasium.__version__}, {machine}", ""]
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speed", action="store_true", help="steps a second alone")
    parser.add_argument("--studies", nargs="*", choices=STUDIES, default=list(STUDIES))
    parser.add_argument("--forms", nargs="*", choices=["with memory", "without"], default=["with memory", "without"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "control")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    file = arguments.out / "environments.json"
    report = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"runs": {}, "speed": {}}
    report["environment"] = environment()
    if arguments.speed or not report["speed"]:
        report["speed"] = {
            "CartPole-v1": speed("CartPole-v1", observed=[0, 2]),
            "Pendulum-v1": speed("Pendulum-v1", observed=[0, 1], best=0.0),
        }
    for name in () if arguments.speed else arguments.studies:
        for form in arguments.forms:
            runs = report["runs"].setdefault(name, {}).setdefault(form, {})
            for seed in range(1, arguments.seeds + 1):
                if str(seed) not in runs:
                    runs[str(seed)] = solved(name, STUDIES[name][form], seed)
                    file.write_text(json.dumps(report) + "\n", encoding="utf-8")
            print(row(name, form, list(runs.values())), flush=True)
    file.write_text(json.dumps(report) + "\n", encoding="utf-8")
    (arguments.out / "environments.md").write_text(page(report), encoding="utf-8")


if __name__ == "__main__":
    main()
