"""A statement as it was when it was about to run, and whether it was a write though it has failed."""

from __future__ import annotations

import sqlite3
from typing import Any, NamedTuple, Optional

from . import schema
from .block import Start
from .outcome import Failure
from .payload import largest_of
from .statement import Kind
from .targets import Targets

_LEGACY = -1  # sqlite3.LEGACY_TRANSACTION_CONTROL (Python 3.12), how every connection was before
_LIMIT_LENGTH = 0  # SQLITE_LIMIT_LENGTH: bytes of a text, a blob or a row


class Begun(NamedTuple):
    """A statement that is about to run, and how things stood before it. Kept by the call, not by the watch: calls of
    several threads may overlap, and so do those of an SQL function with those of the statement that calls it."""

    start: Optional[Start]  # of the write that it begins, if it does
    locks: bool  # it takes the write lock, as far as is known beforehand
    was_open: bool  # inside a transaction
    changes: int  # rows changed in the connection's life


def is_legacy(connection: sqlite3.Connection) -> bool:
    """Whether sqlite3 opens and ends transactions as it did before Python 3.12."""
    return bool(getattr(connection, "autocommit", _LEGACY) == _LEGACY)


def was_write(
    connection: sqlite3.Connection,
    targets: Targets,
    kind: Kind,
    begun: Begun,
    failure: Failure,
    sql: str,
    parameters: Any,
) -> bool:
    """Whether a statement that has failed got as far as to ask for the write lock of the main database."""
    if kind is Kind.WRITE:
        if failure.ambiguous:
            return bool(schema.writes_main(connection, sql, parameters))  # not if it cannot be compiled
        return targets.is_main(sql, parameters) or (not failure.begun and _locks_implicitly(connection, begun))
    if kind is Kind.SCHEMA:
        return begun.locks
    # BEGIN in a transaction and VACUUM in one are refused with an SQLITE_ERROR.
    return begun.locks and not failure.ambiguous


def is_too_big_to_bind(connection: sqlite3.Connection, parameters: Any) -> bool:
    """Before Python 3.12 such a parameter is refused with an error that is not SQLite's."""
    limit = getattr(connection, "getlimit", None)
    return limit is not None and largest_of(parameters) > limit(_LIMIT_LENGTH)


def _locks_implicitly(connection: sqlite3.Connection, begun: Begun) -> bool:
    """Whether sqlite3 opens a transaction before a statement that writes, with main's write lock."""
    level = connection.isolation_level if is_legacy(connection) and not begun.was_open else None
    return (level or "").upper() in ("IMMEDIATE", "EXCLUSIVE")
