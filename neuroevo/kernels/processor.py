"""What the kernels know about the processor: how wide its vectors are and how many registers hold them.

Only speed depends on it. Lanes hold different genomes (or different units), never parts of one sum, so every
width gives the same bits.
"""

from __future__ import annotations

from numba.core import config
from numba.core.registry import cpu_target

_AVX512_NAMES = frozenset(
    {
        "skylake-avx512",
        "cascadelake",
        "cooperlake",
        "cannonlake",
        "icelake-client",
        "icelake-server",
        "tigerlake",
        "rocketlake",
        "sapphirerapids",
        "emeraldrapids",
        "graniterapids",
        "knl",
        "knm",
        "znver4",
        "znver5",
        "x86-64-v4",
    }
)


def code_target() -> tuple[str, str, str]:
    """Triple, processor name and features that numba generates code for (`NUMBA_CPU_NAME` included)."""
    triple, name, features = cpu_target.target_context.codegen().magic_tuple()
    return str(triple), str(name), str(features)


_AVX2_NAMES = frozenset(
    {
        "haswell",
        "broadwell",
        "skylake",
        "alderlake",
        "raptorlake",
        "meteorlake",
        "lunarlake",
        "arrowlake",
        "znver1",
        "znver2",
        "znver3",
        "x86-64-v3",
    }
)


def _has_middle_registers() -> bool:
    _, name, features = code_target()
    return "+avx2" in features.split(",") or name in _AVX2_NAMES


def _has_wide_registers() -> bool:
    _, name, features = code_target()
    return "+avx512vl" in features.split(",") or name in _AVX512_NAMES


WIDE = _has_wide_registers()
"""True with 32 registers of 512 bits (AVX-512), False with 16 registers of 256 bits or fewer."""

HELD = WIDE or _has_middle_registers()
"""True where a whole vector fits into one register, so that constants can be held there."""

LANES = {"float32": 16 if WIDE else 8, "float64": 8 if WIDE else 4}
"""Lanes of one vector by element type."""

BLOCK_UNITS = 8
"""Units whose weights lie together: as many sums as hide the latency of a multiply-add with a single sequence."""

TILE_UNITS = 4
"""Units whose sums are kept in registers together when there are several sequences."""

TILE_SEQUENCES = 4 if WIDE else 2
"""Sequences whose sums are kept in registers together: 4 x 4 sums leave room among 32 registers, 4 x 2 among 16."""

GROUP_SEQUENCES = 4
"""Sequences whose values lie side by side in memory. They run tile by tile, each tile through all its steps: running
the tiles of 8 sequences in turn step by step, to fetch weights once for both, let the units of all push each other out
of the first-level cache (mid-gru-64 fell from 90 to 84 % of the machine limit)."""

BOUNDS_CHECKED = bool(getattr(config, "BOUNDSCHECK"))  # noqa: B009 - numba sets it at run time
"""With `NUMBA_BOUNDSCHECK=1` every vector load and store checks its range."""
