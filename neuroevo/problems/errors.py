"""The error that all readers of data raise."""

from __future__ import annotations

from neuroevo.errors import BadInput


class DataError(BadInput):
    """Data that cannot be used. The message names the file, the place in it, what is wrong and how to mend it."""
