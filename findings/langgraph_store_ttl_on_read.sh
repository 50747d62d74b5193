#!/usr/bin/env bash
# Finding: whether a read of LangGraph's SqliteStore writes hangs on one key of its TTL configuration, whose default is not the documented
# one (langgraph-checkpoint-sqlite 3.1.2, langgraph-checkpoint 4.3.2).
#
# Guess before the run, from TTLConfig's docstring: without refresh_on_read every get and search of a store with a TTL refreshes what it
# reads, since the default is True; refresh_ttl of the call overrides it; an item that has expired is refreshed by nothing.
# Seen: without the key no read refreshes, not even one with refresh_ttl=True, so that items expire a TTL after the last write however
# often they are read. With refresh_on_read=True each get and each search is a committed write transaction, for a search one over
# all that it finds: readers compete for the write lock with the checkpoints of the same file, and a count of commits counts reads.
# An expired item is still returned, and that read gives it a new life, so that the sweep after it deletes nothing.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  langgraph-checkpoint-sqlite==3.1.2 langgraph-checkpoint==4.3.2 langchain-core==1.8.3
cat >"$folder/reads.py" <<'PYTHON'
import sqlite3, sys, time
from langgraph.store.sqlite import SqliteStore

for number, ttl in enumerate(({"default_ttl": 60}, {"default_ttl": 60, "refresh_on_read": True})):
    print(ttl)
    path = f"{sys.argv[1]}/{number}.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA journal_mode=WAL")
    with SqliteStore.from_conn_string(path, ttl=ttl) as store:
        store.setup()
        store.put(("notes",), "long", {"text": "x"})
        store.put(("notes",), "short", {"text": "x"}, ttl=0.1)

        def read(name, call):
            before = other.execute("PRAGMA data_version").fetchone()
            found = call()
            committed = other.execute("PRAGMA data_version").fetchone() != before
            print(f"  {name}: {found}, {'committed' if committed else 'no commit'}")

        read("get", lambda: store.get(("notes",), "long").key)
        read("get, refresh_ttl=True", lambda: store.get(("notes",), "long", refresh_ttl=True).key)
        read("get, refresh_ttl=False", lambda: store.get(("notes",), "long", refresh_ttl=False).key)
        time.sleep(8)  # "short" lives for 6 s
        read("search after the short one's expiry", lambda: sorted(item.key for item in store.search(("notes",))))
        print("  swept:", store.sweep_ttl())
PYTHON
seen=$("$folder/venv/bin/python" "$folder/reads.py" "$folder")
echo "$seen"
[ "$seen" = "{'default_ttl': 60}
  get: long, no commit
  get, refresh_ttl=True: long, no commit
  get, refresh_ttl=False: long, no commit
  search after the short one's expiry: ['long', 'short'], no commit
  swept: 1
{'default_ttl': 60, 'refresh_on_read': True}
  get: long, committed
  get, refresh_ttl=True: long, committed
  get, refresh_ttl=False: long, no commit
  search after the short one's expiry: ['long', 'short'], committed
  swept: 0" ] || { echo "the behaviour has changed" >&2; exit 1; }
