"""Kernels compute the errors of a population of networks on raw arrays; nothing here knows the rest of neuroevo.

A kernel holds the numbers of 16 genomes (8 or 4, by processor and precision) in the lanes of SIMD vectors:

- `vectors`: SIMD vectors as numba types, and how to write a kernel with them; `tiles`: blocks of sums in registers;
  `products`: the matrix products of a backward step; `activations`, `slopes`: functions of a unit; `cholesky`: linear
  systems. `packing`: the weights of a block of genomes in the order of use. `scratch`: aligned memory.
- `cells`: a network's step, forward and back. `tasks`: what is fed to networks, and how their outputs are judged.
  `worlds`: what networks act in. `loops`: who calls them over steps, sequences, episodes and genomes.
- `compilation`: decorators; `pipeline`: numba's compiler as they need it; `cache`, `sources`: compiled code on disk,
  safe against edits; `processor`: widths.

Modules are imported one by one: numba is heavy.
"""

from __future__ import annotations

# First of all: code that is imported while a file is being edited must not enter the cache under the new sources' name.
from neuroevo.kernels.sources import AT_IMPORT

__all__ = ["AT_IMPORT"]
