"""Networks in whole numbers in C: their layers, and one step."""

from __future__ import annotations

from collections.abc import Iterable

from neuroevo.export.c.fixed_tables import TYPES, Texts
from neuroevo.export.fixed_point.arithmetic import UNIT, WIDE
from neuroevo.export.fixed_point.parts import SPIKES, Line
from neuroevo.export.fixed_point.steps import rates, threshold

_BREAK = "\n            + "
_STEPS = {
    "lstm": """        const int32_t in = NAME_logistic(SUM0);
        const int32_t kept = NAME_logistic(SUM1);
        const int32_t candidate = NAME_tanh(SUM2);
        const int32_t out = NAME_logistic(SUM3);
        c[i] = NAME_wide(NAME_shifted((int64_t)kept * c[i], 15) + NAME_shifted((int64_t)in * candidate, 14));
        next[i] = NAME_short(NAME_shifted((int64_t)out * NAME_tanh(c[i]), OUT_SHIFT));
""",
    "lstm_1997": """        const int32_t in = NAME_logistic(SUM0);
        const int32_t candidate = NAME_tanh(SUM1);
        const int32_t out = NAME_logistic(SUM2);
        c[i] = NAME_wide(c[i] + NAME_shifted((int64_t)in * candidate, 14));
        next[i] = NAME_short(NAME_shifted((int64_t)out * NAME_tanh(c[i]), OUT_SHIFT));
""",
    "gru": """        const int32_t r = NAME_logistic(SUM0);
        const int32_t z = NAME_logistic(SUM1);
        const int32_t fed = FED2
            + BHN;
        const int32_t n = NAME_tanh(NAME_wide(BELOW2
            + NAME_shifted((int64_t)r * fed, 15)));
        next[i] = NAME_short(NAME_shifted((int64_t)(32768 - z) * UNIT + (int64_t)z * h[i], 15));
""",
}
_GATES = {"lstm": 4, "lstm_1997": 3, "gru": 3}


def cell_text(texts: Texts) -> tuple[str, str]:
    """The functions of a network, and the lines of a step that give `y` of `x`."""
    cell = texts.net.cell
    if cell.firing is not None:
        return _lif(texts)
    return _jordan(texts) if cell.kind == "jordan" else _stacked(texts)


def _activation(texts: Texts, k: int) -> str:
    """The units of layer k, of a sum `v`."""
    net, line = texts.net, texts.net.units[k]
    name, one = net.cell.activation, 1 << line.fraction
    if name == "hard_step":
        return f"v > 0 ? {one} : 0"
    if name == "sign":
        return f"v > 0 ? {one} : v < 0 ? -{one} : 0"
    texts.needs.add("short")
    if name in ("relu", "linear"):
        value = "v > 0 ? v : 0" if name == "relu" else "v"
        return f"NAME_short(NAME_shifted({value}, {WIDE - line.fraction}))"
    texts.needs.add(name)
    return _from_unit(f"NAME_{name}(v)", line)


def _from_unit(value: str, line: Line) -> str:
    lower = UNIT - line.fraction
    return f"NAME_short(NAME_shifted({value}, {lower}))" if lower else f"NAME_short({value})"


def _sum(terms: Iterable[str]) -> str:
    return _BREAK.join(filter(None, terms)) or "0"


def _layer_sums(texts: Texts, k: int, row: str, fed: str = "h") -> tuple[str, str]:
    """Bias and what comes from below; what is fed back."""
    net = texts.net
    back = net.y if net.cell.kind == "jordan" else net.units[k]
    below = _sum([texts.bias(f"bias_l{k}", row), texts.product(f"weight_ih_l{k}", row, net.below(k), "x")])
    return below, texts.product(f"weight_hh_l{k}", row, back, fed)


def _winners(texts: Texts, size: int) -> str:
    texts.needs.add("winners")
    return f"    NAME_winners(sums, {size}, {texts.net.cell.winners});\n"


def _stacked(texts: Texts) -> tuple[str, str]:
    """The layers, and the lines of a step that call them and give `y`."""
    net, cell, text, calls = texts.net, texts.net.cell, "", ""
    n = cell.n_hidden
    kind = "lstm_1997" if cell.kind == "lstm" and not net.has_forget_gate else cell.kind
    for k in range(cell.n_layers):
        own, one = TYPES[net.units[k].n_bytes], 1 << net.units[k].fraction
        if kind == "elman":
            sums = _sum(_layer_sums(texts, k, "i"))
            if cell.winners:
                step, after = (
                    f"        sums[i] = {sums};\n",
                    f"({own})(sums[i] * {one})" if one > 1 else f"({own})sums[i]",
                )
            else:
                step, after = (
                    f"        const int32_t v = {sums};\n        next[i] = {_activation(texts, k)};\n",
                    "next[i]",
                )
        else:
            step, after = _gated(texts, kind, k), "next[i]"
        room = "    int32_t sums[SIZE];\n" if cell.winners else f"    {own} next[SIZE];\n"
        cells = ", int32_t *c" if cell.kind == "lstm" else ""
        text += f"""
static inline void NAME_layer{k}(const {TYPES[net.below(k).n_bytes]} *x, {own} *h{cells})
{{
{room.replace("SIZE", str(n))}    for (int i = 0; i < {n}; i++) {{
{step}    }}
{_winners(texts, n) if cell.winners else ""}    for (int i = 0; i < {n}; i++)
        h[i] = {after};
}}
"""
        below = f"s->h{k - 1}" if k else "x"
        calls += f"    NAME_layer{k}({below}, s->h{k}{f', s->c{k}' if cells else ''});\n"
    return text, calls + _read_out(texts, f"s->h{cell.n_layers - 1}")


def _gated(texts: Texts, kind: str, k: int) -> str:
    net, words = texts.net, dict[str, str]()
    texts.needs |= {"tanh", "logistic", "short", "wide"}
    for gate in range(_GATES[kind]):
        row = f"i + {gate * net.cell.n_hidden}" if gate else "i"
        below, fed = _layer_sums(texts, k, row)
        words |= {f"SUM{gate}": _sum([below, fed]), f"BELOW{gate}": below, f"FED{gate}": fed or "0"}
    step = _STEPS[kind].replace("OUT_SHIFT", str(2 * UNIT - net.units[k].fraction))
    step = step.replace("UNIT", _from_unit("n", net.units[k]))
    if kind == "gru":
        words["BHN"] = texts.bias(f"bias_hn_l{k}", "i")
    for word, value in words.items():
        step = step.replace(word, value)
    return step


def _jordan(texts: Texts) -> tuple[str, str]:
    net, cell = texts.net, texts.net.cell
    n, n_out, own = cell.n_hidden, len(cell.arrays["bias_out"]), TYPES[net.units[0].n_bytes]
    sums, one = _sum(_layer_sums(texts, 0, "i", "s->y")), 1 << net.units[0].fraction
    lines = f"    {own} h[{n}];\n"
    if cell.winners:
        lines += f"    int32_t sums[{n}];\n    for (int i = 0; i < {n}; i++)\n        sums[i] = {sums};\n"
        lines += _winners(texts, n)
        lines += f"    for (int i = 0; i < {n}; i++)\n        h[i] = ({own})(sums[i] * {one});\n"
    else:
        lines += f"    for (int i = 0; i < {n}; i++) {{\n        const int32_t v = {sums};\n"
        lines += f"        h[i] = {_activation(texts, 0)};\n    }}\n"
    texts.needs.add("short")
    lines += _read_out(texts, "h") + f"    for (int o = 0; o < {n_out}; o++)\n"
    return "", lines + f"        s->y[o] = NAME_short(NAME_shifted(y[o], {WIDE - net.y.fraction}));\n"


def _read_out(texts: Texts, units: str) -> str:
    """The lines that give `y`, with the fraction WIDE."""
    net, n_out = texts.net, len(texts.net.cell.arrays["bias_out"])
    terms = [texts.bias("bias_out", "o"), texts.product("weight_out", "o", net.units[-1], units)]
    terms += [texts.product("weight_skip", "o", net.x, "x")] if "weight_skip" in net.arrays else []
    return f"    for (int o = 0; o < {n_out}; o++)\n        y[o] = {_sum(terms)};\n" + _squashed(texts)


def _squashed(texts: Texts) -> str:
    name, n_out = texts.net.cell.output_activation, len(texts.net.cell.arrays["bias_out"])
    if name == "linear":
        return ""
    texts.needs.add(name)
    if name == "softmax":
        return f"    NAME_softmax(y, {n_out});\n"
    return f"    for (int o = 0; o < {n_out}; o++)\n        y[o] = NAME_{name}(y[o]) * 2;\n"


def _lif(texts: Texts) -> tuple[str, str]:
    net, cell, firing = texts.net, texts.net.cell, texts.net.firing
    n_out, text, calls = len(cell.arrays["bias_out"]), "", ""
    texts.needs |= {"wide", "short"}
    for k in range(cell.n_layers):
        sums = _sum(_layer_sums(texts, k, "i"))
        kind = TYPES[net.below(k).n_bytes]
        text += _group(texts, f"l{k}", cell.n_hidden, sums, f"const {kind} *x, int8_t *h, int32_t *v", fires=True)
        waiting = f", s->w{k}" if firing.refractory else ""
        calls += f"        NAME_l{k}({f's->h{k - 1}' if k else 'x'}, s->h{k}, s->v{k}{waiting});\n"
    terms = [texts.bias("bias_out", "i"), texts.product("weight_out", "i", SPIKES, "units")]
    terms += [texts.product("weight_skip", "i", net.x, "x")] if "weight_skip" in net.arrays else []
    arguments = "const int8_t *units" + ", const int16_t *x" * ("weight_skip" in net.arrays)
    given = f"s->h{cell.n_layers - 1}" + ", x" * ("weight_skip" in net.arrays)
    if firing.outputs_fire:
        arguments, given = f"{arguments}, int8_t *h", f"{given}, s->h_out"
    text += _group(texts, "out", n_out, _sum(terms), f"{arguments}, int32_t *v", fires=firing.outputs_fire)
    waiting = ", s->w_out" if firing.outputs_fire and firing.refractory else ""
    calls += f"        NAME_out({given}, s->v_out{waiting});\n"
    each = f"    for (int o = 0; o < {n_out}; o++)\n        "
    if firing.outputs_fire:
        calls += f"    {each}    y[o] += s->h_out[o];\n"
        before, after = f"{each}y[o] = 0;\n", f"{each}y[o] = y[o] * {1 << WIDE} / {firing.substeps};\n"
    else:
        before, after = "", f"{each}y[o] = s->v_out[o];\n{_squashed(texts)}"
    return text, f"{before}    for (int step = 0; step < {firing.substeps}; step++) {{\n{calls}    }}\n{after}"


def _group(texts: Texts, group: str, n: int, sums: str, arguments: str, *, fires: bool) -> str:
    """The function of a layer of units that fire, or of the outputs."""
    firing = texts.net.firing
    waits = fires and firing.refractory > 0
    texts.table("uint16_t", f"rate_{group}", rates(texts.net, group), 2)
    limit = threshold(texts.net)
    still = (
        "        h[i] = 0;\n        if (w[i] > 0) {\n            w[i]--;\n            continue;\n        }\n" * waits
    )
    fire = ""
    if fires:
        lowered = "v[i] = 0;" if firing.to_zero else f"v[i] -= {limit};"
        fire = f"        h[i] = v[i] >= {limit};\n        if (h[i]) {{\n            {lowered}\n"
        fire += f"            w[i] = {firing.refractory};\n" * waits + "        }\n"
    moved = f"NAME_wide(v[i] + NAME_shifted((int64_t)NAME_rate_{group}[i] * ((int64_t)current[i] - v[i]), {WIDE}))"
    return f"""
static inline void NAME_{group}({arguments}{", int16_t *w" * waits})
{{
    int32_t current[{n}];
    for (int i = 0; i < {n}; i++)
        current[i] = {sums};
    for (int i = 0; i < {n}; i++) {{
{still}        v[i] = {moved};
{fire}    }}
}}
"""
