"""neuroevo evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from neuroevo.cli.failures import exit_codes
from neuroevo.cli.predict import Json, Member, Model, Restart
from neuroevo.cli.terminal import print_message, print_result


def evaluate(
    path: Model,
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Rows that follow the run's data, or overlap them.")],
    restart: Restart = False,
    member: Member = None,
    json: Json = False,
) -> None:
    """Print errors on new data, beside simple competitors.

    Those are fitted on the run's training part; the run's own parts stand beside the new data.
    """
    with exit_codes():
        from json import dumps

        from neuroevo.analysis.evaluations import evaluate as evaluated
        from neuroevo.cli.texts import intervals_text, results_text
        from neuroevo.records import open_model

        found = evaluated(open_model(path, member=member), data, name=data.stem, restart=restart)
        for note in found.notes:
            print_message(note)
        results = found.results.to_dict()
        if json:
            intervals = None if found.intervals is None else dict(found.intervals)
            text = {"part": found.part, **results, "intervals": intervals, "notes": list(found.notes)}
            print_result(dumps(text, indent=1, ensure_ascii=False))
            return
        print_result(results_text(results))
        if found.intervals is not None:
            print_result(f"\n{intervals_text(found.intervals)}")
