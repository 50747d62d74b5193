"""What the exporter finds in the files of a live store: commits, the backlog of its log, who keeps it, who counts it."""

import fcntl
import os
import pathlib
import re
import sqlite3
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import exporter_case  # noqa: E402  (the path above)


class StoreCommits(exporter_case.ExporterCase):
    def test_the_commit_counter_follows_a_live_application_through_closing_and_a_change_of_mode(self):
        connection = self.open_database()
        block = exporter_case.CounterBlock(self.blocks, "s", self.database)
        block.record(exporter_case.OK, 1, 1, times=7)
        exporter = self.start(f"--block.dir={self.blocks}", f"--store=s={self.database}")

        def numbers():
            text = exporter.get("/metrics")[2]
            return [int(re.search(rf'^checkpoint_{name}_total{{database="s"}} (\d+)$', text, re.M)[1])
                    for name in ("store_commits", "counted_commits", "store_commits_missed")]

        def write(count):
            for _ in range(count):
                connection.execute("INSERT INTO t VALUES (2)")
                block.record(exporter_case.OK, 1, 1)

        self.assertEqual(numbers(), [0, 0, 0])
        write(1)
        self.assertEqual(numbers(), [1, 1, 0])
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.assertEqual(numbers(), [1, 1, 0])
        write(2)
        connection.close()
        self.assertEqual(numbers(), [3, 3, 0])
        connection = sqlite3.connect(self.database, isolation_level=None)
        write(3)
        self.assertEqual(numbers(), [6, 6, 0])
        connection.execute("PRAGMA journal_mode=DELETE")
        self.assertEqual(numbers(), [6, 6, 1])  # what was committed since the change can't be known
        write(4)
        self.assertEqual(numbers(), [10, 10, 1])
        connection.execute("PRAGMA journal_mode=WAL")
        write(5)
        self.assertEqual(numbers(), [15, 15, 1])
        connection.close()
        exporter = self.start(f"--block.dir={self.blocks}", f"--store=s={self.database}")
        self.assertEqual(numbers(), [0, 0, 0])  # a restart: nothing of what was before
        block.close()

    def test_a_transaction_that_is_left_open_is_timed_and_its_process_named(self):
        connection = self.open_database()
        exporter = self.start(f"--block.dir={self.blocks}", f"--store=s={self.database}")

        def seconds():
            return float(re.search(r'^checkpoint_wal_oldest_reader_seconds\{database="s"\} (\S+)$',
                                   exporter.get("/metrics")[2], re.M)[1])

        reader = sqlite3.connect(self.database, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM t").fetchall()
        self.assertEqual(seconds(), 0)
        connection.execute("INSERT INTO t VALUES (1)")
        self.assertEqual(seconds(), 0)  # begins now
        self.assertGreater(seconds(), 0)
        # What such a transaction makes of its first write.
        with self.assertRaisesRegex(sqlite3.OperationalError, "locked"):
            reader.execute("INSERT INTO t VALUES (2)")
        command = pathlib.Path("/proc/self/comm").read_text().strip()
        self.assertIn(f"process {os.getpid()} ({command}) has read from an old snapshot for 0 s", exporter.get("/")[2])
        reader.execute("ROLLBACK")
        self.assertEqual(seconds(), 0)
        self.assertNotIn("old snapshot", exporter.get("/")[2])
        reader.close()
        connection.close()

    def test_a_reader_that_locks_an_open_file_is_timed_and_not_named(self):
        connection = self.open_database()
        connection.execute("SELECT * FROM t").fetchall()  # leaves its read mark, the first
        exporter = self.start(f"--block.dir={self.blocks}", f"--store=s={self.database}")
        # As ncruces/go-sqlite3 locks. The descriptor stays open: closing it would end SQLite's own locks in this process.
        shm = os.open(f"{self.database}-shm", os.O_RDWR)
        read_mark_1 = struct.pack("hhqqi4x", fcntl.F_RDLCK, os.SEEK_SET, 124, 1, 0)
        fcntl.fcntl(shm, fcntl.F_OFD_SETLK, read_mark_1)
        connection.execute("INSERT INTO t VALUES (1)")
        exporter.get("/metrics")  # begins now
        self.assertIn("a process that the kernel does not name has read from an old snapshot", exporter.get("/")[2])
        connection.close()
        os.close(shm)

    def test_a_held_database_whose_log_is_not_here_is_a_reason(self):
        removed = {"shm": ["-shm"], "wal": ["-wal"], "both": ["-wal", "-shm"]}
        for name, ends in removed.items():
            with self.subTest(name):
                self.database = self.folder / f"{name}.db"
                connection = self.open_database()
                exporter = self.start(f"--block.dir={self.blocks}", f"--store=s={self.database}")
                self.assertNotIn("held_without_log", exporter.reasons())
                for end in ends:
                    pathlib.Path(f"{self.database}{end}").unlink()
                for _ in range(2):
                    self.assertNotIn("held_without_log", exporter.reasons())  # a slow disk may look so
                self.assertIn("held_without_log", exporter.reasons())
                connection.close()
        # A hard link, as a single-file mount: the log lies beside the other name.
        self.database = self.folder / "linked.db"
        connection = self.open_database()
        (self.folder / "there").mkdir()
        os.link(self.database, self.folder / "there" / "linked.db")
        exporter = self.start(f"--block.dir={self.blocks}", f"--store=s={self.folder / 'there' / 'linked.db'}")
        for _ in range(2):
            self.assertNotIn("held_without_log", exporter.reasons())
        self.assertIn("held_without_log", exporter.reasons())
        connection.close()
        self.assertNotIn("held_without_log", exporter.reasons())

    def test_a_store_that_is_written_without_counting_says_so_and_a_counted_one_does_not(self):
        connection = self.open_database()
        exporter = self.start(f"--block.dir={self.blocks}", f"--store=s={self.database}")
        self.assertEqual(exporter.reasons(), {"not_counted"})  # open, and nobody counts
        block = exporter_case.CounterBlock(self.blocks, "s", self.database)
        block.record(exporter_case.OK, 1, 1)
        self.assertEqual(exporter.reasons(), set())
        block.close()
        self.assertEqual(exporter.reasons(), set())
        for _ in range(3):
            connection.execute("INSERT INTO t VALUES (2)")
        self.assertEqual(exporter.reasons(), {"not_counted"})
        connection.close()

    def test_a_short_lock_of_another_program_does_not_make_a_store_uncounted_whose_writers_have_ended(self):
        connection = self.open_database("DELETE")
        block = exporter_case.CounterBlock(self.blocks, "s", self.database)
        block.record(exporter_case.OK, 1, 1)
        block.close()
        exporter = self.start(f"--block.dir={self.blocks}", f"--store=s={self.database}")
        self.assertEqual(exporter.reasons(), set())
        connection.execute("BEGIN EXCLUSIVE")  # as VACUUM, for less than 30 s
        self.assertEqual(exporter.reasons(), set())

    def test_the_backlog_of_the_log_is_shown(self):
        connection = self.open_database()
        exporter = self.start(f"--block.dir={self.blocks}", f"--store=s={self.database}")
        reader = sqlite3.connect(self.database, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM t").fetchone()

        def gauges():
            text = exporter.get("/metrics")[2]
            return [int(re.search(rf'^checkpoint_wal_{name}{{database="s"}} (\d+)$', text, re.M)[1])
                    for name in ("frames", "backfilled_frames", "size_bytes")]

        for _ in range(50):
            connection.execute("INSERT INTO t VALUES (zeroblob(5000))")
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        frames, backfilled, size = gauges()
        self.assertGreater(frames, backfilled + 90)
        self.assertGreater(size, 90 * 4096)
        reader.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        frames, backfilled, _ = gauges()
        self.assertEqual(frames, backfilled)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.assertEqual(gauges(), [0, 0, 0])
        connection.close()
        reader.close()


if __name__ == "__main__":
    exporter_case.main()
