"""How many bytes an application writes, as far as its parameters say."""

from __future__ import annotations

from typing import Any


def size_of(parameters: Any) -> int:
    """The payload's size in bytes: text and blobs among the parameters."""
    if not isinstance(parameters, (tuple, list, dict)):
        return 0
    size_bytes = 0
    for value in parameters.values() if isinstance(parameters, dict) else parameters:
        if isinstance(value, (bytes, bytearray)):
            size_bytes += len(value)
        elif isinstance(value, str):
            size_bytes += len(value) if value.isascii() else len(value.encode("utf-8", "replace"))
        elif isinstance(value, memoryview):
            size_bytes += value.nbytes
    return size_bytes


def largest_of(parameters: Any) -> int:
    """The size in bytes of the largest text or blob among the parameters."""
    if not isinstance(parameters, (tuple, list, dict)):
        return 0
    values = parameters.values() if isinstance(parameters, dict) else parameters
    return max((size_of((value,)) for value in values), default=0)
