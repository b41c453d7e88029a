"""skip = "fitted": the links of a scenario stand at the fit, in its record too, and follow the problem."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.errors import BadInput
from neuroevo.problems.links import fitted_links
from neuroevo.scenario import ScenarioError, load_scenario
from neuroevo.scenario.schema import check_table
from neuroevo.scenario.skip import with_fit

FITTED = {"network.kind": "gru", "network.skip": "fitted", "problem.lags": 2}


def links_of(scenario: Any) -> list[list[float]]:
    """The links of the network, which are those that the resolved table names."""
    links = scenario.network.fixed["weight_skip"].tolist()
    assert scenario.table["network"]["skip"] == {"fitted": links}
    return links  # type: ignore[no-any-return]


def test_links_are_fitted_and_no_genes(small_scenario: Path) -> None:
    plain = load_scenario(small_scenario, overrides={**FITTED, "network.skip": False})
    fitted = load_scenario(small_scenario, overrides={**FITTED, "network.fixed": {"bias_out": 0.0}})
    assert links_of(fitted) == fitted_links(fitted.problem).tolist()
    assert fitted.network.n_genes == plain.network.n_genes - 1
    assert fitted.table["network"]["fixed"] == {"bias_out": [0.0]}
    as_genes = load_scenario(small_scenario, overrides={**FITTED, "network.skip": True})
    assert as_genes.network.n_genes == plain.network.n_genes + 2
    assert as_genes.table["network"]["skip"] is True


def test_links_follow_a_problem_that_is_made_again(small_scenario: Path) -> None:
    scenario = load_scenario(small_scenario, overrides=FITTED)
    again = check_table(scenario.table, small_scenario)
    assert again.network == scenario.network
    assert links_of(scenario.replaced({"network.n_hidden": 5})) == links_of(scenario)
    farther = scenario.replaced({"problem.horizon": 3})
    assert links_of(farther) == fitted_links(farther.problem).tolist() != links_of(scenario)


def test_links_that_a_record_holds_stay_as_they_are(small_scenario: Path) -> None:
    scenario = load_scenario(small_scenario, overrides=FITTED)
    elsewhere = {**scenario.table, "network": {**scenario.table["network"], "skip": {"fitted": [[0.25, -0.5]]}}}
    assert links_of(check_table(elsewhere, small_scenario, scenario.problem)) == [[0.25, -0.5]]
    assert check_table(elsewhere, small_scenario).network == scenario.network


@pytest.mark.parametrize("space", [{}, {"space": {"kind": "grid", "step": 0.125}}])
def test_runs_champions_and_extensions(small_scenario: Path, tmp_path: Path, space: dict[str, Any]) -> None:
    overrides = {**FITTED, **space}
    record = ne.run(small_scenario, results=tmp_path, overrides=overrides)
    resolved = tomllib.loads((record.path / "scenario.toml").read_text())
    links = resolved["network"]["skip"]["fitted"]
    network, genome, problem = record.network, record.champion.genome, record.problem
    assert network.layout.decode(genome)["weight_skip"].tolist() == links == fitted_links(problem).tolist()
    assert problem.score(network, genome, "train")[0] == pytest.approx(record.champion.error, rel=1e-5)
    longer = ne.run(small_scenario, results=tmp_path, overrides={**overrides, "stop.generations": 20})
    extended = ne.extend(record.path, overrides={"stop.generations": 20})
    assert extended.champion.genome.tobytes() == longer.champion.genome.tobytes()
    assert np.array_equal(extended.history["best_error"], longer.history["best_error"])
    start = {**overrides, "strategy.initial": str(record.path), "stop.generations": 1}
    assert ne.run(small_scenario, results=tmp_path, overrides=start).champion.error <= record.champion.error


def test_a_sweep_over_skip(small_scenario: Path, tmp_path: Path) -> None:
    scenario = load_scenario(small_scenario, overrides={**FITTED, "stop.generations": 1})
    sweep = ne.run_sweep(scenario, over={"network.skip": [False, True, "fitted"]}, results=tmp_path)
    networks = {
        str(trials.values["network.skip"]): ne.RunRecord.open(trials.path / "seed1").network
        for trials in sweep.points()
    }
    n_genes = scenario.network.n_genes
    assert {skip: network.n_genes for skip, network in networks.items()} == {
        "False": n_genes, "True": n_genes + 2, "fitted": n_genes
    }  # fmt: skip
    assert networks["fitted"] == scenario.network


@pytest.mark.parametrize(
    ("overrides", "path", "said"),
    [
        ({"network.skip": "fited"}, "network.skip", "true, false or \"fitted\", got 'fited'; did you mean 'fitted'"),
        ({"network.skip": 1}, "network.skip", 'true, false or "fitted", got 1'),
        ({"network.skip": {"fit": [[1.0]]}}, "network.skip", 'true, false or "fitted"'),
        ({"network.skip": "fitted", "network.output_activation": "tanh"}, "network.skip", "outputs are no sums"),
        ({"network.skip": "fitted", "network.fixed": {"weight_skip": 0.0}}, "weight_skip", "leave one out"),
        (
            {"network": {"kind": "graph", "n_units": 2, "links": "all", "skip": True}},
            "network.skip",
            "unknown key; known keys",
        ),
    ],
)
def test_what_cannot_be_fitted_is_refused(
    overrides: dict[str, Any], path: str, said: str, small_scenario: Path
) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(small_scenario, overrides=overrides)
    assert [mistake.path for mistake in caught.value.mistakes if path in mistake.path]
    assert said in str(caught.value)


def test_only_sequences_can_be_fitted() -> None:
    class Balance(ne.Problem):
        kind = "balance"

        def score(self, network: Any, genome: Any, part: str) -> tuple[float, float]:
            return 0.0, 0.0

        def to_arrays(self) -> Any:
            return {}

        from_arrays = classmethod(lambda cls, arrays: cls())
        describe = lambda self: ""  # noqa: E731

    with pytest.raises(BadInput, match="skip = \"fitted\": only for problems made of sequences, and 'balance'"):
        with_fit({"skip": "fitted"}, Balance(), known=False)
