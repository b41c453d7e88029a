"""Units that compete: their definition, and the settings that go with them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.networks import make_network
from neuroevo.networks.activations import k_winners

NETWORKS = [
    ne.Elman(2, 5, 1, n_layers=2, activation="k_winners", winners=2),
    ne.Jordan(2, 4, 1, activation="k_winners", winners=4),
    ne.Ctrnn(2, 4, 1, activation="k_winners", winners=1),
    ne.Graph(2, 4, 1, "all", activation="k_winners", winners=3),
]


def test_the_largest_fire_and_equal_ones_together():
    sums = np.array([[0.1, 3.0, -1.0, 3.0], [2.0, np.nan, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    np.testing.assert_array_equal(k_winners(sums, 1), [[0, 1, 0, 1], [1, np.nan, 0, 0], [1, 1, 1, 1]])
    np.testing.assert_array_equal(k_winners(sums, 3), [[1, 1, 0, 1], [1, np.nan, 1, 1], [1, 1, 1, 1]])


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.kind)
def test_settings_make_the_same_network_again(network):
    assert network.settings()["winners"] == network.winners
    assert make_network(network.kind, 2, 1, **network.settings()) == network
    assert pickle.loads(pickle.dumps(network)) == network  # noqa: S301 - our own bytes
    other = {**network.settings(), "winners": network.winners % 4 + 1}
    assert make_network(network.kind, 2, 1, **other) != network


def test_networks_without_them_have_no_such_setting():
    assert "winners" not in ne.Elman(1, 2, 1).settings()


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"activation": "k_winners"}, "need winners, between 1 and their number 4, got None"),
        ({"activation": "k_winners", "winners": 5}, "between 1 and their number 4, got 5"),
        ({"activation": "k_winners", "winners": 0}, "winners must be at least 1, got 0"),
        ({"winners": 2}, "winners belongs to activation = 'k_winners', got 'tanh'"),
    ],
)
def test_winners_belong_to_units_that_compete(settings, complaint):
    with pytest.raises(ne.BadInput, match=complaint):
        ne.Elman(1, 4, 1, **settings)


def test_filters_do_not_compete():
    with pytest.raises(ne.BadInput, match="kind 'locally_recurrent' has no k_winners units"):
        ne.LocallyRecurrent(1, 4, 1, activation="k_winners")
