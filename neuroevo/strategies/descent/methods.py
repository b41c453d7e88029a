"""The kinds of descent by how gradients are found; `neuroevo.evaluation.learning` says it to the evaluator.

All that are exact find the same gradient at other costs: of time, and of memory in long sequences.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from annotated_types import Ge

from neuroevo.strategies.descent.base import Descent, DescentSettings


@dataclass(frozen=True)
class TruncatedSettings(DescentSettings):
    """Settings of descents whose errors run back through time.

    Attributes:
        truncation: Steps that an error runs back at most; 0 for all.
    """

    truncation: Annotated[int, Ge(0)] = 0


class Bptt(Descent):
    """Descent by backpropagation through time, full or truncated (Werbos 1990; Williams and Peng 1990)."""

    Settings = TruncatedSettings

    def _limits(self) -> dict[str, int]:
        return {"truncation": cast("TruncatedSettings", self.settings).truncation}


class Rtrl(Descent):
    """Descent by real-time recurrent learning: sensitivities run forward (Williams and Zipser 1989)."""

    METHOD = "rtrl"


@dataclass(frozen=True)
class HybridSettings(DescentSettings):
    """Settings of the hybrid.

    Attributes:
        block: Steps of a block; 0 takes as many as there are units, as Schmidhuber 1992 recommends.
    """

    block: Annotated[int, Ge(0)] = 0


class Hybrid(Descent):
    """Descent by blocks of backpropagation between updates of RTRL's sensitivities (Schmidhuber 1992)."""

    Settings = HybridSettings
    METHOD = "hybrid"

    def _limits(self) -> dict[str, int]:
        return {"block": cast("HybridSettings", self.settings).block}


@dataclass(frozen=True)
class CrbpSettings(DescentSettings):
    """Settings of causal recursive backpropagation.

    Attributes:
        delay: Steps that errors come back through the filters of the layer above, which waits so long for them (Q of
            the paper); 0 is the rule of Back and Tsoi 1991.
    """

    delay: Annotated[int, Ge(0)] = 8


class Crbp(Descent):
    """Descent by causal recursive backpropagation of locally recurrent networks (Campolucci et al. 1999)."""

    Settings = CrbpSettings
    METHOD = "crbp"

    def _limits(self) -> dict[str, int]:
        return {"delay": cast("CrbpSettings", self.settings).delay}


class LstmTruncated(Descent):
    """Descent by the truncated gradient of the first LSTM (Hochreiter and Schmidhuber 1997)."""

    METHOD = "lstm_truncated"


class SignalFlow(Bptt):
    """Descent by the adjoint signal-flow graph of a network of any shape (Wan and Beaufays 1996; Osowski 1994)."""

    METHOD = "signal_flow"


class Pearlmutter(Descent):
    """Descent by the adjoint equations of continuous-time networks (Pearlmutter 1989)."""

    METHOD = "pearlmutter"
