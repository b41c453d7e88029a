"""A world is what networks act in, episode by episode: `base` has the contract, `shared` what several of them need.

The others are one each; `simulated` is anybody's own.
"""
