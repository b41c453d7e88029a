"""Folders that hold several runs: each is known by a fingerprint of what its runs have in common."""

from __future__ import annotations

import errno
import hashlib
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

from neuroevo.records import provenance
from neuroevo.records.errors import RecordError, RecordUnwritable, writing
from neuroevo.records.files import plain, read_json, write_json

FORMAT_VERSION = 1
_FINGERPRINT = "scenario_sha256"


@dataclass(frozen=True)
class Marker:
    """The file that says what a folder is.

    Attributes:
        file: Its name.
        format: What stands in it under `format`.
        noun: What the folder holds, for messages.
    """

    file: str
    format: str
    noun: str

    def open_folder(self, results: str | Path, name: str, *, identity: str, contents: Mapping[str, Any]) -> Path:
        """The folder of that name and identity, made where there is none; one of another identity is left alone.

        Args:
            results: Where to look for it.
            name: Its name; another one's of that name makes it NAME-2, and so on.
            identity: What the runs in it have in common.
            contents: What else the file says of a new folder.

        Raises:
            RecordError: The folder has the same `values` in its contents and another identity.
            RecordUnwritable: The machine refused.
        """
        fingerprint = hashlib.sha256(identity.encode("utf-8")).hexdigest()
        number = 1
        while True:
            path = Path(results) / (name if number == 1 else f"{name}-{number}")
            number += 1
            if self._is_made(path, {**contents, _FINGERPRINT: fingerprint}):
                return path
            values = self.read(path)
            if values is None:
                continue
            if values.get(_FINGERPRINT) == fingerprint:
                return path
            if "values" in contents and values.get("values") == plain(contents["values"]):
                # Under a number beside it, the table of a sweep would mix what cannot be compared.
                raise RecordError(
                    f"{path} was made with other data, or by another version of neuroevo, than it would go on with; "
                    "bring back what it was made with, or begin in another results folder"
                )

    def read(self, path: Path) -> dict[str, Any] | None:
        """What the file in a folder says; None where the folder is something else."""
        try:
            values = read_json(path / self.file)
        except RecordError:
            return None
        known = values.get("format") == self.format and values.get("format_version") == FORMAT_VERSION
        return values if known else None

    def _is_made(self, path: Path, contents: Mapping[str, Any]) -> bool:
        """Make the folder, whole from its first moment on; False where the name is taken."""
        if path.exists() or path.is_symlink():
            return False
        head = {"format": self.format, "format_version": FORMAT_VERSION, "created": provenance.now()}
        hidden = path.parent / f".{uuid.uuid4().hex}.new"
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            hidden.mkdir()
        try:
            write_json(hidden / self.file, {**head, **contents})
            with writing(path):
                hidden.rename(path)
        except RecordUnwritable as error:
            shutil.rmtree(hidden, ignore_errors=True)
            if isinstance(error.__cause__, OSError) and error.__cause__.errno in (errno.ENOTEMPTY, errno.EEXIST):
                return False
            raise
        return True


class RunSet:
    """A folder that holds several runs.

    Attributes:
        path: The folder.
    """

    MARKER: ClassVar[Marker]

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """An existing one.

        Raises:
            RecordError: It is none.
        """
        if cls.MARKER.read(Path(path)) is None:
            raise RecordError(f"{path} is not the folder of a {cls.MARKER.noun}")
        return cls(Path(path))

    @property
    def title(self) -> str:
        """What people call it."""
        return str(self._says.get("title", ""))

    @cached_property
    def _says(self) -> Mapping[str, Any]:
        """The contents of the marker, which never changes."""
        return self.MARKER.read(self.path) or {}
