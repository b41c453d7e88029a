"""Backend: one way of computing the errors of genomes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.evaluation.base import NOTHING_MORE

if TYPE_CHECKING:
    from neuroevo.evaluation.precision import Precision
    from neuroevo.networks import Network
    from neuroevo.problems import Problem


class Backend(ABC):
    """Computes errors of one network on one problem, in this process.

    A genome's results are a pure function of its bits, the problem and the precision: neither the other genomes nor the
    number of threads may change a bit of them.

    Args:
        network: What a genome means; one that it `supports`.
        problem: What is to be learnt.
        n_threads: Threads that it may use, at least 1.
        precision: Of its arithmetic, "single" or "double"; a backend may compute in double always.
    """

    offers: ClassVar[frozenset[str]] = NOTHING_MORE
    """Names of `FINDINGS` that it can give beside the error."""

    @abstractmethod
    def __init__(self, network: Network, problem: Problem, *, n_threads: int, precision: Precision) -> None: ...

    @classmethod
    @abstractmethod
    def supports(cls, network: Network, problem: Problem) -> bool:
        """Whether it can evaluate this network on this problem."""

    @classmethod
    def methods(cls, network: Network) -> frozenset[str]:  # noqa: ARG003 - most know one way for all networks
        """How it can find the derivatives that it offers, by names of `evaluation.learning.Method`.

        One that knows more than backpropagation through time takes a keyword `learning` in `evaluate`: a `Learning`
        where anything but `Learning()`, full backpropagation through time, is asked for.
        """
        return frozenset({"bptt"})

    @abstractmethod
    def evaluate(
        self, genomes: NDArray[Any], part: str, wants: frozenset[str] = NOTHING_MORE
    ) -> dict[str, NDArray[Any]]:
        """Evaluate genomes.

        Args:
            genomes: ``(n, n_genes)`` float64, C-contiguous, to be left as they are.
            part: The part of the problem whose targets count.
            wants: What is wanted beside the error, of what it `offers`.

        Returns:
            ``"error"`` and ``"learned"``, ``(n,)`` float64 each, whatever is not finite as it came; a new array for
            every name in `wants`, its first axis the genomes; and further figures of each genome, ``(n,)`` by names
            like ``mean_force``, whose means become columns of the history.

        Raises:
            BadInput: The problem has no such part.
        """

    def on(self, problem: Any) -> Backend:  # noqa: ARG002 - most of other packages know one problem
        """The same backend for other sequences or episodes that need the same code; it lives no longer than this one.

        Raises:
            BadInput: It knows only the problem that it was made for.
        """
        raise BadInput(f"{type(self).__name__} evaluates whole problems only: leave out [batch] and input_noise")

    @property
    def is_compiled(self) -> bool:
        """False if the next evaluation has to compile code first, which takes some seconds."""
        return True

    def compile(self) -> None:  # noqa: B027 - where nothing is compiled there is nothing to do
        """Compile what `evaluate` needs, or load it from the disk."""

    def close(self) -> None:  # noqa: B027 - a backend that holds nothing has nothing to release
        """Release threads or processes; closing twice is allowed."""
