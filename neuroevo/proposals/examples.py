"""The shipped examples: scenarios and their data, in a wheel as in a clone of the repository."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path

from neuroevo.errors import BadInput
from neuroevo.registry import nearest

_PACKAGE = Path(str(files("neuroevo")))
PLACES = (_PACKAGE / "examples", _PACKAGE.parent / "scenarios")
"""A wheel has them inside the package, a clone beside it."""


def examples() -> dict[str, Path]:
    """The shipped scenarios by name."""
    folder = next((place for place in PLACES if place.is_dir()), None)
    return {} if folder is None else {path.stem: path for path in sorted(folder.glob("*.toml"))}


def example_files(name: str) -> dict[Path, bytes]:
    """What belongs to an example: the scenario and the file of its data, by paths relative to a common folder.

    Raises:
        BadInput: There is no such example.
    """
    known = examples()
    if name not in known:
        near = nearest(name, known)
        listed = ", ".join(known) or "none: this installation lacks them"
        raise BadInput(f"there is no example {name!r}; {f'did you mean {near!r}? ' if near else ''}there are {listed}")
    scenario = known[name].read_bytes()
    data = tomllib.loads(scenario.decode()).get("problem", {}).get("file")
    found = {Path(f"{name}.toml"): scenario}
    if data is not None:
        found[Path(data)] = (known[name].parent / data).read_bytes()
    return found
