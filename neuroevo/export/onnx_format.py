"""onnx: one graph with any number of sequences and steps, which takes its state and gives it back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from neuroevo.export.base import Format, description, needed, refuse_kinds
from neuroevo.export.onnx_graph import Nodes, run_network
from neuroevo.export.plan import Part, Plan, Values
from neuroevo.problems.ridge import Ridge

OPSET, IR_VERSION = 17, 8
"""Of 2022: old enough for runtimes in use, and with all that is needed."""

_TYPES: dict[str, type[np.floating[Any]]] = {"single": np.float32, "double": np.float64}


class OnnxFormat(Format):
    """An ONNX graph, for onnxruntime and other runtimes."""

    suffix: ClassVar[str] = ".onnx"
    precisions: ClassVar[tuple[str, ...]] = ("single", "double")
    checked_by: ClassVar[str] = "onnxruntime"

    def files(self, plan: Plan, file: Path, precision: str) -> dict[Path, bytes]:
        """As in `Format`."""
        refuse_kinds(plan, {"lif"}, "onnx")
        needed("onnx", "onnx")
        import onnx

        model = _model(plan, _TYPES[precision])
        onnx.checker.check_model(model, full_check=True)
        return {file: model.SerializeToString()}

    def outputs(self, file: Path, pieces: Sequence[Values], precision: str) -> Values:
        """As in `Format`."""
        import onnxruntime

        session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        n_state, dtype = session.get_inputs()[1].shape[1], _TYPES[precision]
        found, state = [], np.zeros((len(pieces[0]), n_state), dtype)
        for piece in pieces:
            outputs, state = session.run(None, {"inputs": piece.astype(dtype), "state": state})
            found.append(outputs)
        return np.concatenate(found, axis=1).astype(np.float64)


def _model(plan: Plan, dtype: type[np.floating[Any]]) -> Any:
    from onnx import helper, numpy_helper

    nodes = Nodes(dtype)
    outputs, state, n_state = _graph(nodes, plan)
    for name, final in ((outputs, "outputs"), (state, "next_state")):
        nodes.nodes.append(helper.make_node("Identity", [name], [final]))
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    shapes = {
        "inputs": ["batch", "steps", plan.n_inputs],
        "state": ["batch", n_state],
        "outputs": ["batch", "steps", plan.n_outputs],
        "next_state": ["batch", n_state],
    }
    infos = {name: helper.make_tensor_value_info(name, kind, shape) for name, shape in shapes.items()}
    graph = helper.make_graph(
        nodes.nodes,
        "model",
        [infos["inputs"], infos["state"]],
        [infos["outputs"], infos["next_state"]],
        [numpy_helper.from_array(np.asarray(array, order="C"), name) for name, array in nodes.constants.items()],
    )
    model = helper.make_model(
        graph,
        producer_name="neuroevo",
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
        doc_string=description(plan),
    )
    names = {"input_names": ", ".join(plan.input_names), "target_names": ", ".join(plan.target_names)}
    helper.set_model_props(model, {**names, "by_class": str(plan.by_class).lower()})
    return model


def _graph(nodes: Nodes, plan: Plan) -> tuple[str, str, int]:
    """Outputs, the next state and its size, of the graph's inputs "inputs" and "state".

    A state holds the rows seen (at most `plan.memory`), the rows remembered, and the vectors of the members less what
    they are before the first step, so that zeros are the state before the first step.
    """
    place = 1 + plan.memory * plan.n_inputs if plan.memory else 0
    rows, ages, after = _remembered(nodes, plan) if plan.memory else ("inputs", "", [])
    said = []
    for part in plan.members:
        states = []
        starts = [vector for layer in part.cell.start for vector in layer]
        for start in starts:
            kept = nodes.part("state", 1, place, place + start.size)
            states.append(nodes.op("Add", kept, nodes.real(start)) if start.any() else kept)
            place += start.size
        outputs, new = _member(nodes, plan, part, rows, ages, states)
        said.append(outputs)
        after += [
            nodes.op("Sub", vector, nodes.real(start)) if start.any() else vector
            for vector, start in zip(new, starts, strict=True)
        ]
    return _combined(nodes, plan, said), nodes.op("Concat", *after, axis=1), place


def _remembered(nodes: Nodes, plan: Plan) -> tuple[str, str, list[str]]:
    """Rows with those remembered before them, since how many steps the sequence ran at each, and what is kept of both.

    Before the first row lie copies of it.
    """
    memory, n_inputs = plan.memory, plan.n_inputs
    seen = nodes.part("state", 1, 0, 1)
    kept = nodes.op("Reshape", nodes.part("state", 1, 1, 1 + memory * n_inputs), nodes.whole([0, memory, n_inputs]))
    is_first = nodes.op("Unsqueeze", nodes.op("Equal", seen, nodes.real(0)), nodes.whole([2]))
    kept = nodes.op("Where", is_first, nodes.part("inputs", 1, 0, 1), kept)
    rows = nodes.op("Concat", kept, "inputs", axis=1)
    n_steps = nodes.op("Squeeze", nodes.part(nodes.op("Shape", "inputs"), 0, 1, 2), nodes.whole([0]))
    places = nodes.op("Range", nodes.whole(-memory), n_steps, nodes.whole(1))
    cast = {"to": 1 if nodes.dtype is np.float32 else 11}
    ages = nodes.op("Add", seen, nodes.op("Cast", places, **cast))
    count = nodes.op("Min", nodes.op("Add", seen, nodes.op("Cast", n_steps, **cast)), nodes.real(memory))
    last = nodes.op("Reshape", nodes.part(rows, 1, -memory), nodes.whole([0, memory * n_inputs]))
    return rows, nodes.op("Unsqueeze", ages, nodes.whole([2])), [count, last]


def _member(nodes: Nodes, plan: Plan, part: Part, rows: str, ages: str, states: list[str]) -> tuple[str, list[str]]:
    scaling, memory = part.scaling, plan.memory
    values, references, is_log = rows, "", False
    if part.preparation is not None:
        is_log = "log" in part.preparation.transform
        levels = _levels(nodes, part, rows)
        values = _differenced(nodes, part, levels, ages)
        references = _references(nodes, part, levels, values, ages, memory)
    seen = nodes.part(values, 1, memory) if memory else values
    scaled = nodes.op("Div", nodes.op("Sub", seen, nodes.real(scaling.input_offset)), nodes.real(scaling.input_factor))
    by_step = nodes.op("Transpose", scaled, perm=[1, 0, 2])
    outputs, after = run_network(nodes, part.cell, by_step, states)
    y = nodes.op("Mul", nodes.op("Transpose", outputs, perm=[1, 0, 2]), nodes.real(scaling.target_factor))
    y = nodes.op("Add", y, nodes.real(scaling.target_offset))
    if references:
        y = nodes.op("Add", y, references)
    return (nodes.op("Exp", y) if is_log else y), after


def _levels(nodes: Nodes, part: Part, rows: str) -> str:
    copies = _copies(part)
    if part.preparation is None or "log" not in part.preparation.transform or not copies.any():
        return rows
    is_above = nodes.op("And", nodes.truth(copies), nodes.op("Greater", rows, nodes.real(0)))
    logarithms = nodes.op("Log", nodes.op("Where", is_above, rows, nodes.real(1)))
    return nodes.op("Where", nodes.truth(copies), logarithms, rows)


def _copies(part: Part) -> np.ndarray[Any, np.dtype[np.bool_]]:
    is_copy = np.zeros(len(part.scaling.input_offset), dtype=np.bool_)
    is_copy[[] if part.preparation is None else list(part.preparation.columns)] = True
    return is_copy


def _differenced(nodes: Nodes, part: Part, values: str, ages: str) -> str:
    for lag in part.differences:
        earlier = nodes.op("Concat", nodes.part(values, 1, 0, lag), nodes.part(values, 1, 0, -lag), axis=1)
        is_known = nodes.op("GreaterOrEqual", ages, nodes.real(lag))
        difference = nodes.op("Where", is_known, nodes.op("Sub", values, earlier), nodes.real(0))
        values = nodes.op("Where", nodes.truth(_copies(part)), difference, values)
    return values


def _references(nodes: Nodes, part: Part, levels: str, values: str, ages: str, memory: int) -> str:
    """What was taken off the targets; "" for nothing."""
    preparation = part.preparation
    found = []
    if preparation is not None and (part.takes_last or part.takes_season):
        found.append(_of_the_series(nodes, part, levels, ages, memory))
    if preparation is not None and preparation.linear is not None:
        found.append(_ridge(nodes, preparation.linear, values, memory))
    return nodes.op("Sum", *found) if found else ""


def _of_the_series(nodes: Nodes, part: Part, levels: str, ages: str, memory: int) -> str:
    preparation, back = part.preparation, part.seasons_back
    tied = nodes.columns(levels, preparation.tied if preparation is not None else ())
    last = _lagged(nodes, tied, 0, memory)
    if preparation is None or not part.takes_season:
        return last
    now = nodes.part(ages, 1, memory)
    ahead = back - preparation.horizon
    known = nodes.op("GreaterOrEqual", now, nodes.real(ahead))
    season = nodes.op("Where", known, _lagged(nodes, tied, ahead, memory), last)
    if not part.takes_last:
        return season
    both = nodes.op("Sub", nodes.op("Add", last, season), _lagged(nodes, tied, back, memory))
    return nodes.op("Where", nodes.op("GreaterOrEqual", now, nodes.real(back)), both, last)


def _ridge(nodes: Nodes, model: Ridge, values: str, memory: int) -> str:
    """Regressors clipped and standardised, lag by lag, times their weights."""
    pieces, order = [], []
    for lag in dict.fromkeys(model.lags.tolist()):
        places = np.flatnonzero(model.lags == lag)
        order.append(places)
        pieces.append(nodes.columns(_lagged(nodes, values, lag, memory), model.columns[places]))
    if not pieces:
        return nodes.real(model.intercept)
    places = np.concatenate(order)
    regressors = nodes.op("Concat", *pieces, axis=2)
    regressors = nodes.op(
        "Max", nodes.op("Min", regressors, nodes.real(model.high[places])), nodes.real(model.low[places])
    )
    centred = nodes.op("Sub", regressors, nodes.real(model.offset[places]))
    return nodes.linear(centred, (model.weights[places] / model.factor[places, None]).T, model.intercept)


def _lagged(nodes: Nodes, values: str, lag: int, memory: int) -> str:
    return nodes.part(values, 1, memory - lag, -lag or None) if memory else values


def _combined(nodes: Nodes, plan: Plan, said: list[str]) -> str:
    """The median or (weighted) mean of what the members say; one that is not finite at a step has no say there."""
    if len(said) == 1:
        return said[0]
    stacked = nodes.op("Concat", *(nodes.op("Unsqueeze", outputs, nodes.whole([0])) for outputs in said), axis=0)
    is_finite = nodes.op("Equal", nodes.op("Sub", stacked, stacked), nodes.real(0))
    count = nodes.op("ReduceSum", nodes.op("Cast", is_finite, to=7), nodes.whole([0]), keepdims=1)
    first = nodes.whole([0])
    real = 1 if nodes.dtype is np.float32 else 11
    if plan.combine == "weighted":
        weights = nodes.real(np.reshape(plan.weights, (-1, *[1] * 3)))
        total = nodes.op("Mul", nodes.op("Where", is_finite, stacked, nodes.real(0)), weights)
        having = nodes.op("Mul", nodes.op("Cast", is_finite, to=real), weights)
        sums = [nodes.op("ReduceSum", each, first, keepdims=1) for each in (total, having)]
        return nodes.op("Squeeze", nodes.op("Div", *sums), first)
    if plan.combine == "mean":
        total = nodes.op("ReduceSum", nodes.op("Where", is_finite, stacked, nodes.real(0)), first, keepdims=1)
        cast = nodes.op("Cast", count, to=real)
        return nodes.op("Squeeze", nodes.op("Div", total, cast), first)
    filled = nodes.op("Where", is_finite, stacked, nodes.real(np.inf))
    ordered, _ = nodes.several("TopK", [filled, nodes.whole([len(said)])], 2, axis=0, largest=0, sorted=1)
    upper = nodes.op("Min", nodes.op("Div", count, nodes.whole(2)), nodes.whole(len(said) - 1))
    below = nodes.op("Div", nodes.op("Sub", count, nodes.whole(1)), nodes.whole(2))
    middle = [nodes.op("GatherElements", ordered, place, axis=0) for place in (below, upper)]
    return nodes.op("Squeeze", nodes.op("Mul", nodes.op("Add", *middle), nodes.real(0.5)), first)
