"""How a write failed, from the exception that sqlite3 raised.

Python 3.11 and later say the extended result code (`sqlite_errorcode`); before that only the message tells, which
cannot distinguish `busy_snapshot` from `busy`. Which outcome a code stands for is the C library's to say
(`outgrown_outcome_of_sqlite`), so that every rung of the ladder says the same.
"""

from __future__ import annotations

import enum
from typing import NamedTuple, Optional


class Outcome(enum.IntEnum):
    """The numbers of the counter block's ABI (outgrown.h)."""

    OK = 0
    BUSY = 1
    BUSY_SNAPSHOT = 2
    FULL = 3
    IO = 4
    CONSTRAINT = 5
    CORRUPT = 6
    OTHER = 7


# Primary result codes: https://www.sqlite.org/rescode.html.
_ERROR = 1
_BUSY = 5
_LOCKED = 6
_READONLY = 8
_INTERRUPT = 9
_IOERR = 10
_CORRUPT = 11
_FULL = 13
_CANTOPEN = 14
_PROTOCOL = 15
_TOOBIG = 18
_CONSTRAINT = 19
_MISUSE = 21
_AUTH = 23
_RANGE = 25
_NOTADB = 26

# Refused before any transaction: by an authorizer, or wrong use of the API (bindings).
_NO_WRITE = frozenset({_MISUSE, _AUTH, _RANGE})
# With these, the statement that should have begun the write did not get the lock.
_NOT_BEGUN = frozenset({_BUSY, _LOCKED, _READONLY, _CANTOPEN, _PROTOCOL})

# The texts of sqlite3ErrStr() in SQLite's main.c.
_BY_MESSAGE = (
    ("is locked", _BUSY),
    ("locking protocol", _PROTOCOL),
    ("is full", _FULL),
    ("disk I/O error", _IOERR),
    ("malformed", _CORRUPT),
    ("not a database", _NOTADB),
    ("readonly database", _READONLY),
    ("unable to open database file", _CANTOPEN),
    ("not authorized", _AUTH),
    ("too big", _TOOBIG),
    ("interrupted", _INTERRUPT),
)


class Failure(NamedTuple):
    code: int  # SQLite's result code, extended where Python says it

    @property
    def begun(self) -> bool:
        """False: if the transaction had not written before, it still has not."""
        return self.code & 0xFF not in _NOT_BEGUN

    @property
    def ambiguous(self) -> bool:
        """True: a statement that failed while it ran, or one that cannot even be prepared (no such table)."""
        return self.code == _ERROR

    @property
    def too_big(self) -> bool:
        """True: a row that became too big while the statement ran, or a parameter that it never ran with."""
        return self.code == _TOOBIG


def failure_of(error: BaseException) -> Optional[Failure]:
    """What `error` says about the write that raised it; None if nothing: not SQLite's, or raised before it began."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        code = _code_from_message(error)
    return None if code is None or code & 0xFF in _NO_WRITE else Failure(code)


def is_interrupt(error: BaseException) -> bool:
    """Whether it is the application that has stopped SQLite: by its progress handler, or by interrupt()."""
    failure = failure_of(error)
    return failure is not None and failure.code & 0xFF == _INTERRUPT


def _code_from_message(error: BaseException) -> Optional[int]:
    """The primary result code of an exception that carries none. By the classes' names: sqlite3 is not the only
    module with this interface."""
    names = {cls.__name__ for cls in type(error).__mro__}
    if "IntegrityError" in names:
        return _CONSTRAINT
    # ProgrammingError and InterfaceError are sqlite3's own: wrong bindings, a closed connection.
    if "DatabaseError" not in names or "ProgrammingError" in names:
        return None
    message = str(error)
    return next((code for text, code in _BY_MESSAGE if text in message), _ERROR)
