"""A generator makes the data of a known task, by the protocol of the paper that it names.

What it makes depends on its settings and its `data_seed` only, never on the seed of a run, so that trials share their
data. Each part has a random stream of its own: more test sequences do not change the training sequences.
"""
