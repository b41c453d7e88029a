"""The picture of a forecast shows what the table says."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroevo.errors import BadInput
from neuroevo.plots import style
from neuroevo.plots.forecast import draw_forecast, plot_forecast
from neuroevo.prediction import PredictionTable


def table(labels: list[Any], n_past: int, names: tuple[str, ...] = ("load",), **arguments: Any) -> PredictionTable:
    n, rng = len(labels) - n_past, np.random.default_rng(1)
    prediction = rng.normal(size=(n, len(names)))
    past = labels[:n_past], rng.normal(size=(n_past, len(names)))
    return PredictionTable({"when": labels[n_past:]}, names, prediction, past=past, **arguments)


LABELS: dict[str, list[Any]] = {
    "years": list(range(1950, 2000)),
    "months": [f"{1990 + k // 12}-{k % 12 + 1:02d}" for k in range(50)],
    "days": [(dt.date(2024, 1, 20) + dt.timedelta(days=k)).isoformat() for k in range(50)],
    "hours": [f"2016-07-{1 + k // 24:02d} {k % 24:02d}:00" for k in range(50)],
    "names": [f"step {k}" for k in range(48)] + ["step 47 +1", "step 47 +2"],
    "decimals": [0.25 * k for k in range(50)],
}


@pytest.mark.parametrize("name", LABELS)
def test_ticks_are_labels_of_the_rows_where_they_stand(name: str) -> None:
    labels = LABELS[name]
    with style.drawing("a test"):
        figure = draw_forecast(table(labels, 40), "A title")
        (axes,) = figure.axes
        figure.draw_without_rendering()
        ticks = [
            (place, text.get_text()) for place, text in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
        ]
        boxes = [text.get_window_extent() for text in axes.get_xticklabels()]
    assert 2 <= len(ticks) <= 8
    assert all(str(labels[int(place) + 39]).startswith(text.replace("\n", " ")) for place, text in ticks)
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))
    rounds = {
        "years": "[0-9]{3}[05]", "months": "[0-9]{4}", "hours": "2016-07-0[123]\n(00|12):00", "days": "2024-0[123]-[0-9]{2}"
    }  # fmt: skip
    assert all(re.fullmatch(rounds.get(name, ".*"), text) for _, text in ticks)


def test_lines_begin_at_what_was_last_known_and_bands_end_where_intervals_do() -> None:
    low, high = np.full((10, 2), -3.0), np.full((10, 2), 3.0)
    low[6:], high[6:] = np.nan, np.nan
    its = table(LABELS["days"], 40, ("load", "wind"), low=low, high=high, level=0.9, spread=np.full((10, 2), 0.1))
    with style.drawing("a test"):
        figure = draw_forecast(its, "A title")
    assert [axes.get_ylabel() for axes in figure.axes] == ["load", "wind"]
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        "known", "90 % interval", "members (one deviation)", "forecast"
    ]  # fmt: skip
    for i, axes in enumerate(figure.axes):
        lines = {line.get_label(): line.get_xydata() for line in axes.get_lines()}
        assert its.past is not None
        np.testing.assert_array_equal(lines["known"][:, 1], its.past[1][:, i])
        np.testing.assert_array_equal(lines["forecast"][:, 0], np.arange(11))
        np.testing.assert_array_equal(lines["forecast"][:, 1], [its.past[1][-1, i], *its.prediction[:, i]])
        band = axes.collections[0].get_paths()[0].get_extents()
        assert (band.x0, band.x1, band.y0, band.y1) == (0, 6, -3, 3)


def test_files_are_those_that_were_asked_for(tmp_path: Path) -> None:
    its = table(LABELS["years"], 0)
    for name, start in (("a.png", b"\x89PNG"), ("b.svg", b"<?xml"), ("c.pdf", b"%PDF")):
        path = plot_forecast(its, "A title", tmp_path / name)
        assert path.read_bytes().startswith(start)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.svg", "c.pdf"]
    with pytest.raises(BadInput, match=r"must end with \.png, \.svg or \.pdf"):
        plot_forecast(its, "A title", tmp_path / "d.gif")
