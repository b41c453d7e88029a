"""Traces: one episode played once more, with all that network and world were at each step."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroevo.errors import BadInput
from neuroevo.networks import Graph, Player
from neuroevo.problems.control.base import EpisodeProblem, FloatArray
from neuroevo.problems.control.environments import Environment
from neuroevo.problems.control.frames import Frames, played_in_sight
from neuroevo.problems.control.stepped import SteppedProblem

if TYPE_CHECKING:
    from neuroevo.networks import Network


@dataclass(frozen=True)
class Trace:
    """An episode step by step; step k leads from state k to state k + 1.

    Attributes:
        inputs: ``(n_steps, n_inputs)``: what the network saw.
        outputs: ``(n_steps, n_outputs)``: its answers.
        units: ``(n_steps, n_units)``: its own state after each step.
        unit_names: What the numbers of its state are.
        states: ``(n_steps + 1, n_state)``: what was controlled, where the problem tells; else None.
        frames: Pictures of the world, where it draws any.
        error: Of the episode; None where the trace ends before it.
        solved: Whether it succeeded; None likewise.
    """

    inputs: FloatArray
    outputs: FloatArray
    units: FloatArray
    unit_names: tuple[str, ...]
    states: FloatArray | None = None
    frames: Frames = field(default_factory=Frames)
    error: float | None = None
    solved: bool | None = None

    @property
    def n_steps(self) -> int:
        """Steps of the trace."""
        return len(self.inputs)


def trace(
    problem: EpisodeProblem,
    network: Network,
    genome: FloatArray,
    part: str,
    episode: int,
    n_steps: int | None = None,
    *,
    in_sight: bool = True,
) -> Trace:
    """Play one episode of a problem as `play` does, and keep everything.

    Args:
        problem: The problem.
        network: What the genome means.
        genome: ``(n_genes,)``.
        part: One of the problem's parts.
        episode: Number of the episode in it, from 0.
        n_steps: Steps after which the trace ends at the latest; None for the whole episode.
        in_sight: Whether environments of Gymnasium are asked for pictures.

    Raises:
        BadInput: There is no such part or episode; the simulator or the environment isn't found any more; or it plays
            no episode step by step with the network.
    """
    problem.check_part(part)
    n = problem.n_episodes(part)
    if not 0 <= episode < n:
        raise BadInput(f"the part {part} has {n} episode{'s' * (n > 1)}, numbered from 1: there is no {episode + 1}")
    watched: Any = _Watched(network, n_steps)
    frames, ending = Frames(wanted=in_sight), dict[str, Any]()
    with suppress(_Enough), np.errstate(all="ignore"):
        if isinstance(problem, Environment):
            error, solved = played_in_sight(problem, Player(watched, genome), part, episode, frames)
        else:
            played = problem.play(watched, genome, part, np.array([episode]))
            error, solved = float(played.error[0]), bool(played.solved[0])
        ending = {"error": error, "solved": solved}
    if not watched.inputs:
        raise BadInput(f"{problem.describe()}: no step of the network was seen, so there is nothing to draw")
    inputs, outputs, units = (np.array(rows) for rows in (watched.inputs, watched.outputs, watched.units))
    states = _states(problem, outputs, part, episode) if isinstance(problem, SteppedProblem) else None
    return Trace(inputs, outputs, units, _unit_names(network, units.shape[1]), states, frames, **ending)


def _states(problem: SteppedProblem, outputs: FloatArray, part: str, episode: int) -> FloatArray:
    """``(n_steps + 1, n_state)``: where answers have led to."""
    state: Any = tuple(problem.starts(part)[episode].tolist())
    states = [state]
    with np.errstate(all="ignore"):
        for output in outputs:
            state = problem.moved(state, output[np.newaxis])
            states.append(state)
    return np.array(states)


def _unit_names(network: Any, n: int) -> tuple[str, ...]:
    words = ["cell" if name == "initial_cell" else "unit" for name in getattr(network, "state_names", ())]
    n_hidden, n_layers = getattr(network, "n_hidden", 0), getattr(network, "n_layers", 1)
    if len(words) * n_hidden * n_layers != n:
        return tuple(f"unit {k + 1}" for k in range(n))
    layers = [f" in {layer + 1}" if n_layers > 1 else "" for layer in range(n_layers)]
    return tuple(f"{word} {k + 1}{layer}" for layer in layers for word in words for k in range(n_hidden))


class _Enough(BaseException):  # no error, which a simulator would catch: the trace is as long as was asked for
    """Ends an episode from inside."""


class _Watched:
    """A network that keeps what the first of its sequences sees, answers and is."""

    def __init__(self, network: Network, n_steps: int | None) -> None:
        self._network, self._n_steps = network, n_steps
        self.inputs: list[FloatArray] = []
        self.outputs: list[FloatArray] = []
        self.units: list[FloatArray] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)

    def advance(self, arrays: Any, state: Any, inputs: FloatArray) -> tuple[FloatArray, Any]:
        if self._n_steps is not None and len(self.inputs) >= self._n_steps:
            raise _Enough
        outputs, after = self._network.advance(arrays, state, inputs)
        units = after[0] if isinstance(self._network, Graph) else after
        self.inputs.append(np.array(inputs[0]))
        self.outputs.append(np.array(outputs[0]))
        self.units.append(np.concatenate([np.zeros(0), *_flat(units)]))
        return outputs, after


def _flat(state: Any) -> list[FloatArray]:
    """The numbers of the first sequence of a state, whatever tuples it is made of."""
    if isinstance(state, np.ndarray):
        return [np.ravel(state[0])]
    return [numbers for part in state for numbers in _flat(part)]
