"""An application with LangGraph's AsyncSqliteSaver, whose connection one busy timeout leaves with an old snapshot: from then on each
put of each conversation fails at once, until SIGUSR1 has it rolled back.

Usage: stuck_saver.py DATABASE
"""

import asyncio
import contextlib
import signal
import sqlite3
import sys

import aiosqlite
import outgrown
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

PUTS_PER_SECOND = 5


def config(thread):
    return {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}


async def put(saver, thread):
    try:
        await saver.aput(config(thread), empty_checkpoint(), {"step": 1}, {})
    except sqlite3.OperationalError as error:
        print(error.sqlite_errorname if hasattr(error, "sqlite_errorname") else error, flush=True)


async def main(path):
    rolled_back = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, rolled_back.set)
    async with aiosqlite.connect(path, timeout=0.05) as connection:
        saver = outgrown.observe(AsyncSqliteSaver(connection))
        await put(saver, "a")
        with contextlib.closing(outgrown.observe(sqlite3.connect(path, isolation_level=None))) as rival:
            rival.execute("CREATE TABLE other(x)")
            rival.execute("BEGIN IMMEDIATE")
            await put(saver, "a")  # runs into the timeout, and leaves its transaction open
            rival.execute("COMMIT")
            await saver.aget_tuple(config("a"))  # which then reads
            rival.execute("INSERT INTO other VALUES (1)")
        for number in range(sys.maxsize):
            await put(saver, f"thread-{number % 10}")
            if rolled_back.is_set():
                await connection.rollback()
            await asyncio.sleep(1 / PUTS_PER_SECOND)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
