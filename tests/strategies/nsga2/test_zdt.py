"""ZDT 1 to 3: as much hypervolume as DEAP's own NSGA-II reaches with the same settings, within 2 %."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

from neuroevo.strategies.nsga2.hypervolume import hypervolume

ROOT = Path(__file__).parents[3]
STORED = json.loads((ROOT / "tests" / "reference" / "zdt.json").read_text())
PROGRAM = runpy.run_path(str(ROOT / "benchmarks" / "zdt.py"))

each = pytest.mark.parametrize("name", ["zdt1", "zdt2", "zdt3"])


def volumes(tool, name, seeds):
    return [hypervolume(PROGRAM["TOOLS"][tool](name, seed), STORED["corner"]) for seed in seeds]


@each
def test_the_front_is_as_large_as_deaps(name):
    assert np.median(volumes("neuroevo", name, range(1, 4))) == pytest.approx(np.median(STORED["deap"][name]), rel=0.02)


@each
@pytest.mark.peers
def test_the_stored_volumes_are_deaps(name):
    assert volumes("deap", name, [1]) == pytest.approx(STORED["deap"][name][:1], rel=1e-12)


def test_the_functions_are_deaps():
    from deap import benchmarks

    x = np.random.default_rng(1).random((20, 30))
    for name, function in PROGRAM["FUNCTIONS"].items():
        theirs = [getattr(benchmarks, name)(row) for row in x]
        np.testing.assert_allclose(function(x), theirs, rtol=1e-12)
