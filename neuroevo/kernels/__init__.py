"""Kernels compute the errors of a population of networks on raw arrays; nothing here knows the rest of neuroevo.

A kernel holds the numbers of 16 genomes (8 or 4, by processor and precision) in the lanes of SIMD vectors:

- `vectors`: SIMD vectors as numba types, and how to write a kernel with them; `tiles`: blocks of sums in registers.
- `activations`: activation functions on vectors. `packing`: the weights of a block of genomes in the order of use.
  `scratch`: aligned memory.
- `cells`: what a cell gives; `dense`: Elman, Jordan, leaky; `gated`: LSTM, GRU; `graph`: any list of links;
  `locally_recurrent`, `filter_layers`: layers of filters; `crbp`, `crbp_layers`: their recursive backpropagation;
  `series`: Elman networks with many units on few sequences, lanes being units.
- `tasks`: what a task gives; `sequences`: targets of sequences, and their errors; `replay`: inputs without a judge.
- `driver`: the loop around cells and tasks, and the two entry points, `evaluate` and `trace`.
- `adjoints`: what a backward step of a cell gives; `dense_back`, `gated_back`, `graph_back`, `locally_recurrent_back`:
  those steps; `products`, `slopes`: what they are made of.
- `gradient`: backpropagation through time for populations; `sensitivities`: RTRL, the hybrid, curvature and learning on
  the way; `lstm_online`: that of the first LSTM; `online`: how weights move. `cholesky`: linear systems.
- `compilation`: decorators; `pipeline`: numba's compiler as they need it; `cache`, `sources`: compiled code on disk,
  safe against edits; `processor`: widths.

Modules are imported one by one: numba is heavy.
"""

from __future__ import annotations

# First of all: code that is imported while a file is being edited must not enter the cache under the new sources' name.
from neuroevo.kernels.sources import AT_IMPORT

__all__ = ["AT_IMPORT"]
