"""Distracted sequence recall: name the symbols that mattered, in their order, when asked.

D. Monner and J. A. Reggia, "A generalized LSTM-like training algorithm for second-order recurrent neural networks",
Neural Networks 25:70-83, 2012, section 5.1; a variation of the temporal order task of Hochreiter and Schmidhuber
(1997).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from neuroevo.problems.control.base import Chosen, FloatArray
from neuroevo.problems.control.begun import BegunEpisodes, largest
from neuroevo.problems.control.stepped import Columns
from neuroevo.settings import Mistake, SettingsError


@dataclass(frozen=True, kw_only=True)
class DistractedRecall(BegunEpisodes):
    """Delayed recall with distractors: symbols come one a step, some of them have to be named when asked.

    Each symbol is an input of its own, 1 when it comes, else 0: first those to be remembered, then the prompts, then
    the distractors. `n_asked` symbols to be remembered come at random places among distractors; then one prompt after
    the other asks for them in their order, and the largest output at a prompt is the answer. The error is the share of
    wrong answers. (The paper also wants outputs to be silent at all other times.)

    Attributes:
        n_asked: Symbols in an episode that have to be remembered; there are as many prompts.
        n_symbols: Different symbols of that kind, and outputs.
        n_distractors: Different symbols that mean nothing.
        length: Symbols before the first prompt.
    """

    kind: ClassVar[str] = "distracted_recall"
    error_name = "share of wrong answers"
    state_names: ClassVar[tuple[str, ...]] = ("right answers", "episode", "step")

    chooses: ClassVar[bool] = True

    n_asked: Annotated[int, Ge(1), Le(1000)] = 2
    n_symbols: Annotated[int, Ge(2), Le(1000)] = 4
    n_distractors: Annotated[int, Ge(1), Le(1000)] = 4
    length: Annotated[int, Ge(1), Le(100_000)] = 22
    n_train: Annotated[int, Ge(1)] = 50

    def __post_init__(self) -> None:
        if self.length < self.n_asked:
            expected = f"must be at least n_asked = {self.n_asked}, the symbols that have to come before the prompts"
            raise SettingsError([Mistake("length", expected, str(self.length))])

    @property
    def n_inputs(self) -> int:  # type: ignore[override]
        return self.n_symbols + self.n_asked + self.n_distractors

    @property
    def n_outputs(self) -> int:  # type: ignore[override]
        return self.n_symbols

    @property
    def input_names(self) -> tuple[str, ...]:
        prompts = (f"prompt {k + 1}" for k in range(self.n_asked))
        return *self.output_names, *prompts, *(f"distractor {k + 1}" for k in range(self.n_distractors))

    @property
    def output_names(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(f"symbol {k + 1}" for k in range(self.n_symbols))

    @cached_property
    def sequences(self) -> dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """By parts: which input is 1, and which answer is right or -1, each ``(n_episodes, n_steps)``."""
        return {part: self._drawn(part) for part in self.parts}

    def _drawn(self, part: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        symbols = np.empty((self.n_episodes(part), self.length + self.n_asked), np.int64)
        answers = np.full_like(symbols, -1)
        for k, seed in enumerate(self.seeds(part)):
            rng = np.random.default_rng(seed)
            symbols[k, : self.length] = self.n_symbols + self.n_asked + rng.integers(0, self.n_distractors, self.length)
            places = np.sort(rng.choice(self.length, self.n_asked, replace=False))
            answers[k, self.length :] = symbols[k, places] = rng.integers(0, self.n_symbols, self.n_asked)
            symbols[k, self.length :] = self.n_symbols + np.arange(self.n_asked)
        return symbols, answers

    @cached_property
    def _all(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """As `sequences`, of all parts one after the other."""
        symbols, answers = zip(*self.sequences.values(), strict=True)
        return np.concatenate(symbols), np.concatenate(answers)

    def begun(self, rng: np.random.Generator, number: int) -> FloatArray:  # noqa: ARG002 - `sequences` has what is drawn
        return np.zeros(1)

    def starts(self, part: str) -> FloatArray:
        self.check_part(part)
        before = sum(self.n_episodes(one) for one in self.parts[: self.parts.index(part)])
        numbers = before + np.arange(self.n_episodes(part), dtype=np.float64)
        return np.column_stack([0.0 * numbers, numbers, 0.0 * numbers])

    def longest(self, part: str) -> int:  # noqa: ARG002 - the same for all parts
        return self.length + self.n_asked

    def observed(self, state: Columns) -> FloatArray:
        episode, step = (np.atleast_1d(column).astype(int) for column in state[1:])
        seen: FloatArray = np.zeros((len(step), self.n_inputs))
        seen[np.arange(len(step)), self._all[0][episode, step]] = 1.0
        return seen

    def changed(self, state: Columns, outputs: FloatArray) -> Columns:
        right, episode, step = (np.atleast_1d(column) for column in state)
        answer = largest(outputs)
        right = right + (answer == self._all[1][episode.astype(int), step.astype(int)])
        return np.where(np.isnan(answer), np.nan, right), episode, step + 1

    def lasts(self, state: Columns) -> NDArray[np.bool_]:
        return np.atleast_1d(~np.isnan(state[0]) & (np.asarray(state[2]) < self.longest("train")))

    def judged(self, part: str, steps: NDArray[np.int64], rounds: list[Columns]) -> tuple[FloatArray, FloatArray]:  # noqa: ARG002
        right = np.atleast_1d(rounds[-1][0])
        return 1 - right / self.n_asked, (right == self.n_asked).astype(np.float64)

    def world(self, part: str, episodes: Chosen = None) -> Any:
        from neuroevo.kernels.worlds.recall import Recall

        symbols, answers = (table[slice(None) if episodes is None else episodes] for table in self.sequences[part])
        return Recall(
            n_steps=self.longest(part),
            n_episodes=len(symbols),
            n_inputs=self.n_inputs,
            n_outputs=self.n_outputs,
            n_asked=self.n_asked,
            symbols=symbols.ravel(),
            answers=answers.ravel(),
        )

    def describe(self) -> str:
        asked = "symbol" if self.n_asked == 1 else "symbols in their order"
        return f"recall of {self.n_asked} {asked} among {self.length - self.n_asked} distractors: {self.counts()}"
