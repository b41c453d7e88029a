"""A network in whole numbers, from inputs to outputs: what a C header without floating point computes, in NumPy.

Weights are whole numbers of 8 bits or fewer times a scale of their array. A sum of products of whole numbers is exact
in 32 bits; the scale is then a multiplier and a shift (`fixed_arithmetic.Factor`). Values that links see have 16 bits,
or 8 where they are 0, 1 and -1 alone; their fractions are chosen by what the network does on examples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from neuroevo.errors import BadInput
from neuroevo.export import fixed_arithmetic as fixed
from neuroevo.export.c_tables import OnGrid, on_grid
from neuroevo.export.fixed_arithmetic import LARGEST, ONE, UNIT, WIDE, Factor, Whole
from neuroevo.export.plan import Cell, Examples, Part, Plan, Values
from neuroevo.networks.activations import ACTIVATIONS, OUTPUT_ACTIVATIONS
from neuroevo.networks.lstm import without_forget_gate

KINDS = ("elman", "jordan", "lstm", "gru", "lif")
EXACT = {"hard_step", "sign", "k_winners"}
"""Activations whose values are -1, 0 and 1 alone."""
_SQUASHING: Mapping[str, Callable[[Whole], Whole]] = {
    "tanh": fixed.tanh, "logistic": fixed.logistic, "softsign": fixed.softsign
}  # fmt: skip
_UNBOUNDED = ("relu", "linear")
_UNITS = {*_SQUASHING, *_UNBOUNDED, *EXACT}
_HEADROOM = 2.0
"""How far values may lie beyond those of the examples, as a factor, before they stay at the end of their range."""
_FINE = 14
"""Bits that a scaled unit of an input or output has at least."""


@dataclass(frozen=True)
class Line:
    """Values that links see.

    Attributes:
        fraction: Of these values.
        n_bytes: Of a value: 2, or 1 for those of `EXACT` and spikes.
    """

    fraction: int
    n_bytes: int = 2

    @property
    def limit(self) -> int:
        """The largest size of a value."""
        return 32767 if self.n_bytes == 2 else 1


SPIKES, UNITS = Line(0, 1), Line(UNIT)


def line_for(largest: float) -> Line:
    """Values of 16 bits up to this size, and `_HEADROOM` times it.

    Raises:
        BadInput: They are too large.
    """
    if not largest * _HEADROOM < 32767:
        raise BadInput(
            f"values inside of the network reach {largest:.3g}, more than fixed-point numbers of 16 bits hold"
        )
    fraction = 14
    while fraction and _HEADROOM * largest * (1 << fraction) > 32767:
        fraction -= 1
    return Line(fraction)


@dataclass(frozen=True, eq=False)
class Product:
    """A matrix of weights, and the line that it sees.

    Attributes:
        name: Of its array.
        grid: The weights; None where all are 0.
        factor: From a sum of whole numbers to the fraction WIDE.
        line: What it sees.
    """

    name: str
    grid: OnGrid | None
    factor: Factor
    line: Line

    @classmethod
    def of(cls, name: str, values: Values, line: Line) -> Product:
        """The array as it lies on its grid.

        Raises:
            BadInput: It lies on none, or its sums leave 32 bits.
        """
        grid = on_grid(values)
        if grid is None and values.any():
            raise BadInput(
                f"the weights {name} are on no grid of 8 bits, which fixed-point numbers need: train the network with "
                '[space] kind = "quantised", or leave out --precision fixed'
            )
        scale = grid.scale if grid else 1.0
        found = cls(name, grid, Factor.of(scale * 2.0 ** (WIDE - line.fraction), name), line)
        if grid and int(np.abs(grid.codes).sum(axis=-1).max()) * line.limit > LARGEST:
            raise BadInput(f"sums of {values.shape[-1]} products in {name} may leave 32 bits")
        return found

    @property
    def largest(self) -> int:
        """The largest size of a result."""
        if self.grid is None:
            return 0
        sums = np.abs(self.grid.codes).sum(axis=-1).max() * self.line.limit
        return int(self.factor.times(np.array(sums, dtype=np.int64))) + 1

    def __call__(self, values: Whole) -> Whole:
        """``(..., n_rows)`` of values ``(..., n)``."""
        if self.grid is None:
            return np.zeros(1, dtype=np.int64)
        return self.factor.times(values @ self.grid.codes.T)


@dataclass(frozen=True, eq=False)
class Bias:
    """A vector with the fraction WIDE, kept as whole numbers of few bits where that takes fewer bytes.

    Attributes:
        name: Of its array.
        grid: None where it is kept as it is.
        factor: From numbers of the grid to the vector.
        values: The vector.
    """

    name: str
    grid: OnGrid | None
    factor: Factor
    values: Whole

    @classmethod
    def of(cls, name: str, values: Values) -> Bias:
        """The nearest one.

        Raises:
            BadInput: A value leaves 32 bits.
        """
        grid = on_grid(values)
        if grid is not None and grid.packed().size + 5 < 4 * values.size:
            factor = Factor.of(grid.scale * 2.0**WIDE, name)
            return cls(name, grid, factor, factor.times(grid.codes))
        found = np.rint(values * 2.0**WIDE)
        if np.abs(found).max(initial=0.0) > LARGEST:
            raise BadInput(
                f"{name} reaches {np.abs(values).max():.3g}, more than 32 bits with 16 behind the point hold"
            )
        return cls(name, None, Factor(1, 1), found.astype(np.int64))


@dataclass(frozen=True, eq=False)
class Scales:
    """Columns in original units: a whole number is the value times 2**bits.

    Attributes:
        bits: ``(n,)`` int64, of each column; below 0 where values are large.
        offsets: ``(n,)`` int64.
        factors: One a column; empty where nothing is scaled.
    """

    bits: Whole
    offsets: Whole
    factors: tuple[Factor, ...]

    def to_whole(self, values: Values) -> Whole:
        """The whole numbers of values in original units, the nearest within 32 bits."""
        return fixed.wide(np.clip(np.rint(values * 2.0**self.bits), -LARGEST, LARGEST).astype(np.int64))

    def to_real(self, values: Whole) -> Values:
        """Values in original units."""
        return np.asarray(values * 2.0 ** -self.bits.astype(np.float64))

    def times(self, values: Whole) -> Whole:
        """Each column times its factor."""
        return np.stack([factor.times(values[..., k]) for k, factor in enumerate(self.factors)], axis=-1)


State = dict[str, Whole]


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
        self.inputs = _columns(scaling.input_offset, scaling.input_factor, self.x.fraction, into=True)
        self.outputs = _columns(scaling.target_offset, scaling.target_factor, WIDE, into=False)
        self._check_sums()

    def product(self, name: str, line: Line) -> Product:
        """The product of an array."""
        return self._products[name] if name in self._products else self._products.setdefault(
            name, Product.of(name, self.arrays[name], line)
        )  # fmt: skip

    def bias(self, name: str) -> Bias:
        """The vector of an array."""
        return self._biases.setdefault(name, Bias.of(name, self.arrays[name]))

    @cached_property
    def _products(self) -> dict[str, Product]:
        return {}

    @cached_property
    def _biases(self) -> dict[str, Bias]:
        return {}

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
        y, after = _STEPS[self.cell.kind](self, state, x)
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


def _elman(net: FixedPoint, state: State, x: Whole) -> tuple[Whole, State]:
    after, below = {}, x
    for k in range(net.cell.n_layers):
        sums = net.bias(f"bias_l{k}").values + net.product(f"weight_ih_l{k}", net.below(k))(below)
        sums = sums + net.product(f"weight_hh_l{k}", net.units[k])(state[f"h{k}"])
        after[f"h{k}"] = below = net.activated(sums, k)
    return net.squashed(net.read_out(below, x)), after


def _jordan(net: FixedPoint, state: State, x: Whole) -> tuple[Whole, State]:
    sums = net.bias("bias_l0").values + net.product("weight_ih_l0", net.x)(x)
    units = net.activated(sums + net.product("weight_hh_l0", net.y)(state["y"]), 0)
    y = net.squashed(net.read_out(units, x))
    return y, {"y": fixed.short(fixed.shifted(y, WIDE - net.y.fraction))}


def _lstm(net: FixedPoint, state: State, x: Whole) -> tuple[Whole, State]:
    after, below = {}, x
    for k in range(net.cell.n_layers):
        sums = net.bias(f"bias_l{k}").values + net.product(f"weight_ih_l{k}", net.below(k))(below)
        sums = sums + net.product(f"weight_hh_l{k}", net.units[k])(state[f"h{k}"])
        write, *keep, value, show = np.split(sums, 3 + net.has_forget_gate, axis=-1)
        c = state[f"c{k}"]
        kept = fixed.shifted(c * fixed.logistic(keep[0]), UNIT) if keep else c
        written = fixed.shifted(fixed.logistic(write) * fixed.tanh(value), 2 * UNIT - WIDE)
        after[f"c{k}"] = fixed.wide(kept + written)
        after[f"h{k}"] = below = net.from_unit(fixed.logistic(show) * fixed.tanh(after[f"c{k}"]), k, 2 * UNIT)
    return net.squashed(net.read_out(below, x)), after


def _gru(net: FixedPoint, state: State, x: Whole) -> tuple[Whole, State]:
    after, below = {}, x
    for k in range(net.cell.n_layers):
        h = state[f"h{k}"]
        seen = net.bias(f"bias_l{k}").values + net.product(f"weight_ih_l{k}", net.below(k))(below)
        fed = net.product(f"weight_hh_l{k}", net.units[k])(h) + np.zeros_like(seen)
        (a_r, a_z, a_n), (b_r, b_z, b_n) = np.split(seen, 3, axis=-1), np.split(fed, 3, axis=-1)
        r, z = fixed.logistic(a_r + b_r), fixed.logistic(a_z + b_z)
        n = fixed.tanh(fixed.wide(a_n + fixed.shifted(r * (b_n + net.bias(f"bias_hn_l{k}").values), UNIT)))
        after[f"h{k}"] = below = fixed.short(fixed.shifted((ONE - z) * net.from_unit(n, k) + z * h, UNIT))
    return net.squashed(net.read_out(below, x)), after


def _lif(net: FixedPoint, state: State, x: Whole) -> tuple[Whole, State]:
    firing, after = net.cell.firing, dict(state)
    assert firing is not None  # noqa: S101 - of this kind
    counted: Any = 0
    for _ in range(firing.substeps):
        below = x
        for k in range(net.cell.n_layers):
            sums = net.bias(f"bias_l{k}").values + net.product(f"weight_ih_l{k}", net.below(k))(below)
            sums = sums + net.product(f"weight_hh_l{k}", SPIKES)(after[f"h{k}"])
            _fire(net, after, str(k), sums, fires=True)
            below = after[f"h{k}"]
        _fire(net, after, "_out", net.read_out(below, x), fires=firing.outputs_fire)
        counted = counted + after["h_out"]
    if firing.outputs_fire:
        return (counted << WIDE) // firing.substeps, after
    return net.squashed(after["v_out"]), after


def rates(net: FixedPoint, group: str) -> Whole:
    """Shares of the way to the sums that potentials move, with the fraction WIDE, below 1."""
    return np.minimum(np.rint(net.arrays[f"rate_{group}"] * 2.0**WIDE), (1 << WIDE) - 1).astype(np.int64)


def threshold(net: FixedPoint) -> int:
    """Where units fire, with the fraction WIDE."""
    return round(net.cell.firing.threshold * 2**WIDE) if net.cell.firing else 0


def _fire(net: FixedPoint, state: State, group: str, sums: Whole, *, fires: bool) -> None:
    firing, before, waiting = net.cell.firing, state[f"v{group}"], state[f"w{group}"]
    assert firing is not None  # noqa: S101 - of this kind
    moved = fixed.wide(
        before + fixed.shifted(rates(net, group.strip("_") if group == "_out" else f"l{group}") * (sums - before), WIDE)
    )
    if not fires:
        state[f"v{group}"] = moved
        return
    moved = np.where(waiting > 0, before, moved)
    spikes = ((moved >= threshold(net)) & (waiting == 0)).astype(np.int64)
    state[f"h{group}"] = spikes
    state[f"v{group}"] = np.where(spikes > 0, 0, moved) if firing.to_zero else moved - threshold(net) * spikes
    state[f"w{group}"] = np.where(spikes > 0, firing.refractory, np.maximum(waiting - 1, 0))


_STEPS: dict[str, Callable[[FixedPoint, State, Whole], tuple[Whole, State]]] = {
    "elman": _elman, "jordan": _jordan, "lstm": _lstm, "gru": _gru, "lif": _lif
}  # fmt: skip


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
            below = _winners(sums, cell.winners) if cell.winners else ACTIVATIONS[cell.activation](sums)
            if cell.kind != "jordan":
                state[k] = below
            found[f"h{k}"] = max(found[f"h{k}"], float(np.abs(below[counted[:, step]]).max(initial=0.0)))
        sums = below @ arrays["weight_out"].T + arrays["bias_out"]
        sums = sums + x[:, step] @ arrays["weight_skip"].T if "weight_skip" in arrays else sums
        y = OUTPUT_ACTIVATIONS[cell.output_activation](sums)
        found["y"] = max(found["y"], float(np.abs(y[counted[:, step]]).max(initial=0.0)))
        state = [y] if cell.kind == "jordan" else state
    return found


def _winners(sums: Values, k: int) -> Values:
    from neuroevo.networks.activations import k_winners

    return k_winners(sums, k)


def _columns(offsets: Values, factors: Values, fraction: int, *, into: bool) -> Scales:
    """Columns in original units; `fraction` is that of the scaled values on the other side."""
    if not offsets.any() and (factors == 1).all():
        return Scales(np.full(len(factors), fraction), np.zeros(len(factors), dtype=np.int64), ())
    bits = _FINE - np.floor(np.log2(factors)).astype(np.int64)
    room = 29 - np.ceil(np.log2(np.maximum(np.abs(offsets), 1e-300))).astype(np.int64)
    bits = np.minimum(bits, room)
    whole = np.rint(offsets * 2.0**bits).astype(np.int64)
    scales = 2.0 ** (fraction - bits) / factors if into else factors * 2.0 ** (bits - fraction)
    return Scales(bits, whole, tuple(Factor.of(float(scale), "a column") for scale in scales))
