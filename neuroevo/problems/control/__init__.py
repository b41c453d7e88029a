"""Control: the network acts, the world answers, and an episode ends when a pole falls, a goal is reached or time is up.

`EpisodeProblem` is what all of these are; `poles`, `hills` and so on hold one family each.
"""
