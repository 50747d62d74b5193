#!/usr/bin/env bash
# Finding: one SELECT of DuckDB over an attached SQLite table adds up a state of the table that never was, and a DuckDB transaction
# on it is none (duckdb 1.5.5 with its extension sqlite_scanner 1.5.5, WAL mode).
#
# Guess before the run: the attached file is read inside one SQLite transaction, so that each query, and each query of a DuckDB transaction,
# sees one snapshot; a write in that transaction waits for other writers.
# Seen: each thread of a scan reads its ranges of rows by a connection of its own, with a snapshot of its own. While another
# process moves 1 from the first row to the last, in one transaction each time, sums of the table come out too large; with one thread those
# of the attached table are right, those of sqlite_scan() still aren't. Inside BEGIN two equal queries give different sums then, as
# the threads do not read by the transaction's connection. That one has a snapshot as of the first read: an INSERT after another's
# commit fails at once with "database is locked", though nobody holds a lock, and does so until a ROLLBACK.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  duckdb==1.5.5 duckdb-extensions==1.5.5 duckdb-extension-sqlite-scanner==1.5.5
# SQLite's own programs are other processes: two copies of SQLite in one process drop each other's locks.
cat >"$folder/other.py" <<'PYTHON'
import sqlite3, sys

path, what = sys.argv[1:]
connection = sqlite3.connect(path, isolation_level=None, timeout=10)
rows = 500_000
if what == "make":
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE account(id INTEGER PRIMARY KEY, amount INTEGER)")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO account VALUES (?, 1000)", ((row,) for row in range(1, rows + 1)))
    connection.execute("COMMIT")
elif what == "add 7":
    connection.execute("UPDATE account SET amount = amount + 7 WHERE id = ?", (rows,))
elif what == "try the lock":
    connection.execute("BEGIN IMMEDIATE")
    print("  the write lock is free", flush=True)
else:  # until killed
    print("moving", flush=True)
    while True:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE account SET amount = amount - 1 WHERE id = 1")
        connection.execute("UPDATE account SET amount = amount + 1 WHERE id = ?", (rows,))
        connection.execute("COMMIT")
PYTHON
cat >"$folder/duck.py" <<'PYTHON'
import subprocess, sys, time
import duckdb
from duckdb_extensions import import_extension

path, other = sys.argv[1:]

def run(what):
    subprocess.run([sys.executable, other, path, what], check=True)

def attached(threads):
    database = duckdb.connect(config={"threads": threads})
    database.execute("LOAD sqlite_scanner")
    database.execute(f"ATTACH '{path}' AS store (TYPE sqlite)")
    return database

import_extension("sqlite_scanner")
run("make")
print("sums that are too large, of 20, while another process moves amounts between two rows", flush=True)
for threads in (2, 1):
    for table in ("store.account", f"sqlite_scan('{path}', 'account')"):
        database = attached(threads)
        mover = subprocess.Popen([sys.executable, other, path, "move"], stdout=subprocess.PIPE)
        mover.stdout.readline()
        sums = [int(database.execute(f"SELECT sum(amount) FROM {table}").fetchone()[0]) for _ in range(20)]
        mover.kill()
        mover.communicate()
        wrong = [value for value in sums if value > 500_000_000]
        print(f"  {threads} threads, {table.partition('(')[0]}: {'none' if not wrong else 'some'}", flush=True)
        database.close()
print("a transaction", flush=True)
database = attached(2)

def attempt(statement):
    begin = time.monotonic()
    try:
        print(f"  {statement}:", database.execute(statement).fetchone()[0], flush=True)
    except duckdb.Error as error:
        assert time.monotonic() - begin < 2
        print(f"  {statement}:", error, flush=True)

total, insert = "SELECT sum(amount) FROM store.account", "INSERT INTO store.account(amount) VALUES (7)"
database.execute("BEGIN")
attempt(total)
run("add 7")
attempt(total)
run("try the lock")
attempt(insert)
database.execute("ROLLBACK")
attempt(insert)
PYTHON
seen=$("$folder/venv/bin/python" "$folder/duck.py" "$folder/store.db" "$folder/other.py")
echo "$seen"
[ "$seen" = "sums that are too large, of 20, while another process moves amounts between two rows
  2 threads, store.account: some
  2 threads, sqlite_scan: some
  1 threads, store.account: none
  1 threads, sqlite_scan: some
a transaction
  SELECT sum(amount) FROM store.account: 500000000
  SELECT sum(amount) FROM store.account: 500000007
  the write lock is free
  INSERT INTO store.account(amount) VALUES (7): database is locked
  INSERT INTO store.account(amount) VALUES (7): 1" ] || { echo "the behaviour has changed" >&2; exit 1; }
