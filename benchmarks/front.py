"""Error against links on the yearly sunspots: fronts of NSGA-II from drawn and from trained networks, and SNES beside.

    python benchmarks/front.py --out results/front

For each of five seeds: SNES with all links, and at fixed shares of them (100 000 evaluations each); NSGA-II from drawn
genomes, from the champion with all links, and from all champions of SNES (200 000 each, scenarios/sunspots_front.toml).
Members are chosen by the validation part; the tests are looked at once, by `tests_of`.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

import neuroevo as ne
from neuroevo.evaluation.goals import bytes_of
from neuroevo.networks import count_links

SCENARIO = Path(__file__).parents[1] / "scenarios" / "sunspots_front.toml"
SEEDS, SHARES = range(1, 6), (0.05, 0.1, 0.2, 0.4, 0.7)
SNES = {"strategy": {"kind": "snes"}, "stop": {"evaluations": 100_000}, "record.plots": False}
WAYS = {
    "drawn": "NSGA-II from drawn networks",
    "trained": "NSGA-II from SNES with all links",
    "pruned": "NSGA-II from all SNES networks",
}
BUDGETS = (4, 8, 12, 16, 24, 32, 40, 56, 80)


def run(folder: Path, seed: int, **overrides: Any) -> ne.RunRecord:
    path = folder / f"{SCENARIO.stem}-seed{seed}"
    if path.exists():
        return ne.RunRecord.open(path)
    return ne.run(SCENARIO, seed=seed, overrides={"record.plots": False, **overrides}, results=folder)


def searched(folder: Path) -> dict[str, list[ne.RunRecord]]:
    """The runs of all seeds, by what they are; those that are there are not run again."""
    found: dict[str, list[ne.RunRecord]] = {}
    for seed in SEEDS:
        dense = run(folder / "dense", seed, **SNES, space={"kind": "direct"})
        found.setdefault("dense", []).append(dense)
        found.setdefault("drawn", []).append(run(folder / "drawn", seed))
        given = [str(dense.path.resolve())]
        found.setdefault("trained", []).append(run(folder / "trained", seed, **{"strategy.initial": given}))
        for share in SHARES:
            table = {"kind": "switched", "share": share}
            record = run(folder / f"snes{share}", seed, **SNES, space=table)
            found.setdefault(f"snes {share}", []).append(record)
            given.append(str(record.path.resolve()))
        found.setdefault("pruned", []).append(run(folder / "pruned", seed, **{"strategy.initial": given}))
    return found


def points(record: ne.RunRecord) -> list[dict[str, float]]:
    """Links, bytes, and errors of the members of a front.

    Of another run the smallest error in training, and that of its champion in validation.
    """
    champion, front = record.champion, record.front
    if front is None:
        genomes, train = champion.genome[None], record.history["incumbent_error"][-1:]
        validation = [champion.figures["validation_error"]]
    else:
        genomes, train, validation = front.genomes, front.train[:, 0], front.validation[:, 0]
    links, sizes = count_links(record.network, genomes), bytes_of(record.network, genomes)
    return [
        {"links": int(n), "bytes": int(size), "train": float(error), "validation": float(held)}
        for n, size, error, held in zip(links, sizes, train, validation, strict=True)
    ]


def tests_of(record: ne.RunRecord) -> dict[str, Any]:
    """The member that validation chooses, and what it does on the tests, as average relative variance."""
    number = 1 + record.front.best if record.front is not None else None
    chosen = record if number is None else record.member(number)
    measured = record.problem.measure(record.network, chosen.champion.genome)
    links = int(count_links(record.network, chosen.champion.genome)[0])
    return {"member": number, "links": links, **{part: figures["arv"] for part, figures in measured.items()}}


def smallest(fronts: list[list[dict[str, float]]], budget: int) -> list[float]:
    """Of each front the smallest training error with so many links at most."""
    return [min((p["train"] for p in front if p["links"] <= budget), default=np.nan) for front in fronts]


def draw(found: dict[str, list[list[dict[str, float]]]], file: Path) -> None:
    from neuroevo.plots import style
    from neuroevo.plots.ticks import set_logarithmic

    errors = [p[part] for runs in found.values() for front in runs for p in front for part in ("train", "validation")]
    with style.drawing("fronts"):
        figure = style.new_figure(9.5, 4.6)
        panels = figure.subplots(1, 2, sharey=True)
        for axes, part in zip(panels, ("train", "validation"), strict=True):
            for way, colour in (("drawn", style.BLUE), ("trained", style.VERMILION), ("pruned", style.GREEN)):
                for k, front in enumerate(found[way]):
                    points_ = sorted((p["links"], p[part]) for p in front)
                    looks = {"drawstyle": "steps-post", "lw": 1.0} if part == "train" else {"ls": ""}
                    label = WAYS[way] if k == 0 else None
                    axes.plot(
                        *zip(*points_, strict=True), color=colour, marker="o", ms=3, alpha=0.7, label=label, **looks
                    )
            singles = [
                p for way, runs in found.items() if way.startswith(("snes", "dense")) for run_ in runs for p in run_
            ]
            axes.plot(
                [p["links"] for p in singles], [p[part] for p in singles], color=style.INK, marker="x", ms=5, ls="",
                label="SNES, links fixed beforehand",
            )  # fmt: skip
            set_logarithmic(axes, "y", min(errors), max(errors))
            axes.set(xlabel="links that are there", title={"train": "training"}.get(part, part))
        panels[0].set_ylabel("mean squared error (scaled units)")
        panels[0].legend()
        style.heading(figure, "Yearly sunspots: error against links", "five seeds of each; members of fronts by steps")
        style.save(figure, file.parent, file.stem, ("png",))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/front"))
    parser.add_argument("--runs", type=Path, default=Path("results/runs/front"))
    options = parser.parse_args()
    records = searched(options.runs)
    found = {way: [points(record) for record in runs] for way, runs in records.items()}
    options.out.mkdir(parents=True, exist_ok=True)
    draw(found, options.out / "front.png")
    with (options.out / "front.csv").open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["way", "seed", "links", "bytes", "train", "validation"])
        for way, runs in found.items():
            for seed, members in zip(SEEDS, runs, strict=True):
                rows.writerows([way, seed, *member.values()] for member in members)
    for way in WAYS:
        print(way, [round(float(np.median(smallest(found[way], n))), 5) for n in BUDGETS])
    for way, runs in found.items():
        if way not in WAYS:
            print(way, [float(np.median([member[key] for (member,) in runs])) for key in ("links", "train")])
    chosen = {way: [tests_of(record) for record in records[way]] for way in (*WAYS, "dense")}
    (options.out / "chosen.json").write_text(json.dumps(chosen, indent=1) + "\n")
    for way, choices in chosen.items():
        print(
            way, {key: float(np.median([c[key] for c in choices if c[key]])) for key in choices[0] if key != "member"}
        )


if __name__ == "__main__":
    main()
