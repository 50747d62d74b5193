#!/usr/bin/env bash
# Finding: one busy timeout can make every later put of LangGraph's AsyncSqliteSaver fail (langgraph-checkpoint-sqlite 3.1.2 with
# aiosqlite 0.22.1, WAL mode).
#
# Guess before the run: a put that runs into the busy timeout raises, and the next one succeeds once the lock is free.
# Seen: the failed put leaves the connection's implicit transaction open, since Python's sqlite3 began it before the INSERT
# and nobody rolls back. A read on that connection (aget_tuple) then takes a snapshot inside it. As soon as any other connection
# commits, each put of each conversation fails at once with SQLITE_BUSY_SNAPSHOT, though nobody holds a lock, and time does
# not help: until a rollback or a restart. No timeout is waited for, so a metric of the lock wait stays at zero.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  langgraph-checkpoint-sqlite==3.1.2 langgraph-checkpoint==4.3.2 langchain-core==1.8.3 aiosqlite==0.22.1
cat >"$folder/saver.py" <<'PYTHON'
import asyncio, sqlite3, sys
import aiosqlite
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

def thread(name):
    return {"configurable": {"thread_id": name, "checkpoint_ns": ""}}

async def put(saver, name):
    try:
        await saver.aput(thread(name), empty_checkpoint(), {"source": "input", "step": 1, "parents": {}}, {})
        return "ok"
    except sqlite3.OperationalError as error:
        return error.sqlite_errorname

async def main(path):
    connection = await aiosqlite.connect(path, timeout=0.2)
    saver = AsyncSqliteSaver(connection)
    print("a put:", await put(saver, "a"))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("CREATE TABLE other(x)")
    other.execute("BEGIN IMMEDIATE")
    print("while another connection writes:", await put(saver, "a"), "- transaction open:", connection.in_transaction)
    other.execute("COMMIT")
    await saver.aget_tuple(thread("a"))
    other.execute("INSERT INTO other VALUES (1)")
    print("nobody holds a lock:", *[await put(saver, name) for name in "abc"])
    await asyncio.sleep(1)
    print("a second later:", await put(saver, "d"))
    await connection.rollback()
    print("after a rollback:", await put(saver, "d"))
    await connection.close()

asyncio.run(main(sys.argv[1]))
PYTHON
seen=$("$folder/venv/bin/python" "$folder/saver.py" "$folder/store.db")
echo "$seen"
[ "$seen" = "a put: ok
while another connection writes: SQLITE_BUSY - transaction open: True
nobody holds a lock: SQLITE_BUSY_SNAPSHOT SQLITE_BUSY_SNAPSHOT SQLITE_BUSY_SNAPSHOT
a second later: SQLITE_BUSY_SNAPSHOT
after a rollback: ok" ] || { echo "the behaviour has changed" >&2; exit 1; }
