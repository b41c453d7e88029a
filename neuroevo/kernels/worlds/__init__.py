"""A world is what networks act in, episode by episode: `base` has the contract; the others one each, `simulated` anybody's own."""
