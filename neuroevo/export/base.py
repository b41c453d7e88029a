"""What every format is: a way of writing a plan as files that need no neuroevo to be used."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from neuroevo.errors import BadInput
from neuroevo.export.plan import Plan, Values


@dataclass(frozen=True)
class Sizes:
    """What a model takes on a device, in bytes, beside its code.

    Attributes:
        flash: Of weights and constants.
        state: Of a state, in RAM.
        work: Of the arrays of a step, in RAM while it runs.
    """

    flash: int
    state: int
    work: int


class Format(ABC):
    """A format. The first line of a member's docstring is what `neuroevo export --help` and the documents call it.

    Attributes:
        suffix: Of its main file.
        precisions: The precisions that can be asked for, the default first.
        tolerance: By precision: how far outputs may lie from the predictor's, as a share of their largest size.
        checked_by: The package or tool that can try what was written; "" where NumPy is enough.
    """

    suffix: ClassVar[str]
    precisions: ClassVar[tuple[str, ...]] = ("double",)
    tolerance: ClassVar[dict[str, float]] = {"single": 1e-5, "double": 1e-9}
    checked_by: ClassVar[str] = ""

    @classmethod
    def can_be_tried(cls) -> bool:
        """Whether `outputs` can be called here: by default, whether the package `checked_by` is installed."""
        return not cls.checked_by or find_spec(cls.checked_by) is not None

    def sizes(self, plan: Plan, precision: str) -> Sizes | None:  # noqa: ARG002 - for formats that know
        """What the model takes on a device; None where the format has no say in it."""
        return None

    @abstractmethod
    def files(self, plan: Plan, file: Path, precision: str) -> dict[Path, bytes]:
        """The contents of the main file and of those beside it.

        Raises:
            BadInput: The plan has something that the format cannot express, or a package is missing.
        """

    def own_difference(self, plan: Plan, file: Path, precision: str) -> float | None:  # noqa: ARG002 - for formats that have it
        """How far outputs lie from the predictor's, where a format computes in another way and no tolerance holds.

        It also checks what was written against its own definition. None, as by default: outputs are those of the
        predictor within the tolerance.

        Raises:
            BadInput: What was written is not as its definition says.
        """
        return None

    @abstractmethod
    def outputs(self, file: Path, pieces: Sequence[Values], precision: str) -> Values:
        """What the written model says of pieces ``(n_sequences, n_steps, n_inputs)`` one after another, joined.

        The state goes on from piece to piece. The format `can_be_tried`.
        """


def refuse_kinds(plan: Plan, kinds: Collection[str], format_: str) -> None:
    """Check that a format can express the networks of a plan, whose kinds go beyond what all formats know.

    Raises:
        BadInput: It cannot.
    """
    refused = sorted({part.cell.kind for part in plan.members} & set(kinds))
    if refused:
        raise BadInput(f"a network of the kind {refused[0]!r} cannot be exported as {format_}; C is there: --to c")


def needed(package: str, extra: str) -> None:
    """Check that a package is installed.

    Raises:
        BadInput: It is not; the message says how to install it.
    """
    if find_spec(package) is None:
        raise BadInput(f"this needs the package {package}: pip install 'neuroevo-rnn[{extra}]'")


def description(plan: Plan) -> str:
    """A line that says what a model is and who wrote it."""
    kinds = ", ".join(dict.fromkeys(part.cell.kind for part in plan.members))
    many = f"{plan.combine} of {len(plan.members)} networks" if len(plan.members) > 1 else "one network"
    return f"{_plain(plan.title) or 'A model'}: {many} ({kinds}), written by neuroevo."


def columns(names: Sequence[str], count: int) -> str:
    """How many columns, and what they are called where that is known."""
    called = ", ".join(map(_plain, names))
    return f"{count} ({called})" if called and len(called) <= 70 else str(count)


def _plain(text: str) -> str:
    r"""What may stand in a docstring: a name from a stranger's file must not end it."""
    return "".join(letter if letter.isprintable() and letter not in "\\\"'" else " " for letter in text).strip()
