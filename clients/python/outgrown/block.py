"""The counter block, through the C library (liboutgrown.so.0) with ctypes.

A store that no connection uses any more stays open, since most applications come back to it; but when the library has
no room for another one (64 as a rule), those that have been idle the longest are closed. A record never meets a store
that is being closed: whoever records holds the Store. The library itself never throws, blocks or prints (outgrown.h).
"""

from __future__ import annotations

import ctypes
import os
import weakref
from typing import Dict, List, Optional, Tuple

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
    """One store's block, in use as long as somebody holds this. Every method may be called from any thread."""

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


_Key = Tuple[Optional[str], ...]

_library: Optional[ctypes.PyDLL] = None

# The stores in use, and the handles of those that are idle, in the order in which they became so. Without a lock, which
# a fork() in another thread would leave locked in the child for good: every step on a dict is one of its own. Two threads
# that open the same store at once hold it twice, which does no harm.
_in_use: "Dict[_Key, weakref.ref[Store]]" = {}
_idle: Dict[int, _Key] = {}

_ATTEMPTS_MAX = 4


def open_store(
    name: str, *, directory: Optional[str] = None, application: Optional[str] = None, database: Optional[str] = None
) -> Store:
    """The process's store of that name. Raises Unavailable with the reason."""
    # The environment: what the library takes the directory from.
    key = (name, directory, application, os.environ.get("OUTGROWN_DIR"), os.environ.get("XDG_RUNTIME_DIR"))
    known = _in_use.get(key)
    store = known() if known is not None else None
    if store is None:
        library = _load()
        handle = _take_idle(key)
        if handle is None:
            handle = _open_with_room(library, name, directory, application, database)
        store = Store(library, handle)
        # Not when the interpreter ends: other objects may still count then.
        weakref.finalize(store, _becomes_idle, key, handle).atexit = False
        _in_use[key] = weakref.ref(store)
    return store


def _becomes_idle(key: _Key, handle: int) -> None:
    """Nobody holds the store any more. Called in whichever thread that happens."""
    _idle[handle] = key
    known = _in_use.get(key)
    if known is not None and known() is None:
        _in_use.pop(key, None)


def _take_idle(wanted: Optional[_Key]) -> Optional[int]:
    """The handle of an idle store, of any if `wanted` is None; from then on the caller's."""
    for handle in list(_idle):
        if wanted is not None and _idle.get(handle) != wanted:
            continue
        key = _idle.pop(handle, None)
        if key is None:  # another thread has taken it
            continue
        if wanted in (None, key):
            return handle
        _idle[handle] = key  # closed meanwhile, and the address is another store's by now
    return None


def _open_with_room(
    library: ctypes.PyDLL, name: str, directory: Optional[str], application: Optional[str], database: Optional[str]
) -> int:
    """A new handle. If the library refuses it, maybe for lack of room, again with an idle store less."""
    for _ in range(_ATTEMPTS_MAX):
        try:
            return _open(library, name, directory, application, database)
        except Unavailable:
            idle = _take_idle(None)
            if idle is None:
                raise
            library.outgrown_close(idle)
    return _open(library, name, directory, application, database)


def _open(
    library: ctypes.PyDLL, name: str, directory: Optional[str], application: Optional[str], database: Optional[str]
) -> int:
    options = _Options(
        size=ctypes.sizeof(_Options),
        directory=None if directory is None else os.fsencode(directory),
        application=None if application is None else os.fsencode(application),
        database=None if database is None else os.fsencode(database),
    )
    handle: int = library.outgrown_open(os.fsencode(name), ctypes.byref(options))
    error = library.outgrown_error(handle)
    if error is not None:
        library.outgrown_close(handle)
        raise Unavailable(os.fsdecode(error))
    return handle


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
