"""When counting is not possible the application runs as before, and one warning says why; and what an application does to its
connection doesn't end the counting."""

import contextlib
import logging
import os
import pathlib
import sqlite3
import subprocess
import sys
import unittest
from unittest import mock

import outgrown
from outgrown import observer
from support import StoreTest, forget_warnings, main, read_block

LOADS_EXTENSIONS = hasattr(sqlite3.Connection, "enable_load_extension")


class DegradeTest(StoreTest):
    def setUp(self):
        super().setUp()
        forget_warnings()
        self.lines = []
        handler = logging.Handler()
        handler.emit = lambda record: self.lines.append((record.levelname, record.getMessage()))
        logger = logging.getLogger("outgrown")
        logger.addHandler(handler)
        self.addCleanup(logger.removeHandler, handler)

    def observed(self):
        return outgrown.observe(sqlite3.connect(self.path()))

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

    def works_uncounted(self, reason):
        self.works(self.observed())
        connection = self.observed()
        connection.execute("DELETE FROM t")
        connection.close()
        self.assertEqual(len(self.warned()), 1)
        self.assertRegex(self.warned()[0], "^writes of a connection are not counted: " + reason)
        self.assertFalse(os.path.exists(self.path("app.v1.counters")))


class NotPossible(DegradeTest):
    def test_without_the_observer(self):
        with mock.patch.dict(os.environ, OUTGROWN_OBSERVER="/no/such.so"):
            self.works_uncounted("the SQLite observer /no/such.so is not there; install Outgrown")

    def test_without_an_installation(self):
        environment = {name: value for name, value in os.environ.items() if name != "OUTGROWN_OBSERVER"}
        with mock.patch.dict(os.environ, environment, clear=True), mock.patch.object(observer, "FILE_NAME", "no-such.so"):
            self.works_uncounted("the SQLite observer no-such.so is not there; install Outgrown on this machine, or let "
                                 "OUTGROWN_OBSERVER name the file$")

    def test_a_file_that_is_no_extension(self):
        pathlib.Path(self.path("text.so")).write_text("no library")
        with mock.patch.dict(os.environ, OUTGROWN_OBSERVER=self.path("text.so")):
            self.works_uncounted("the SQLite observer can't be loaded: .*text.so")

    def test_a_sqlite_that_can_load_nothing(self):
        # The library that the sqlite3 module is linked to has no such function, as one of -DSQLITE_OMIT_LOAD_EXTENSION.
        nothing = mock.Mock(spec=[])
        with mock.patch.object(observer, "_has_method", return_value=False), \
             mock.patch.object(observer.ctypes, "CDLL", return_value=nothing), \
             mock.patch.dict(sys.modules, {name: mock.Mock(__file__="/a.so") for name in self.modules()}):
            self.works_uncounted("this Python's SQLite can load no extension: ")

    def test_a_sqlite_that_is_built_into_the_interpreter_and_loads_nothing(self):
        with mock.patch.object(observer, "_has_method", return_value=False), \
             mock.patch.dict(sys.modules, {name: mock.Mock(spec=[]) for name in self.modules()}):
            self.works_uncounted("this Python's SQLite can load no extension: ")

    def test_another_sqlite_than_the_modules(self):
        other = mock.Mock()
        other.sqlite3_sourceid.return_value = b"2001-01-01 another"
        with mock.patch.object(observer, "_has_method", return_value=False), \
             mock.patch.object(observer.ctypes, "CDLL", return_value=other), \
             mock.patch.dict(sys.modules, {name: mock.Mock(__file__="/a.so") for name in self.modules()}):
            self.works_uncounted("this Python's sqlite3 module uses another SQLite than it is linked to")
        other.sqlite3_load_extension.assert_not_called()

    def modules(self):
        connection = sqlite3.connect(":memory:")
        self.addCleanup(connection.close)
        return set(observer._module_names(connection))

    @unittest.skipUnless(LOADS_EXTENSIONS, "this Python was built without enable_load_extension")
    def test_an_authorizer_that_forbids_to_load(self):
        connection = sqlite3.connect(self.path())
        connection.set_authorizer(
            lambda action, first, second, *rest:
            sqlite3.SQLITE_DENY if action == 31 and second == "load_extension" else sqlite3.SQLITE_OK)
        self.works(outgrown.observe(connection))
        self.assertEqual(self.warned(), ["writes of a connection are not counted: the SQLite observer can't be loaded: "
                                         "not authorized to use function: load_extension"])

    def test_the_ctypes_call_counts_too(self):
        if observer.platform.python_implementation() != "CPython" or not self.dynamic():
            self.skipTest("SQLite is linked statically, and hides its functions")
        with mock.patch.object(observer, "_has_method", return_value=False):
            self.works(self.observed())
        self.assertEqual((self.warned(), self.counts()), ([], {"ok": 5, "constraint": 1}))

    def dynamic(self):
        sqlite3.connect(":memory:").close()
        return "libsqlite3.so" in pathlib.Path("/proc/self/maps").read_text()

    def test_without_a_directory(self):
        with mock.patch.dict(os.environ, OUTGROWN_DIR="/no/such/folder"):
            self.works(self.observed())
        self.assertEqual(len(self.warned()), 1)
        self.assertRegex(self.warned()[0], "^writes of a connection are not counted: .*/no/such/folder")

    def test_what_is_no_connection_comes_back_as_it_is(self):
        for target in (None, 5, object(), "app.db"):
            self.assertIs(outgrown.observe(target), target)
        self.assertRegex(self.warned()[0], "is no connection")

    def test_a_closed_connection_comes_back_and_says_so_itself(self):
        connection = sqlite3.connect(self.path())
        connection.close()
        with self.assertRaisesRegex(sqlite3.ProgrammingError, "closed"):
            outgrown.observe(connection).execute("INSERT INTO t VALUES (1)")
        self.assertEqual(self.warned(), ["writes of a connection are not counted: it is closed"])

    def test_the_name_of_another_file_is_not_taken_and_the_block_says_so(self):
        first = self.observed()
        os.mkdir(self.path("elsewhere"))
        second = outgrown.observe(sqlite3.connect(self.path("elsewhere/app.db")))
        self.assertEqual(read_block(self.folder, "app")["refused_name_taken"], 1)
        self.works(second)
        first.close()
        self.assertRegex(self.warned()[0], r"the store's name app belongs to .*/app\.db; give this one another, with "
                         r"OUTGROWN_STORE or outgrown_observe\(NAME\); in Python observe\(name=\)$")
        self.assertEqual(self.counts(), {})


class Own(sqlite3.Connection):
    """A connection class of the application's own."""

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


class Applications(DegradeTest):
    def connect(self, factory):
        return outgrown.observe(sqlite3.connect(self.path(), factory=factory))

    def test_a_class_with_methods_of_its_own_is_counted_and_none_is_called(self):
        connection = self.connect(Own)
        self.assertIs(type(connection), Own)
        self.assertFalse(hasattr(connection, "tries"))
        connection.execute("CREATE TABLE t (x UNIQUE)", tries=3)
        self.assertEqual(connection.tries, 3)
        other = self.connect(OwnCursor)
        other.cursor().execute("SELECT 1")
        self.assertEqual(other.cursors, 1)
        self.works(connection)
        other.close()
        self.assertEqual((self.warned(), self.counts()), ([], {"ok": 5, "constraint": 1}))

    def test_a_class_with_methods_of_its_own_needs_no_block(self):
        with mock.patch.dict(os.environ, OUTGROWN_DIR="/no/such/folder"):
            self.works(self.connect(Own))
        self.assertEqual(len(self.warned()), 1)

    def test_a_class_that_only_adds_methods_is_counted(self):
        connection = self.connect(Unchanged)
        self.assertEqual(connection.double(21), 42)
        self.works(connection)
        self.assertEqual((self.warned(), self.counts()), ([], {"ok": 5, "constraint": 1}))

    def test_an_authorizer_that_forbids_pragmas_does_not_end_the_counting(self):
        connection = outgrown.observe(sqlite3.connect(self.path(), isolation_level=None))
        connection.execute("CREATE TABLE t (x)")
        connection.execute("CREATE TEMP TABLE mine (x)")
        connection.execute("BEGIN IMMEDIATE")
        connection.set_authorizer(lambda action, *names: sqlite3.SQLITE_DENY if action == 19 else sqlite3.SQLITE_OK)  # PRAGMA
        connection.execute("INSERT INTO t VALUES (1)")
        block = read_block(self.folder, "app")
        self.assertEqual((block["in_flight"], block["traces_lost"]), (1, 0))
        connection.execute("COMMIT")
        connection.close()
        self.assertEqual((self.warned(), self.counts()), ([], {"ok": 2}))

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
        self.assertEqual(self.warned(), [])
        connection.close()

    def test_the_applications_trace_callback_goes_on_whichever_comes_first(self):
        for later in (False, True):
            insert = f"INSERT INTO t{later} VALUES (1)"
            with contextlib.closing(sqlite3.connect(self.path(), isolation_level=None)) as connection:
                seen = []
                if later:
                    outgrown.observe(connection)
                connection.set_trace_callback(seen.append)
                outgrown.observe(connection)
                connection.execute(f"CREATE TABLE t{later} (x UNIQUE)")
                seen.clear()
                connection.execute(insert)
                with self.assertRaises(sqlite3.IntegrityError):
                    connection.execute(insert)
                self.assertEqual(seen, [insert, insert])
                connection.set_trace_callback(None)
                with self.assertRaises(sqlite3.IntegrityError):
                    connection.execute(insert)
                self.assertEqual(seen, [insert, insert])
                self.assertEqual(read_block(self.folder, "app")["traces_lost"], 0)
        self.assertEqual(self.counts(), {"ok": 4, "constraint": 2})  # the last of each was announced to nobody


class Silent(StoreTest):
    def test_nothing_is_printed_but_by_the_log(self):
        program = ("import logging, outgrown, sqlite3\nlogging.getLogger('outgrown').addHandler(logging.NullHandler())\n"
                   "outgrown.observe(sqlite3.connect('app.db')).execute('CREATE TABLE t (x)')")
        for path in ("/no/such.so", os.environ["OUTGROWN_OBSERVER"]):
            done = subprocess.run([sys.executable, "-c", program], cwd=self.folder, capture_output=True, text=True,
                                  env={**os.environ, "OUTGROWN_OBSERVER": path})
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
            os.remove(self.path())


if __name__ == "__main__":
    main()
