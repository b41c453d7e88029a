"""numpy: an .npz and the few lines of Python that read it, of which only those are written that the model needs."""

from __future__ import annotations

import io
import re
import runpy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from neuroevo.export.arrays import part_arrays, starts
from neuroevo.export.base import Format, columns, description, refuse_kinds
from neuroevo.export.plan import Cell, Plan, Values, combined_code

_ACTIVATIONS = {
    "tanh": "np.tanh({})", "logistic": "logistic({})", "softsign": "softsign({})", "relu": "np.maximum({}, 0)",
    "linear": "{}", "sine": "np.sin({})", "hard_step": "np.heaviside({}, 0)", "sign": "np.sign({})",
    "k_winners": "k_winners({}, WINNERS)",
    "softmax": "softmax({})",
}  # fmt: skip

_FUNCTIONS = {
    "logistic": """
def logistic(x):
    return 0.5 + 0.5 * np.tanh(0.5 * x)
""",
    "softsign": """
def softsign(x):
    return x / (1 + np.abs(x))
""",
    "k_winners": """
def k_winners(x, k):
    larger = (x[..., None, :] > x[..., :, None]).sum(axis=-1)
    return np.where(np.isnan(x), x, np.where(larger < k, 1.0, 0.0))
""",
    "softmax": """
def softmax(x):
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
""",
}

_SUM = 'x @ w[f"weight_ih_l{k}"].T + h @ w[f"weight_hh_l{k}"].T + w[f"bias_l{k}"]'
_LAYERS = {
    "elman": f"""    for k, (h,) in enumerate(state):
        v = {_SUM}
        after.append((UNITS,))""",
    "ctrnn": f"""    for k, (h,) in enumerate(state):
        v = {_SUM}
        after.append((h + w[f"rate_l{{k}}"] * (UNITS - h),))""",
    "lstm": f"""    for k, (h, c) in enumerate(state):
        i, f, g, o = np.split({_SUM}, 4, axis=-1)
        c = logistic(f) * c + logistic(i) * np.tanh(g)
        after.append((logistic(o) * np.tanh(c), c))""",
    "gru": """    for k, (h,) in enumerate(state):
        a_r, a_z, a_n = np.split(x @ w[f"weight_ih_l{k}"].T + w[f"bias_l{k}"], 3, axis=-1)
        b_r, b_z, b_n = np.split(h @ w[f"weight_hh_l{k}"].T, 3, axis=-1)
        r, z = logistic(a_r + b_r), logistic(a_z + b_z)
        after.append(((1 - z) * np.tanh(a_n + r * (b_n + w[f"bias_hn_l{k}"])) + z * h,))""",
}
_STACKED = """
def NAME(w, inputs, state):
    x, after = inputs, []
LAYERS
        x = after[-1][0]
    y = x @ w["weight_out"].T + w["bias_out"]SKIP
    return OUTPUTS, after
"""
_JORDAN = """
def NAME(w, inputs, state):
    v = inputs @ w["weight_ih_l0"].T + state[0][0] @ w["weight_hh_l0"].T + w["bias_l0"]
    y = UNITS @ w["weight_out"].T + w["bias_out"]SKIP
    y = OUTPUTS
    return y, [(y,)]
"""

_PREPARED = {
    "": '''
def prepared(w, rows, age):
    """Inputs of the network, and what is taken off its targets, at the steps after the first MEMORY rows."""

    def at(values, lag):
        return values[..., MEMORY - lag : values.shape[-2] - lag, :]

''',
    "log": """    rows = np.where(w["log"], np.log(np.where(w["log"] & (rows > 0), rows, 1)), rows)
""",
    "differences": """    levels = rows
    for lag in w["differences"]:
        earlier = np.concatenate([rows[..., :lag, :], rows[..., :-lag, :]], axis=-2)
        rows = np.where(w["copies"], np.where(age[:, None] >= lag, rows - earlier, 0), rows)
""",
    "last": """    references = w["intercept"] + w["takes_last"] * at(LEVELS, 0)[..., w["tied"]]
""",
    "season": """    last, now, back = at(LEVELS, 0)[..., w["tied"]], age[MEMORY:, None], int(w["seasons_back"])
    ahead = np.where(now >= back - w["horizon"], at(LEVELS, back - w["horizon"])[..., w["tied"]], last)
    both = np.where(now >= back, last + ahead - at(LEVELS, back)[..., w["tied"]], last)
    references = w["intercept"] + (both if w["takes_last"] else ahead if back else 0)
""",
    "neither": """    references = w["intercept"]
""",
    "linear": """    names = "columns lags low high offset factor weights".split()
    for column, lag, low, high, offset, factor, weights in zip(*(w["linear_" + name] for name in names)):
        x = (np.clip(at(rows, lag)[..., column], low, high) - offset) / factor
        references = references + x[..., None] * weights
""",
    "end": """    return at(rows, 0), references
""",
}
_HEAD = '''
class Model:
    """Its `state` can be kept and put back at any time: STATE."""

    def __init__(self, file=Path(__file__).with_suffix(".npz")):
LOAD        self.reset()

    def reset(self):
        """Go back to the state before the first step."""
        self.state = START

'''
_STEP = '''    def step(self, inputs):
        """Outputs (n_outputs,) of the inputs (n_inputs,) of one step; sequences side by side have a leading axis."""
'''
_PREDICT = '''
    def predict(self, inputs):
        """Outputs (n_steps, n_outputs) of inputs (n_steps, n_inputs), from the present state on."""
'''
_ONE = f"""{_STEP}        x = (np.asarray(inputs) - self.w["input_offset"]) / self.w["input_factor"]
        y, self.state = network(self.w, x, self.state)
        return y * self.w["target_factor"] + self.w["target_offset"]
{_PREDICT}        return np.stack([self.step(row) for row in np.moveaxis(np.asarray(inputs), -2, 0)], axis=-2)
"""
_MANY = f"""{_STEP}        return self.predict(np.asarray(inputs)[..., None, :])[..., 0, :]
{_PREDICT}        inputs = np.asarray(inputs, dtype=float)
        STATES = self.state
REMEMBER        said, after = [], []
        for w, network, state in zip(self.members, NETWORKS, states):
            PREPARED
            outputs = []
            for step in range(x.shape[-2]):
                output, state = network(w, x[..., step, :], state)
                outputs.append(output)
            y = np.stack(outputs, axis=-2) * w["target_factor"] + w["target_offset"]
            said.append(RESTORED)
            after.append(state)
        self.state = AFTER
        return COMBINED
"""
_LOAD_ONE = """        self.w = dict(np.load(file))
"""
_LOAD_MANY = """        self.members = [{} for _ in NETWORKS]
        for name, array in np.load(file).items():
            member, name = name.split(".")
            self.members[int(member)][name] = array
"""
_REMEMBER = """        rows = np.repeat(inputs[..., :1, :], MEMORY, axis=-2) if rows is None else rows
        rows = np.concatenate([rows, inputs], axis=-2)
        ages = np.arange(-MEMORY, inputs.shape[-2]) + age
"""
_COMBINED = {
    "median": "np.nanmedian(np.where(np.isfinite(said), said, np.nan), axis=0)",
    "mean": "np.nanmean(np.where(np.isfinite(said), said, np.nan), axis=0)",
    "weighted": (
        "np.tensordot(WEIGHTS, np.where(np.isfinite(said), said, 0.0), 1) / np.tensordot(WEIGHTS, np.isfinite(said), 1)"
    ),
}


class NumpyFormat(Format):
    """An .npz and a .py beside it that needs NumPy alone."""

    suffix: ClassVar[str] = ".npz"

    def files(self, plan: Plan, file: Path, precision: str) -> dict[Path, bytes]:  # noqa: ARG002 - there is only one
        """As in `Format`."""
        refuse_kinds(plan, {"lif"}, "numpy")
        arrays: dict[str, NDArray[Any]] = {}
        for number, part in enumerate(plan.members):
            named = part.cell.arrays | starts(part.cell) | part_arrays(part, prepared=_is_prepared(plan))
            prefix = "" if _is_plain(plan) else f"{number}."
            arrays |= {f"{prefix}{name}": np.asarray(array, order="C") for name, array in named.items()}
        packed = io.BytesIO()
        np.savez(packed, **arrays)  # type: ignore[arg-type]
        return {file: packed.getvalue(), file.with_suffix(".py"): reader(plan, file.name).encode()}

    def outputs(self, file: Path, pieces: Sequence[Values], precision: str) -> Values:  # noqa: ARG002
        """As in `Format`."""
        model = runpy.run_path(str(file.with_suffix(".py")))["Model"](file)
        return np.concatenate([model.predict(piece) for piece in pieces], axis=1)


def reader(plan: Plan, name: str) -> str:
    """The Python that reads the file of that name."""
    functions: dict[str, str] = {}
    networks = []
    for part in plan.members:
        text = _network(part.cell)
        called = next((key for key, known in functions.items() if known == text), f"network{len(functions) or ''}")
        functions[called] = text
        networks.append(called)
    body = "".join(text.replace("NAME", called) for called, text in functions.items())
    helpers = "".join(text for called, text in _FUNCTIONS.items() if f"{called}(" in body)
    prepared = prepared_function(plan) if _is_prepared(plan) else ""
    known = "" if _is_plain(plan) else f"\n\nNETWORKS = [{', '.join(networks)}]\n"
    code = "".join([helpers, body, prepared, known, _model(plan)])
    return _head(plan, name) + re.sub(r"\n+(?=def |class )", "\n\n\n", code)


def _head(plan: Plan, name: str) -> str:
    inputs, outputs = columns(plan.input_names, plan.n_inputs), columns(plan.target_names, plan.n_outputs)
    classes = "The largest output is the class.\n" if plan.by_class else ""
    return (
        f'"""{description(plan)}\n\nReads {name!r} beside it and needs NumPy alone. Inputs: {inputs}. '
        f'Outputs: {outputs}. Original units.\n{classes}"""\n\nfrom pathlib import Path\n\nimport numpy as np'
    )


def _network(cell: Cell) -> str:
    units = _ACTIVATIONS[cell.activation].format("v") if cell.activation else ""
    units = units.replace("WINNERS", str(cell.winners))
    skip = ' + inputs @ w["weight_skip"].T' if "weight_skip" in cell.arrays else ""
    text = _JORDAN if cell.kind == "jordan" else _STACKED.replace("LAYERS", _LAYERS[cell.kind])
    outputs = _ACTIVATIONS[cell.output_activation].format("y")
    return text.replace("UNITS", units).replace("SKIP", skip).replace("OUTPUTS", outputs).replace("    y = y\n", "")


def _is_prepared(plan: Plan) -> bool:
    return any(part.preparation is not None for part in plan.members)


def prepared_function(plan: Plan) -> str:
    """What prepares inputs, as Python; of it those lines that some member needs."""
    parts = plan.members
    differences, season = any(part.differences for part in parts), any(part.takes_season for part in parts)
    log = any(part.preparation is not None and "log" in part.preparation.transform for part in parts)
    linear = any(part.preparation is not None and part.preparation.linear is not None for part in parts)
    taken = "season" if season else "last" if any(part.takes_last for part in parts) else "neither"
    wanted = ["", *["log"] * log, *["differences"] * differences, taken, *["linear"] * linear, "end"]
    text = "".join(_PREPARED[name] for name in wanted)
    return text.replace("LEVELS", "levels" if differences else "rows").replace("MEMORY", str(plan.memory))


def _is_plain(plan: Plan) -> bool:
    return len(plan.members) == 1 and not _is_prepared(plan)


def _model(plan: Plan) -> str:
    prepared, scaled = _is_prepared(plan), '- w["input_offset"]) / w["input_factor"]'
    log = any(part.preparation is not None and "log" in part.preparation.transform for part in plan.members)
    restored = 'np.exp(y + references) if w["log_target"] else y + references' if log else "y + references"
    kept = f"rows[..., rows.shape[-2] - {plan.memory} :, :]"
    start = '[tuple(w[f"start_l{k}"]) for k in range(w["n_layers"])]'
    words = "of each layer its memory"
    if not _is_plain(plan):
        start, words = f"[{start} for w in self.members]", "of each member its layers' memory"
    replacements = {
        "STATES": "age, rows, states" if prepared else "states",
        "STATE": f"steps seen, last rows, {words}" if prepared else words,
        "START": f"0, None, {start}" if prepared else start.replace("w[", "self.w[") if _is_plain(plan) else start,
        "LOAD": _LOAD_ONE if _is_plain(plan) else _LOAD_MANY,
        "REMEMBER": _REMEMBER.replace("MEMORY", str(plan.memory)) if prepared else "",
        "            PREPARED": (
            f"            x, references = prepared(w, rows, ages)\n            x = (x {scaled}"
            if prepared
            else f"            x = (inputs {scaled}"
        ),
        "RESTORED": restored if prepared else "y",
        "AFTER": f"age + inputs.shape[-2], {kept}, after" if prepared else "after",
        "COMBINED": combined_code(plan, _COMBINED),
    }
    text = _HEAD + (_ONE if _is_plain(plan) else _MANY)
    for word, replacement in replacements.items():
        text = text.replace(word, replacement)
    return text
