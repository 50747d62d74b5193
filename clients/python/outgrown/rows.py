"""executemany's rows on their way to sqlite3.

sqlite3 takes the next row when it is done with the one before, so an iterator in between sees each row's end. Outside
of a transaction every row is a write of its own; inside one, the first row that gets through makes all of them one.
"""

from __future__ import annotations

from typing import Any, Callable, Iterable, Iterator, TypeVar

from .payload import size_of
from .statement import Kind
from .watch import Watch

_T = TypeVar("_T")


def execute_many(watch: Watch, sql: str, rows: Iterable[Any], call: Callable[..., _T]) -> _T:
    """Runs `call(sql, rows)`, for a statement of kind WRITE."""
    between = _Rows(watch, sql, iter(rows))
    try:
        result = call(sql, between)
    except BaseException as error:
        between.failed(error)
        raise
    between.done()
    return result


class _Rows:
    def __init__(self, watch: Watch, sql: str, rows: Iterator[Any]) -> None:
        self._watch = watch
        self._sql = sql
        self._rows = rows
        self._row: Any = ()
        self._in_iterator = False  # what is raised comes from the application's iterator
        self._size_bytes = 0  # of the rows that went into a transaction that was open already
        # From before the first row on: with isolation_level IMMEDIATE sqlite3 waits for the lock before it takes one.
        self._begun = watch.begin(Kind.WRITE, sql)
        self._changes = watch.connection.total_changes

    def __iter__(self) -> Iterator[Any]:
        watch = self._watch
        self._in_iterator = True
        for self._row in self._rows:
            self._in_iterator = False
            yield self._row
            watch.succeeded(Kind.WRITE, self._begun, self._sql, self._row, None)
            self._begun = watch.begin(Kind.WRITE, self._sql)
            if watch.connection.in_transaction:
                break
            self._in_iterator = True
        self._in_iterator = True
        for self._row in self._rows:
            self._in_iterator = False
            self._size_bytes += size_of(self._row)
            yield self._row
            self._in_iterator = True
        self._in_iterator = False

    def done(self) -> None:
        """Every row is through; a write that has begun since the last one was none."""
        self._watch.abandon(self._begun)
        self._watch.add(self._size_bytes, self._changes)

    def failed(self, error: BaseException) -> None:
        if self._in_iterator:
            self.done()
            return
        self._watch.add(self._size_bytes, self._changes)
        self._watch.failed(Kind.WRITE, self._begun, self._sql, self._row, error)
