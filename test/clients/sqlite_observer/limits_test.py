"""The extension where it doesn't count everything, in Python: a second copy of it or of SQLite in the process, registered for one
connection alone, without its probe, without a folder for its blocks; and what it says then.

Usage: limits_test.py EXTENSION STATIC_CLIENT PYTHON
"""

from client import PYTHON, PYTHON_WORK, counts, python, run, run_cases


def two_copies_of_the_observer(folder):
    """a second copy of the extension takes the place of the first on a connection; the application's trace is left"""
    python(folder, """
import os, shutil, sqlite3
shutil.copy(os.environ["EXTENSION"], "outgrown_sqlite.so")
connection = sqlite3.connect(":memory:", isolation_level=None)
connection.enable_load_extension(True)
connection.load_extension(os.environ["EXTENSION"])
connection.execute("ATTACH 'app.db' AS app")
connection.execute("CREATE TABLE app.t(id INTEGER PRIMARY KEY)")
seen = []
connection.set_trace_callback(seen.append)
connection.execute("SELECT * FROM t")
connection.load_extension(os.path.abspath("outgrown_sqlite.so"))
connection.execute("INSERT INTO t VALUES(1)")
assert seen == ["SELECT * FROM t", "INSERT INTO t VALUES(1)"], seen
""")
    assert counts(folder) == {"ok": 2}, counts(folder)


def another_copy_of_sqlite(folder):
    """a second copy of SQLite in the process: it loads the extension, which does nothing and says so, in the block too, once
    for each connection, also of one that is opened later"""
    out = python(folder, """
import ctypes, os, shutil, sqlite3, struct
observed = sqlite3.connect("app.db", isolation_level=None)
observed.enable_load_extension(True)
observed.load_extension(os.environ["EXTENSION"])
observed.execute("CREATE TABLE t(x)")
path = next(line.split()[-1] for line in open("/proc/self/maps") if "libsqlite3.so" in line)
shutil.copy(path, "second.so")
second = ctypes.CDLL("./second.so")
db, statement = ctypes.c_void_p(), ctypes.c_void_p()
second.sqlite3_column_text.restype = ctypes.c_char_p
assert second.sqlite3_open(b"app.db", ctypes.byref(db)) == 0
assert second.sqlite3_enable_load_extension(db, 1) == 0
assert second.sqlite3_load_extension(db, os.environ["EXTENSION"].encode(), None, None) == 0
assert second.sqlite3_prepare_v2(db, b"SELECT outgrown_status()", -1, ctypes.byref(statement), None) == 0
assert second.sqlite3_step(statement) == 100
print(second.sqlite3_column_text(statement, 0).decode())
second.sqlite3_finalize(statement)
def refused():  # docs/counterblock.md: the other_sqlite row's count, and the first slot's cell
    block = open("app.v1.counters", "rb").read()
    return struct.unpack_from("<Q", block, 112)[0], struct.unpack_from("<Q", block, 8192 + 832)[0]
print(*refused())
later = ctypes.c_void_p()
assert second.sqlite3_open(b"app.db", ctypes.byref(later)) == 0
print(*refused())
assert second.sqlite3_enable_load_extension(later, 1) == 0
assert second.sqlite3_load_extension(later, os.environ["EXTENSION"].encode(), None, None) == 0
print(*refused())
assert second.sqlite3_close(later) == 0
assert second.sqlite3_exec(db, b"INSERT INTO t VALUES(1)", None, None, None) == 0
assert second.sqlite3_close(db) == 0
print(*refused())
observed.execute("INSERT INTO t VALUES(2)")
""")
    assert out == ("not counting: another copy of SQLite in this process is observed already\n"
                   "1 1\n2 2\n2 2\n2 0\n"), out
    assert counts(folder) == {"ok": 2}, counts(folder)


def registered_for_one_connection(folder):
    """outgrown_sqlite_register: that connection alone, as the store and where outgrown_observe says"""
    out = python(folder, """
import os, sqlite3
connection = sqlite3.connect("app.db", isolation_level=None)
connection.enable_load_extension(True)
connection.execute("SELECT load_extension(?, 'outgrown_sqlite_register')", (os.environ["EXTENSION"],))
connection.execute("CREATE TABLE t(x)")
connection.execute("ATTACH ':memory:' AS memory")
status = lambda: connection.execute("SELECT outgrown_status()").fetchone()[0]
print(status(), [name for name in os.listdir() if name.endswith(".counters")])
os.mkdir("blocks")
print(connection.execute("SELECT outgrown_observe('mine', 'blocks', NULL)").fetchone()[0])
connection.execute("INSERT INTO t VALUES(1)")
try:
    sqlite3.connect("app.db").execute("SELECT outgrown_status()")
except sqlite3.OperationalError as error:
    print(error)
""")
    assert out == "not counting []\ncounting main as mine\nno such function: outgrown_status\n", out
    assert counts(folder / "blocks", "mine") == {"ok": 1}, counts(folder / "blocks", "mine")


def without_the_probe(folder):
    """OUTGROWN_RESULT_PROBE=off: commits count, and refused locks of connections that are opened from then on; the status and a
    lost trace say what is missing, and no trace of the application's is silenced"""
    out = python(folder, f"""
import os, struct
os.environ["OUTGROWN_RESULT_PROBE"] = "off"
import sqlite3
{PYTHON_WORK}
def traces_lost():  # docs/counterblock.md; of the living
    with open("app.v1.counters", "rb") as block:
        block = block.read()
    used = struct.unpack_from("<I", block, 64)[0]
    return sum(struct.unpack_from("<Q", block, 8192 + 1024 * slot + 40)[0] for slot in range(used))
first = sqlite3.connect("first.db")
seen = []
first.set_trace_callback(seen.append)
first.enable_load_extension(True)
first.load_extension(os.environ["EXTENSION"])
first.execute("CREATE TABLE t(x)")
print(seen)
print(first.execute("SELECT outgrown_status()").fetchone()[0])
connection = sqlite3.connect("app.db")
print(traces_lost())
work(connection)
print(traces_lost())
""")
    unknown = "kinds of failures are unknown with this SQLite"
    assert out == (f"['CREATE TABLE t(x)']\ncounting main as first; the trace is lost, only commits are counted; {unknown}\n"
                   f"1\ncounting main as app; {unknown}\n0\n"), out
    assert counts(folder) == {"ok": 4, "busy": 1}, counts(folder)


def writes_nothing_into_the_error_log(folder):
    """SQLite's error log, which is the application's, gets no line of the extension's"""
    out = python(folder, """
import ctypes, os, sqlite3
library = ctypes.CDLL("libsqlite3.so.0")
LOG = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p)
lines = []
log = LOG(lambda context, code, line: lines.append(line.decode()))
assert library.sqlite3_shutdown() == 0 and library.sqlite3_config(16, log, None) == 0  # SQLITE_CONFIG_LOG
connection = sqlite3.connect("app.db", isolation_level=None)
connection.enable_load_extension(True)
connection.load_extension(os.environ["EXTENSION"])
connection.execute("CREATE TABLE t(id INTEGER PRIMARY KEY)")
print(connection.execute("SELECT outgrown_status()").fetchone()[0], lines)
try:
    connection.execute("INSERT INTO t VALUES(1), (1)")
except sqlite3.IntegrityError:
    print(len(lines))
""")
    assert out == "counting main as app []\n1\n", out
    assert counts(folder) == {"ok": 1, "constraint": 1}, counts(folder)


def off_says_why_once(folder):
    """OUTGROWN_LOG=stderr: one line, whatever the number of connections, also with a newline in the path; else none"""
    program = """
import ctypes, os, sqlite3
assert ctypes.CDLL(os.environ["EXTENSION"]).outgrown_sqlite_load() == 0
for _ in range(3):
    connection = sqlite3.connect("a\\nb.db")
    with connection:
        connection.execute("CREATE TABLE IF NOT EXISTS t(a)")
    connection.close()
"""
    nowhere = str(folder / "nowhere")
    expected = (f"outgrown: writes are not counted: {folder}/a?b.db: {nowhere}: cannot open the directory: "
                "No such file or directory\n")
    for log, stderr in (("stderr", expected), ("no", "")):
        code, _, err = run(folder, [PYTHON, "-c", program], OUTGROWN_DIR=nowhere, OUTGROWN_LOG=log)
        assert (code, err) == (0, stderr), err


CASES = [
    two_copies_of_the_observer,
    another_copy_of_sqlite,
    registered_for_one_connection,
    without_the_probe,
    writes_nothing_into_the_error_log,
    off_says_why_once,
]


if __name__ == "__main__":
    run_cases(CASES)
