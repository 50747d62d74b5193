"""What the package says of itself: warnings to the logger "outgrown", each text once in a process."""

from __future__ import annotations

import logging
from typing import Dict

logger = logging.getLogger("outgrown")

_said: Dict[str, object] = {}


def warn_once(text: str, *arguments: object) -> None:
    line = text % arguments
    mine = object()
    # In one step, and without a lock, which a fork() in another thread would leave locked in the child for good.
    if _said.setdefault(line, mine) is mine:
        logger.warning("%s", line)
