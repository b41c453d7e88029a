"""A champion or an ensemble becomes files, which are tried before they are handed out."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from neuroevo.errors import BadInput
from neuroevo.export.base import Format, Sizes
from neuroevo.export.plan import Examples, Plan, Values, plan_of
from neuroevo.networks.checks import known_name, sequences
from neuroevo.prediction import Member, Predictor
from neuroevo.problems import SequenceProblem
from neuroevo.records import RunRecord, TrialSet, ensemble, saved_ensemble, set_in
from neuroevo.records.errors import writing
from neuroevo.records.files import write_atomically
from neuroevo.registry import Registry

FORMATS: Registry[type[Format]] = Registry(
    "export format",
    "neuroevo.formats",
    {
        "torch": "neuroevo.export.torch_format:TorchFormat",
        "onnx": "neuroevo.export.onnx_format:OnnxFormat",
        "numpy": "neuroevo.export.numpy_format:NumpyFormat",
        "c": "neuroevo.export.c.format:CFormat",
    },
)
"""Formats by the names that `neuroevo export --to` takes."""

_STEPS, _DRAWN = 200, 64
"""Steps that are tried, of data and of drawn numbers."""
_RANGED = 5000
"""Steps of each sequence from which ranges of fixed-point numbers follow."""
_FIRST, _AS_MUCH = 5, 100.0
"""A network that amplifies rounding still agrees over the first steps, and differs from itself by about as much."""


@dataclass(frozen=True)
class Exported:
    """What an export has written.

    Attributes:
        files: The model first, then what reads it.
        difference: How far the outputs of what was written lie from the predictor's, as a share of the largest of
            these; None where what could tell is not installed.
        checked_by: The package or tool that could tell; "" for NumPy.
        amplifies: Whether the network amplifies rounding, so that it differs as much from itself where the last digits
            of its inputs change; the difference is then that of two courses of a chaotic system.
        sizes: What the model takes on a device; None of formats that do not know.
        precision: Of its arithmetic: "single", "double" or "fixed".
    """

    files: tuple[Path, ...]
    difference: float | None
    checked_by: str
    amplifies: bool = False
    sizes: Sizes | None = None
    precision: str = "double"


def export_model(
    source: str | Path | RunRecord | Predictor,
    to: str,
    out: str | Path | None = None,
    *,
    precision: str | None = None,
    overwrite: bool = False,
) -> Exported:
    """Write a champion or an ensemble as files that need no neuroevo to predict, from original units to original units.

    What is written is tried on data of the run (where none are stored, on drawn numbers), as a whole and in pieces with
    the state handed on, and refused where it does not say what the predictor says.

    Args:
        source: The folder of a run, of a set of trials or of an ensemble; a record; or a predictor.
        to: "torch", "onnx", "numpy", "c", or a format that was registered.
        out: The model's file where the name ends as the format's do (.safetensors, .onnx, .npz, .h), otherwise a folder
            for it. None: a folder NAME-FORMAT in the present one.
        precision: "single" or "double" arithmetic, where a format has both (onnx, c), or "fixed", whole numbers alone
            (c); None: its default.
        overwrite: Whether files that are there are replaced.

    Raises:
        BadInput: There is no such format, it can't express the model, it needs a package that is not installed, or
            files are there already.
        RecordError: The folder is no record, is damaged or has no champion.
        RecordUnwritable: The machine refused.
    """
    format_ = FORMATS[to]()
    if precision is not None and len(format_.precisions) == 1 and precision not in format_.precisions:
        raise BadInput(f"{to} has {format_.precisions[0]} precision alone, got {precision!r}")
    chosen = known_name("precision", precision or format_.precisions[0], format_.precisions)
    predictor, problem, title = _opened(source)
    names = ((), ()) if problem is None else (problem.input_names, problem.target_names)
    plan = plan_of(predictor, title, *(tuple(map(str, those or ())) for those in names))
    if chosen == "fixed":
        plan = replace(plan, examples=examples_of(predictor, problem))
    target = Path(out) if out is not None else Path(f"{title or 'model'}-{to}")
    file = target if target.suffix == format_.suffix else target / f"model{format_.suffix}"
    contents = format_.files(plan, file, chosen)
    standing = [path for path in contents if path.exists() or path.is_symlink()]
    if standing and not overwrite:
        raise BadInput(
            f"{standing[0]} is there already: choose another place with --out, or replace it with --overwrite"
        )
    difference, amplifies = (
        _difference(format_, plan, predictor, _examples(predictor, problem), chosen)
        if format_.can_be_tried()
        else (None, False)
    )
    with writing(file.parent):
        file.parent.mkdir(parents=True, exist_ok=True)
    for path, content in contents.items():
        write_atomically(path, content)
    return Exported(tuple(contents), difference, format_.checked_by, amplifies, format_.sizes(plan, chosen), chosen)


def _opened(source: str | Path | RunRecord | Predictor) -> tuple[Predictor, SequenceProblem | None, str]:
    """The predictor, a problem of its data where one is stored, and a name."""
    if isinstance(source, Predictor):
        return source, None, source.champions[0].name if len(source.champions) == 1 else ""
    if isinstance(source, RunRecord):
        return source.predictor(calibrate=False), _problem([source.delivered]), source.path.resolve().name
    path = Path(source)
    name = path.resolve().name
    saved, found = saved_ensemble(path), set_in(path)
    records = found.finished()[:1] if isinstance(found, TrialSet) else []
    if saved is not None:
        return saved.predictor(), _problem(records), name
    if found is not None:
        return ensemble(path, calibrate=False), _problem(records), name
    return _opened(RunRecord.open(path))


def _problem(records: Sequence[RunRecord]) -> SequenceProblem | None:
    for record in records:
        if record.run["data"].get("stored"):
            problem = record.problem
            return problem if isinstance(problem, SequenceProblem) else None
    return None


def _examples(predictor: Predictor, problem: SequenceProblem | None) -> Values:
    """``(n_sequences, n_steps, n_inputs)`` in original units: of the longest sequences the beginning, or drawn."""
    if problem is not None:
        original = problem.original
        longest = np.argsort(-original.lengths, kind="stable")[:2]
        n_steps = min(_STEPS, int(original.lengths[longest].min()))
        first = np.cumsum(original.lengths)[longest] - original.lengths[longest]
        return np.array(original.input_rows[first[:, None] + np.arange(n_steps)])
    member = predictor.champions[0]
    scaling = member.scaling if isinstance(member, Member) else {}
    drawn = np.random.Generator(np.random.PCG64(0)).normal(size=(2, _DRAWN, predictor.n_inputs))
    return drawn * scaling.get("scaling_input_factor", 1.0) + scaling.get("scaling_input_offset", 0.0)


def examples_of(predictor: Predictor, problem: SequenceProblem | None) -> Examples:
    """Inputs from which ranges of numbers follow, and what the predictor says of them.

    Args:
        predictor: A champion or an ensemble.
        problem: Whose training part gives the ranges; None: numbers are drawn.
    """
    if problem is None:
        inputs = _examples(predictor, None)
        return Examples(inputs, np.ones(inputs.shape[:2], dtype=bool), predictor.predict(inputs))
    original = problem.original
    inputs, lengths = original.inputs[:, :_RANGED], np.minimum(original.lengths, _RANGED)
    return Examples(inputs, original.parts["train"][:, :_RANGED], predictor.predict(inputs, lengths))


def _difference(
    format_: Format, plan: Plan, predictor: Predictor, inputs: Values, precision: str
) -> tuple[float, bool]:
    """As `Exported.difference` and `Exported.amplifies`.

    Raises:
        BadInput: It is more than the format's tolerance, and more precision would help.
    """
    checked, _ = sequences(inputs, None, predictor.n_inputs)
    expected = predictor.predict(checked)
    cut = min(7, checked.shape[1])
    ways = [[checked], [piece for piece in (checked[:, :1], checked[:, 1:cut], checked[:, cut:]) if piece.shape[1]]]
    with tempfile.TemporaryDirectory(prefix="neuroevo-") as folder:
        file = Path(folder) / f"model{format_.suffix}"
        for path, content in format_.files(plan, file, precision).items():
            path.write_bytes(content)
        own = format_.own_difference(plan, file, precision)
        if own is not None:
            return own, False
        found = [format_.outputs(file, pieces, precision) for pieces in ways]
    tolerance = format_.tolerance[precision]
    largest = float(np.max([_distance(said, expected) for said in found]))  # which does not lose sight of NaN
    if largest <= tolerance:
        return largest, False
    finest = precision == "double" or len(format_.precisions) == 1
    if finest and max(_distance(said[:, :_FIRST], expected[:, :_FIRST]) for said in found) <= tolerance:
        last_digits = np.where(np.arange(checked.shape[1]) % 2, 1.0, -1.0)[:, None] * np.finfo(np.float64).eps
        itself = _distance(predictor.predict(checked * (1.0 + last_digits)), expected)
        if largest <= _AS_MUCH * itself:
            return largest, True
    advice = "" if finest else "; take double precision (--precision double)"
    raise BadInput(
        f"the exported model differs from the champion by {largest:.2g} of its largest output, where {tolerance:g} is "
        f"allowed{advice}"
    )


def _distance(found: Values, expected: Values) -> float:
    """The largest difference as a share of the largest expected value; where that is not finite nothing is compared."""
    known = np.isfinite(expected)
    size = float(np.abs(expected[known]).max(initial=0.0)) or 1.0
    return float(np.abs(found[known] - expected[known]).max(initial=0.0)) / size
