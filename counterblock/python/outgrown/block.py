"""The counter block, through the C library (liboutgrown.so.0) with ctypes.

A store is opened once for the process and stays open: threads come and go, connections come and go, and a record
must never meet a store that is being closed. The library itself never throws, blocks or prints (outgrown.h).
"""

from __future__ import annotations

import ctypes
import os
from typing import Dict, Optional, Tuple

from .outcome import Outcome

LIBRARY_NAME = "liboutgrown.so.0"


class Unavailable(Exception):
    """Counting is not possible; the text says why, and what is missing."""


class Start(ctypes.Structure):
    """A write that has begun: outgrown_start."""

    _fields_ = [("start_ns", ctypes.c_uint64), ("mark", ctypes.c_uint64)]


class _Options(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("directory", ctypes.c_char_p),
        ("application", ctypes.c_char_p),
        ("database", ctypes.c_char_p),
        ("slots", ctypes.c_uint32),
        ("log", ctypes.c_void_p),
        ("log_context", ctypes.c_void_p),
    ]


class Store:
    """One store's block. Every method may be called from any thread."""

    def __init__(self, library: ctypes.PyDLL, handle: int) -> None:
        self._library = library
        self._handle = ctypes.c_void_p(handle)
        # Bound once: an attribute of the library costs as much as the call.
        self._begin = library.outgrown_begin
        self._end = library.outgrown_end
        self._abandon = library.outgrown_abandon

    def begin(self) -> Start:
        """Marks a write as in flight."""
        start: Start = self._begin(self._handle)
        return start

    def end(self, start: Start, outcome: Outcome, size_bytes: int) -> None:
        """Records the write that began at `start` and ends now."""
        self._end(self._handle, start, outcome, size_bytes)

    def abandon(self, start: Start) -> None:
        """Takes the mark away and records nothing."""
        self._abandon(self._handle, start)

    def lost(self) -> None:
        """From now on writes of one more connection go uncounted."""
        self._library.outgrown_trace_lost(self._handle)

    def regained(self) -> None:
        self._library.outgrown_trace_regained(self._handle)

    @property
    def database(self) -> str:
        """The path of the database that the block is for, as whoever created it said; empty if nobody did."""
        return os.fsdecode(self._library.outgrown_database(self._handle))

    def outcome_of(self, code: int) -> Outcome:
        """The outcome that a SQLite result code stands for."""
        return Outcome(self._library.outgrown_outcome_of_sqlite(code))


_library: Optional[ctypes.PyDLL] = None
_stores: Dict[Tuple[Optional[str], ...], Store] = {}


def open_store(
    name: str, *, directory: Optional[str] = None, application: Optional[str] = None, database: Optional[str] = None
) -> Store:
    """The process's store of that name. Raises Unavailable with the reason."""
    # The environment: what the library takes the directory from.
    key = (name, directory, application, os.environ.get("OUTGROWN_DIR"), os.environ.get("XDG_RUNTIME_DIR"))
    # Without a lock, which a fork() in another thread would leave locked in the child for good. Two threads that open
    # the same store at once hold it twice, which does no harm; one of the two is used from then on.
    store = _stores.get(key)
    return store if store is not None else _stores.setdefault(key, _open(name, directory, application, database))


def _open(name: str, directory: Optional[str], application: Optional[str], database: Optional[str]) -> Store:
    library = _load()
    options = _Options(
        size=ctypes.sizeof(_Options),
        directory=None if directory is None else os.fsencode(directory),
        application=None if application is None else os.fsencode(application),
        database=None if database is None else os.fsencode(database),
    )
    handle = library.outgrown_open(os.fsencode(name), ctypes.byref(options))
    error = library.outgrown_error(handle)
    if error is not None:
        library.outgrown_close(handle)
        raise Unavailable(os.fsdecode(error))
    return Store(library, handle)


def _load() -> ctypes.PyDLL:
    """The C library: $OUTGROWN_LIBRARY, else the system's (what ldconfig knows, or $LD_LIBRARY_PATH)."""
    global _library
    if _library is not None:
        return _library
    path = os.environ.get("OUTGROWN_LIBRARY") or LIBRARY_NAME
    try:
        # PyDLL keeps the interpreter lock: a record takes nanoseconds, giving up the lock and getting it back more.
        _library = _declare(ctypes.PyDLL(path))
    except (OSError, AttributeError) as error:
        raise Unavailable(
            f"the C library {path} cannot be used: {error}; "
            "install Outgrown on this machine, or let OUTGROWN_LIBRARY name the library's file"
        ) from error
    return _library


def _declare(library: ctypes.PyDLL) -> ctypes.PyDLL:
    handle = ctypes.c_void_p
    signatures = {
        "outgrown_open": (handle, [ctypes.c_char_p, ctypes.POINTER(_Options)]),
        "outgrown_error": (ctypes.c_char_p, [handle]),
        "outgrown_database": (ctypes.c_char_p, [handle]),
        "outgrown_close": (None, [handle]),
        "outgrown_begin": (Start, [handle]),
        "outgrown_end": (None, [handle, Start, ctypes.c_int, ctypes.c_uint64]),
        "outgrown_abandon": (None, [handle, Start]),
        "outgrown_trace_lost": (None, [handle]),
        "outgrown_trace_regained": (None, [handle]),
        "outgrown_outcome_of_sqlite": (ctypes.c_int, [ctypes.c_int]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library
