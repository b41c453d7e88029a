"""Write records_v1: two records of format version 1, a finished one and one that was killed in the middle.

Run it once, with the neuroevo 0.1.0 that wrote that version:  python tests/reference/make_records_v1.py
Both are the same run of 6 generations with a checkpoint every other one; the second was killed in its sixth, after
the row of the fifth. The name of the system's release was shortened afterwards, the lock files were deleted.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "records_v1"
SCENARIO = """
title = "A record of format version 1"
seed = 7

[problem]
kind = "series"
file = "waves.csv"
input = "height"
tolerance = 0.2

[problem.parts]
train = 0.6
validation = 0.2
test = "rest"

[network]
kind = "elman"
n_hidden = 2

[strategy]
kind = "genetic_algorithm"
population_size = 8

[stop]
generations = 6

[record]
checkpoint_generations = 2
plots = false
"""


def write_scenario(folder: Path) -> Path:
    """The scenario of the records, with its data, in a folder; its path."""
    heights = np.round(np.sin(0.7 * np.arange(40)) + 0.3 * np.sin(1.9 * np.arange(40)), 3)
    (folder / "waves.csv").write_text("\n".join(["height", *map(str, heights)]) + "\n", encoding="utf-8")
    path = folder / "waves.toml"
    path.write_text(SCENARIO, encoding="utf-8")
    return path


def main(folder: Path) -> None:
    import neuroevo as ne
    from neuroevo.experiment import Observer

    class Killed(Observer):
        def generation(self, progress):
            if progress.generation == 5:
                os._exit(0)

    with tempfile.TemporaryDirectory() as source:
        scenario = write_scenario(Path(source))
        finished = ne.run(scenario, results=folder).path
        finished.rename(folder / "finished")
        if not os.fork():
            ne.run(scenario, results=folder, observer=Killed())
        os.wait()
        finished.rename(folder / "killed")


if __name__ == "__main__":
    main(FOLDER)
