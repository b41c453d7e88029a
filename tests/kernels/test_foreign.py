"""What is known of functions of one's own before they are compiled."""

from __future__ import annotations

import random
from random import gauss
from types import ModuleType

import numba
import numpy as np
import pytest
from numpy.random import normal

from neuroevo.errors import BadInput
from neuroevo.kernels.foreign import refuse_chance

helpers = ModuleType("helpers")
helpers.numpy, helpers.normal, helpers.noisy = np, normal, numba.njit(lambda: gauss(0.0, 1.0))
TABLE, clip = np.arange(3.0), np.clip


def by_modules(x):
    return x + np.random.random() + random.random()  # noqa: NPY002 - what is to be found


def by_names_of_numpy(x):
    return normal(x, 1.0)  # noqa: NPY002 - likewise


def by_names_of_python(x):
    return gauss(x, 1.0)


def by_a_function_of_a_module(x):
    return x + helpers.noisy()


def by_a_name_in_a_module(x):
    return helpers.normal(x, 1.0)


def by_a_module_in_a_module(x):
    return x + helpers.numpy.random.random()


def by_a_nested_function(x):
    def noisy():
        return normal(x, 1.0)  # noqa: NPY002 - likewise

    return noisy()


def without(x):
    return clip(np.sqrt(x) + TABLE[1], 0.0, np.linalg.norm(TABLE))


@pytest.mark.parametrize("function", [one for name, one in globals().items() if name.startswith("by_")])
def test_generators_that_follow_no_seed_are_found_wherever_they_come_from(function):
    with pytest.raises(BadInput, match="its cost uses a generator of random numbers"):
        refuse_chance(numba.njit(function), "its cost")


def test_functions_without_chance_pass():
    refuse_chance(without, "its cost")
