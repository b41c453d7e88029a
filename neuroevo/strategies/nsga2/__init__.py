"""NSGA-II: several goals at once, without weights between them.

- `strategy`: the algorithm; `settings`: what it can be told.
- `ranking`: fronts and crowding distances. `variation`: crossover and mutation. `hypervolume`: how good a front is.
"""
