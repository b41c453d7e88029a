"""CompiledSimulator: episodes in a world of one's own functions, which numba compiles together with the network."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple

import numpy as np
from annotated_types import Ge, Le

from neuroevo.errors import BadInput
from neuroevo.problems.control.base import Chosen, FloatArray, Played
from neuroevo.problems.control.drawn import DrawnEpisodes
from neuroevo.problems.functions import call, standing_at

if TYPE_CHECKING:
    from neuroevo.networks import Network

ARGUMENTS = {
    "draw": ("rng",),
    "begin": ("state", "drawn"),
    "observe": ("state", "inputs", "drawn", "steps"),
    "move": ("state", "outputs", "drawn", "steps"),
    "conclude": ("state", "drawn", "steps", "lasted"),
}
_NEEDED = ("observe", "move", "conclude")

_TRIED = 1000  # steps of the episode that is tried out when a simulator is built


class _Part(NamedTuple):
    """A function of a simulator, the names of the arguments that it could have, and of those that it takes."""

    function: Callable[..., Any]
    known: tuple[str, ...]
    taken: tuple[str, ...]


def _nothing() -> None:
    """Begin with a state of zeros."""


@dataclass(frozen=True, kw_only=True)
class CompiledSimulator(DrawnEpisodes):
    """A simulator of one's own: functions that numba compiles together with the network.

    They stand in a module, or in a class of it, and take those of these arguments that they name:

    - ``observe(state, inputs, drawn, steps)`` writes what the network sees into `inputs`, which holds zeros.
    - ``move(state, outputs, drawn, steps)`` moves the state by a step; it returns whether the episode goes on, or
      nothing where it always does.
    - ``conclude(state, drawn, steps, lasted)`` returns the error of the episode, a number of at least 0, or that and
      whether it was solved.
    - ``begin(state, drawn)`` makes the first state of zeros; it may be missing.
    - ``draw(rng)`` returns the numbers that are drawn for an episode, from a `numpy.random.Generator` of its own; it
      may be missing. It is the only one that is not compiled.

    `state` ``(n_state,)``, `inputs` and `outputs` are arrays in the precision of the evaluation, `drawn` is float64;
    `steps` counts those that are done, `lasted` says whether the last move let the episode go on. An error that is not
    finite is a failed evaluation, and so are outputs that are not finite. Functions that they call have to be numba's.

    Attributes:
        functions: Where they are found, "module" or "module:Class".
        n_inputs: Inputs that they give to networks.
        n_outputs: Outputs that they want.
        n_state: Numbers of the state.
        n_steps: Steps after which an episode is over.
    """

    kind: ClassVar[str] = "compiled_simulator"
    has_world: ClassVar[bool] = True

    functions: str
    n_inputs: Annotated[int, Ge(1)]
    n_outputs: Annotated[int, Ge(1)]
    n_state: Annotated[int, Ge(1)]
    n_steps: Annotated[int, Ge(1), Le(10_000_000)]

    def __post_init__(self) -> None:
        module, colon, name = self.functions.partition(":")
        if not all(part.isidentifier() for part in [*module.split("."), *(name.split(".") if colon else ())]):
            raise BadInput(f'a simulator\'s functions stand in a "module" or "module:Class", got {self.functions!r}')

    @property
    def error_name(self) -> str:  # type: ignore[override]
        return f"error of {self.functions}"

    @property
    def called(self) -> str:
        """What messages call it."""
        return f"the simulator {self.functions}"

    def build(self, folder: Path) -> CompiledSimulator:  # noqa: ARG002 - the functions are found by Python
        self._try_out()
        return self

    def _try_out(self) -> None:
        """Play the first training episode in Python, with outputs of 0.

        Compiled code writes beyond the end of an array without a word, into memory that is not its own.

        Raises:
            BadInput: A function fails there, for another reason than what it has calculated.
        """
        parts, drawn = self.parts_of(), self.drawn("train", np.arange(1))[0]
        given: dict[str, Any] = {"state": np.zeros(self.n_state), "drawn": drawn, "steps": 0}

        def ask(name: str, **more: Any) -> Any:
            given.update(more)
            function, _, taken = parts[name]
            with np.errstate(all="ignore"):
                return call(f"{name} of {self.called}", function, *(given[one] for one in taken))

        try:
            ask("begin")
            lasts = True
            while lasts and given["steps"] < min(self.n_steps, _TRIED):
                ask("observe", inputs=np.zeros(self.n_inputs))
                answer = ask("move", outputs=np.zeros(self.n_outputs))
                lasts, given["steps"] = answer is None or bool(answer), given["steps"] + 1
            self._concluded(ask("conclude", lasted=lasts))
        except BadInput as error:
            if isinstance(error.__cause__, ArithmeticError | ValueError):
                return  # other outputs may have other results
            sizes = f"n_state = {self.n_state}, n_inputs = {self.n_inputs}, n_outputs = {self.n_outputs}"
            hint = f"; arrays are as long as {sizes} and draw say" if isinstance(error.__cause__, IndexError) else ""
            raise BadInput(f"{error}{hint}") from error.__cause__

    def parts_of(self) -> dict[str, _Part]:
        """The functions by their names.

        Raises:
            BadInput: One of them is not found, or asks for something that there is not.
        """
        holder, found = standing_at(self.functions, self.called), {}
        for name, known in ARGUMENTS.items():
            function = getattr(holder, name, None)
            if function is None and name in _NEEDED:
                raise BadInput(f"{self.called} has no function {name}; it needs {', '.join(_NEEDED)}")
            function = getattr(function, "py_func", function) or _nothing
            if not inspect.isfunction(function):
                raise BadInput(f"{name} of {self.called} must be a function, got {function!r}")
            taken = tuple(inspect.signature(function).parameters)
            strange = [one for one in taken if one not in known]
            if strange:
                raise BadInput(f"{name} of {self.called} can ask for {', '.join(known)}, and not for {strange[0]}")
            found[name] = _Part(function, known, taken)
        return found

    def drawn(self, part: str, episodes: Chosen = None) -> FloatArray:
        """``(n_episodes, n_drawn)``: the numbers drawn for the episodes of a part, or for some of them.

        Raises:
            BadInput: `draw` fails, or gives something else than as many finite numbers for each.
        """
        seeds, draw = self.seeds(part, episodes), self.parts_of()["draw"]
        if draw.function is _nothing:
            return np.empty((len(seeds), 0))
        what = f"draw of {self.called}"
        rows = [call(what, draw.function, np.random.default_rng(seed)) for seed in seeds]
        try:
            flat = [np.asarray(row, dtype=np.float64).ravel() for row in rows]
        except (TypeError, ValueError) as error:
            raise BadInput(f"{what} must give numbers: {error}") from error
        sizes = sorted({len(row) for row in flat})
        if len(sizes) > 1 or not all(np.isfinite(row).all() for row in flat):
            raise BadInput(f"{what} must give as many finite numbers for every episode, got {sizes} of them")
        numbers = np.array(flat)
        numbers.flags.writeable = False
        return numbers

    def play(self, network: Network, genome: FloatArray, part: str, episodes: Chosen = None) -> Played:
        parts, drawn = self.parts_of(), self.drawn(part, episodes)
        n = len(drawn)
        states, seen = np.zeros((n, self.n_state)), np.zeros((n, self.n_inputs))
        steps, error, solved = np.zeros(n, np.int64), np.zeros(n), np.zeros(n)
        failed = np.full(n, not np.isfinite(genome).all())
        arrays = network.layout.decode(genome)
        memory = network.start(arrays, n)

        def ask(name: str, k: int, **more: Any) -> Any:
            given = {"state": states[k], "drawn": drawn[k], "steps": int(steps[k]), **more}
            function, _, taken = parts[name]
            with np.errstate(all="ignore"):
                return call(f"{name} of {self.called}", function, *(given[one] for one in taken))

        def end(k: int, lasted: bool) -> None:
            error[k], solved[k] = self._concluded(ask("conclude", k, lasted=lasted))

        for k in range(n):
            ask("begin", k)
        playing = [] if failed.any() else list(range(n))
        for t in range(self.n_steps):
            seen[:] = 0.0
            for k in playing:
                ask("observe", k, inputs=seen[k])
            with np.errstate(all="ignore"):
                outputs, memory = network.advance(arrays, memory, seen)
            going_on = []
            for k in playing:
                failed[k] = not np.isfinite(outputs[k]).all()
                if failed[k]:
                    continue
                answer = ask("move", k, outputs=outputs[k])
                steps[k] += 1
                lasts = answer is None or bool(answer)
                if lasts and t + 1 < self.n_steps:
                    going_on.append(k)
                else:
                    end(k, lasts)
            playing = going_on
            if not playing:
                break
        return Played(np.where(failed, np.inf, error), np.where(failed, 0.0, solved), steps)

    def _concluded(self, result: Any) -> tuple[float, float]:
        """Error and success, from what `conclude` has returned."""
        error, solved = result if isinstance(result, tuple) and len(result) == 2 else (result, False)
        try:
            number = float(error)
        except (TypeError, ValueError) as wrong:
            raise BadInput(
                f"conclude of {self.called} must return the error, or that and whether it was solved, as real numbers; "
                f"it returned {result!r:.80}"
            ) from wrong
        self.refuse_negative(np.array([number]))
        return number, float(bool(solved))

    def refuse_negative(self, errors: FloatArray) -> None:
        """Check errors.

        Raises:
            BadInput: One of them is below 0.
        """
        if (errors < 0).any():
            raise BadInput(f"conclude of {self.called} must return errors of at least 0, got {errors.min():g}")

    def world(self, part: str, episodes: Chosen = None) -> Any:
        from neuroevo.kernels.worlds.simulated import world_of

        parts = self.parts_of()
        del parts["draw"]
        sizes = {name: getattr(self, name) for name in ("n_steps", "n_inputs", "n_outputs", "n_state")}
        return world_of(parts, self.drawn(part, episodes), **sizes)

    def describe(self) -> str:
        return f"{self.functions}: {self.counts()}"
