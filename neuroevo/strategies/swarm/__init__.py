"""A particle swarm flies through the genomes: each particle is drawn to its own best place and to its neighbours'.

- `backend`: pyswarms, imported without its side effects.
- `neighbourhoods`: who learns from whom.
- `settings`: what can be told, inertia by generation included.
- `strategy`: the algorithm.
"""
