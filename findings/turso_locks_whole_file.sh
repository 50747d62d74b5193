#!/usr/bin/env bash
# Finding: Turso (pyturso 0.8.3) and SQLite don't share a database file, not even for reading.
#
# Guess before the run: Turso takes SQLite's own locks (SHARED, RESERVED on the bytes from 0x40000000 on) and makes a -shm file in
# WAL mode, so that SQLite reads beside it.
# Seen: an open Turso connection holds one POSIX write lock over the whole database file and one over the whole log, for as long as it
# is open, idle or not. There is no -shm file. A SQLite connection of another process gets "database is locked" for a SELECT. At
# its close Turso leaves an empty log. So whoever watches such a file from outside sees an exclusive lock, and no wal-index
# from which commits could be counted.
#
# Needs python3 with venv, and PyPI. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyturso==0.8.3
cat >"$folder/observe.py" <<'PYTHON'
import fcntl, os, sqlite3, struct, sys
path = sys.argv[1]
def lock(name, start, length):
    descriptor = os.open(name, os.O_RDONLY)
    asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, start, length, 0)
    kind, _, begin, held, _ = struct.unpack("hhqqi4x", fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    return {fcntl.F_WRLCK: "write", fcntl.F_RDLCK: "read", fcntl.F_UNLCK: "none"}[kind], begin if kind != fcntl.F_UNLCK else 0, held
print("database", *lock(path, 0x40000002, 510))
print("log", *lock(path + "-wal", 0, 0))
print("shm", os.path.exists(path + "-shm"))
try:
    print("sqlite", sqlite3.connect(path, timeout=0.2).execute("SELECT count(*) FROM t").fetchone())
except sqlite3.OperationalError as error:
    print("sqlite", error)
PYTHON
cat >"$folder/write.py" <<'PYTHON'
import os, subprocess, sys, turso
path, observe = sys.argv[1:]
connection = turso.connect(path)
cursor = connection.cursor()
cursor.execute("CREATE TABLE t(x)")
connection.commit()
for _ in range(10):
    cursor.execute("INSERT INTO t VALUES (1)")
    connection.commit()
print("mode", *cursor.execute("PRAGMA journal_mode").fetchone(), flush=True)
subprocess.run([sys.executable, observe, path], check=True)
connection.close()
print("log at the end", os.path.getsize(path + "-wal"))
PYTHON
seen=$("$folder/venv/bin/python" "$folder/write.py" "$folder/store.db" "$folder/observe.py")
echo "$seen"
[ "$seen" = "mode wal
database write 0 0
log write 0 0
shm False
sqlite database is locked
log at the end 0" ] || { echo "the behaviour has changed" >&2; exit 1; }
