"""TensorBoard, by way of tensorboardX, which needs neither TensorFlow nor PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from neuroevo.callbacks.tracking import RunTracker, Started, Status, closing_figures

if TYPE_CHECKING:
    from neuroevo.records import RunRecord


@dataclass
class _Opened:
    run: Started
    writer: Any = None


class TensorBoard(RunTracker):
    """Writes runs where ``tensorboard --logdir`` shows them: history, scenario, and at the end hyperparameters.

    Args:
        folder: The logdir. Each run has a folder of its name in it.

    Raises:
        BadInput: tensorboardX is not installed.
    """

    package: ClassVar[str] = "tensorboardX"
    extra: ClassVar[str] = "tensorboard"

    def __init__(self, folder: str | Path = "results/tensorboard") -> None:
        super().__init__()
        self._folder = Path(folder)

    def open(self, run: Started) -> Any:
        return _Opened(run)

    def write(self, opened: Any, generation: int, figures: Mapping[str, float]) -> None:
        if opened.writer is None:
            # Of a run that is resumed, what had been shown from this generation on is taken back.
            folder = str(self._folder / opened.run.name)
            opened.writer = self._package().SummaryWriter(folder, purge_step=generation if opened.run.resumed else None)
            lines = "\n".join(f"    {name} = {value}" for name, value in opened.run.parameters.items())
            opened.writer.add_text("scenario", lines, generation)
        for name, value in figures.items():
            opened.writer.add_scalar(name, value, generation)

    def close(self, opened: Any, status: Status, record: RunRecord | None) -> None:  # noqa: ARG002 - it knows no status
        if opened.writer is None:
            return
        if record is not None:
            parameters = {name: str(v) if isinstance(v, str) else v for name, v in opened.run.parameters.items()}
            figures = {f"results/{name}": value for name, value in closing_figures(record).items()}
            opened.writer.add_hparams(parameters, figures, name="results", global_step=record.run["generations"])
        opened.writer.close()
