#!/usr/bin/env bash
# Finding: a Durable Object of workerd, Cloudflare's runtime, answers that it has stored what it hasn't, if another process holds the write lock
# of its SQLite file (workerd 1.20261117.1, storage on the local disk).
#
# Guess before the run, from the documentation of Durable Objects: a put() needs no await, as the answer is held back until the write is
# confirmed, and an object whose write fails is reset, with an error for the caller; sync() returns when all is on the disk; for
# a lock of some milliseconds it waits.
# Seen: it waits for no lock. sql.exec(), transactionSync() and an awaited put() throw at once, the first two with SQLITE_BUSY, put() with
# "internal error". A put() without await, and one followed by "await sync()", are lost: the caller gets its answer with status 200,
# the object isn't reset, as its counter in memory shows, and the key isn't there afterwards. The one trace is a line in workerd's
# log. A program that only reads the file beside it does no harm. So a backup or replication tool that takes the lock, as
# Litestream does for its checkpoints, costs acknowledged writes, and from the file's side nothing has failed.
#
# Needs Linux (x64), npm, curl and python3. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }; rm -rf "$folder"' EXIT
cd "$folder"
npm install --no-audit --no-fund --loglevel=error --save-exact @cloudflare/workerd-linux-64@1.20261117.1 >npm.log 2>&1 ||
  { cat npm.log >&2; exit 1; }
mkdir objects
cat >worker.capnp <<CAPNP
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker), (name = "disk", disk = (path = "$folder/objects", writable = true))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]);
const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-10-01",
  durableObjectNamespaces = [(className = "Store", uniqueKey = "store", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [(name = "STORE", durableObjectNamespace = "Store")]);
CAPNP
cat >worker.js <<'JS'
import { DurableObject } from "cloudflare:workers";

export class Store extends DurableObject {
  requests = 0;

  async run(what, key) {
    ++this.requests;
    const { storage } = this.ctx;
    let answer = "ok";
    try {
      if (what === "make") storage.sql.exec("CREATE TABLE t(key)");
      if (what === "exec") storage.sql.exec("INSERT INTO t VALUES (?)", key);
      if (what === "transactionSync") storage.transactionSync(() => storage.sql.exec("INSERT INTO t VALUES (?)", key));
      if (what === "await-put") await storage.put(key, 1);
      if (what === "put") storage.put(key, 1);
      if (what === "put-sync") {
        storage.put(key, 1);
        await storage.sync();
      }
      if (what === "stored") {
        const rows = storage.sql.exec("SELECT key FROM t").toArray().map((row) => row.key);
        answer = [...rows, ...(await storage.list()).keys()].join(" ");
      }
    } catch (error) {
      answer = error.message.replace(/; reference.*/, "");
    }
    return `${answer}, request ${this.requests} of the object`;
  }
}

export default {
  async fetch(request, env) {
    const [what, key] = new URL(request.url).pathname.slice(1).split("/");
    return new Response(await env.STORE.get(env.STORE.idFromName("one")).run(what, key));
  },
};
JS
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
node_modules/@cloudflare/workerd-linux-64/bin/workerd serve worker.capnp --socket-addr http="127.0.0.1:$port" >log 2>&1 &
server=$!
curl --silent --fail --retry 60 --retry-delay 1 --retry-connrefused --output made "http://127.0.0.1:$port/make"
cat >ask.py <<'PYTHON'
import glob, sqlite3, sys, urllib.request

folder, port = sys.argv[1:]

def ask(path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}") as answer:
        return f"{answer.status} {answer.read().decode()}"

(path,) = (name for name in glob.glob(f"{folder}/objects/store/*.sqlite") if not name.endswith("metadata.sqlite"))
other = sqlite3.connect(path, isolation_level=None)
ways = ("exec", "transactionSync", "await-put", "put", "put-sync")
for state, begin in (("read", "BEGIN"), ("locked", "BEGIN IMMEDIATE")):
    print("another process has a read transaction" if state == "read" else "another process has the write lock")
    for way in ways:
        other.execute(begin)
        other.execute("SELECT * FROM sqlite_schema").fetchall()
        print(f"  {way}:", ask(f"{way}/{state}-{way}"))
        other.execute("ROLLBACK")
print("stored:", ask("stored"))
PYTHON
seen=$(
  python3 ask.py "$folder" "$port"
  echo "lines of the log with \"locked\": $(grep --count "database is locked" log)"
)
echo "$seen"
[ "$seen" = "another process has a read transaction
  exec: 200 ok, request 2 of the object
  transactionSync: 200 ok, request 3 of the object
  await-put: 200 ok, request 4 of the object
  put: 200 ok, request 5 of the object
  put-sync: 200 ok, request 6 of the object
another process has the write lock
  exec: 200 database is locked: SQLITE_BUSY, request 7 of the object
  transactionSync: 200 database is locked: SQLITE_BUSY, request 8 of the object
  await-put: 200 internal error, request 9 of the object
  put: 200 ok, request 10 of the object
  put-sync: 200 ok, request 11 of the object
stored: 200 read-exec read-transactionSync read-await-put read-put read-put-sync, request 12 of the object
lines of the log with \"locked\": 3" ] || { cat log >&2; echo "the behaviour has changed" >&2; exit 1; }
