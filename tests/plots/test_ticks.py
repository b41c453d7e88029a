"""The labels of all axes can be read: plain numbers, each that of its tick, no two alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroevo.plots import compare, curves, prediction, style, sweep
from neuroevo.plots.series import Look
from neuroevo.plots.ticks import Numbers
from tests.plots.test_plots import PROBLEMS, RNG, columns

SPANS = [1.001, 3.0, 12.0, 250.0, 1e4, 1e9, 1e25]
SIZES = [1e-12, 1e-3, 1.0, 3e5]


def settled(figure: Any) -> Any:
    style.settle(figure)
    return figure


def labels_of(figure: Any) -> Iterator[tuple[list[str], np.ndarray[Any, Any]]]:
    """The labels within the limits of each axis that shows any, and their places."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
            texts = [tick.label1.get_text() for tick in ticks]
            offsets = axis.get_offset_text().get_text()
            minor = "".join(tick.label1.get_text() for tick in axis.get_minor_ticks())
            assert not offsets
            assert not minor
            if any(texts):
                yield texts, np.array([tick.get_loc() for tick in ticks])


def assert_readable(figure: Any, named: bool = False) -> None:
    n_axes = 0
    for texts, places in labels_of(figure):
        assert not any(letter in text for text in texts for letter in "$\\{^"), texts
        assert len(set(texts)) == len(texts), texts
        if named and not all(text.replace(".", "").replace(",", "").lstrip("-").isdigit() for text in texts):
            continue
        numbers = np.array([float(text.replace(",", "")) for text in texts])
        if named and np.allclose(12 * (numbers - 2000) + 1, places):
            continue  # the years of months, which stand at steps
        gap = np.abs(np.diff(places)).min(initial=np.abs(places).max())
        np.testing.assert_allclose(numbers, places, rtol=0, atol=2e-3 * gap)
        assert max(map(len, texts)) <= len("1.0002e-12"), texts
        n_axes += 1
    assert n_axes or named


@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("size", SIZES)
def test_curves_have_labels_that_can_be_read(span: float, size: float) -> None:
    error = np.geomspace(size * span, size, 40)
    with style.drawing("curves"):
        figure = settled(curves.draw_curves(columns(40, incumbent_error=error, best_error=error, median_error=error,
                                                    incumbent_fitness=1 / error), "", ""))  # fmt: skip
        assert_readable(figure)
        assert len(figure.axes[0].get_yticks()) > 1


def test_curves_that_reach_an_error_of_0_show_it() -> None:
    error = np.r_[np.full(20, 0.45), np.full(19, 0.2), 0.0]
    with style.drawing("curves"):
        figure = curves.draw_curves(columns(40, incumbent_error=error, best_error=error, median_error=error,
                                            incumbent_fitness=1 / np.maximum(error, 1e-300)), "", "")  # fmt: skip
        assert figure.axes[0].get_yscale() == "linear"
        assert figure.axes[0].get_ylim()[0] < 0


@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("size", SIZES)
def test_comparisons_have_labels_that_can_be_read(span: float, size: float) -> None:
    groups = {
        name: [(np.arange(1.0, 41) * 1e5, scale * np.geomspace(size * span, size, 40))]
        for name, scale in (("a", 1.0), ("b", 1.1))
    }
    with style.drawing("a comparison"):
        figure = settled(compare._draw(groups, "", "error"))
        assert_readable(figure)
        assert any("," in text for texts, _ in labels_of(figure) for text in texts)  # thousands of evaluations


@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("size", SIZES)
def test_sweeps_have_labels_that_can_be_read(span: float, size: float) -> None:
    errors = np.geomspace(size, size * span, 14)
    points = [
        {"values": {"a.width": float(value), "a.units": 2**number}, "n_finished": 1,
         "figures": {"champion.error": {"n": 1, "lower_quartile": error, "median": error, "upper_quartile": error}}}
        for number, (value, error) in enumerate(zip(np.geomspace(1e-5, 30, 14), errors, strict=True))
    ]  # fmt: skip
    with style.drawing("a sweep"):
        figure = settled(
            sweep._draw({"chosen_by": "champion.error", "points": points, "keys": ["a.width", "a.units"]}, "")
        )
        assert_readable(figure)
        assert [axes.get_xscale() for axes in figure.axes] == ["log", "log"]
        assert figure.axes[0].get_yscale() == ("log" if span > 8 else "linear")


@pytest.mark.parametrize("form", PROBLEMS)
def test_predictions_have_labels_that_can_be_read(form: str) -> None:
    problem = PROBLEMS[form]()
    with style.drawing(form):
        assert_readable(
            settled(prediction.draw_prediction(RNG.normal(size=problem.targets.shape), problem, Look(""))), named=True
        )


@given(st.floats(-1e12, 1e12), st.sampled_from([1.0, 2.0, 2.5, 5.0]), st.integers(-12, 12), st.integers(2, 9))
def test_evenly_spaced_numbers_are_told_apart(start: float, step: float, power: int, n: int) -> None:
    step *= 10.0**power
    first = round(start / step) * step
    places = first + step * np.arange(n)
    if np.abs(places).max() / step > 1e12:  # double precision has no more digits
        return
    labels = Numbers().format_ticks(list(places))
    assert len(set(labels)) == n
    np.testing.assert_allclose([float(label) for label in labels], places, rtol=0, atol=step / 500)


def test_numbers_look_as_people_write_them() -> None:
    for values, labels in (
        ([0, 0.5, 1], ["0.0", "0.5", "1.0"]),
        ([1900, 1920, 1940], ["1900", "1920", "1940"]),
        ([0.025, 0.05, 0.075], ["0.025", "0.050", "0.075"]),
        ([-0.0, 2.0], ["0", "2"]),
        ([0.01, 0.1, 1, 10], ["0.01", "0.1", "1", "10"]),
        ([0.2, 0.5, 1, 2], ["0.2", "0.5", "1", "2"]),
        ([1e-9, 1e-6, 1e-3], ["1e-9", "1e-6", "0.001"]),
        ([1e9, 2e9], ["1e9", "2e9"]),
        ([0.5], ["0.5"]),
        ([], []),
    ):
        assert Numbers().format_ticks(values) == labels
    assert Numbers(counts=True).format_ticks([0, 2500, 1e6]) == ["0", "2,500", "1,000,000"]


def test_titles_with_dollars_stay_what_they_are(tmp_path: Path) -> None:
    title = "A $run_1$ \\frac{1}{2} ^_"
    with style.drawing("curves"):
        figure = settled(curves.draw_curves(columns(5), title, title))
        assert figure._suptitle.get_text().strip() == title
        (path,) = style.save(figure, tmp_path, "curves", ("svg",))
    assert json.dumps(title)[1:10] in path.read_text()
