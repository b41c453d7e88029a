"""How derivatives are found, and whether weights move while a sequence runs: what a strategy says beside its wishes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Method: TypeAlias = Literal["bptt", "rtrl", "hybrid", "crbp", "lstm_truncated", "signal_flow", "pearlmutter"]


@dataclass(frozen=True)
class Online:
    """Weights that move during the pass; what comes back are the genomes at its end ("refined").

    Attributes:
        rate: Learning rate: a step is rate times the gradient of the squared errors (no mean) since the last one.
        momentum: Share of the last step that is added.
        interval: Steps of a sequence between two changes of the weights.
        clip: Largest norm of a gradient; 0 for none.
    """

    rate: float
    momentum: float = 0.0
    interval: int = 1
    clip: float = 0.0


@dataclass(frozen=True)
class Learning:
    """How derivatives are found.

    Attributes:
        method: "bptt" (backpropagation through time), "rtrl" (real-time recurrent learning), "hybrid" (Schmidhuber
            1992), "crbp" (causal recursive backpropagation), "lstm_truncated" (Hochreiter and Schmidhuber 1997),
            "signal_flow" (the adjoint signal-flow graph), "pearlmutter" (the adjoint in continuous time).
        truncation: Steps that an error runs back at most; 0 for all.
        block: Steps of a block of the hybrid; 0 for as many as there are units.
        delay: Steps by which CRBP waits for errors to come back from the layer above (its Q); 0 for none.
        online: How weights move during the pass; None where they don't.
    """

    method: Method = "bptt"
    truncation: int = 0
    block: int = 0
    delay: int = 0
    online: Online | None = None
