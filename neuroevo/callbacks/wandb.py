"""Weights & Biases: a run there for each run here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from neuroevo.callbacks.tracking import RunTracker, Started, Status, closing_figures

if TYPE_CHECKING:
    from neuroevo.records import RunRecord


class WandB(RunTracker):
    """Makes a run in Weights & Biases: history, scenario as config, results as summary, the folder as artefact.

    A run that is resumed goes on in the one that it had; the runs of a set are a group.

    Args:
        project: Its name.
        artifacts: Whether the run's folder is stored at the end.
        **options: Further arguments of ``wandb.init``, such as ``entity``, ``mode="offline"`` or ``dir``.

    Raises:
        BadInput: wandb is not installed.
    """

    package: ClassVar[str] = "wandb"
    extra: ClassVar[str] = "wandb"

    def __init__(self, project: str = "neuroevo", *, artifacts: bool = True, **options: Any) -> None:
        super().__init__()
        self._project, self._artifacts, self._options = project, artifacts, options

    def open(self, run: Started) -> Any:
        given = {"name": run.name, "group": run.group, "config": dict(run.parameters), **self._options}
        return self._package().init(project=self._project, id=run.key, resume="allow", reinit="create_new", **given)

    def write(self, opened: Any, generation: int, figures: Mapping[str, float]) -> None:
        opened.log(dict(figures), step=generation)

    def close(self, opened: Any, status: Status, record: RunRecord | None) -> None:
        if record is not None:
            opened.summary.update({f"results/{name}": value for name, value in closing_figures(record).items()})
            if record.stop_reason is not None:
                opened.summary.update({"stop_reason": record.stop_reason.message})
            if self._artifacts:
                artifact = self._package().Artifact(re.sub(r"[^\w.-]+", "-", f"{opened.name}-{opened.id}"), type="run")
                artifact.add_dir(str(record.path))
                opened.log_artifact(artifact)
        opened.finish(exit_code=0 if status == "finished" else 1)
