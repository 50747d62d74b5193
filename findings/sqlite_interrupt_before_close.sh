#!/usr/bin/env bash
# Finding: sqlite3_interrupt() on an idle connection makes the last close() leave -wal and -shm behind (SQLite 3.54.1, by apsw 3.54.1.0; the
# same with 3.40.1).
#
# Guess before the run, from SQLite's documentation of sqlite3_interrupt ("a no-op" while no statement runs): nothing; the last close
# checkpoints the log and removes it.
# Seen: the call is remembered until the next statement begins. If close() comes first, its checkpoint is the one that is interrupted: the
# database file is as old as the last checkpoint, without the table that was committed, -wal and -shm stay with no process that
# has them open, and close() reports no error. One statement in between, of whatever kind, and all is as ever. Drivers call it when a
# deadline passes, and then drop the connection. Nothing is lost, as the next connection recovers the log, but a copy of the
# file alone is, and a store that looks as after a crash had a clean end.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check apsw==3.54.1.0
cat >"$folder/close.py" <<'PYTHON'
import os, shutil, sys
import apsw

def run(name, before_close):
    path = f"{sys.argv[1]}/{name.replace(' ', '-')}.db"
    connection = apsw.Connection(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t(x)")
    connection.execute("INSERT INTO t VALUES (1)")
    before_close(connection)
    connection.close()
    left = [end for end in ("-wal", "-shm") if os.path.exists(path + end)]
    shutil.copyfile(path, path + ".copy")
    tables = apsw.Connection(path + ".copy").execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    rows = apsw.Connection(path).execute("SELECT count(*) FROM t").fetchone()[0]
    print(f"{name}: left {' '.join(left) or 'nothing'}, tables in a copy of the file {tables}, rows when opened again {rows}")

def interrupt_and_select(connection):
    connection.interrupt()
    connection.execute("SELECT 1").fetchall()

run("close", lambda connection: None)
run("interrupt and close", lambda connection: connection.interrupt())
run("interrupt and select and close", interrupt_and_select)
PYTHON
seen=$("$folder/venv/bin/python" "$folder/close.py" "$folder")
echo "$seen"
[ "$seen" = "close: left nothing, tables in a copy of the file 1, rows when opened again 1
interrupt and close: left -wal -shm, tables in a copy of the file 0, rows when opened again 1
interrupt and select and close: left nothing, tables in a copy of the file 1, rows when opened again 1" ] ||
  { echo "the behaviour has changed" >&2; exit 1; }
