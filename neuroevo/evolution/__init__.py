"""Evolution is the one loop in which strategies and an evaluator meet: ask, evaluate, tell, record, stop.

- `Evolution`: the loop and its state; `Logbook`: its figures; `Champion`: what it delivers.
- `front_of`: the front of a search for several goals.
- `IslandHost`: who carries out the generations of its populations; `LocalHost`: this process.
"""

from neuroevo.evolution.champion import VALIDATION, Champion
from neuroevo.evolution.front import front_of
from neuroevo.evolution.hosts import IslandHost, LocalHost
from neuroevo.evolution.logbook import Logbook
from neuroevo.evolution.loop import Evolution
from neuroevo.evolution.migration import Migration

__all__ = ["VALIDATION", "Champion", "Evolution", "IslandHost", "LocalHost", "Logbook", "Migration", "front_of"]
