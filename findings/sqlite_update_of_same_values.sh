#!/usr/bin/env bash
# Finding: an UPDATE that stores what is there already reports changed rows, calls the commit hook and needs the write lock, but commits
# nothing, unless an index or REPLACE is in the way (SQLite 3.54.1, by apsw 3.54.1.0; the same with 3.40.1).
#
# Guess before the run: SQLite doesn't compare; a row that an UPDATE has counted as changed is written, so that the page goes into the log, and the
# commit counters move.
# Seen: with no indexed column among those that are set, the row is compared with what its page holds and left alone if it is equal. changes() counts
# it, the commit hook is called, but no page is dirty: the log gets no frame, the counter in the wal-index stands still, and so does the
# data_version of other connections; in rollback mode the file's change counter likewise. An equal value in an indexed column, an upsert
# that sets one, and INSERT OR REPLACE of an equal row each are a commit. All of them need the write lock, and fail with SQLITE_BUSY without
# it. So a heartbeat with a constant value is invisible in a store's own count of commits, until it carries a time, and of such
# statements only those that fail are seen.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check apsw==3.54.1.0
cat >"$folder/updates.py" <<'PYTHON'
import os, sys
import apsw

statements = (
    "UPDATE t SET beat = beat",
    "UPDATE t SET beat = 'alive' WHERE id = 'a'",
    "UPDATE t SET number = number",
    "INSERT INTO t VALUES ('a', 1, 'alive') ON CONFLICT DO UPDATE SET beat = excluded.beat",
    "INSERT INTO t VALUES ('a', 1, 'alive') ON CONFLICT DO UPDATE SET number = excluded.number",
    "INSERT OR REPLACE INTO t VALUES ('a', 1, 'alive')",
    "UPDATE t SET beat = 'Alive' WHERE id = 'a'",
)
for mode in ("wal", "delete"):
    print(mode)
    path = f"{sys.argv[1]}/{mode}.db"
    writer, reader = apsw.Connection(path), apsw.Connection(path)
    hooks = []
    writer.set_commit_hook(lambda: bool(hooks.append(1)))
    writer.pragma("journal_mode", mode)
    writer.execute("CREATE TABLE t(id TEXT PRIMARY KEY, number INTEGER, beat TEXT)")
    writer.execute("CREATE INDEX numbers ON t(number)")
    writer.execute("INSERT INTO t VALUES ('a', 1, 'alive'), ('b', 2, 'alive')")
    for statement in statements:
        version, counted, called = reader.pragma("data_version"), writer.total_changes(), len(hooks)
        size = os.path.getsize(path + "-wal") if mode == "wal" else 0
        writer.execute(statement)
        committed = reader.pragma("data_version") != version
        if mode == "wal":  # no checkpoint makes the log start anew here
            assert committed == (os.path.getsize(path + "-wal") > size)
        print(f"  {statement}: changes {writer.total_changes() - counted}, commit hook {len(hooks) - called},"
              f" {'a commit' if committed else 'no commit'}")
    reader.execute("BEGIN IMMEDIATE")
    try:
        writer.execute(statements[0])
        print("  while another writes: ok")
    except apsw.BusyError:
        print("  while another writes: busy")
    reader.execute("ROLLBACK")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/updates.py" "$folder")
echo "$seen"
each="  UPDATE t SET beat = beat: changes 2, commit hook 1, no commit
  UPDATE t SET beat = 'alive' WHERE id = 'a': changes 1, commit hook 1, no commit
  UPDATE t SET number = number: changes 2, commit hook 1, a commit
  INSERT INTO t VALUES ('a', 1, 'alive') ON CONFLICT DO UPDATE SET beat = excluded.beat: changes 1, commit hook 1, no commit
  INSERT INTO t VALUES ('a', 1, 'alive') ON CONFLICT DO UPDATE SET number = excluded.number: changes 1, commit hook 1, a commit
  INSERT OR REPLACE INTO t VALUES ('a', 1, 'alive'): changes 1, commit hook 1, a commit
  UPDATE t SET beat = 'Alive' WHERE id = 'a': changes 1, commit hook 1, a commit
  while another writes: busy"
[ "$seen" = "wal
$each
delete
$each" ] || { echo "the behaviour has changed" >&2; exit 1; }
