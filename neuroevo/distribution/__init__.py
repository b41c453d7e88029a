"""Distribution is who computes when one process is not enough: workers on this machine or on a cluster, through Ray.

Nothing here changes a result. Ray is imported nowhere else, and only when a cluster is asked for.

- `Cluster`: a private Ray on this machine, or one that others have started.
- `ShardedEvaluator`: the chunks of a population on many workers.
- `RunMetrics`: the figures of a run for Ray's dashboard.
- `Scheduler` over a `Pool`: who computes what, and what happens when a worker dies, freezes or joins;
  `PoolStatus`: who is at work.
"""

from __future__ import annotations

from neuroevo.distribution.cluster import Cluster, ClusterError
from neuroevo.distribution.metrics import RunMetrics
from neuroevo.distribution.pool import Pool, Task
from neuroevo.distribution.scheduler import ChunkFailed, NoWorkers, PoolStatus, Scheduler
from neuroevo.distribution.sharded import ShardedEvaluator

__all__ = [
    "ChunkFailed",
    "Cluster",
    "ClusterError",
    "NoWorkers",
    "Pool",
    "PoolStatus",
    "RunMetrics",
    "Scheduler",
    "ShardedEvaluator",
    "Task",
]
