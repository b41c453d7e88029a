"""Write gymnasium_worlds.npz: walks through MountainCar-v0, MountainCarContinuous-v0 and Acrobot-v1 of Gymnasium 1.4.0.

    python tests/reference/make_gymnasium_worlds.py        # in an environment with gymnasium

Each walk has the seed of its reset, the states of the environment before and after every step, the actions, the rewards,
and whether the environment said that the goal was reached. Actions follow the motion, or in some walks are random.
"""

from __future__ import annotations

from pathlib import Path

import gymnasium
import numpy as np

LENGTHS = {"MountainCar-v0": 200, "MountainCarContinuous-v0": 200, "Acrobot-v1": 300}


def action_of(name, state, random, rng):
    speed = state[1] if name.startswith("Mountain") else -state[2]
    if name == "MountainCarContinuous-v0":
        return np.array([rng.uniform(-1.3, 1.3) if random else np.sign(speed) * 0.9], np.float32)
    return int(rng.integers(3)) if random else 2 * int(speed > 0)


def walk(name, seed, random):
    environment = gymnasium.make(name).unwrapped
    rng = np.random.default_rng(seed)
    environment.reset(seed=seed)
    states, actions, rewards, reached = [np.array(environment.state, np.float64)], [], [], []
    for _ in range(LENGTHS[name]):
        action = action_of(name, states[-1], random, rng)
        _, reward, terminated, _, _ = environment.step(action)
        states.append(np.array(environment.state, np.float64))
        actions.append(float(np.ravel(action)[0]))
        rewards.append(float(reward))
        reached.append(terminated)
        if terminated:
            break
    return {"states": np.array(states), "actions": np.array(actions), "rewards": rewards, "reached": reached}


def main():
    arrays = {}
    for name in LENGTHS:
        for seed, random in ((3, False), (8, False), (5, True)):
            for key, value in walk(name, seed, random).items():
                arrays[f"{name}/{seed}/{key}"] = np.array(value)
    np.savez_compressed(Path(__file__).with_name("gymnasium_worlds.npz"), **arrays)


if __name__ == "__main__":
    main()
