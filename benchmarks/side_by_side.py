"""Named workloads under two states of the sources, in alternating fresh processes; the least time of each counts.

    python benchmarks/side_by_side.py BEFORE_PYTHON AFTER_PYTHON [WORKLOAD]...

Each PYTHON is an interpreter of an environment in which that state is installed. One thread, 4 rounds of 9 timings.
"""

from __future__ import annotations

import json
import subprocess
import sys

ROUNDS = 4


def main() -> None:
    before, after, *workloads = sys.argv[1:]
    least: dict[str, dict[str, float]] = {before: {}, after: {}}
    for _ in range(ROUNDS):
        for python, found in least.items():
            command = [python, "-m", "neuroevo", "bench", *workloads, "--threads", "1", "--repeats", "9", "--json"]
            report = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            for row in report["rows"]:
                found[row["name"]] = min(row["milliseconds"], found.get(row["name"], float("inf")))
    print("| workload | before, ms | after, ms | ratio |\n| --- | ---: | ---: | ---: |")
    for name, milliseconds in least[before].items():
        new = least[after][name]
        print(f"| {name} | {milliseconds:.2f} | {new:.2f} | {new / milliseconds:.3f} |")


if __name__ == "__main__":
    main()
