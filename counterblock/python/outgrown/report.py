"""What the package says of itself: warnings to the logger "outgrown", each text once in a process."""

from __future__ import annotations

import logging
import threading
from typing import Set

logger = logging.getLogger("outgrown")

_lock = threading.Lock()
_said: Set[str] = set()


def warn_once(text: str, *arguments: object) -> None:
    line = text % arguments
    with _lock:
        if line in _said:
            return
        _said.add(line)
    logger.warning("%s", line)
