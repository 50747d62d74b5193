"""The applications of evidence_test.py: each does to a real SQLite file what people's programs do to theirs.

Usage: evidence_writer.py WHAT DATABASE [--observer SO] [--rate N] [--journal wal|delete]

WHAT: steady       one connection for as long as it lives
      request      a connection for each write
      damage       request; after 20 writes the database's schema is overwritten
      process      a process for each write, which ends without closing its connection
      replace      steady; after 20 writes another database is moved over the file, and its log and index are removed
      remove       steady; after 20 writes the log and its index are removed
      block        steady; after 20 writes another connection begins a write and does not end it
      look         opens a store in WAL mode and only reads
      sidecar      as Litestream: reads, commits once in 3.5 s (once a minute, in windows of 15 s), and checkpoints
      attach       steady, to this database and to other.db beside it on one connection
      files        steady, to this database and to other.db beside it
      copy         a process for each write; after the first one it goes on with a copy in the folder `copy`
      exclusive    steady, with locking_mode=EXCLUSIVE
      release      a database in a folder of its release, opened through the link `current`, which then leads to the next release

It writes until it is stopped. With --observer each connection is counted; without it, none.
"""

import argparse
import contextlib
import os
import pathlib
import shutil
import sqlite3
import sys
import time


def pace(rate):
    """Yields at that many times a second, without catching up on what was missed for long."""
    due = time.monotonic()
    while True:
        yield
        due = max(due + 1 / rate, time.monotonic() - 1)
        time.sleep(max(0, due - time.monotonic()))


def connect(path):
    connection = sqlite3.connect(path, isolation_level=None, timeout=3600)
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


def prepare(path, journal):
    connection = connect(path)
    connection.execute(f"PRAGMA journal_mode={journal}")
    connection.execute("CREATE TABLE IF NOT EXISTS t(x)")
    return connection


def insert(connection):
    try:
        connection.execute("INSERT INTO t VALUES (randomblob(100))")
    except sqlite3.Error as error:  # as an application that goes on
        print(error, flush=True)


def steady(path, arguments, spoil=None):
    connection = prepare(path, arguments.journal)
    for number, _ in enumerate(pace(arguments.rate)):
        insert(connection)
        if number == 20 and spoil:
            kept = spoil(path)  # noqa: F841, a connection that must stay open


def exclusive(path, arguments):
    connection = connect(path)
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    connection.execute(f"PRAGMA journal_mode={arguments.journal}")
    connection.execute("CREATE TABLE t(x)")
    for _ in pace(arguments.rate):
        insert(connection)


def request(path, arguments, spoil=None):
    prepare(path, arguments.journal).close()
    for number, _ in enumerate(pace(arguments.rate)):
        with contextlib.suppress(sqlite3.Error):  # as an application that goes on
            connection = connect(path)
            insert(connection)
            connection.close()
        if number == 20 and spoil:
            spoil(path)


def in_process(work):
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    os.waitpid(child, 0)


def process(path, arguments):
    prepare(path, arguments.journal).close()
    for _ in pace(arguments.rate):
        in_process(lambda: insert(connect(path)))


def remove(path):
    for suffix in ("-wal", "-shm"):
        pathlib.Path(path + suffix).unlink(missing_ok=True)


def replace(path):
    copy = path + ".copy"
    made = sqlite3.connect(copy)
    made.execute("PRAGMA journal_mode=WAL")
    made.execute("CREATE TABLE t(x)")
    made.commit()
    made.close()
    os.replace(copy, path)
    remove(path)


def damage(path):
    with open(path, "r+b") as database:
        database.seek(100)  # where the schema's page begins, behind the header
        database.write(bytes(60))


def block(path):
    holder = connect(path)
    holder.execute("BEGIN IMMEDIATE")
    return holder


def look(path, arguments):
    connection = prepare(path, "wal")
    connection.close()
    connection = connect(path)
    for _ in pace(arguments.rate):
        connection.execute("SELECT count(*) FROM t").fetchone()


def sidecar(path, arguments):
    while not os.path.exists(path):
        time.sleep(0.1)
    reader, writer = prepare(path, "wal"), connect(path)
    for _ in pace(1 / 3.5):
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM t").fetchone()
        insert(writer)
        reader.execute("COMMIT")
        writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def beside(path):
    return str(pathlib.Path(path).with_name("other.db"))


def attach(path, arguments):
    connection = prepare(path, arguments.journal)
    prepare(beside(path), arguments.journal).close()
    connection.execute("ATTACH ? AS other", (beside(path),))
    for _ in pace(arguments.rate):
        insert(connection)
        connection.execute("INSERT INTO other.t VALUES (1)")


def files(path, arguments):
    connections = [prepare(path, arguments.journal), prepare(beside(path), arguments.journal)]
    for _ in pace(arguments.rate):
        for connection in connections:
            insert(connection)


def copy(path, arguments):
    database = pathlib.Path(path)
    in_process(lambda: insert(prepare(path, arguments.journal)))
    (database.parent / "copy").mkdir()
    shutil.copy(path, database.parent / "copy")
    in_process(lambda: prepare(str(database.parent / "copy" / database.name), arguments.journal).close())
    for _ in pace(arguments.rate):
        in_process(lambda: insert(connect(str(database.parent / "copy" / database.name))))


def release(path, arguments):
    database = pathlib.Path(path)
    folder = database.parent
    for number in ("1", "2"):
        (folder / number).mkdir()
    link = folder / "current"
    link.symlink_to("1")
    first = prepare(str(link / database.name), arguments.journal)
    insert(first)
    first.close()
    shutil.copy(folder / "1" / database.name, folder / "2")
    link.unlink()
    link.symlink_to("2")
    steady(str(link / database.name), arguments)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("steady", "request", "damage", "process", "replace", "remove", "block", "look", "sidecar",
                                          "attach", "files", "copy", "exclusive", "release"))
    parser.add_argument("database")
    parser.add_argument("--observer")
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--journal", default="wal")
    arguments = parser.parse_args()
    if arguments.observer:
        first = sqlite3.connect(":memory:")
        first.enable_load_extension(True)
        first.load_extension(arguments.observer)
    if arguments.what in ("replace", "remove", "block"):
        steady(arguments.database, arguments, globals()[arguments.what])
    if arguments.what == "damage":
        request(arguments.database, arguments, damage)
    globals()[arguments.what](arguments.database, arguments)


if __name__ == "__main__":
    sys.exit(main())
