"""What keeps the watching from the application: whatever goes wrong in the bookkeeping ends it, with one warning."""

from __future__ import annotations

import functools
from typing import Any, Callable, TypeVar, cast

from .outcome import is_interrupt

_Bookkeeping = TypeVar("_Bookkeeping", bound=Callable[..., Any])


class NothingToCount(Exception):
    """The connection has no store, which was reported when that was found out, or none that can be found here."""


def guarded(function: _Bookkeeping) -> _Bookkeeping:
    """Bookkeeping of a watch, its first argument: does nothing once the watch is off, and turns it off instead of
    raising. Arguments with a `start` are what it is about."""

    @functools.wraps(function)
    def run(watch: Any, *arguments: Any) -> Any:
        if watch.off:
            return None
        try:
            return function(watch, *arguments)
        except NothingToCount:
            return None
        except Exception as error:
            # sqlite3 refuses us what it refuses the application: a closed connection, another thread, more time.
            if type(error).__name__ == "ProgrammingError" or is_interrupt(error):
                watch.forget(arguments)
            else:
                watch.give_up(error)
            return None

    return cast(_Bookkeeping, run)
