"""An environment that tests name as "tests.problems.control.toys:Sums-v0": its observation and action have parts."""

from __future__ import annotations

import gymnasium
import numpy as np
from gymnasium import spaces


class Sums(gymnasium.Env):
    """Seven steps; the return sums up what was done, so that a test can do the same sums."""

    observation_space = spaces.Dict(
        {
            "level": spaces.Box(0, 8, (2,), np.float32),
            "sign": spaces.Discrete(3),
            "free": spaces.Box(-np.inf, np.inf, (1,)),
        }
    )
    action_space = spaces.Dict(
        {
            "a": spaces.Tuple([spaces.Discrete(2, start=5), spaces.MultiBinary(2)]),
            "b": spaces.MultiDiscrete([2, 3]),
            "c": spaces.Box(np.array([0, -np.inf]), np.array([10, np.inf]), dtype=np.float64),
            "d": spaces.Box(0, 200, (1,), np.uint8),
        }
    )

    def _observe(self):
        level = self.np_random.uniform(0, 8, 2).astype(np.float32)
        free = np.array([self.np_random.normal() * 100], np.float32)
        return {"level": level, "sign": int(self.np_random.integers(3)), "free": free}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed, options=options)
        self.n = 0
        return self._observe(), {}

    def step(self, action):
        assert self.action_space.contains(action), action
        self.n += 1
        chosen, switched = action["a"]
        reward = (
            chosen + switched @ [10, 20] + action["b"] @ [100, 200] + action["c"].sum() + float(action["d"][0]) / 50
        )
        return self._observe(), -float(reward), self.n == 7, False, {}


class Doubled(gymnasium.RewardWrapper):
    def reward(self, reward):
        return 2 * reward


gymnasium.register("Sums-v0", entry_point=Sums)
