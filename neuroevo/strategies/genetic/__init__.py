"""A genetic algorithm breeds genomes: selection, crossover and mutation, each an operator in a DEAP toolbox.

- `selection`, `crossover`, `mutation`: our operators, on the whole population matrix at once.
- `deap_operators`: DEAP's operators on its rows.
- `settings`: what can be told, and the toolbox made of it.
- `strategy`: the algorithm.
"""
