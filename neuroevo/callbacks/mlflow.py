"""MLflow: a run there for each run here."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from neuroevo.callbacks.tracking import RunTracker, Started, Status, closing_figures

if TYPE_CHECKING:
    from neuroevo.records import RunRecord

_KEY = "neuroevo.key"
_ENDS = {"finished": "FINISHED", "interrupted": "KILLED", "failed": "FAILED"}
# What a server takes at once, and the longest value of a parameter.
_METRICS, _PARAMETERS, _LONGEST = 1000, 100, 500
_SECONDS = 2.0


@dataclass
class _Opened:
    client: Any
    id: str
    waiting: list[Any] = field(default_factory=list)
    sent: float = field(default_factory=time.monotonic)


class MLflow(RunTracker):
    """Makes a run in MLflow: history as metrics, scenario as parameters, results as metrics, the folder as artefacts.

    A run that is resumed goes on in the one that it had. MLflow's own active run is left alone.

    Args:
        experiment: Its name; made where there is none.
        tracking_uri: Where MLflow keeps runs; None: where ``MLFLOW_TRACKING_URI`` says, or MLflow's default.
        artifacts: Whether the run's folder is stored at the end.

    Raises:
        BadInput: MLflow is not installed.
    """

    package: ClassVar[str] = "mlflow"
    extra: ClassVar[str] = "mlflow"

    def __init__(
        self, experiment: str = "neuroevo", *, tracking_uri: str | None = None, artifacts: bool = True
    ) -> None:
        super().__init__()
        self._experiment, self._uri, self._artifacts = experiment, tracking_uri, artifacts

    def open(self, run: Started) -> Any:
        mlflow = self._package()
        client = mlflow.MlflowClient(tracking_uri=self._uri)
        found = client.get_experiment_by_name(self._experiment)
        experiment = client.create_experiment(self._experiment) if found is None else found.experiment_id
        before = client.search_runs([experiment], f"tags.`{_KEY}` = '{run.key}'", max_results=1) if run.resumed else []
        if before:
            client.update_run(before[0].info.run_id, status="RUNNING")
            return _Opened(client, before[0].info.run_id)
        tags = {_KEY: run.key, "neuroevo.folder": str(run.path.resolve()), "neuroevo.group": run.group}
        made = client.create_run(experiment, run_name=run.name, tags=tags)
        parameters = [mlflow.entities.Param(name, str(v)[:_LONGEST]) for name, v in run.parameters.items() if v != ""]
        for first in range(0, len(parameters), _PARAMETERS):
            client.log_batch(made.info.run_id, params=parameters[first : first + _PARAMETERS])
        return _Opened(client, made.info.run_id)

    def write(self, opened: Any, generation: int, figures: Mapping[str, float]) -> None:
        make, now = self._package().entities.Metric, int(time.time() * 1000)
        opened.waiting += [make(name, value, now, generation) for name, value in figures.items()]
        if len(opened.waiting) >= _METRICS or time.monotonic() - opened.sent > _SECONDS:
            self._send(opened)

    def close(self, opened: Any, status: Status, record: RunRecord | None) -> None:
        if record is not None:
            self.write(
                opened, record.run["generations"], {f"results/{k}": v for k, v in closing_figures(record).items()}
            )
            if record.stop_reason is not None:
                opened.client.set_tag(opened.id, "neuroevo.stop_reason", record.stop_reason.message)
        self._send(opened)
        if record is not None and self._artifacts:
            opened.client.log_artifacts(opened.id, str(record.path))
        opened.client.set_terminated(opened.id, _ENDS[status])

    def _send(self, opened: Any) -> None:
        for first in range(0, len(opened.waiting), _METRICS):
            opened.client.log_batch(opened.id, metrics=opened.waiting[first : first + _METRICS])
        opened.waiting, opened.sent = [], time.monotonic()
