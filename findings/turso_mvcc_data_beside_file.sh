#!/usr/bin/env bash
# Finding: PRAGMA journal_mode=mvcc of Turso (pyturso 0.8.3) moves all later commits into a file -log that SQLite doesn't know, and SQLite
# then says of the database that it is none.
#
# Guess before the run: the mode is the connection's own affair; at close, as in WAL mode, the commits are checkpointed into the database
# file, which SQLite opens as ever.
# Seen: the mode is written into the file: both version bytes of its header are 255, and SQLite answers "file is not a database" until the
# mode is changed back. Two megabytes in 200 commits leave the database file and -wal as they were (an empty -wal), also after close() and
# for any later process of Turso: they are in -log. A backup of the database and its -wal, or a look at their sizes, finds an empty
# table. The next connection is in this mode without asking. journal_mode=wal brings all of it back into the database file, and
# SQLite opens it, sound and complete.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyturso==0.8.3
cat >"$folder/sqlite.py" <<'PYTHON'
import sqlite3, sys

connection = sqlite3.connect(sys.argv[1])
try:
    if len(sys.argv) > 2:
        connection.executescript("PRAGMA journal_mode=WAL; CREATE TABLE t(x)")
    print("  SQLite:", *connection.execute("SELECT count(*) FROM t").fetchone(),
          *connection.execute("PRAGMA integrity_check").fetchone())
except sqlite3.DatabaseError as error:
    print("  SQLite:", error)
PYTHON
cat >"$folder/modes.py" <<'PYTHON'
import os, shutil, subprocess, sys
import turso

path, sqlite = sys.argv[1:]

def look(when):
    with open(path, "rb") as database:
        versions = database.read(20)[18:]
    sizes = {name: os.path.getsize(path + name) // 1_000_000 for name in ("", "-wal", "-log") if os.path.exists(path + name)}
    print(f"{when}: versions {versions[0]} {versions[1]},", ", ".join(f"{name or 'database'} {size} MB" for name, size in sizes.items()), flush=True)

subprocess.run([sys.executable, sqlite, path, "make"], check=True)
look("made by SQLite")
connection = turso.connect(path)
cursor = connection.cursor()
cursor.execute("PRAGMA journal_mode=mvcc").fetchall()
for _ in range(200):
    cursor.execute("INSERT INTO t VALUES (zeroblob(10000))")
    connection.commit()
connection.close()
look("200 commits, closed")
subprocess.run([sys.executable, sqlite, path], check=True)
copy = path + ".copy"
for name in ("", "-wal"):
    shutil.copyfile(path + name, copy + name)
print("  a copy without -log:", *turso.connect(copy).cursor().execute("SELECT count(*) FROM t").fetchone())
connection = turso.connect(path)
cursor = connection.cursor()
print("  the next connection:", *cursor.execute("PRAGMA journal_mode").fetchone(), *cursor.execute("SELECT count(*) FROM t").fetchone())
cursor.execute("PRAGMA journal_mode=wal").fetchall()
connection.close()
look("journal_mode=wal")
subprocess.run([sys.executable, sqlite, path], check=True)
PYTHON
seen=$("$folder/venv/bin/python" "$folder/modes.py" "$folder/store.db" "$folder/sqlite.py")
echo "$seen"
[ "$seen" = "  SQLite: 0 ok
made by SQLite: versions 2 2, database 0 MB
200 commits, closed: versions 255 255, database 0 MB, -wal 0 MB, -log 2 MB
  SQLite: file is not a database
  a copy without -log: 0
  the next connection: mvcc 200
journal_mode=wal: versions 2 2, database 2 MB, -wal 0 MB, -log 0 MB
  SQLite: 200 ok" ] || { echo "the behaviour has changed" >&2; exit 1; }
