"""Watches one sqlite3 connection: runs each call for the application, and tells the ledger what became of it.

The facts come from three places: the statement's words (statement.py), `in_transaction` after the call, and the
exception. Nothing here may reach the application (guard.py): the call's own result or exception passes through
untouched.

A connection is one transaction, and has one error code. Threads that use it one at a time (LangGraph's savers have a
lock, aiosqlite one thread) are counted exactly, and so are statements in autocommit that succeed in several threads at
once. What else overlaps is mixed up in sqlite3 already.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import Any, Callable, NamedTuple, Optional, Sequence, TypeVar

from . import schema
from .attempt import Begun, is_too_big_to_bind, was_write
from .block import Start, Store
from .guard import NothingToCount, guarded
from .ledger import Ledger
from .outcome import failure_of
from .payload import size_of
from .report import warn_once
from .statement import LOCKING, Kind, names_wal
from .targets import Targets

_T = TypeVar("_T")


class LeftToCursor(NamedTuple):
    """A write outside of any transaction that ends when its rows have been fetched."""

    start: Start
    size_bytes: int
    changes: int  # total_changes when its first row was there


class Watch:
    def __init__(self, connection: sqlite3.Connection, open_store: Callable[[sqlite3.Connection], Optional[Store]]):
        """`open_store` finds the store on first use, in a thread that may use the connection; None: nothing to count."""
        self.connection = connection
        self.off = False
        self.targets = Targets(connection)
        self._lost = False  # off, and the block says so
        self._open_store = open_store
        self._ledger: Optional[Ledger] = None
        self._store: Optional[Store] = None
        self._unsure: Optional[int] = None  # total_changes before a statement in the open write whose rows are to come
        self._process = os.getpid()

    # --- what the application calls; each runs `call` exactly once --------------------------------------------------

    def statement(self, kind: Kind, sql: str, parameters: Any, call: Callable[..., _T], arguments: Sequence[Any]) -> _T:
        """One statement. READs need not come here.

        If the result is a cursor with rows to come (RETURNING) and no transaction is open, SQLite commits when they
        have been fetched; then the cursor's `left_to_cursor(LeftToCursor)` is called, and it calls `settle`.
        """
        if kind in (Kind.COMMIT, Kind.ROLLBACK):
            return self._end(kind, False, call, *arguments)
        begun = self.begin(kind, sql)
        try:
            result = call(*arguments)
        except BaseException as error:
            self.failed(kind, begun, sql, parameters, error)
            raise
        self.succeeded(kind, begun, sql, parameters, result)
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

    def settle(self, left: LeftToCursor, error: Optional[BaseException], exhausted: bool) -> bool:
        """A cursor with rows of RETURNING to come has been used: `error` is what it raised, `exhausted`: no rows are
        to come any more. True if the write has ended."""
        return self._settle(left, error, exhausted) is not False

    # --- before and after a statement ---------------------------------------------------------------------------------

    @guarded
    def open(self) -> None:
        """Finds the store. Not before a call in a thread that may use the connection."""
        if self._ledger is not None:
            return
        if self.connection.in_transaction and schema.is_observed_by_observer(self.connection):
            return  # the transaction is the observer's, which saw it begin; the next one will be ours
        self._store = self._open_store(self.connection)
        if self._store is None or not schema.dismiss_observer(self.connection):
            self.off = True
        else:
            self._ledger = Ledger(self._store)

    @guarded
    def observer_may_have_come(self) -> None:
        """An extension has been loaded on the connection. If it is the SQLite observer and can't be told to leave the
        connection to us, we leave it to the observer."""
        if not schema.dismiss_observer(self.connection):
            self.off = True
            if self._ledger is not None:
                self._ledger.forget()

    @guarded
    def begin(self, kind: Kind, sql: str) -> Optional[Begun]:
        """None if the statement is not counted: counting is off, or sqlite3 is going to refuse the call."""
        ledger = self.books()
        self._be_sure()
        was_open = self.connection.in_transaction
        changes = self.connection.total_changes
        if ledger.writing and not was_open:
            ledger.rolled_back()  # by SQLite, in a read that failed badly, or past us on the bare connection
        if kind is Kind.SCHEMA:
            locks = bool(schema.writes_main(self.connection, sql))
        elif kind is Kind.JOURNAL:
            locks = schema.is_wal(self.connection) != names_wal(sql)
        else:
            locks = kind in LOCKING
        return Begun(ledger.start() if locks else None, locks, was_open, changes)

    @guarded
    def succeeded(self, kind: Kind, begun: Optional[Begun], sql: str, parameters: Any, result: Any) -> None:
        if kind in (Kind.SCHEMA, Kind.ATTACH):
            self.targets.forget()
        elif kind is Kind.LOAD:
            self.observer_may_have_come()
        if begun is None or not begun.locks:
            return
        ledger = self.books()
        start, still_open = begun.start, self.connection.in_transaction
        if kind is Kind.JOURNAL:
            ledger.wrote(start, 0, schema.is_wal(self.connection) == names_wal(sql), still_open)
            return
        if kind is not Kind.WRITE:
            ledger.wrote(start, 0, kind is not Kind.BEGIN_WRITE, still_open)
            return
        if not self.targets.is_main(sql, parameters):
            ledger.abandon(start)
            return
        changed = self.changed_since(begun)
        if getattr(result, "description", None) is not None:
            # RETURNING: SQLite counts the changes, and outside a transaction commits, with the last row. Only what
            # triggers have changed is counted already.
            if start is not None and not still_open:
                result.left_to_cursor(LeftToCursor(start, size_of(parameters), self.connection.total_changes))
                return
            self._unsure = None if changed else begun.changes
        ledger.wrote(start, size_of(parameters), changed, still_open)

    @guarded
    def failed(self, kind: Kind, begun: Optional[Begun], sql: str, parameters: Any, error: BaseException) -> None:
        if begun is None:
            return
        failure = failure_of(error)
        changed = self.changed_since(begun)
        if failure is not None and failure.too_big and is_too_big_to_bind(self.connection, parameters):
            failure = None  # it never ran
        if failure is None:  # Ctrl-C: the statement may well have succeeded
            changed = changed and self.targets.is_main(sql, parameters)
        elif not was_write(self.connection, self.targets, kind, begun, failure, sql, parameters):
            failure, changed = None, False
        elif changed:  # also what triggers changed counts, and has been undone with the statement
            changed = schema.keeps_rows(self.connection, sql, parameters)
        self.books().failed(begun.start, failure, changed, self.connection.in_transaction)

    @guarded
    def abandon(self, begun: Optional[Begun]) -> None:
        """The statement for which `begin` was called did not come."""
        if begun is not None:
            self.books().abandon(begun.start)

    @guarded
    def add(self, size_bytes: int, changes: int) -> None:
        """executemany is done with rows that all went into one transaction: with that many `changes` before them."""
        if self.connection.in_transaction:
            self.books().wrote(None, size_bytes, self.connection.total_changes != changes, True)

    # --- the transaction's end ----------------------------------------------------------------------------------------

    @guarded
    def _ended(self, kind: Kind, method: bool) -> None:
        ledger = self.books()
        self._be_sure()
        # With autocommit=False the methods open the next transaction at once, so in_transaction says nothing.
        reopened = method and getattr(self.connection, "autocommit", None) is False
        if self.connection.in_transaction and not reopened:
            return
        if kind is Kind.COMMIT:
            ledger.committed()
        else:
            ledger.rolled_back()

    @guarded
    def _ending_failed(self, error: BaseException) -> None:
        failure = failure_of(error)
        if failure is not None and failure.ambiguous:
            failure = None  # no transaction is active, no such savepoint
        self.books().commit_failed(failure, self.connection.in_transaction)

    @guarded
    def _settle(self, left: LeftToCursor, error: Optional[BaseException], exhausted: bool) -> Optional[bool]:
        failure = None if error is None else failure_of(error)
        try:
            changed = self.connection.total_changes != left.changes
        except Exception as refusal:
            if type(refusal).__name__ != "ProgrammingError":
                raise
            # Closed, or dropped in another thread: SQLite commits what there were rows of.
            changed = exhausted
        if changed or failure is not None:
            self.books().settled(left.start, failure, left.size_bytes)
        elif exhausted:
            self.books().abandon(left.start)
        else:
            return False
        return None

    def closed(self) -> None:
        """The connection has been closed, or dropped, and with it an open transaction rolled back."""
        if os.getpid() != self._process:
            return  # a forked child's copy: the transaction is its parent's
        self._roll_back_at_close()
        if self._lost and self._store is not None:
            self._lost = False
            self._store.regained()
        if self._ledger is None or self._ledger.idle:  # else rows of RETURNING are still to settle
            self.off = True
            self._ledger = self._store = None  # who keeps a closed connection keeps no store from another one

    @guarded
    def _roll_back_at_close(self) -> None:
        if self._ledger is not None:
            self._ledger.rolled_back()

    # --- the state of things ------------------------------------------------------------------------------------------

    def books(self) -> Ledger:
        if self._ledger is None:
            self.open()
        if self._ledger is None:
            raise NothingToCount
        return self._ledger

    def changed_since(self, begun: Begun) -> bool:
        return self.connection.total_changes != begun.changes

    def _be_sure(self) -> None:
        """Whether RETURNING has changed something is known now."""
        unsure, self._unsure = self._unsure, None
        if unsure is not None and self.connection.total_changes != unsure:
            self.books().wrote(None, 0, True, True)

    def forget(self, arguments: Sequence[Any]) -> None:
        """What one of the arguments has begun will not be counted."""
        try:
            for argument in arguments:
                if self._ledger is not None:
                    self._ledger.abandon(getattr(argument, "start", None))
        except Exception as error:
            self.give_up(error)

    def give_up(self, error: Exception) -> None:
        """Counting on this connection is over; as long as it is open that shows as incomplete coverage."""
        self.off = True
        warn_once("writes of a connection are no longer counted: %s: %s", type(error).__name__, error)
        if self._store is not None:
            self._lost = True
            self._store.lost()
        if self._ledger is not None:
            with contextlib.suppress(Exception):
                self._ledger.forget()
