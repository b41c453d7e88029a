"""Evolution is the one loop in which a strategy and an evaluator meet: ask, evaluate, tell, record, stop.

Members: :class:`Evolution` (the loop and its state), :class:`Champion` (what it delivers).
"""

from neuroevo.evolution.loop import VALIDATION, Champion, Evolution

__all__ = ["VALIDATION", "Champion", "Evolution"]
