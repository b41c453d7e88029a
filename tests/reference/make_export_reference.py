"""Write exports.npz: what exported models say in PyTorch (double precision) and onnxruntime (single precision).

Run it once, where both are installed:  python -m tests.reference.make_export_reference
The stored file was made with PyTorch 2.13.0 (CPU), onnx 1.23.2 and onnxruntime 1.32.0; the suite reads it and needs none
of them. Keys are ``<format>/<case>``, cases as in tests/export/cases.py; values ``(n_steps, n_outputs)`` of the first
sequence, every third step.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

FORMATS = {"torch": "double", "onnx": "single"}


def outputs():
    """Keys to outputs, computed now."""
    from neuroevo.export import FORMATS as REGISTERED
    from neuroevo.export import plan_of
    from tests.export.cases import predictors

    found = {}
    for name, precision in FORMATS.items():
        format_ = REGISTERED[name]()
        for case, (predictor, inputs) in predictors().items():
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / f"model{format_.suffix}"
                for path, contents in format_.files(plan_of(predictor), file, precision).items():
                    path.write_bytes(contents)
                said = format_.outputs(file, [inputs[:1]], precision)[0, ::3]
            found[f"{name}/{case}"] = said.astype(np.float32 if precision == "single" else np.float64)
    return found


if __name__ == "__main__":
    np.savez_compressed(Path(__file__).with_name("exports.npz"), **outputs())
