"""A network in whole numbers as a C99 header without floating point: `fixed_point`, bit for bit."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field

from neuroevo.errors import BadInput
from neuroevo.export import c_fixed_functions as functions
from neuroevo.export.base import Sizes
from neuroevo.export.c_tables import ENTRY, WORDS, OnGrid
from neuroevo.export.fixed_arithmetic import POWERS, TANH, UNIT, WIDE, Factor
from neuroevo.export.fixed_point import SPIKES, FixedPoint, Line, Scales, rates, threshold

TYPES = {1: "int8_t", 2: "int16_t", 4: "int32_t"}
_FACTOR_BYTES = 5
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


@dataclass
class Texts:
    """Declarations and functions of a header, as they are asked for.

    Attributes:
        net: The network.
        n_bytes: Of tables and factors so far.
        declared: Tables.
        needs: Functions by name.
    """

    net: FixedPoint
    n_bytes: int = 0
    declared: list[str] = field(default_factory=list)
    needs: set[str] = field(default_factory=set)

    def table(self, kind: str, name: str, numbers: Iterable[int], n_bytes: int, words: str = "") -> None:
        """Declare a table of whole numbers."""
        found = [str(int(number)) for number in numbers]
        self.n_bytes += n_bytes * len(found)
        body = textwrap.fill(", ".join(found), 116, initial_indent="    ", subsequent_indent="    ")
        self.declared.append(f"static const {kind} NAME_{name}[{len(found)}] = {{{words}\n{body}\n}};")

    def codes(self, name: str, grid: OnGrid) -> None:
        """Declare the whole numbers of an array."""
        kind = "int8_t" if grid.bits == 8 else "uint8_t"
        self.table(kind, name, grid.packed().tolist(), 1, f" /* {WORDS[grid.bits]} */")

    def scaled(self, value: str, factor: Factor) -> str:
        """A value of 32 bits times a factor, in 32 bits."""
        self.n_bytes += _FACTOR_BYTES
        return f"(int32_t)NAME_scaled({value}, {factor.multiplier}, {factor.shift})"

    def bias(self, name: str, index: str) -> str:
        """An entry of a vector."""
        bias, entry = self.net.bias(name), f"NAME_{name}[{index}]"
        if not any(f" NAME_{name}[" in text for text in self.declared):
            if bias.grid is None:
                self.table("int32_t", name, bias.values.ravel(), 4)
            else:
                self.codes(name, bias.grid)
                self.n_bytes += _FACTOR_BYTES
        if bias.grid is None:
            return entry
        if bias.grid.bits < 8:
            self.needs.add(f"at{bias.grid.bits}")
            entry = f"NAME_at{bias.grid.bits}(NAME_{name}, {index})"
        return f"(int32_t)NAME_scaled({entry}, {bias.factor.multiplier}, {bias.factor.shift})"

    def product(self, name: str, row: str, line: Line, vector: str) -> str:
        """The sum of a row times a vector, with the fraction WIDE; "" where all weights are 0."""
        product = self.net.product(name, line)
        if product.grid is None:
            return ""
        grid, n = product.grid, product.grid.codes.shape[1]
        if not any(f" NAME_{name}[" in text for text in self.declared):
            self.codes(name, grid)
            self.n_bytes += _FACTOR_BYTES
        reader = f"sum{grid.bits}x{8 * line.n_bytes}"
        self.needs |= {reader} | ({f"at{grid.bits}"} if grid.bits < 8 else set())
        first = f"({row}) * {n}" if "+" in row else f"{row} * {n}"
        sums = f"NAME_{reader}(NAME_{name}, {first}, {vector}, {n})"
        return f"(int32_t)NAME_scaled({sums}, {product.factor.multiplier}, {product.factor.shift})"

    def text(self) -> str:
        """Tables, and the functions that were asked for."""
        body = functions.text(self.needs, ENTRY)
        if "NAME_tanhs[" in body:
            self.table("uint16_t", "tanhs", TANH, 2)
        if "NAME_powers[" in body:
            self.table("uint16_t", "powers", POWERS, 2)
        return "\n".join(self.declared) + body


def header_text(net: FixedPoint) -> tuple[str, Sizes]:
    """What follows the includes of a header, names beginning with NAME, and what it takes on a device."""
    texts, cell = Texts(net), net.cell
    fields, reset = _state(texts)
    _columns(texts, net.inputs, "input")
    _columns(texts, net.outputs, "output")
    if cell.firing is not None:
        body, network = _lif(texts)
    elif cell.kind == "jordan":
        body, network = _jordan(texts)
    else:
        body, network = _stacked(texts)
    n_in, n_out = len(net.inputs.bits), len(net.outputs.bits)
    main = f"""
typedef struct {{
{"".join(f"    {TYPES[size]} {name}[{n}];{chr(10)}" for name, size, n in fields)}}} NAME_state;
{body}
static inline void NAME_reset(NAME_state *s)
{{
{reset}}}

static inline void NAME_step(NAME_state *s, const int32_t inputs[{n_in}], int32_t outputs[{n_out}])
{{
    int16_t x[{n_in}];
    int32_t y[{n_out}];
    for (int i = 0; i < {n_in}; i++)
        x[i] = {_input(texts)};
{network}    for (int o = 0; o < {n_out}; o++)
        outputs[o] = {_output(texts)};
}}
"""
    declared = texts.text()
    largest = max((size for _, size, _ in fields), default=1)
    state = sum(size * n for _, size, n in fields)
    state += -state % largest
    sizes = Sizes(texts.n_bytes, state, 2 * n_in + 4 * n_out + _work(net))
    bits = f"#define NAME_INPUT_BITS {{{', '.join(map(str, net.inputs.bits))}}}\n"
    bits += f"#define NAME_OUTPUT_BITS {{{', '.join(map(str, net.outputs.bits))}}}\n"
    return re.sub("\n{3,}", "\n\n", f"{bits}\n{declared}\n{main}"), sizes


def _state(texts: Texts) -> tuple[list[tuple[str, int, int]], str]:
    """The fields of the state, the largest numbers first, and the lines that set them before the first step."""
    net, fields = texts.net, []
    first = net.start()
    for k in range(len(net.cell.start)):
        for name, _, n_bytes in net.kept(k):
            if name in first and not _is_idle(net, name):
                fields.append((name, n_bytes, len(first[name])))
    fields.sort(key=lambda each: -each[1])
    lines = ""
    for name, n_bytes, n in fields:
        value = "0"
        if first[name].any():
            texts.table(TYPES[n_bytes], f"start_{name}", first[name], n_bytes)
            value = f"NAME_start_{name}[i]"
        lines += f"    for (int i = 0; i < {n}; i++)\n        s->{name}[i] = {value};\n"
    return fields, lines


def _is_idle(net: FixedPoint, name: str) -> bool:
    """Whether a vector of a lif is never read."""
    firing = net.cell.firing
    return firing is not None and (
        (name.startswith("w") and not firing.refractory) or (name in ("h_out", "w_out") and not firing.outputs_fire)
    )


def _columns(texts: Texts, scales: Scales, side: str) -> None:
    if scales.factors:
        texts.table("int32_t", f"{side}_offset", scales.offsets, 4)
        texts.table("int32_t", f"{side}_multiplier", [factor.multiplier for factor in scales.factors], 4)
        texts.table("int8_t", f"{side}_shift", [factor.shift for factor in scales.factors], 1)


def _input(texts: Texts) -> str:
    texts.needs |= {"short", "wide", "scaled"}
    if not texts.net.inputs.factors:
        return "NAME_short(inputs[i])"
    return """NAME_short(NAME_scaled(NAME_wide((int64_t)inputs[i] - NAME_input_offset[i]),
            NAME_input_multiplier[i], NAME_input_shift[i]))"""


def _output(texts: Texts) -> str:
    if not texts.net.outputs.factors:
        return "y[o]"
    return """NAME_wide(NAME_scaled(y[o], NAME_output_multiplier[o], NAME_output_shift[o])
            + NAME_output_offset[o])"""


def _work(net: FixedPoint) -> int:
    """Bytes of the largest array of a step beside inputs and outputs."""
    cell = net.cell
    if cell.firing is not None:
        return 4 * max(cell.n_hidden, len(cell.arrays["bias_out"]))
    return cell.n_hidden * (4 if cell.winners else max(line.n_bytes for line in net.units)) + (
        cell.n_hidden * net.units[0].n_bytes if cell.winners and cell.kind == "jordan" else 0
    )


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
    net, cell, firing = texts.net, texts.net.cell, texts.net.cell.firing
    if firing is None:
        raise BadInput("no network of units that fire")
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
    firing = texts.net.cell.firing
    waits = fires and firing is not None and firing.refractory > 0
    texts.table("uint16_t", f"rate_{group}", rates(texts.net, group), 2)
    limit = threshold(texts.net)
    still = (
        "        h[i] = 0;\n        if (w[i] > 0) {\n            w[i]--;\n            continue;\n        }\n" * waits
    )
    fire = ""
    if fires and firing is not None:
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
