"""An observed connection remains a connection: what the application sees is sqlite3's own."""

import gc
import sqlite3
import threading
import warnings

import outgrown
from support import ConnectionTest, StoreTest, counts, forget_warnings, main


class RemainsAConnection(ConnectionTest):
    def test_isinstance_and_attributes(self):
        self.assertIsInstance(self.connection, sqlite3.Connection)
        self.assertIsInstance(self.connection.cursor(), sqlite3.Cursor)
        self.assertIs(self.connection.cursor().connection, self.connection)
        self.assertIs(self.connection.execute("SELECT 1").connection, self.connection)
        self.connection.row_factory = sqlite3.Row
        self.assertEqual(self.connection.execute("SELECT 1 AS one").fetchone()["one"], 1)
        self.assertIs(self.connection.row_factory, sqlite3.Row)
        self.connection.create_function("twice", 1, lambda x: 2 * x)
        self.assertEqual(tuple(self.connection.execute("SELECT twice(21)").fetchone()), (42,))
        self.assertIs(self.connection.Error, sqlite3.Error)
        self.assertIn("execute", dir(self.connection))

    def test_with_gives_the_observed_connection(self):
        with self.connection as inside:
            self.assertIs(inside, self.connection)

    def test_observing_twice_is_observing_once(self):
        self.assertIs(outgrown.observe(self.connection), self.connection)
        with self.connection:
            self.connection.execute("INSERT INTO t VALUES (1, '')")
        self.assertEqual(self.counted(), {"ok": 1})

    def test_it_is_the_applications_own_object(self):
        plain = sqlite3.connect(self.path())
        self.addCleanup(plain.close)
        self.assertIs(outgrown.observe(plain), plain)
        self.assertIs(type(plain), sqlite3.Connection)
        cursor = sqlite3.Cursor(plain)
        cursor.execute("INSERT INTO t VALUES (1, zeroblob(4))")
        plain.commit()
        self.assertEqual(self.counted(), {"ok": 1})

    def test_loading_extensions_stays_as_the_application_has_it(self):
        if not hasattr(self.connection, "enable_load_extension"):
            self.skipTest("this Python was built without enable_load_extension")
        for enabled in (False, True):
            plain = sqlite3.connect(self.path())
            self.addCleanup(plain.close)
            plain.enable_load_extension(enabled)
            outgrown.observe(plain)
            expected = "no-such-extension" if enabled else "not authorized"
            with self.assertRaisesRegex(sqlite3.OperationalError, expected):
                plain.execute("SELECT load_extension('/no-such-extension')")

    def test_a_cursor_class_of_the_applications_keeps_its_methods(self):
        class Shouting(sqlite3.Cursor):
            def execute(self, sql, *parameters):
                return super().execute(sql.upper().replace("%S", "?"), *parameters)

        cursor = self.connection.cursor(Shouting)
        self.assertIsInstance(cursor, Shouting)
        cursor.execute("insert into t values (%s, '')", (1,))
        self.connection.commit()
        self.assertEqual(self.counted(), {"ok": 1})

    def test_factories_of_rows_and_text_do_not_disturb_the_counting(self):
        self.connection.row_factory = lambda cursor, row: {"row": row}
        self.connection.text_factory = bytes
        self.connection.executescript("CREATE TEMP TABLE mine (x); CREATE TABLE IF NOT EXISTS t (x); CREATE TABLE u (x);")
        with self.connection:
            self.connection.execute("INSERT INTO t VALUES (1, '')")
        self.assertEqual(self.counted(), {"ok": 2})

    def test_changes_says_what_it_says_without_us(self):
        for setup in ("SELECT 1", "CREATE TEMP TABLE mine (x)", "ATTACH ':memory:' AS other"):
            seen = []
            for wrap, file in ((lambda plain: plain, "plain.db"), (outgrown.observe, "observed.db")):
                connection = wrap(sqlite3.connect(self.path(file), isolation_level=None))
                connection.execute("CREATE TABLE IF NOT EXISTS t (x UNIQUE)")
                connection.execute(setup)
                for sql in ("INSERT INTO t VALUES (1), (2)", "INSERT OR IGNORE INTO t VALUES (2), (3)",
                            "CREATE TABLE IF NOT EXISTS t (x)", "INSERT OR FAIL INTO t VALUES (5), (6), (1)",
                            "INSERT INTO t VALUES (7), (1)", "UPDATE t SET x = x + 100", "INSERT INTO nothing VALUES (1)",
                            "WITH a AS (SELECT 1) DELETE FROM t"):
                    try:
                        connection.execute(sql)
                    except sqlite3.Error as error:
                        seen.append(str(error))
                    seen.append(connection.execute("SELECT changes(), total_changes(), last_insert_rowid()").fetchone())
                connection.close()
            self.assertEqual(seen[: len(seen) // 2], seen[len(seen) // 2 :], setup)

    def test_backup_to_and_from(self):
        target = self.connect(lambda plain: plain)
        copy = outgrown.observe(sqlite3.connect(self.path("copy.db")))
        self.addCleanup(copy.close)
        self.connection.backup(copy)
        self.assertEqual(copy.execute("SELECT x FROM t").fetchall(), [(0,)])
        copy.backup(target)

    def test_a_dropped_cursor_gives_its_locks_up_at_once(self):
        connection = self.connect(isolation_level=None)
        gc.disable()
        self.addCleanup(gc.enable)
        connection.execute("INSERT INTO t VALUES (1, ''), (2, '') RETURNING x").fetchone()
        self.rival().execute("INSERT INTO t VALUES (3, '')")
        connection.execute("SELECT * FROM t").fetchone()
        self.rival().execute("INSERT INTO t VALUES (4, '')")

    def test_a_connection_of_another_thread_is_not_counted_and_the_log_says_so(self):
        # By design: what is counted is asked through the application's own connection, which only its thread may use.
        made, used, connections = threading.Event(), threading.Event(), []

        def work():
            connections.append(sqlite3.connect(self.path()))
            made.set()
            used.wait()
            with connections[0]:
                connections[0].execute("INSERT INTO t VALUES (1, '')")
            connections[0].close()

        thread = threading.Thread(target=work)
        thread.start()
        made.wait()
        forget_warnings()
        with self.assertLogs("outgrown") as lines:
            self.assertIs(outgrown.observe(connections[0]), connections[0])
        self.assertEqual([record.getMessage() for record in lines.records], [
            "writes of a connection are not counted: it is another thread's; observe it in the thread that opens it"])
        with self.assertRaisesRegex(sqlite3.ProgrammingError, "thread"):
            connections[0].execute("INSERT INTO t VALUES (1, '')")
        used.set()
        thread.join()
        self.assertEqual(self.counted(), {})

    def test_errors_are_sqlite3s_own(self):
        for call in (
            lambda c: c.execute(),
            lambda c: c.execute(5),
            lambda c: c.execute("INSERT INTO t VALUES (?, ?)", (1,)),
            lambda c: c.execute("INSERT INTO t VALUES (?, ?)", 5),
            lambda c: c.execute("SELECT 1; SELECT 2"),
            lambda c: c.executemany("SELECT 1", [()]),
            lambda c: c.executemany("INSERT INTO t VALUES (?, '')", 5),
            lambda c: c.executemany("INSERT INTO t VALUES (?, '')", [(1,), (object(),)]),
            lambda c: c.executescript(5),
            lambda c: c.executescript("SELECT 1; \0"),
            lambda c: c.cursor().fetchone(5),
            lambda c: c.nothing,
            lambda c: setattr(c, "isolation_level", "WHATEVER"),
            lambda c: (c.close(), c.execute("INSERT INTO t VALUES (1, '')")),
            lambda c: (c.close(), c.commit()),
            lambda c: (c.close(), c.in_transaction),
        ):
            seen = []
            for wrap in (lambda plain: plain, outgrown.observe):
                connection = self.connect(wrap)
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        result = call(connection)
                        seen.append("a cursor" if isinstance(result, sqlite3.Cursor) else result)
                except Exception as error:
                    seen.append((type(error), str(error)))
                connection.close()
            self.assertEqual(seen[0], seen[1])


class WhatIsNoStore(StoreTest):
    def test_a_database_in_memory_stays_as_it_is(self):
        connection = sqlite3.connect(":memory:")
        self.addCleanup(connection.close)
        self.assertIs(outgrown.observe(connection), connection)

    def test_a_stores_name_comes_from_its_file(self):
        for file, store in {"app.db": "app", "with space.sqlite": "with_space", "a.b.c": "a.b", ".hidden": "_hidden", "ü.db": "__"}.items():
            connection = outgrown.observe(sqlite3.connect(self.path(file)))
            connection.execute("CREATE TABLE t (x)")
            connection.close()
            self.assertEqual(counts(self.folder, store), {"ok": 1}, file)

    def test_a_name_can_be_given(self):
        connection = outgrown.observe(sqlite3.connect(self.path()), name="other")
        connection.execute("CREATE TABLE t (x)")
        connection.close()
        self.assertEqual(self.counts("other"), {"ok": 1})


if __name__ == "__main__":
    main()
