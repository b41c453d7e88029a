"""Champions of control problems at work: strips, animations, and what can't be drawn."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from neuroevo.cli.app import app
from neuroevo.errors import BadInput
from neuroevo.networks import Elman
from neuroevo.plots import plot_run
from neuroevo.plots.episode import Episode, draw_strip
from neuroevo.plots.style import drawing, save
from neuroevo.problems.control.acrobot import Acrobot
from neuroevo.problems.control.hills import MountainCar
from neuroevo.problems.control.mazes import TMaze
from neuroevo.problems.control.own import Simulator
from neuroevo.problems.control.poles import DoublePole, SinglePole
from neuroevo.problems.control.recall import DistractedRecall
from tests.plots.test_plots import make_record, series

SIMULATOR = Simulator(function="tests.problems.control.simulators:follow", n_inputs=1, n_outputs=1, n_test=4)
DRAWN = [
    TMaze(length=3),
    DistractedRecall(length=4),
    MountainCar(n_steps=20),
    Acrobot(n_steps=20),
    SinglePole(n_steps=20),
    DoublePole(n_steps=20, velocities=True),
    SIMULATOR,
]


@pytest.mark.parametrize("problem", DRAWN, ids=lambda problem: problem.kind)
def test_every_problem_has_a_strip(problem: Any, tmp_path: Path) -> None:
    network = Elman(problem.n_inputs, 2, problem.n_outputs)
    genome, chosen = np.random.default_rng(0).normal(size=network.n_genes), Episode("test", 2)
    trace = chosen.traced(problem, network, genome)
    with drawing("a strip"):
        figure = draw_strip(problem, trace, "A strip", chosen.words(problem, trace), None)
        (file,) = save(figure, tmp_path, "episode", ("svg",))
    drawn = file.read_text()
    for words in ("episode 2 of test", *problem.input_names, *problem.output_names):
        assert f"<!-- {words}" in drawn


def test_an_animation_has_a_picture_for_every_moment(tmp_path: Path) -> None:
    record = make_record(tmp_path, TMaze(length=3))
    chosen = Episode(n_steps=4, animate=True)
    *_, file = plot_run(record, ("png",), episode=chosen)
    first = file.read_bytes()
    with Image.open(file) as image:
        assert image.n_frames == 5
        assert image.convert("RGB").getpixel((1, image.size[1] - 1)) == (255, 255, 255)
    assert plot_run(record, ("png",), episode=chosen)[-1].read_bytes() == first


def test_what_cannot_be_played_once_more_is_not_drawn(tmp_path: Path) -> None:
    folder = tmp_path / "records"
    folder.mkdir()
    record = make_record(folder, Simulator(function="tests.nowhere:follow", n_inputs=1, n_outputs=1))
    with pytest.raises(BadInput, match=r"tests\.nowhere"):
        plot_run(record, ("svg",), episode=Episode())
    assert [path.name for path in plot_run(record, ("svg",))] == ["curves.svg"]
    assert "no picture of the champion at work" in (record.path / "run.log").read_text()
    shutil.rmtree(record.path)
    record = make_record(folder, TMaze())
    for chosen, words in (
        (Episode("tset"), "no part 'tset'"), (Episode("test", 101), "100 episodes, numbered from 1"),
        (Episode(n_steps=0), "steps must be"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=words):
            plot_run(record, ("svg",), episode=chosen)
    with pytest.raises(BadInput, match="--part, --episode and --steps"):
        plot_run(record, ("svg",), span=("1", None))


def test_the_options_of_the_command(tmp_path: Path) -> None:
    for name in ("control", "sequences"):
        (tmp_path / name).mkdir()
    record = make_record(tmp_path / "control", TMaze(length=3))
    other = make_record(tmp_path / "sequences", series())

    def plot(*arguments: Any) -> tuple[int, list[str], str]:
        result = CliRunner().invoke(app, ["plot", *map(str, arguments), "--format", "svg"])
        return result.exit_code, [Path(line).name for line in result.stdout.splitlines()], result.stderr

    options = ["--part", "test", "--episode", 3, "--steps", 4]
    assert plot(record.path, *options) == (0, ["curves.svg", "episode.svg"], "")
    assert "episode 3 of test · its first 4 steps" in (record.path / "plots" / "episode.svg").read_text()
    for arguments, words in (
        ([record.path, "--episode", 0], "--episode must be at least 1, got 0"),
        ([record.path, "--from", 2], "plays episodes"),
        ([other.path, "--animate"], "plays no episodes: --from and --to"),
        ([record.path, other.path, "--together", "--part", "test"], "--together shows no episodes"),
    ):  # fmt: skip
        code, _, said = plot(*arguments)
        assert code == 2
        assert words in said
