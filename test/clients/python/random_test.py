"""Random workloads through an observed connection: the application notices nothing, and not one write is missed.

Twice the same workload, on an observed and on a plain connection, each on a file of its own with a rival that takes the
lock from time to time: every result, exception and transaction state must be the same, and so must the files. The
counts must be what the application saw (one error for each exception) and what SQLite says (its commit counter).
"""

import os
import random
import sqlite3
import sys

import outgrown
from oracle import Commits
from support import StoreTest, main, outcomes, read_block

ROUNDS = int(os.environ.get("OUTGROWN_ROUNDS", "20"))
STEPS = 120
EVERY_STEP = "OUTGROWN_EVERY_STEP" in os.environ  # slower, and finds the step that was miscounted
MODES = [{"isolation_level": level} for level in (None, "", "DEFERRED", "IMMEDIATE", "EXCLUSIVE")]
if hasattr(sqlite3.Connection, "autocommit"):
    MODES += [{"autocommit": True}, {"autocommit": False}]

SCHEMA = """
    CREATE TABLE t (x INTEGER PRIMARY KEY, y TEXT);
    CREATE TABLE log (x);
    CREATE TRIGGER logged AFTER DELETE ON t BEGIN INSERT INTO log VALUES (old.x); SELECT 1; END;
    INSERT INTO t VALUES (0, 'taken');
    CREATE TABLE child (x REFERENCES t DEFERRABLE INITIALLY DEFERRED);
    CREATE TABLE picky (x UNIQUE ON CONFLICT FAIL);
    CREATE TABLE same (x INTEGER PRIMARY KEY, y);
    INSERT INTO same VALUES (1, 'as ever');
"""

# {n} is a number never used before, {old} one that was. Row 0 is always taken.
STATEMENTS = [
    "INSERT INTO t VALUES ({n}, 'x')",
    "INSERT INTO t VALUES ({n}, 'x') RETURNING x",
    "INSERT INTO t VALUES ({n}, 'x'), ({n} + 200000, 'x') RETURNING x",
    "DELETE FROM t WHERE x = {old} RETURNING x",
    "INSERT INTO t VALUES ({n}, 'x'), (0, 'x')",
    "INSERT OR IGNORE INTO t VALUES (0, 'x')",
    "INSERT OR ROLLBACK INTO t VALUES (0, 'x')",
    "INSERT INTO t VALUES ({n}, fail())",
    "INSERT INTO missing VALUES ({n})",
    "INSERT INTO picky VALUES ({n}), (0), (0) -- ON CONFLICT FAIL",
    "INSERT OR FAIL INTO t VALUES ({n}, 'x'), (0, 'x')",
    "INSERT INTO child VALUES (0)",
    "INSERT INTO child VALUES (-{n})",  # refused by COMMIT, which leaves the transaction open
    "REPLACE INTO t VALUES ({n}, 'y')",
    "UPDATE t SET y = 'z' WHERE x = -1",
    "DELETE FROM t WHERE x = {old}",
    "WITH a AS (SELECT {n}) INSERT INTO t SELECT *, 'w' FROM a",
    "WITH a AS (SELECT 1) SELECT * FROM a",
    "SELECT count(*) FROM t",
    "EXPLAIN DELETE FROM t WHERE x = {n}",  # a new text: SQLite crashes in one that is older than the schema
    "CREATE TABLE IF NOT EXISTS t (x)",
    "CREATE TABLE u{n} (x)",
    "ALTER TABLE t ADD COLUMN y TEXT",
    "DROP TABLE IF EXISTS missing",
    "CREATE TEMP TABLE IF NOT EXISTS mine (x)",
    "INSERT INTO mine VALUES ({n})",
    "INSERT INTO mine SELECT x FROM t",
    "ATTACH ':memory:' AS other",
    "CREATE TABLE IF NOT EXISTS other.o (x)",
    "INSERT INTO o VALUES ({n})",
    "INSERT INTO log SELECT changes() UNION ALL SELECT changes()",
    "UPDATE OR FAIL picky SET x = 1",
    "DELETE FROM mine",
    "PRAGMA user_version = {n}",
    'PRAGMA "main"."user_version" = {n}',
    "PRAGMA default_cache_size = {n}",
    "PRAGMA user_version",
    "REINDEX",
    "VACUUM",
    'VACUUM "main"',
    "BEGIN",
    "BEGIN IMMEDIATE",
    "BEGIN EXCLUSIVE",
    "COMMIT",
    "END",
    "ROLLBACK",
    "SAVEPOINT a",
    "SAVEPOINT b",
    "ROLLBACK TO a",
    "RELEASE a",
    "nonsense",
]
if sqlite3.__name__ != "sqlite3":
    # pysqlite3 opens a transaction for it, with the write lock if isolation_level says so: busy, though not a write.
    STATEMENTS.remove("EXPLAIN DELETE FROM t WHERE x = {n}")
if sys.version_info < (3, 12):
    STATEMENTS.append("")  # from 3.12 on this raises the connection's last error again, whatever it was
SCRIPTS = [
    "INSERT INTO t VALUES ({n}, 'x'); INSERT INTO log VALUES ({n}); -- the end",
    "BEGIN; INSERT INTO t VALUES ({n}, 'x'); UPDATE t SET y = 'q'; COMMIT; DELETE FROM t WHERE x = {n};",
    "BEGIN; INSERT INTO t VALUES ({n}, 'x'); INSERT INTO t VALUES (0, 'x'); COMMIT;",
    "BEGIN; SELECT 1; COMMIT",
    "BEGIN IMMEDIATE; INSERT INTO t VALUES ({n}, ';'); ROLLBACK; INSERT INTO t VALUES ({n}, ';');",
    "SAVEPOINT s; INSERT INTO t VALUES ({n}, 'x'); RELEASE s; SELECT 1;",
    "BEGIN; INSERT INTO t VALUES ({n}, 'x')",
    "CREATE TABLE IF NOT EXISTS t (x); CREATE TABLE v{n} (x); INSERT INTO v{n} VALUES (1); DROP TABLE v{n};",
    "CREATE TABLE w{n} (x); CREATE TRIGGER w{n}t AFTER INSERT ON w{n} BEGIN DELETE FROM w{n}; SELECT 1; END; INSERT INTO w{n} VALUES (1);",
    "PRAGMA journal_mode; ; /* nothing */ INSERT INTO missing VALUES (1); INSERT INTO t VALUES ({n}, 'x')",
    "",
]
# Rows change, as SQLite says, though not to other values; it writes nothing.
CHANGE_NOTHING = [
    "UPDATE same SET y = 'as ever'",
    "INSERT INTO same VALUES (1, 'as ever') ON CONFLICT (x) DO UPDATE SET y = excluded.y",
]


def fail():
    raise ValueError("as asked")


class Application:
    """One of the twins: a connection with its rival, and what it has seen."""

    def __init__(self, path, wal, mode, wrap):
        setup = sqlite3.connect(path, isolation_level=None)
        setup.execute(f"PRAGMA journal_mode={'WAL' if wal else 'DELETE'}")
        setup.executescript(SCHEMA)
        setup.close()
        self.real = sqlite3.connect(path, timeout=0, **mode)
        self.real.create_function("fail", 0, fail)
        self.real.execute("PRAGMA foreign_keys = ON")
        self.connection = wrap(self.real)
        self.cursor = self.connection.cursor()
        self.rival = sqlite3.connect(path, timeout=0, isolation_level=None)
        self.rival.execute("SELECT * FROM t").fetchall()  # opens the file
        self.seen = {"busy": 0, "constraint": 0, "other": 0}

    def do(self, step):
        """What the application notices of a step. It rolls back after every exception."""
        changes = self.connection.total_changes
        # Rows that stay committed although the statement has failed are a write, not an error.
        keeps_rows = self.commits_each_statement() and "FAIL" in str(step[1])
        try:
            result = self.run(*step)
        except sqlite3.Error as error:
            result = (type(error).__name__, str(error))
            # With autocommit=False `with` tries to roll back what SQLite has rolled back already, which raises, too.
            if not keeps_rows or self.connection.total_changes == changes:
                self.note(error.__context__ if isinstance(error.__context__, sqlite3.Error) else error)
            self.roll_back()
        except ValueError as error:
            result = str(error)
        # changes() on the bare connection, so that the counting cannot learn from the question.
        counters = self.real.execute("SELECT changes(), last_insert_rowid()").fetchall()
        return result, self.connection.in_transaction, self.connection.total_changes, counters

    def commits_each_statement(self):
        legacy = getattr(self.connection, "autocommit", -1) == -1
        return not self.connection.in_transaction and not (legacy and self.connection.isolation_level is not None)

    def roll_back(self):
        if not self.connection.in_transaction:
            return
        if getattr(self.connection, "autocommit", None) is True:
            self.connection.execute("ROLLBACK")  # the method does nothing in this mode
        else:
            self.connection.rollback()

    def note(self, error):
        if "locked" in str(error):
            self.seen["busy"] += 1
        elif isinstance(error, sqlite3.IntegrityError):
            self.seen["constraint"] += 1
        elif "user-defined function" in str(error):
            self.seen["other"] += 1

    def run(self, what, given):
        connection = self.connection
        if what == "execute":
            return connection.execute(given).fetchall()
        if what == "execute on a kept cursor":
            cursor = self.cursor.execute(given)
            # A statement that writes, or explains one, holds up the commits of all others as long as it is unfinished.
            return cursor.fetchone() if given.startswith(("SELECT", "WITH", "PRAGMA")) else cursor.fetchall()
        if what == "execute and drop":
            connection.execute(given)
        elif what == "executescript":
            connection.executescript(given)
        elif what == "executemany":
            return connection.executemany("INSERT INTO t VALUES (?, 'many')", iter(given)).rowcount
        elif what == "with":
            with connection:
                connection.execute(given)
        elif what == "with that raises":
            with connection:
                connection.execute(given)
                raise ValueError("by choice")
        elif what == "isolation_level":
            connection.isolation_level = given
        elif what == "autocommit":
            connection.autocommit = given
        elif what == "change nothing":
            if not connection.in_transaction:  # else it isn't all that the transaction does
                connection.execute(given)
                if connection.in_transaction:
                    connection.commit()
        elif what == "wrong bindings":
            connection.execute("INSERT INTO t VALUES (?, ?)", (1,))
        elif what == "rival":
            if given == "takes" and not self.rival.in_transaction:
                try:
                    self.rival.execute("BEGIN IMMEDIATE")
                    self.rival.execute("INSERT INTO log VALUES (1)")
                except sqlite3.OperationalError:
                    return "the rival did not get it"
            elif given == "leaves":
                self.rival.rollback()
        else:
            getattr(connection, what)()
        return None

    def content(self):
        self.roll_back()
        self.cursor.close()  # else the connection lives on, with its locks
        self.connection.close()
        self.rival.rollback()
        schema = self.rival.execute("SELECT * FROM sqlite_master").fetchall()
        return schema, [self.rival.execute(f"SELECT * FROM {row[1]}").fetchall() for row in schema if row[0] == "table"]


def draw_step(draw, number, legacy):
    sql = lambda texts: draw.choice(texts).format(n=number, old=draw.randrange(max(1, number)))
    what = draw.choice(["execute"] * 8 + ["execute on a kept cursor", "execute and drop", "executescript", "executemany", "with",
                       "with that raises", "commit", "commit", "rollback", "rival", "rival", "wrong bindings", "isolation_level", "change nothing"])
    if what in ("execute", "execute on a kept cursor", "execute and drop", "with", "with that raises"):
        return what, sql(STATEMENTS)
    if what == "executescript":
        return what, sql(SCRIPTS)
    if what == "change nothing":
        return what, draw.choice(CHANGE_NOTHING)
    if what == "executemany":
        return what, draw.choice([[], [(number,)], [(number,), (number + 100000,)], [(number,), (0,), (number + 100000,)]])
    if what == "rival":
        return what, draw.choice(["takes", "leaves", "leaves"])
    if what == "isolation_level":
        if draw.randrange(4) != 0:
            return "commit", None
        return (what, draw.choice([None, "", "IMMEDIATE"])) if legacy else ("autocommit", draw.choice([True, False]))
    return what, None


class Random(StoreTest):
    def test_the_application_notices_nothing_and_every_write_is_counted(self):
        seed = int(os.environ.get("OUTGROWN_SEED", random.randrange(1 << 32)))
        print(f"seed {seed}")
        draw = random.Random(seed)
        for number in range(ROUNDS):
            mode = draw.choice(MODES)
            with self.subTest(f"seed {seed}, round {number}: {mode}"):
                self.one_round(draw, f"s{number}", mode)

    def one_round(self, draw, store, mode):
        wal = draw.randrange(3) != 0
        plain = Application(self.path(f"{store}-plain.db"), wal, mode, lambda real: real)
        observed = Application(self.path(f"{store}.db"), wal, mode, outgrown.observe)
        self.assertIs(observed.connection, observed.real)
        commits = Commits(self.path(f"{store}.db"), wal)
        done = []
        for number in range(1, STEPS):
            step = draw_step(draw, number, "isolation_level" in mode)
            done.append(step)
            self.assertEqual(observed.do(step), plain.do(step), done)
            if EVERY_STEP:
                self.check(store, observed, commits, done)
        self.assertEqual(observed.content(), plain.content())
        self.check(store, observed, commits, done)

    def check(self, store, observed, commits, done):
        counted = outcomes(read_block(self.folder, store))
        counted["busy"] += counted.pop("busy_snapshot")
        expected = {**dict.fromkeys(counted, 0), **observed.seen, "ok": commits.count()}
        self.assertEqual(counted, expected, f"the last of {done[-8:]}")


if __name__ == "__main__":
    main()
