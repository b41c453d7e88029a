"""Kernels compute the errors of a population of networks on raw arrays; nothing here knows the rest of neuroevo.

A kernel holds the numbers of 16 genomes (8 or 4, by processor and precision) in the lanes of SIMD vectors:

- `vectors`: SIMD vectors as numba types, and how to write a kernel with them; `tiles`: blocks of sums in registers.
- `activations`: activation functions on vectors. `errors`: what becomes of the outputs. `packing`: the weights of a
  block of genomes in the order of use. `scratch`: aligned memory.
- `cells`: what a cell gives; `dense`: Elman, Jordan, leaky.
- `driver`: the loop around the cells, and the one entry point. `cache`: compiled code on disk, safe against edits.
  `processor`: widths.

Modules are imported one by one: numba is heavy.
"""
