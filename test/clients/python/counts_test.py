"""What is counted in each way of using sqlite3."""

import sqlite3
import subprocess
import sys
import threading

import outgrown
from support import ConnectionTest, StoreTest, main, read_block


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

    def test_a_stale_snapshot_is_distinguished_from_a_busy_lock(self):
        self.rival().execute("PRAGMA journal_mode=WAL")
        self.connection.execute("BEGIN")
        self.connection.execute("SELECT * FROM t").fetchall()
        self.rival().execute("INSERT INTO t VALUES (1, '')")
        with self.assertRaises(sqlite3.OperationalError):
            self.connection.execute("INSERT INTO t VALUES (2, '')")
        self.connection.rollback()
        self.assertEqual(self.counted(), {"busy_snapshot": 1})

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

    def test_a_row_that_is_too_big_is_an_error_and_a_parameter_that_is_never_came_to_write(self):
        connection = self.connect(isolation_level=None)
        with self.assertRaisesRegex(sqlite3.DataError, "too big"):
            connection.execute("INSERT INTO t VALUES (1, zeroblob(2000000000))")
        self.assertEqual(self.counted(), {"other": 1})
        if not hasattr(connection, "setlimit"):
            self.skipTest("setlimit came with Python 3.11")
        connection.setlimit(0, 1000)  # SQLITE_LIMIT_LENGTH
        for too_big in (b"x" * 1001, "x" * 1001, "ä" * 501, memoryview(b"x" * 1001)):
            for parameters in ((1, too_big), {"x": 1, "y": too_big}):
                with self.assertRaises((sqlite3.InterfaceError, sqlite3.DataError)):
                    connection.execute("INSERT INTO t VALUES (:x, :y)", parameters)
            with self.assertRaises((sqlite3.InterfaceError, sqlite3.DataError)):
                connection.executemany("INSERT INTO t VALUES (?, ?)", [(1, too_big)])
        self.assertEqual(self.counted(), {"other": 1})
        with self.assertRaisesRegex(sqlite3.DataError, "too big"):
            connection.execute("INSERT INTO t VALUES (?, ?)", ("x" * 600, "y" * 600))
        self.assertEqual(self.counted(), {"other": 2})

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
        self.assertEqual(self.counted(), {"ok": 4, "constraint": 2})

    def test_setting_the_isolation_level_to_none_commits(self):
        self.connection.execute("INSERT INTO t VALUES (1, '')")
        self.connection.isolation_level = None
        self.assertEqual((self.connection.in_transaction, self.counted()), (False, {"ok": 1}))

    def test_the_bytes_are_those_of_the_pages_that_a_commit_writes(self):
        before = read_block(self.folder, "app")["bytes"]
        with self.connection:
            self.connection.execute("INSERT INTO t VALUES (?, ?)", (1, bytes(50 * 4096)))
        pages, rest = divmod(read_block(self.folder, "app")["bytes"] - before, 4096)
        self.assertEqual((self.counted(), rest), ({"ok": 1}, 0))
        self.assertIn(pages, range(50, 55))  # the blob, its table and the file's first page

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
        before = read_block(self.folder, "app")["duration_sum_ns"]
        release = threading.Timer(0.2, rival.execute, ("COMMIT",))
        release.start()
        with connection:
            connection.executemany("INSERT INTO t VALUES (?, '')", [(1,)])
        release.join()
        self.assertGreater(read_block(self.folder, "app")["duration_sum_ns"] - before, 150_000_000)

    def test_attached_databases_are_stores_of_their_own_and_temp_tables_are_none(self):
        self.connection.execute("ATTACH ? AS other", (self.path("other.db"),))
        self.connection.execute("CREATE TABLE other.o (x)")
        self.connection.execute("CREATE TEMP TABLE mine (x)")
        with self.connection:
            self.connection.execute("INSERT INTO o VALUES (1)")
            self.connection.execute("INSERT INTO mine VALUES (1)")
        self.assertEqual((self.counted(), self.counts("other")), ({}, {"ok": 2} if sqlite3.sqlite_version_info >= (3, 39) else {}))
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


def refused(connection, sql, reason):
    try:
        connection.execute(sql)
    except sqlite3.Error as error:
        assert reason in str(error), error
    else:
        raise AssertionError(f"{sql} was not refused")


def read(connection):
    connection.execute("SELECT * FROM t").fetchall()


# What the application does on `connection`; `rival` is counted by nobody.


def first_statement_is_locked_out(connection, rival):
    path = rival.execute("PRAGMA database_list").fetchone()[2]
    writer = outgrown.observe(sqlite3.connect(path, isolation_level=None))
    writer.execute("INSERT INTO t VALUES (3, '')")
    writer.close()
    rival.execute("BEGIN EXCLUSIVE")
    refused(connection, "INSERT INTO t VALUES (2, '')", "locked")


def later_statement_is_locked_out(connection, rival):
    read(connection)
    rival.execute("BEGIN EXCLUSIVE")
    refused(connection, "INSERT INTO t VALUES (2, '')", "locked")
    refused(connection, "BEGIN IMMEDIATE", "locked")
    refused(connection, "CREATE TABLE u (x)", "locked")


def statement_that_finds_nothing_to_do_is_locked_out(connection, rival):
    read(connection)
    rival.execute("BEGIN EXCLUSIVE")
    refused(connection, "CREATE TABLE IF NOT EXISTS t (x)", "locked")


def another_writes(connection, rival):
    rival.execute("BEGIN IMMEDIATE")
    refused(connection, "INSERT INTO t VALUES (2, '')", "locked")
    refused(connection, "CREATE TABLE u (x)", "locked")
    connection.execute("CREATE TABLE IF NOT EXISTS t (x)")


def values_stay(connection, rival):
    connection.execute("UPDATE t SET y = 'as ever'")
    connection.execute("INSERT INTO t VALUES (1, 'as ever') ON CONFLICT (x) DO UPDATE SET y = excluded.y")
    connection.execute("UPDATE t SET y = 'as ever' WHERE x = 99")


def handler_stops_it_while_it_writes(connection, rival):
    connection.set_progress_handler(lambda: 1, 1000)
    endless = "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n) INSERT INTO t SELECT i, '' FROM n"
    refused(connection, endless, "interrupted")
    connection.set_progress_handler(None, 1)


def handler_stops_it_before_it_asks_for_the_lock(connection, rival):
    read(connection)
    connection.set_progress_handler(lambda: 1, 1)
    # Where no transaction is open, SQLite asks for the lock before it asks the handler.
    refused(connection, "INSERT INTO t VALUES (2, '')", "interrupted")
    connection.isolation_level = ""  # so that sqlite3 begins a transaction before it
    refused(connection, "INSERT INTO t VALUES (2, '')", "interrupted")
    connection.set_progress_handler(None, 1)


# What docs/adopting.md says of locks, interrupts and values that stay.
CASES = {
    first_statement_is_locked_out: {"busy": 1, "ok": 1},
    later_statement_is_locked_out: {"busy": 3},
    statement_that_finds_nothing_to_do_is_locked_out: {"busy": 1},
    another_writes: {"busy": 2},
    values_stay: {},
    handler_stops_it_while_it_writes: {"other": 1},
    handler_stops_it_before_it_asks_for_the_lock: {"other": 1},
}


class Cases(StoreTest):
    def test_each_case_counts_as_documented(self):
        for case, expected in CASES.items():
            with self.subTest(case.__name__):
                path = self.path(case.__name__ + ".db")
                rival = sqlite3.connect(path, isolation_level=None)
                rival.executescript("CREATE TABLE t (x INTEGER PRIMARY KEY, y); INSERT INTO t VALUES (1, 'as ever')")
                connection = outgrown.observe(sqlite3.connect(path, isolation_level=None, timeout=0))
                case(connection, rival)
                connection.close()
                rival.close()
                self.assertEqual(self.counts(case.__name__), expected)


if __name__ == "__main__":
    main()
