#!/usr/bin/env bash
# Finding: what asyncio.timeout around add_items() means depends on which of the three SQLite sessions of OpenAI's Agents SDK it is (openai-agents
# 0.24.0, with aiosqlite 0.22.1 and SQLAlchemy 2.1.9).
#
# Guess before the run: while another process holds the write lock for 0.8 s, a limit of 0.2 s ends the call after 0.2 s with a
# TimeoutError, and what timed out is not stored.
# Seen: no session keeps the limit: each waits for the lock first, 0.8 s here, and raises the TimeoutError then. SQLiteSession and
# SQLAlchemySession have stored the message by that time, so that a retry doubles it in the conversation; AsyncSQLiteSession has not. So the
# three, which read each other's tables, can't be exchanged under code that retries, and a latency that is measured around the call
# is that of the lock, not that of the limit.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  openai-agents==0.24.0 aiosqlite==0.22.1 sqlalchemy==2.1.9 greenlet
cat >"$folder/holder.py" <<'PYTHON'
import sqlite3, sys, time

connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(0.8)
connection.execute("ROLLBACK")
PYTHON
cat >"$folder/sessions.py" <<'PYTHON'
import asyncio, inspect, subprocess, sys, time
from agents import SQLiteSession
from agents.extensions.memory import AsyncSQLiteSession, SQLAlchemySession

folder, holder = sys.argv[1:]

def message(text):
    return [{"role": "user", "content": text}]

async def use(name, session, path):
    await session.add_items(message("first"))
    other = subprocess.Popen([sys.executable, holder, path], stdout=subprocess.PIPE)
    other.stdout.readline()
    begin = time.monotonic()
    try:
        async with asyncio.timeout(0.2):
            await session.add_items(message("second"))
        ended = "no error"
    except TimeoutError:
        ended = "TimeoutError"
    took = "with the lock" if time.monotonic() - begin > 0.6 else "at the limit"
    await asyncio.to_thread(other.communicate)
    if ended == "TimeoutError":
        await session.add_items(message("second"))
    stored = [item["content"] for item in await session.get_items()]
    closed = session.close() if hasattr(session, "close") else None
    if inspect.isawaitable(closed):
        await closed
    print(f"{name}: {ended} {took}; after a retry:", *stored)

async def main():
    path = f"{folder}/sync.db"
    await use("SQLiteSession", SQLiteSession("a", path), path)
    path = f"{folder}/async.db"
    await use("AsyncSQLiteSession", AsyncSQLiteSession("a", path), path)
    path = f"{folder}/alchemy.db"
    await use("SQLAlchemySession", SQLAlchemySession.from_url("a", url=f"sqlite+aiosqlite:///{path}", create_tables=True), path)

asyncio.run(main())
PYTHON
seen=$("$folder/venv/bin/python" "$folder/sessions.py" "$folder" "$folder/holder.py")
echo "$seen"
[ "$seen" = "SQLiteSession: TimeoutError with the lock; after a retry: first second second
AsyncSQLiteSession: TimeoutError with the lock; after a retry: first second
SQLAlchemySession: TimeoutError with the lock; after a retry: first second second" ] \
  || { echo "the behaviour has changed" >&2; exit 1; }
