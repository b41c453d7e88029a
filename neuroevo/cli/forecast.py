"""neuroevo forecast."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from neuroevo.cli.failures import exit_codes
from neuroevo.cli.predict import Json, Level, Member, Model, Out, Restart, give
from neuroevo.cli.terminal import print_result


def forecast(
    path: Model,
    data: Annotated[
        Path | None,
        typer.Argument(metavar="DATA", help="Rows that follow the run's data, or overlap them. [default: none]"),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, metavar="N", help="Rows beyond the last one.")] = 24,
    out: Out = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw it too, into a file that ends with .png, .svg or .pdf.")
    ] = None,
    level: Level = None,
    restart: Restart = False,
    member: Member = None,
    json: Json = False,
) -> None:
    """Forecast beyond the last row, as CSV and picture.

    Outputs come back as inputs, or are those of the horizons that the run was trained for; in original units.
    The intervals of each step are as wide as such forecasts from the validation part have missed at that step.
    """
    with exit_codes():
        from neuroevo.records import open_model

        if plot is not None:
            from neuroevo.plots.forecast import checked_file

            checked_file(plot)
        model = open_model(path, member=member)
        table = model.forecast(steps, data, level=level, restart=restart)
        give(table, out, json=json)
        if plot is not None:
            from neuroevo.plots.forecast import plot_forecast

            file = plot_forecast(table, model.title, plot)
            if out is not None:
                print_result(file)
