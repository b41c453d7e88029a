"""A network in whole numbers as a C99 header without floating point: `fixed_point`, bit for bit."""

from __future__ import annotations

import re

from neuroevo.export.base import Sizes
from neuroevo.export.c.fixed_cells import cell_text
from neuroevo.export.c.fixed_tables import TYPES, Texts
from neuroevo.export.fixed_point import FixedPoint
from neuroevo.export.fixed_point.parts import Scales


def header_text(net: FixedPoint) -> tuple[str, Sizes]:
    """What follows the includes of a header, names beginning with NAME, and what it takes on a device."""
    texts = Texts(net)
    fields, reset = _state(texts)
    _columns(texts, net.inputs, "input")
    _columns(texts, net.outputs, "output")
    body, network = cell_text(texts)
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
