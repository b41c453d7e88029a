"""The contract of a strategy: ask for a population, tell its errors, and so on.

`Strategy` does what all of them share: it checks order and shapes, keeps the incumbent, hands out random streams, and
packs and unpacks the state. A strategy's own file holds its algorithm: `_ask` and `_tell`, the names of the attributes
that make up its state, and what it does with immigrants.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroevo.checks import whole_number
from neuroevo.errors import BadInput, WrongType
from neuroevo.evaluation.base import FINDINGS
from neuroevo.strategies.bounds import Bounds, FloatArray
from neuroevo.strategies.feedback import read_errors, read_wanted
from neuroevo.strategies.settings import StartSettings, StrategySettings
from neuroevo.strategies.starts import initial_population
from neuroevo.strategies.streams import Phase, stream

if TYPE_CHECKING:
    from neuroevo.evaluation.learning import Learning, Method
    from neuroevo.networks import GenomeLayout

Axes: TypeAlias = Mapping[str, tuple[str, ...]]
State: TypeAlias = dict[str, NDArray[Any] | int | float | bool]

_BASE_STATE = ("generation", "restart", "incumbent", "incumbent_error")
_BASE_AXES: Axes = {"incumbent": ("n_genes",), "incumbent_error": ()}


S = TypeVar("S", bound=StrategySettings)


class Strategy(ABC, Generic[S]):
    """A search algorithm that minimises an error over genomes.

    The order is ask, tell, ask, tell, …; `emigrants`, `inject`, `state` and `restore` may be called after a tell and
    before the next ask (`restore` also before the first ask).

    Args:
        settings: The strategy's own settings, an instance of its `Settings`.
        n_genes: Length of a genome.
        seed: Seed of the run, 0 or more.
        layout: What the genes mean, for operators and starts that respect units; None where nothing needs it.
        initial: `(n, n_genes)` genomes to start from, or one genome `(n_genes,)` to start around; None draws them.
        bounds: (low, high), each a number or `(n_genes,)`; None leaves genes free.
        island: Number of the island, part of the address of every random stream.
    """

    Settings: ClassVar[type[StrategySettings]] = StrategySettings
    #: Names of the attributes (with a leading underscore) that, with those of the base class, are the whole state:
    #: arrays, numbers or booleans; None is left out.
    STATE: ClassVar[tuple[str, ...]] = ()
    #: Names of floats and arrays of floats in STATE to their axes: "n_genes", "population_size" (of the settings), and
    #: others, each of one length wherever it stands. A state of other shapes is refused.
    AXES: ClassVar[Axes] = {}
    #: Whether errors are compared within a generation only, so that those of the next may be of other data, as with
    #: mini-batches. `incumbent` is left out of this: it compares all errors, and nothing else may depend on it.
    memoryless: ClassVar[bool] = False
    #: Whether each genome is a search of its own: row k of a population follows from row k of the one before.
    separate: ClassVar[bool] = False

    #: Of a genome how far ``(n_genes,)`` each gene must move until it stands for something else, or None
    #: (`SearchSpace.margin`). Whoever makes a strategy sets it; those that adapt widths ask `separable.widening`.
    margin: Callable[[FloatArray], FloatArray | None] | None = None

    settings: S

    def __init__(
        self,
        settings: S,
        *,
        n_genes: int,
        seed: int,
        layout: GenomeLayout | None = None,
        initial: ArrayLike | None = None,
        bounds: tuple[ArrayLike, ArrayLike] | None = None,
        island: int = 0,
    ) -> None:
        if not isinstance(settings, self.Settings):
            raise WrongType(
                f"settings must be a {self.Settings.__qualname__}, got {settings!r}; "
                "make_strategy(kind, ...) builds both from plain values"
            )
        self.settings = settings
        self.n_genes = whole_number("n_genes", n_genes, 1)
        self.seed = whole_number("seed", seed, 0)
        self.island = whole_number("island", island, 0)
        if layout is not None and layout.n_genes != self.n_genes:
            raise BadInput(f"layout has {layout.n_genes} genes, n_genes is {self.n_genes}")
        self.layout = layout
        self.bounds = None if bounds is None else Bounds.of(bounds, self.n_genes)
        self.initial = None if initial is None else self._initial_genomes(initial)
        self._generation = 0
        self._restart = 0
        self._incumbent: FloatArray | None = None
        self._incumbent_error = np.inf
        self._asked: FloatArray | None = None
        self._messages: list[tuple[int, str]] = []

    @property
    def wants(self) -> frozenset[str]:
        """What has to be told beside the errors, by names of `evaluation.FINDINGS`; by default nothing."""
        return frozenset()

    @property
    def needs(self) -> frozenset[str]:
        """All that it may ever want; where that changes from generation to generation, more than `wants`."""
        return self.wants

    @property
    def goals(self) -> tuple[str, ...]:
        """Names of all that is to be small, for strategies that want "goals" (`evaluation.goals`)."""
        return ()

    @property
    def learning(self) -> Learning | None:
        """How what it wants next is to be found; None for any way."""
        return None

    @property
    def methods(self) -> frozenset[Method]:
        """The methods of all `learning` that it may ever ask for."""
        return frozenset() if self.learning is None else frozenset({self.learning.method})

    @property
    def generation(self) -> int:
        """Generations told so far."""
        return self._generation

    @property
    def incumbent(self) -> tuple[FloatArray, float]:
        """The best genome so far, `(n_genes,)` and read-only, and its error (+inf while every evaluation failed).

        Raises:
            RuntimeError: Nothing has been told yet.
        """
        if self._incumbent is None:
            raise RuntimeError("there is no incumbent before the first tell()")
        return self._incumbent, self._incumbent_error

    def ask(self) -> FloatArray:
        """The genomes to evaluate next: `(n, n_genes)` float64, read-only; n may change between generations.

        Raises:
            RuntimeError: The last population asked has not been told.
        """
        if self._asked is not None:
            raise RuntimeError("ask() was called twice: tell() the errors of the last population first")
        if not self.wants <= set(FINDINGS):
            unknown = ", ".join(sorted(self.wants - set(FINDINGS)))
            raise RuntimeError(
                f"{type(self).__name__} wants {unknown}, which nobody has; known are {', '.join(FINDINGS)}"
            )
        population = np.ascontiguousarray(self._ask(), dtype=np.float64).view()
        if population.ndim != 2 or population.shape[1] != self.n_genes or len(population) == 0:
            raise RuntimeError(
                f"{type(self).__name__} proposed shape {population.shape}, expected (n, {self.n_genes}) with n >= 1"
            )
        population.flags.writeable = False
        self._asked = population
        return population

    def tell(self, population: ArrayLike, error: ArrayLike, **wanted: ArrayLike) -> None:
        """Take the errors of the population asked last, and what else the strategy wants.

        Args:
            population: `(n, n_genes)`, as `ask` gave it.
            error: `(n,)`, one error per genome in the same order; +inf for a failed evaluation. With refined genomes
                these are their errors, and they take the place of those asked as incumbents and members.
            **wanted: What `wants` names, and nothing else; see `neuroevo.strategies.feedback` for names and shapes.

        Raises:
            RuntimeError: Nothing was asked.
            ValueError: Another population, a wrong shape, NaN or -inf, too little or too much told.
        """
        if self._asked is None:
            raise RuntimeError("tell() without a population: ask() for one first")
        asked = self._asked
        if population is not asked and not np.array_equal(np.asarray(population), asked):
            raise BadInput(
                f"population has shape {np.shape(population)} or values that differ from the {asked.shape} "
                "that ask() returned; tell() takes that population unchanged"
            )
        checked = read_errors(error, len(asked), "population")
        told = read_wanted(self.wants, wanted, asked, checked, self.bounds, len(self.goals))
        self._note(told.get("refined", asked), checked)
        self._tell(asked, checked, **told)
        self._asked = None
        self._generation += 1

    def figures(self) -> dict[str, float]:
        """What is worth plotting of the search itself after a tell: step size, temperature and such, by name.

        The names are the same in every generation; NaN stands for what is not known yet.

        Raises:
            RuntimeError: Not between a tell and the next ask.
        """
        self._between("figures()")
        return {name: np.nan if value is None else float(value) for name, value in self._figures().items()}

    def take_messages(self) -> tuple[str, ...]:
        """Lines for the log on what has happened since the last call: restarts and such; not part of the state."""
        messages = [f"generation {generation}: {text}" for generation, text in self._messages]
        self._messages.clear()
        for name, strategy in self._inner().items():
            messages += [f"{name}: {line}" for line in strategy.take_messages()]
        return tuple(messages)

    def emigrants(self, n: int) -> tuple[FloatArray, FloatArray]:
        """Copies of the best members: genomes `(m, n_genes)` and errors `(m,)`, best first; m <= n if there are fewer.

        Raises:
            RuntimeError: Not between a tell and the next ask.
        """
        self._between("emigrants()")
        whole_number("n", n, 1)
        genomes, errors = self._members()
        best = np.argsort(errors, kind="stable")[:n]
        return genomes[best], errors[best]

    def front(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Members that no other dominates, for strategies with `goals`: genomes, errors, and goals ``(m, n_goals)``.

        Raises:
            RuntimeError: Not between a tell and the next ask, or the error is its only goal.
        """
        self._between("front()")
        raise RuntimeError(f"{type(self).__name__} has no goals beside the error, and so no front")

    def inject(self, genomes: ArrayLike, errors: ArrayLike) -> None:
        """Take genomes from elsewhere into the search.

        Args:
            genomes: `(m, n_genes)` finite, within the bounds.
            errors: `(m,)`, their errors; +inf is allowed, NaN is not.

        Raises:
            RuntimeError: Not between a tell and the next ask.
            ValueError: Wrong shapes, non-finite genes, genes out of bounds, NaN errors.
        """
        self._between("inject()")
        checked = self._checked(genomes, "genomes")
        checked_errors = read_errors(errors, len(checked), "genomes")
        if len(checked):
            self._note(checked, checked_errors)
            self._inject(checked, checked_errors)

    def state(self) -> State:
        """All that the next generations depend on, beside the constructor's arguments: flat, arrays and numbers only.

        Entries of a strategy that this one holds are called "its name.…".

        Raises:
            RuntimeError: Not between a tell and the next ask.
        """
        self._between("state()")
        values = {name: getattr(self, f"_{name}") for name in (*_BASE_STATE, *self.STATE)}
        for name, strategy in self._inner().items():
            values |= {f"{name}.{key}": value for key, value in strategy.state().items()}
        return {name: _plain(value) for name, value in values.items() if value is not None}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a state that a strategy with the same arguments gave.

        Raises:
            RuntimeError: Between an ask and its tell.
            BadInput: The state is of another strategy or of another number of genes, or an entry is missing or of
                another kind or shape.
        """
        if self._asked is not None:
            raise RuntimeError("restore() between ask() and tell(): tell() the errors first, or use a new strategy")
        names, flat = (*_BASE_STATE, *self.STATE), {name for name in state if "." not in name}
        wrong = sorted({*flat - set(names), *set(_BASE_STATE) - flat})
        if wrong:
            raise BadInput(f"this is not a state of {type(self).__name__}: {', '.join(wrong)} unknown or missing")
        if np.shape(state["incumbent"]) != (self.n_genes,):
            raise BadInput(f"the state has {np.size(state['incumbent'])} genes, this strategy has {self.n_genes}")
        axes = {**_BASE_AXES, **self.AXES}
        lengths = {"n_genes": self.n_genes, "population_size": self.settings.population_size}
        values: dict[str, Any] = dict.fromkeys(names)
        for name in names:
            own, of_class = (getattr(place, f"_{name}", ...) for place in (self, type(self)))
            if name in state:
                values[name] = _entry(name, np.asarray(state[name]), axes.get(name), own, lengths)
            elif (name in axes or own is not ...) and own is not None and of_class is not None:
                raise BadInput(f"this is not a state of {type(self).__name__}: {name} is missing")
        for name, value in values.items():
            setattr(self, f"_{name}", value)
        self._incumbent = _frozen(np.asarray(self._incumbent))
        self._restored()
        inner, held = self._inner(), {name.partition(".")[0] for name in set(state) - flat}
        if held != set(inner):
            raise BadInput(
                f"this is not a state of {type(self).__name__}, which holds {sorted(inner)}, not {sorted(held)}"
            )
        for name, strategy in inner.items():
            strategy.restore({key[len(name) + 1 :]: state[key] for key in state if key.startswith(f"{name}.")})

    @abstractmethod
    def _ask(self) -> FloatArray:
        """The next population; the array is the caller's, never changed afterwards."""

    @abstractmethod
    def _tell(self, population: FloatArray, error: FloatArray, *args: Any, **wanted: Any) -> None:
        """Learn from the errors `(n,)`, finite or +inf, of the population `(n, n_genes)`; all arrays are read-only.

        Each name of `wants` is a keyword: `_tell(self, population, error, *, gradient)`. The incumbent is up to date
        already; `generation` still counts the generations before this one.
        """

    @abstractmethod
    def _inject(self, genomes: FloatArray, errors: FloatArray) -> None:
        """Take immigrants `(m, n_genes)` with their errors `(m,)`; m >= 1."""

    def _members(self) -> tuple[FloatArray, FloatArray]:
        """Genomes and errors to choose emigrants from; by default the incumbent alone."""
        genome, error = self.incumbent
        return genome[np.newaxis], np.array([error])

    def _figures(self) -> Mapping[str, float | None]:
        """The figures, from the state alone; by default none."""
        return {}

    def _initial_population(self, n: int | None = None, rng: np.random.Generator | None = None) -> FloatArray:
        """`(n, n_genes)`: the given genomes (in the first generation only), or what the settings' start draws.

        Args:
            n: Genomes wanted; by default as many as the population has.
            rng: Where the numbers come from; by default the stream of `Phase.START`.

        Raises:
            TypeError: The settings, which have to derive from `StartSettings`, say nothing of a start.
        """
        settings = self.settings
        if not isinstance(settings, StartSettings):
            raise TypeError(f"{type(settings).__name__} must derive from StartSettings to draw a first population")
        return initial_population(
            settings,
            settings.population_size if n is None else n,
            self.n_genes,
            self._stream(Phase.START) if rng is None else rng,
            layout=self.layout,
            initial=self.initial if self._generation == 0 else None,
            bounds=self.bounds,
        )

    def _restored(self) -> None:
        """Rebuild what follows from the state; called by `restore`, before the states of inner strategies go back."""

    def _inner(self) -> Mapping[str, Strategy[Any]]:
        """The strategies at work inside this one, by name; each has been told whenever this one has.

        Each needs a seed or an island number of its own, or it draws the same numbers as this one.
        """
        return {}

    def _say(self, text: str) -> None:
        """Leave a line for `take_messages`; call it in `_ask` or `_tell`."""
        self._messages.append((self._generation + 1, text))

    def _stream(self, phase: Phase) -> np.random.Generator:
        """The random stream of this phase of the generation that is being asked or told."""
        return stream(
            self.seed, island=self.island, restart=self._restart, generation=self._generation + 1, phase=phase
        )

    def _between(self, call: str) -> None:
        if self._asked is not None or self._generation == 0:
            raise RuntimeError(f"{call} is legal only between a tell() and the next ask()")

    def _note(self, genomes: FloatArray, errors: FloatArray) -> None:
        best = int(np.argmin(errors))
        if self._incumbent is None or errors[best] < self._incumbent_error:
            self._incumbent = _frozen(genomes[best].copy())
            self._incumbent_error = float(errors[best])

    def _initial_genomes(self, initial: ArrayLike) -> FloatArray:
        return self._checked(np.atleast_2d(np.asarray(initial, dtype=np.float64)), "initial")

    def _checked(self, genomes: ArrayLike, name: str) -> FloatArray:
        values = np.array(genomes, dtype=np.float64)
        if values.ndim != 2 or values.shape[1] != self.n_genes:
            raise BadInput(f"{name} has shape {values.shape}, expected (n, {self.n_genes}): one genome per row")
        if not np.all(np.isfinite(values)):
            raise BadInput(f"{name} holds NaN or infinite genes; every gene must be a finite number")
        if self.bounds is not None and not self.bounds.contain(values):
            raise BadInput(f"{name} leaves the bounds; clip the genomes or widen the bounds")
        return _frozen(values)


def _entry(name: str, value: NDArray[Any], axes: tuple[str, ...] | None, own: object, lengths: dict[str, int]) -> Any:
    """An entry of a state as the attribute holds it.

    Args:
        name: The entry's.
        value: The entry.
        axes: The names of its axes; None where they are not known.
        own: What the attribute holds; where the axes are not known, the entry must be of its kind.
        lengths: Names of axes to their lengths; those that come for the first time are added.

    Raises:
        BadInput: It is of another kind or shape.
    """
    kind, shape, expected = value.dtype.kind, value.shape, "numbers"
    if axes is not None:
        known = tuple(lengths.setdefault(axis, length) for axis, length in zip(axes, shape, strict=False))
        good = kind in "iuf" and len(axes) == len(shape) and known == shape
        value, expected = (
            value.astype(np.float64, copy=False) if good else value,
            f"numbers of the shape ({', '.join(axes)})",
        )
    elif isinstance(own, bool | int):
        good = not shape and kind in ("b" if isinstance(own, bool) else "iu") and bool(value >= 0)
        expected = f"{type(own).__name__}, from 0 on"
    elif isinstance(own, np.ndarray):
        good, expected = value.dtype == own.dtype and value.ndim == own.ndim, f"{own.dtype} with {own.ndim} axes"
    else:
        good = kind in "biuf" and not (isinstance(own, float) and shape)
    if not good:
        raise BadInput(f"{name} in the state must be {expected}, got {value.dtype} of the shape {shape}")
    return _plain(value)


def _frozen(values: FloatArray) -> FloatArray:
    values.flags.writeable = False
    return values


def _plain(value: Any) -> Any:
    """A copy of an array, or a number of Python's own (archives give numbers back as arrays without axes)."""
    if isinstance(value, np.ndarray | np.generic):
        return value.item() if value.ndim == 0 else np.array(value)
    return value
