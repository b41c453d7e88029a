"""Compiled kernels on disk, safe against edits.

Numba's own cache looks at the file of the function only: an edit in a helper of another file is answered from the old
code. Here the folder's name is a hash of all kernel sources, of the versions of Python, numba and llvmlite and of the
processor that code is generated for, so nothing old can ever be read; a file's name holds the sources of cells and
tasks from other packages too. One file holds one compiled signature and is
written under another name and renamed, so that processes which compile at the same time cannot mix their results. A
cache that cannot be written costs time only.

`KernelCache` derives from numba's private class: a numba without it makes this import fail with an ImportError, and
`compilation` then works without a disk cache.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba.core import config as _config
from numba.core.caching import CompileResultCacheImpl, _Cache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps
from numba.misc.appdirs import AppDirs

from neuroevo.kernels import sources
from neuroevo.kernels.processor import code_target

config: Any = _config  # numba sets its attributes at run time

if not (hasattr(CompileResult, "_rebuild") and hasattr(CompileResult, "_reduce")):
    raise ImportError("this numba stores compiled functions in a way of its own")

_KEPT_VERSIONS = 8
_YOUNG_SECONDS = 24 * 3600.0


@cache
def sources_hash() -> str:
    """Hash of everything that compiled code depends on."""
    digest = hashlib.sha256()
    parts = [sys.implementation.cache_tag, platform.machine(), numba.__version__, llvmlite.__version__, *code_target()]
    parts += [config.BOUNDSCHECK, config.OPT, config.DEBUGINFO_DEFAULT, sources.AT_IMPORT]
    digest.update(repr(parts).encode())
    return digest.hexdigest()[:24]


def _from_elsewhere(signature: Any) -> list[str]:
    """Hashes of the sources outside of this package that code for these types may depend on; none for its own types."""
    own = sources.__name__.rpartition(".")[0]
    modules = [kind.instance_class.__module__ for kind in signature if hasattr(kind, "instance_class")]
    return sorted(sources.FOREIGN.values()) if any(not name.startswith(own) for name in modules) else []


def cache_root() -> Path:
    """The folder of all versions: in the user's cache folder, or below the temporary folder if that is read-only."""
    user = Path(config.CACHE_DIR or AppDirs(appname="neuroevo", appauthor=False).user_cache_dir) / "kernels"
    if _writable(user):
        return user
    owner = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    return Path(tempfile.gettempdir()) / f"neuroevo-kernels-{owner}"


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


@cache
def cache_folder() -> Path | None:
    """The folder of the present sources, made if need be; None where nothing can be written or trusted."""
    folder = cache_root() / sources_hash()
    if not _writable(folder) or (hasattr(os, "getuid") and folder.parent.stat().st_uid not in (os.getuid(), 0)):
        return None
    return folder


def prune(root: Path, keep: Path, n_kept: int = _KEPT_VERSIONS) -> None:
    """Remove the folders of the oldest versions; the newest `n_kept`, `keep` and those used today stay."""
    try:
        folders = sorted(
            (f for f in root.iterdir() if f.is_dir() and f != keep), key=lambda f: f.stat().st_mtime, reverse=True
        )
        for folder in folders[n_kept:]:
            if time.time() - folder.stat().st_mtime > _YOUNG_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        return


class KernelCache(_Cache):
    """Numba's cache of one function: one file a signature in `cache_folder`."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._name = f"{function.__module__}.{function.__qualname__}"
        self._impl = CompileResultCacheImpl
        self._enabled = True

    @property
    def cache_path(self) -> str:
        """The folder, as numba's statistics want it."""
        return str(cache_folder())

    def path(self, signature: Any) -> Path | None:
        """The file of a signature."""
        folder = cache_folder()
        key = repr((self._name, signature, *_from_elsewhere(signature)))
        name = hashlib.sha256(key.encode()).hexdigest()[:32]
        return None if folder is None else folder / f"{self._name.rpartition('.')[2]}-{name}.bin"

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The compiled function of a signature, None if there is none or its file is damaged."""
        path = self.path(sig)
        if not self._enabled or path is None or sources.edited():
            return None
        try:
            content = path.read_bytes()
        except OSError:
            return None
        digest, payload = content[:32], content[32:]
        if hashlib.sha256(payload).digest() != digest:
            return None
        target_context.refresh()
        return CompileResult._rebuild(target_context, *pickle.loads(payload))  # noqa: S301 - the user's own folder

    def save_overload(self, sig: Any, data: Any) -> None:
        """Write the compiled function; without a place to write, do nothing."""
        path = self.path(sig)
        if not self._enabled or path is None or sources.edited():
            return
        payload = dumps(data._reduce())
        try:
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                file.write(hashlib.sha256(payload).digest() + payload)
            Path(file.name).replace(path)
        except OSError:
            return
        prune(path.parent.parent, path.parent)

    def enable(self) -> None:
        """Use the disk."""
        self._enabled = True

    def disable(self) -> None:
        """Compile in this process only."""
        self._enabled = False

    def flush(self) -> None:
        """Forget nothing: files are never answers to other sources."""
