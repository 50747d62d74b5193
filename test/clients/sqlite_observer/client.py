"""What the tests of real clients share: each client runs as a process of its own on a database of its own; what it wrote
is then read from the counter block by this file's own decoder.

Arguments of a test: EXTENSION STATIC_CLIENT PYTHON
"""

import os
import pathlib
import struct
import subprocess
import sys
import tempfile

EXTENSION, STATIC_CLIENT, PYTHON = (os.path.abspath(path) for path in sys.argv[1:4])
OUTCOMES = ("ok", "busy", "busy_snapshot", "full", "io", "constraint", "corrupt", "other")

# What a Python program does with a connection to app.db, and what that counts as.
PYTHON_WORK = """
def work(connection):
    connection.execute("CREATE TABLE t(id INTEGER PRIMARY KEY)")
    with connection:
        connection.executemany("INSERT INTO t VALUES(?)", [(1,), (2,)])
    try:
        with connection:
            connection.execute("INSERT INTO t VALUES(3)")
            connection.execute("INSERT INTO t VALUES(1)")
    except sqlite3.IntegrityError:
        pass
    other = sqlite3.connect("app.db", timeout=0, isolation_level=None)
    connection.execute("INSERT INTO t VALUES(4)")
    try:
        other.execute("INSERT INTO t VALUES(5)")
    except sqlite3.OperationalError as error:
        assert "locked" in str(error)
    connection.commit()
    print(other.execute("SELECT outgrown_status()").fetchone()[0])
    other.execute("INSERT INTO t VALUES(6) RETURNING id").fetchone()
    other.close()
    connection.close()
"""
PYTHON_COUNTS = {"ok": 4, "constraint": 1, "busy": 1}


def counts(folder, store="app"):
    """Outcomes to counts, without zeros, from docs/counterblock.md's picture of the file."""
    block = (folder / f"{store}.v1.counters").read_bytes()
    total = [0] * 8
    for slot in range(struct.unpack_from("<I", block, 64)[0]):
        total = [a + b for a, b in zip(total, struct.unpack_from("<8Q", block, 8192 + 1024 * slot + 64))]
    return {name: count for name, count in zip(OUTCOMES, total) if count}


def run(folder, arguments, text="", **more):
    environment = {**os.environ, "OUTGROWN_DIR": str(folder), "EXTENSION": EXTENSION, **more}
    environment.pop("OUTGROWN_STORE", None)
    done = subprocess.run(arguments, input=text, env=environment, cwd=folder, text=True, capture_output=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def python(folder, program, interpreter=PYTHON):
    code, out, err = run(folder, [interpreter, "-c", program])
    assert code == 0, err
    return out


def run_cases(cases):
    """Each with a temporary folder; its docstring is its name."""
    for case in cases:
        with tempfile.TemporaryDirectory(prefix="outgrown-test.") as name:
            case(pathlib.Path(name))
        print(f"ok: {case.__doc__}")
