"""What is done to values before and after a network, in C: logarithms, differences, what is taken off the targets."""

from __future__ import annotations

import numpy as np

from neuroevo.export.c.cells import worded
from neuroevo.export.c.tables import Tables
from neuroevo.export.plan import Part

_LEVEL = """
static inline REAL NAME_level(const MODEL_state *s, int column, int lag)
{
    const REAL value = s->rows[lag][column];
RETURN
}
"""
_LOG = """    if (NAME_copies[column])
        return value > 0 ? LOG(value) : 0;
    return value;"""
_DIFFERENCED = """
static inline REAL NAME_differenced(const MODEL_state *s, int column, int lag, int n)
{
    if (n == 0 || !NAME_copies[column])
        return NAME_level(s, column, lag);
    const int apart = NAME_apart[n - 1];
    if (s->age - lag < apart)
        return 0;
    return NAME_differenced(s, column, lag, n - 1) - NAME_differenced(s, column, lag + apart, n - 1);
}
"""
_PREPARED = """
static inline void NAME_prepared(const MODEL_state *s, REAL *x, REAL *references)
{
    for (int i = 0; i < N_INPUTS; i++)
        x[i] = VALUE_NOW;
    for (int o = 0; o < N_OUTPUTS; o++) {
REFERENCE    }
LINEAR}
"""
_LINEAR = """    for (int r = 0; r < N_REGRESSORS; r++) {
        REAL value = VALUE_THEN;
        value = value < NAME_low[r] ? NAME_low[r] : value > NAME_high[r] ? NAME_high[r] : value;
        value = (value - NAME_offset[r]) / NAME_factor[r];
        for (int o = 0; o < N_OUTPUTS; o++)
            references[o] += value * NAME_regression[r * N_OUTPUTS + o];
    }
"""


def prepared_text(part: Part, tables: Tables, n_inputs: int, n_outputs: int) -> str:
    """``NAME_prepared(state, x, references)``: inputs before scaling and what is added to outputs, and its helpers."""
    preparation, linear = part.preparation, None if part.preparation is None else part.preparation.linear
    is_log = preparation is not None and "log" in preparation.transform
    text, n_apart = "", len(part.differences)
    if preparation is not None and (is_log or n_apart):
        tables.whole("copies", np.isin(np.arange(n_inputs), list(preparation.columns)))
    text += _LEVEL.replace("RETURN", _LOG if is_log else "    return value;")
    if n_apart:
        tables.whole("apart", part.differences)
        text += _DIFFERENCED
    value = (
        "NAME_differenced(s, COLUMN, LAG, N)".replace("N)", f"{n_apart})") if n_apart else "NAME_level(s, COLUMN, LAG)"
    )
    text += _PREPARED.replace("VALUE_NOW", value.replace("COLUMN", "i").replace("LAG", "0"))
    regression = ""
    if linear is not None:
        tables.whole("columns", linear.columns)
        tables.whole("lags", linear.lags)
        for name in ("low", "high", "offset", "factor"):
            tables.numbers(name, np.clip(getattr(linear, name), -3e38, 3e38))
        tables.numbers("regression", linear.weights)
        then = value.replace("COLUMN", "NAME_columns[r]").replace("LAG", "NAME_lags[r]")
        regression = _LINEAR.replace("N_REGRESSORS", str(len(linear.columns))).replace("VALUE_THEN", then)
    words = {
        "REFERENCE": _reference(part, tables),
        "LINEAR": regression,
        "N_INPUTS": str(n_inputs),
        "N_OUTPUTS": str(n_outputs),
    }
    return worded(text, tables, words)


def _reference(part: Part, tables: Tables) -> str:
    """The lines that set ``references[o]`` to what the series itself says."""
    preparation = part.preparation
    linear = None if preparation is None else preparation.linear
    if linear is not None:
        tables.numbers("intercept", linear.intercept)
    fixed = "NAME_intercept[o]" if linear is not None else "0"
    if preparation is None or not (part.takes_last or part.takes_season):
        return f"        references[o] = {fixed};\n"
    tables.whole("tied", preparation.tied)
    lines = ["const REAL last = NAME_level(s, NAME_tied[o], 0);"]
    back, ahead = part.seasons_back, part.seasons_back - preparation.horizon
    if part.takes_season:
        lines.append(f"const REAL ahead = s->age >= {ahead} ? NAME_level(s, NAME_tied[o], {ahead}) : last;")
        both = f"s->age >= {back} ? last + ahead - NAME_level(s, NAME_tied[o], {back}) : last"
        taken = f"({both})" if part.takes_last else "ahead"
    else:
        taken = "last"
    lines.append(f"references[o] = {fixed} + {taken};" if linear is not None else f"references[o] = {taken};")
    return "".join(f"        {line}\n" for line in lines)
