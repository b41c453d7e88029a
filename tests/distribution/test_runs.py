"""Whole runs on workers leave the files that a run in one process leaves, byte by byte; so do resumed ones."""

from __future__ import annotations

import importlib
import pkgutil

import numpy as np
import pytest

import neuroevo
import neuroevo as ne
from neuroevo.callbacks import Callback
from neuroevo.distribution import ClusterError
from neuroevo.distribution.members import REGISTRIES
from neuroevo.evaluation import BACKENDS
from neuroevo.evaluation.backends.compiled import Compiled
from neuroevo.evaluation.cells import CELLS
from neuroevo.experiment import resume
from neuroevo.export import FORMATS
from neuroevo.registry import Registry
from neuroevo.strategies import STRATEGIES
from neuroevo.strategies.random_search import RandomSearch
from neuroevo.trials import plan_runs, run_plans
from tests.results import results_of

pytestmark = pytest.mark.ray

ISLANDS = """
[islands]
count = 3
interval = 3
topology = "complete"
migrants = 1
[[islands.strategies]]
kind = "cma_es"
population_size = 10
"""


class Crash(Exception):
    pass


class Crashing(Callback):
    """Ends a run in the middle, as if the driver had died after its last checkpoint."""

    def __init__(self, generation):
        self._generation = generation

    def generation(self, progress):
        if progress.generation == self._generation:
            raise Crash


BATCHES = """
[batch]
size = 3
steps = 5
washout = 4
every = 2
"""


NOISE = "\n[generalise]\ninput_noise = 0.1\nweight_noise = 0.05\n"


GOALS = '\n[space]\nkind = "switched"\n'


@pytest.fixture(
    params=[
        "one population",
        "islands",
        "islands with goals",
        "batches",
        "islands with batches",
        "noise",
        "islands with noise",
    ]
)
def scenario(request, small_scenario):
    text = small_scenario.read_text()
    if "islands" in request.param:
        text += ISLANDS
    if "batches" in request.param:
        text = text.replace("genetic_algorithm", "snes") + BATCHES
    if "goals" in request.param:
        text = text.replace("genetic_algorithm", "nsga2") + GOALS
    if "noise" in request.param:
        text = text.replace("genetic_algorithm", "snes") + NOISE
    small_scenario.write_text(text)
    return small_scenario


def test_a_run_on_two_workers_resumed_on_one_equals_the_local_run(ray_here, scenario, tmp_path):
    expected = results_of(ne.run(scenario, results=tmp_path).path)
    with pytest.raises(Crash):
        ne.run(scenario, results=tmp_path / "crashed", compute=ne.Compute(workers=2), callbacks=[Crashing(9)])
    (crashed,) = (tmp_path / "crashed").iterdir()
    assert results_of(resume(crashed, compute=ne.Compute(workers=1)).path) == expected


def test_a_run_on_workers_goes_on_in_this_process(ray_here, small_scenario, tmp_path):
    small_scenario.write_text(small_scenario.read_text() + ISLANDS)
    overrides = {"distribution.workers": 1, "stop.generations": 7}
    path = ne.run(small_scenario, results=tmp_path, overrides=overrides).path
    ne.experiment.extend(path, overrides={"stop.generations": 12}, compute=ne.Compute(workers=0))
    assert results_of(path) == results_of(ne.run(small_scenario, results=tmp_path).path)


def test_a_dead_cluster_leaves_no_folder_behind(small_scenario, tmp_path):
    with pytest.raises(ClusterError):
        ne.run(small_scenario, results=tmp_path / "runs", compute=ne.Compute(ray="127.0.0.1:1"))
    assert not (tmp_path / "runs").exists()
    with pytest.raises(ValueError, match="give one of them"):
        ne.Compute(workers=1, ray="auto")


def test_trials_side_by_side_are_those_of_one_process(ray_here, small_scenario, tmp_path):
    expected = ne.run_trials(small_scenario, 3, results=tmp_path / "here")
    first = ne.run_trials(small_scenario, 1, results=tmp_path / "there")
    lines = Lines()
    found = ne.run_trials(
        small_scenario, 3, results=tmp_path / "there", compute=ne.Compute(workers=2), callbacks=[lines]
    )
    assert found.path == first.path
    assert [results_of(record.path) for record in found.trials()] == [
        results_of(record.path) for record in expected.trials()
    ]
    # Whichever trial ends first is told of first.
    told = [line.partition(":")[0].split(" runs, small-trials, seed ") for line in lines.said]
    assert [count for count, _ in told] == ["1 of 2", "2 of 2"]
    assert sorted(seed for _, seed in told) == ["2", "3"]


def test_sweeps_and_trials_of_several_scenarios_share_one_pool(ray_here, small_scenario, tmp_path):
    other = small_scenario.with_name("other.toml")
    other.write_text(small_scenario.read_text().replace('kind = "genetic_algorithm"', 'kind = "snes"'))
    over = {"network.n_hidden": [2, 4], "strategy.population_size": [6, 8]}

    def results(folder, n_workers, *callbacks):
        plans = [plan_runs(small_scenario, over=over), plan_runs(other, trials=2)]
        outcome = run_plans(plans, folder, ne.Compute(workers=n_workers), callbacks)
        assert outcome.exit_code == 0
        assert [each.path.name for each in outcome.folders] == ["small-sweep", "other-trials"]
        return [results_of(path) for path in sorted(folder.rglob("seed*"))]

    expected = results(tmp_path / "here", 0)
    assert len(expected) == 6
    lines = Lines()
    assert results(tmp_path / "there", 2, lines) == expected
    assert [line.partition(" runs")[0] for line in lines.said] == [f"{n} of 6" for n in range(1, 7)]


def test_workers_get_what_was_planned_and_read_no_file_again(ray_here, small_scenario, tmp_path):
    class Deleting(Callback):
        def step(self, text):
            for file in small_scenario.parent.iterdir():
                file.unlink()

    options = {"over": {"problem.tolerance": [0.1, 0.3]}, "trials": 3}
    expected = ne.run_sweep(small_scenario, **options, results=tmp_path / "here")
    found = ne.run_sweep(
        small_scenario, **options, results=tmp_path / "there", compute=ne.Compute(workers=1), callbacks=[Deleting()]
    )
    assert not small_scenario.exists()
    folders = [sorted(sweep.path.rglob("seed*")) for sweep in (expected, found)]
    assert len(folders[1]) == 6
    assert [results_of(path) for path in folders[0]] == [results_of(path) for path in folders[1]]


class Lines(Callback):
    def __init__(self):
        self.said = []

    def step(self, text):
        self.said.append(text)


def test_what_was_registered_here_computes_on_workers_too(ray_here, monkeypatch, small_scenario, tmp_path):
    class Thirds(Compiled):
        def evaluate(self, genomes, part, wants=frozenset()):
            found = super().evaluate(genomes, part, wants)
            return {**found, "error": found["error"] / 3, "mean_effort": np.full(len(genomes), 7.0)}

    class Lottery(RandomSearch):
        """Random search under another name."""

    for registry, name, member in ((BACKENDS, "thirds", Thirds), (STRATEGIES, "lottery", Lottery)):
        for held in ("_members", "_registered"):
            monkeypatch.setattr(registry, held, dict(getattr(registry, held)))
        registry.register(name, member)
    overrides = {"strategy": {"kind": "lottery", "population_size": 9}, "stop.generations": 3}
    local = ne.run(small_scenario, results=tmp_path / "local", overrides=overrides)
    with ne.Compute(workers=2).open() as session:
        run = ne.run(small_scenario, results=tmp_path, overrides=overrides, compute=session)
        trials = ne.run_trials(small_scenario, 2, results=tmp_path, overrides=overrides, compute=session)
    assert results_of(run.path) == results_of(trials.trials()[0].path) == results_of(local.path)
    assert local.history["mean_effort"].tolist() == [7.0] * 3


def test_all_registries_go_along():
    packages = [neuroevo, *map(importlib.import_module, (f"neuroevo.{found.name}" for found in rooms()))]
    found = {id(value) for package in packages for value in vars(package).values() if isinstance(value, Registry)}
    # Exports are written by the process that was asked for them.
    assert (found | {id(CELLS)}) - {id(FORMATS)} == {id(registry) for registry in REGISTRIES}


def rooms():
    return [
        found
        for found in pkgutil.iter_modules(neuroevo.__path__)
        if found.name not in ("__main__", "estimators", "plots")
    ]
