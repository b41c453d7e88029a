"""A world of somebody's own functions, called lane by lane.

Rows: steps, the number of the episode, whether it goes on, 0 or NaN where the network's outputs were not finite, how
often it was moved, the outputs, the state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.kernels.compilation import from_outside, implements, inlined
from neuroevo.kernels.foreign import check_compiles, functions_of, is_of, kind_of, own_column_of, row_of
from neuroevo.kernels.vectors import broadcast, lanes, less, load, peek, poke, store
from neuroevo.kernels.worlds.base import act, begin, conclude, lasts, move, observe

EPISODE, GOES_ON, FAILED, MOVED, OUTPUTS = range(1, 6)
"""Rows; the state follows the outputs."""


class Simulated(NamedTuple):
    """The base of worlds that are functions; `foreign.kind_of` derives one for each set of them.

    Attributes:
        n_rows: Rows of memory.
        n_steps: Longest episode.
        n_episodes: Episodes of a genome.
        n_inputs: Inputs of the network.
        n_outputs: Outputs of the network.
        n_state: Numbers of the state.
        n_drawn: Numbers that are drawn for an episode.
        drawn: ``(n_episodes * n_drawn + 1,)`` float64; the last is nobody's.
    """

    n_rows: int
    n_steps: int
    n_episodes: int
    n_inputs: int
    n_outputs: int
    n_state: int
    n_drawn: int
    drawn: NDArray[np.float64]


def world_of(
    functions: Mapping[str, tuple[Callable[..., Any], Sequence[str], Sequence[str]]],
    drawn: NDArray[np.float64],
    **sizes: int,
) -> Any:
    """The world that functions make.

    Args:
        functions: "begin", "observe", "move" and "conclude", each with the names of all arguments that it could have,
            in the order of the calls below, and of those that it takes.
        drawn: ``(n_episodes, n_drawn)`` float64.
        sizes: `n_steps`, `n_inputs`, `n_outputs` and `n_state`.
    """
    adapted = {name: _with_all(*given) for name, given in functions.items()}
    n_episodes, n_drawn = drawn.shape
    return kind_of(Simulated, adapted)(
        n_rows=OUTPUTS + sizes["n_outputs"] + sizes["n_state"],
        n_episodes=n_episodes,
        n_drawn=n_drawn,
        drawn=np.append(drawn.ravel(), 0.0),
        **sizes,
    )


def _with_all(function: Callable[..., Any], names: Sequence[str], taken: Sequence[str]) -> Callable[..., Any]:
    """A function of all `names` that hands on those that are taken."""
    inside = {"function": from_outside(getattr(function, "py_func", function))}
    made: Callable[..., Any] = eval(f"lambda {', '.join(names)}: function({', '.join(taken)})", inside)  # noqa: S307
    return made


def check_functions(world: Any, dtype: Any, what: str) -> None:
    """Compile the functions of a world.

    Raises:
        BadInput: One of them does not compile, or returns something else than it should.
    """
    real = types.float32 if np.dtype(dtype) == np.float32 else types.float64
    column, drawn = types.Array(real, 1, "A"), types.Array(types.float64, 1, "C", readonly=True)
    kinds = {"drawn": drawn, "steps": types.int64, "lasted": types.boolean}
    numbers = types.Float | types.Integer | types.Boolean
    for name, function in functions_of(type(world)).items():
        said = f"{name} of {what}"
        names = function.py_func.__code__.co_varnames
        given = check_compiles(function, tuple(kinds.get(key, column) for key in names), said)
        if name == "move" and not isinstance(given, types.Boolean | types.NoneType | types.Integer):
            raise BadInput(
                f"{said} must say whether the episode goes on, as True or False, or nothing; it gives {given}"
            )
        if name == "conclude":
            parts = list(given) if isinstance(given, types.UniTuple | types.Tuple) and len(given) == 2 else [given]
            if not all(isinstance(part, numbers) for part in parts):
                raise BadInput(f"{said} must give the error, or the error and whether it is solved; it gives {given}")


@inlined
def _numbers_drawn(world, states, stride, place):
    """What was drawn for the episode of the lane at `place`."""
    return row_of(world.drawn, np.int64(peek(states, place + EPISODE * stride)) * world.n_drawn, world.n_drawn, 1)


@inlined
def _state(world, states, stride, place):
    return own_column_of(states, place + (OUTPUTS + world.n_outputs) * stride, world.n_state, stride)


@implements(begin)
def _begin(world, states, stride, at, episode):
    if not is_of(world, Simulated):
        return None
    function = functions_of(world.instance_class)["begin"]

    def begin_simulated(world, states, stride, at, episode):
        poke(states, at + EPISODE * stride, episode)
        poke(states, at + GOES_ON * stride, 1.0)
        poke(states, at + FAILED * stride, 0.0)
        poke(states, at + MOVED * stride, 0.0)
        for row in range(world.n_outputs + world.n_state):
            poke(states, at + (OUTPUTS + row) * stride, 0.0)
        function(_state(world, states, stride, at), _numbers_drawn(world, states, stride, at))

    return begin_simulated


@implements(observe)
def _observe(world, states, stride, at, memory, inputs):
    if not is_of(world, Simulated):
        return None
    function = functions_of(world.instance_class)["observe"]

    def observe_simulated(world, states, stride, at, memory, inputs):
        for i in range(world.n_inputs):
            store(memory.values, inputs + i * memory.stride, broadcast(states, 0.0))
        for lane in range(lanes(states)):
            place = at + lane
            seen = own_column_of(memory.values, inputs + lane, world.n_inputs, memory.stride)
            drawn, steps = _numbers_drawn(world, states, stride, place), np.int64(peek(states, place))
            function(_state(world, states, stride, place), seen, drawn, steps)

    return observe_simulated


@implements(act)
def _act(world, states, stride, at, memory, outputs):
    if not is_of(world, Simulated):
        return None

    def act_simulated(world, states, stride, at, memory, outputs):
        failed = load(states, at + FAILED * stride)
        for o in range(world.n_outputs):
            value = load(memory.values, outputs + o * memory.stride)
            failed = failed + (value - value)
            store(states, at + (OUTPUTS + o) * stride, value)
        store(states, at + FAILED * stride, failed)

    return act_simulated


@implements(move)
def _move(world, states, stride, now):
    if not is_of(world, Simulated):
        return None
    function = functions_of(world.instance_class)["move"]

    def move_simulated(world, states, stride, now):
        for place in range(stride):
            # Where nobody plays steps are not counted, and a function never meets a state after an episode's end.
            if peek(states, place + MOVED * stride) > peek(states, place):
                continue
            goes_on = False
            if peek(states, place + FAILED * stride) == 0.0:
                outputs = own_column_of(states, place + OUTPUTS * stride, world.n_outputs, stride)
                drawn, steps = _numbers_drawn(world, states, stride, place), np.int64(peek(states, place))
                goes_on = _says_yes(function(_state(world, states, stride, place), outputs, drawn, steps))
            poke(states, place + GOES_ON * stride, 1.0 if goes_on else 0.0)
            poke(states, place + MOVED * stride, peek(states, place) + 1.0)

    return move_simulated


@implements(lasts)
def _lasts(world, states, stride, at):
    if not is_of(world, Simulated):
        return None
    return lambda world, states, stride, at: less(broadcast(states, 0.0), load(states, at + GOES_ON * stride))


@implements(conclude)
def _conclude(world, states, stride, at, lasted, now):
    if not is_of(world, Simulated):
        return None
    function = functions_of(world.instance_class)["conclude"]

    def conclude_simulated(world, states, stride, at, lasted, now):
        if peek(states, at + FAILED * stride) != 0.0:
            return np.inf, 0.0
        drawn, steps = _numbers_drawn(world, states, stride, at), np.int64(peek(states, at))
        return _error_and_success(function(_state(world, states, stride, at), drawn, steps, lasted))

    return conclude_simulated


def _says_yes(answer):
    """Whether a move lets the episode go on; one that says nothing does."""


@implements(_says_yes)
def _says(answer):
    if isinstance(answer, types.NoneType):
        return lambda answer: True
    return lambda answer: bool(answer)  # noqa: PLW0108 - the type of the answer is what numba asks for


def _error_and_success(given):
    """Error and success, from what `conclude` returns."""


@implements(_error_and_success)
def _both(given):
    if isinstance(given, types.BaseTuple):
        return lambda given: (np.float64(given[0]), 1.0 if given[1] else 0.0)
    return lambda given: (np.float64(given), 0.0)
