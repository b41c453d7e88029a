"""The single stopping criteria: each is one sentence about the figures of a generation and those before it."""

from __future__ import annotations

import math
import signal as signals
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Interval
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.stopping.base import StoppingCriterion, StopReason
from neuroevo.stopping.progress import Progress

Count = Annotated[int, Ge(1)]
Share = Annotated[float, Interval(gt=0, le=1)]
Error = Annotated[float, Interval(ge=0, lt=math.inf)]
Positive = Annotated[float, Interval(gt=0, lt=math.inf)]


@dataclass(frozen=True)
class Generations(StoppingCriterion):
    """So many generations have been told."""

    name: ClassVar[str] = "generations"
    certain: ClassVar[bool] = True
    limit: Count

    def check(self, progress: Progress) -> StopReason | None:
        if progress.generation < self.limit:
            return None
        return StopReason(self.name, float(progress.generation), f"{progress.generation} generations done")

    def standing(self, progress: Progress) -> str:
        return f"{self.name} {progress.generation}/{self.limit}"


@dataclass(frozen=True)
class Evaluations(StoppingCriterion):
    """So many genomes have been evaluated; the generation that reaches the limit is finished."""

    name: ClassVar[str] = "evaluations"
    certain: ClassVar[bool] = True
    limit: Count

    def check(self, progress: Progress) -> StopReason | None:
        if progress.evaluations < self.limit:
            return None
        return StopReason(self.name, float(progress.evaluations), f"{progress.evaluations} evaluations done")

    def standing(self, progress: Progress) -> str:
        return f"{self.name} {progress.evaluations}/{self.limit}"


@dataclass(frozen=True)
class Seconds(StoppingCriterion):
    """So many seconds of wall-clock time have passed, pauses between an interruption and its resume not counted.

    The one criterion whose generation depends on the machine: a run that it ends is repeated only up to there.
    """

    name: ClassVar[str] = "seconds"
    certain: ClassVar[bool] = True
    limit: Positive

    def check(self, progress: Progress) -> StopReason | None:
        if progress.seconds < self.limit:
            return None
        return StopReason(self.name, progress.seconds, f"{progress.seconds:.1f} of {self.limit:g} seconds used")

    def standing(self, progress: Progress) -> str:
        return f"{self.name} {progress.seconds:.0f}/{self.limit:g}"


@dataclass(frozen=True)
class ErrorReached(StoppingCriterion):
    """The incumbent's error on the training part has come down to the target."""

    name: ClassVar[str] = "error"
    target: Error

    def check(self, progress: Progress) -> StopReason | None:
        value = progress.incumbent_error
        if not value <= self.target:
            return None
        message = f"training error {value:.6g} reached the target of {self.target:g}{_named(progress)}"
        return StopReason(self.name, value, message)

    def standing(self, progress: Progress) -> str:
        return f"{self.name} {progress.incumbent_error:.3g}, wanted {self.target:g}"


@dataclass(frozen=True)
class FitnessReached(StoppingCriterion):
    """The incumbent's fitness has come up to the target."""

    name: ClassVar[str] = "fitness"
    target: Positive

    def check(self, progress: Progress) -> StopReason | None:
        value = progress.incumbent_fitness
        if not value >= self.target:
            return None
        return StopReason(self.name, value, f"fitness {value:.6g} reached the target of {self.target:g}")

    def standing(self, progress: Progress) -> str:
        return f"{self.name} {progress.incumbent_fitness:.3g}, wanted {self.target:g}"


@dataclass(frozen=True)
class Learned(StoppingCriterion):
    """The incumbent gets this share of the training targets right."""

    name: ClassVar[str] = "learned"
    share: Share

    def check(self, progress: Progress) -> StopReason | None:
        value = progress.incumbent_learned
        if not value >= self.share:
            return None
        message = f"{100 * value:.4g} % of the training data learnt (target {100 * self.share:g} %)"
        return StopReason(self.name, value, message)

    def standing(self, progress: Progress) -> str:
        return f"{self.name} {100 * progress.incumbent_learned:.3g} %, wanted {100 * self.share:g}"


@dataclass(frozen=True)
class ValidationErrorReached(StoppingCriterion):
    """The error on the validation part has come down to the target."""

    name: ClassVar[str] = "validation_error"
    columns: ClassVar[tuple[str, ...]] = ("validation_error",)
    target: Error

    def check(self, progress: Progress) -> StopReason | None:
        value = progress.validation_error
        if not value <= self.target:
            return None
        message = f"validation error {value:.6g} reached the target of {self.target:g}{_named(progress)}"
        return StopReason(self.name, value, message)

    def standing(self, progress: Progress) -> str:
        return f"{self.name} {progress.history.best_so_far(self.columns[0])[-1]:.3g}, wanted {self.target:g}"


@dataclass(frozen=True)
class Stagnation(StoppingCriterion):
    """The incumbent has not improved by more than the margin for `patience` generations.

    Attributes:
        patience: Generations to wait.
        absolute: Improvements up to this error do not count.
        relative: Improvements up to this share of the earlier error do not count; the larger margin holds.
    """

    name: ClassVar[str] = "stagnation"
    patience: Count
    absolute: Error = 0.0
    relative: Annotated[float, Interval(ge=0, lt=1)] = 0.0

    def check(self, progress: Progress) -> StopReason | None:
        if progress.generation <= self.patience:
            return None
        earlier = float(progress.history["incumbent_error"][-1 - self.patience])
        if _improved(earlier, progress.incumbent_error, self.absolute, self.relative):
            return None
        message = f"no better error than {earlier:.6g} for {self.patience} generations{_named(progress)}"
        return StopReason(self.name, float(self.patience), message)

    def standing(self, progress: Progress) -> str:
        waited = _waited(progress.history["incumbent_error"], self)
        return f"{self.name} {waited}/{self.patience}"


@dataclass(frozen=True)
class ValidationPatience(StoppingCriterion):
    """The best validation error has not improved by more than the margin for `patience` generations (early stopping).

    Measured from the best so far and not from the last one, as Prechelt (1998, "Early stopping - but when?") has it:
    validation curves have more than one local minimum. Attributes as those of :class:`Stagnation`.
    """

    name: ClassVar[str] = "validation_patience"
    columns: ClassVar[tuple[str, ...]] = ("validation_error",)
    patience: Count
    absolute: Error = 0.0
    relative: Annotated[float, Interval(ge=0, lt=1)] = 0.0

    def check(self, progress: Progress) -> StopReason | None:
        if progress.generation <= self.patience:
            return None
        best = progress.history.best_so_far("validation_error")
        earlier, now = float(best[-1 - self.patience]), float(best[-1])
        if math.isnan(earlier) or _improved(earlier, now, self.absolute, self.relative):
            return None
        message = f"no better validation error than {earlier:.6g} for {self.patience} generations{_named(progress)}"
        return StopReason(self.name, float(self.patience), message)

    def standing(self, progress: Progress) -> str:
        waited = _waited(progress.history.best_so_far("validation_error"), self)
        return f"{self.name} {waited}/{self.patience}"


def _named(progress: Progress) -> str:
    """What the error is, to be put behind a sentence about it; nothing where the problem has no name for it."""
    return "" if progress.error_name == "error" else f", {progress.error_name}"


def _waited(best: NDArray[np.float64], rule: Stagnation | ValidationPatience) -> int:
    """Generations, up to the rule's patience, for which the best has not improved by more than its margin."""
    most = min(rule.patience, len(best) - 1)
    for waited in range(1, most + 1):
        earlier = float(best[-1 - waited])
        if math.isnan(earlier) or _improved(earlier, float(best[-1]), rule.absolute, rule.relative):
            return waited - 1
    return max(0, most)


def _improved(earlier: float, now: float, absolute: float, relative: float) -> bool:
    if math.isinf(earlier):
        return now < earlier
    return earlier - now > max(absolute, relative * abs(earlier))


@dataclass(frozen=True)
class Diversity(StoppingCriterion):
    """The population has collapsed: its genes differ by no more than `least` on average (standard deviation)."""

    name: ClassVar[str] = "diversity"
    least: Error

    def check(self, progress: Progress) -> StopReason | None:
        value = progress.diversity
        if not value <= self.least:
            return None
        return StopReason(self.name, value, f"diversity {value:.6g} fell to {self.least:g}")

    def standing(self, progress: Progress) -> str:
        return f"{self.name} {progress.diversity:.3g}, wanted {self.least:g}"


@dataclass(frozen=True)
class Failed(StoppingCriterion):
    """This share of the evaluations of the last `patience` generations, taken together, has failed."""

    name: ClassVar[str] = "failed"
    share: Share
    patience: Count = 1

    def check(self, progress: Progress) -> StopReason | None:
        if progress.generation < self.patience:
            return None
        evaluations = progress.history["evaluations"]
        before = int(evaluations[-1 - self.patience]) if len(evaluations) > self.patience else 0
        n_evaluations = progress.evaluations - before
        value = int(progress.history["n_failed"][-self.patience :].sum()) / n_evaluations
        if value < self.share:
            return None
        return StopReason(self.name, value, f"{100 * value:.4g} % of {n_evaluations} evaluations failed")


@dataclass(frozen=True)
class FileAppears(StoppingCriterion):
    """A file of that path exists: ``touch`` it to end a run in an orderly way from anywhere."""

    name: ClassVar[str] = "file"
    path: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.path or "\0" in self.path:
            raise BadInput(f"file must be the path of a file, got {self.path!r}")

    def check(self, progress: Progress) -> StopReason | None:
        if not Path(self.path).exists():
            return None
        return StopReason(self.name, float(progress.generation), f"the file {self.path} appeared")


@dataclass(frozen=True)
class SignalReceived(StoppingCriterion):
    """The process has received a signal ("SIGUSR1", as batch systems send it before they end a job)."""

    name: ClassVar[str] = "signal"
    signal: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.signal not in signals.Signals.__members__ or self.signal in ("SIGKILL", "SIGSTOP"):
            raise BadInput(f"signal must be the name of a signal that can be caught (SIGUSR1), got {self.signal!r}")

    def check(self, progress: Progress) -> StopReason | None:
        if self.signal not in progress.signals:
            return None
        return StopReason(self.name, float(signals.Signals[self.signal]), f"{self.signal} received")


class Custom(StoppingCriterion):
    """A function of one's own as a criterion: ``Custom("drift", lambda progress: progress.diversity > 9)``.

    Args:
        name: What the reason calls it.
        function: Given the :class:`Progress`, returns whether to stop, or the :class:`StopReason`, or None.
    """

    def __init__(self, name: str, function: Callable[[Progress], StopReason | bool | None]) -> None:
        self.label = name
        self.function = function

    def check(self, progress: Progress) -> StopReason | None:
        verdict = self.function(progress)
        if isinstance(verdict, StopReason):
            return verdict
        if not verdict:
            return None
        return StopReason(
            self.label, float(progress.generation), f"{self.label} held in generation {progress.generation}"
        )
