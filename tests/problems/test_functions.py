"""Functions of one's own by their places."""

from __future__ import annotations

import pytest

from neuroevo.errors import BadInput
from neuroevo.problems.control.compiled import CompiledSimulator
from neuroevo.problems.functions import found


def test_a_module_that_fails_when_it_is_imported_is_bad_input(tmp_path, monkeypatch):
    (tmp_path / "failing_costs.py").write_text("scale = undefined\n")
    monkeypatch.syspath_prepend(tmp_path)
    message = "is not found: its module fails: NameError: name 'undefined' is not defined"
    with pytest.raises(BadInput, match=f"the objective 'failing_costs:cost' {message}"):
        found("failing_costs:cost", "the objective")
    sizes = {"n_inputs": 1, "n_outputs": 1, "n_state": 1, "n_steps": 5}
    with pytest.raises(BadInput, match=f"the simulator failing_costs {message}"):
        CompiledSimulator(functions="failing_costs", **sizes).parts_of()
