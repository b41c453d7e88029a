"""The command `export`: a champion or an ensemble, for programs without neuroevo."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neuroevo.cli.failures import exit_codes
from neuroevo.cli.predict import Member
from neuroevo.cli.terminal import print_message, print_result

if TYPE_CHECKING:
    from neuroevo.export import Exported
    from neuroevo.records import RunRecord


class Arithmetic(StrEnum):
    """Numbers of the exported model."""

    single = "single"
    double = "double"
    fixed = "fixed"


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run, a set of trials or an ensemble.")],
    to: Annotated[str, typer.Option(metavar="FORMAT", help="torch, onnx, numpy or c.")],
    out: Annotated[
        Path | None, typer.Option(help="The model's file, or a folder for it. [default: the folder NAME-FORMAT here]")
    ] = None,
    precision: Annotated[
        Arithmetic | None,
        typer.Option(
            help="Of an ONNX or C model, single if left out; fixed: C in whole numbers alone, for weights on a grid. "
            "torch chooses when it loads, numpy has double."
        ),
    ] = None,
    member: Member = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Write a champion or an ensemble for PyTorch, ONNX, NumPy or C, from original units to original units.

    Scaling, preparation, read-out and state are in it. What is written is tried before it is handed out.
    """
    with exit_codes():
        from neuroevo.export import export_model
        from neuroevo.records import front_member

        source: Path | RunRecord = run
        if member is not None:
            source, out = front_member(run, member), out or Path(f"{run.resolve().name}-member{member}-{to}")
        exported = export_model(source, to, out, precision=precision and precision.value, overwrite=overwrite)
        if json:
            from neuroevo.cli.documents import as_json

            figures: dict[str, Any] = {"difference": exported.difference, "amplifies": exported.amplifies}
            figures |= {"sizes": asdict(exported.sizes)} if exported.sizes else {}
            print_result(as_json({"format": to, "files": [str(file) for file in exported.files], **figures}))
            return
        print_message(_check_text(exported))
        if exported.sizes:
            sizes = exported.sizes
            print_message(
                f"{sizes.flash} bytes of flash for weights and constants, {sizes.state} of RAM for a state, "
                f"{sizes.work} for arrays at work"
            )
        for file in exported.files:
            print_result(file)


def _check_text(exported: Exported) -> str:
    if exported.difference is None:
        return f"not checked: {exported.checked_by} is not installed here"
    what = exported.checked_by or "NumPy"
    bits = "the bits of its definition in whole numbers, which " if exported.precision == "fixed" else ""
    far = f"{exported.difference:.1g} of its largest output"
    text = f"checked with {what}: {bits}differs from the champion by {far} at most"
    same = "; so does the champion from itself where the last digits of inputs change"
    return text + same if exported.amplifies else text
