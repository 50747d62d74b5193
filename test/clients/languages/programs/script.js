// The work that ../cases.py describes. Usage: node script.js DATABASE MODE, with the client's module in $CLIENT.
const { Worker, isMainThread, parentPort, workerData } = require("node:worker_threads");
const { readFileSync } = require("node:fs");
const client = require(process.env.CLIENT);

const reasons = { SQLITE_BUSY: "busy", SQLITE_BUSY_SNAPSHOT: "busy_snapshot", SQLITE_CONSTRAINT_PRIMARYKEY: "constraint" };
const seen = { ok: 0, busy: 0, busy_snapshot: 0, constraint: 0 };

function attempt(work) {
  try {
    work();
    seen.ok += 1;
  } catch (error) {
    const reason = reasons[client.code(error)];
    if (reason === undefined) throw error;
    seen[reason] += 1;
  }
}

function script(path) {
  const insert = "INSERT INTO t VALUES(NULL, 'a')";
  const again = "INSERT INTO t VALUES(1, 'again')";
  const one = client.open(path, 0);
  attempt(() => one.run("PRAGMA journal_mode = WAL"));
  attempt(() => one.run("CREATE TABLE t(id INTEGER PRIMARY KEY, x)"));
  for (let i = 0; i < 20; ++i) attempt(() => one.run(insert));
  for (let i = 0; i < 5; ++i) {
    one.run("BEGIN");
    for (let j = 0; j < 3; ++j) one.run(insert);
    attempt(() => one.run("COMMIT"));
  }
  for (let i = 0; i < 3; ++i) attempt(() => one.run(again));
  for (let i = 0; i < 2; ++i) {
    one.run("BEGIN");
    one.run(insert);
    one.run("ROLLBACK");
  }
  for (const end of ["COMMIT", "ROLLBACK"]) {
    one.run("BEGIN");
    one.run(insert);
    let failed = null;
    try {
      one.run(again);
    } catch (error) {
      failed = error;
    }
    attempt(() => {
      one.run(end);
      if (end === "ROLLBACK") throw failed;
    });
  }
  one.run("DELETE FROM t WHERE id = -1");

  const other = client.open(path, 0);
  other.run("BEGIN IMMEDIATE");
  for (let i = 0; i < 4; ++i) attempt(() => one.run(insert));
  attempt(() => one.run("BEGIN IMMEDIATE"));
  other.run("ROLLBACK");
  one.run("BEGIN");
  one.value("SELECT count(*) FROM t");
  attempt(() => other.run(insert));
  attempt(() => one.run(insert));
  one.run("ROLLBACK");
  other.close();
  one.close();
}

function traced(path, isFirst) {
  const connection = client.open(path, 0);
  const count = client.trace();
  if (isFirst) connection.load();
  for (let i = 0; i < 3; ++i) attempt(() => connection.run("INSERT INTO t VALUES(NULL, 'traced')"));
  attempt(() => connection.run("INSERT INTO t VALUES(1, 'again')"));
  console.log(JSON.stringify({ ...seen, traced: count() }));
}

function work({ path, rows }) {
  const connection = client.open(path, 60000);
  for (let i = 0; i < rows; ++i) {
    connection.run("INSERT INTO t VALUES(NULL, 'thread')");
    if (i === 49) parentPort.postMessage("fifty");
  }
  connection.close();
}

function threads(path, rows) {
  return Array.from({ length: 4 }, () => new Worker(__filename, { argv: process.argv.slice(2), workerData: { path, rows } }));
}

function main(path, mode) {
  if (process.env.OBSERVED === "yes") client.observe();
  if (mode === "script") {
    script(path);
    console.log(JSON.stringify(seen));
  } else if (mode === "traced" || mode === "traced-first") {
    traced(path, mode === "traced-first");
  } else if (mode === "rows") {
    console.log(client.open(path, 60000).value("SELECT count(*) FROM t"));
  } else if (mode === "threads") {
    const held = client.open(path, 60000);
    held.value("SELECT count(*) FROM t");
    let left = 4;
    for (const thread of threads(path, 25)) {
      thread.on("exit", (status) => {
        if (status !== 0) process.exit(1);
        if (--left > 0) return;
        console.log(JSON.stringify({ ok: 100 }));
        readFileSync(0);
        held.close();
      });
    }
  } else {
    let left = 4;
    for (const thread of threads(path, Infinity)) {
      thread.on("message", () => {
        if (--left > 0) return;
        if (mode === "exit") process.exit(0);
        console.log("writing");
      });
    }
  }
}

if (isMainThread) {
  main(...process.argv.slice(2));
} else {
  work(workerData);
}
