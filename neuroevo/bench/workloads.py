"""Workloads: how many genomes, sequences and steps of which network, and how much arithmetic that is at the least."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neuroevo.checks import whole_number
from neuroevo.errors import BadInput
from neuroevo.networks import NETWORKS, Ctrnn, Graph, Gru, Lstm, Network, make_network
from neuroevo.registry import nearest

if TYPE_CHECKING:
    from neuroevo.networks import Block
    from neuroevo.problems import SequenceProblem

GRAPH_DENSITY = 0.1
_NUMBERS = ("n_genomes", "n_sequences", "n_steps", "n_inputs", "n_hidden", "n_outputs")


@dataclass(frozen=True)
class Workload:
    """One population to be scored: the mean squared error over all steps.

    Attributes:
        name: What tables call it.
        cell: The network kind; a "graph" has 10 % of all links.
        n_genomes: P.
        n_sequences: S.
        n_steps: T.
        n_inputs: I.
        n_hidden: H.
        n_outputs: O.
    """

    name: str
    cell: str
    n_genomes: int
    n_sequences: int
    n_steps: int
    n_inputs: int
    n_hidden: int
    n_outputs: int

    def __post_init__(self) -> None:
        if self.cell not in NETWORKS:
            near = nearest(self.cell, NETWORKS.names())
            guess = f"; did you mean {near!r}?" if near else ""
            known = ", ".join(NETWORKS.names())
            raise BadInput(f"the cell of a workload must be one of {known}, got {self.cell!r}{guess}")
        for name in _NUMBERS:
            whole_number(f"{name} of workload {self.name!r}", getattr(self, name))

    @property
    def numbers(self) -> tuple[int, int, int, int, int, int]:
        """P, S, T, I, H, O."""
        return (self.n_genomes, self.n_sequences, self.n_steps, self.n_inputs, self.n_hidden, self.n_outputs)

    @property
    def total_steps(self) -> int:
        """Steps of one network that an evaluation takes: P x S x T."""
        return self.n_genomes * self.n_sequences * self.n_steps

    def network(self) -> Network:
        """The network that is scored."""
        if self.cell == "graph":
            links = {"density": GRAPH_DENSITY, "seed": 1}
            return make_network("graph", self.n_inputs, self.n_outputs, n_units=self.n_hidden, links=links)
        return make_network(self.cell, self.n_inputs, self.n_outputs, n_hidden=self.n_hidden)

    def problem(self) -> SequenceProblem:
        """Standard normal inputs and targets; only their number matters to the speed."""
        from neuroevo.problems import SequenceProblem

        rng = np.random.Generator(np.random.PCG64(1))
        shape = (self.n_sequences, self.n_steps)
        return SequenceProblem(rng.normal(size=(*shape, self.n_inputs)), rng.normal(size=(*shape, self.n_outputs)))

    def population(self) -> NDArray[np.float64]:
        """``(n_genomes, n_genes)``: normal weights with the usual spread for their number of sources."""
        rng = np.random.Generator(np.random.PCG64(2))
        layout = self.network().layout
        spread: NDArray[np.float64] = 1.0 / np.sqrt(layout.fan_in)
        return rng.normal(size=(self.n_genomes, layout.n_genes)) * spread


WORKLOADS: tuple[Workload, ...] = (
    Workload("series-elman-16", "elman", 256, 1, 1000, 1, 16, 1),
    Workload("control-elman-5", "elman", 512, 1, 1000, 6, 5, 1),
    Workload("batch-elman-32", "elman", 256, 64, 50, 2, 32, 1),
    Workload("mid-elman-64", "elman", 64, 8, 200, 8, 64, 4),
    Workload("series-lstm-16", "lstm", 256, 1, 1000, 1, 16, 1),
    Workload("batch-lstm-32", "lstm", 256, 64, 50, 2, 32, 1),
    Workload("mid-lstm-64", "lstm", 64, 8, 200, 8, 64, 4),
    Workload("series-gru-16", "gru", 256, 1, 1000, 1, 16, 1),
    Workload("batch-gru-32", "gru", 256, 64, 50, 2, 32, 1),
    Workload("mid-gru-64", "gru", 64, 8, 200, 8, 64, 4),
    Workload("series-elman-64", "elman", 256, 1, 1000, 1, 64, 1),
    Workload("series-graph-64", "graph", 256, 1, 1000, 1, 64, 1),
    Workload("batch-graph-64", "graph", 256, 8, 1000, 1, 64, 1),
)
"""The workloads that every table of this project uses."""


def as_workload(text: str | Workload) -> Workload:
    """A workload by its name, or by its numbers as ``"elman,256,1,1000,1,16,1"`` (cell, P, S, T, I, H, O).

    Raises:
        ValueError: It is neither.
    """
    if isinstance(text, Workload):
        return text
    named = {workload.name: workload for workload in WORKLOADS}
    if text in named:
        return named[text]
    cell, *numbers = (part.strip() for part in text.split(","))
    if len(numbers) != len(_NUMBERS) or not all(number.isdecimal() for number in numbers):
        near = nearest(text, named)
        guess = f"; did you mean {near!r}?" if near else "."
        raise BadInput(
            f"there is no workload {text!r}{guess} Known: {', '.join(named)}; "
            "or give its numbers as cell,P,S,T,I,H,O, for instance elman,256,1,1000,1,16,1"
        )
    return Workload(text, cell, *map(int, numbers))


@dataclass(frozen=True)
class Arithmetic:
    """The least arithmetic of one step of one network.

    Attributes:
        multiply_adds: Products that are added to something.
        activations: Evaluations of a squashing function.
    """

    multiply_adds: int
    activations: int


_PER_UNIT: dict[type, tuple[int, int]] = {Lstm: (3, 5), Gru: (3, 3), Ctrnn: (1, 1)}
"""Products beside the weights, and activations."""


def arithmetic(network: Network) -> Arithmetic:
    """What one step of a network costs at the least.

    Every weight that exists is one multiply-add. A bias starts a sum and costs none, so the links of a `Graph` from the
    constant do not count, and neither do links fixed at 0. Beside the weights, a unit of an `Lstm` has 3 products
    (f c, i g, o tanh c), one of a `Gru` 3 (the reset, and two for the mixture), one of a `Ctrnn` 1 (its share of the
    difference). Activations are 1 a unit, 5 for `Lstm`, 3 for `Gru`; a linear read-out has none. An `Lstm` without
    forget gate has a product and an activation less. The substeps of a `Ctrnn` repeat all this but for the products
    with inputs of the step. The error itself is left out.
    """
    layout = network.layout
    weights = {"input", "recurrent", "output", "feedback"}
    present = (layout.slots >= 0) | (layout.fixed_values != 0.0)
    if isinstance(network, Graph):
        n_weights = int((network.links[:, 0] != network.n_inputs).sum())
    else:
        times = [np.full(block.genes.size, _times(network, block) * (block.role in weights)) for block in layout.blocks]
        n_weights = int(np.concatenate(times)[present].sum())
    n_units = network.n_units if isinstance(network, Graph) else getattr(network, "n_hidden", 0)
    n_units *= getattr(network, "n_layers", 1) * getattr(network, "substeps", 1)
    products, squashings = _PER_UNIT.get(type(network), (0, 1))
    if not getattr(network, "forget_gate", True):
        products, squashings = products - 1, squashings - 1
    if getattr(network, "activation", "tanh") in ("linear", "relu", "hard_step"):
        squashings = 0
    squashed_outputs = 0 if network.output_activation == "linear" else network.n_outputs
    return Arithmetic(n_weights + products * n_units, squashings * n_units + squashed_outputs)


def _times(network: Network, block: Block) -> int:
    """How often the weights of an array are multiplied by something in one step."""
    once = block.name in ("weight_ih_l0", "weight_skip", "weight_out")
    return 1 if once else int(getattr(network, "substeps", 1))
