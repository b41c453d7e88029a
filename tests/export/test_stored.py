"""Predictors say what their exported models have said in PyTorch and onnxruntime (make_export_reference.py)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.export.cases import predictors

CASES = predictors()
TOLERANCE = {"torch": 1e-11, "onnx": 1e-5}


@pytest.mark.parametrize("name", TOLERANCE)
def test_predictors_equal_what_exported_models_said(name: str) -> None:
    with np.load(Path(__file__).parents[1] / "reference" / "exports.npz") as stored:
        assert {key.partition("/")[2] for key in stored.files} == set(CASES)
        for case, (predictor, inputs) in CASES.items():
            expected = stored[f"{name}/{case}"]
            found = predictor.predict(inputs[:1])[0, ::3]
            tolerance = TOLERANCE[name] * np.abs(expected).max()
            np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance, err_msg=case)
