"""Genomes that act side by side, leave and join: each has the bits that its network gives it alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest

import neuroevo as ne
from neuroevo.networks.players import OneByOne, Together, players
from tests.evaluation.test_populations import NETWORKS, Averaging, Transposing

GRAPH = ne.Graph(2, 4, 1, ne.networks.random_links(2, 4, 1, density=0.5, seed=3))


class Own(NamedTuple):
    h: np.ndarray
    seen: dict[str, list[np.ndarray]]


@dataclass(frozen=True, eq=False)
class Nested(ne.Elman):
    """A state of other containers than those of this package."""

    kind = "nested"

    def start(self, arrays, n_sequences=1):
        return Own(super().start(arrays, n_sequences), {"inputs": [np.zeros((n_sequences, self.n_inputs))]})

    def advance(self, arrays, state, inputs):
        outputs, h = super().advance(arrays, state.h, inputs + state.seen["inputs"][0])
        return outputs, Own(h, {"inputs": [inputs]})


def steps_alone(network, genome, inputs):
    """``(n_steps, n_episodes, n_outputs)`` by the network's own steps."""
    arrays = network.layout.decode(genome)
    state, outputs = network.start(arrays, inputs.shape[1]), []
    for block in inputs:
        output, state = network.advance(arrays, state, block)
        outputs.append(output)
    return np.array(outputs)


@pytest.mark.parametrize("network", [*NETWORKS, GRAPH, Nested(2, 3, 1), Transposing(2, 3, 1), Averaging(2, 3, 1)], ids=lambda network: network.kind)  # fmt: skip
@pytest.mark.parametrize("n_episodes", [1, 3])
def test_those_who_leave_and_join_change_nobodys_bits(network, n_episodes):
    rng = np.random.default_rng(5)
    genomes, inputs = rng.normal(size=(7, network.n_genes)), rng.normal(size=(7, 15, n_episodes, 2))
    expected = [steps_alone(network, genome, own) for genome, own in zip(genomes, inputs, strict=True)]
    acting, company = {0: 0, 1: 0, 2: 0, 3: 0}, players(network, genomes[:4], n_episodes)
    assert isinstance(company, OneByOne if network.kind in ("graph", "transposing", "averaging") else Together)
    leaving = {4: ([1], [4]), 6: ([0, 3], [5, 6]), 8: ([4], []), 10: ([2, 5, 6], [1])}
    for step in range(12):
        outputs = company.step(np.stack([inputs[k, at] for k, at in acting.items()]))
        for row, (k, at) in zip(outputs, acting.items(), strict=True):
            np.testing.assert_array_equal(row, expected[k][at])
        acting = {k: at + 1 for k, at in acting.items()}
        if step in leaving:
            gone, new = leaving[step]
            company.replace(np.array([k not in gone for k in acting]), genomes[new])
            acting = {k: at for k, at in acting.items() if k not in gone} | dict.fromkeys(new, 0)
