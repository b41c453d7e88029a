"""The same choices for DEAP, which asks the global `random`, and for our operators, which ask a generator."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest


class ScriptedGenerator:
    """Gives prepared arrays in the place of `random`, `integers` and `standard_normal`."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def _next(self, *_arguments: Any, **_options: Any) -> Any:
        return np.array(self.answers.pop(0))

    random = integers = standard_normal = _next


def script(monkeypatch: pytest.MonkeyPatch, **answers: Iterable[Any]) -> None:
    """Let functions of the global `random` give prepared answers, one a call."""
    for name, values in answers.items():
        iterator = iter(values)
        monkeypatch.setattr(random, name, lambda *_arguments, _iterator=iterator: next(_iterator))
