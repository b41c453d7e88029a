"""How all plots look, and how they become files: the same bytes for the same record and versions."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from neuroevo.errors import BadInput
from neuroevo.records import RecordError
from neuroevo.records.errors import writing
from neuroevo.records.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Okabe and Ito (2008): told apart with every common kind of colour blindness.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, YELLOW = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442",
)  # fmt: skip
INK, GREY, FAINT = "#222222", "#767676", "#D9D9D9"
CYCLE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, GREY)
DASHES = ("-", "--", "-.", ":")

FORMATS = ("png", "svg")
KNOWN_FORMATS = ("png", "svg", "pdf")

#: Inches of each side of a figure: what can still be read, and what programs still open.
_SIZES = (2.0, 60.0)

Size: TypeAlias = tuple[float, float]
"""Width and height, inches."""

_SETTINGS: dict[str, Any] = {
    "font.size": 9.5,
    "font.family": ["DejaVu Sans"],
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.4,
    "lines.solid_joinstyle": "round",
    "path.simplify": True,
    "text.parse_math": False,
    "svg.hashsalt": "neuroevo",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "savefig.dpi": 144,
}
_UNDATED: dict[str, dict[str, Any]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
# A record of unknown origin may hold any numbers; what cannot be drawn is the record's fault and said so.
_UNDRAWABLE = (ArithmeticError, ValueError)


@contextmanager
def drawing(what: str) -> Iterator[None]:
    """Draw with our settings and no others; matplotlib's own are put back afterwards.

    Raises:
        RecordError: The numbers cannot be drawn.
    """
    import matplotlib as mpl

    with mpl.rc_context(), warnings.catch_warnings(), np.errstate(all="ignore"):
        # Letters that no installed font has are drawn as boxes; that is not worth a warning.
        warnings.simplefilter("ignore")
        mpl.rcdefaults()
        cast(Any, mpl.rcParams).update(_SETTINGS)  # its type lists every key
        try:
            yield
        except BadInput:
            raise
        except _UNDRAWABLE as error:
            raise RecordError(f"{what} cannot be drawn: {' '.join(str(error).split())[:200]}") from error


def new_figure(width: float, height: float, size: Size | None = None) -> Figure:
    """An empty figure; it belongs to no window and no global list of figures.

    Args:
        width: Inches.
        height: Inches.
        size: Both, where somebody has asked for them.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size or (width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, folder: Path, name: str, formats: Sequence[str]) -> list[Path]:
    """Write a figure in each format.

    Raises:
        RecordUnwritable: The machine refused.
    """
    settle(figure)
    paths = []
    for kind in formats:
        buffer = io.BytesIO()
        # Without a date the same figure gives the same bytes.
        figure.savefig(buffer, format=kind, metadata=_UNDATED.get(kind))
        path = folder / f"{name}.{kind}"
        write_atomically(path, buffer.getvalue())
        paths.append(path)
    return paths


def settle(figure: Figure) -> None:
    """Lay the figure out once, in round numbers: the solver's last bits depend on where objects lie in memory."""
    from neuroevo.plots.ticks import label_numbers

    label_numbers(figure)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        axes.set_position(np.round(axes.get_position(original=True).bounds, 5).tolist())


def made(folder: Path) -> Path:
    """A folder, made where it is missing.

    Raises:
        RecordUnwritable: The machine refused.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def checked_formats(formats: Sequence[str]) -> tuple[str, ...]:
    """The formats, where all are known.

    Raises:
        ValueError: One is not.
    """
    if isinstance(formats, str) or not formats or not set(formats) <= set(KNOWN_FORMATS):
        raise BadInput(f"formats must be a sequence of png, svg and pdf, got {formats!r}")
    return tuple(formats)


def checked_size(size: Sequence[float] | None) -> Size | None:
    """Width and height in inches, where they are given.

    Raises:
        BadInput: They are no two numbers that make a picture.
    """
    if size is None:
        return None
    sides = tuple(size)
    if len(sides) != 2 or not all(isinstance(side, int | float) and _SIZES[0] <= side <= _SIZES[1] for side in sides):
        raise BadInput(f"size must be width and height in inches, {_SIZES[0]:g} to {_SIZES[1]:g} each, got {size!r}")
    return float(sides[0]), float(sides[1])


def heading(figure: Figure, title: str, subtitle: str) -> None:
    """A title over the whole figure, a quieter line below it."""
    # The second, empty line keeps the layout from using the subtitle's place.
    figure.suptitle(f"{single_line(title, 80)}\n", x=0.01, ha="left", fontsize=12, fontweight="bold", color=INK)
    below = 1 - 21 / 72 / figure.get_figheight()
    limit = int(figure.get_figwidth() * 14)
    figure.text(0.01, below, single_line(subtitle, limit), color=GREY, fontsize=9, va="top")


def line_looks(index: int) -> tuple[str, str]:
    """Colour and dashes of one of several lines."""
    return CYCLE[index % len(CYCLE)], DASHES[index // len(CYCLE) % len(DASHES)]


def single_line(text: object, limit: int) -> str:
    """A text as a plot shows it: one line of printable letters, shortened to `limit`."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in str(text)).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def error_label(name: str) -> str:
    """The name of an error on an axis: its unit in a line of its own."""
    return single_line(name, 60).replace(" (", "\n(")


def end_legend(axes: Axes, **arguments: Any) -> None:
    """A legend to the right of the axes, where it hides no curve."""
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0, **arguments)
