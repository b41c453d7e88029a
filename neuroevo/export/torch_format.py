"""torch: a state dictionary as safetensors, and a module that takes it and has no more than the model needs."""

from __future__ import annotations

import re
import runpy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from neuroevo.export.arrays import part_arrays
from neuroevo.export.base import Format, columns, description, needed, refuse_kinds
from neuroevo.export.numpy_format import prepared_function
from neuroevo.export.plan import Cell, Part, Plan, Values, combined_code

_ACTIVATIONS = {
    "tanh": "torch.tanh({})", "logistic": "torch.sigmoid({})", "softsign": "nn.functional.softsign({})",
    "relu": "torch.relu({})", "linear": "{}", "sine": "torch.sin({})",
    "hard_step": "torch.heaviside({}, torch.zeros_like(v))", "sign": "torch.sign({})",
    "k_winners": "((v[..., None, :] > v[..., :, None]).sum(-1) < WINNERS).to(v)", "softmax": "torch.softmax({}, -1)",
}  # fmt: skip

_CELL = '''
class CELL(nn.Module):
    """WORDS: states (n_layers, batch, n) and inputs (batch, n_steps, n_inputs) to outputs and states."""

    def __init__(self, n_inputs, n_hidden, n_layers, n_states):
        super().__init__()
        for k in range(n_layers):
            setattr(self, f"weight_ih_l{k}", nn.Parameter(torch.zeros(n_hidden, n_hidden if k else n_inputs)))
            setattr(self, f"weight_hh_l{k}", nn.Parameter(torch.zeros(n_hidden, n_states)))
            setattr(self, f"bias_l{k}", nn.Parameter(torch.zeros(n_hidden)))
RATE
    def units(self, k, x, h):
        w, u, b = (getattr(self, f"{name}_l{k}") for name in ("weight_ih", "weight_hh", "bias"))
        v = x @ w.T + h @ u.T + b
        return UNITS

'''
_STACKED = """    def forward(self, inputs, state):
        outputs, state = [], list(state)
        for x in inputs.unbind(1):
            for k, h in enumerate(state):
                x = state[k] = self.units(k, x, h)
            outputs.append(x)
        return torch.stack(outputs, 1), torch.stack(state)
"""
_FED_BACK = """    def forward(self, inputs, state, read):
        outputs = [state[0]]
        for x in inputs.unbind(1):
            outputs.append(read(self.units(0, x, outputs[-1]), x))
        return torch.stack(outputs[1:], 1), outputs[-1][None]
"""

_NETWORK = """
class NETWORK(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = MAKE
        self.readout = nn.Linear(N_HIDDEN, N_OUTPUTS)
SKIPPEDBUFFERS
    def read(self, h, x):
        return OUTPUTS

    def forward(self, ARGUMENTS):
        TAKEN
        x = (x - self.input_offset) / self.input_factor
        if state is None:
            state = self.start.expand(-1, -1, len(x), -1).contiguous()
        RUN
        return RESTORED, state
"""


_MODEL = """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.members = nn.ModuleList([MEMBERS])

    def forward(self, inputs, state=None):
        age, rows, states = state or (0, inputs[:, :1].expand(-1, MEMORY, -1), [None] * len(self.members))
        rows = torch.cat([rows, inputs], 1)
        ages = torch.arange(-MEMORY, inputs.shape[1], device=inputs.device) + age
        said, after = zip(*(member(rows, ages, its) for member, its in zip(self.members, states)))
        said = torch.stack(said)
        return COMBINED, (age + inputs.shape[1], rows[:, rows.shape[1] - MEMORY :], after)
"""
_COMBINED = {
    "median": "said.where(said.isfinite(), torch.nan).nanquantile(0.5, dim=0)",
    "mean": "said.where(said.isfinite(), torch.nan).nanmean(dim=0)",
    "weighted": (
        "torch.tensordot(said.new_tensor(WEIGHTS), said.nan_to_num(0, 0, 0), 1) "
        "/ torch.tensordot(said.new_tensor(WEIGHTS), said.isfinite().to(said), 1)"
    ),
}
_LOAD = '''
def load(dtype=torch.float32, file=Path(__file__).with_suffix(".safetensors")):
    """The model with its weights; torch.float64 has all their digits."""
    model = Model().to(dtype)
    model.load_state_dict(load_file(file))
    return model
'''


class TorchFormat(Format):
    """A PyTorch module: its state dictionary as safetensors, and the .py that defines and loads it."""

    suffix: ClassVar[str] = ".safetensors"
    checked_by: ClassVar[str] = "torch"

    def files(self, plan: Plan, file: Path, precision: str) -> dict[Path, bytes]:  # noqa: ARG002 - chosen when it is loaded
        """As in `Format`."""
        refuse_kinds(plan, {"lif"}, "torch")
        needed("safetensors", "torch")
        from safetensors.numpy import save

        is_plain = _is_plain(plan)
        tensors: dict[str, NDArray[Any]] = {}
        for number, part in enumerate(plan.members):
            prefix = "" if is_plain else f"members.{number}."
            named = _parameters(part.cell) | _buffers(part, prepared=not is_plain)
            tensors |= {f"{prefix}{name}": np.asarray(array, order="C") for name, array in named.items()}
        contents = save(tensors, metadata={"format": "pt"})
        return {file: contents, file.with_suffix(".py"): reader(plan, file.name).encode()}

    def outputs(self, file: Path, pieces: Sequence[Values], precision: str) -> Values:  # noqa: ARG002
        """As in `Format`."""
        import torch

        model = runpy.run_path(str(file.with_suffix(".py")))["load"](torch.float64, file)
        found, state = [], None
        with torch.no_grad():
            for piece in pieces:
                outputs, state = model(torch.from_numpy(piece), state)
                found.append(outputs.numpy())
        return np.concatenate(found, axis=1)


def reader(plan: Plan, name: str) -> str:
    """The Python that defines the module and loads the file of that name."""
    is_plain = _is_plain(plan)
    cells: dict[str, str] = {}
    networks: dict[str, str] = {}
    members = []
    for part in plan.members:
        cell = "" if _module(part.cell) else _named(cells, _cell(part.cell), "Cell")
        members.append(
            _named(networks, _network(part, cell, prepared=not is_plain), "Model" if is_plain else "Network")
        )
    code = [text.replace("CELL", called) for called, text in cells.items()]
    if not is_plain:
        code.append(_translated(prepared_function(plan)))
    code += [text.replace("NETWORK", called) for called, text in networks.items()]
    if not is_plain:
        combined = combined_code(plan, _COMBINED)
        code.append(
            _MODEL.replace("MEMBERS", ", ".join(f"{called}()" for called in members))
            .replace("MEMORY", str(plan.memory))
            .replace("COMBINED", combined)
        )
    return _head(plan, name) + re.sub(r"\n+(?=def |class )", "\n\n\n", "".join([*code, _LOAD]))


def _is_plain(plan: Plan) -> bool:
    return len(plan.members) == 1 and plan.members[0].preparation is None


def _head(plan: Plan, name: str) -> str:
    inputs, outputs = columns(plan.input_names, plan.n_inputs), columns(plan.target_names, plan.n_outputs)
    classes = "The largest output is the class.\n" if plan.by_class else ""
    return f'''"""{description(plan)}

    model = load()                       # reads {name} beside this file
    outputs, state = model(inputs)       # (batch, n_steps, n_inputs) to (batch, n_steps, n_outputs), original units
    outputs, state = model(more, state)  # goes on where it was

Inputs: {inputs}. Outputs: {outputs}.
{classes}"""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn'''


def _named(known: dict[str, str], text: str, stem: str) -> str:
    """The name of a class with that text, which is added where it is not known yet."""
    name = next((name for name, other in known.items() if other == text), f"{stem}{len(known) or ''}")
    known[name] = text
    return name


def _module(cell: Cell) -> str:
    """The module of PyTorch that computes the cell; "" where there is none."""
    has_nonlinearity = cell.kind == "elman" and cell.activation in ("tanh", "relu")
    if not has_nonlinearity and cell.kind not in ("lstm", "gru"):
        return ""
    called = {"elman": "RNN", "lstm": "LSTM", "gru": "GRU"}[cell.kind]
    nonlinearity = f', nonlinearity="{cell.activation}"' if cell.activation == "relu" else ""
    return f"nn.{called}({_n_inputs(cell)}, {cell.n_hidden}, {cell.n_layers}{nonlinearity}, batch_first=True)"


def _n_inputs(cell: Cell) -> int:
    return int(cell.arrays["weight_ih_l0"].shape[1])


def _cell(cell: Cell) -> str:
    rate, units = "", _ACTIVATIONS[cell.activation].format("v").replace("WINNERS", str(cell.winners))
    if cell.kind == "ctrnn":
        rate = '            setattr(self, f"rate_l{k}", nn.Parameter(torch.zeros(n_hidden)))\n'
        units = f'h + getattr(self, f"rate_l{{k}}") * ({units} - h)'
    forward = _FED_BACK if cell.kind == "jordan" else _STACKED
    return (_CELL + forward).replace("WORDS", cell.kind).replace("RATE\n", f"{rate}\n").replace("UNITS", units)


def _network(part: Part, called: str, *, prepared: bool) -> str:
    cell = part.cell
    n_outputs, n_inputs = len(cell.arrays["bias_out"]), _n_inputs(cell)
    sizes = f"{n_inputs}, {cell.n_hidden}, {cell.n_layers}, {cell.arrays['weight_hh_l0'].shape[1]}"
    buffers = _buffers(part, prepared=prepared)
    kinds = {"b": ", dtype=torch.bool", "i": ", dtype=torch.int64", "f": ""}
    registered = (
        f'        self.register_buffer("{name}", torch.zeros({list(array.shape)}{kinds[array.dtype.kind]}))\n'
        for name, array in buffers.items()
    )
    run = "h, state = self.cell(x, state[0])\n        y, state = self.read(h, x), state[None]"
    if cell.kind == "lstm":
        run = "h, state = self.cell(x, tuple(state))\n        y, state = self.read(h, x), torch.stack(state)"
    if cell.kind == "jordan":
        run = "y, state = self.cell(x, state[0], self.read)\n        state = state[None]"
    restored = "y * self.target_factor + self.target_offset"
    if prepared:
        run += f"\n        y = {restored} + references"
        is_log = part.preparation is not None and "log" in part.preparation.transform
        restored = "torch.exp(y)" if is_log else "y"
    has_skip = "weight_skip" in cell.arrays
    replacements = {
        "MAKE": _module(cell) or f"{called}({sizes})",
        "N_HIDDEN": str(cell.n_hidden),
        "N_OUTPUTS": str(n_outputs),
        "SKIPPED": f"        self.skip = nn.Linear({n_inputs}, {n_outputs}, bias=False)\n" if has_skip else "",
        "BUFFERS": "".join(registered),
        "OUTPUTS": _ACTIVATIONS[cell.output_activation].format(f"self.readout(h){' + self.skip(x)' * has_skip}"),
        "        TAKEN\n        x = (x -": (
            "        x, references = prepared(self, rows, ages)\n        x = (x -"
            if prepared
            else "        x = (inputs -"
        ),
        "ARGUMENTS": "rows, ages, state=None" if prepared else "inputs, state=None",
        "RUN": run,
        "RESTORED": restored,
    }
    text = _NETWORK
    for word, replacement in replacements.items():
        text = text.replace(word, replacement)
    return text


def _translated(text: str) -> str:
    """The function that prepares inputs, from NumPy to PyTorch: the two have the same names for nearly all of it."""
    text = re.sub(r'w\["(\w+)"\]', r"w.\1", text.replace('w["linear_" + name]', 'getattr(w, "linear_" + name)'))
    for theirs, ours in (
        ("np.concatenate", "torch.cat"),
        ("np.clip", "torch.clamp"),
        ("axis=", "dim="),
        ("np.", "torch."),
    ):
        text = text.replace(theirs, ours)
    return text


def _buffers(part: Part, *, prepared: bool) -> dict[str, NDArray[Any]]:
    """What is no weight: the state before the first step ``(kept, n_layers, 1, n)``, scaling and preparation."""
    start = np.stack([np.stack(layer) for layer in part.cell.start], axis=1)[:, :, None]
    return {"start": start, **part_arrays(part, prepared=prepared)}


def _parameters(cell: Cell) -> dict[str, NDArray[Any]]:
    """The weights by the names of the module's state dictionary."""
    own = ("weight_out", "bias_out", "weight_skip")
    named = {"readout.weight": cell.arrays["weight_out"], "readout.bias": cell.arrays["bias_out"]}
    if "weight_skip" in cell.arrays:
        named["skip.weight"] = cell.arrays["weight_skip"]
    arrays = {name: array for name, array in cell.arrays.items() if name not in own}
    for layer in range(cell.n_layers if _module(cell) else 0):
        bias = arrays.pop(f"bias_l{layer}")
        recurrent = np.zeros_like(bias)
        if cell.kind == "gru":
            recurrent[2 * cell.n_hidden :] = arrays.pop(f"bias_hn_l{layer}")
        arrays |= {f"bias_ih_l{layer}": bias, f"bias_hh_l{layer}": recurrent}
    return named | {f"cell.{name}": array for name, array in arrays.items()}
