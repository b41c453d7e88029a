"""One step of each kind of network in whole numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from neuroevo.export.fixed_point import arithmetic as fixed
from neuroevo.export.fixed_point.arithmetic import ONE, UNIT, WIDE, Whole
from neuroevo.export.fixed_point.parts import SPIKES

if TYPE_CHECKING:
    from neuroevo.export.fixed_point.definition import FixedPoint

State = dict[str, Whole]


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
    firing, after, counted = net.firing, dict(state), np.zeros(1, dtype=np.int64)
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
    return int(np.rint(net.firing.threshold * 2**WIDE))


def _fire(net: FixedPoint, state: State, group: str, sums: Whole, *, fires: bool) -> None:
    before, waiting = state[f"v{group}"], state[f"w{group}"]
    share = rates(net, "out" if group == "_out" else f"l{group}")
    moved = fixed.wide(before + fixed.shifted(share * (sums - before), WIDE))
    if not fires:
        state[f"v{group}"] = moved
        return
    moved = np.where(waiting > 0, before, moved)
    spikes = ((moved >= threshold(net)) & (waiting == 0)).astype(np.int64)
    state[f"h{group}"] = spikes
    state[f"v{group}"] = np.where(spikes > 0, 0, moved) if net.firing.to_zero else moved - threshold(net) * spikes
    state[f"w{group}"] = np.where(spikes > 0, net.firing.refractory, np.maximum(waiting - 1, 0))


STEPS: dict[str, Callable[[FixedPoint, State, Whole], tuple[Whole, State]]] = {
    "elman": _elman, "jordan": _jordan, "lstm": _lstm, "gru": _gru, "lif": _lif
}  # fmt: skip
