"""neuroevo predict, and what it shares with the other commands that use a run on data that have come since."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neuroevo.cli.failures import exit_codes
from neuroevo.cli.terminal import print_message, print_result

if TYPE_CHECKING:
    from neuroevo.prediction import PredictionTable

Model = Annotated[
    Path, typer.Argument(metavar="RUN", help="The folder of a run, or of a set of trials (its ensemble).")
]
Restart = Annotated[
    bool,
    typer.Option("--restart", help="Begin anew with the file's first row, instead of going on from the run's data."),
]
Member = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="The run's network of this number on its front, instead of its champion."),
]
Level = Annotated[
    float | None, typer.Option(metavar="SHARE", help="Of the intervals. [default: 0.9 where validation allows it]")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
Out = Annotated[Path | None, typer.Option(metavar="FILE", help="Write to a file instead of printing.")]


def predict(
    path: Model,
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Rows that follow the run's data, or overlap them.")],
    out: Out = None,
    level: Level = None,
    restart: Restart = False,
    member: Member = None,
    json: Json = False,
) -> None:
    """Predict what follows new rows, as CSV with intervals.

    To the very last row, whose target nobody knows; in original units.
    The file is read in exactly the way of the run's own. The state of a series is warmed up on all that came before.
    """
    with exit_codes():
        from neuroevo.records import open_model

        give(open_model(path, member=member).predict(data, level=level, restart=restart), out, json=json)


def give(table: PredictionTable, out: Path | None, *, json: bool) -> None:
    """Print a table on standard output, or write it and print the file's name; what is to be known goes beside."""
    from neuroevo.records.files import write_atomically

    for note in table.notes:
        print_message(note)
    text = table.to_json() + "\n" if json else table.to_csv()
    if out is None:
        print_result(text.removesuffix("\n"))
    else:
        write_atomically(out, text.encode("utf-8"))
        print_result(out)
