"""Networks in C: the state, what it is at first, and one step."""

from __future__ import annotations

from dataclasses import dataclass

from neuroevo.errors import BadInput
from neuroevo.export.c import lif as c_lif
from neuroevo.export.c.tables import REAL_BYTES, Tables, stored
from neuroevo.export.plan import Cell, Values
from neuroevo.networks.lstm import without_forget_gate

_ACTIVATIONS = {
    "tanh": "TANH(v)", "logistic": "NAME_logistic(v)", "softsign": "v / (1 + FABS(v))", "relu": "v > 0 ? v : 0",
    "linear": "v", "sine": "SIN(v)", "hard_step": "v > 0 ? 1 : 0",
    "sign": "v > 0 ? 1 : v < 0 ? -1 : 0", "k_winners": "v",
}  # fmt: skip
_LOGISTIC = """
static inline REAL NAME_logistic(REAL v)
{
    return HALF + HALF * TANH(HALF * v);
}
"""
_WINNERS = """
static inline void NAME_winners(REAL *v)
{
    REAL last = INFINITY;
    for (int i = 0; i < N_UNITS; i++) {
        int larger = 0;
        for (int j = 0; j < N_UNITS; j++)
            larger += v[j] > v[i];
        last = larger < N_WINNERS && v[i] < last ? v[i] : last;
    }
    for (int i = 0; i < N_UNITS; i++)
        v[i] = v[i] >= last ? 1 : v[i] < last ? 0 : v[i];
}
"""
_SOFTMAX = """    REAL largest = y[0], sum = 0;
    for (int o = 1; o < N_OUT; o++)
        largest = y[o] > largest ? y[o] : largest;
    for (int o = 0; o < N_OUT; o++)
        sum += y[o] = EXP(y[o] - largest);
    for (int o = 0; o < N_OUT; o++)
        y[o] /= sum;
"""
_STEPS = {
    "elman": """        const REAL v = SUM0;
        next[i] = UNITS;
""",
    "ctrnn": """        const REAL v = SUM0;
        next[i] = h[i] + RATE * ((UNITS) - h[i]);
""",
    "lstm": """        const REAL in = NAME_logistic(SUM0);
        const REAL kept = NAME_logistic(SUM1);
        const REAL candidate = TANH(SUM2);
        const REAL out = NAME_logistic(SUM3);
        c[i] = kept * c[i] + in * candidate;
        next[i] = out * TANH(c[i]);
""",
    "lstm_1997": """        const REAL in = NAME_logistic(SUM0);
        const REAL candidate = TANH(SUM1);
        const REAL out = NAME_logistic(SUM2);
        c[i] += in * candidate;
        next[i] = out * TANH(c[i]);
""",
    "gru": """        const REAL r = NAME_logistic(SUM0);
        const REAL z = NAME_logistic(SUM1);
        const REAL fed = FED2 + BHN;
        const REAL n = TANH(BELOW2 + r * fed);
        next[i] = (1 - z) * n + z * h[i];
""",
}
_GATES = {"elman": 1, "ctrnn": 1, "jordan": 1, "lstm": 4, "lstm_1997": 3, "gru": 3}
_BREAK = "\n            + "


@dataclass(frozen=True)
class CellText:
    """A cell in C.

    Attributes:
        fields: The lines of its state's struct.
        start: The lines that set the state `s` before the first step.
        functions: Its functions; the last is ``NAME_network(state, x, y)``, in scaled units.
        n_state: Numbers in the state.
        n_work: Numbers in the largest arrays of a step.
    """

    fields: str
    start: str
    functions: str
    n_state: int
    n_work: int


def cell_text(cell: Cell, tables: Tables) -> CellText:
    """A cell in C, its tables declared.

    Raises:
        BadInput: A number is too large for single precision.
    """
    kind, arrays = _own(cell)
    for array, values in arrays.items():
        tables.weights(array, values)
    vectors = _vectors(cell)
    fields = "".join(f"    {tables.real} {field}[{len(values)}];\n" for field, values in vectors.items())
    start = "".join(_start(tables, field, values) for field, values in vectors.items())
    if cell.firing is not None:
        softmax = _SOFTMAX.replace("N_OUT", str(len(arrays["bias_out"]))) if cell.output_activation == "softmax" else ""
        activation = _ACTIVATIONS.get(cell.output_activation, "v")
        functions = c_lif.functions(cell, cell.firing, tables, activation, softmax)
    else:
        functions = _jordan(cell, tables, arrays) if kind == "jordan" else _stacked(cell, kind, tables, arrays)
    uses_logistic = kind in ("lstm", "lstm_1997", "gru") or "logistic" in (cell.activation, cell.output_activation)
    winners = _WINNERS.replace("N_UNITS", str(cell.n_hidden)).replace("N_WINNERS", str(cell.winners))
    text = (_LOGISTIC if uses_logistic else "") + (winners if cell.winners else "") + functions
    n_state = sum(map(len, vectors.values()))
    return CellText(
        fields,
        start,
        worded(text, tables, {}),
        n_state,
        max(cell.n_hidden, len(arrays["bias_out"]) * (cell.firing is not None)),
    )


def cell_bytes(cell: Cell) -> int:
    """Bytes of flash of a cell's tables in single precision, as `cell_text` declares them."""
    starts = [values for values in _vectors(cell).values() if values.any()]
    return sum(stored(values, REAL_BYTES["single"]).n_bytes for values in (*_own(cell)[1].values(), *starts))


def worded(text: str, tables: Tables, words: dict[str, str]) -> str:
    """A template with its words replaced, among them those that follow from the precision."""
    single = "f" if tables.precision == "single" else ""
    known = {name.upper(): f"{name}{single}" for name in ("tanh", "sin", "exp", "log", "fabs")}
    for word, replacement in {**words, **known, "HALF": tables.literal(0.5), "REAL": tables.real}.items():
        text = text.replace(word, replacement)
    return text.replace("NAME", tables.name)


def _own(cell: Cell) -> tuple[str, dict[str, Values]]:
    """The kind of step, and the arrays, of an LSTM without a forget gate only those that it has."""
    if cell.kind == "lstm":
        try:
            return "lstm_1997", without_forget_gate(cell.arrays)
        except BadInput:
            return "lstm", cell.arrays
    return cell.kind, cell.arrays


def _vectors(cell: Cell) -> dict[str, Values]:
    """The fields of the state and what they are at first."""
    if cell.firing is not None:
        return c_lif.vectors(cell, cell.firing)
    if cell.kind == "jordan":
        return {"y": cell.start[0][0]}
    return {
        f"{name}{k}": values for k, layer in enumerate(cell.start) for name, values in zip("hc", layer, strict=False)
    }


def _start(tables: Tables, field: str, values: Values) -> str:
    if values.any():
        tables.weights(f"start_{field}", values)
    value = tables.entry(f"start_{field}", "i") if values.any() else "0"
    return f"    for (int i = 0; i < {len(values)}; i++)\n        s->{field}[i] = {value};\n"


def _stacked(cell: Cell, kind: str, tables: Tables, arrays: dict[str, Values]) -> str:
    h, text, calls = cell.n_hidden, "", ""
    memory = ", REAL *c" if kind.startswith("lstm") else ""
    compete, moved = ("    NAME_winners(next);\n", "elman") if cell.winners else ("", kind)
    for k in range(cell.n_layers):
        body = _sums(_STEPS[moved], moved, k, tables, arrays).replace("UNITS", _ACTIVATIONS.get(cell.activation, ""))
        after = "h[i] + RATE * (next[i] - h[i])" if cell.winners and kind == "ctrnn" else "next[i]"
        after = after.replace("RATE", tables.entry(f"rate_l{k}", "i")) if "RATE" in after else after
        text += f"""
static inline void NAME_layer{k}(const REAL *x, REAL *h{memory})
{{
    REAL next[{h}];
    for (int i = 0; i < {h}; i++) {{
{body}    }}
{compete}    for (int i = 0; i < {h}; i++)
        h[i] = {after};
}}
"""
        below = f"s->h{k - 1}" if k else "x"
        calls += f"    NAME_layer{k}({below}, s->h{k}{f', s->c{k}' if memory else ''});\n"
    top = f"s->h{cell.n_layers - 1}"
    return f"""{text}
static inline void NAME_network(NAME_memory *s, const REAL *x, REAL *y)
{{
{calls}{_read_out(cell, tables, arrays, top)}}}
"""


def _jordan(cell: Cell, tables: Tables, arrays: dict[str, Values]) -> str:
    body = _sums("        const REAL v = SUM0;\n        h[i] = UNITS;\n", "jordan", 0, tables, arrays, "s->y")
    n_outputs = len(arrays["bias_out"])
    compete = "    NAME_winners(h);\n" if cell.winners else ""
    return f"""
static inline void NAME_network(NAME_memory *s, const REAL *x, REAL *y)
{{
    REAL h[{cell.n_hidden}];
    for (int i = 0; i < {cell.n_hidden}; i++) {{
{body.replace("UNITS", _ACTIVATIONS[cell.activation])}    }}
{compete}{_read_out(cell, tables, arrays, "h")}\
    for (int o = 0; o < {n_outputs}; o++)
        s->y[o] = y[o];
}}
"""


def _sums(step: str, kind: str, k: int, tables: Tables, arrays: dict[str, Values], fed: str = "h") -> str:
    """The step of a unit with its sums written out: gate g of unit i has the row i + g n_hidden."""
    (rows, n_below), n_fed = arrays[f"weight_ih_l{k}"].shape, arrays[f"weight_hh_l{k}"].shape[1]
    words: dict[str, str] = {}
    for gate in range(_GATES[kind]):
        row = f"i + {gate * (rows // _GATES[kind])}" if gate else "i"
        bias, below = tables.entry(f"bias_l{k}", row), tables.product(f"weight_ih_l{k}", row, n_below, "x")
        recurrent = tables.product(f"weight_hh_l{k}", row, n_fed, fed)
        words |= {f"SUM{gate}": _BREAK.join([bias, below, recurrent]), f"FED{gate}": recurrent}
        words[f"BELOW{gate}"] = _BREAK.join([bias, below])
    if kind == "gru":
        words["BHN"] = tables.entry(f"bias_hn_l{k}", "i")
    if kind == "ctrnn":
        words["RATE"] = tables.entry(f"rate_l{k}", "i")
    for word, text in words.items():
        step = step.replace(word, text)
    return step


def _read_out(cell: Cell, tables: Tables, arrays: dict[str, Values], units: str) -> str:
    n_outputs, n_hidden = arrays["weight_out"].shape
    terms = [tables.entry("bias_out", "o"), tables.product("weight_out", "o", n_hidden, units)]
    if "weight_skip" in arrays:
        terms.append(tables.product("weight_skip", "o", arrays["weight_skip"].shape[1], "x"))
    value = _BREAK.join(terms)
    if cell.output_activation == "softmax":
        body = f"        y[o] = {value};\n"
    else:
        body = f"        const REAL v = {value};\n        y[o] = {_ACTIVATIONS[cell.output_activation]};\n"
    text = f"    for (int o = 0; o < {n_outputs}; o++) {{\n{body}    }}\n"
    return text + (_SOFTMAX.replace("N_OUT", str(n_outputs)) if cell.output_activation == "softmax" else "")
