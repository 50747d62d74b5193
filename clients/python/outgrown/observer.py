"""The SQLite observer (outgrown_sqlite.so) on one connection: found, loaded, and asked what it counts.

Everything goes through the application's own connection: another copy of SQLite may be in the process (apsw's, say), and
what ctypes finds by name may be that one.
"""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import sys
import sysconfig
from typing import Any, Optional, Tuple

FILE_NAME = "outgrown_sqlite.so"
ENTRY_POINT = "outgrown_sqlite_register"  # on this connection alone; nothing is counted before outgrown_observe()


class Refused(Exception):
    """The connection can't be counted; the text says why, and what is missing."""


def observe(connection: Any, name: Optional[str], directory: Optional[str], application: Optional[str]) -> str:
    """What is counted from now on, as outgrown_status() has it. Raises Refused, and what the connection raises."""
    arguments = (name, directory, application)
    status = _call(connection, "outgrown_observe(?, ?, ?)", arguments)
    if status is None:
        _load(connection)
        status = _call(connection, "outgrown_observe(?, ?, ?)", arguments)
    if status is None:  # another copy of SQLite than the one that is observed, or too old a one
        status = _call(connection, "outgrown_status()")
        raise Refused((status or "the SQLite observer was loaded and doesn't answer").replace("not counting: ", "", 1))
    return status


def _call(connection: Any, function: str, arguments: Any = ()) -> Optional[str]:
    """What a SQL function of the observer answers; None if there is none."""
    try:
        answer = _ask(connection, "SELECT " + function, arguments)
    except Exception as error:
        reason = str(error)
        if "no such function" in reason:
            return None
        if "not authorized" in reason:
            raise Refused("its authorizer forbids the observer's SQL functions") from error
        if reason.startswith("outgrown_observe: "):
            raise Refused(reason[len("outgrown_observe: "):]) from error
        raise
    if answer is None:
        raise Refused("its authorizer hides the observer's SQL functions")
    return str(answer)


def _ask(connection: Any, sql: str, parameters: Any = ()) -> Any:
    """The first column of the one row, whatever cursors and rows the application has put in the place of sqlite3's."""
    cursor = _native(connection, "cursor")(connection)
    cursor.row_factory = None
    try:
        value = cursor.execute(sql, parameters).fetchone()[0]
    finally:
        cursor.close()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _native(connection: Any, method: str) -> Any:
    """The method of the connection's module, past one of the application's own class."""
    for cls in type(connection).__mro__:
        found = vars(cls).get(method)
        if found is not None and not hasattr(found, "__code__"):
            return found
    return getattr(type(connection), method)  # a module in Python, as PyPy's


def path_of_observer() -> str:
    """$OUTGROWN_OBSERVER, else where Outgrown is installed (LIBDIR/outgrown)."""
    named = os.environ.get("OUTGROWN_OBSERVER")
    for path in (named,) if named else _installed_paths(FILE_NAME):
        if os.path.exists(path):
            return os.path.abspath(path)  # the loader looks elsewhere for a name without a slash
    raise Refused(f"the SQLite observer {named or FILE_NAME} is not there; install Outgrown on this machine, or let "
                  "OUTGROWN_OBSERVER name the file")


@functools.lru_cache(None)
def _installed_paths(name: str) -> Tuple[str, ...]:
    triplet = sysconfig.get_config_var("MULTIARCH") or f"{platform.machine()}-linux-gnu"
    return tuple(f"{prefix}/{library}/outgrown/{name}" for prefix in ("/usr/local", "/usr")
                 for library in (f"lib/{triplet}", "lib64", "lib"))


def _load(connection: Any) -> None:
    path = path_of_observer()
    if _has_method(connection):
        _load_by_method(connection, path)
    else:
        _load_by_ctypes(connection, path)


def _has_method(connection: Any) -> bool:
    return hasattr(connection, "enable_load_extension")


def _load_by_method(connection: Any, path: str) -> None:
    load = ("SELECT load_extension(?, ?)", (path, ENTRY_POINT))
    try:
        _ask(connection, *load)
        return  # the application has switched loading on, and it stays so
    except Exception as error:
        if "not authorized" not in str(error):
            raise Refused(f"the SQLite observer can't be loaded: {error}") from error
    enable = _native(connection, "enable_load_extension")
    try:
        enable(connection, True)
        _ask(connection, *load)
    except Exception as error:
        raise Refused(f"the SQLite observer can't be loaded: {error}") from error
    finally:
        enable(connection, False)


def _load_by_ctypes(connection: Any, path: str) -> None:
    """Where Python was built without enable_load_extension, as CPython is by default: through the library that its sqlite3
    module is linked to, which the module's own file leads to."""
    module = next((sys.modules.get(name) for name in _module_names(connection) if name in sys.modules), None)
    if platform.python_implementation() != "CPython" or module is None:
        raise Refused("this Python can load no extension into SQLite")
    try:
        # A module that is built into the interpreter has no file, and no symbols that would certainly be its own.
        library = ctypes.CDLL(module.__file__)
        enable, load, source_id = (
            getattr(library, "sqlite3_" + name) for name in ("enable_load_extension", "load_extension", "sourceid")
        )
    except (OSError, AttributeError) as error:
        raise Refused(f"this Python's SQLite can load no extension: {error}") from error
    # struct pysqlite_Connection { PyObject_HEAD; sqlite3 *db; ... }, from Python 3.8 to 3.14.
    if sys.version_info >= (3, 15):
        raise Refused("this Python was built without enable_load_extension")
    source_id.restype = ctypes.c_char_p
    if source_id().decode() != _ask(connection, "SELECT sqlite_source_id()"):
        raise Refused("this Python's sqlite3 module uses another SQLite than it is linked to")
    db = ctypes.c_void_p.from_address(id(connection) + object.__basicsize__)
    if not db:
        raise Refused("it is closed")
    message = ctypes.c_char_p()
    enable(db, 1)
    code = load(db, os.fsencode(path), ENTRY_POINT.encode(), ctypes.byref(message))
    enable(db, 0)
    if code != 0:
        raise Refused(f"the SQLite observer can't be loaded: {(message.value or b'').decode('utf-8', 'replace')}")


def _module_names(connection: Any) -> Any:
    """sqlite3's C module, or pysqlite3's."""
    for cls in type(connection).__mro__:
        package = cls.__module__.split(".")[0]
        yield "_sqlite3" if package in ("sqlite3", "_sqlite3") else f"{package}._sqlite3"
