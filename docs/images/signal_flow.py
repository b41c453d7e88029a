"""Draw signal-flow.png: a small network of links as a signal-flow graph, and its adjoint.

    python docs/images/signal_flow.py

Nodes and branches are those of `neuroevo.networks.signal_flow`; only their places and labels are written here.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np

import neuroevo as ne
from neuroevo.networks.signal_flow import signal_flow_graph
from neuroevo.plots.style import BLUE, GREEN, GREY, INK, VERMILION

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.patches import Circle, FancyArrowPatch

NETWORK = ne.Graph(1, 2, 1, [(0, 0), (2, 0), (3, 0), (2, 1), (1, 1), (3, 2)])
PLACES = {
    "x0": (0, 0), "s0": (2, 0), "h0": (4, 0), "h0[t-1]": (6, 0), "s1": (8, 0), "h1": (10, 0), "h1[t-1]": (6, -1.7),
    "1": (8, 1.6), "s2": (12, 0), "y0": (14, 0),
}  # fmt: skip
SIGNALS = {
    "x0": "$x$", "1": "$1$", "s0": "$s_0$", "h0": "$h_0$", "h0[t-1]": "$h_0^-$", "s1": "$s_1$", "h1": "$h_1$",
    "h1[t-1]": "$h_1^-$", "s2": "$s_2$", "y0": "$y$",
}  # fmt: skip
BENDS = {("h0[t-1]", "s0"): 0.6, ("h1", "h1[t-1]"): -0.28, ("h1[t-1]", "s0"): -0.28}
RADIUS = {"sum": 0.27, "branching": 0.09}


def draw(axes, flow, title, words):
    """One graph; `words` are the labels of functions, of delays and of a node's signal."""
    kinds = {}
    for of_kind, branches in (("gain", flow.gains), ("function", flow.functions), ("delay", flow.delays)):
        for k, (source, target) in enumerate(branches.tolist()):
            kinds[flow.nodes[source], flow.nodes[target]] = of_kind, k
    n_arriving = {name: sum(target == name for _, target in kinds) for name in flow.nodes}
    driven, read = ({flow.nodes[n] for n in nodes.tolist()} for nodes in (flow.inputs, flow.outputs))
    for name in flow.nodes:
        node(axes, PLACES[name], words["signal"](name), is_sum=n_arriving[name] + (name in driven) > 1, name=name)
    for (source, target), (of_kind, k) in kinds.items():
        branch(axes, source, target, words[of_kind](k), {"gain": BLUE, "function": GREEN, "delay": VERMILION}[of_kind])
    if flow.is_reversed:
        for name in driven:
            outside(axes, np.add(PLACES[name], (1.5, 0)), PLACES[name], r"$\partial E/\partial y$")
    else:
        for name in read:
            outside(axes, PLACES[name], np.add(PLACES[name], (1.5, 0)), "")
    axes.set_title(title, loc="left", fontsize=11, color=INK)
    axes.set(xlim=(-0.9, 15.9), ylim=(-2.35, 2.1), aspect="equal")
    axes.axis("off")


def node(axes, place, text, *, is_sum, name):
    """A sum is a circle with a plus, a branching a dot."""
    radius = RADIUS["sum" if is_sum else "branching"]
    axes.add_patch(Circle(place, radius, facecolor="white" if is_sum else INK, edgecolor=INK, zorder=3, linewidth=1.2))
    if is_sum:
        axes.text(*place, "+", ha="center", va="center_baseline", zorder=4, fontsize=12, color=INK)
    beside = name == "1"
    shift = (0.5, 0.08) if beside else (0, -0.62)
    axes.text(*np.add(place, shift), text, ha="center", va="center", fontsize=11, color=INK)


def branch(axes, source, target, text, colour):
    """An arrow; its label lies where the arrow is bent to."""
    bend = BENDS.get((source, target), -BENDS.get((target, source), 0.0))
    begin, end = np.array(PLACES[source], float), np.array(PLACES[target], float)
    arrow(axes, begin, end, bend, colour)
    along = end - begin
    middle = (begin + end) / 2 + bend * 0.5 * np.array([along[1], -along[0]])
    is_upright = abs(along[0]) < 0.1
    shift = (0.42, 0.0) if is_upright else (0, 0.36 if middle[1] >= -0.1 else -0.32)
    axes.text(*(middle + shift), text, ha="center", va="center", fontsize=11, color=colour)


def outside(axes, begin, end, text):
    """What comes from outside, or leaves."""
    arrow(axes, np.array(begin, float), np.array(end, float), 0.0, GREY)
    axes.text(*(np.add(begin, end) / 2 + (0.25, 0.42)), text, ha="center", va="center", fontsize=11, color=GREY)


def arrow(axes, begin, end, bend, colour):
    """From the edge of a node to that of another."""
    axes.add_patch(
        FancyArrowPatch(
            begin, end, connectionstyle=f"arc3,rad={bend}", arrowstyle="-|>", mutation_scale=13,
            shrinkA=10, shrinkB=12, color=colour, linewidth=1.4, zorder=2,
        )
    )  # fmt: skip


def main():
    """Draw both and write the picture."""
    flow = signal_flow_graph(NETWORK)
    figure, (above, below) = plt.subplots(2, 1, figsize=(10.5, 6.3))
    forward = {
        "gain": lambda k: f"$w_{k}$",
        "function": lambda k: "$g$" if k == NETWORK.n_units else "$f$",
        "delay": lambda _: "$q^{-1}$",
        "signal": SIGNALS.get,
    }
    back = {
        **forward,
        "function": lambda k: rf"$\times\,{'g' if k == NETWORK.n_units else 'f'}\,'(s_{k})$",
        "delay": lambda _: "$q^{+1}$",
        "signal": lambda name: "" if name in ("1", "x0") else rf"$\delta {SIGNALS[name].strip('$')}$",
    }
    draw(above, flow, "The network: first step to last", forward)
    draw(below, flow.adjoint, "Its adjoint: last step to first", back)
    figure.tight_layout()
    figure.savefig(Path(__file__).with_name("signal-flow.png"), dpi=130, metadata={"Software": None})


if __name__ == "__main__":
    main()
