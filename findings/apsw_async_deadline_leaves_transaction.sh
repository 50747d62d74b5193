#!/usr/bin/env bash
# Finding: a deadline that passes inside `async with` of an apsw connection leaves its transaction open, and what the connection stores from
# then on is lost at its close, without an error (apsw 3.54.1.0, apsw.aio under asyncio).
#
# Guess before the run: a deadline of 0.2 s ends a transaction that waits for another process' lock with a TimeoutError, and `async with`
# rolls it back; the next call has no deadline and works as ever. So does asyncio.timeout.
# Seen: the wait for the lock isn't ended, as a deadline is looked at between SQLite's steps. The INSERT gets the lock 0.6 s late and succeeds;
# the second one raises the TimeoutError, and then the rollback of `async with` is itself a call after the deadline: it isn't
# carried out. Its savepoint stays, with the write lock: every other writer gets SQLITE_BUSY, while this connection goes on without an error,
# inserts and whole transactions, reads what it has written, and after aclose() none of it is there. asyncio.timeout, which looks
# alike, waits as long but rolls back, and what comes later is stored.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check apsw==3.54.1.0
cat >"$folder/other.py" <<'PYTHON'
import sqlite3, sys, time

path, what = sys.argv[1:]
connection = sqlite3.connect(path, isolation_level=None, timeout=0.2)
try:
    connection.execute("BEGIN IMMEDIATE")
    lock = "free"
except sqlite3.OperationalError as error:
    lock = error.sqlite_errorname
if what == "hold":
    print("held", flush=True)
    time.sleep(0.8)
else:
    rows = " ".join(row[0] for row in connection.execute("SELECT x FROM t"))
    print(f"  {what}: stored {rows or 'nothing'}; the lock: {lock}")
PYTHON
cat >"$folder/store.py" <<'PYTHON'
import asyncio, subprocess, sys
import apsw, apsw.aio

folder, other = sys.argv[1:]

async def use(name, limit):
    print(name)
    path = f"{folder}/{name.partition(' ')[0]}.db"
    database = await apsw.Connection.as_async(path)
    await database.execute("PRAGMA journal_mode=WAL")
    await database.execute("CREATE TABLE t(x)")
    await database.set_busy_timeout(5000)

    async def look(when):
        sys.stdout.flush()
        await asyncio.to_thread(subprocess.run, [sys.executable, other, path, when], check=True)

    holder = subprocess.Popen([sys.executable, other, path, "hold"], stdout=subprocess.PIPE)
    holder.stdout.readline()

    async def transfer():
        async with database:
            await database.execute("INSERT INTO t VALUES ('debit')")
            await database.execute("INSERT INTO t VALUES ('credit')")

    try:
        await limit(transfer)
        print("  no error")
    except TimeoutError:
        print("  TimeoutError")
    await asyncio.to_thread(holder.communicate)
    await look("after that")
    await database.execute("INSERT INTO t VALUES ('later')")
    async with database:
        await database.execute("INSERT INTO t VALUES ('last')")
    print("  read by itself:", *[row[0] async for row in await database.execute("SELECT x FROM t")])
    await look("two writes later")
    await database.aclose()
    await look("closed")

async def deadline(call):
    with apsw.aio.contextvar_set(apsw.aio.deadline, asyncio.get_running_loop().time() + 0.2):
        await call()

async def timeout(call):
    async with asyncio.timeout(0.2):
        await call()

async def main():
    await use("apsw.aio.deadline", deadline)
    await use("asyncio.timeout", timeout)

asyncio.run(main())
PYTHON
seen=$("$folder/venv/bin/python" "$folder/store.py" "$folder" "$folder/other.py")
echo "$seen"
[ "$seen" = "apsw.aio.deadline
  TimeoutError
  after that: stored nothing; the lock: SQLITE_BUSY
  read by itself: debit later last
  two writes later: stored nothing; the lock: SQLITE_BUSY
  closed: stored nothing; the lock: free
asyncio.timeout
  TimeoutError
  after that: stored nothing; the lock: free
  read by itself: later last
  two writes later: stored later last; the lock: free
  closed: stored later last; the lock: free" ] || { echo "the behaviour has changed" >&2; exit 1; }
