"""Leaky integrate-and-fire networks in C."""

from __future__ import annotations

from neuroevo.export.c.tables import Tables
from neuroevo.export.plan import Cell, Firing, Values

_GROUP = """
static inline void NAME_GROUP(ARGUMENTS)
{
    REAL current[SIZE];
    for (int i = 0; i < SIZE; i++)
        current[i] = SUM;
    for (int i = 0; i < SIZE; i++) {
STILL        v[i] += RATE * (current[i] - v[i]);
FIRE    }
}
"""
_STILL = """        s[i] = 0;
        if (w[i] > 0) {
            w[i] -= 1;
            continue;
        }
"""
_FIRE = """        s[i] = v[i] >= THRESHOLD ? 1 : 0;
        if (s[i] > 0) {
RESET        }
"""
_NETWORK = """
static inline void NAME_network(NAME_memory *s, const REAL *x, REAL *y)
{
BEFORE    for (int step = 0; step < N_SUBSTEPS; step++) {
CALLS    }
AFTER}
"""
_BREAK = "\n            + "


def vectors(cell: Cell, firing: Firing) -> dict[str, Values]:
    """The fields of the state and what they are at first."""
    names = [f"{k}" for k in range(cell.n_layers)] + ["_out"]
    kept = "sv" + "w" * (firing.refractory > 0)
    return {
        f"{name}{group}": layer["svw".index(name)]
        for group, layer in zip(names, cell.start, strict=True)
        for name in (kept if firing.outputs_fire or group != "_out" else "v")
    }


def functions(cell: Cell, firing: Firing, tables: Tables, activation: str, softmax: str) -> str:
    """``NAME_network(state, x, y)`` and what it calls.

    Args:
        cell: The network.
        firing: How its units fire.
        tables: Its constants, all of them declared.
        activation: g of a `v` in C.
        softmax: The lines that make shares of `y`; "" for other activations.
    """
    text, calls, n_out = "", "", len(cell.arrays["bias_out"])
    held = ", {0}->w{1}" if firing.refractory else ""
    for k in range(cell.n_layers):
        rows, n_below = cell.arrays[f"weight_ih_l{k}"].shape
        terms = [
            tables.entry(f"bias_l{k}", "i"),
            tables.product(f"weight_ih_l{k}", "i", n_below, "x"),
            tables.product(f"weight_hh_l{k}", "i", rows, "s"),
        ]
        text += _group(f"layer{k}", rows, terms, tables.entry(f"rate_l{k}", "i"), firing, tables, fires=True)
        below = f"s->s{k - 1}" if k else "x"
        calls += f"        NAME_layer{k}({below}, s->s{k}, s->v{k}{held.format('s', k)});\n"
    units = f"s->s{cell.n_layers - 1}"
    terms = [tables.entry("bias_out", "i"), tables.product("weight_out", "i", cell.n_hidden, "x")]
    more = ""
    if "weight_skip" in cell.arrays:
        terms.append(tables.product("weight_skip", "i", cell.arrays["weight_skip"].shape[1], "inputs"))
        more = ", x"
    fires = firing.outputs_fire
    text += _group("readout", n_out, terms, tables.entry("rate_out", "i"), firing, tables, fires=fires, skip=bool(more))
    spikes = f", s->s_out, s->v_out{held.format('s', '_out')}" if fires else ", s->v_out"
    calls += f"        NAME_readout({units}{more}{spikes});\n"
    each = f"    for (int o = 0; o < {n_out}; o++)\n        "
    before, after = "", f"{each}y[o] = s->v_out[o];\n{softmax}"
    if fires:
        before, after = f"{each}y[o] = 0;\n", f"{each}y[o] /= {firing.substeps};\n" if firing.substeps > 1 else ""
        calls += f"    {each}    y[o] += s->s_out[o];\n"
    elif not softmax and activation != "v":
        value = f"        const REAL v = s->v_out[o];\n        y[o] = {activation};\n"
        after = f"    for (int o = 0; o < {n_out}; o++) {{\n{value}    }}\n"
    words = {"BEFORE": before, "N_SUBSTEPS": str(firing.substeps), "CALLS": calls, "AFTER": after}
    return text + _replaced(_NETWORK, words)


def _group(
    name: str,
    size: int,
    terms: list[str],
    rate: str,
    firing: Firing,
    tables: Tables,
    *,
    fires: bool,
    skip: bool = False,
) -> str:
    """The function of a layer, or of the outputs."""
    waits = fires and firing.refractory > 0
    arguments = ["const REAL *x", *["const REAL *inputs"] * skip, *["REAL *s"] * fires, "REAL *v", *["REAL *w"] * waits]
    threshold = tables.literal(firing.threshold)
    reset = f"            v[i] {'= 0' if firing.to_zero else f'-= {threshold}'};\n"
    reset += f"            w[i] = {firing.refractory};\n" * waits
    words = {
        "GROUP": name,
        "ARGUMENTS": ", ".join(arguments),
        "SIZE": str(size),
        "SUM": _BREAK.join(terms),
        "STILL": _STILL * waits,
        "RATE": rate,
        "FIRE": _replaced(_FIRE, {"THRESHOLD": threshold, "RESET": reset}) if fires else "",
    }
    return _replaced(_GROUP, words)


def _replaced(text: str, words: dict[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(word, value)
    return text
