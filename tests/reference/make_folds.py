"""What scikit-learn's splitters say: the rows that train and validate in each fold, as folds.json.

pip install scikit-learn && python tests/reference/make_folds.py
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn.model_selection import KFold, TimeSeriesSplit

CASES = [
    ("rolling", 60, None, 2),
    ("rolling", 57, None, 5),
    ("rolling", 72, 12, 3),
    ("rolling", 67, 12, 4),
    ("blocked", 60, None, 2),
    ("blocked", 60, None, 7),
    ("blocked", 69, None, 4),
]
"""Scheme, rows, rows that validate in a fold where that is given, folds."""


def main() -> None:
    found = []
    for scheme, n, size, k in CASES:
        splitter = TimeSeriesSplit(k, test_size=size) if scheme == "rolling" else KFold(k)
        folds = [[train.tolist(), held.tolist()] for train, held in splitter.split(np.arange(n))]
        found.append({"scheme": scheme, "n": n, "size": size, "folds": folds})
    contents = {"scikit-learn": sklearn.__version__, "cases": found}
    Path(__file__).with_name("folds.json").write_text(json.dumps(contents) + "\n")


if __name__ == "__main__":
    main()
