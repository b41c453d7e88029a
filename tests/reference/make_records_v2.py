"""Write records_v2: two records of format version 2, whose sequences of unequal lengths were padded.

Run it once, with a neuroevo that writes that version:  python tests/reference/make_records_v2.py
Both are the same run of 6 generations with a checkpoint every other one; the second was killed in its sixth, after
the row of the fifth. The name of the system's release was shortened afterwards, the lock files were deleted.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "records_v2"
SCENARIO = """
title = "A record of format version 2"
seed = 7

[problem]
kind = "sequences"
file = "pulses.csv"
sequence = "pulse"
inputs = ["height", "slope"]
targets = "sum"
part = "part"
counts = "all"
washout = 1

[network]
kind = "elman"
n_hidden = 2

[strategy]
kind = "snes"
population_size = 8

[stop]
generations = 6

[record]
checkpoint_generations = 2
plots = false
"""


def write_scenario(folder: Path) -> Path:
    """The scenario of the records, with its data, in a folder; its path."""
    lines = ["pulse,part,height,slope,sum"]
    for pulse, n_steps in enumerate((9, 4, 17, 2, 6, 11)):
        heights = np.round(np.sin(0.7 * np.arange(n_steps) + pulse), 3)
        part = ("train", "train", "test", "train", "validation", "train")[pulse]
        for height, slope, total in zip(heights, np.gradient(heights), np.cumsum(heights), strict=True):
            lines.append(f"{pulse},{part},{height},{slope:.3f},{total:.3f}")
    (folder / "pulses.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    path = folder / "pulses.toml"
    path.write_text(SCENARIO, encoding="utf-8")
    return path


def main(folder: Path) -> None:
    import neuroevo as ne

    class Killed(ne.Callback):
        def generation(self, progress):
            if progress.generation == 5:
                os._exit(0)

    with tempfile.TemporaryDirectory() as source:
        scenario = write_scenario(Path(source))
        finished = ne.run(scenario, results=folder).path
        finished.rename(folder / "finished")
        if not os.fork():
            ne.run(scenario, results=folder, callbacks=[Killed()])
        os.wait()
        finished.rename(folder / "killed")


if __name__ == "__main__":
    main(FOLDER)
