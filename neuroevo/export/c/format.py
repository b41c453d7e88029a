"""c: one C99 header that needs the standard library alone, for microcontrollers and whatever else has a C compiler."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from neuroevo.errors import BadInput
from neuroevo.export.base import Format, Sizes, columns, description
from neuroevo.export.c.cells import cell_text, worded
from neuroevo.export.c.compiler import bits_of, compiler, identifier, replaced, run
from neuroevo.export.c.fixed import header_text
from neuroevo.export.c.preparation import prepared_text
from neuroevo.export.c.tables import REAL, Tables
from neuroevo.export.fixed_point import FixedPoint
from neuroevo.export.fixed_point.arithmetic import LARGEST
from neuroevo.export.plan import Examples, Part, Plan, Values

_HEAD = """/* DESCRIPTION

   A C99 header that needs the standard library alone:

       #include "FILE"

       MODEL_state state;
       MODEL_reset(&state);                  // before the first step
       MODEL_step(&state, inputs, outputs);  // one step: REAL inputs[N_IN], outputs[N_OUT], original units

   A state is a value: copy it to keep it, and give each sequence its own.
   Inputs: INPUTS. Outputs: OUTPUTS.
CLASSESSIZES */
"""
_FIXED_HEAD = """/* DESCRIPTION

   A C99 header without floating point that needs nothing but <stdint.h>:

       #include "FILE"

       MODEL_state state;
       MODEL_reset(&state);                  // before the first step
       MODEL_step(&state, inputs, outputs);  // one step: int32_t inputs[N_IN], outputs[N_OUT]

   Numbers are values in original units times a power of two, rounded: input i is value * 2**BITS with BITS from
   MODEL_INPUT_BITS (N_IN: IN_BITS), output o divided by 2**BITS from MODEL_OUTPUT_BITS (OUT_BITS) is the value.
   A state is a value: copy it to keep it, and give each sequence its own.
   Inputs: INPUTS. Outputs: OUTPUTS.
   Outputs lie within DISTANCE of the network in floating point, as a share of the largest (N_EXAMPLES steps tried).
CLASSESSIZES */
"""
_MEMBER = """{declarations}

typedef struct {{
{fields}}} {name}_memory;
{functions}
static inline void {name}_restart({name}_memory *s)
{{
{start}}}
"""
_MAIN = """
typedef struct {
FIELDS} MODEL_state;
PREPARED
static inline void MODEL_reset(MODEL_state *s)
{
RESET}

static inline void MODEL_step(MODEL_state *s, const REAL inputs[N_IN], REAL outputs[N_OUT])
{
BODY}
"""
_REMEMBER = """    for (int lag = MEMORY; lag > 0; lag--)
        for (int i = 0; i < N_IN; i++)
            s->rows[lag][i] = s->age < 0 ? inputs[i] : s->rows[lag - 1][i];
    for (int i = 0; i < N_IN; i++)
        s->rows[0][i] = inputs[i];
    if (s->age < 1000000000)
        s->age++;
"""
_COMBINE = """    for (int o = 0; o < N_OUT; o++) {
        REAL weights[N] = {WEIGHTS}, values[N], sum = 0, total = 0;
        int n = 0;
        for (int m = 0; m < N; m++) {
            if (!isfinite(said[m][o]))
                continue;
            sum += weights[m] * said[m][o];
            total += weights[m];
            int at = n++;
            for (; at > 0 && values[at - 1] > said[m][o]; at--)
                values[at] = values[at - 1];
            values[at] = said[m][o];
        }
        outputs[o] = COMBINED;
    }
"""


class CFormat(Format):
    """A C99 header with packed weights and a step function, for microcontrollers."""

    suffix: ClassVar[str] = ".h"
    precisions: ClassVar[tuple[str, ...]] = ("single", "double", "fixed")
    checked_by: ClassVar[str] = "a C compiler"

    @classmethod
    def can_be_tried(cls) -> bool:
        """As in `Format`: where there is a compiler."""
        return compiler() is not None

    def files(self, plan: Plan, file: Path, precision: str) -> dict[Path, bytes]:
        """As in `Format`."""
        make = fixed_header if precision == "fixed" else header
        return {file: make(plan, file.name, precision).text.encode()}

    def sizes(self, plan: Plan, precision: str) -> Sizes | None:
        """As in `Format`."""
        if precision == "fixed":
            return header_text(FixedPoint(plan))[1]
        return header(plan, f"model{self.suffix}", precision).sizes

    def own_difference(self, plan: Plan, file: Path, precision: str) -> float | None:
        """As in `Format`: of a header without floating point."""
        if precision != "fixed":
            return None
        network, examples = FixedPoint(plan), _examples(plan)
        whole = network.inputs.to_whole(examples.inputs)
        if not np.array_equal(run(file, whole, "int32_t"), network.run(whole)):
            raise BadInput("the compiled header says something else than its definition: please report this")
        return network.distance(examples)

    def outputs(self, file: Path, pieces: Sequence[Values], precision: str) -> Values:
        """As in `Format`."""
        inputs = np.concatenate(pieces, axis=1)
        if precision != "fixed":
            return run(file, inputs, REAL[precision])
        bits = [2.0 ** np.array(bits_of(file.read_text(), side)) for side in ("INPUT", "OUTPUT")]
        whole = np.clip(np.rint(inputs * bits[0]), -LARGEST, LARGEST)
        return run(file, whole, "int32_t") / bits[1]


@dataclass(frozen=True)
class Header:
    """A header, and what it takes on a device."""

    text: str
    sizes: Sizes


def header(plan: Plan, file: str, precision: str) -> Header:
    """The header of a plan.

    Raises:
        BadInput: A number is too large for single precision.
    """
    name, is_prepared = identifier(file), any(part.preparation is not None for part in plan.members)
    size = 4 if precision == "single" else 8
    members, cells, prepared, n_flash = "", [], "", 0
    for number, part in enumerate(plan.members):
        tables = Tables("MODEL" if len(plan.members) == 1 else f"MODEL_m{number}", precision)
        cell = cell_text(part.cell, tables)
        before = prepared_text(part, tables, plan.n_inputs, plan.n_outputs) if is_prepared else ""
        _declare_scaling(part, tables)
        members += _MEMBER.format(
            declarations=tables.text(), fields=cell.fields, name=tables.name, functions=cell.functions, start=cell.start
        ).replace("NAME", tables.name)
        prepared += before
        cells.append(cell)
        n_flash += tables.n_bytes
    n_state = size * (sum(cell.n_state for cell in cells) + (plan.memory + 1) * plan.n_inputs * is_prepared)
    n_state += size * is_prepared  # the age, which is filled up to the alignment of numbers
    n_work = (
        max(cell.n_work for cell in cells)
        + plan.n_inputs
        + plan.n_outputs * (is_prepared + (len(cells) if len(cells) > 1 else 0))
    )
    sizes = Sizes(n_flash + size * len(plan.weights), n_state, size * n_work)
    words = {"MODEL": name, "REAL": REAL[precision], "N_IN": str(plan.n_inputs), "N_OUT": str(plan.n_outputs)}
    body = replaced(members + _main(plan, precision, prepared, is_prepared), words)
    guard = f"{name.upper()}_H"
    text = f"""{_head(plan, file, sizes, words)}
#ifndef {guard}
#define {guard}

#include <math.h>
#include <stdint.h>

{re.sub(chr(10) + "{3,}", chr(10) * 2, body)}
#endif
"""
    return Header(text, sizes)


def fixed_header(plan: Plan, file: str, precision: str = "fixed") -> Header:  # noqa: ARG001 - as `header`
    """The header of a plan of one network without floating point, as `fixed_point.FixedPoint` computes it.

    Raises:
        BadInput: The plan holds something that is not known without floating point.
    """
    network, examples, name = FixedPoint(plan), _examples(plan), identifier(file)
    body, sizes = header_text(network)
    words = {
        "MODEL": name,
        "REAL": "int32_t",
        "N_IN": str(plan.n_inputs),
        "N_OUT": str(plan.n_outputs),
        "IN_BITS": ", ".join(map(str, network.inputs.bits)),
        "OUT_BITS": ", ".join(map(str, network.outputs.bits)),
        "DISTANCE": f"{network.distance(examples):.1e}",
        "N_EXAMPLES": str(examples.inputs.shape[0] * examples.inputs.shape[1]),
    }
    guard = f"{name.upper()}_H"
    text = f"""{_head(plan, file, sizes, words, _FIXED_HEAD)}
#ifndef {guard}
#define {guard}

#include <stdint.h>

{body.replace("NAME", name)}
#endif
"""
    return Header(text, sizes)


def _examples(plan: Plan) -> Examples:
    if plan.examples is None:
        raise BadInput("fixed-point numbers take their ranges from examples, and there are none")
    return plan.examples


def _head(plan: Plan, file: str, sizes: Sizes, words: dict[str, str], head: str = _HEAD) -> str:
    told = (
        f"   {sizes.flash} bytes of flash for weights and constants, {sizes.state} of RAM for a state, {sizes.work} "
        "for arrays at work."
    )
    text = replaced(head, words)
    free = {
        "FILE": file,
        "INPUTS": columns(plan.input_names, plan.n_inputs),
        "OUTPUTS": columns(plan.target_names, plan.n_outputs),
        "DESCRIPTION": description(plan),
        "CLASSES": "   The largest output is the class.\n" if plan.by_class else "",
        "SIZES": told,
    }
    return replaced(text, {word: value.replace("*/", "* /").replace("/*", "/ *") for word, value in free.items()})


def _declare_scaling(part: Part, tables: Tables) -> None:
    for side in ("input", "target"):
        if _is_scaled(part, side):
            tables.numbers(f"{side}_offset", getattr(part.scaling, f"{side}_offset"))
            tables.numbers(f"{side}_factor", getattr(part.scaling, f"{side}_factor"))


def _is_scaled(part: Part, side: str) -> bool:
    offset, factor = getattr(part.scaling, f"{side}_offset"), getattr(part.scaling, f"{side}_factor")
    return bool(offset.any() or (factor != 1).any())


def _main(plan: Plan, precision: str, prepared: str, is_prepared: bool) -> str:
    """The state of a model, and its functions `reset` and `step`."""
    names = ["MODEL"] if len(plan.members) == 1 else [f"MODEL_m{number}" for number in range(len(plan.members))]
    fields = "".join(f"    {name}_memory m{number};\n" for number, name in enumerate(names))
    reset = "".join(f"    {name}_restart(&s->m{number});\n" for number, name in enumerate(names))
    body = f"    REAL x[N_IN]{', references[N_OUT]' if is_prepared else ''};\n"
    if len(names) > 1:
        body += f"    REAL said[{len(names)}][N_OUT];\n"
    if is_prepared:
        fields += f"    REAL rows[{plan.memory + 1}][N_IN];\n    int32_t age;\n"
        reset += "    s->age = -1;\n"
        reset += f"    for (int i = 0; i < {plan.memory + 1} * N_IN; i++)\n        s->rows[i / N_IN][i % N_IN] = 0;\n"
        body += _REMEMBER.replace("MEMORY", str(plan.memory))
    for number, (name, part) in enumerate(zip(names, plan.members, strict=True)):
        said = f"said[{number}]" if len(names) > 1 else "outputs"
        body += _member_step(part, name, number, said, is_prepared)
    if len(names) > 1:
        body += _combined(plan, precision)
    words = {"FIELDS": fields, "PREPARED": prepared, "RESET": reset, "BODY": body}
    return worded(replaced(_MAIN, words), Tables("MODEL", precision), {})


def _member_step(part: Part, name: str, number: int, said: str, is_prepared: bool) -> str:
    text, given = (f"    {name}_prepared(s, x, references);\n", "x[i]") if is_prepared else ("", "inputs[i]")
    if _is_scaled(part, "input"):
        given = f"({given} - {name}_input_offset[i]) / {name}_input_factor[i]"
    if given != "x[i]":
        text += f"    for (int i = 0; i < N_IN; i++)\n        x[i] = {given};\n"
    text += f"    {name}_network(&s->m{number}, x, {said});\n"
    value = f"{said}[o]"
    if _is_scaled(part, "target"):
        value += f" * {name}_target_factor[o] + {name}_target_offset[o]"
    value += " + references[o]" * is_prepared
    if part.preparation is not None and "log" in part.preparation.transform:
        value = f"EXP({value})"
    return (
        text if value == f"{said}[o]" else f"{text}    for (int o = 0; o < N_OUT; o++)\n        {said}[o] = {value};\n"
    )


def _combined(plan: Plan, precision: str) -> str:
    n, tables = len(plan.members), Tables("MODEL", precision)
    middle = "n ? (values[n / 2] + values[(n - 1) / 2]) / 2 : NAN"
    return replaced(
        _COMBINE,
        {
            "WEIGHTS": ", ".join(tables.literal(weight) for weight in plan.weights or (1.0,) * n),
            "COMBINED": middle if plan.combine == "median" else "sum / total",
            "[N]": f"[{n}]",
            "m < N;": f"m < {n};",
        },
    )
