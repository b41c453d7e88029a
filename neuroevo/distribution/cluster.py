"""A cluster to work on: a Ray of our own on this machine, or one that is running already.

Ray's habits that a user would stumble over end here (measured with 2.60): a dead address is tried for ten minutes, a
stale file of another cluster is believed, token authentication is on for one command and off for the next, and the
death of a process is announced in twenty lines.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Self

from neuroevo.checks import whole_number
from neuroevo.errors import BadInput, MachineRefused

_PROBE_SECONDS = 5.0
_UNWANTED = (b"RAY_BACKEND_LOG_LEVEL", b"gcs_client.cc")
"""Lines of Ray's C++ part at its start: which level it logs at, and each of its tries to be let in."""
_TRIES = "5"
"""How often, a second apart, Ray asks to be let in; its 20 are for clusters that only just start."""
_START = "start one with `ray start --head`, or leave --ray out and use --workers N for this machine"

_AGREE = (
    "cluster and driver must have the same versions of Python and Ray, and agree on authentication: "
    "RAY_AUTH_MODE=token in the environment of both, and the same ~/.ray/auth_token or RAY_AUTH_TOKEN"
)


class ClusterError(MachineRefused, ConnectionError):
    """Workers cannot be had, or cannot do their work; the message says why."""


class Cluster:
    """Processors for workers, some of them perhaps on other machines; a context manager.

    Made by `Cluster.local` or `Cluster.join`.

    Attributes:
        threads: Processors that each worker gets.
        address: Where it was found, or "local".
    """

    def __init__(self, ray: Any, address: str, threads: int, n_workers: int | None, owned: bool) -> None:
        self.ray = ray
        self.address = address
        self.threads = threads
        self._n_workers = n_workers
        self._owned = owned

    @classmethod
    def local(cls, n_workers: int, threads: int = 1) -> Cluster:
        """Start a private Ray on this machine; nobody without its token, which is nowhere on disk, can use it.

        Args:
            n_workers: Workers that it has room for.
            threads: Processors that each of them gets.

        Raises:
            ClusterError: Ray cannot be started.
        """
        whole_number("n_workers", n_workers)
        whole_number("threads", threads)
        if "RAY_AUTH_MODE" not in os.environ and "ray" not in sys.modules:
            os.environ["RAY_AUTH_MODE"] = "token"
            os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
        ray = _import_ray()
        if ray.is_initialized():
            return cls(ray, "local", threads, n_workers, owned=False)
        _init(ray, address="local", num_cpus=n_workers * threads, include_dashboard=False)
        return cls(ray, "local", threads, n_workers, owned=True)

    @classmethod
    def join(cls, address: str, threads: int = 1) -> Cluster:
        """Join a running cluster; it has as many workers as its processors allow, now and later.

        Args:
            address: HOST:PORT of its head, or "auto": the one of RAY_ADDRESS, or the one that this machine belongs to.
            threads: Processors that each worker gets.

        Raises:
            ValueError: The address is none.
            ClusterError: Nobody answers there, within seconds.
        """
        whole_number("threads", threads)
        known = cls.reach(address)
        if "RAY_AUTH_MODE" not in os.environ and _has_token():
            os.environ["RAY_AUTH_MODE"] = "token"
        os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", _TRIES)
        ray = _import_ray()
        if ray.is_initialized():
            return cls(ray, known, threads, None, owned=False)
        _init(ray, address=known)
        return cls(ray, known, threads, None, owned=True)

    @staticmethod
    def reach(address: str) -> str:
        """HOST:PORT of a cluster, after somebody has answered there.

        Raises:
            ValueError: The address is none.
            ClusterError: Nobody answers, within seconds.
        """
        known = _find() if address == "auto" else address
        _probe(*_parsed(known))
        return known

    def n_wanted(self) -> int:
        """Workers that there is room for; on a cluster this changes as machines come and go."""
        if self._n_workers is not None:
            return self._n_workers
        return int(self.ray.cluster_resources().get("CPU", 0)) // self.threads

    def is_one_machine(self) -> bool:
        """Whether all workers see the same memory as this process."""
        return self._n_workers is not None or sum(node["Alive"] for node in self.ray.nodes()) == 1

    def close(self) -> None:
        """Leave the cluster; a private one ends. Closing twice is allowed."""
        if self._owned and self.ray.is_initialized():
            self.ray.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _import_ray() -> ModuleType:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Its C++ part would print a line a second while it is turned away.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "error")
    # Otherwise Ray warns, on each start, of a change in GPU settings that does not concern us.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    return ray


def _init(ray: Any, **options: Any) -> None:
    previous = signal.getsignal(signal.SIGTERM)
    try:
        with _filtered() as dropped:
            ray.init(log_to_driver=False, logging_level="ERROR", **options)
    except (ConnectionError, TimeoutError, RuntimeError, ValueError, OSError) as error:
        text = " ".join(str(error).split())
        if options["address"] == "local":
            raise ClusterError(f"Ray did not start: {text[:400]}") from error
        if any(b"InvalidAuthToken" in line for line in dropped):
            raise ClusterError(f"the cluster at {options['address']} wants another token: {_AGREE}") from error
        raise ClusterError(
            f"somebody answers at {options['address']}, but not as Ray: {text[:400]}; {_AGREE}"
        ) from error
    finally:
        # Ray sets a handler of its own, which would outlive it.
        if threading.current_thread() is threading.main_thread() and previous is not None:
            signal.signal(signal.SIGTERM, previous)
    with contextlib.suppress(ImportError, AttributeError):
        # What concerns us of these messages, the loss of a worker, is told in a line of our own.
        from ray._private import worker

        worker.print_to_stdstream = lambda *_args, **_options: None


@contextlib.contextmanager
def _filtered() -> Iterator[list[bytes]]:
    """Keep lines that say nothing to a user from the error stream, and collect them.

    Ray's C++ part writes there past Python's `sys.stderr`.
    """
    dropped: list[bytes] = []
    try:
        original = os.dup(2)
    except OSError:  # a process without an error stream has nothing to filter
        yield dropped
        return
    end, begin = os.pipe()
    os.set_inheritable(original, False)

    def pass_on() -> None:
        with open(end, "rb") as lines, contextlib.suppress(OSError):  # noqa: PTH123 - a descriptor, not a path
            for line in lines:
                if any(letters in line for letters in _UNWANTED):
                    dropped.append(line)
                else:
                    os.write(original, line)

    thread = threading.Thread(target=pass_on, daemon=True)
    thread.start()
    sys.stderr.flush()
    os.dup2(begin, 2)
    os.close(begin)
    try:
        yield dropped
    finally:
        os.dup2(original, 2)
        # A process that Ray has started may hold the other end open, and then the thread lives as long as it.
        thread.join(timeout=0.5)
        if not thread.is_alive():
            os.close(original)


def _has_token() -> bool:
    if os.environ.get("RAY_AUTH_TOKEN") or os.environ.get("RAY_AUTH_TOKEN_PATH"):
        return True
    return (Path.home() / ".ray" / "auth_token").is_file()


def _find() -> str:
    """The address that "auto" stands for; Ray itself would also search the list of processes, and wait."""
    named = os.environ.get("RAY_ADDRESS", "")
    if named and named != "auto":
        return named
    import tempfile

    folders = [Path(os.environ.get("RAY_TMPDIR", tempfile.gettempdir())), Path("/tmp")]  # noqa: S108 - Ray's choice
    for folder in folders:
        with contextlib.suppress(OSError):
            address = (folder / "ray" / "ray_current_cluster").read_text(encoding="utf-8").strip()
            if address:
                return address
    raise ClusterError(f"no cluster found: RAY_ADDRESS is not set and none was started on this machine; {_START}")


def _parsed(address: str) -> tuple[str, int]:
    if "://" in address:
        raise BadInput(
            f"--ray takes HOST:PORT or auto, got {address!r}; Ray Client is not used: start neuroevo on a machine of "
            "the cluster, or send it there with `ray job submit -- neuroevo run SCENARIO --ray auto`"
        )
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise BadInput(f"--ray takes HOST:PORT (as in 10.0.0.1:6379) or auto, got {address!r}")
    return host.strip("[]"), int(port)


def _probe(host: str, port: int) -> None:
    try:
        socket.create_connection((host, port), timeout=_PROBE_SECONDS).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ClusterError(f"no cluster answers at {host}:{port} ({reason}); {_START}") from error
