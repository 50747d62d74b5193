#!/usr/bin/env bash
# Finding: what Python's sqlite3 writes through Connection.blobopen() is lost without an error if the blob's close can't commit, and commit() doesn't
# commit it (Python's sqlite3, seen with 3.11.7, 3.12.1 and 3.13.0 on SQLite 3.40.1; not apsw 3.54.1.0).
#
# Guess before the run: write() begins a transaction like an UPDATE, commit() ends it, and with a reader in the way in rollback mode one of
# write(), commit() and close() raises "database is locked" after the timeout.
# Seen: blobopen() itself takes the write lock, before anything is written, and keeps it until the blob is closed; in_transaction is False all
# that time, and commit() returns and commits nothing: others still read the old bytes and get SQLITE_BUSY. The commit is part of the
# blob's close, whose result isn't looked at. In rollback mode a reader makes it fail once the timeout is over: `with blobopen()` ends
# like any other, and the old bytes are back, in this connection too. apsw raises BusyError there. In WAL mode the bytes are
# stored. So an attachment or an embedding that is streamed into its row vanishes now and then, beside whoever reads longest, and
# a program that keeps a blob open for writing has locked the file while every sign in Python says that no transaction is open.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check apsw==3.54.1.0
cat >"$folder/blobs.py" <<'PYTHON'
import os, sqlite3, sys

import apsw

def attempt(use):
    try:
        return use() or "done"
    except (sqlite3.Error, apsw.Error) as error:
        return f"{type(error).__name__}: {error}"

for mode in ("delete", "wal"):
    path = os.path.join(sys.argv[1], f"{mode}.db")
    store = sqlite3.connect(path, timeout=0.2)
    other = sqlite3.connect(path, timeout=0.2, isolation_level=None)
    store.execute(f"PRAGMA journal_mode = {mode}")
    store.execute("CREATE TABLE files(id INTEGER PRIMARY KEY, bytes BLOB)")
    store.execute("INSERT INTO files VALUES (1, 'first')")
    store.commit()
    print(f"sqlite3, {mode}")

    def bytes_seen(connection):
        return connection.execute("SELECT CAST(bytes AS TEXT) FROM files").fetchone()[0]

    def show(when):
        lock = attempt(lambda: other.execute("BEGIN IMMEDIATE") and None)
        if other.in_transaction:
            other.execute("ROLLBACK")
        print(f"  {when}: in_transaction {store.in_transaction}, another's BEGIN IMMEDIATE {lock}, reads {bytes_seen(other)}")

    blob = store.blobopen("files", "bytes", 1)
    show("open")
    blob.write(b"later")
    store.commit()
    show("written, commit()")
    blob.close()
    show("closed")

    def write():
        with store.blobopen("files", "bytes", 1) as blob:
            blob.write(b"third")

    other.execute("BEGIN")
    bytes_seen(other)
    print(f"  with blobopen() beside a reader: {attempt(write)}")
    other.execute("COMMIT")
    print(f"  afterwards this connection reads {bytes_seen(store)}, another {bytes_seen(other)}")

path = os.path.join(sys.argv[1], "delete.db")
store, reader = apsw.Connection(path), apsw.Connection(path)
store.set_busy_timeout(200)
blob = store.blob_open("main", "files", "bytes", 1, True)
blob.write(b"third")
reader.execute("BEGIN; SELECT * FROM files").fetchall()
print("apsw, delete, close() beside a reader:", attempt(blob.close))
PYTHON
seen=$("$folder/venv/bin/python" "$folder/blobs.py" "$folder")
echo "$seen"
[ "$seen" = "sqlite3, delete
  open: in_transaction False, another's BEGIN IMMEDIATE OperationalError: database is locked, reads first
  written, commit(): in_transaction False, another's BEGIN IMMEDIATE OperationalError: database is locked, reads first
  closed: in_transaction False, another's BEGIN IMMEDIATE done, reads later
  with blobopen() beside a reader: done
  afterwards this connection reads later, another later
sqlite3, wal
  open: in_transaction False, another's BEGIN IMMEDIATE OperationalError: database is locked, reads first
  written, commit(): in_transaction False, another's BEGIN IMMEDIATE OperationalError: database is locked, reads first
  closed: in_transaction False, another's BEGIN IMMEDIATE done, reads later
  with blobopen() beside a reader: done
  afterwards this connection reads third, another third
apsw, delete, close() beside a reader: BusyError: database is locked" ] || { echo "the behaviour has changed" >&2; exit 1; }
