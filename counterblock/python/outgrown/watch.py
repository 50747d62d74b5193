"""Watches one sqlite3 connection: runs each call for the application, and tells the ledger what became of it.

The facts come from three places: the statement's words (statement.py), `in_transaction` after the call, and the
exception. Nothing here may reach the application: whatever goes wrong in the watching ends it, with one warning, and
the call's own result or exception passes through untouched.

A connection is one transaction, so calls on it that overlap in several threads without the application's own lock
are already mixed up in SQLite; such calls are counted, but which of them a shared transaction is charged to is open.
"""

from __future__ import annotations

import functools
import sqlite3
from typing import Any, Callable, Dict, NamedTuple, Optional, Sequence, TypeVar

from . import schema
from .block import Start, Store
from .ledger import Ledger
from .outcome import Failure, failure_of
from .report import warn_once
from .statement import LOCKING, Kind, Unit, kind_of, split_script

_T = TypeVar("_T")
_Method = TypeVar("_Method", bound=Callable[..., Any])

_LEGACY = -1  # sqlite3.LEGACY_TRANSACTION_CONTROL (Python 3.12), how every connection was before
_CACHED_STATEMENTS_MAX = 512


def _guarded(method: _Method) -> _Method:
    """Bookkeeping: does nothing once the watch is off, and turns it off instead of raising."""

    @functools.wraps(method)
    def run(self: "Watch", *arguments: Any) -> Any:
        if self.off:
            return None
        try:
            return method(self, *arguments)
        except Exception as error:
            # sqlite3 refuses us what it refuses the application: a closed connection, another thread.
            if type(error).__name__ != "ProgrammingError":
                self.give_up(error)
            return None

    return run  # type: ignore[return-value]


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


class LeftToCursor(NamedTuple):
    """A write outside of any transaction that ends when its rows have been fetched."""

    start: Start
    size_bytes: int
    changes: int  # total_changes before it


class Watch:
    def __init__(self, connection: sqlite3.Connection, open_store: Callable[[sqlite3.Connection], Optional[Store]]):
        """`open_store` finds the store on first use, in a thread that may use the connection; None: nothing to count."""
        self.connection = connection
        self.off = False
        self._lost = False  # off, and the block says so
        self._open_store = open_store
        self._ledger: Optional[Ledger] = None
        self._store: Optional[Store] = None
        self._changes = 0  # rows changed before the statement that runs, in the connection's life
        self._unsure: Optional[int] = None  # total_changes before a statement in the open write whose rows are to come
        self._was_open = False  # a transaction was, before the statement that runs
        self._alters = False  # the part of a script that runs changes something that total_changes does not count
        self._locks = False  # the statement that runs takes the write lock, as far as is known beforehand
        self._only_main: Optional[bool] = None  # None: not asked since the schema may have changed
        self._writes_main: Dict[str, bool] = {}

    # --- what the application calls; each runs `call` exactly once --------------------------------------------------

    def statement(self, kind: Kind, sql: str, parameters: Any, call: Callable[..., _T], arguments: Sequence[Any]) -> _T:
        """One statement. READs need not come here.

        If the result is a cursor with rows to come (RETURNING) and no transaction is open, SQLite commits when they
        have been fetched; then the cursor's `left_to_cursor(LeftToCursor)` is called, and it calls `settle`.
        """
        if kind in (Kind.COMMIT, Kind.ROLLBACK):
            return self._end(kind, False, call, *arguments)
        start = self.begin(kind, sql)
        try:
            result = call(*arguments)
        except BaseException as error:
            self.failed(kind, start, sql, parameters, error)
            raise
        self.succeeded(kind, start, sql, parameters, result)
        return result

    def script(self, script: Any, call: Callable[[str], _T]) -> _T:
        """executescript, in stretches that are one transaction at most."""
        units = self._units(script)
        if units is None:
            return call(script)
        legacy = self._legacy()
        if legacy and self.connection.in_transaction:
            # As sqlite3 does first of all, here so that it is counted.
            self.ending(Kind.COMMIT, self.connection.commit)
        if not units:
            return call(script)
        for unit in units:
            if legacy:
                result = self._unit(unit, call)
            else:
                for text in unit.statements:
                    result = self.statement(kind_of(text), text, (), call, (text,))
        return result

    def ending(self, kind: Kind, call: Callable[..., _T], *arguments: Any) -> _T:
        """A method of the connection that ends the transaction if it succeeds, by COMMIT or by ROLLBACK."""
        return self._end(kind, True, call, *arguments)

    def _end(self, kind: Kind, method: bool, call: Callable[..., _T], *arguments: Any) -> _T:
        try:
            result = call(*arguments)
        except BaseException as error:
            self._ending_failed(error)
            raise
        self._ended(kind, method)
        return result

    def settle(self, left: "LeftToCursor", error: Optional[BaseException], exhausted: bool) -> bool:
        """A cursor with rows of RETURNING to come has been used: `error` is what it raised, `exhausted`: no rows are
        to come any more. True if the write has ended."""
        return self._settle(left, error, exhausted) is not False

    # --- before and after ---------------------------------------------------------------------------------------------

    @_guarded
    def open(self) -> None:
        """Finds the store. Not before a call in a thread that may use the connection."""
        if self._ledger is not None:
            return
        self._store = self._open_store(self.connection)
        if self._store is None:
            self.off = True
        else:
            self._ledger = Ledger(self._store)

    @_guarded
    def begin(self, kind: Kind, sql: str) -> Optional[Start]:
        """The token of the write that this statement begins, if it does."""
        ledger = self._books()
        self._be_sure()
        self._was_open = self.connection.in_transaction
        self._changes = self.connection.total_changes
        if ledger.writing and not self._was_open:
            ledger.rolled_back()  # by SQLite, in a read that failed badly, or past us on the bare connection
        self._locks = kind in LOCKING
        if kind is Kind.SCHEMA:
            self._locks = bool(schema.writes_main(self.connection, sql))
        return ledger.start() if self._locks else None

    @_guarded
    def succeeded(self, kind: Kind, start: Optional[Start], sql: str, parameters: Any, result: Any) -> None:
        ledger = self._books()
        if kind in (Kind.SCHEMA, Kind.ATTACH):
            self._forget_schema()
        if not self._locks:
            return
        still_open = self.connection.in_transaction
        if kind is not Kind.WRITE:
            ledger.wrote(start, 0, kind is not Kind.BEGIN_WRITE, still_open)
            return
        if not self._is_main(sql, parameters):
            ledger.abandon(start)
            return
        changed = self.connection.total_changes != self._changes
        if not changed and getattr(result, "description", None) is not None:
            # RETURNING: SQLite counts the changes, and outside a transaction commits, with the last row.
            if start is not None and not still_open:
                result.left_to_cursor(LeftToCursor(start, size_of(parameters), self._changes))
                return
            self._unsure = self._changes
        ledger.wrote(start, size_of(parameters), changed, still_open)

    @_guarded
    def failed(self, kind: Kind, start: Optional[Start], sql: str, parameters: Any, error: BaseException) -> None:
        failure = failure_of(error)
        if failure is not None and not self._was_write(kind, failure, sql, parameters):
            failure = None
        changed = self.connection.total_changes != self._changes
        self._books().failed(start, failure, changed, self.connection.in_transaction)

    @_guarded
    def abandon(self, start: Optional[Start]) -> None:
        """The statement for which `begin` was called did not come."""
        self._books().abandon(start)

    @_guarded
    def add(self, size_bytes: int, changes: int) -> None:
        """executemany is done with rows that all went into one transaction: with that many `changes` before them."""
        if self.connection.in_transaction:
            self._books().wrote(None, size_bytes, self.connection.total_changes != changes, True)

    @_guarded
    def _ended(self, kind: Kind, method: bool) -> None:
        ledger = self._books()
        self._be_sure()
        # With autocommit=False the methods open the next transaction at once, so in_transaction says nothing.
        reopened = method and getattr(self.connection, "autocommit", _LEGACY) is False
        if self.connection.in_transaction and not reopened:
            return
        if kind is Kind.COMMIT:
            ledger.committed()
        else:
            ledger.rolled_back()

    def _be_sure(self) -> None:
        """Whether RETURNING has changed something is known now."""
        unsure, self._unsure = self._unsure, None
        if unsure is not None and self.connection.total_changes != unsure:
            self._books().wrote(None, 0, True, True)

    @_guarded
    def _ending_failed(self, error: BaseException) -> None:
        failure = failure_of(error)
        if failure is not None and failure.ambiguous:
            failure = None  # no transaction is active, no such savepoint
        self._books().commit_failed(failure, self.connection.in_transaction)

    @_guarded
    def _settle(self, left: "LeftToCursor", error: Optional[BaseException], exhausted: bool) -> Optional[bool]:
        failure = None if error is None else failure_of(error)
        if self.connection.total_changes != left.changes or failure is not None:
            self._books().settled(left.start, failure, left.size_bytes)
        elif exhausted:
            self._books().abandon(left.start)
        else:
            return False
        return None

    def closed(self) -> None:
        """The connection has been closed, and with it an open transaction rolled back."""
        self._roll_back_at_close()
        if self._lost and self._store is not None:
            self._lost = False
            self._store.regained()

    @_guarded
    def _roll_back_at_close(self) -> None:
        if self._ledger is not None:
            self._ledger.rolled_back()

    # --- scripts --------------------------------------------------------------------------------------------------------

    def _units(self, script: Any) -> Optional[Sequence[Unit]]:
        """None if the script is better left to sqlite3 in one piece."""
        if self.off or not isinstance(script, str) or "\0" in script:
            return None
        try:
            return split_script(script)
        except Exception as error:
            self.give_up(error)
            return None

    def _unit(self, unit: Unit, call: Callable[[str], _T]) -> _T:
        if len(unit.statements) == 1:
            return self.statement(kind_of(unit.text), unit.text, (), call, (unit.text,))
        start = self._begin_unit(unit)
        changes = self.connection.total_changes
        try:
            result = call(unit.text)
        except BaseException as error:
            self._unit_failed(start, error, changes)
            raise
        self._unit_succeeded(start, unit, changes)
        return result

    @_guarded
    def _begin_unit(self, unit: Unit) -> Optional[Start]:
        kinds = [kind_of(statement) for statement in unit.statements]
        if LOCKING.isdisjoint(kinds):
            return None
        # What depends on the unit's own changes cannot be compiled before them.
        self._alters = Kind.FILE in kinds or any(
            kind is Kind.SCHEMA and schema.writes_main(self.connection, statement) is not False
            for kind, statement in zip(kinds, unit.statements)
        )
        return self.begin(Kind.WRITE, unit.text)

    @_guarded
    def _unit_succeeded(self, start: Optional[Start], unit: Unit, changes: int) -> None:
        self._forget_schema()
        if start is None:
            return
        rows = [statement for statement in unit.statements if kind_of(statement) is Kind.WRITE]
        changed = self.connection.total_changes != changes and any(self._is_main(statement, ()) for statement in rows)
        if kind_of(unit.statements[-1]) is Kind.ROLLBACK:
            self._books().abandon(start)
        else:
            self._books().wrote(start, 0, changed or self._alters, self.connection.in_transaction)

    @_guarded
    def _unit_failed(self, start: Optional[Start], error: BaseException, changes: int) -> None:
        """Which statement it was is not known."""
        self._forget_schema()
        failure = failure_of(error)
        if failure is not None and failure.ambiguous:
            failure = None
        changed, still_open = self.connection.total_changes != changes, self.connection.in_transaction
        if start is not None and changed and still_open:
            self._books().wrote(start, 0, True, True)
            start = None
        self._books().failed(start, failure, False, still_open)

    # --- what kind of statement it was ------------------------------------------------------------------------------------

    def _books(self) -> Ledger:
        if self._ledger is None:
            self.open()
        if self._ledger is None:
            raise _NothingToCount
        return self._ledger

    def _was_write(self, kind: Kind, failure: Failure, sql: str, parameters: Any) -> bool:
        """Whether a statement that has failed got as far as to ask for the write lock of the main database."""
        if kind is Kind.WRITE:
            if failure.ambiguous:
                return bool(schema.writes_main(self.connection, sql, parameters))  # not if it cannot be compiled
            return self._is_main(sql, parameters) or (not failure.begun and self._locks_implicitly())
        if kind is Kind.SCHEMA:
            return self._locks
        # BEGIN in a transaction and VACUUM in one are refused with an SQLITE_ERROR.
        return self._locks and not failure.ambiguous

    def _locks_implicitly(self) -> bool:
        """Whether sqlite3 opens a transaction before a statement that writes, with main's write lock."""
        level = self.connection.isolation_level if self._legacy() and not self._was_open else None
        return (level or "").upper() in ("IMMEDIATE", "EXCLUSIVE")

    def _is_main(self, sql: str, parameters: Any) -> bool:
        """Whether a statement that writes, writes the main database."""
        if self._only_main is None:
            self._only_main = schema.only_main(self.connection)
        if self._only_main:
            return True
        known = self._writes_main.get(sql)
        if known is None:
            if len(self._writes_main) >= _CACHED_STATEMENTS_MAX:
                self._writes_main.clear()
            known = self._writes_main[sql] = schema.writes_main(self.connection, sql, parameters) is not False
        return known

    def _forget_schema(self) -> None:
        self._only_main = None
        self._writes_main.clear()

    def _legacy(self) -> bool:
        return bool(getattr(self.connection, "autocommit", _LEGACY) == _LEGACY)

    def give_up(self, error: Exception) -> None:
        """Counting on this connection is over; as long as it is open that shows as incomplete coverage."""
        self.off = True
        if isinstance(error, _NothingToCount):
            return
        warn_once("writes of a connection are no longer counted: %s: %s", type(error).__name__, error)
        if self._store is not None:
            self._lost = True
            self._store.lost()


class _NothingToCount(Exception):
    """The connection has no store, which was reported when that was found out."""
