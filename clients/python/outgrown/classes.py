"""Which classes of connections can be observed: sqlite3's own, and those of the application's that leave its methods
as they are.

What a method of the application's own does with a statement (try it again, take further arguments, return another
cursor) cannot be kept by a stand-in that runs the statement itself. Such a connection is left alone.
"""

from __future__ import annotations

import functools
import types
from typing import Any

_METHODS = (
    *("execute", "executemany", "executescript", "cursor", "commit", "rollback", "close", "backup", "load_extension"),
    *("__enter__", "__exit__", "__call__", "__getattribute__", "__setattr__", "__delattr__"),
    *("isolation_level", "autocommit", "in_transaction", "total_changes"),
)

# What a class that is written in C has for a method, and for an attribute.
_NATIVE = (
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
)


@functools.lru_cache(maxsize=128)  # bounded, for applications that make a class for each connection
def overridden(cls: Any) -> str:
    """The first method of a connection's that the class has replaced by one of its own; empty if none."""
    for name in _METHODS:
        found = next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)
        if found is not None and not isinstance(found, _NATIVE):
            return name
    return ""


def native_cursor(connection: Any) -> Any:
    """A cursor as the connection's module makes it, past a method cursor() of the application's own."""
    for base in type(connection).__mro__:
        method: Any = vars(base).get("cursor")
        if isinstance(method, _NATIVE):
            make: Any = method
            return make(connection)
    return connection.cursor()
