"""What an evaluator is rehearsed with before it is asked in earnest."""

from __future__ import annotations

import pytest

from neuroevo.evaluation import EvaluatorRecipe, Learning, Online
from tests.evaluation.test_local import EVERY_KIND, problem_for

NETWORK = EVERY_KIND["elman"]
PROBLEM = problem_for(NETWORK, 5, 2, 6)
STILL = Learning("rtrl", online=Online(0.0))


@pytest.mark.parametrize(
    ("wants", "methods", "rehearsed"),
    [
        ((), (), ((), None)),
        (("gradient", "refined"), (), (("gradient", "refined"), None)),
        (("gradient",), ("hybrid", "rtrl"), (("gradient",), Learning("hybrid"))),
        (("refined",), ("rtrl",), (("refined",), STILL)),
        (("gradient", "refined"), ("bptt",), (("gradient",), Learning("bptt"))),
        (("gradient", "curvature", "refined"), ("rtrl",), (("gradient", "curvature"), None)),
    ],
)
def test_a_rehearsal_wants_no_more_than_goes_together_and_moves_nothing(wants, methods, rehearsed):
    recipe = EvaluatorRecipe(NETWORK, PROBLEM, wants=frozenset(wants), methods=frozenset(methods))
    assert recipe.rehearsal == (frozenset(rehearsed[0]), rehearsed[1])


def test_a_rehearsal_is_one_that_the_evaluator_can_do():
    for wants, methods in ((("refined",), ("rtrl",)), (("gradient", "curvature"), ()), (("gradient",), ("hybrid",))):
        recipe = EvaluatorRecipe(NETWORK, PROBLEM, wants=frozenset(wants), methods=frozenset(methods))
        wanted, learning = recipe.rehearsal
        with recipe.build(1) as evaluator:
            found = evaluator.evaluate([[0.1] * NETWORK.n_genes], wants=wanted, learning=learning)
            assert set(found.more) == set(wants)
