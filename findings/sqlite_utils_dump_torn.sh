#!/usr/bin/env bash
# Finding: the dump of `sqlite-utils dump` and of Python's iterdump() is of no one moment, though its text begins with BEGIN TRANSACTION
# (sqlite-utils 4.2.1; Python's sqlite3; the shell and sqlite3_dbdump of SQLite 3.54.1 from apsw's wheel).
#
# Guess before the run: each reads inside one transaction, as the shell's .dump does, so that a dump beside a writer is a state that was.
# Seen: each table is a SELECT of its own, and each has its own snapshot. While a dump is on its way through the first of two tables, another
# process moves 1 from there to the second, in one transaction: restored, the dump of the first has it still and that of the second has
# it too. No error, and the restored file is sound. .dump and sqlite3_dbdump see neither. For a store of LangGraph, the tables are
# checkpoints and their writes. Python's iterdump() is right inside a BEGIN of one's own; sqlite-utils has no option for that.
#
# Needs Python 3.11 or newer with venv on Linux, and PyPI. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sqlite-utils==4.2.1 apsw==3.54.1.0
cat >"$folder/iterdump.py" <<'PYTHON'
import sqlite3, sys

connection = sqlite3.connect(sys.argv[1])
if sys.argv[2:] == ["begin"]:
    connection.execute("BEGIN")
for line in connection.iterdump():
    print(line)
PYTHON
cat >"$folder/dumps.py" <<'PYTHON'
import glob, sqlite3, subprocess, sys

folder = sys.argv[1]
path, programs = f"{folder}/store.db", f"{folder}/venv/bin"
(tools,) = glob.glob(f"{folder}/venv/lib/python3*/site-packages/apsw/sqlite_extra_binaries")
connection = sqlite3.connect(path, isolation_level=None)
connection.execute("PRAGMA journal_mode=WAL")
for table in ("first", "second"):
    connection.execute(f"CREATE TABLE {table}(id INTEGER PRIMARY KEY, amount INTEGER)")
    connection.execute("BEGIN")  # far more text than a pipe and the program's own buffer hold
    connection.executemany(f"INSERT INTO {table} VALUES (?, 1000)", ((row,) for row in range(50_000)))
    connection.execute("COMMIT")

def dump(name, *command):
    program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    begun = ""
    while "INSERT INTO" not in begun:
        begun += program.stdout.readline()
    connection.execute("BEGIN")
    connection.execute("UPDATE first SET amount = amount - 1 WHERE id = 0")
    connection.execute("UPDATE second SET amount = amount + 1 WHERE id = 0")
    connection.execute("COMMIT")
    text = begun + program.stdout.read()
    assert program.wait() == 0
    restored = sqlite3.connect(":memory:")
    restored.executescript(text)
    ((total,), (sound,)) = (restored.execute(ask).fetchone() for ask in (
        "SELECT (SELECT sum(amount) FROM first) + (SELECT sum(amount) FROM second)", "PRAGMA integrity_check"))
    print(f"{name}: {total}, {sound}")

dump("sqlite-utils dump", f"{programs}/sqlite-utils", "dump", path)
dump("iterdump()", f"{programs}/python", f"{folder}/iterdump.py", path)
dump("iterdump() inside BEGIN", f"{programs}/python", f"{folder}/iterdump.py", path, "begin")
dump(".dump", f"{tools}/sqlite3_shell", path, ".dump")
dump("sqlite3_dbdump", f"{tools}/sqlite3_dbdump", path)
PYTHON
seen=$("$folder/venv/bin/python" "$folder/dumps.py" "$folder")
echo "$seen"
[ "$seen" = "sqlite-utils dump: 100000001, ok
iterdump(): 100000001, ok
iterdump() inside BEGIN: 100000000, ok
.dump: 100000000, ok
sqlite3_dbdump: 100000000, ok" ] || { echo "the behaviour has changed" >&2; exit 1; }
