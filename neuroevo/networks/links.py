"""Which links of a network are there: a weight that is exactly 0 is an absent link."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.errors import BadInput
from neuroevo.networks.base import Network
from neuroevo.networks.elman import Elman
from neuroevo.networks.graph import Graph

LINK_ROLES = ("input", "recurrent", "output", "links", "feedback")
"""Of the arrays that hold weights of links."""


def link_genes(network: Network) -> NDArray[np.bool_]:
    """``(n_genes,)``: which genes are weights of links; biases, initial states and time constants are none.

    In a `Graph` a link from the constant 1 is a bias.
    """
    return _link_slots(network)[network.layout.slots >= 0]


def count_links(network: Network, genomes: ArrayLike) -> NDArray[np.int64]:
    """How many links ``(n,)`` genomes ``(n, n_genes)`` have: weights that are not 0, fixed ones too, without biases."""
    values = np.atleast_2d(np.asarray(genomes, dtype=np.float64))
    fixed = int((network.layout.fixed_values[_link_slots(network)] != 0.0).sum())
    return np.asarray((values[:, link_genes(network)] != 0.0).sum(axis=1, dtype=np.int64) + fixed)


def links_remarks(network: Network, genome: ArrayLike) -> list[str]:
    """How many of its links a network has, as a sentence; nothing where all that have a gene are there."""
    weights = np.asarray(genome, dtype=np.float64)[link_genes(network)]
    if (weights != 0.0).all():
        return []
    (n_links,), (n_possible,) = count_links(network, genome), count_links(network, np.ones(network.n_genes))
    return [f"{n_links} of {n_possible} links are there, biases not counted"]


def as_graph(network: Network, genome: ArrayLike) -> tuple[Graph, NDArray[np.float64]]:
    """The links of a network that are there as a `Graph`, and its genome: it gives the same outputs up to rounding.

    Args:
        network: A `Graph`, or an `Elman` network of one layer: the units of others have no form in a graph.
        genome: ``(n_genes,)``; genes that are 0 are absent links.

    Raises:
        BadInput: The network is of another kind, or no link is there.
    """
    arrays = network.layout.decode(genome)
    if isinstance(network, Graph):
        n_units, matrix = network.n_units, network.start(arrays)[1]
    elif isinstance(network, Elman) and network.n_layers == 1:
        n_units, matrix = network.n_hidden, _matrix(network, arrays)
    else:
        raise BadInput(f"an elman network of one layer or a graph becomes a graph, got {_named(network)}")
    target, source = np.nonzero(matrix)
    if not len(target):
        raise BadInput("no link of the network is there: every weight is 0")
    settings: dict[str, Any] = {
        name: getattr(network, name) for name in ("activation", "output_activation", "initial_state", "winners")
    }
    links = np.stack([source, target], axis=1)
    graph = Graph(network.n_inputs, n_units, network.n_outputs, links, **settings)
    started = [arrays[name] for name in arrays if name.startswith("initial_state")]
    return graph, np.concatenate([matrix[target, source], *started])


def _link_slots(network: Network) -> NDArray[np.bool_]:
    """Which entries of the network's arrays are weights of links."""
    layout = network.layout
    sizes = [int(np.prod(shape)) for shape in layout.shapes]
    slots = np.repeat([role in LINK_ROLES for role in layout.roles], sizes)
    if isinstance(network, Graph):
        slots[: len(network.links)] &= network.links[:, 0] != network.n_inputs
    return slots


def _matrix(network: Elman, arrays: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """The weights ``(n_targets, n_sources)`` of the links of a `Graph`."""
    skip = arrays.get("weight_skip", np.zeros((network.n_outputs, network.n_inputs)))
    to_units = arrays["weight_ih_l0"], arrays["bias_l0"][:, None], arrays["weight_hh_l0"]
    return np.vstack([np.hstack(to_units), np.hstack([skip, arrays["bias_out"][:, None], arrays["weight_out"]])])


def _named(network: Network) -> str:
    layers = getattr(network, "n_layers", 1)
    return f"{network.kind!r}" + (f" with {layers} layers" if layers > 1 else "")
