#!/usr/bin/env bash
# Finding: a time limit around aupdate_state() or adelete_thread() of LangGraph's AsyncSqliteSaver can leave the file's write lock taken by a
# process that does nothing; one around ainvoke() can't (langgraph 1.2.24, langgraph-checkpoint-sqlite 3.1.2, aiosqlite 0.22.1, WAL mode).
#
# Guess before the run: whatever is cancelled while another process has the lock goes on in aiosqlite's thread, gets the lock when it is free and
# is never committed, most of all ainvoke(), which writes most; the next operation on the saver rolls it back.
# Seen: so it is with aupdate_state() and adelete_thread(): the TimeoutError has long been handled, nothing runs, and every other writer gets
# SQLITE_BUSY, for as long as this process doesn't write again. Its next write, of whatever conversation, commits what the cancelled call had got
# to: the checkpoints of the conversation are deleted and its writes aren't, or the update's writes are stored without its checkpoint.
# ainvoke() lets its puts finish: the lock is free, and the run that raised the TimeoutError is stored as complete. So what a
# request's time limit leaves depends on the method; the process that has the lock sees no error, all the others do.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check langgraph==1.2.24 \
  langgraph-checkpoint-sqlite==3.1.2 langgraph-checkpoint==4.3.2 langchain-core==1.8.3 aiosqlite==0.22.1
cat >"$folder/holder.py" <<'PYTHON'
import sqlite3, sys, time

connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(0.8)
connection.execute("ROLLBACK")
PYTHON
cat >"$folder/look.py" <<'PYTHON'
import sqlite3, sys

connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=0.3)
try:
    connection.execute("BEGIN IMMEDIATE")
    lock = "lock free"
    connection.execute("ROLLBACK")
except sqlite3.OperationalError as error:
    lock = error.sqlite_errorname
rows = [connection.execute(f"SELECT count(*) FROM {table} WHERE thread_id = 'a'").fetchone()[0] for table in ("checkpoints", "writes")]
print(f"  {sys.argv[2]}: {lock}; checkpoints and writes of the conversation:", *rows)
PYTHON
cat >"$folder/agent.py" <<'PYTHON'
import asyncio, operator, subprocess, sys
from typing import Annotated, TypedDict
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph

class State(TypedDict):
    said: Annotated[list, operator.add]

folder, holder, look = sys.argv[1:]
builder = StateGraph(State)
builder.add_node("answer", lambda state: {"said": ["answer"]})
builder.add_edge(START, "answer")
builder.add_edge("answer", END)

def thread(name):
    return {"configurable": {"thread_id": name}}

async def use(name, call):
    print(name)
    path = f"{folder}/{name}.db"

    async def another_process(when):
        sys.stdout.flush()
        await asyncio.to_thread(subprocess.run, [sys.executable, look, path, when], check=True)

    async with AsyncSqliteSaver.from_conn_string(path) as saver:
        graph = builder.compile(checkpointer=saver)
        await graph.ainvoke({"said": ["question"]}, thread("a"))
        other = subprocess.Popen([sys.executable, holder, path], stdout=subprocess.PIPE)
        other.stdout.readline()
        try:
            async with asyncio.timeout(0.2):
                await call(graph, saver)
        except TimeoutError:
            print("  TimeoutError")
        await asyncio.to_thread(other.communicate)
        await asyncio.sleep(2)  # nothing to wait for: it is to stay so
        await another_process("2 s later")
        await graph.ainvoke({"said": ["question"]}, thread("b"))
        await another_process("after a run of another conversation")
        print("  said:", *(await graph.aget_state(thread("a"))).values.get("said", []))

async def main():
    await use("aupdate_state", lambda graph, saver: graph.aupdate_state(thread("a"), {"said": ["note"]}))
    await use("adelete_thread", lambda graph, saver: saver.adelete_thread("a"))
    await use("ainvoke", lambda graph, saver: graph.ainvoke({"said": ["more"]}, thread("a")))

asyncio.run(main())
PYTHON
seen=$("$folder/venv/bin/python" "$folder/agent.py" "$folder" "$folder/holder.py" "$folder/look.py")
echo "$seen"
[ "$seen" = "aupdate_state
  TimeoutError
  2 s later: SQLITE_BUSY; checkpoints and writes of the conversation: 3 3
  after a run of another conversation: lock free; checkpoints and writes of the conversation: 3 4
  said: question answer
adelete_thread
  TimeoutError
  2 s later: SQLITE_BUSY; checkpoints and writes of the conversation: 3 3
  after a run of another conversation: lock free; checkpoints and writes of the conversation: 0 3
  said:
ainvoke
  TimeoutError
  2 s later: lock free; checkpoints and writes of the conversation: 6 6
  after a run of another conversation: lock free; checkpoints and writes of the conversation: 6 6
  said: question answer more answer" ] || { echo "the behaviour has changed" >&2; exit 1; }
