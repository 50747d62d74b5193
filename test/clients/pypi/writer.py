"""An application that uses LangGraph's savers, in a process of its own, and counts what it sees.

Usage: writer.py DATABASE WAY KIND PUTS. WAY: nothing is counted, outgrown.observe() loads the observer ("observe"), it is loaded
for the whole process ("process"), or "both"; KIND: sync or async. It puts PUTS checkpoints, each with its pending writes; every fifth time another connection holds the write lock. Prints what it saw
as JSON, and how the observer was loaded. Exit status 3 if the observer cannot be loaded here; standard error says why.
"""

import flavour  # noqa: F401  first of all

import asyncio
import ctypes
import json
import os
import sqlite3
import sys

import aiosqlite
import outgrown
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

OBSERVER = os.environ.get("OUTGROWN_OBSERVER", "")


def load_observer():
    """How docs/adopting.md says."""
    if hasattr(sqlite3.Connection, "enable_load_extension"):
        connection = sqlite3.connect(":memory:")
        connection.enable_load_extension(True)
        connection.load_extension(OBSERVER)
        return "load_extension"
    if ctypes.CDLL(OBSERVER).outgrown_sqlite_load() == 0:
        return "ctypes"
    print("no enable_load_extension, and no libsqlite3.so.0 in this process", file=sys.stderr)
    sys.exit(3)


class Rival:
    """Another connection, uncounted, that holds the write lock from time to time."""

    def __init__(self, database):
        self.connection = sqlite3.connect(database, isolation_level=None, timeout=60)
        try:
            self.connection.execute("SELECT outgrown_ignore()")
        except sqlite3.OperationalError:
            pass  # no observer

    def holds(self, number):
        return number % 5 == 4

    def take(self):
        self.connection.execute("BEGIN IMMEDIATE")

    def leave(self):
        self.connection.execute("ROLLBACK")


def config(number):
    return {"configurable": {"thread_id": f"{os.getpid()}-{number}", "checkpoint_ns": ""}}


def sync(database, wrap, puts):
    seen = {"ok": 0, "busy": 0}
    connection = sqlite3.connect(database, check_same_thread=False, timeout=60)
    saver = wrap(SqliteSaver(connection))
    saver.setup()
    rival = Rival(database)
    for number in range(puts):
        held = rival.holds(number)
        saver.conn.execute(f"PRAGMA busy_timeout = {0 if held else 60000}").fetchall()
        if held:
            rival.take()
        try:
            where = saver.put(config(number), empty_checkpoint(), {"step": number}, {})
            seen["ok"] += 1
            saver.put_writes(where, [("a", number), ("b", "x" * 100)], "task")
            seen["ok"] += 1
        except sqlite3.OperationalError as error:
            assert "locked" in str(error), error
            seen["busy"] += 1
        if held:
            rival.leave()
    saver.conn.close()
    return seen


async def asynchronous(database, wrap, puts):
    seen = {"ok": 0, "busy": 0}
    async with aiosqlite.connect(database, timeout=60) as connection:
        saver = wrap(AsyncSqliteSaver(connection))
        await saver.setup()
        rival = Rival(database)
        for number in range(puts):
            held = rival.holds(number)
            await (await saver.conn.execute(f"PRAGMA busy_timeout = {0 if held else 60000}")).fetchall()
            if held:
                rival.take()
            try:
                where = await saver.aput(config(number), empty_checkpoint(), {"step": number}, {})
                seen["ok"] += 1
                await saver.aput_writes(where, [("a", number), ("b", "x" * 100)], "task")
                seen["ok"] += 1
            except sqlite3.OperationalError as error:
                assert "locked" in str(error), error
                seen["busy"] += 1
            if held:
                rival.leave()
    return seen


def main():
    database, way, kind, puts = sys.argv[1:]
    loaded = load_observer() if way in ("process", "both") else ""
    wrap = outgrown.observe if way in ("observe", "both") else lambda saver: saver
    seen = sync(database, wrap, int(puts)) if kind == "sync" else asyncio.run(asynchronous(database, wrap, int(puts)))
    print(json.dumps({"seen": seen, "loaded": loaded}))


if __name__ == "__main__":
    main()
