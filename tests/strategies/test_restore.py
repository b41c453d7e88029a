"""A state of another kind or shape is refused when it is restored; the generation after it meets no surprise."""

from __future__ import annotations

import numpy as np
import pytest

from neuroevo.errors import BadInput
from neuroevo.strategies import STRATEGIES, make_strategy
from tests.strategies.truths import shifted_sphere, tell

N_GENES, SIZE = 7, 12
VARIANTS = [(kind, {}) for kind in STRATEGIES.names()] + [
    ("cma_es", {"covariance": "separable"}),
    ("cma_es", {"covariance": "limited"}),
    ("differential_evolution", {"variant": "jade"}),
    ("differential_evolution", {"variant": "rand_1_bin"}),
    ("differential_evolution", {"variant": "l_shade", "horizon": 60}),
    ("particle_swarm", {"neighbourhood": "ring"}),
    ("particle_swarm", {"neighbourhood": "von_neumann"}),
    ("genetic_algorithm", {"mutation_adaptation": "self_adapted"}),
    ("genetic_algorithm", {"mutation_adaptation": "decaying"}),
    *(("bptt", {"optimiser": name}) for name in ("sgd", "rmsprop", "irprop_plus")),
    ("bptt", {"online": True}),
    ("levenberg_marquardt", {"scaling": "diagonal"}),
    ("memetic", {"every": 2}),
    ("evolve_then_descend", {"generations": 2}),
]

every_variant = pytest.mark.parametrize(("kind", "settings"), VARIANTS, ids=str)


def make(kind, settings):
    return make_strategy(kind, n_genes=N_GENES, seed=5, population_size=SIZE, **settings)


def advance(strategy, n_generations):
    for _ in range(n_generations):
        population = strategy.ask()
        tell(strategy, population, shifted_sphere)


def grown(strategy):
    """A strategy that has met immigrants, as those of islands do."""
    advance(strategy, 4)
    strategy.inject(np.full((2, N_GENES), 0.25), np.full(2, 1e-3))
    return strategy


def others(value):
    """The entry in other kinds and shapes."""
    array = np.asarray(value)
    yield np.full(array.shape, "x")
    yield np.stack([array, array])
    yield array.astype(np.complex128)
    yield array[..., np.newaxis]
    if array.ndim:
        yield np.float64(0.5)
        yield np.concatenate([array, array])
        yield np.concatenate([array, array], axis=-1)
        yield array[:-1]
        yield array[..., :0]
        yield array.astype(np.int64)
        yield array.astype(np.float32)
    elif array.dtype.kind == "f":
        yield np.array(True)
    else:
        yield array.astype(np.float64) + 0.5
        yield -1 - array.astype(np.int64)


@every_variant
def test_a_state_of_another_kind_or_shape_is_refused_or_goes_on(kind, settings):
    state = grown(make(kind, settings)).state()
    n_refused = 0
    for name, value in state.items():
        for other in others(value):
            strategy = make(kind, settings)
            try:
                strategy.restore(state | {name: other})
            except BadInput:
                n_refused += 1
            else:
                with np.errstate(all="ignore"):
                    advance(strategy, 2)
    assert n_refused > 4 * len(state)


MAY_LACK = (
    "first_temperature",
    "widest",
    "acceptance_rate",
    "gradient_norm",
    "inertia",
    "success_rate",
    "exchange_rate",
    "gain",
)
"""None before the first moves or steps, and unknown to the states of records of format version 1."""


@every_variant
def test_a_state_that_lacks_an_entry_is_refused_or_goes_on(kind, settings):
    state = grown(make(kind, settings)).state()
    for name in state:
        strategy = make(kind, settings)
        try:
            strategy.restore({key: value for key, value in state.items() if key != name})
        except BadInput:
            continue
        assert name.rpartition(".")[2] in MAY_LACK
        advance(strategy, 2)


@every_variant
def test_a_refused_state_changes_nothing(kind, settings):
    strategy, other = make(kind, settings), make(kind, settings)
    advance(strategy, 3)
    advance(other, 3)
    with pytest.raises(BadInput, match="genes"):
        strategy.restore(strategy.state() | {"incumbent": np.zeros(N_GENES + 1)})
    np.testing.assert_array_equal(strategy.ask(), other.ask())
