"""The extension in real clients: the sqlite3 shell, Python's sqlite3, and a program with SQLite linked in statically.

Exit status 77 (skipped) if the shell is not installed.

Usage: clients_test.py EXTENSION STATIC_CLIENT PYTHON
"""

import shutil
import sys

from client import EXTENSION, PYTHON_COUNTS, PYTHON_WORK, STATIC_CLIENT, counts, python, run, run_cases


def shell_counts_on_the_connection_that_loads(folder):
    """.load in the shell, then statements"""
    _, out, err = run(folder, ["sqlite3", "app.db"], f"""
.load {EXTENSION.removesuffix('.so')}
CREATE TABLE t(id INTEGER PRIMARY KEY);
INSERT INTO t VALUES(1);
INSERT INTO t VALUES(1);
BEGIN; INSERT INTO t VALUES(2); INSERT INTO t VALUES(3); COMMIT;
BEGIN; INSERT INTO t VALUES(4); ROLLBACK;
SELECT outgrown_status();
""")
    assert out == "counting main as app\n", out
    assert "outgrown" not in err, err
    assert counts(folder) == {"ok": 3, "constraint": 1}, counts(folder)


def shell_counts_on_databases_opened_later(folder):
    """.open after .load, and ATTACH"""
    run(folder, ["sqlite3", "first.db"], f"""
.load {EXTENSION}
.open app.db
CREATE TABLE t(x);
ATTACH 'other.db' AS other;
CREATE TABLE other.t(x); INSERT INTO other.t VALUES(1);
""")
    assert counts(folder) == {"ok": 1}
    assert counts(folder, "other") == {"ok": 2}


def shell_trace_works_beside_it(folder):
    """.trace prints what it prints, and from the next statement on everything is counted"""
    _, out, err = run(folder, ["sqlite3", "app.db"], f"""
.load {EXTENSION}
CREATE TABLE t(id INTEGER PRIMARY KEY);
.trace stderr
INSERT INTO t VALUES(1);
INSERT INTO t VALUES(1);
SELECT outgrown_status();
""")
    assert out == "counting main as app\n", out
    assert err.count("INSERT INTO t VALUES(1);\n") == 2, err
    assert counts(folder) == {"ok": 2, "constraint": 1}, counts(folder)


def python_loads_the_extension(folder):
    """Python's sqlite3 with load_extension, on the loading connection and a later one"""
    out = python(folder, f"""
import os, sqlite3
{PYTHON_WORK}
connection = sqlite3.connect("app.db")
connection.enable_load_extension(True)
connection.load_extension(os.environ["EXTENSION"])
work(connection)
""")
    assert out == "counting main as app\n", out
    assert counts(folder) == PYTHON_COUNTS, counts(folder)


def python_loads_by_ctypes(folder):
    """one ctypes call, where enable_load_extension is missing and libsqlite3 is linked dynamically"""
    out = python(folder, f"""
import ctypes, os, sqlite3
{PYTHON_WORK}
assert ctypes.CDLL(os.environ["EXTENSION"]).outgrown_sqlite_load() == 0
work(sqlite3.connect("app.db"))
""")
    assert out == "counting main as app\n", out
    assert counts(folder) == PYTHON_COUNTS, counts(folder)


def ctypes_says_when_it_cannot(folder):
    """the ctypes call in a process that has no libsqlite3.so.0"""
    out = python(folder, """
import ctypes, os
print(ctypes.CDLL(os.environ["EXTENSION"]).outgrown_sqlite_load())
""")
    assert out == "1\n", out


def python_trace_callback_comes_and_goes(folder):
    """set_trace_callback, and without it again: all commits count, and failures from the next statement on"""
    out = python(folder, """
import os, sqlite3
connection = sqlite3.connect("app.db", isolation_level=None)
connection.enable_load_extension(True)
connection.load_extension(os.environ["EXTENSION"])
connection.execute("CREATE TABLE t(id INTEGER PRIMARY KEY)")
connection.set_trace_callback(lambda statement: None)
connection.execute("INSERT INTO t VALUES(1)")
connection.set_trace_callback(None)
connection.execute("INSERT INTO t VALUES(2)")
print(connection.execute("SELECT outgrown_status()").fetchone()[0])
try:
    connection.execute("INSERT INTO t VALUES(2)")
except sqlite3.IntegrityError:
    pass
""")
    assert out == "counting main as app\n", out
    assert counts(folder) == {"ok": 3, "constraint": 1}, counts(folder)


def python_threads(folder):
    """threads that share one connection, and threads with their own"""
    python(folder, """
import os, sqlite3, threading
shared = sqlite3.connect("app.db", check_same_thread=False, isolation_level=None, timeout=60)
shared.enable_load_extension(True)
shared.load_extension(os.environ["EXTENSION"])
shared.execute("PRAGMA synchronous = OFF")
shared.execute("CREATE TABLE t(x)")
def on_shared():
    for i in range(100):
        shared.execute("INSERT INTO t VALUES(1)")
def on_own():
    own = sqlite3.connect("app.db", timeout=60)
    own.execute("PRAGMA synchronous = OFF")
    for i in range(50):
        with own:
            own.execute("INSERT INTO t VALUES(2)")
threads = [threading.Thread(target=target) for target in (on_shared, on_shared, on_own, on_own)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert shared.execute("SELECT count(*) FROM t").fetchone()[0] == 300
""")
    assert counts(folder) == {"ok": 301}, counts(folder)


def statically_linked(folder):
    """a program that has SQLite linked in statically, by load_extension"""
    code, _, err = run(folder, [STATIC_CLIENT, EXTENSION, "app.db"])
    assert code == 0, err
    assert counts(folder) == {"ok": 3, "constraint": 1}, counts(folder)


CASES = [
    shell_counts_on_the_connection_that_loads,
    shell_counts_on_databases_opened_later,
    shell_trace_works_beside_it,
    python_loads_the_extension,
    python_loads_by_ctypes,
    ctypes_says_when_it_cannot,
    python_trace_callback_comes_and_goes,
    python_threads,
    statically_linked,
]


def main():
    if not shutil.which("sqlite3"):
        print("skipped: the sqlite3 shell is not installed")
        sys.exit(77)
    run_cases(CASES)


if __name__ == "__main__":
    main()
