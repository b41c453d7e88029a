"""A world is what networks act in, episode by episode: `base` has the contract, the others are one each.

`simulated` is anybody's own.
"""
