"""A world is what networks act in, episode by episode: `base` has the contract, `poles` one or two poles on a cart."""
