// better-sqlite3 for script.js.
const Database = require("better-sqlite3");

exports.observe = () => {
  new Database(":memory:").loadExtension("/usr/lib/x86_64-linux-gnu/outgrown/outgrown_sqlite");
};

exports.open = (path, timeout) => {
  const database = new Database(path, { timeout });
  return {
    run: (sql) => database.exec(sql),
    value: (sql) => Object.values(database.prepare(sql).get())[0],
    close: () => database.close(),
  };
};

exports.code = (error) => error.code;
