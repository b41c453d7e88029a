"""Hypothesis strategies that draw networks of every kind, with genomes and sequences that fit them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

import neuroevo.networks as nets

KINDS = ("elman", "jordan", "lstm", "gru", "ctrnn", "graph", "locally_recurrent", "lif")
ACTIVATIONS = ("tanh", "logistic", "softsign", "relu", "linear", "sine", "hard_step", "sign")
OUTPUT_ACTIVATIONS = ("linear", "tanh", "logistic", "softmax")


@st.composite
def networks(draw, kinds=KINDS, max_units=5, with_fixed=True, competing=False):
    """A network of any kind with few units; dense ones partly with fixed entries, some of units that compete if asked."""
    kind = draw(st.sampled_from(kinds))
    n_inputs, n_outputs = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    n_units = draw(st.integers(1, max_units))
    settings = {
        "output_activation": draw(st.sampled_from(OUTPUT_ACTIVATIONS)),
        "initial_state": draw(st.booleans()),
    }
    if kind in ("elman", "jordan", "ctrnn", "graph", "locally_recurrent"):
        known = (*ACTIVATIONS, "k_winners") if competing and kind != "locally_recurrent" else ACTIVATIONS
        settings["activation"] = draw(st.sampled_from(known))
        if settings["activation"] == "k_winners":
            settings["winners"] = draw(st.integers(1, n_units))
    if kind == "graph":
        seed, density = draw(st.integers(0, 1000)), draw(st.floats(0.2, 1.0))
        rng = np.random.default_rng(seed)
        n_sources, n_targets = n_inputs + 1 + n_units, n_units + n_outputs
        links = rng.permutation([(s, t) for s in range(n_sources) for t in range(n_targets)])
        return nets.Graph(n_inputs, n_units, n_outputs, links[: max(1, round(density * len(links)))], **settings)
    if kind == "locally_recurrent":
        del settings["initial_state"]
        settings |= {
            "feedback": draw(st.sampled_from(("synapse", "activation", "output"))),
            "ma_taps": draw(st.integers(1, 3)),
            "ar_taps": draw(st.integers(0, 3)),
            "dynamic_output": draw(st.booleans()),
        }
    else:
        settings["skip"] = draw(st.booleans())
    if kind != "jordan":
        settings["n_layers"] = draw(st.integers(1, 2))
    if kind == "ctrnn":
        settings["substeps"] = draw(st.integers(1, 3))
    if kind == "lif":
        settings |= {
            "threshold": draw(st.sampled_from((0.5, 1.0))),
            "reset": draw(st.sampled_from(("subtract", "zero"))),
            "refractory": draw(st.integers(0, 2)),
            "readout": draw(st.sampled_from(("leaky", "spikes"))),
            "substeps": draw(st.integers(1, 3)),
        }
        if settings["readout"] == "spikes":
            settings["output_activation"] = "linear"
    if kind == "lstm":
        settings["forget_gate"] = draw(st.booleans())
    network = nets.make_network(kind, n_inputs, n_outputs, n_hidden=n_units, **settings)
    if with_fixed and draw(st.booleans()):
        seed = draw(st.integers(0, 1000))
        settings["fixed"] = some_fixed(network.layout, np.random.default_rng(seed))
        network = nets.NETWORKS[kind](n_inputs, n_units, n_outputs, **settings)
    return network


def some_fixed(layout, rng):
    """About half of the entries of some arrays: fixed at 0 or another value; the read-out's bias keeps its genes."""
    fixed = {}
    for name, shape in zip(layout.names, layout.shapes, strict=True):
        if name != "bias_out" and rng.random() < 0.6:
            values = np.where(rng.random(shape) < 0.5, 0.0, rng.normal(size=shape))
            fixed[name] = np.where(rng.random(shape) < 0.5, values, np.nan)
    return fixed


def genome_and_inputs(network, seed, n_sequences=3, n_steps=6):
    """A genome and sequences of standard normal numbers."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=network.n_genes), rng.normal(size=(n_sequences, n_steps, network.n_inputs))
