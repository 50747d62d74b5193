"""What only SQLite itself can tell of a statement, asked on the application's connection without touching the file.

EXPLAIN compiles a statement without running it, and the program shows the databases whose write lock it takes (opcode
Transaction with P2 set: https://www.sqlite.org/opcode.html#Transaction) and what becomes of its rows if it fails (Halt).
That is exact where words are not: CREATE TABLE IF NOT EXISTS over a table that is there, a name that means a TEMP table,
several attached databases, ON CONFLICT FAIL in a table's constraint.

But EXPLAIN of a statement that writes rows sets SQLite's change count, changes(), to 0, which the application can see.
So of such a statement it is asked only where changes() is 0 already, or where nothing else can tell.
"""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from typing import Any, Container, Iterable, Iterator, Optional

from .classes import native_cursor
from .outcome import failure_of, is_interrupt
from .statement import target_of

_MAIN = 0  # SQLite's number of the database "main"
_OE_FAIL = 3  # sqliteInt.h: what ON CONFLICT FAIL is in P2 of Halt

# EXPLAIN's text must differ each time: sqlite3 caches compiled statements, and EXPLAIN, which is not compiled anew
# when the schema has changed, would show the old program, and crash where that refers to what the schema freed.
_serial = itertools.count()


def _ask(connection: sqlite3.Connection, sql: str, parameters: Any = ()) -> Iterable[Any]:
    """The answer's rows as tuples, whatever row factory the application has set."""
    cursor = native_cursor(connection)
    cursor.row_factory = None
    try:
        rows: Iterable[Any] = cursor.execute(sql, parameters).fetchall()
        return rows
    finally:
        cursor.close()


def _text(value: Any) -> str:
    """A text column, as the connection's text_factory left it."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


def database_path(connection: sqlite3.Connection) -> str:
    """The main database's absolute path; empty for one in memory, and for a temporary one."""
    for number, _, path in _ask(connection, "PRAGMA database_list"):
        if number == _MAIN:
            return _text(path or "")
    return ""


def dismiss_observer(connection: sqlite3.Connection) -> bool:
    """If the SQLite observer is loaded, it leaves the main database to us: each is counted by one of the two. Attached
    databases, which we don't count, stay the observer's.

    False if the observer goes on counting the main database, because the application's authorizer keeps us from telling
    it. Raises if we are kept from asking it, too.
    """
    try:
        if any(row[0] == 1 for row in _ask(connection, "SELECT outgrown_ignore('main')")):
            return True
    except Exception as error:
        if "no such function" in str(error):  # which SQLite says before it asks the authorizer
            return True
        if is_interrupt(error):
            raise
    return not _is_counting_main(connection)


def is_observed_by_observer(connection: sqlite3.Connection) -> bool:
    """Whether the SQLite observer is loaded and counts this connection's main database."""
    try:
        return _is_counting_main(connection)
    except Exception:  # no such function, as a rule
        return False


def _is_counting_main(connection: sqlite3.Connection) -> bool:
    for (status,) in _ask(connection, "SELECT outgrown_status()"):
        if status is not None:
            return _text(status).startswith("counting main as ")
    raise LookupError("an authorizer hides whether the SQLite observer counts this connection")


def is_wal(connection: sqlite3.Connection) -> bool:
    """Whether the main database is in WAL mode: changing that writes the file."""
    return any(_text(row[0]).lower() == "wal" for row in _ask(connection, "PRAGMA main.journal_mode"))


def only_main(connection: sqlite3.Connection) -> bool:
    """True if there are neither attached databases nor TEMP tables."""
    return all(row[0] == _MAIN for row in _ask(connection, "PRAGMA database_list"))


def writes_main(connection: sqlite3.Connection, sql: str, parameters: Any = ()) -> Optional[bool]:
    """Whether `sql` would take the main database's write lock now. None if it cannot be compiled.

    True if the schema could not be read for a lock: then the statement itself will not get further either.
    """
    try:
        program = _explain(connection, sql, parameters)
    except Exception as error:  # whatever the application's SQL, adapters and factories may raise
        failure = failure_of(error)
        return True if failure is not None and not failure.begun else None
    for row in program:
        opcode = _text(row[1])
        if opcode == "Vacuum" or (opcode == "Transaction" and row[2] == _MAIN and row[3] != 0):
            return True
    return False


def writes_rows_of_main(connection: sqlite3.Connection, sql: str, parameters: Any = ()) -> Optional[bool]:
    """writes_main() for a statement that writes rows, asked of its table by a SELECT, which leaves changes() alone.

    Only TEMP triggers can make a statement on another database's table write main: then it is asked itself.
    """
    databases = _databases_of(connection, target_of(sql))
    if _MAIN in databases:
        return True
    if databases and not _has_temp_triggers(connection):
        return False
    return writes_main(connection, sql, parameters)


def _databases_of(connection: sqlite3.Connection, table: str) -> Container[int]:
    """The number of the database that a table is in, and of every one that a view reads. Takes no lock."""
    if not table:
        return ()
    try:
        program = _explain(connection, f"SELECT 1 FROM {table}", ())
    except Exception:
        return ()
    return {row[2] for row in program if _text(row[1]) == "Transaction"}


def _has_temp_triggers(connection: sqlite3.Connection) -> bool:
    return bool(_ask(connection, "SELECT 1 FROM sqlite_temp_master WHERE type = 'trigger' LIMIT 1"))


def keeps_rows(connection: sqlite3.Connection, sql: str, parameters: Any = ()) -> bool:
    """Whether rows that `sql` has written may have stayed although it has failed just now, and changed something in
    between: where it, a constraint or a trigger says FAIL."""
    if any(row[0] != 0 for row in _ask(connection, "SELECT changes()")):
        return True
    try:
        program = _explain(connection, sql, parameters)
    except Exception:
        return False
    return any(_text(row[1]) in ("Halt", "HaltIfNull") and row[3] == _OE_FAIL for row in program)


def _explain(connection: sqlite3.Connection, sql: str, parameters: Any) -> Iterable[Any]:
    """The rows (address, opcode, P1, P2, ...) of the compiled statement, triggers included."""
    with _without_implicit_begin(connection):
        return _ask(connection, f"EXPLAIN /* outgrown {next(_serial)} */ {sql}", _nulls(parameters))


@contextlib.contextmanager
def _without_implicit_begin(connection: sqlite3.Connection) -> Iterator[None]:
    """pysqlite3 opens a transaction for EXPLAIN INSERT, too, as sqlite3 does not."""
    is_sqlite3 = any(cls.__module__.partition(".")[0] == "sqlite3" for cls in type(connection).__mro__)
    level = None if is_sqlite3 or connection.in_transaction else connection.isolation_level
    if level is None:
        yield
        return
    connection.isolation_level = None  # commits, but there is no transaction
    try:
        yield
    finally:
        connection.isolation_level = level


def _nulls(parameters: Any) -> Any:
    """Parameters of the same shape without their values, so that no adapter runs."""
    if isinstance(parameters, dict):
        return dict.fromkeys(parameters)
    try:
        return (None,) * len(parameters)
    except TypeError:
        return ()
