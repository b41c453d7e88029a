"""Descents follow derivatives of the error: gradient methods, Levenberg-Marquardt, and both as partners of a search.

- `base`: a population of descents by gradients, each from a start of its own; `methods` are its kinds by how gradients
  are found, `optimisers` how steps are made of them, `rates` how long these are.
- `levenberg_marquardt`: the same with curvature.
- `memetic`, `evolve_then_descend`: strategies that hold a search and a descent; `tables` reads theirs.
"""
