#!/usr/bin/env bash
# Finding: close() of libSQL's client for JavaScript (@libsql/client 0.18.0 with libsql 0.5.29) leaves the database open until the garbage
# collector comes by.
#
# Guess before the run: close() is the last connection's close, so that SQLite checkpoints the log and removes -wal and -shm.
# Seen: the descriptor stays open, -wal and -shm stay, and the database file alone lacks what was committed: a copy of it after close()
# has not even the table. A forced garbage collection, or the end of the process, closes it. So a server that closes its client to
# back up or to replace the file still has it open, for as long as nothing else makes garbage; from outside the store looks used.
#
# Needs Node 20 on Linux (x64), npm, python3. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error --save-exact @libsql/client@0.18.0 libsql@0.5.29 >npm.log 2>&1 ||
  { cat npm.log >&2; exit 1; }
cat >close.mjs <<'JS'
import { createClient } from "@libsql/client";
import fs from "node:fs";

const path = process.argv[2];
const client = createClient({ url: `file:${path}` });
await client.execute("PRAGMA journal_mode=WAL");
await client.execute("CREATE TABLE t(x)");
await client.execute("INSERT INTO t VALUES (1)");

function show(when) {
  const open = fs.readdirSync("/proc/self/fd").filter((fd) => {
    try { return fs.readlinkSync(`/proc/self/fd/${fd}`) === path; } catch { return false; }
  }).length;
  console.log(`${when}: descriptors ${open}, log ${fs.existsSync(`${path}-wal`) ? "there" : "removed"}`);
}

show("in use");
client.close();
await new Promise((resolve) => setTimeout(resolve, 500));
show("closed");
fs.copyFileSync(path, `${path}.closed`);
for (let i = 0; i < 5; ++i) {
  globalThis.gc();
  await new Promise((resolve) => setTimeout(resolve, 50));
}
show("collected");
fs.copyFileSync(path, `${path}.collected`);
JS
cat >rows.py <<'PYTHON'
import sqlite3, sys

for copy in sys.argv[1:]:
    try:
        found = f"rows {sqlite3.connect(copy).execute('SELECT count(*) FROM t').fetchone()[0]}"
    except sqlite3.OperationalError as error:
        found = error
    print(f"copy of the file when {copy.rpartition('.')[2]}: {found}")
PYTHON
seen=$(
  node --expose-gc close.mjs "$folder/store.db"
  python3 rows.py store.db.closed store.db.collected
)
echo "$seen"
[ "$seen" = "in use: descriptors 1, log there
closed: descriptors 1, log there
collected: descriptors 0, log removed
copy of the file when closed: no such table: t
copy of the file when collected: rows 1" ] || { echo "the behaviour has changed" >&2; exit 1; }
