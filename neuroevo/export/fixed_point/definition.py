"""A network in whole numbers, from inputs to outputs: what a C header without floating point computes, in NumPy.

Weights are whole numbers of 8 bits or fewer times a scale of their array. A sum of products of whole numbers is exact
in 32 bits; the scale is then a multiplier and a shift (`fixed_arithmetic.Factor`). Values that links see have 16 bits,
or 8 where they are 0, 1 and -1 alone; their fractions are chosen by what the network does on examples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

import numpy as np

from neuroevo.errors import BadInput
from neuroevo.export.fixed_point import arithmetic as fixed
from neuroevo.export.fixed_point.arithmetic import LARGEST, UNIT, WIDE, Whole
from neuroevo.export.fixed_point.parts import SPIKES, Bias, Line, Product, columns, line_for
from neuroevo.export.fixed_point.steps import STEPS, State
from neuroevo.export.plan import Cell, Examples, Firing, Part, Plan, Values
from neuroevo.networks.activations import ACTIVATIONS, OUTPUT_ACTIVATIONS, k_winners
from neuroevo.networks.lstm import without_forget_gate

KINDS = ("elman", "jordan", "lstm", "gru", "lif")
EXACT = {"hard_step", "sign", "k_winners"}
"""Activations whose values are -1, 0 and 1 alone."""
_SQUASHING: Mapping[str, Callable[[Whole], Whole]] = {
    "tanh": fixed.tanh, "logistic": fixed.logistic, "softsign": fixed.softsign
}  # fmt: skip
_UNBOUNDED = ("relu", "linear")
_UNITS = {*_SQUASHING, *_UNBOUNDED, *EXACT}


class FixedPoint:
    """A plan of one network in whole numbers.

    Args:
        plan: Its arrays of links must lie on grids of 8 bits or fewer, and it has examples.

    Attributes:
        cell: The network.
        x: What links see of the scaled inputs.
        units: Of each layer, what links see of it.
        y: What links of a jordan network see of its outputs.
        inputs: The input columns.
        outputs: The output columns.

    Raises:
        BadInput: There is something in it that is not known without floating point.
    """

    def __init__(self, plan: Plan) -> None:
        part = _only(plan)
        self._products: dict[str, Product] = {}
        self._biases: dict[str, Bias] = {}
        self.cell, scaling = part.cell, part.scaling
        self.arrays = self.cell.arrays
        self.has_forget_gate = self.cell.kind == "lstm"
        if self.has_forget_gate:
            with suppress(BadInput):
                self.arrays, self.has_forget_gate = without_forget_gate(self.arrays), False
        largest = _largest(part, _known(plan.examples))
        self.x = line_for(largest["x"])
        fed_back = self.cell.kind == "jordan" and self.cell.output_activation == "linear"
        first = self.cell.start[0][0]
        self.y = line_for(max(largest["y"], np.abs(first).max())) if fed_back else _unit_line(first)
        self.units = tuple(_units_line(self.cell, k, largest[f"h{k}"]) for k in range(self.cell.n_layers))
        self.inputs = columns(scaling.input_offset, scaling.input_factor, self.x.fraction, into=True)
        self.outputs = columns(scaling.target_offset, scaling.target_factor, WIDE, into=False)
        self._check_sums()

    def product(self, name: str, line: Line) -> Product:
        """The product of an array."""
        if name not in self._products:
            self._products[name] = Product.of(name, self.arrays[name], line)
        return self._products[name]

    def bias(self, name: str) -> Bias:
        """The vector of an array."""
        if name not in self._biases:
            self._biases[name] = Bias.of(name, self.arrays[name])
        return self._biases[name]

    def below(self, k: int) -> Line:
        """What layer k sees of the inputs or of the layer below."""
        return self.units[k - 1] if k else self.x

    def start(self) -> State:
        """The state before the first step, by the names of `kept`."""
        found: State = {}
        for k, layer in enumerate(self.cell.start):
            for (name, fraction, _), values in zip(self.kept(k), layer, strict=False):
                whole = np.rint(values * 2.0**fraction).astype(np.int64)
                found[name] = fixed.wide(whole) if fraction == WIDE else fixed.short(whole)
        return found

    def kept(self, k: int) -> list[tuple[str, int, int]]:
        """Name, fraction and bytes of the vectors that layer k keeps (of a lif also the outputs, as one more layer)."""
        if self.cell.firing is not None:
            group = "_out" if k == self.cell.n_layers else str(k)
            return [(f"h{group}", 0, 1), (f"v{group}", WIDE, 4), (f"w{group}", 0, 2)]
        if self.cell.kind == "jordan":
            return [("y", self.y.fraction, 2)]
        own = (f"h{k}", self.units[k].fraction, self.units[k].n_bytes)
        return [own, (f"c{k}", WIDE, 4)] if self.cell.kind == "lstm" else [own]

    def step(self, state: State, inputs: Whole) -> tuple[Whole, State]:
        """One step.

        Args:
            state: From `start`, or the step before; vectors ``(n,)`` or ``(n_sequences, n)``.
            inputs: ``(n_sequences, n_inputs)`` whole numbers.

        Returns:
            ``(n_sequences, n_outputs)`` whole numbers, and the next state.
        """
        x = fixed.wide(inputs - self.inputs.offsets)
        x = fixed.short(self.inputs.times(x) if self.inputs.factors else inputs)
        y, after = STEPS[self.cell.kind](self, state, x)
        if self.outputs.factors:
            y = self.outputs.times(y) + self.outputs.offsets
        return fixed.wide(y), after

    def predict(self, inputs: Values) -> Values:
        """Outputs ``(n_sequences, n_steps, n_outputs)`` of inputs in the same form, in original units."""
        return self.outputs.to_real(self.run(self.inputs.to_whole(inputs)))

    def run(self, inputs: Whole) -> Whole:
        """As `predict`, of whole numbers."""
        state, outputs = self.start(), []
        for step in range(inputs.shape[1]):
            found, state = self.step(state, inputs[:, step])
            outputs.append(found)
        return np.stack(outputs, axis=1)

    def distance(self, examples: Examples) -> float:
        """The largest difference from what the predictor says of examples, as a share of its largest output."""
        known = np.isfinite(examples.outputs)
        size = float(np.abs(examples.outputs[known]).max(initial=0.0)) or 1.0
        found = self.predict(examples.inputs)
        return float(np.abs(found - examples.outputs)[known].max(initial=0.0)) / size

    def _check_sums(self) -> None:
        """Make all products and vectors, and check that what is added up stays within 32 bits."""
        jordan, n = self.cell.kind == "jordan", self.cell.n_layers
        groups = []
        for k in range(n):
            fed_back = self.product(f"weight_hh_l{k}", self.y if jordan else self.units[k])
            groups.append([self.product(f"weight_ih_l{k}", self.below(k)), fed_back])
        last = [self.product("weight_out", self.units[-1])]
        last += [self.product("weight_skip", self.x)] if "weight_skip" in self.arrays else []
        for name, products in zip([*(f"bias_l{k}" for k in range(n)), "bias_out"], [*groups, last], strict=True):
            vectors = [name, *({name.replace("_l", "_hn_l")} & self.arrays.keys())]
            largest = sum(int(np.abs(self.bias(vector).values).max()) for vector in vectors)
            largest += sum(product.largest for product in products)
            if largest > LARGEST:
                raise BadInput(
                    f"sums with {name} may reach {largest / 2**WIDE:.3g}, and fixed-point numbers end at 32767"
                )

    @property
    def firing(self) -> Firing:
        """How units of a lif fire."""
        if self.cell.firing is None:
            raise BadInput(f"units of a network of the kind {self.cell.kind!r} do not fire")
        return self.cell.firing

    def read_out(self, units: Whole, x: Whole) -> Whole:
        """Outputs with the fraction WIDE before g."""
        sums = self.bias("bias_out").values + self.product("weight_out", self.units[-1])(units)
        return sums + self.product("weight_skip", self.x)(x) if "weight_skip" in self.arrays else sums

    def squashed(self, sums: Whole) -> Whole:
        """G of outputs, with the fraction WIDE."""
        name = self.cell.output_activation
        if name == "softmax":
            return fixed.softmax(sums)
        return sums if name == "linear" else _SQUASHING[name](sums) << (WIDE - UNIT)

    def activated(self, sums: Whole, k: int) -> Whole:
        """Units of layer k from their sums."""
        name, fraction = self.cell.activation, self.units[k].fraction
        if name == "k_winners":
            return fixed.k_winners(sums, self.cell.winners) << fraction
        if name in EXACT:
            return ((sums > 0).astype(np.int64) - (sums < 0) * (name == "sign")) << fraction
        if name in _SQUASHING:
            return self.from_unit(_SQUASHING[name](sums), k)
        return fixed.short(fixed.shifted(np.maximum(sums, 0) if name == "relu" else sums, WIDE - fraction))

    def from_unit(self, values: Whole, k: int, fraction: int = UNIT) -> Whole:
        """Values with that fraction as units of layer k."""
        lower = fraction - self.units[k].fraction
        return fixed.short(fixed.shifted(values, lower) if lower else values)


def _only(plan: Plan) -> Part:
    if len(plan.members) > 1:
        raise BadInput("fixed-point C holds one network, and this is an ensemble: export one of its runs")
    (part,) = plan.members
    cell = part.cell
    if part.preparation is not None:
        raise BadInput(
            "data that a transform or residual prepares are not known to fixed-point C; leave out --precision fixed"
        )
    if cell.kind not in KINDS:
        raise BadInput(
            f"a network of the kind {cell.kind!r} is not known to fixed-point C; those that are: {', '.join(KINDS)}"
        )
    if cell.activation and cell.activation not in _UNITS:
        raise BadInput(
            f"activation {cell.activation!r} is not known to fixed-point C; those that are: {', '.join(sorted(_UNITS))}"
        )
    if cell.firing is not None and max(cell.firing.refractory, cell.firing.substeps, cell.firing.threshold) > 32767:
        raise BadInput("fixed-point C knows refractory, substeps and threshold up to 32767")
    return part


def _known(examples: Examples | None) -> Examples:
    if examples is None:
        raise BadInput("fixed-point numbers take their ranges from examples, and there are none")
    return examples


def _units_line(cell: Cell, k: int, largest: float) -> Line:
    first = cell.start[k][0] if cell.kind != "jordan" else np.zeros(1)
    if cell.kind == "lif" or (cell.activation in EXACT and np.isin(first, (-1, 0, 1)).all()):
        return SPIKES
    if cell.activation in _UNBOUNDED or cell.activation in EXACT:
        return line_for(max(largest, float(np.abs(first).max())))
    return _unit_line(first)


def _unit_line(first: Values) -> Line:
    """Of values within -1 and 1 but for those before the first step."""
    fraction = UNIT
    while fraction and np.abs(first).max() * (1 << fraction) > 1 << UNIT:
        fraction -= 1
    return Line(fraction)


def _largest(part: Part, examples: Examples) -> dict[str, float]:
    """The largest sizes on examples: of scaled inputs, of units without bounds, and of outputs that are fed back."""
    cell, counted = part.cell, examples.counted
    x = (examples.inputs - part.scaling.input_offset) / part.scaling.input_factor
    found = {"x": float(np.abs(x[counted]).max(initial=0.0)), "y": 1.0} | {f"h{k}": 1.0 for k in range(cell.n_layers)}
    if cell.activation not in _UNBOUNDED and cell.kind != "jordan":
        return found
    arrays, state = cell.arrays, [np.zeros((len(x), 1)) + layer[0] for layer in cell.start]
    for step in range(x.shape[1]):
        below = x[:, step]
        for k in range(cell.n_layers):
            sums = below @ arrays[f"weight_ih_l{k}"].T + state[k] @ arrays[f"weight_hh_l{k}"].T + arrays[f"bias_l{k}"]
            below = k_winners(sums, cell.winners) if cell.winners else ACTIVATIONS[cell.activation](sums)
            if cell.kind != "jordan":
                state[k] = below
            found[f"h{k}"] = max(found[f"h{k}"], float(np.abs(below[counted[:, step]]).max(initial=0.0)))
        sums = below @ arrays["weight_out"].T + arrays["bias_out"]
        sums = sums + x[:, step] @ arrays["weight_skip"].T if "weight_skip" in arrays else sums
        y = OUTPUT_ACTIVATIONS[cell.output_activation](sums)
        found["y"] = max(found["y"], float(np.abs(y[counted[:, step]]).max(initial=0.0)))
        state = [y] if cell.kind == "jordan" else state
    return found
