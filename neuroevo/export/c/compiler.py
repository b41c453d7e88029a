"""A header at work: compiled with the C compiler that is there, and run on inputs."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroevo.errors import BadInput
from neuroevo.export.plan import Values

COMPILERS = ("cc", "gcc", "clang")

_KEYWORDS = {
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern", "float",
    "for", "goto", "if", "inline", "int", "long", "main", "register", "restrict", "return", "short", "signed",
    "sizeof", "static", "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while",
}  # fmt: skip

_DRIVER = """#include <stdio.h>
#include "FILE"

int main(void)
{
    double number;
    REAL inputs[N_IN], outputs[N_OUT];
    int n_sequences, n_steps;
    if (scanf("%d %d", &n_sequences, &n_steps) != 2)
        return 1;
    for (int sequence = 0; sequence < n_sequences; sequence++) {
        MODEL_state state;
        MODEL_reset(&state);
        for (int step = 0; step < n_steps; step++) {
            for (int i = 0; i < N_IN; i++) {
                if (scanf("%lf", &number) != 1)
                    return 1;
                inputs[i] = (REAL)number;
            }
            MODEL_step(&state, inputs, outputs);
            for (int o = 0; o < N_OUT; o++)
                printf("%.17g\\n", (double)outputs[o]);
        }
    }
    return 0;
}
"""


def run(file: Path, inputs: NDArray[Any], real: str) -> Values:
    """What the header says of inputs ``(n_sequences, n_steps, n_inputs)`` in numbers of that type."""
    n_outputs = outputs_of(file.read_text())
    words = {
        "FILE": file.name,
        "MODEL": identifier(file.name),
        "REAL": real,
        "N_IN": str(inputs.shape[2]),
        "N_OUT": str(n_outputs),
    }
    with tempfile.TemporaryDirectory(prefix="neuroevo-") as folder:
        source, program = Path(folder) / "driver.c", Path(folder) / "driver"
        source.write_text(replaced(_DRIVER, words))
        flags = ["-std=c99", "-O1", "-I", str(file.parent.resolve())]
        built = [str(compiler()), *flags, str(source), "-o", str(program), "-lm"]
        subprocess.run(built, check=True, capture_output=True)  # noqa: S603 - a compiler, and our own program
        given = f"{inputs.shape[0]} {inputs.shape[1]}\n" + "\n".join(map(repr, inputs.ravel().tolist()))
        done = subprocess.run([str(program)], input=given.encode(), capture_output=True, check=True)  # noqa: S603
    return np.array(done.stdout.split(), dtype=np.float64).reshape(*inputs.shape[:2], n_outputs)


def identifier(file: str) -> str:
    """What all names in a header of that name begin with."""
    name = re.sub(r"\W", "_", Path(file).stem, flags=re.ASCII)
    return f"model_{name}" if not name or name[0].isdigit() or name[0] == "_" or name in _KEYWORDS else name


def replaced(text: str, words: dict[str, str]) -> str:
    """Words in capitals become what they stand for, all at once, so that no word is looked for in another's text."""
    return re.sub("|".join(map(re.escape, words)), lambda found: words[found[0]], text)


def outputs_of(text: str) -> int:
    """The output columns of a header."""
    found = re.search(r"_step\(.*outputs\[(\d+)\]\)\n", text)
    if found is None:
        raise BadInput("this is no header of neuroevo")
    return int(found[1])


def bits_of(text: str, side: str) -> list[int]:
    """Bits behind the point of the columns of a header without floating point; `side` is "INPUT" or "OUTPUT"."""
    found = re.search(rf"^#define \w+_{side}_BITS {{(.*)}}$", text, re.MULTILINE)
    if found is None:
        raise BadInput("this is no header of neuroevo without floating point")
    return [int(bits) for bits in found[1].split(",")]


def compiler() -> str | None:
    """The C compiler that is there."""
    return next((path for name in COMPILERS if (path := shutil.which(name))), None)
