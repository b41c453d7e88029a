from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.scenario import ScenarioError, load_scenario


def test_a_run_starts_from_the_champion_of_another(small_scenario: Path, tmp_path: Path) -> None:
    first = ne.run(small_scenario, results=tmp_path / "runs")
    for place in (first.path, first.path / "champion.npz"):
        second = ne.run(small_scenario, results=tmp_path / "runs", overrides={"strategy.initial": str(place)})
        assert second.history["incumbent_error"][0] <= first.champion.error
    # The record holds the genome: it goes on without the run that it came from.
    for file in first.path.rglob("*.npz"):
        file.unlink()
    longer = ne.extend(second.path, overrides={"stop.generations": 15})
    assert longer.history.n_generations == 15


def test_genomes_of_a_file_come_first_as_they_are(small_scenario: Path) -> None:
    genomes = np.random.default_rng(1).normal(size=(5, 19))
    np.savez(small_scenario.with_name("start.npz"), population=genomes)
    strategy = load_scenario(small_scenario, overrides={"strategy.initial": "start.npz"}).make_strategy()
    assert strategy.n_genes == 19
    assert np.array_equal(strategy.ask()[:5], genomes)


def test_several_files_give_their_genomes_one_after_the_other(small_scenario: Path) -> None:
    genomes = np.random.default_rng(1).normal(size=(3, 19))
    np.savez(small_scenario.with_name("first.npz"), population=genomes[:2])
    np.savez(small_scenario.with_name("second.npz"), genome=genomes[2])
    overrides = {"strategy.initial": ["first.npz", "second.npz"]}
    strategy = load_scenario(small_scenario, overrides=overrides).make_strategy()
    assert np.array_equal(strategy.ask()[:3], genomes)
    with pytest.raises(ScenarioError, match=r"missing\.npz"):
        load_scenario(small_scenario, overrides={"strategy.initial": ["first.npz", "missing.npz"]})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("missing.npz", "missing.npz"),
        ("series.csv", "series.csv"),
        ([[1.0, 2.0], [3.0]], "lists of numbers"),
        ([1.0, 2.0], "19"),
        ([float("nan")] * 19, "finite"),
        (3, "19"),
        ([], "one a row"),
        ([[0.0] * 19] * 20_000, "at most"),
    ],
)
def test_what_is_no_genome_is_refused(value: object, expected: str, small_scenario: Path) -> None:
    with pytest.raises(ScenarioError, match=r"strategy") as caught:
        load_scenario(small_scenario, overrides={"strategy.initial": value})
    assert expected in str(caught.value)
