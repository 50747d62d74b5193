"""An observed connection: what is counted in each way of using sqlite3, and that it remains a connection."""

import gc
import sqlite3
import subprocess
import sys
import threading
import unittest
import warnings

import outgrown
from support import ConnectionTest, StoreTest, counts, main, read_block


class Counts(ConnectionTest):
    def test_setup_is_two_writes(self):
        self.assertEqual(self.before, {"ok": 2})

    def test_what_is_there_already_is_not_created_again(self):
        self.connection.executescript("PRAGMA journal_mode=WAL; CREATE TABLE IF NOT EXISTS t (x); CREATE INDEX IF NOT EXISTS i ON t (y);")
        self.assertEqual(self.counted(), {"ok": 2})  # WAL and the index

    def test_a_change_to_or_from_the_write_ahead_log_is_a_write(self):
        self.connection.close()  # nobody else may be there when a database leaves WAL mode
        connection = self.connect(isolation_level=None, timeout=0)
        for mode, writes in (("WAL", 1), ("'wal'", 1), ("DELETE", 2), ("TRUNCATE", 2), ("wal", 3)):
            connection.execute(f"PRAGMA journal_mode = {mode}").fetchall()
            self.assertEqual(self.counted(), {"ok": writes}, mode)

    def test_a_column_that_is_there_is_no_failed_write(self):
        with self.assertRaisesRegex(sqlite3.OperationalError, "duplicate column name"):
            self.connection.execute("ALTER TABLE t ADD COLUMN y")
        self.assertEqual(self.counted(), {})

    def test_a_busy_statement_counts_although_the_application_never_rolls_back(self):
        self.connection = self.connect(timeout=0)
        rival = self.rival()
        for attempt in range(3):
            rival.execute("BEGIN IMMEDIATE")
            with self.assertRaisesRegex(sqlite3.OperationalError, "database is locked"):
                self.connection.execute("INSERT INTO t VALUES (?, '')", (attempt + 1,))
            rival.execute("COMMIT")
        self.assertTrue(self.connection.in_transaction)
        self.connection.execute("INSERT INTO t VALUES (1, '')")
        self.connection.commit()
        self.assertEqual(self.counted(), {"busy": 3, "ok": 1})

    def test_a_stale_snapshot_is_told_from_a_busy_lock(self):
        self.rival().execute("PRAGMA journal_mode=WAL")
        self.connection.execute("BEGIN")
        self.connection.execute("SELECT * FROM t").fetchall()
        self.rival().execute("INSERT INTO t VALUES (1, '')")
        with self.assertRaises(sqlite3.OperationalError) as caught:
            self.connection.execute("INSERT INTO t VALUES (2, '')")
        self.connection.rollback()
        # Python 3.11 and later say the extended code.
        told = getattr(caught.exception, "sqlite_errorcode", None) == 517  # SQLITE_BUSY_SNAPSHOT
        self.assertEqual(self.counted(), {"busy_snapshot" if told else "busy": 1})

    def test_a_busy_commit_that_is_tried_again_is_one_write(self):
        self.connection = self.connect(timeout=0)
        reader = self.rival()
        rows = reader.execute("SELECT 1 FROM t")
        rows.fetchone()
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM t").fetchall()
        self.connection.execute("INSERT INTO t VALUES (1, '')")
        with self.assertRaisesRegex(sqlite3.OperationalError, "locked"):
            self.connection.commit()
        self.assertEqual(self.counted(), {})
        reader.execute("COMMIT")
        rows.close()
        self.connection.commit()
        self.assertEqual(self.counted(), {"ok": 1})

    def test_a_full_database_is_full(self):
        self.connection.execute("PRAGMA max_page_count = 4")
        with self.assertRaisesRegex(sqlite3.OperationalError, "full"):
            with self.connection:
                self.connection.execute("INSERT INTO t VALUES (1, zeroblob(1000000))")
        self.assertEqual(self.counted(), {"full": 1})

    def test_a_read_only_file_is_an_error(self):
        connection = outgrown.observe(sqlite3.connect(f"file:{self.path()}?mode=ro", uri=True))
        self.addCleanup(connection.close)
        with self.assertRaisesRegex(sqlite3.OperationalError, "readonly"):
            connection.execute("INSERT INTO t VALUES (1, '')")
        connection.rollback()
        self.assertEqual(self.counted(), {"other": 1})

    def test_rows_of_an_insert_or_fail_that_stay_are_a_write(self):
        connection = self.connect(isolation_level=None)
        with self.assertRaises(sqlite3.IntegrityError):
            connection.execute("INSERT OR FAIL INTO t VALUES (1, ''), (0, '')")
        self.assertEqual(self.counted(), {"ok": 1})
        with self.assertRaises(sqlite3.IntegrityError):
            connection.execute("INSERT OR FAIL INTO t VALUES (0, ''), (2, '')")
        self.assertEqual(self.counted(), {"ok": 1, "constraint": 1})

    def test_a_connection_that_is_closed_in_a_failed_transaction_counts_it(self):
        with self.assertRaises(sqlite3.IntegrityError):
            self.connection.execute("INSERT INTO t VALUES (0, '')")
        self.connection.close()
        self.assertEqual(self.counted(), {"constraint": 1})

    def test_returning_outside_a_transaction_ends_with_its_last_row(self):
        connection = self.connect(isolation_level=None)
        cursor = connection.execute("INSERT INTO t VALUES (1, ''), (2, '') RETURNING x")
        self.assertEqual((cursor.fetchone(), self.counted()), ((1,), {}))
        self.assertEqual(read_block(self.folder, "app")["in_flight"], 1)
        self.assertEqual(([row for row in cursor], self.counted()), ([(2,)], {"ok": 1}))
        cursor = connection.execute("INSERT INTO t VALUES (3, ''), (4, '') RETURNING x")
        del cursor
        self.assertEqual(self.counted(), {"ok": 2})
        connection.execute("DELETE FROM t WHERE x = 99 RETURNING x").fetchall()
        self.assertEqual(self.counted(), {"ok": 2})
        self.assertEqual(read_block(self.folder, "app")["in_flight"], 0)

    def test_a_statement_that_is_undone_is_no_write_whatever_its_trigger_changed(self):
        connection = self.connect(isolation_level=None)
        connection.executescript("""
            PRAGMA foreign_keys = ON;
            CREATE TABLE child (x REFERENCES t (x) DEFERRABLE INITIALLY DEFERRED);
            CREATE TABLE log (x);
            CREATE TRIGGER logged AFTER DELETE ON t BEGIN INSERT INTO log VALUES (old.x); END;
            INSERT INTO child VALUES (0);
        """)
        self.assertEqual(self.counted(), {"ok": 4})
        with self.assertRaises(sqlite3.IntegrityError):
            connection.execute("DELETE FROM t")
        self.assertEqual(self.counted(), {"ok": 4, "constraint": 1})
        cursor = connection.execute("DELETE FROM t RETURNING x")
        del cursor  # refused without a word
        self.assertEqual(connection.execute("SELECT count(*) FROM t").fetchone(), (1,))
        self.assertEqual(self.counted(), {"ok": 4, "constraint": 1})

    def test_setting_the_isolation_level_to_none_commits(self):
        self.connection.execute("INSERT INTO t VALUES (1, '')")
        self.connection.isolation_level = None
        self.assertEqual((self.connection.in_transaction, self.counted()), (False, {"ok": 1}))

    def test_payload_is_the_text_and_blobs_among_the_parameters(self):
        before = read_block(self.folder, "app")["bytes"]
        with self.connection:
            self.connection.execute("INSERT INTO t VALUES (?, ?)", (1, b"12345"))
            self.connection.execute("INSERT INTO t VALUES (:x, :y)", {"x": 2, "y": "äö"})
            self.connection.executemany("INSERT INTO t VALUES (?, ?)", [(3, "123"), (4, memoryview(b"1234"))])
        self.assertEqual(read_block(self.folder, "app")["bytes"] - before, 5 + 4 + 3 + 4)

    def test_a_write_shows_as_in_flight_from_its_first_statement_to_its_commit(self):
        self.assertEqual(read_block(self.folder, "app")["in_flight"], 0)
        self.connection.execute("INSERT INTO t VALUES (1, '')")
        self.assertEqual(read_block(self.folder, "app")["in_flight"], 1)
        self.connection.rollback()
        self.assertEqual(read_block(self.folder, "app")["in_flight"], 0)

    def test_the_wait_for_the_lock_is_part_of_the_duration(self):
        connection = self.connect(timeout=20, isolation_level="IMMEDIATE")
        rival = self.connect(lambda plain: plain, isolation_level=None, check_same_thread=False)
        rival.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.2, rival.execute, ("COMMIT",))
        release.start()
        before = read_block(self.folder, "app")["duration_sum_ns"]
        with connection:
            connection.executemany("INSERT INTO t VALUES (?, '')", [(1,)])
        release.join()
        self.assertGreater(read_block(self.folder, "app")["duration_sum_ns"] - before, 150_000_000)

    def test_attached_databases_and_temp_tables_are_other_stores(self):
        self.connection.execute("ATTACH ? AS other", (self.path("other.db"),))
        self.connection.execute("CREATE TABLE other.o (x)")
        self.connection.execute("CREATE TEMP TABLE mine (x)")
        with self.connection:
            self.connection.execute("INSERT INTO o VALUES (1)")
            self.connection.execute("INSERT INTO mine VALUES (1)")
        self.assertEqual(self.counted(), {})
        with self.connection:
            self.connection.execute("INSERT INTO t SELECT x, '' FROM mine")
        self.assertEqual(self.counted(), {"ok": 1})

    def test_a_process_that_ends_leaves_its_counts(self):
        program = (
            "import outgrown, sqlite3, sys; connection = outgrown.observe(sqlite3.connect(sys.argv[1]));\n"
            "for i in range(10):\n with connection: connection.execute('INSERT INTO t VALUES (?, 0)', (i + 100,))"
        )
        subprocess.run([sys.executable, "-c", program, self.path()], check=True)
        self.assertEqual(self.counted(), {"ok": 10})


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
        self.assertIsInstance(outgrown.unwrap(self.connection), sqlite3.Connection)
        self.assertIsNot(outgrown.unwrap(self.connection), self.connection)

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

    def test_a_connection_that_was_first_used_in_the_wrong_thread_is_still_counted(self):
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
        connections[0] = outgrown.observe(connections[0])
        with self.assertRaisesRegex(sqlite3.ProgrammingError, "thread"):
            connections[0].execute("INSERT INTO t VALUES (1, '')")
        used.set()
        thread.join()
        self.assertEqual(self.counted(), {"ok": 1})

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
                    seen.append((type(error), str(error).replace("outgrown.connection.ObservedConnection", "sqlite3.Connection")))
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
