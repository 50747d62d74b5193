"""Outgrown: counts an application's writes to SQLite, so that measurement can tell when SQLite has been outgrown."""

from .observe import observe

__all__ = ["__version__", "observe"]

__version__ = "0.1.0"
