"""Annealing walks: chains that take every step down and, by chance, some steps up, the fewer the colder it is.

- `cooling`: temperatures by generation, and the first one estimated from the problem.
- `neighbourhood`: what a step looks like.
- `chains`: many Metropolis chains at once, the common base.
- `simulated_annealing`: all chains share a temperature that falls.
- `parallel_tempering`: every chain keeps its temperature, and neighbours exchange their genomes.
"""
