"""The stored gradients of unstructured networks by PyTorch, as networks of this package."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

import neuroevo.networks as nets
from tests.reference import make_graph_gradients

STORED = Path(__file__).parents[1] / "reference" / "graph_gradients.npz"


@cache
def stored_cases():
    """Case names to the arrays that PyTorch gave."""
    cases = {}
    with np.load(STORED) as stored:
        for key in stored.files:
            case, _, name = key.partition("/")
            cases.setdefault(case, {})[name] = stored[key]
    return cases


def network_of(case, arrays):
    """The network of a case."""
    activation, output_activation, started = make_graph_gradients.CASES[case]
    sizes = make_graph_gradients.N_INPUTS, make_graph_gradients.N_UNITS, make_graph_gradients.N_OUTPUTS
    how = {"activation": activation, "output_activation": output_activation, "initial_state": started}
    return nets.Graph(*sizes, arrays["links"], **how)
