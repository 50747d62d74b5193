#!/usr/bin/env bash
# Finding: LangGraph's SqliteStore, made as the example in its own docstring makes it, takes the write lock of the file in setup(),
# keeps it, and can't store anything (langgraph-checkpoint-sqlite 3.1.2).
#
# Guess before the run: sqlite3.connect(path), SqliteStore(connection), setup(), put() works, and between two calls nothing is locked.
# Seen: setup() ends with the INSERT of the last migration's number. On a connection with Python's implicit transactions (the default of
# sqlite3.connect) that begins a transaction which nobody commits, and every operation of the store then fails at its own BEGIN.
# The write lock stays taken while the process does nothing, so that a SqliteSaver of another process on the same file gets SQLITE_BUSY.
# A restart repeats it, as that last number was rolled back. from_conn_string, which sets isolation_level=None, is not affected,
# and a file that it has set up once works with the example too.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  langgraph-checkpoint-sqlite==3.1.2 langgraph-checkpoint==4.3.2 langchain-core==1.8.3
cat >"$folder/saver.py" <<'PYTHON'
import sqlite3, sys
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.sqlite import SqliteSaver

saver = SqliteSaver(sqlite3.connect(sys.argv[1], timeout=0.2, check_same_thread=False))
try:
    saver.put({"configurable": {"thread_id": "a", "checkpoint_ns": ""}}, empty_checkpoint(), {"source": "input", "step": 1}, {})
    print("  another process puts a checkpoint: ok")
except sqlite3.OperationalError as error:
    print("  another process puts a checkpoint:", error.sqlite_errorname)
PYTHON
cat >"$folder/store.py" <<'PYTHON'
import sqlite3, subprocess, sys
from langgraph.store.sqlite import SqliteStore

path, saver = sys.argv[1:]

def use(store):
    try:
        store.put(("users", "123"), "prefs", {"theme": "dark"})
        print("  put: ok")
    except sqlite3.OperationalError as error:
        print("  put:", error)
    print("  transaction open:", store.conn.in_transaction, flush=True)
    subprocess.run([sys.executable, saver, path], check=True)

for start in ("first start", "second start"):
    print(start)
    connection = sqlite3.connect(path)
    store = SqliteStore(connection)
    store.setup()
    use(store)
    connection.close()
print("from_conn_string")
with SqliteStore.from_conn_string(path) as store:
    store.setup()
    use(store)
print("the example again")
store = SqliteStore(sqlite3.connect(path))
store.setup()
use(store)
PYTHON
python3 -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("PRAGMA journal_mode=WAL")' "$folder/store.db"
seen=$("$folder/venv/bin/python" "$folder/store.py" "$folder/store.db" "$folder/saver.py")
echo "$seen"
refused="  put: cannot start a transaction within a transaction
  transaction open: True
  another process puts a checkpoint: SQLITE_BUSY"
works="  put: ok
  transaction open: False
  another process puts a checkpoint: ok"
[ "$seen" = "first start
$refused
second start
$refused
from_conn_string
$works
the example again
$works" ] || { echo "the behaviour has changed" >&2; exit 1; }
