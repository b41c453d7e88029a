"""Runs whose networks act: broken off and resumed, here and on workers, they leave the files of an unbroken run."""

from __future__ import annotations

from pathlib import Path

import pytest

import neuroevo as ne
from neuroevo.experiment import resume
from neuroevo.problems import PROBLEMS
from neuroevo.problems.control.own import Simulator
from neuroevo.problems.control.poles import DoublePole
from neuroevo.settings import parse_settings
from tests.distribution.test_runs import Crash, Crashing
from tests.results import results_of


def environment(**keys):
    pytest.importorskip("gymnasium")
    given = {"environment": "CartPole-v1", "n_train": 6, "n_test": 9, "n_steps": 80, **keys}
    return parse_settings(PROBLEMS["gymnasium"], given, "problem").build(Path())


PROBLEMS_HERE = {
    "poles": lambda: DoublePole(n_steps=300, n_starts=6, test_steps=20),
    "simulator": lambda: Simulator(
        function="tests.problems.control.simulators:follow", n_inputs=1, n_outputs=1, n_train=6, n_test=9
    ),
    "gymnasium": environment,
    "vector": lambda: environment(vector=True),
}
KINDS = [
    *(pytest.param(name, marks=pytest.mark.peers if name in ("gymnasium", "vector") else ()) for name in PROBLEMS_HERE)
]


def scenario(name):
    problem = PROBLEMS_HERE[name]()
    # The compiled loop that the tests of poles compile as well.
    network = ne.Elman(problem.n_inputs, 3, problem.n_outputs, output_activation="tanh")
    table = {"batch": {"size": 2, "every": 3}} if name != "vector" else {}
    return ne.make_scenario(
        problem, network, {"kind": "snes", "population_size": 20}, {"generations": 8}, title=f"Acts in {name}", **table
    )


def broken_off(name, folder, **options):
    with pytest.raises(Crash):
        ne.run(scenario(name), results=folder, callbacks=[Crashing(5)], **options)
    (path,) = folder.iterdir()
    return path


@pytest.mark.parametrize("name", KINDS)
def test_resumed_is_unbroken(name, tmp_path):
    expected = results_of(ne.run(scenario(name), results=tmp_path / "whole"))
    assert results_of(resume(broken_off(name, tmp_path / "broken"))) == expected


@pytest.mark.ray
@pytest.mark.parametrize("name", KINDS)
def test_two_workers_and_one_have_the_bits_of_this_process(name, ray_here, tmp_path):
    expected = results_of(ne.run(scenario(name), results=tmp_path / "here"))
    path = broken_off(name, tmp_path / "broken", compute=ne.Compute(workers=2))
    assert results_of(resume(path, compute=ne.Compute(workers=1))) == expected
