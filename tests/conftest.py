"""Fixtures that several rooms share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neuroevo.distribution import Cluster

SMALL_SCENARIO = """
title = "A small series"
seed = 1

[problem]
kind = "series"
file = "series.csv"
time = "year"
input = "value"
tolerance = 0.2

[problem.parts]
train = [1900, 1959]
validation = [1960, 1979]
test = [1980, 1999]

[network]
kind = "elman"
n_hidden = 3

[strategy]
kind = "genetic_algorithm"
population_size = 16

[stop]
generations = 12

[record]
plots = false
checkpoint_generations = 4
"""


@pytest.fixture
def small_scenario(tmp_path: Path) -> Path:
    """A scenario of a hundred rows and three units, with its data, in a folder of its own."""
    folder = tmp_path / "scenario"
    folder.mkdir()
    years = np.arange(1900, 2000)
    values = 50 + 40 * np.sin(years * 0.6) + 10 * np.sin(years * 1.7)
    rows = "".join(f"{year},{value:.3f}\n" for year, value in zip(years, values, strict=True))
    (folder / "series.csv").write_text("year,value\n" + rows)
    path = folder / "small.toml"
    path.write_text(SMALL_SCENARIO)
    return path


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Tests that need Ray run in one process, where the tests run in several: a machine has room for one Ray."""
    for item in items:
        if "ray" in item.keywords:
            item.add_marker(pytest.mark.xdist_group("ray"))


@pytest.fixture(scope="session")
def ray_here():
    """A private Ray with room for five workers; `Cluster.local` finds it and leaves it running."""
    with Cluster.local(5) as cluster:
        yield cluster
