"""The unstructured network: a list of links, as sparse as one likes, one gene a link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from neuroevo.checks import number, truth_value, whole_number
from neuroevo.errors import BadInput
from neuroevo.networks import checks
from neuroevo.networks.activations import OUTPUT_ACTIVATIONS, Activation, OutputActivation, activated
from neuroevo.networks.base import Array, Count, Network
from neuroevo.networks.layout import ArraySpec


@dataclass(frozen=True, eq=False)
class Graph(Network):
    """Unstructured network given by its links, one gene each, in the order given.

    Sources are numbered: the inputs of this step 0 … n_inputs - 1, the constant 1 at n_inputs, then the units. Targets
    are numbered: the units 0 … n_units - 1, which see the units of the previous step, then the outputs, which see the
    units of this step. A unit or output is its activation of the sum of its links; biases and read-out are links too,
    and with all links the network is an `Elman` (whose outputs also see the inputs).

    Args:
        n_inputs: Input columns.
        n_units: Units.
        n_outputs: Output columns.
        links: ``(n_links, 2)`` whole numbers, (source, target) of each link; or ``"all"``, in the order of
            `all_links`; or ``{"density": 0.1, "seed": 7}``, that share of all links drawn by `random_links`, with
            ``"skip": True`` also of those from inputs straight to outputs. The attribute is always the array, int64 and
            read-only.
        activation: Of the units, by name.
        output_activation: Of the outputs, by name.
        initial_state: Whether the units' state before the first step is evolved (a gene per unit, after the links);
            otherwise it is zero.
        winners: With k_winners units, how many of all fire.

    Raises:
        TypeError, ValueError: An argument is not of that kind or out of range, or a link comes twice.
    """

    kind: ClassVar[str] = "graph"
    n_inputs: Count
    n_units: Count
    n_outputs: Count
    links: Any
    _: KW_ONLY
    activation: Activation = "tanh"
    output_activation: OutputActivation = "linear"
    initial_state: bool = False
    winners: Count | None = None

    def settings(self) -> dict[str, Any]:
        """As in `Network`; the links always one by one."""
        return {**super().settings(), "links": self.links.tolist()}

    def _checked(self, name: str, value: object) -> object:
        if name == "links":
            return _checked_links(value, self.n_inputs, self.n_units, self.n_outputs)
        return super()._checked(name, value)

    def _specs(self) -> Sequence[ArraySpec]:
        source, target = self.links.T
        fan_in = np.bincount(target, minlength=self.n_units + self.n_outputs)[target].astype(np.float64)
        fan_out = np.bincount(source)[source].astype(np.float64)
        specs = [ArraySpec("weight_links", (len(self.links),), "links", target, fans=(fan_in, fan_out))]
        if self.initial_state:
            units = np.arange(self.n_units, dtype=np.int64)
            specs.append(ArraySpec("initial_state", (self.n_units,), "initial_state", units))
        return specs

    def start(self, arrays: Mapping[str, Array], n_sequences: int = 1) -> tuple[Array, Array]:
        """As in `Network`: the units' values, and the links as a matrix ``(n_targets, n_sources)``."""
        weights = np.zeros((self.n_units + self.n_outputs, self.n_inputs + 1 + self.n_units))
        weights[self.links[:, 1], self.links[:, 0]] = arrays["weight_links"]
        return np.tile(arrays.get("initial_state", np.zeros(self.n_units)), (n_sequences, 1)), weights

    def advance(
        self,
        arrays: Mapping[str, Array],  # noqa: ARG002 - the state has the links as a matrix
        state: tuple[Array, Array],
        inputs: Array,
    ) -> tuple[Array, tuple[Array, Array]]:
        """As in `Network`."""
        h, weights = state
        known = np.hstack([inputs, np.ones((len(inputs), 1))])
        h = activated(self, np.hstack([known, h]) @ weights[: self.n_units].T)
        outputs = OUTPUT_ACTIVATIONS[self.output_activation](np.hstack([known, h]) @ weights[self.n_units :].T)
        return outputs, (h, weights)


def all_links(n_inputs: int, n_units: int, n_outputs: int, skip: bool = False) -> NDArray[np.int64]:
    """Every possible link ``(n_links, 2)``, without `skip` but those from inputs straight to outputs, target by target.

    This is the wiring of an `Elman` network: input weights, bias, recurrent weights of each unit, then input weights
    with `skip`, bias and read-out weights of each output.
    """
    n_sources = n_inputs + 1 + n_units
    to_units = _pairs(np.arange(n_sources), np.arange(n_units))
    to_outputs = _pairs(np.arange(0 if skip else n_inputs, n_sources), n_units + np.arange(n_outputs))
    return np.concatenate([to_units, to_outputs])


def random_links(
    n_inputs: int, n_units: int, n_outputs: int, density: float, seed: int, skip: bool = False
) -> NDArray[np.int64]:
    """A share `density` of `all_links`, drawn without replacement, in their order.

    Raises:
        ValueError: The density does not lie in (0, 1], or leaves no link.
    """
    density = number("density", density, above=0)
    if density > 1:
        raise BadInput(f"density must lie above 0 and at most at 1, got {density}")
    links = all_links(n_inputs, n_units, n_outputs, truth_value("skip", skip))
    n_links = round(density * len(links))
    if n_links == 0:
        raise BadInput(f"a density of {density} leaves none of {len(links)} links; take at least {1 / len(links):.2g}")
    rng = np.random.Generator(np.random.PCG64(whole_number("seed", seed, at_least=0)))
    return links[np.sort(rng.choice(len(links), size=n_links, replace=False))]


def _pairs(sources: NDArray[np.int64], targets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Every source with every target, target by target."""
    columns = np.tile(sources, len(targets)), np.repeat(targets, len(sources))
    return np.stack(columns, axis=1).astype(np.int64)


def _checked_links(links: object, n_inputs: int, n_units: int, n_outputs: int) -> NDArray[np.int64]:
    if isinstance(links, str):
        checks.known_name("links", links, ["all"])
        array = all_links(n_inputs, n_units, n_outputs)
    elif isinstance(links, Mapping):
        if {*links} - {"skip"} != {"density", "seed"}:
            got = ", ".join(map(str, links))
            raise BadInput(f"random links need exactly the keys density and seed, and may have skip; got {got}")
        array = random_links(n_inputs, n_units, n_outputs, **links)
    else:
        array = _listed_links(links)
    n_sources, n_targets = n_inputs + 1 + n_units, n_units + n_outputs
    for column, name, limit in ((0, "source", n_sources), (1, "target", n_targets)):
        wrong = np.flatnonzero((array[:, column] < 0) | (array[:, column] >= limit))
        if wrong.size:
            raise BadInput(
                f"the {name} of links[{wrong[0]}] must lie between 0 and {limit - 1}, got {array[wrong[0], column]}"
            )
    keys, first, counts = np.unique(array[:, 0] * n_targets + array[:, 1], return_index=True, return_counts=True)
    if len(keys) < len(array):
        source, target = array[first[counts > 1][0]].tolist()
        raise BadInput(f"a link may be given once only, but ({source}, {target}) comes more than once")
    array.flags.writeable = False
    return array


def _listed_links(links: object) -> NDArray[np.int64]:
    try:
        array = np.array(links)
    except ValueError:
        array = np.empty(0)
    if array.ndim != 2 or array.shape[1:] != (2,) or len(array) == 0 or not np.issubdtype(array.dtype, np.integer):
        raise BadInput(
            "links must be pairs of whole numbers (source, target) of shape (n_links, 2) with at least one link, "
            f"got {array.dtype} of shape {array.shape}"
        )
    return array.astype(np.int64)
