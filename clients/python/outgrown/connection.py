"""What the application uses in place of its sqlite3 connection: the connection, observed.

An existing sqlite3.Connection cannot be observed from within (its class is immutable, and `with connection:` commits
in C), so a stand-in passes everything on to it. It is a sqlite3.Connection to isinstance; C functions that want one,
such as another connection's backup(target), want `outgrown.unwrap(connection)`.
"""

from __future__ import annotations

import sqlite3
from typing import Any, Dict, Optional, Type

from .cursor import observed_cursor
from .report import warn_once
from .statement import Kind
from .watch import Watch


def _commits(name: str, value: Any) -> bool:
    """Whether setting the attribute commits an open transaction (sqlite3's documentation, "Transaction control")."""
    return (name == "isolation_level" and value is None) or (name == "autocommit" and value is True)


class ObservedConnection:
    __slots__ = ("_outgrown_real", "_outgrown_watch", "_outgrown_cursor_class", "__weakref__")

    _outgrown_real: sqlite3.Connection
    _outgrown_watch: Watch
    _outgrown_cursor_class: Type[Any]

    def __init__(self, real: sqlite3.Connection, watch: Watch) -> None:
        set_own = object.__setattr__
        set_own(self, "_outgrown_real", real)
        set_own(self, "_outgrown_watch", watch)
        # sqlite3.Cursor, unless this is another module of the same interface.
        set_own(self, "_outgrown_cursor_class", native_cursor_class(real))

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self._outgrown_real)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._outgrown_real, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if _commits(name, value):
            self._outgrown_watch.ending(Kind.COMMIT, setattr, self._outgrown_real, name, value)
        else:
            setattr(self._outgrown_real, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._outgrown_real, name)

    def __dir__(self) -> Any:
        return dir(self._outgrown_real)

    def __repr__(self) -> str:
        return f"<observed by outgrown: {self._outgrown_real!r}>"

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self._outgrown_real.__reduce_ex__(protocol)  # raises: a connection can be neither copied nor pickled

    def __call__(self, *arguments: Any) -> Any:
        return self._outgrown_real(*arguments)

    def __del__(self) -> None:
        # Dropped without close(), as `closing(the bare connection)` leaves it: what was open has been rolled back.
        try:
            object.__getattribute__(self, "_outgrown_watch").closed()
        except Exception:  # at the interpreter's end anything may be missing
            pass

    # --- what runs SQL: the cursor counts ---------------------------------------------------------------------------

    def cursor(self, factory: Optional[Any] = None) -> Any:
        if factory is None:
            factory = self._outgrown_cursor_class
        elif not (isinstance(factory, type) and issubclass(factory, self._outgrown_cursor_class)):
            warn_once("writes of a cursor that is made by %r are not counted: it is no class of cursors", factory)
            return self._outgrown_real.cursor(factory)
        return observed_cursor(
            self._outgrown_real, factory, self._outgrown_cursor_class, self._outgrown_watch, shown=self
        )

    def execute(self, *arguments: Any) -> Any:
        return self.cursor().execute(*arguments)

    def executemany(self, *arguments: Any) -> Any:
        return self.cursor().executemany(*arguments)

    def executescript(self, *arguments: Any) -> Any:
        return self.cursor().executescript(*arguments)

    # --- what ends a transaction ------------------------------------------------------------------------------------

    def commit(self) -> None:
        self._outgrown_watch.ending(Kind.COMMIT, self._outgrown_real.commit)

    def rollback(self) -> None:
        self._outgrown_watch.ending(Kind.ROLLBACK, self._outgrown_real.rollback)

    def __enter__(self) -> "ObservedConnection":
        self._outgrown_real.__enter__()
        return self

    def __exit__(self, *exception: Any) -> Any:
        kind = Kind.COMMIT if exception[0] is None else Kind.ROLLBACK
        return self._outgrown_watch.ending(kind, self._outgrown_real.__exit__, *exception)

    def close(self) -> None:
        self._outgrown_real.close()
        self._outgrown_watch.closed()

    # --- what may bring the SQLite observer --------------------------------------------------------------------------

    def load_extension(self, *arguments: Any, **named: Any) -> None:
        self._outgrown_real.load_extension(*arguments, **named)
        self._outgrown_watch.observer_may_have_come()

    # --- what wants a true connection -------------------------------------------------------------------------------

    def backup(self, target: Any, **options: Any) -> None:
        self._outgrown_real.backup(unwrap(target), **options)


_cursor_classes: Dict[Type[Any], Type[Any]] = {}


def native_cursor_class(real: Any) -> Type[Any]:
    """The class of cursors that this connection's module makes."""
    if isinstance(real, sqlite3.Connection):
        return sqlite3.Cursor
    cls = type(real)
    if cls not in _cursor_classes:
        cursor = real.cursor()
        _cursor_classes[cls] = type(cursor)
        cursor.close()
    return _cursor_classes[cls]


def unwrap(connection: Any) -> Any:
    """The connection behind an observed one; any other object as it is."""
    return object.__getattribute__(connection, "_outgrown_real") if is_observed(connection) else connection


def is_observed(connection: Any) -> bool:
    # Not isinstance: the stand-in says that it is a sqlite3.Connection.
    return type(connection) is ObservedConnection
