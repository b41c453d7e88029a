"""Networks say what a genome means: which gene is which weight, and how weights turn input sequences into outputs."""

from __future__ import annotations

from typing import Any

from neuroevo.errors import BadInput
from neuroevo.networks.base import Network
from neuroevo.networks.ctrnn import Ctrnn
from neuroevo.networks.elman import Elman
from neuroevo.networks.graph import Graph, all_links, random_links
from neuroevo.networks.gru import Gru
from neuroevo.networks.jordan import Jordan
from neuroevo.networks.layout import Block, GenomeLayout
from neuroevo.networks.lif import Lif
from neuroevo.networks.links import as_graph, count_links, link_genes, links_remarks
from neuroevo.networks.locally_recurrent import LocallyRecurrent
from neuroevo.networks.lstm import Lstm
from neuroevo.networks.player import Player
from neuroevo.registry import Registry


def _check_kind(name: str, cls: type[Network]) -> None:
    """Refuse a class whose `kind` is another name: a record would name, and later build, another network."""
    kind = getattr(cls, "kind", None)
    if kind != name:
        raise BadInput(
            f"the network registered as {name!r} must have this name as its kind, got {kind!r} from "
            f'{getattr(cls, "__name__", cls)}; write kind: ClassVar[str] = "{name}" in the class'
        )


NETWORKS: Registry[type[Network]] = Registry(
    "network",
    "neuroevo.networks",
    {
        "elman": "neuroevo.networks.elman:Elman",
        "jordan": "neuroevo.networks.jordan:Jordan",
        "lstm": "neuroevo.networks.lstm:Lstm",
        "gru": "neuroevo.networks.gru:Gru",
        "ctrnn": "neuroevo.networks.ctrnn:Ctrnn",
        "graph": "neuroevo.networks.graph:Graph",
        "locally_recurrent": "neuroevo.networks.locally_recurrent:LocallyRecurrent",
        "lif": "neuroevo.networks.lif:Lif",
    },
    _check_kind,
)
"""Network kinds by the name that scenarios use."""


def make_network(kind: str, n_inputs: int, n_outputs: int, **settings: Any) -> Network:
    """A network of a registered kind.

    Args:
        kind: "elman", "jordan", "lstm", "gru", "ctrnn", "graph", "locally_recurrent", "lif", or one that was
            registered.
        n_inputs: Input columns.
        n_outputs: Output columns.
        **settings: The other arguments of the kind.

    Raises:
        UnknownName: There is no such kind.
        SettingsError: Settings are unknown, missing, of another type or out of range; all mistakes at once.
    """
    from neuroevo.settings import parse_settings

    values = {"n_inputs": n_inputs, "n_outputs": n_outputs, **settings}
    return parse_settings(NETWORKS[kind], values)


__all__ = [
    "NETWORKS",
    "Block",
    "Ctrnn",
    "Elman",
    "GenomeLayout",
    "Graph",
    "Gru",
    "Jordan",
    "Lif",
    "LocallyRecurrent",
    "Lstm",
    "Network",
    "Player",
    "all_links",
    "as_graph",
    "count_links",
    "link_genes",
    "links_remarks",
    "make_network",
    "random_links",
]
