"""The table [generalise]: what makes a champion hold on data that it has not seen, and what tells whether it does."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge, Le

from neuroevo.errors import BadInput
from neuroevo.problems import as_sequences
from neuroevo.problems.folds import VALIDATION, Scheme, fold, together
from neuroevo.scenario.islands import BESIDE_SETTINGS
from neuroevo.settings import Mistake, SettingsError, parse_settings, shown
from neuroevo.strategies import STRATEGIES

if TYPE_CHECKING:
    from neuroevo.evolution.batches import BatchSettings
    from neuroevo.problems import Problem
    from neuroevo.scenario.islands import IslandSettings

_ELSEWHERE = {
    "weight_decay": "it is part of the error: write weight_decay in [problem]",
    "patience": "it ends a run: write validation_patience in [stop]",
    "validation_patience": "it ends a run: write it in [stop]",
}
NO_MEMORY = "take snes, openai_es or cma_es, which rank within a generation"
MOST_NOISE = 1e6
"""Beyond it nothing is left of inputs and weights, and sums come near the largest numbers that there are."""
PARTS_KEYS = ("fold", "folds", "scheme", "train_on")
"""Keys that say which data train."""


@dataclass(frozen=True)
class GeneraliseSettings:
    """The table [generalise].

    Attributes:
        input_noise: Standard deviation of Gaussian noise on the inputs, in scaled units; fresh in each generation, the
            same for all genomes of it.
        weight_noise: Standard deviation of Gaussian noise on the genes; fresh in each generation, the same for all
            genomes of it.
        every: Generations from one measurement without noise to the next; the first generation is measured too. Left
            out, 2; with a table [batch] what that says.
        folds: So many runs, each with another part of the training and validation data held out for validation; left
            out, none.
        scheme: How the data are divided: "rolling" (validation stretches later and later in time, training on all
            before each), "blocked" (each stretch of time in turn), "sequences" (groups of whole sequences, in turn).
            Left out, "rolling" for a single sequence, otherwise "sequences".
        fold: One of the folds alone, from 1.
        train_on: "train" or "train_and_validation": then both parts together are the training part, and nothing
            validates.
        final_fit: Whether a second search follows on training and validation data together, as long as the champion of
            the first one took; its champion is the result.
    """

    input_noise: Annotated[float, Ge(0), Le(MOST_NOISE)] = 0.0
    weight_noise: Annotated[float, Ge(0), Le(MOST_NOISE)] = 0.0
    every: Annotated[int, Ge(1)] | None = None
    folds: Annotated[int, Ge(2)] | None = None
    scheme: Scheme | None = None
    fold: Annotated[int, Ge(1)] | None = None
    train_on: Literal["train", "train_and_validation"] = "train"
    final_fit: bool = False

    def __post_init__(self) -> None:
        mistakes = []
        if self.folds is None:
            mistakes += [
                Mistake(name, "goes with folds only: say how many there are, folds = 5", shown(value))
                for name, value in (("scheme", self.scheme), ("fold", self.fold))
                if value is not None
            ]
        elif self.fold is not None and self.fold > self.folds:
            mistakes.append(Mistake("fold", f"must be one of the {self.folds} folds", shown(self.fold)))
        if self.every is not None and not self.noisy:
            mistakes.append(Mistake("every", "goes with input_noise or weight_noise only", shown(self.every)))
        if self.train_on != "train":
            mistakes += [
                Mistake(name, 'needs a validation part, and train_on = "train_and_validation" leaves none')
                for name, value in (("folds", self.folds), ("final_fit", self.final_fit))
                if value
            ]
        if mistakes:
            raise SettingsError(mistakes)

    @property
    def noisy(self) -> bool:
        """Whether genomes are evaluated under noise."""
        return self.input_noise > 0 or self.weight_noise > 0

    @property
    def asks_for_folds(self) -> bool:
        """Whether it stands for a run a fold, and not for one of them."""
        return self.folds is not None and self.fold is None

    @property
    def fits_at_last(self) -> bool:
        """Whether a final fit follows: a fold, which is there to be measured, has none."""
        return self.final_fit and self.fold is None

    def alone(self) -> GeneraliseSettings:
        """The settings of a single run: without folds, unless it is one of them."""
        return dataclasses.replace(self, folds=None, scheme=None) if self.asks_for_folds else self

    def problem_of(self, problem: Problem) -> Problem:
        """The problem with the parts that are asked for.

        Raises:
            BadInput: It can't have them.
        """
        if self.fold is not None and self.folds is not None:
            return fold(as_sequences(problem, "[generalise] folds"), self.fold, self.folds, self.scheme)
        if self.train_on != "train":
            return together(as_sequences(problem, "[generalise] train_on"))
        return problem


def read_generalise(table: Mapping[str, Any] | None) -> GeneraliseSettings | None:
    """The settings of the table; None where there is none.

    Raises:
        SettingsError: With every mistake in it.
    """
    if table is None:
        return None
    moved = [
        Mistake(f"generalise.{key}", "has another place", hint=_ELSEWHERE[key]) for key in table if key in _ELSEWHERE
    ]
    try:
        settings = parse_settings(
            GeneraliseSettings, {key: value for key, value in table.items() if key not in _ELSEWHERE}, "generalise"
        )
    except SettingsError as error:
        raise SettingsError([*moved, *error.mistakes]) from error
    if moved:
        raise SettingsError(moved)
    return settings


def remembering(strategies: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Which strategies, by resolved tables, compare errors of different generations, each with what to do about it."""
    found: dict[str, str] = {}
    for table in strategies:
        cls = STRATEGIES[table["kind"]]
        own = {key: value for key, value in table.items() if key not in ("kind", *BESIDE_SETTINGS)}
        if not cls.memoryless:
            found[f"{table['kind']} compares errors"] = NO_MEMORY
        elif hint := parse_settings(cls.Settings, own).remembers:
            found[f"{table['kind']} compares errors"] = hint
    return found


def check_generalise(
    settings: GeneraliseSettings,
    problem: Problem | None,
    strategies: Iterable[Mapping[str, Any]],
    islands: IslandSettings | None,
    batch: BatchSettings | None,
) -> None:
    """Check that the rest of a scenario goes with the settings.

    Args:
        settings: The table [generalise].
        problem: What is to be learnt, None where that is not known.
        strategies: Resolved tables.
        islands: The table [islands].
        batch: The table [batch].

    Raises:
        SettingsError: It does not.
    """
    mistakes = []
    if settings.noisy:
        mistakes += [
            Mistake("generalise", f"{what} of different generations, whose noise differs", hint=hint)
            for what, hint in remembering(strategies).items()
        ]
        if islands is not None and islands.replacement == "if_better":
            what = 'must be "always" with noise: errors of different generations can\'t be compared'
            mistakes.append(Mistake("islands.replacement", what))
        if settings.every is not None and batch is not None:
            mistakes.append(Mistake("generalise.every", "is said by [batch]", hint="write batch.every"))
    mistakes += _of_problem(settings, problem) if problem is not None else []
    if mistakes:
        raise SettingsError(mistakes)


def _of_problem(settings: GeneraliseSettings, problem: Problem) -> Iterable[Mistake]:
    for key, asked in (("input_noise", settings.input_noise), ("final_fit", settings.final_fit)):
        try:
            if asked:
                as_sequences(problem, f"generalise.{key}")
        except BadInput as error:
            yield Mistake(f"generalise.{key}", str(error))
            return
    if settings.input_noise and as_sequences(problem, "generalise.input_noise").free_run is not None:
        yield Mistake("generalise.input_noise", "is not for free runs, whose inputs are the network's own outputs")
    if settings.final_fit and VALIDATION not in problem.parts:
        hint = 'add one to [problem], such as parts = { train = 0.7, validation = 0.15, test = "rest" }'
        yield Mistake("generalise.final_fit", "needs a part called validation, and the problem has none", hint=hint)
