"""outgrown.observe: the one line by which an application's writes are counted."""

from __future__ import annotations

import os
import re
import sqlite3
import sys
import weakref
from typing import Any, Callable, NamedTuple, Optional, TypeVar

from . import schema
from .block import Store, Unavailable, open_store
from .classes import overridden
from .connection import ObservedConnection, is_observed
from .report import logger, warn_once
from .watch import Watch

_T = TypeVar("_T")

_NAME_BYTES_MAX = 64  # counterblock/block_file.h


class _Settings(NamedTuple):
    name: Optional[str]
    application: Optional[str]
    directory: Optional[str]


def observe(
    target: _T,
    *,
    name: Optional[str] = None,
    application: Optional[str] = None,
    directory: Optional[str] = None,
) -> _T:
    """Counts the write transactions of a connection in the store's counter block. Use what it returns:

        saver = outgrown.observe(SqliteSaver(connection))                # LangGraph, sync and async
        connection = outgrown.observe(sqlite3.connect("app.db"))         # sqlite3
        connection = outgrown.observe(aiosqlite.connect("app.db"))       # aiosqlite, awaited or not yet

    `target` is a sqlite3 or aiosqlite connection, or an object that keeps one in its attribute `conn`, as LangGraph's
    SqliteSaver, AsyncSqliteSaver and SqliteStore do. A saver and an aiosqlite connection are changed in place; for a
    sqlite3 connection the result stands in its place, and what bypasses it is not counted. A connection of a class that
    overrides methods such as execute() or cursor() is left as it is, uncounted.

    `name` is the store's name (default: the database file's name without its ending). `application` and `directory`
    say where counter blocks live: `directory`, else $OUTGROWN_DIR, else /run/outgrown/APPLICATION, else
    $XDG_RUNTIME_DIR/outgrown.

    Never raises. If counting is not possible the application runs as before, and the logger "outgrown" says why, once.
    """
    try:
        observed: _T = _observe(target, _Settings(name, application, directory))
        return observed
    except Exception as error:  # whatever it is, it is not the application's
        warn_once("writes are not counted: %s: %s", type(error).__name__, error)
        return target


def _observe(target: Any, settings: _Settings) -> Any:
    if _is_connection(target):
        return _observe_connection(target, settings)
    if _is_aiosqlite(target):
        return _observe_aiosqlite(target, settings)
    inner = getattr(target, "conn", None)
    if _is_connection(inner):
        target.conn = _observe_connection(inner, settings)
    elif _is_aiosqlite(inner):
        _observe_aiosqlite(inner, settings)
    else:
        warn_once("writes are not counted: %r is no connection and has none in its attribute conn", type(target))
    return target


def _is_connection(target: Any) -> bool:
    """sqlite3's, or another module's with its interface (pysqlite3)."""
    if isinstance(target, sqlite3.Connection):
        return True
    return not _is_aiosqlite(target) and all(
        hasattr(type(target), name) for name in ("executescript", "in_transaction", "total_changes", "cursor")
    )


def _is_aiosqlite(target: Any) -> bool:
    module = sys.modules.get("aiosqlite")
    return module is not None and isinstance(target, module.Connection)


def _observe_connection(real: Any, settings: _Settings) -> Any:
    if is_observed(real):
        return real
    cls: Any = type(real)
    own = overridden(cls)
    if own:
        _leave_alone(real, own, settings)
        return real
    watch = Watch(real, _store_opener(settings))
    try:
        real.in_transaction  # a closed connection raises
        schema.database_path(real)
    except Exception:
        logger.debug("a connection's store is looked for at its first statement, in the connection's own thread")
    else:
        watch.open()
    return real if watch.off else ObservedConnection(real, watch)


def _leave_alone(real: Any, own: str, settings: _Settings) -> None:
    """A connection whose class has a method of its own runs uncounted, and as long as it is there the block says so."""
    if schema.is_observed_by_observer(real):
        logger.debug("the SQLite observer counts a connection of %r", type(real))
        return
    warn_once("writes of connections of %r are not counted: the class has a method %s of its own", type(real), own)
    try:
        path = schema.database_path(real)
        store = _open_for(path, settings) if path else None
    except Exception as error:  # closed, another thread's, or no block is to be had
        logger.debug("no block can say so: %s", error)
        return
    if store is None:
        return
    process = os.getpid()
    store.lost()

    def regain() -> None:
        if os.getpid() == process:  # not of a forked child's copy
            store.regained()

    weakref.finalize(real, regain).atexit = False  # the process's end takes it away, too


def _observe_aiosqlite(connection: Any, settings: _Settings) -> Any:
    """aiosqlite passes every call on to the sqlite3 connection that it keeps, in a thread of its own."""
    if connection._connection is not None:
        connection._connection = _observe_connection(connection._connection, settings)
        return connection
    connect: Callable[[], Any] = connection._connector

    def connect_observed() -> Any:
        return observe(connect(), **settings._asdict())

    connection._connector = connect_observed
    return connection


def _store_opener(settings: _Settings) -> Callable[[Any], Optional[Store]]:
    def open_for(real: Any) -> Optional[Store]:
        path = schema.database_path(real)
        if not path:
            logger.debug("a database in memory, or a temporary one, is no store: its writes are not counted")
            return None
        try:
            store = _open_for(path, settings)
        except Unavailable as reason:
            warn_once("writes to %s are not counted: %s", path, reason)
            return None
        return store

    return open_for


def _open_for(path: str, settings: _Settings) -> Store:
    name = settings.name or store_name(path)
    store = open_store(name, application=settings.application, directory=settings.directory, database=path)
    if settings.name is None and _is_another_file(store.database, path):
        raise Unavailable(f"the store's name {name} belongs to {store.database}; give this one another with name=")
    return store


def _is_another_file(theirs: str, ours: str) -> bool:
    """By stat: to open and close a database file would drop the locks that SQLite holds on it in this process."""
    try:
        return bool(theirs) and not os.path.samefile(theirs, ours)
    except OSError:  # theirs has gone
        return False


def store_name(path: str) -> str:
    """A store's name from its database's path, as the SQLite observer finds it: "/srv/state.db" -> "state"."""
    name = os.path.basename(os.fsencode(path))
    dot = name.rfind(b".")
    stem = (name[:dot] if dot > 0 else name)[:_NAME_BYTES_MAX].decode("latin-1")
    stem = re.sub(r"[^A-Za-z0-9_.-]", "_", stem, flags=re.ASCII)
    return re.sub(r"^\.", "_", stem) or "database"
