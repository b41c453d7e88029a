"""Random streams are functions of their address."""

from __future__ import annotations

import itertools

import numpy as np

from neuroevo.strategies import Phase, stream


def test_a_stream_is_numpys_own_for_its_address():
    expected = np.random.Generator(np.random.PCG64(np.random.SeedSequence(7, spawn_key=(2, 1, 30, 4))))
    assert np.array_equal(
        stream(7, island=2, restart=1, generation=30, phase=Phase.MUTATE).random(5), expected.random(5)
    )


def test_no_two_addresses_share_a_stream():
    addresses = list(itertools.product(range(2), range(2), range(2), range(3), list(Phase)))
    first = {
        stream(seed, island=island, restart=restart, generation=generation, phase=phase).random()
        for seed, island, restart, generation, phase in addresses
    }
    assert len(first) == len(addresses)


def test_phases_keep_their_numbers():
    assert [phase.value for phase in (Phase.START, Phase.SAMPLE, Phase.SELECT, Phase.MATE, Phase.MUTATE)] == [
        0,
        1,
        2,
        3,
        4,
    ]
