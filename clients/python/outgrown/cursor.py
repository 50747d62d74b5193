"""A cursor that tells the connection's watch what it runs.

It is a true subclass of the cursor class in use, so that isinstance, iteration and fetching are sqlite3's own and cost
nothing more; only what runs SQL is overridden. An application's own cursor class (a factory) keeps its methods on top:
what counts is what reaches sqlite3.
"""

from __future__ import annotations

import functools
from typing import Any, Callable, Optional, Tuple, Type

from .rows import execute_many
from .script import run_script
from .statement import Kind, kind_of
from .watch import LeftToCursor, Watch


def observed_cursor(connection: Any, factory: Any, native: Any, watch: Watch, shown: Any) -> Any:
    """A cursor of the class `factory` on `connection`, observed. `native` is sqlite3.Cursor, or what stands for it;
    `shown` is what the application takes for the connection."""
    cls: Any = _class_for(factory, native)

    def make(real: Any) -> Any:
        cursor = cls.__new__(cls, real)
        cursor.outgrown_watch = watch
        cursor.outgrown_connection = shown
        cursor.__init__(real)
        return cursor

    return connection.cursor(make)


@functools.lru_cache(maxsize=128)  # bounded, for applications that make a class for each cursor
def _class_for(factory: Any, native: Any) -> Type[Any]:
    observed = _observed(native)
    if factory is native:
        return observed
    return type(factory.__name__, (factory, observed), {"__module__": factory.__module__})


class _Deferred:
    """A write that SQLite commits when the cursor's rows have been fetched, or when the cursor is dropped."""

    def __init__(self, watch: Watch, left: LeftToCursor) -> None:
        self._watch = watch
        self._left: Optional[LeftToCursor] = left

    def settle(self, error: Optional[BaseException], exhausted: bool) -> bool:
        """True if that was the write's end."""
        if self._left is not None and self._watch.settle(self._left, error, exhausted):
            self._left = None
        return self._left is None


@functools.lru_cache(maxsize=None)
def _observed(native: Any) -> Type[Any]:
    class ObservedCursor(native):  # type: ignore[misc]
        outgrown_watch: Watch
        outgrown_connection: Any

        @property
        def connection(self) -> Any:
            return self.outgrown_connection

        # Arguments as they come: a wrong call is sqlite3's to refuse.
        def execute(self, *arguments: Any) -> Any:
            sql: Any = arguments[0] if arguments else None
            kind = kind_of(sql) if isinstance(sql, str) else Kind.READ
            run = super().execute
            if kind is Kind.READ or self.outgrown_watch.off:
                return run(*arguments)
            parameters = arguments[1] if len(arguments) > 1 else ()
            return self.outgrown_watch.statement(kind, sql, parameters, run, arguments)

        def executemany(self, *arguments: Any) -> Any:
            run = super().executemany
            sql = arguments[0] if len(arguments) == 2 else None
            if not isinstance(sql, str) or kind_of(sql) is not Kind.WRITE or self.outgrown_watch.off:
                return run(*arguments)
            return execute_many(self.outgrown_watch, sql, arguments[1], run)

        def executescript(self, *arguments: Any) -> Any:
            run = super().executescript
            if len(arguments) != 1 or self.outgrown_watch.off:
                return run(*arguments)
            return run_script(self.outgrown_watch, arguments[0], run)

        def left_to_cursor(self, left: LeftToCursor) -> None:
            cls: Any = type(self)
            self.__class__ = _deferring(cls)
            # Nothing that refers back to the cursor: dropping it must end the statement at once, as ever.
            self.outgrown_deferred: Tuple[_Deferred, Type[Any]] = (_Deferred(self.outgrown_watch, left), cls)

    return ObservedCursor


@functools.lru_cache(maxsize=128)
def _deferring(cls: Any) -> Type[Any]:
    """What a cursor of the class is while a commit of SQLite's waits for its rows."""

    def watched(name: str, ends: bool) -> Callable[..., Any]:
        def method(self: Any, *arguments: Any, **named: Any) -> Any:
            deferred, plain = self.outgrown_deferred
            if ends:
                self.__class__ = plain
            error, result = None, None
            try:
                result = getattr(plain, name)(self, *arguments, **named)
                return result
            except StopIteration:
                raise
            except BaseException as raised:
                error = raised
                raise
            finally:
                if deferred.settle(error, exhausted=ends or (error is None and not result)):
                    self.__class__ = plain
                    del self.outgrown_deferred

        return method

    def dropped(self: Any) -> None:
        deferred, plain = self.outgrown_deferred
        try:
            plain.close(self)  # ends the statement, so that what it changed is known
        except Exception:  # in another thread than the connection's
            pass
        deferred.settle(None, exhausted=True)

    fetching = {name: watched(name, ends=False) for name in ("fetchone", "fetchmany", "fetchall", "__next__")}
    ending = {name: watched(name, ends=True) for name in ("close", "execute", "executemany", "executescript")}
    return type(cls.__name__, (cls,), {"__module__": cls.__module__, "__del__": dropped, **fetching, **ending})
