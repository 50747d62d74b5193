"""When counting is not possible, or breaks down, the application runs as before, and one warning says why."""

import gc
import logging
import os
import sqlite3
import unittest
from unittest import mock

import outgrown
from outgrown import block, classes, report, script, watch
from support import StoreTest, main, read_block


class DegradeTest(StoreTest):
    def setUp(self):
        super().setUp()
        report._said.clear()
        self.lines = []
        handler = logging.Handler()
        handler.emit = lambda record: self.lines.append((record.levelname, record.getMessage()))
        logger = logging.getLogger("outgrown")
        logger.addHandler(handler)
        self.addCleanup(logger.removeHandler, handler)

    def works(self, connection):
        """The application's work, the same whether it is counted or not."""
        connection.execute("CREATE TABLE IF NOT EXISTS t (x UNIQUE)")
        connection.execute("UPDATE t SET x = 5")
        connection.commit()
        with connection:
            connection.executemany("INSERT INTO t VALUES (?)", [(1,), (2,)])
        with self.assertRaises(sqlite3.IntegrityError):
            connection.execute("INSERT INTO t VALUES (1)")
        connection.rollback()
        connection.executescript("INSERT INTO t VALUES (3); BEGIN; DELETE FROM t WHERE x = 3; COMMIT;")
        connection.isolation_level = None
        connection.execute("INSERT INTO t VALUES (4) RETURNING x").fetchall()
        self.assertEqual(connection.execute("SELECT x FROM t").fetchall(), [(1,), (2,), (4,)])
        connection.close()

    def warned(self):
        return [text for level, text in self.lines if level == "WARNING"]


class NotPossible(DegradeTest):
    def observed(self):
        return outgrown.observe(sqlite3.connect(self.path()))

    def test_without_the_library(self):
        with mock.patch.object(block, "_library", None), mock.patch.dict(os.environ, OUTGROWN_LIBRARY="/no/such.so"):
            self.works(self.observed())
            self.works_again()
        self.assertEqual(len(self.warned()), 1)
        self.assertRegex(self.warned()[0], "^writes to .*/app.db are not counted: the C library /no/such.so cannot be used: ")

    def works_again(self):
        connection = self.observed()
        connection.execute("DELETE FROM t")
        connection.close()

    def test_without_a_directory(self):
        with mock.patch.dict(os.environ, OUTGROWN_DIR="/no/such/folder"):
            self.works(self.observed())
        self.assertEqual(len(self.warned()), 1)
        self.assertRegex(self.warned()[0], "/no/such/folder")

    def test_what_is_no_connection_comes_back_as_it_is(self):
        for target in (None, 5, object(), "app.db"):
            self.assertIs(outgrown.observe(target), target)
        self.assertRegex(self.warned()[0], "is no connection")

    def test_a_closed_connection_comes_back_and_says_so_itself(self):
        connection = sqlite3.connect(self.path())
        connection.close()
        with self.assertRaisesRegex(sqlite3.ProgrammingError, "closed"):
            outgrown.observe(connection).execute("INSERT INTO t VALUES (1)")

    def test_the_name_of_another_file_is_not_taken(self):
        first = self.observed()
        os.mkdir(self.path("elsewhere"))
        self.works(outgrown.observe(sqlite3.connect(self.path("elsewhere/app.db"))))
        first.close()
        self.assertRegex(self.warned()[0], r"the store's name app belongs to .*/app\.db; give this one another with name=")
        self.assertEqual(self.counts(), {})


class Own(sqlite3.Connection):
    """A connection class of the application's own, with each kind of method that a stand-in could not keep."""

    def execute(self, sql, parameters=(), *, tries=1):
        self.tries = tries
        return super().execute(sql, parameters)


class OwnCursor(sqlite3.Connection):
    def cursor(self):
        self.cursors = getattr(self, "cursors", 0) + 1
        return super().cursor()


class Unchanged(sqlite3.Connection):
    def double(self, x):
        return self.execute("SELECT 2 * ?", (x,)).fetchone()[0]


class OwnClasses(DegradeTest):
    def connect(self, factory):
        return outgrown.observe(sqlite3.connect(self.path(), factory=factory))

    def test_a_class_with_methods_of_its_own_is_left_alone_and_the_block_says_so(self):
        connection = self.connect(Own)
        self.assertIs(type(connection), Own)
        connection.execute("CREATE TABLE t (x UNIQUE)", tries=3)
        self.assertEqual(connection.tries, 3)
        other = self.connect(OwnCursor)
        other.cursor().execute("SELECT 1")
        self.assertEqual(other.cursors, 1)
        self.assertEqual(read_block(self.folder, "app")["traces_lost"], 2)
        self.works(connection)
        other.close()
        del connection, other
        gc.collect()
        self.assertEqual(read_block(self.folder, "app")["traces_lost"], 0)
        self.connect(Own).close()
        self.assertEqual([text.split(": ")[1] for text in self.warned()], [
            f"the class has a method {name} of its own" for name in ("execute", "cursor")])

    def test_a_class_with_methods_of_its_own_needs_no_block(self):
        with mock.patch.dict(os.environ, OUTGROWN_DIR="/no/such/folder"):
            self.works(self.connect(Own))
        self.assertEqual(len(self.warned()), 1)

    def test_a_class_that_only_adds_methods_is_counted(self):
        connection = self.connect(Unchanged)
        self.assertEqual(connection.double(21), 42)
        self.works(connection)
        self.assertEqual((self.warned(), self.counts()), ([], {"ok": 5, "constraint": 1}))

    def test_every_method_that_runs_or_ends_something_counts_as_one_of_its_own(self):
        for name in ("executemany", "executescript", "commit", "rollback", "close", "__enter__", "__exit__", "__setattr__",
                     "__call__", "in_transaction"):
            cls = type("Cls", (sqlite3.Connection,), {name: lambda self, *arguments: None})
            self.assertEqual(classes.overridden(cls), name)
        self.assertEqual((classes.overridden(sqlite3.Connection), classes.overridden(Unchanged)), ("", ""))


class BreaksDown(DegradeTest):
    """Whatever is wrong inside of the counting: it ends, visibly, and the application doesn't notice."""

    def test_each_part_that_raises(self):
        for number, place in enumerate((
            (block.Store, "begin"), (block.Store, "end"), (block.Store, "abandon"), (block.Store, "outcome_of"),
            (watch.Ledger, "start"), (watch.Ledger, "wrote"), (watch.Ledger, "failed"), (watch.Ledger, "committed"),
            (watch.schema, "writes_main"), (watch.schema, "only_main"), (script, "split_script"), (watch, "failure_of"),
        )):
            with self.subTest(place[1]):
                report._said.clear()
                self.lines.clear()
                name = f"app{number}"
                connection = outgrown.observe(sqlite3.connect(self.path(name + ".db")))
                with mock.patch.object(*place, side_effect=ZeroDivisionError("as asked")) as broken:
                    kept = sqlite3.connect(self.path(name + ".db"))
                    if place[1] == "only_main":
                        connection.execute("CREATE TEMP TABLE mine (x)")
                    self.works_counted(connection, name)
                    self.assertTrue(broken.called)
                # A mark that cannot be taken away stays as long as the thread.
                self.assertEqual(read_block(self.folder, name)["in_flight"], 1 if place[1] == "abandon" else 0)
                kept.close()
                self.assertEqual(self.warned(), ["writes of a connection are no longer counted: ZeroDivisionError: as asked"])

    def test_what_was_in_flight_when_counting_ended_is_not_in_flight_any_more(self):
        connection = outgrown.observe(sqlite3.connect(self.path(), isolation_level=None))
        connection.execute("CREATE TABLE t (x)")
        connection.execute("CREATE TEMP TABLE mine (x)")
        connection.execute("BEGIN IMMEDIATE")
        connection.set_authorizer(lambda action, *names: sqlite3.SQLITE_DENY if action == 19 else sqlite3.SQLITE_OK)  # PRAGMA
        connection.execute("INSERT INTO t VALUES (1)")
        block = read_block(self.folder, "app")
        self.assertEqual((block["in_flight"], block["traces_lost"]), (0, 1))
        connection.execute("COMMIT")
        connection.close()
        self.assertRegex(self.warned()[0], "no longer counted: .*not authorized")

    def test_the_applications_own_time_limit_does_not_end_the_counting(self):
        connection = outgrown.observe(sqlite3.connect(self.path(), isolation_level=None))
        connection.execute("CREATE TABLE t (x)")
        passed = []
        connection.set_progress_handler(lambda: bool(passed), 1)
        for setup in ("PRAGMA user_version", "CREATE TEMP TABLE mine (x)", "CREATE TEMP TRIGGER r AFTER INSERT ON mine BEGIN SELECT 1; END"):
            connection.execute(setup)
            passed.append(1)
            for sql in ("INSERT INTO t VALUES (1)", "PRAGMA journal_mode = WAL", "PRAGMA user_version = 1"):
                with self.assertRaisesRegex(sqlite3.OperationalError, "interrupted"):
                    connection.execute(sql).fetchall()
            passed.clear()
            connection.execute("INSERT INTO t VALUES (2)")
        block = read_block(self.folder, "app")
        self.assertEqual((block["writes_ok"], block["in_flight"], block["traces_lost"]), (4, 0, 0))
        self.assertGreaterEqual(block["writes_other"], 3)
        self.assertEqual(self.warned(), [])
        connection.close()

    def works_counted(self, connection, name):
        with mock.patch.object(connection._outgrown_watch, "closed"):  # so that it is still seen afterwards
            self.works(connection)
        self.assertEqual(read_block(self.folder, name)["traces_lost"], 1)
        connection._outgrown_watch.closed()
        self.assertEqual(read_block(self.folder, name)["traces_lost"], 0)


if __name__ == "__main__":
    main()
