"""Outgrown: counts an application's writes to SQLite, so that measurement can tell when SQLite has been outgrown."""

from .connection import unwrap
from .observe import observe

__all__ = ["__version__", "observe", "unwrap"]

__version__ = "0.1.0"
