"""`neuroevo plot` does what its options say."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

import neuroevo as ne
from neuroevo.cli.app import app


def plot(*arguments: str | Path) -> tuple[int, list[str], str]:
    result = CliRunner().invoke(app, ["plot", *map(str, arguments)])
    return result.exit_code, [Path(line).name for line in result.stdout.splitlines()], result.stderr


def test_options_choose_what_is_drawn_and_where(small_scenario: Path, tmp_path: Path) -> None:
    first, second = (ne.run(small_scenario, seed=seed, results=tmp_path / "runs").path for seed in (1, 2))
    files = ["curves.png", "curves.pdf", "prediction.png", "prediction.pdf"]
    out = tmp_path / "out"
    assert plot(first, "--from", 2, "--size", "6x4", "--format", "png,pdf", "--out", out) == (0, files, "")
    assert sorted(path.name for path in out.iterdir()) == sorted(files)
    assert plot(first, second, "--format", "svg", "--out", out)[0] == 0
    assert {path.name for path in out.iterdir() if path.is_dir()} == {first.name, second.name}
    code, drawn, _ = plot(first, second, "--together", "--format", "svg", "--out", out)
    assert (code, drawn) == (0, ["compare.svg", "predictions.svg"])
    for wrong, words in (
        (["--size", "6"], "such as 12x5"), (["--format", "gif"], "png, svg and pdf"),
        (["--from", "9999"], "no row lies from 9999"), (["--together"], "two runs"),
    ):  # fmt: skip
        code, _, said = plot(first, *wrong)
        assert code == 2
        assert words in said
