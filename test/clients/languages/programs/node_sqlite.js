// node:sqlite for script.js.
const channel = require("node:diagnostics_channel");
const { DatabaseSync } = require("node:sqlite");

exports.observe = () => {
  new DatabaseSync(":memory:", { allowExtension: true }).loadExtension("/usr/lib/x86_64-linux-gnu/outgrown/outgrown_sqlite");
};

exports.open = (path, timeout) => {
  const database = new DatabaseSync(path, { allowExtension: true });
  database.exec(`PRAGMA busy_timeout = ${timeout}`);
  return {
    run: (sql) => database.exec(sql),
    value: (sql) => Object.values(database.prepare(sql).get())[0],
    load: () => database.loadExtension("/usr/lib/x86_64-linux-gnu/outgrown/outgrown_sqlite"),
    close: () => database.close(),
  };
};

const names = { 5: "SQLITE_BUSY", 517: "SQLITE_BUSY_SNAPSHOT", 1555: "SQLITE_CONSTRAINT_PRIMARYKEY" };
exports.code = (error) => names[error.errcode];

// Node 26 announces each statement by the connection's trace.
exports.trace = () => {
  let seen = 0;
  channel.subscribe("sqlite.db.query", () => (seen += 1));
  return () => seen;
};
