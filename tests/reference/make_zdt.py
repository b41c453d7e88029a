"""Write zdt.json: the hypervolumes that DEAP's own NSGA-II reaches on ZDT 1 to 3.

    python tests/reference/make_zdt.py

Needs deap (written with deap 1.4, numpy 2.4.6). The loop is DEAP's example examples/ga/nsga2.py, as it stands in
benchmarks/zdt.py: 30 variables, a population of 100, 25 000 evaluations, ten seeds; corner (1.1, 1.1).
"""

from __future__ import annotations

import json
import runpy
from pathlib import Path


def main() -> None:
    program = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "zdt.py"))
    found = program["measured"](10, ["deap"])
    volumes = {name: by_tool["deap"]["hypervolume"] for name, by_tool in found.items()}
    text = json.dumps({"corner": program["CORNER"], "deap": volumes}, indent=1)
    Path(__file__).with_name("zdt.json").write_text(f"{text}\n")


if __name__ == "__main__":
    main()
