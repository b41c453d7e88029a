"""Problems that hypothesis draws: any shape, lengths, masks, parts and rule."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from neuroevo.problems import RightClass, SequenceProblem, Within
from neuroevo.problems.objectives import Huber, Pinball


@st.composite
def problems(draw):
    n_sequences, n_steps = draw(st.integers(1, 4)), draw(st.integers(1, 7))
    n_inputs, n_outputs = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = 10.0 ** draw(st.integers(-3, 6))
    targets = rng.normal(size=(n_sequences, n_steps, n_outputs)) * size
    learned, target_mask = Within(draw(st.floats(0.01, 2.0))), rng.random(targets.shape) < 0.8
    if n_outputs > 1 and draw(st.booleans()):
        learned, target_mask = RightClass(), np.repeat(target_mask[:, :, :1], n_outputs, axis=2)
        targets = np.eye(n_outputs)[rng.integers(n_outputs, size=(n_sequences, n_steps))]
    washout = draw(st.integers(0, n_steps - 1))
    lengths = rng.integers(washout + 1, n_steps + 1, size=n_sequences)
    owner = rng.integers(2, size=(n_sequences, n_steps))
    # One target of each part is sure to count.
    target_mask[0, washout] = True
    owner[0, washout] = 0
    parts = {"train": owner == 0}
    if (target_mask.any(axis=2) & (owner == 1))[:, washout : lengths.min()].any():
        parts["test"] = owner == 1
    targets_alike, classes_alike = draw(st.booleans()), draw(st.booleans())
    objectives = ["squared", "absolute", Huber(0.3), Pinball(0.9), "not_learned", "tests.problems.drawn:largest"]
    objective = draw(
        st.sampled_from(objectives + (["cross_entropy", "balanced_error"] if isinstance(learned, RightClass) else []))
    )
    weighs = objective != objectives[-1]
    return SequenceProblem(
        rng.normal(size=(n_sequences, n_steps, n_inputs)) * size,
        targets,
        lengths=lengths,
        target_mask=target_mask,
        washout=washout,
        learned=learned,
        parts=parts,
        weight_decay=draw(st.sampled_from([0.0, 0.01])),
        times=draw(st.sampled_from([None, np.arange(n_steps), np.array([f"t{i}" for i in range(n_steps)])])),
        tied=draw(st.sampled_from([None, [0] * n_outputs])),
        reference_variance=draw(st.sampled_from([None, 3.5])),
        season=draw(st.sampled_from([None, 2])),
        gradient_boosting=draw(st.booleans()),
        objective=objective,
        target_weights=None if targets_alike or not weighs else rng.uniform(0.1, 2, n_outputs),
        class_weights="balanced"
        if weighs and not classes_alike and isinstance(learned, RightClass) and objective != "balanced_error"
        else None,
    )


def largest(outputs, targets, counted):
    """An objective of one's own: the largest difference."""
    return np.where(counted, np.abs(outputs - targets), 0.0).max(axis=(1, 2, 3))
