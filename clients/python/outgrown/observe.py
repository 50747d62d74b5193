"""outgrown.observe: the one line by which an application's writes are counted."""

from __future__ import annotations

import functools
import logging
import sqlite3
import sys
from typing import Any, Callable, Dict, Iterable, Optional, TypeVar

from . import observer

_T = TypeVar("_T")

logger = logging.getLogger("outgrown")


def observe(
    target: _T,
    *,
    name: Optional[str] = None,
    application: Optional[str] = None,
    directory: Optional[str] = None,
) -> _T:
    """Counts the write transactions of a connection in the store's counter block, by the SQLite observer. Returns `target`:

        saver = outgrown.observe(SqliteSaver(connection))                # LangGraph, sync and async
        connection = outgrown.observe(sqlite3.connect("app.db"))         # sqlite3
        connection = outgrown.observe(aiosqlite.connect("app.db"))       # aiosqlite, awaited or not yet
        engine = outgrown.observe(create_engine("sqlite:///app.db"))     # SQLAlchemy, sync and async
        outgrown.observe(django.db.connections)                          # Django; connections["default"]: one database of it

    `target` is one of these, or an object that keeps a connection in its attribute `conn`. Nothing about it changes but that
    the observer is loaded on the connection; of an engine and of Django, on each that is opened from now on.

    `name` is the store's name (default: what OUTGROWN_STORE says, else the database file's name without its ending).
    `application` and `directory` say where counter blocks live: `directory`, else $OUTGROWN_DIR, else
    /run/outgrown/APPLICATION, else $XDG_RUNTIME_DIR/outgrown.

    Never raises. If counting is not possible the application runs as before, and the logger "outgrown" says why, once.
    """
    attach = functools.partial(_observe_connection, name=name, application=application, directory=directory)
    _guarded(_observe, target, attach)
    return target


def _guarded(function: Callable[..., None], *arguments: Any) -> None:
    try:
        function(*arguments)
    except Exception as error:  # whatever it is, it is not the application's
        _warn_once("writes are not counted: %s: %s", type(error).__name__, error)


def _observe(target: Any, attach: Callable[[Any], None]) -> None:
    if _is_connection(target):
        attach(target)
    elif _is_a(target, "aiosqlite", "Connection"):
        _observe_aiosqlite(target, attach)
    elif _is_a(target, "sqlalchemy", "Engine"):
        _observe_engine(target, attach)
    elif _is_a(target, "sqlalchemy.ext.asyncio", "AsyncEngine"):
        _observe_engine(target.sync_engine, attach)
    elif _is_a(target, "django.db.utils", "ConnectionHandler"):
        _observe_django(None, target.all(initialized_only=True), attach)
    elif _is_a(target, "django.db.backends.base.base", "BaseDatabaseWrapper"):
        _observe_django(target.alias, [target], attach)
    elif hasattr(target, "driver_connection"):  # SQLAlchemy's stand-in for an asynchronous driver's connection
        _observe(target.driver_connection, attach)
    elif getattr(target, "conn", None) is not None:
        _observe(target.conn, attach)
    else:
        _warn_once("writes are not counted: %r is no connection and has none in its attribute conn", type(target))


def _observe_connection(
    connection: Any, *, name: Optional[str], application: Optional[str], directory: Optional[str]
) -> None:
    """In a thread that may use the connection."""
    try:
        status = observer.observe(connection, name, directory, application)
    except observer.Refused as reason:
        _warn_once("writes of a connection are not counted: %s", reason)
        return
    except Exception as error:
        if type(error).__name__ != "ProgrammingError":
            raise
        # What the application calls on it says so itself.
        of_thread = "another thread's; observe it in the thread that opens it"
        _warn_once("writes of a connection are not counted: it is %s", of_thread if "thread" in str(error) else "closed")
        return
    if status == "not counting":
        logger.debug("a database in memory, a temporary one, or one that OUTGROWN_STORE leaves out is not counted")
    elif not status.startswith("counting"):
        _warn_once("writes of a connection are not counted: %s", status)


def _is_connection(target: Any) -> bool:
    """sqlite3's, or another module's with its interface (pysqlite3)."""
    return isinstance(target, sqlite3.Connection) or (
        not _is_a(target, "aiosqlite", "Connection")
        and all(hasattr(type(target), name) for name in ("executescript", "in_transaction", "total_changes", "cursor"))
    )


def _is_a(target: Any, module: str, cls: str) -> bool:
    """Of a module that the application may not have."""
    found = getattr(sys.modules.get(module), cls, None)
    return isinstance(found, type) and isinstance(target, found)


def _observe_aiosqlite(connection: Any, attach: Callable[[Any], None]) -> None:
    """aiosqlite passes every call on to a thread of its own, which the sqlite3 connection belongs to."""
    if connection._connection is None:
        connect: Callable[[], Any] = connection._connector

        def connect_observed() -> Any:
            real = connect()
            _guarded(attach, real)
            return real

        connection._connector = connect_observed
        return
    # Its first step puts the call into the thread's queue, before anything that the application calls from now on.
    call = connection._execute(_guarded, attach, connection._connection)
    try:
        call.send(None)
    finally:
        call.close()


def _observe_engine(engine: Any, attach: Callable[[Any], None]) -> None:
    def on_connect(connection: Any, _record: Any) -> None:
        _guarded(_observe, connection, attach)

    sys.modules["sqlalchemy"].event.listen(engine, "connect", on_connect)


def _observe_django(alias: Optional[str], open_now: Iterable[Any], attach: Callable[[Any], None]) -> None:
    """Each thread of Django's has connections of its own; its signal tells of every one that is opened. `alias`: of this
    database alone."""

    def on_created(connection: Any, **_: Any) -> None:
        if connection.vendor == "sqlite" and connection.connection is not None and alias in (None, connection.alias):
            _guarded(attach, connection.connection)

    sys.modules["django.db.backends.signals"].connection_created.connect(on_created, weak=False)
    for wrapper in open_now:
        on_created(wrapper)


_said: Dict[str, object] = {}


def _warn_once(text: str, *arguments: object) -> None:
    """To the logger "outgrown", each text once in a process."""
    line = text % arguments
    mine = object()
    # In one step, and without a lock, which a fork() in another thread would leave locked in the child for good.
    if _said.setdefault(line, mine) is mine:
        logger.warning("%s", line)
