"""Kernels compute the errors of a population of networks on raw arrays; nothing here knows the rest of neuroevo.

A kernel holds the numbers of 16 genomes (8 or 4, by processor and precision) in the lanes of SIMD vectors:

- `vectors`: SIMD vectors as numba types, and how to write a kernel with them; `tiles`: blocks of sums in registers.
- `activations`: activation functions on vectors. `errors`: what becomes of the outputs. `packing`: the weights of a
  block of genomes in the order of use. `scratch`: aligned memory.
- `cells`: what a cell gives; `dense`: Elman, Jordan, leaky; `gated`: LSTM, GRU; `graph`: any list of links;
  `series`: Elman networks with many units on few sequences, lanes being units.
- `driver`: the loop around the cells, and the one entry point.
- `compilation`: decorators; `cache`, `sources`: compiled code on disk, safe against edits; `processor`: widths.

Modules are imported one by one: numba is heavy.
"""

from __future__ import annotations

# First of all: code that is imported while a file is being edited must not enter the cache under the new sources' name.
from neuroevo.kernels.sources import AT_IMPORT

__all__ = ["AT_IMPORT"]
