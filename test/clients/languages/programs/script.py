"""The work that ../cases.py describes. Usage: script.py DATABASE MODE, with the client's module in $CLIENT."""

import importlib
import json
import os
import sys
import threading

client = importlib.import_module(os.environ["CLIENT"])

INSERT = "INSERT INTO t VALUES(NULL, 'a')"
AGAIN = "INSERT INTO t VALUES(1, 'again')"
REASONS = {5: "busy", 517: "busy_snapshot", 19: "constraint", 1555: "constraint"}
seen = {"ok": 0, "busy": 0, "busy_snapshot": 0, "constraint": 0}


def attempt(run, *sql, is_lock_free=False):
    try:
        for statement in sql:
            run(statement)
    except client.Error as error:
        code = client.code(error)
        # A client without extended codes says BUSY. While nobody has the lock, it is the snapshot that is too old.
        seen[REASONS[517 if code == 5 and is_lock_free else code]] += 1
    else:
        seen["ok"] += 1


def ignoring(run, sql):
    try:
        run(sql)
    except client.Error:
        pass


def script(path):
    one, other = client.open(path, 0), client.open(path, 0)
    attempt(one.run, "PRAGMA journal_mode = WAL")
    attempt(one.run, "CREATE TABLE t(id INTEGER PRIMARY KEY, x)")
    for _ in range(20):
        attempt(one.run, INSERT)
    for _ in range(5):
        attempt(one.run, "BEGIN", INSERT, INSERT, INSERT, "COMMIT")
    for _ in range(3):
        attempt(one.run, AGAIN)
    for _ in range(2):
        for statement in ("BEGIN", INSERT, "ROLLBACK"):
            one.run(statement)
    one.run("BEGIN")
    one.run(INSERT)
    ignoring(one.run, AGAIN)
    attempt(one.run, "COMMIT")
    attempt(one.run, "BEGIN", INSERT, AGAIN)
    one.run("ROLLBACK")
    one.run("DELETE FROM t WHERE id = -1")

    other.run("BEGIN IMMEDIATE")
    for _ in range(4):
        attempt(one.run, INSERT)
    attempt(one.run, "BEGIN IMMEDIATE")
    other.run("ROLLBACK")
    one.run("BEGIN")
    one.rows()
    attempt(other.run, INSERT)
    attempt(one.run, INSERT, is_lock_free=True)
    one.run("ROLLBACK")
    other.close()
    one.close()


def traced(path, is_first):
    connection, statements = client.open(path, 0), []
    connection.trace(statements.append)
    if is_first:
        connection.load()
    for _ in range(3):
        attempt(connection.run, "INSERT INTO t VALUES(NULL, 'traced')")
    attempt(connection.run, AGAIN)
    print(json.dumps({**seen, "traced": len(statements)}))


def write(path, count):
    """Four threads with a connection each; returns when each has written `count` rows, or 50 of endlessly many (0)."""
    written = threading.Semaphore(0)

    def work():
        connection = client.open(path, 60000)
        row = 0
        while not count or row < count:
            row += 1
            connection.run("INSERT INTO t VALUES(NULL, 'thread')")
            if row == (count or 50):
                written.release()
        connection.close()

    for _ in range(4):
        threading.Thread(target=work, daemon=not count).start()
    for _ in range(4):
        written.acquire()


def main():
    path, mode = sys.argv[1:]
    if os.environ.get("OBSERVED") == "yes":
        client.observe()
    if mode == "script":
        script(path)
        print(json.dumps(seen))
    elif mode in ("traced", "traced-first"):
        traced(path, mode == "traced-first")
    elif mode == "rows":
        print(client.open(path, 60000).rows())
    elif mode == "threads":
        held = client.open(path, 60000)
        held.rows()
        write(path, 25)
        print(json.dumps({"ok": 100}), flush=True)
        sys.stdin.read()
        held.close()
    else:
        write(path, 0)
        if mode == "exit":
            os._exit(0)
        print("writing", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
