"""What networks act in: the contract of a world.

A world is a NamedTuple of numbers and arrays (which the kernel sees as views); its type chooses the code. It has at
least the fields `n_rows`, `n_steps` and `n_episodes`: rows of its memory, longest episode in steps, and episodes that
every genome plays. Its memory is a matrix of vectors in the kernel's precision, row = a quantity, column = one of
`COLUMNS`, `stride` elements from row to row; row 0, the steps of the lane's episode, is the driver's. Five functions
by `@implements`:

- `begin(world, states, stride, at, episode)`: write the first state of an episode into one lane, element `at` of row 0.
- `observe(world, states, stride, at, memory, inputs)`: write the network's inputs into the rows from `inputs` on.
- `act(world, states, stride, at, memory, outputs)`: keep what the outputs in the rows from `outputs` on mean.
- `move(world, states, stride, now)`: one step of all columns; `now` counts the rounds, the same for all lanes.
- `lasts(world, states, stride, at)`: mask of the lanes whose episode goes on as far as the world is concerned.
- `conclude(world, states, stride, at, lasted, now)`: error and success of the episode of one lane; `lasted` says
  whether the world let it go on when its steps were used up. An error that is not finite is a failed evaluation.

Each is written lane by lane, without sums over lanes, so that no bit depends on who plays beside whom.
"""

from __future__ import annotations


def begin(world, states, stride, at, episode):  # noqa: D103
    raise NotImplementedError("implemented per world by compilation.implements")


def observe(world, states, stride, at, memory, inputs):  # noqa: D103
    raise NotImplementedError("implemented per world by compilation.implements")


def act(world, states, stride, at, memory, outputs):  # noqa: D103
    raise NotImplementedError("implemented per world by compilation.implements")


def move(world, states, stride, now):  # noqa: D103
    raise NotImplementedError("implemented per world by compilation.implements")


def lasts(world, states, stride, at):  # noqa: D103
    raise NotImplementedError("implemented per world by compilation.implements")


def conclude(world, states, stride, at, lasted, now):  # noqa: D103
    raise NotImplementedError("implemented per world by compilation.implements")
