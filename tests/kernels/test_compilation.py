"""A numba whose private classes are not as known: slower to compile, the same bits."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from neuroevo.kernels import compilation, pipeline
from neuroevo.kernels.compilation import is_compiled, kernel

HIDE = """
import numba.core.caching, numba.core.codegen, numba.core.compiler
del numba.core.{module}.{name}
from neuroevo.kernels import compilation
assert (compilation.ENTRY == {{}}, compilation.KernelCache is None) == {expected}
"""

EVALUATE = """
import numpy as np
import neuroevo as ne
rng = np.random.default_rng(1)
network = ne.Elman(2, 5, 2, initial_state=True)
problem = ne.SequenceProblem(rng.normal(size=(3, 70, 2)), rng.normal(size=(3, 70, 2)), lengths=[70, 11, 23])
with ne.LocalEvaluator(network, problem, n_threads=1) as evaluator:
    print(evaluator.is_compiled, evaluator.compile(), evaluator.is_compiled)
    print(evaluator.evaluate(rng.normal(size=(21, network.n_genes))).error.tobytes().hex())
"""

SCALE = """
from neuroevo.kernels.compilation import is_compiled, kernel

@kernel
def twice(x):
    return 2.0 * x

print(is_compiled(twice, 4.0), twice(4.0), is_compiled(twice, 4.0), is_compiled(twice, 4))
"""


def printed(code, **environment):
    command = [sys.executable, "-c", code]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        command, cwd=root, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("module", "name", "expected"),
    [
        ("codegen", "JITCodeLibrary", (True, False)),
        ("compiler_machinery", "register_pass", (True, False)),
        ("caching", "_Cache", (False, True)),
        ("compiler.CompileResult", "_rebuild", (False, True)),
    ],
)
def test_kernels_compile_without_a_private_class(module, name, expected, tmp_path):
    hide = HIDE.format(module=module, name=name, expected=expected)
    assert printed(hide + SCALE, NUMBA_CACHE_DIR=str(tmp_path)) == "False 8.0 True False\n"


@pytest.mark.slow
def test_bits_are_the_same_without_the_private_classes(tmp_path):
    hide = HIDE.format(module="codegen", name="JITCodeLibrary", expected=(True, False))
    plain = printed(hide + EVALUATE, NUMBA_CACHE_DIR=str(tmp_path))
    assert plain == printed(EVALUATE, NUMBA_CACHE_DIR=str(tmp_path / "other"))
    assert plain.startswith("False None True\n")


def test_library_that_lacks_an_attribute_is_refused(monkeypatch):
    monkeypatch.setattr(pipeline, "_NEEDED", (*pipeline._NEEDED, "_no_such_attribute"))
    with pytest.raises(ImportError, match="lacks _no_such_attribute"):
        pipeline._refuse_unknown_numba()


def test_this_numba_is_as_known():
    assert compilation.ENTRY
    assert compilation.KernelCache is not None


def test_what_is_compiled_is_told_by_the_types_of_the_arguments():
    function = kernel(lambda x: x + 1)
    assert not is_compiled(function, 1.5)
    function(1)
    assert is_compiled(function, 2)
    assert not is_compiled(function, 1.5)
