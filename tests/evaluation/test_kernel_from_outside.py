"""A network and its kernel from another package, by entry points, as `docs/extending.md` shows them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

COMPARE = """
import sys
import numpy as np
import neuroevo as ne
from neuroevo.evaluation import trace
from neuroevo.networks import NETWORKS, make_network

assert "independent" in NETWORKS.names()
assert "my_cells" not in sys.modules
rng = np.random.default_rng(1)
for n_hidden, n_outputs, n_sequences, settings in (
    (1, 1, 1, {}),
    (7, 2, 3, {"initial_state": True, "activation": "tanh"}),
    (19, 3, 6, {"output_activation": "softmax", "fixed": {"weight_hh_l0": 0.5}}),
):
    network = make_network("independent", 2, n_outputs, n_hidden=n_hidden, **settings)
    lengths = rng.integers(1, 12, n_sequences)
    problem = ne.SequenceProblem(
        rng.normal(size=(n_sequences, 11, 2)), rng.normal(size=(n_sequences, 11, n_outputs)), lengths=lengths
    )
    genomes = rng.normal(size=(19, network.n_genes)) * 0.5
    outputs = np.array([network.predict(genome, problem.inputs, lengths) for genome in genomes])
    expected = np.nanmean((outputs - problem.targets) ** 2, axis=(1, 2, 3))
    for precision, tolerance in PRECISIONS.items():
        with ne.LocalEvaluator(network, problem, n_threads=2, precision=precision) as evaluator:
            assert type(evaluator._backend).__name__ == "Compiled"
            was_compiled = evaluator.is_compiled
            np.testing.assert_allclose(evaluator.evaluate(genomes).error, expected, rtol=tolerance)
    found = trace(network, genomes, problem.inputs, lengths)
    np.testing.assert_allclose(found["outputs"], outputs, rtol=1e-11, atol=1e-12)
print(was_compiled)
"""


@pytest.fixture
def package(tmp_path):
    """Install the page's code: two modules, and the entry points of a distribution."""
    page = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    (tmp_path / "my_cells").mkdir()
    for name in ("independent", "independent_kernel", "independent_back"):
        code = re.search(rf"`my_cells/{name}\.py`.*?```python\n(.*?)```", page, re.DOTALL).group(1)
        (tmp_path / "my_cells" / f"{name}.py").write_text(code)
    with_gradient = re.search(r"```python\n(def describe_with_gradient.*?)```", page, re.DOTALL).group(1)
    with (tmp_path / "my_cells" / "independent_kernel.py").open("a") as kernel:
        kernel.write(f"\n\n{with_gradient}")
    (lines,) = [block for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if "neuroevo.cells" in block]
    groups = tomllib.loads(lines)["project"]["entry-points"]
    info = tmp_path / "my_cells-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-cells\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "".join(
            f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
            for group, points in groups.items()
        )
    )
    return tmp_path


def run(package, code, **environment):
    paths = os.pathsep.join([str(package), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=package,
        env={**os.environ, "PYTHONPATH": paths, "NUMBA_CACHE_DIR": str(package / "cache"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_network_and_kernel_from_another_package_equal_its_predict(package):
    both = "PRECISIONS = {'double': 1e-11, 'single': 2e-5}\n" + COMPARE
    assert run(package, both) == "True\n"
    assert run(package, both) == "True\n"
    run(package, both, NUMBA_BOUNDSCHECK="1")


GRADIENT = """
import numpy as np
import neuroevo as ne
from neuroevo.networks import make_network

rng = np.random.default_rng(2)
for n_hidden, n_outputs, settings in (
    (7, 2, {"initial_state": True, "activation": "tanh", "fixed": {"bias_out": 0.5}}),
    (9, 3, {"activation": "sine", "output_activation": "softmax"}),
):
    network = make_network("independent", 2, n_outputs, n_hidden=n_hidden, **settings)
    problem = ne.SequenceProblem(rng.normal(size=(5, 9, 2)), rng.normal(size=(5, 9, n_outputs)), lengths=[9, 3, 7, 1, 9])
    genomes = rng.normal(size=(3, network.n_genes)) * 0.5
    wants = frozenset({"gradient"})
    with ne.LocalEvaluator(network, problem, n_threads=2, precision="double", wants=wants) as evaluator:
        steps = 1e-6 * np.eye(network.n_genes)
        expected = [
            (evaluator.evaluate(genome + steps).error - evaluator.evaluate(genome - steps).error) / 2e-6
            for genome in genomes
        ]
        np.testing.assert_allclose(evaluator.gradient(genomes), expected, rtol=1e-6, atol=1e-9)
"""


@pytest.mark.slow
def test_backward_step_from_another_package_is_the_slope_of_the_error(package):
    run(package, GRADIENT)


DOUBLED = """
import numpy as np
import neuroevo as ne
from neuroevo.networks import make_network
network = make_network("independent", 1, 1, n_hidden=1)
problem = ne.SequenceProblem(np.ones((1, 2, 1)), np.zeros((1, 2, 1)))
with ne.LocalEvaluator(network, problem, n_threads=1) as evaluator:
    # weight_ih, weight_hh, bias, weight_out, bias_out: h = 1 + 2 h, y = h
    print(evaluator.is_compiled, evaluator.evaluate(np.array([[1.0, 2.0, 0.0, 1.0, 0.0]])).error[0])
"""


@pytest.mark.slow
def test_edit_in_a_kernel_from_another_package_is_never_answered_from_old_code(package):
    assert run(package, DOUBLED) == "False 5.0\n"
    assert run(package, DOUBLED) == "True 5.0\n"
    path = package / "my_cells" / "independent_kernel.py"
    path.write_text(path.read_text().replace("fma(own,", "fma(own + own,"))
    assert run(package, DOUBLED) == "False 13.0\n"
