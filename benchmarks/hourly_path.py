"""From an unknown hourly file to a champion: what `neuroevo new` proposes for it, and what becomes of that.

    python benchmarks/hourly_path.py --markdown results/benchmarks/hourly_path.md
    python benchmarks/hourly_path.py --data bikes.csv --target bikers    # a file of one's own

The file is made here: 17 000 hours of electrical load and what goes with it, in seven columns, one of them text. The
load has a daily and a weekly pattern, a trend, heating and cooling on either side of a mild temperature, a price that
follows it, and noise that lasts; 300 rows and a few hundred cells are missing. Everything else is proposed: the only
option is `--horizon 24`.
"""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

N_ROWS, N_LOST, N_HOLES = 17_000, 300, 400
NAMES = ("time", "temperature", "humidity", "wind", "price", "weather", "staff", "load")


def lasting(rng: np.random.Generator, n: int, hours: float, width: float) -> np.ndarray:
    """Noise of a standard deviation that forgets half of itself in so many hours."""
    keep = 0.5 ** (1 / hours)
    values = np.empty(n)
    values[0] = rng.normal()
    for i in range(1, n):
        values[i] = keep * values[i - 1] + np.sqrt(1 - keep**2) * rng.normal()
    return width * values


def hourly(path: Path, seed: int = 1) -> None:
    """Write the file."""
    rng = np.random.default_rng(seed)
    hours = np.arange(N_ROWS)
    day, week, year = (2 * np.pi * hours / length for length in (24, 168, 8766))
    temperature = 11 - 9 * np.cos(year) - 4 * np.cos(day - 0.6) + lasting(rng, N_ROWS, 30, 3)
    front = lasting(rng, N_ROWS, 20, 1)
    weather = np.where(front > 0.8, "rain", np.where(front > -0.2, "cloudy", "clear"))
    humidity = np.clip(65 + 15 * front + 8 * np.cos(day) + rng.normal(size=N_ROWS), 5, 100)
    wind = np.abs(4 + 2 * front + lasting(rng, N_ROWS, 8, 2))
    weekday = (hours // 24 + 4) % 7
    at_work = (weekday < 5) & (hours % 24 >= 7) & (hours % 24 < 18)
    staff = np.where(at_work, 40 + rng.integers(-6, 7, N_ROWS), 4 + rng.integers(0, 3, N_ROWS))
    comfort = np.maximum(13 - temperature, 0) + 1.6 * np.maximum(temperature - 21, 0)
    load = 70 + hours / 1500 + 9 * np.sin(day - 2) + 4 * np.sin(2 * day) + 14 * at_work + 2 * np.sin(week)
    load += 2.2 * comfort + lasting(rng, N_ROWS, 10, 5) + rng.normal(size=N_ROWS)
    price = 30 + 0.4 * (load - 70) - 1.5 * wind + lasting(rng, N_ROWS, 15, 4)
    numbers = np.column_stack([temperature, humidity, wind, price, staff, load])
    cells = [[f"{value:.2f}" for value in row] for row in numbers]
    for row, column in zip(rng.integers(0, N_ROWS, N_HOLES), rng.integers(0, 4, N_HOLES), strict=True):
        cells[row][column] = ""
    lost = {start + i for start in rng.integers(100, N_ROWS - 200, 6).tolist() for i in range(N_LOST // 6)}
    begin = datetime.datetime(2016, 7, 1)
    lines = [
        ",".join([f"{begin + datetime.timedelta(hours=i):%Y-%m-%d %H:%M}", *its[:4], str(weather[i]), *its[4:]])
        for i, its in enumerate(cells)
        if i not in lost
    ]
    path.write_text("\n".join([",".join(NAMES), *lines]) + "\n")


def neuroevo(folder: Path, *arguments: str) -> float:
    """Run a command as a user does; the seconds that it took."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-m", "neuroevo", *arguments], cwd=folder, check=True)
    return time.perf_counter() - begun


def path_of(data: Path | None, folder: Path, options: list[str]) -> dict:
    """Walk the path in a folder, and say what came of it."""
    if data is None:
        data = folder / "hourly.csv"
        hourly(data)
    proposed = neuroevo(folder, "new", str(data), "--horizon", "24", "--yes", *options)
    ran = neuroevo(folder, "run", f"{data.stem}.toml")
    where = next((folder / "results" / "runs").iterdir())
    found = json.loads((where / "ensemble.json").read_text())
    return {
        "proposed": proposed,
        "ran": ran,
        "contestants": found["results"]["contestants"],
        "weights": found["chosen"]["weights"],
        "scenario": (folder / f"{data.stem}.toml").read_text(),
    }


def markdown(found: dict, command: str) -> str:
    parts = ("train", "validation", "test")
    lines = [
        "# From an unknown hourly file to a champion", "",
        "17 000 hours in seven columns, 24 hours ahead; the file is made by `benchmarks/hourly_path.py`.", "",
        f"    {command}", "",
        f"`neuroevo new hourly.csv --horizon 24 --yes` took {found['proposed']:.1f} s, `neuroevo run hourly.toml`",
f"{found['ran']:.0f} s on 2 cores", "that were busy with other work.", "",
        "| root mean squared error | train | validation | test |", "| --- | ---: | ---: | ---: |",
    ]  # fmt: skip
    for label, figures in found["contestants"].items():
        name = f"**{label}**" if label == "chosen by validation" else label
        lines.append(f"| {name} | " + " | ".join(f"{figures[part]['rmse']:.3f}" for part in parts) + " |")
    chosen = ", ".join(f"{label} {100 * share:.0f} %" for label, share in found["weights"].items())
    lines += ["", f"Chosen by validation: {chosen}.", ""]
    return "\n".join([*lines, "What `new` wrote:", "", "```toml", found["scenario"].rstrip(), "```", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--target")
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        more = ["--target", options.target] if options.target else []
        found = path_of(options.data and options.data.resolve(), Path(folder), more)
    text = markdown(found, "python " + " ".join(sys.argv))
    print(text)
    if options.markdown:
        options.markdown.write_text(text)


if __name__ == "__main__":
    main()
