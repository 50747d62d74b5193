"""Which statements write the main database, remembered for as long as the schema stays as it is.

Words tell that a statement writes; whether it writes the main database matters only while there are attached databases
or TEMP tables beside it, and is then asked of SQLite (schema.py), once for each text.
"""

from __future__ import annotations

import sqlite3
from typing import Any, Dict, Optional

from . import schema
from .outcome import is_interrupt

_REMEMBERED_MAX = 512
_REMEMBERED_CHARACTERS_MAX = 4096  # longer texts carry data, and are seldom seen twice


class Targets:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._only_main: Optional[bool] = None  # None: not asked since the schema may have changed
        self._writes_main: Dict[str, bool] = {}

    def is_main(self, sql: str, parameters: Any) -> bool:
        """Whether a statement that writes, writes the main database."""
        if self._has_only_main():
            return True
        known = self._writes_main.get(sql)
        if known is None:
            known = schema.writes_rows_of_main(self._connection, sql, parameters)
            if known is not None:
                self._remember(sql, known)
        return known is not False

    def forget(self) -> None:
        """The schema may have changed, or which databases there are."""
        self._only_main = None
        self._writes_main.clear()

    def _has_only_main(self) -> bool:
        if self._only_main is None:
            try:
                self._only_main = schema.only_main(self._connection)
            except Exception as error:
                if not is_interrupt(error):
                    raise
                return False  # for now: EXPLAIN runs nothing that the application's progress handler could stop
        return self._only_main

    def _remember(self, sql: str, writes: bool) -> None:
        if len(sql) > _REMEMBERED_CHARACTERS_MAX:
            return
        if len(self._writes_main) >= _REMEMBERED_MAX:
            self._writes_main.clear()
        self._writes_main[sql] = writes
