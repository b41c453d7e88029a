"""Activation functions by name: what a unit or an output makes of its weighted sum.

Networks hold the name only. These are the readable definitions in double precision; the compiled evaluator has its own
implementation of each, tested against these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Activation = Literal["tanh", "logistic", "softsign", "relu", "linear", "sine", "hard_step", "sign", "k_winners"]
OutputActivation = Literal["linear", "tanh", "logistic", "softmax"]


def tanh(x: Array) -> Array:
    """The hyperbolic tangent, between -1 and 1."""
    return np.tanh(x)


def logistic(x: Array) -> Array:
    """1 / (1 + exp(-x)), between 0 and 1; written with tanh, which cannot overflow."""
    return 0.5 + 0.5 * np.tanh(0.5 * x)


def softsign(x: Array) -> Array:
    """The quotient x / (1 + abs(x)), between -1 and 1 with slow tails."""
    return x / (1.0 + np.abs(x))


def relu(x: Array) -> Array:
    """The larger of x and 0."""
    return np.maximum(x, 0.0)


def linear(x: Array) -> Array:
    """Leave x as it is."""
    return x


def sine(x: Array) -> Array:
    """sin(x)."""
    return np.sin(x)


def hard_step(x: Array) -> Array:
    """1 where x is above 0, else 0 (NaN stays NaN); it has no useful gradient, which evolution never asks for."""
    return np.where(np.isnan(x), x, np.where(x > 0.0, 1.0, 0.0))


def sign(x: Array) -> Array:
    """-1 below 0, 0 at 0 and 1 above (NaN stays NaN)."""
    return np.sign(x)


def k_winners(x: Array, k: int) -> Array:
    """1 for the k largest of the last axis (the units of a layer), else 0 (NaN stays NaN); equal ones win together.

    W. Maass: On the computational power of winner-take-all. Neural Computation 12 (2000), 2519-2535.
    """
    n_larger = (x[..., None, :] > x[..., :, None]).sum(axis=-1)
    return np.where(np.isnan(x), x, np.where(n_larger < k, 1.0, 0.0))


def softmax(x: Array) -> Array:
    """exp(x) normalised over the last axis (the outputs of one step); shifted by the maximum, so it cannot overflow."""
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


ACTIVATIONS: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {
        "tanh": tanh,
        "logistic": logistic,
        "softsign": softsign,
        "relu": relu,
        "linear": linear,
        "sine": sine,
        "hard_step": hard_step,
        "sign": sign,
    }
)
"""Hidden-unit activations by name, of one unit each."""

UNIT_ACTIVATIONS: tuple[str, ...] = (*ACTIVATIONS, "k_winners")
"""Names of all hidden-unit activations."""


def activated(network: Any, x: Array) -> Array:
    """What the units of a layer, or of a graph, make of their sums ``(..., n_units)``."""
    return k_winners(x, network.winners) if network.winners else ACTIVATIONS[network.activation](x)


OUTPUT_ACTIVATIONS: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {"linear": linear, "tanh": tanh, "logistic": logistic, "softmax": softmax}
)
"""Output activations by name."""
