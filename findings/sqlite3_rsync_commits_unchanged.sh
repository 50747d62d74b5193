#!/usr/bin/env bash
# Finding: every run of sqlite3_rsync is a commit in the replica, also when nothing has changed, and it waits for nobody (SQLite 3.54.1, from
# apsw's wheel).
#
# Guess before the run: the pages' hashes are compared, equal ones are left alone, so that a run without changes writes nothing; where somebody
# has a lock it waits for some seconds.
# Seen: the commit itself raises the change counter in the replica's first page, which therefore never equals the origin's, so that the next run
# sends it and commits again: one frame more in the replica's log each time, or one more of the file's change counter in rollback mode, and
# the data_version of the replica's readers moves, which makes them drop their cache. So a copy that is made once a minute has a
# write a minute, of which no application knows. It has no busy timeout: with a writer on the replica, in rollback mode a mere
# reader there, it fails at once and changes nothing; a writer on the origin in rollback mode lets it fail only from
# BEGIN EXCLUSIVE on. What was written to the replica itself is gone after the next run, without a word.
#
# Needs Python 3.11 or newer with venv on Linux, and PyPI. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check apsw==3.54.1.0
cat >"$folder/copies.py" <<'PYTHON'
import glob, sqlite3, subprocess, sys, time

folder = sys.argv[1]
(program,) = glob.glob(f"{folder}/venv/lib/python3*/site-packages/apsw/sqlite_extra_binaries/sqlite3_rsync")

def run(mode):
    paths = [f"{folder}/{name}-{mode}.db" for name in ("origin", "replica")]

    def copy(when):
        begin = time.monotonic()
        ended = subprocess.run([program, *paths], capture_output=True, text=True)
        assert time.monotonic() - begin < 3
        print(f"  {when}:", "copied" if ended.returncode == 0 else ended.stderr.strip().rpartition(": ")[2])

    def log_frames():  # of one page each
        with open(paths[1] + "-wal", "rb") as log:
            return (len(log.read()) - 32) // (24 + 4096)

    def change_counter():
        with open(paths[1], "rb") as database:
            return int.from_bytes(database.read(28)[24:], "big")

    def locked(connection, *statements):
        for statement in statements:
            connection.execute(statement).fetchall()

    print(mode)
    origin = sqlite3.connect(paths[0], isolation_level=None)
    locked(origin, "PRAGMA page_size=4096", f"PRAGMA journal_mode={mode}", "CREATE TABLE t(x)", "INSERT INTO t VALUES (1)")
    copy("first")
    replica = sqlite3.connect(paths[1], isolation_level=None)
    replica.execute("SELECT * FROM t").fetchall()
    for _ in range(3):
        copy("nothing changed")
        print("   ", "frames in the log" if mode == "wal" else "change counter", (log_frames if mode == "wal" else change_counter)(),
              "- data_version", replica.execute("PRAGMA data_version").fetchone()[0])
    locked(replica, "INSERT INTO t VALUES (2)")
    copy("a row of its own in the replica")
    print("    rows", replica.execute("SELECT count(*) FROM t").fetchone()[0])
    for name, connection, how in (("the replica", replica, "DEFERRED"), ("the replica", replica, "IMMEDIATE"),
                                  ("the origin", origin, "IMMEDIATE"), ("the origin", origin, "EXCLUSIVE")):
        locked(connection, f"BEGIN {how}", "SELECT * FROM t")
        copy(f"BEGIN {how} and a read on {name}")
        connection.execute("ROLLBACK")

run("wal")
run("delete")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/copies.py" "$folder")
echo "$seen"
[ "$seen" = "wal
  first: copied
  nothing changed: copied
    frames in the log 1 - data_version 3
  nothing changed: copied
    frames in the log 2 - data_version 4
  nothing changed: copied
    frames in the log 3 - data_version 5
  a row of its own in the replica: copied
    rows 1
  BEGIN DEFERRED and a read on the replica: copied
  BEGIN IMMEDIATE and a read on the replica: database is locked
  BEGIN IMMEDIATE and a read on the origin: copied
  BEGIN EXCLUSIVE and a read on the origin: copied
delete
  first: copied
  nothing changed: copied
    change counter 2 - data_version 2
  nothing changed: copied
    change counter 3 - data_version 3
  nothing changed: copied
    change counter 4 - data_version 4
  a row of its own in the replica: copied
    rows 1
  BEGIN DEFERRED and a read on the replica: database is locked
  BEGIN IMMEDIATE and a read on the replica: database is locked
  BEGIN IMMEDIATE and a read on the origin: copied
  BEGIN EXCLUSIVE and a read on the origin: database is locked" ] || { echo "the behaviour has changed" >&2; exit 1; }
