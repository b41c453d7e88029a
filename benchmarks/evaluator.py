"""Time the evaluator on the named workloads in both precisions and with AVX2 only, as shares of the machine limit.

    python benchmarks/evaluator.py                 # results/benchmarks/evaluator.{json,md}

The same as `neuroevo bench` in its several modes; every mode is a process of its own, because numba chooses the
processor when it starts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.undisturbed import first_in_line  # noqa: E402

MODES = {
    "single": ("float32", "single", None),
    "double": ("float64", "double", None),
    "avx2": ("float32, AVX2 only (`NUMBA_CPU_NAME=haswell`)", "single", "haswell"),
}


def run_mode(mode, options):
    """The report of one mode, measured in another process."""
    _, precision, cpu = MODES[mode]
    environment = os.environ | ({"NUMBA_CPU_NAME": cpu} if cpu else {})
    command = [sys.executable, __file__, "--inner", precision, "--threads", str(options.threads)]
    command += ["--repeats", str(options.repeats), *(["--undisturbed"] if options.undisturbed else [])]
    return json.loads(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout)


def inner(options):
    """Measure in this process and print the report."""
    from neuroevo.bench import run_bench

    report = run_bench(
        n_threads=options.threads,
        precision=options.inner,
        repeats=options.repeats,
        announce=lambda line: print(line, file=sys.stderr),
        around=lambda: first_in_line(options.undisturbed),
    )
    print(report.to_json())


def markdown(report):
    """A table of all modes, and where it was measured."""
    names = [row["name"] for row in report["modes"]["single"]["rows"]]
    figures = {mode: {row["name"]: row for row in one["rows"]} for mode, one in report["modes"].items()}
    head = "".join(f" {MODES[mode][0]}: ms | million steps/s | share of the limit |" for mode in report["modes"])
    lines = []
    for name in names:
        line = f"| `{name}` |"
        for rows in figures.values():
            row = rows[name]
            rate, share = row["million_steps_per_second"], 100 * row["share_of_limit"]
            line += f" {row['milliseconds']:.2f} | {rate:.1f} | {share:.0f} % |"
        lines.append(line)
    peaks = "\n".join(
        f"- {MODES[mode][0]}: {2e-9 * one['peaks']['multiply_adds']:.0f} GFLOP/s, "
        f"{1e-9 * one['peaks']['activations']:.2f} G tanh/s"
        for mode, one in report["modes"].items()
    )
    first = report["modes"]["single"]
    return f"""# The evaluator on the named workloads

Made by `{report["command"]}`: {first["peaks"]["n_threads"]} threads, best of at least {first["repeats"]}.
Machine: {first["environment"]["processor"]}, {first["environment"]["system"]}, numba {first["environment"]["numba"]}.
The limit is defined in `docs/decisions/machine-limit.md`; peaks as measured in each mode:

{peaks}

| workload |{head}
|---|{"---:|" * (3 * len(report["modes"]))}
{chr(10).join(lines)}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--modes", default=",".join(MODES))
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "benchmarks")
    parser.add_argument("--undisturbed", action="store_true", help="timed calls get real-time priority (Linux, root)")
    parser.add_argument("--inner", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inner:
        inner(options)
        return
    command = " ".join(["python benchmarks/evaluator.py", *sys.argv[1:]])
    report = {"command": command, "modes": {mode: run_mode(mode, options) for mode in options.modes.split(",")}}
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "evaluator.json").write_text(json.dumps(report, indent=1) + "\n")
    (options.out / "evaluator.md").write_text(markdown(report))
    print(markdown(report))


if __name__ == "__main__":
    main()
