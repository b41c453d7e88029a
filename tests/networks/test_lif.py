"""Leaky integrate-and-fire units: formulas of firing, the differential equation, and settings."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuroevo as ne


def gene(share):
    """The gene behind a share of the way that a potential moves in a step."""
    return math.log(share / (1 - share))


def one_unit(share, **settings):
    """A unit that is driven by its input alone, and an output that fires with it; and the genome."""
    at_once = 40.0
    relayed = 2.0 * settings.get("substeps", 1)
    fixed = {"weight_hh_l0": 0.0, "bias_out": 0.0, "weight_out": relayed, "time_constant_out": at_once}
    network = ne.Lif(1, 1, 1, readout="spikes", fixed=fixed, **settings)
    return network, network.layout.encode(
        {"weight_ih_l0": [[1.0]], "bias_l0": [0.0], "time_constant_l0": [gene(share)]}
        | {name: np.full(shape, fixed[name]) for name, shape in zip(network.layout.names, network.layout.shapes, strict=True) if name in fixed}
    )  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(share=st.floats(0.05, 0.9), drive=st.floats(1.05, 5.0), refractory=st.integers(0, 3))
def test_a_constant_current_fires_with_the_period_of_the_formula(share, drive, refractory):
    # v(n) = I (1 - (1 - a)^n) from the reset to 0 on, and then it keeps still.
    exact = math.log(1 - 1 / drive) / math.log(1 - share)
    if abs(exact - round(exact)) < 1e-6:
        return
    network, genome = one_unit(share, reset="zero", refractory=refractory)
    (spikes,) = network.predict(genome, np.full((1, 120, 1), drive))[..., 0]
    assert set(np.diff(np.flatnonzero(spikes))) <= {math.ceil(exact) + refractory}
    assert np.flatnonzero(spikes)[:1].tolist() == [math.ceil(exact) - 1][: int(math.ceil(exact) <= 120)]


@settings(max_examples=20, deadline=None)
@given(drive=st.floats(0.0, 0.99), share=st.floats(0.05, 0.95))
def test_a_current_below_the_threshold_never_fires(drive, share):
    network, genome = one_unit(share)
    assert not network.predict(genome, np.full((1, 100, 1), drive)).any()


def test_what_exceeds_the_threshold_is_kept_or_lost():
    # With a = 1 the potential is the current; what is left of it then counts for nothing.
    for reset, left in (("subtract", 1.5), ("zero", 0.0)):
        network, genome = one_unit(0.5, reset=reset)
        state = network.start(network.layout.decode(genome))
        _, state = network.advance(network.layout.decode(genome), state, np.array([[5.0]]))
        assert state[0][0].item() == 1.0
        assert state[0][1].item() == left


def test_a_potential_at_the_threshold_fires():
    network, genome = one_unit(0.5)
    np.testing.assert_array_equal(network.predict(genome, [[[2.0], [0.0], [np.nextafter(2.0, 0)]]]).ravel(), [1, 0, 0])


def test_the_rate_goes_to_that_of_continuous_time():
    """Gerstner and Kistler (2002), eq. 4.14 with a reset to 0: the period is tau ln(I / (I - threshold))."""
    tau, drive = 1 / 0.3, 1.7
    expected = tau * math.log(drive / (drive - 1))
    for substeps in (4, 16, 48):
        network, genome = one_unit(0.3, reset="zero", substeps=substeps)
        (share,) = network.predict(genome, np.full((1, 120, 1), drive))[..., 0]
        n_spikes = round(share.sum() * substeps)
        # Off by up to a step of the integration, since spikes are where these are, and by as much for Euler's method.
        assert 120 / (n_spikes + 1) - 2 / substeps < expected < 120 / n_spikes + 2 / substeps


def test_leaky_outputs_are_filtered_spikes():
    network = ne.Lif(2, 5, 1, skip=False)
    genome = np.random.default_rng(1).normal(size=network.n_genes) * 2
    arrays = network.layout.decode(genome)
    inputs = np.random.default_rng(2).normal(size=(1, 60, 2)) * 3
    state, spikes, outputs = network.start(arrays), [], []
    for row in inputs[0]:
        y, state = network.advance(arrays, state, row[None])
        spikes.append(state[0][0][0])
        outputs.append(y[0, 0])
    share = 1 / (1 + math.exp(-arrays["time_constant_out"][0]))
    currents = np.array(spikes) @ arrays["weight_out"][0] + arrays["bias_out"][0]
    kernel = share * (1 - share) ** np.arange(60)
    assert 0 < np.mean(spikes) < 1
    np.testing.assert_allclose(outputs, np.convolve(currents, kernel)[:60], rtol=1e-10, atol=1e-12)


def test_time_constants_are_told_in_the_unit_of_the_step():
    network = ne.Lif(1, 2, 1, step=0.5, fixed={"time_constant_l0": gene(0.25)})
    told = network.time_constants(np.zeros(network.n_genes))
    np.testing.assert_allclose(told["time_constant_l0"], [2.0, 2.0])
    np.testing.assert_allclose(told["time_constant_out"], [1.0])


def test_a_potential_beyond_numbers_is_seen_in_the_outputs():
    for reset in ("zero", "subtract"):
        network, genome = one_unit(0.5, reset=reset)
        genome[0] = np.nan
        assert np.isnan(network.predict(genome, np.ones((1, 2, 1)))[0, -1, 0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"threshold": 0}, "threshold must be a finite number above 0"),
        ({"reset": "soft"}, "reset must be one of subtract, zero, got 'soft'"),
        ({"readout": "rate"}, "readout must be one of leaky, spikes, got 'rate'"),
        ({"refractory": -1}, "refractory must be at least 0, got -1"),
        ({"substeps": 0}, "substeps must be at least 1, got 0"),
        ({"step": 0.0}, "step must be a finite number above 0"),
        ({"readout": "spikes", "output_activation": "softmax"}, "outputs that are spikes have no output_activation"),
        ({"activation": "tanh"}, "activation"),
    ],
)
def test_wrong_settings_are_named(settings, message):
    with pytest.raises((ne.BadInput, TypeError), match=message):
        ne.Lif(1, 2, 1, **settings)


@pytest.mark.parametrize("tau", [1.25, 4.0])
@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_spikes_and_potentials_are_those_of_spikingjelly(reset, tau):
    with np.load(Path(__file__).parents[1] / "reference" / "spiking_units.npz") as stored:
        said = dict(stored)
    network = ne.Lif(3, 6, 1, reset=reset)
    arrays = {name: np.zeros(shape) for name, shape in zip(network.layout.names, network.layout.shapes, strict=True)}
    arrays |= {name: said[name] for name in ("weight_ih_l0", "weight_hh_l0", "bias_l0")}
    arrays["time_constant_l0"] += gene(1 / tau)
    state = network.start(arrays)
    for row, spikes, potentials in zip(
        said["inputs"], said[f"spikes {reset} {tau}"], said[f"potentials {reset} {tau}"], strict=True
    ):
        _, state = network.advance(arrays, state, row[None])
        np.testing.assert_array_equal(state[0][0][0], spikes)
        np.testing.assert_allclose(state[0][1][0], potentials, rtol=1e-9, atol=1e-12)
    assert 0.05 < said[f"spikes {reset} {tau}"].mean() < 0.9
