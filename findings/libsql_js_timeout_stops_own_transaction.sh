#!/usr/bin/env bash
# Finding: the busy timeout of libSQL's client for JavaScript makes a write beside an open transaction of the same client wait for itself
# (@libsql/client 0.18.0 with libsql 0.5.29).
#
# Guess before the run, from the documentation of the option timeout, by which an operation waits for a lock that long: while transaction() is
# open, execute() of an INSERT waits, and succeeds after the commit 0.3 s later; so it does with PRAGMA busy_timeout instead.
# Seen: it never succeeds. The transaction has a connection of its own, execute() takes another of the client's pool, and waits in the native
# code of the only thread, so that the transaction can't go on to its commit: with timeout 2000 nothing at all runs for 2 s, no timer
# either, then the INSERT fails with SQLITE_BUSY and the transaction commits at once. PRAGMA busy_timeout belongs to one connection
# of the pool, here that of the transaction, and the INSERT fails at once. A lock of another process is waited for as documented. So
# a server with interactive transactions stands still under its own load for the timeout, and the lock wait that is measured is that
# of no other program.
#
# Needs Node 20 on Linux (x64), npm, python3. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error --save-exact @libsql/client@0.18.0 libsql@0.5.29 >npm.log 2>&1 ||
  { cat npm.log >&2; exit 1; }
cat >holder.py <<'PYTHON'
import sqlite3, sys, time

connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(0.3)
connection.execute("COMMIT")
PYTHON
cat >write.mjs <<'JS'
import { createClient } from "@libsql/client";
import { spawn } from "node:child_process";
import { once } from "node:events";

const [path, options, pragma] = process.argv.slice(2);
const client = createClient({ url: `file:${path}`, ...JSON.parse(options) });
await client.execute("PRAGMA journal_mode=WAL");
await client.execute("CREATE TABLE IF NOT EXISTS t(x)");
if (pragma) await client.execute(pragma);
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function insert(beside) {
  const begin = performance.now();
  let ended = "ok";
  try {
    await client.execute(`INSERT INTO t VALUES ('${beside}')`);
  } catch (error) {
    ended = error.code;
  }
  const took = performance.now() - begin;
  console.log(`  beside ${beside}: ${ended} ${took < 150 ? "at once" : took < 1500 ? "after the commit" : "after the timeout"}`);
}

const other = spawn("python3", ["holder.py", path]);
await once(other.stdout, "data");
const ended = once(other, "exit");
await insert("another process");
await ended;
const transaction = await client.transaction("write");
await transaction.execute("INSERT INTO t VALUES ('transaction')");
const begin = performance.now();
const inserted = insert("an own transaction");
await pause(300);
console.log(`  a timer of 0.3 s: ${performance.now() - begin < 1500 ? "in time" : "after the timeout"}`);
await transaction.commit();
await inserted;
const rows = (await client.execute("SELECT x FROM t")).rows.map((row) => row.x);
console.log(`  stored: ${rows.join(", ")}`);
client.close();
JS
seen=$(
  echo "PRAGMA busy_timeout=2000"
  node write.mjs "$folder/pragma.db" '{}' "PRAGMA busy_timeout=2000"
  echo "timeout: 2000"
  node write.mjs "$folder/option.db" '{"timeout": 2000}'
)
echo "$seen"
[ "$seen" = "PRAGMA busy_timeout=2000
  beside another process: ok after the commit
  beside an own transaction: SQLITE_BUSY at once
  a timer of 0.3 s: in time
  stored: another process, transaction
timeout: 2000
  beside another process: ok after the commit
  beside an own transaction: SQLITE_BUSY after the timeout
  a timer of 0.3 s: after the timeout
  stored: another process, transaction" ] || { echo "the behaviour has changed" >&2; exit 1; }
