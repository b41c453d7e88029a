"""What a strategy wants reaches it, and what an evaluation and a strategy say reaches the history."""

from __future__ import annotations

import numpy as np
import pytest

from neuroevo.errors import BadInput
from neuroevo.evaluation import Evaluation, Evaluator
from neuroevo.evolution import Evolution
from neuroevo.stopping import Generations
from neuroevo.strategies import StartSettings, Strategy

CENTRE = np.array([1.0, -2.0, 0.5])


class Bowl(Evaluator):
    """A bowl with its slope; genomes far out fail."""

    offers = frozenset({"gradient", "refined"})

    def evaluate(self, population, part="train", wants=frozenset()):
        x = np.asarray(population) - CENTRE
        found = {"gradient": 2 * x, "refined": CENTRE + 0.5 * x, "largest": np.abs(x).max(axis=1)}
        if "refined" in wants:
            x = 0.5 * x
        error = (x**2).sum(axis=1)
        error[error > 30] = np.nan
        given = {name: found[name] for name in (*wants, "largest")}
        return Evaluation.of(error, np.zeros(len(x)), 0.0, given)


class Descent(Strategy[StartSettings]):
    """A step along the slope."""

    Settings = StartSettings
    STATE = ("genomes",)
    wants = frozenset({"gradient"})

    def _ask(self):
        return self._initial_population() if self._generation == 0 else self._genomes

    def _tell(self, population, error, *, gradient):
        self._genomes = population - 0.25 * np.where(np.isfinite(error)[:, None], gradient, 0.0)

    def _inject(self, genomes, errors):
        pass

    def _figures(self):
        return {"mean_gene": float(self._genomes.mean())}


class Refining(Descent):
    """Takes what it is given."""

    wants = frozenset({"refined"})

    def _tell(self, population, error, *, refined):
        self._genomes = refined


def evolved(cls, start_width=1.0):
    strategy = cls(StartSettings(population_size=5, start_width=start_width), n_genes=3, seed=1)
    evolution = Evolution.of(strategy, Bowl())
    evolution.run(Generations(6), lambda progress: None)
    return strategy, evolution


def test_a_gradient_halves_the_distance_each_time():
    first = Descent(StartSettings(population_size=5), n_genes=3, seed=1).ask()
    _, evolution = evolved(Descent)
    distances = ((first - CENTRE) ** 2).sum(axis=1)
    expected = [distances.min() / 4**generation for generation in range(6)]
    np.testing.assert_allclose(evolution.history["best_error"], expected, rtol=1e-12)


def test_the_champion_of_refinements_is_refined():
    _, evolution = evolved(Refining)
    champion = evolution.champion
    # The evaluator halves the distance, the genome adds it to the centre: so many digits are lost there.
    assert ((champion.genome - CENTRE) ** 2).sum() == pytest.approx(champion.error, rel=1e-9)
    assert champion.error == evolution.history["incumbent_error"][-1]


def test_figures_of_evaluation_and_strategy_are_columns_of_the_history():
    strategy, evolution = evolved(Descent, start_width=4.0)
    history, genomes = (
        evolution.history,
        Descent(StartSettings(population_size=5, start_width=4.0), n_genes=3, seed=1).ask(),
    )
    assert list(history)[-2:] == ["largest", "mean_gene"]
    distances = ((genomes - CENTRE) ** 2).sum(axis=1)
    assert history["n_failed"][0] == (distances > 30).sum() > 0
    assert history["largest"][0] == np.abs(genomes - CENTRE).max(axis=1)[distances <= 30].mean()
    assert history["mean_gene"][-1] == strategy._genomes.mean()


class Plain(Bowl):
    """Errors alone, as large as they come."""

    offers = frozenset()

    def evaluate(self, population, part="train", wants=frozenset()):
        return Evaluation.of(np.full(len(population), 1e308), np.zeros(len(population)), 0.0)


class Wide(Descent):
    """Genes as large as they come."""

    wants = frozenset()

    def _ask(self):
        return 1e300 * self._initial_population()

    def _tell(self, population, error):
        pass

    def _figures(self):
        return {}


def test_the_largest_numbers_are_written_down_without_a_warning():
    evolution = Evolution.of(Wide(StartSettings(population_size=6), n_genes=3, seed=1), Plain())
    progress = evolution.step()
    assert (progress.best_error, progress.mean_error, progress.diversity) == (1e308, np.inf, np.inf)


def test_what_nobody_can_give_is_refused_before_the_first_generation():
    with pytest.raises(BadInput, match="Descent wants gradient beside the error, the evaluator gives nothing"):
        Evolution.of(Descent(StartSettings(population_size=6), n_genes=3, seed=1), Plain())


def test_a_figure_cannot_take_the_place_of_a_column():
    class Taking(Wide):
        def _figures(self):
            return {"seconds": 1.0, "own": 2.0}

    evolution = Evolution.of(Taking(StartSettings(population_size=6), n_genes=3, seed=1), Plain())
    with pytest.raises(RuntimeError, match=r"called \['seconds'\]"):
        evolution.step()


def test_derivatives_beyond_all_numbers_arrive_as_zeros():
    class Cliff(Bowl):
        offers = frozenset({"gradient", "curvature"})

        def evaluate(self, population, part="train", wants=frozenset()):
            found = {"gradient": np.ones((4, 3)), "curvature": np.ones((4, 3, 3))}
            found["gradient"][1, 2], found["gradient"][3] = np.inf, np.nan
            found["curvature"][2, 0, 1] = np.nan
            return Evaluation.of(
                np.array([1.0, 1.0, 1.0, np.inf]), np.zeros(4), 0.0, {name: found[name] for name in wants}
            )

    class Curious(Descent):
        wants = frozenset({"gradient", "curvature"})

        def _tell(self, population, error, **found):
            self._genomes, self.told = population, found

    strategy = Curious(StartSettings(population_size=4), n_genes=3, seed=1)
    Evolution.of(strategy, Cliff()).run(Generations(1), lambda progress: None)
    gradient, curvature = strategy.told["gradient"], strategy.told["curvature"]
    np.testing.assert_array_equal(gradient[:3], [[1, 1, 1], [0, 0, 0], [1, 1, 1]])
    np.testing.assert_array_equal(curvature[:3].sum(axis=(1, 2)), [9, 9, 0])
