from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import tomllib
from importlib.metadata import EntryPoint

import numpy as np
import pytest
from hypothesis import given

import neuroevo.networks as nets
from neuroevo.errors import BadInput
from neuroevo.registry import UnknownName
from neuroevo.settings import SettingsError
from tests.networks.drawn import KINDS, networks

tomli_w = pytest.importorskip("tomli_w")


@given(networks())
def test_settings_survive_toml_and_json(network):
    settings = network.settings()
    for again in (tomllib.loads(tomli_w.dumps(settings)), json.loads(json.dumps(settings, allow_nan=False))):
        assert nets.make_network(network.kind, network.n_inputs, network.n_outputs, **again) == network


@given(networks())
def test_networks_can_be_copied_and_sent_to_other_processes(network):
    for again in (pickle.loads(pickle.dumps(network)), copy.deepcopy(network)):  # noqa: S301
        assert again == network
        assert hash(again) == hash(network)
        assert again.layout == network.layout


@given(networks(), networks())
def test_networks_are_equal_where_their_settings_are(one, other):
    same = (one.kind, one.n_inputs, one.n_outputs, repr(one.settings())) == (
        other.kind, other.n_inputs, other.n_outputs, repr(other.settings()),
    )  # fmt: skip
    assert (one == other) == same


def test_a_network_is_immutable():
    network = nets.Elman(1, 2, 1, fixed={"bias_out": 0.0})
    with pytest.raises(dataclasses.FrozenInstanceError):
        network.n_hidden = 3
    with pytest.raises(ValueError, match="read-only"):
        network.fixed["bias_out"][0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        nets.Graph(1, 1, 1, "all").links[0] = 0


def test_registry_knows_all_kinds_with_a_line_each():
    assert nets.NETWORKS.names()[: len(KINDS)] == KINDS
    for kind in KINDS:
        assert nets.NETWORKS[kind].kind == kind
        assert len(nets.NETWORKS.summary(kind)) > 20


def test_numpy_integers_are_whole_numbers():
    assert type(nets.Elman(np.int64(1), np.int32(3), 1).n_hidden) is int


def all_fixed():
    names = nets.Elman(1, 2, 1).layout.names
    return nets.Elman(1, 2, 1, fixed=dict.fromkeys(names, 0.0))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nets.Elman(1, 0, 1), ValueError, "n_hidden must be at least 1, got 0"),
        (lambda: nets.Elman(1, 2.0, 1), TypeError, r"n_hidden must be a whole number, got 2\.0"),
        (lambda: nets.Elman(True, 2, 1), TypeError, "n_inputs must be a whole number, got True"),
        (lambda: nets.Elman(1, 2, 1, n_layers=0), ValueError, "n_layers must be at least 1"),
        (lambda: nets.Elman(1, 2, 1, activation="tan"), ValueError, "activation must be one of .* did you mean 'tanh'"),
        (lambda: nets.Gru(1, 2, 1, output_activation="relu"), ValueError, "output_activation must be one of linear, "),
        (lambda: nets.Gru(1, 2, 1, initial_state=1), TypeError, "initial_state must be True or False, got 1"),
        (lambda: nets.Lstm(1, 2, 1, skip="fitted"), TypeError, "skip must be True or False, got 'fitted'"),
        (lambda: nets.Ctrnn(1, 2, 1, step=0.0), ValueError, "step must be a finite number above 0"),
        (lambda: nets.Ctrnn(1, 2, 1, step="1"), TypeError, "step must be a number above 0, got '1'"),
        (lambda: nets.Ctrnn(1, 2, 1, substeps=0), ValueError, "substeps must be at least 1, got 0"),
        (lambda: nets.Elman(1, 2, 1, fixed=[1]), TypeError, "fixed must map array names to arrays, got list"),
        (lambda: nets.Elman(1, 2, 1, fixed={"bias_l1": 0}), ValueError, "a key of fixed .* did you mean 'bias_l0'"),
        (lambda: nets.Elman(1, 2, 1, fixed={"bias_l0": [0]}), ValueError, r"must have shape \(2,\), got \(1,\)"),
        (lambda: nets.Elman(1, 2, 1, fixed={"bias_l0": ["x", 0]}), ValueError, "must hold numbers, and NaN or 'gene'"),
        (lambda: nets.Elman(1, 2, 1, fixed={"bias_l0": np.inf}), ValueError, "must hold finite numbers"),
        (all_fixed, ValueError, "leave at least one gene"),
        (lambda: nets.Graph(1, 2, 1, []), ValueError, "at least one link"),
        (lambda: nets.Graph(1, 2, 1, [(0.5, 1)]), ValueError, "links must be pairs of whole numbers"),
        (lambda: nets.Graph(1, 2, 1, [(0, 1), (0,)]), ValueError, "links must be pairs of whole numbers"),
        (lambda: nets.Graph(1, 2, 1, [(0, 0), (4, 0)]), ValueError, r"source of links\[1\] must lie between 0 and 3"),
        (lambda: nets.Graph(1, 2, 1, [(0, -1)]), ValueError, r"target of links\[0\] must lie between 0 and 2, got -1"),
        (lambda: nets.Graph(1, 2, 1, [(0, 1), (1, 1), (0, 1)]), ValueError, r"\(0, 1\) comes more than once"),
        (lambda: nets.Graph(1, 2, 1, "every"), ValueError, "links must be one of all"),
        (lambda: nets.Graph(1, 2, 1, {"density": 0.5}), ValueError, "exactly the keys density and seed"),
        (lambda: nets.Graph(1, 2, 1, {"density": 1, "seed": 1, "skip": 1}), TypeError, "skip must be True or False"),
        (lambda: nets.Graph(1, 2, 1, {"density": 1.5, "seed": 1}), ValueError, "density must lie above 0"),
        (lambda: nets.Graph(1, 2, 1, {"density": 0.001, "seed": 1}), ValueError, "leaves none of 11 links"),
    ],
)
def test_wrong_arguments_are_named_with_the_remedy(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_make_network_reports_every_mistake_at_once():
    with pytest.raises(SettingsError) as caught:
        nets.make_network("elman", 1, 1, n_hiden=3, activation="tan")
    assert {mistake.path for mistake in caught.value.mistakes} == {"n_hiden", "n_hidden", "activation"}
    with pytest.raises(UnknownName, match="did you mean 'elman'"):
        nets.make_network("elmann", 1, 1)


def test_random_links_are_a_share_of_all_links_in_their_order():
    links = nets.random_links(1, 64, 1, density=0.1, seed=1)
    everything = nets.all_links(1, 64, 1)
    assert len(everything) == 64 * 66 + 65
    assert len(links) == round(0.1 * len(everything))
    rank = {tuple(link): i for i, link in enumerate(everything.tolist())}
    ranks = [rank[tuple(link)] for link in links.tolist()]
    assert ranks == sorted(set(ranks))
    np.testing.assert_array_equal(links, nets.random_links(1, 64, 1, density=0.1, seed=1))
    assert not np.array_equal(links, nets.random_links(1, 64, 1, density=0.1, seed=2))


class Inherited(nets.Elman):
    """Has the kind of another class."""


def test_class_whose_kind_is_not_its_name_is_refused():
    with pytest.raises(BadInput, match="registered as 'mine' must have this name as its kind, got 'elman'"):
        nets.NETWORKS.register("mine", Inherited)
    assert "mine" not in nets.NETWORKS


def test_class_of_another_package_whose_kind_is_not_its_name_is_refused_when_asked_for(monkeypatch):
    point = EntryPoint("mine", f"{__name__}:Inherited", nets.NETWORKS.group)
    monkeypatch.setattr(nets.NETWORKS, "_foreign", {"mine": point})
    for _ in range(2):
        with pytest.raises(BadInput, match="got 'elman' from Inherited; write kind: ClassVar"):
            nets.make_network("mine", 1, 1, n_hidden=2)
