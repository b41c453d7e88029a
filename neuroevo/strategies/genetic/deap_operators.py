"""DEAP's own operators on rows of a population matrix.

DEAP works on one Python individual at a time, changes it in place and draws from the global `random` and `np.random`.
Here its operators get lists (its crossovers lose genes of NumPy rows, whose slices are views), a fitness that minimises
the error, and global generators that are seeded from our stream for that one call and put back afterwards.
"""

from __future__ import annotations

import functools
import inspect
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from neuroevo.errors import BadInput
from neuroevo.registry import nearest
from neuroevo.strategies.bounds import FloatArray
from neuroevo.strategies.genetic.crossover import Children
from neuroevo.strategies.genetic.mutation import Width
from neuroevo.strategies.genetic.selection import Indices, reciprocal_weights

PREFIX = "deap."
#: Kind to the prefix of its names and the number of arguments that we give.
_KINDS = {"selection": ("sel", 2), "crossover": ("cx", 2), "mutation": ("mut", 1)}
#: These share out by the fitness value itself, so they need one that is positive and grows: the reciprocal error.
_PROPORTIONAL = ("selRoulette", "selStochasticUniversalSampling")


class Individual(list[float]):
    """A genome as DEAP wants it: a list with a fitness; `row` is its place in the population."""

    fitness: Any
    row: int


def deap_operator(kind: str, name: str) -> Callable[..., Any]:
    """An operator of `deap.tools`, for one individual or pair at a time.

    Args:
        kind: "selection", "crossover" or "mutation".
        name: As in a scenario: "deap.cxBlend".

    Raises:
        ValueError: There is no such operator of this kind.
    """
    from deap import tools

    prefix, _ = _KINDS[kind]
    known = [PREFIX + key for key in dir(tools) if key.startswith(prefix)]
    if name not in known:
        near = nearest(name, known)
        raise BadInput(f"DEAP has no {kind} {name!r}" + (f"; did you mean {near!r}?" if near else ""))
    operator: Callable[..., Any] = getattr(tools, name.removeprefix(PREFIX))
    return operator


def check_options(kind: str, name: str, operator: Callable[..., Any], options: Mapping[str, Any]) -> None:
    """Refuse options that are not the operator's arguments, and options that are missing.

    Raises:
        ValueError: With the operator's signature.
    """
    signature = inspect.signature(operator)
    try:
        signature.bind(*[None] * _KINDS[kind][1], **options)
    except TypeError as error:
        raise BadInput(f"{kind}_options do not fit {name}{signature}: {error}") from None


def is_deap(operator: Callable[..., Any]) -> bool:
    """Whether this is one of DEAP's operators, bound or not, which have to be adapted to rows."""
    while isinstance(operator, functools.partial):
        operator = operator.func
    return (getattr(operator, "__module__", None) or "").startswith("deap.")


def adapted_selection(operator: Callable[..., Any]) -> Callable[..., Indices]:
    """DEAP's selection in the form of `neuroevo.strategies.genetic.selection`."""

    def select(genomes: FloatArray, error: FloatArray, k: int, rng: np.random.Generator) -> Indices:
        proportional = _name(operator) in _PROPORTIONAL
        values = reciprocal_weights(error) if proportional else error
        individuals = _individuals(genomes, values, maximise=proportional)
        rows: list[int] = []
        with seeded_globals(rng), _explained(operator):
            # selBest gives at most everyone, and selRoulette now and then loses one to rounding.
            while len(rows) < k:
                chosen = operator(individuals, k - len(rows))
                if not chosen:
                    raise BadInput(f"deap.{_name(operator)} chose nobody; use another selection")
                rows += [individual.row for individual in chosen]
        return np.array(rows[:k], dtype=np.intp)

    return select


def adapted_crossover(operator: Callable[..., Any]) -> Callable[..., Children]:
    """DEAP's crossover in the form of `neuroevo.strategies.genetic.crossover`."""

    def mate(first: FloatArray, second: FloatArray, rng: np.random.Generator) -> Children:
        with seeded_globals(rng), _explained(operator):
            pairs = [
                operator(Individual(a), Individual(b)) for a, b in zip(first.tolist(), second.tolist(), strict=True)
            ]
        return (
            _matrix([pair[0] for pair in pairs], first.shape, operator),
            _matrix([pair[1] for pair in pairs], second.shape, operator),
        )

    return mate


def adapted_mutation(operator: Callable[..., Any]) -> Callable[..., FloatArray]:
    """DEAP's mutation in the form of `neuroevo.strategies.genetic.mutation`; its width is among DEAP's own options."""

    def mutate(genomes: FloatArray, _width: Width, rng: np.random.Generator) -> FloatArray:
        with seeded_globals(rng), _explained(operator):
            mutants = [operator(Individual(genome))[0] for genome in genomes.tolist()]
        return _matrix(mutants, genomes.shape, operator)

    return mutate


@contextmanager
def seeded_globals(rng: np.random.Generator) -> Iterator[None]:
    """The global `random` and `np.random` seeded from our stream, and put back as they were at the end."""
    python_state, numpy_state = random.getstate(), np.random.get_state(legacy=False)  # noqa: NPY002
    words = rng.integers(0, 2**32, 8, dtype=np.uint32)
    random.seed(words[:4].tobytes())
    np.random.seed(words[4:])  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002


@contextmanager
def _explained(operator: Callable[..., Any]) -> Iterator[None]:
    """Say which operator it was that could not work on genomes: many of DEAP's are for permutations or programs."""
    try:
        yield
    except BadInput:
        raise
    except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise BadInput(
            f"deap.{_name(operator)} cannot work on these genomes ({error}); "
            "use an operator for real numbers, and give the strategy the bounds that the operator has"
        ) from error


def _individuals(genomes: FloatArray, values: FloatArray, *, maximise: bool) -> list[Individual]:
    fitness_class = _fitness_classes()[maximise]
    individuals = []
    for row, (genome, value) in enumerate(zip(genomes.tolist(), values.tolist(), strict=True)):
        individual = Individual(genome)
        individual.row = row
        individual.fitness = fitness_class((value,))
        individuals.append(individual)
    return individuals


@functools.cache
def _fitness_classes() -> tuple[type[Any], type[Any]]:
    """(minimising, maximising) fitness; made here, not by deap.creator, which writes into a module of its own."""
    from deap import base

    class MinimisedError(base.Fitness):  # type: ignore[misc]
        weights = (-1.0,)

    class MaximisedFitness(base.Fitness):  # type: ignore[misc]
        weights = (1.0,)

    return MinimisedError, MaximisedFitness


def _matrix(rows: list[Any], shape: tuple[int, ...], operator: Callable[..., Any]) -> FloatArray:
    if any(len(row) != shape[1] for row in rows):
        raise BadInput(f"deap.{_name(operator)} changes the number of genes; use an operator that keeps it")
    with _explained(operator):
        return np.array(rows, dtype=np.float64).reshape(shape)


def _name(operator: Callable[..., Any]) -> str:
    while isinstance(operator, functools.partial):
        operator = operator.func
    return str(getattr(operator, "__name__", operator))
