"""From what happens on a connection to records: one for each outermost write transaction.

A write begins where SQLite asks for the write lock: with the first statement that writes, or with BEGIN IMMEDIATE. It
is in flight from the start of that statement, lock wait included, to its COMMIT. Its outcome:

  committed with a change                        ok, whatever failed on the way
  ended without one, after a failure             that failure, the last one
  ended without one, and without a failure       nothing is recorded: rolled back by choice, or nothing to write
  the lock was not to be had                     that failure, at once: no write transaction has begun, so none
                                                 will end, and a further attempt is a write of its own

The last line matters because sqlite3 opens a transaction before it tries the statement: an application that goes on
after "database is locked" without a rollback (AsyncSqliteSaver does) still has that empty transaction open, and
commits its next write in it.

The ledger knows nothing of SQL or of sqlite3; it is told by watch.py.
"""

from __future__ import annotations

from typing import Dict, Optional

from .block import Start, Store
from .outcome import Failure, Outcome


class _Write:
    """The write transaction that is open."""

    __slots__ = ("start", "size_bytes", "changed", "failure")

    def __init__(self, start: Start) -> None:
        self.start = start
        self.size_bytes = 0
        self.changed = False
        self.failure: Optional[Failure] = None


class Ledger:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._write: Optional[_Write] = None
        self._in_flight: Dict[int, Start] = {}  # by id(): every mark that is still to be taken away

    @property
    def writing(self) -> bool:
        """True inside a write transaction."""
        return self._write is not None

    @property
    def idle(self) -> bool:
        """True if nothing is in flight."""
        return not self._in_flight

    def start(self) -> Optional[Start]:
        """A statement that takes the write lock begins. None if the connection has the lock already."""
        if self._write is not None:
            return None
        start = self._store.begin()
        self._in_flight[id(start)] = start
        return start

    def wrote(self, start: Optional[Start], size_bytes: int, changed: bool, still_open: bool) -> None:
        """A statement that takes the write lock has succeeded. `start` is what start() gave for it; `changed`: the
        database; `still_open`: inside a transaction that goes on."""
        write = self._write if start is None else _Write(start)
        if write is None:
            return
        write.changed = write.changed or changed
        write.size_bytes += size_bytes
        self._go_on(write, still_open, committed=True)

    def failed(self, start: Optional[Start], failure: Optional[Failure], changed: bool, still_open: bool) -> None:
        """Such a statement has raised; `failure` None: something that says nothing about the write; `changed`: what
        it had written stays (INSERT OR FAIL, or Ctrl-C just after the statement)."""
        write = self._write
        if start is not None:
            if failure is None and not changed:
                self.abandon(start)
                return
            if failure is not None and not failure.begun:
                self._record(start, failure, 0)
                return
            write = _Write(start)
        if write is not None:
            write.changed = write.changed or changed
            write.failure = failure or write.failure
            self._go_on(write, still_open, committed=changed)

    def committed(self) -> None:
        """The transaction has been committed."""
        self._end(True)

    def commit_failed(self, failure: Optional[Failure], still_open: bool) -> None:
        """COMMIT has raised; `still_open`: the application can try again, or roll back."""
        if self._write is not None:
            self._write.failure = failure or self._write.failure
        if not still_open:
            self._end(False)

    def rolled_back(self) -> None:
        """The transaction has been rolled back, by whomever."""
        self._end(False)

    def settled(self, start: Start, failure: Optional[Failure], size_bytes: int) -> None:
        """A statement outside any transaction, which SQLite commits by itself later than it returns, has ended."""
        self._record(start, failure, size_bytes if failure is None else 0)

    def abandon(self, start: Optional[Start]) -> None:
        """The statement that began at `start` turned out to be no write."""
        if start is not None:
            self._store.abandon(start)
            self._in_flight.pop(id(start), None)

    def forget(self) -> None:
        """Counting is over: nothing that is in flight will be seen to end."""
        self._write = None
        while self._in_flight:
            self._store.abandon(self._in_flight.popitem()[1])

    def _go_on(self, write: _Write, still_open: bool, committed: bool) -> None:
        """A write of one statement is never the open one: other threads may be using the connection in autocommit."""
        if still_open:
            self._write = write
            return
        if write is self._write:
            self._write = None
        self._finish(write, committed)

    def _end(self, committed: bool) -> None:
        write, self._write = self._write, None
        if write is not None:
            self._finish(write, committed)

    def _finish(self, write: _Write, committed: bool) -> None:
        if committed and write.changed:
            self._record(write.start, None, write.size_bytes)
        elif write.failure is not None:
            self._record(write.start, write.failure, 0)
        else:
            self.abandon(write.start)

    def _record(self, start: Start, failure: Optional[Failure], size_bytes: int) -> None:
        outcome = Outcome.OK if failure is None else self._store.outcome_of(failure.code)
        self._store.end(start, outcome, size_bytes)
        self._in_flight.pop(id(start), None)
