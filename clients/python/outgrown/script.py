"""executescript, in stretches that are one transaction at most, so that each of its writes is seen to end."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple, Optional, Sequence, TypeVar

from . import schema
from .attempt import Begun, is_legacy
from .block import Start
from .guard import guarded
from .outcome import failure_of
from .statement import LOCKING, Kind, Unit, kind_of, split_script
from .watch import Watch

_T = TypeVar("_T")


def run_script(watch: Watch, script: Any, call: Callable[[str], _T]) -> _T:
    """`call(script)`, in as many calls as there are transactions in it."""
    units = _units(watch, script)
    if units is None:
        return call(script)
    legacy = is_legacy(watch.connection)
    if legacy and watch.connection.in_transaction:
        # As sqlite3 does first of all, here so that it is counted.
        watch.ending(Kind.COMMIT, watch.connection.commit)
    if not units:
        return call(script)
    for unit in units:
        if legacy:
            result = _run_unit(watch, unit, call)
        else:
            for text in unit.statements:
                result = watch.statement(kind_of(text), text, (), call, (text,))
    return result


def _units(watch: Watch, script: Any) -> Optional[Sequence[Unit]]:
    """None if the script is better left to sqlite3 in one piece."""
    if watch.off or not isinstance(script, str) or "\0" in script:
        return None
    try:
        return split_script(script)
    except Exception as error:
        watch.give_up(error)
        return None


def _run_unit(watch: Watch, unit: Unit, call: Callable[[str], _T]) -> _T:
    if len(unit.statements) == 1:
        return watch.statement(kind_of(unit.text), unit.text, (), call, (unit.text,))
    begun = _begin(watch, unit)
    try:
        result = call(unit.text)
    except BaseException as error:
        _failed(watch, begun, error)
        raise
    _succeeded(watch, begun, unit)
    return result


class _BegunUnit(NamedTuple):
    begun: Begun
    alters: bool  # changes something that total_changes does not count

    @property
    def start(self) -> Optional[Start]:
        return self.begun.start


@guarded
def _begin(watch: Watch, unit: Unit) -> Optional[_BegunUnit]:
    kinds = [kind_of(statement) for statement in unit.statements]
    if LOCKING.isdisjoint(kinds):
        return None
    # What depends on the unit's own changes cannot be compiled before them.
    alters = Kind.FILE in kinds or any(
        kind is Kind.SCHEMA and schema.writes_main(watch.connection, statement) is not False
        for kind, statement in zip(kinds, unit.statements)
    )
    begun = watch.begin(Kind.WRITE, unit.text)
    return None if begun is None else _BegunUnit(begun, alters)


@guarded
def _succeeded(watch: Watch, unit_begun: Optional[_BegunUnit], unit: Unit) -> None:
    watch.targets.forget()
    if unit_begun is None:
        return
    begun, alters = unit_begun
    if kind_of(unit.statements[-1]) is Kind.ROLLBACK:
        watch.books().abandon(begun.start)
        return
    rows = [statement for statement in unit.statements if kind_of(statement) is Kind.WRITE]
    changed = watch.changed_since(begun) and any(watch.targets.is_main(statement, ()) for statement in rows)
    watch.books().wrote(begun.start, 0, changed or alters, watch.connection.in_transaction)


@guarded
def _failed(watch: Watch, unit_begun: Optional[_BegunUnit], error: BaseException) -> None:
    """Which statement it was is not known."""
    watch.targets.forget()
    if unit_begun is None:
        return
    start = unit_begun.begun.start
    failure = failure_of(error)
    if failure is not None and failure.ambiguous:
        failure = None
    still_open = watch.connection.in_transaction
    if start is not None and still_open and watch.changed_since(unit_begun.begun):
        watch.books().wrote(start, 0, True, True)
        start = None
    watch.books().failed(start, failure, False, still_open)
