"""Prometheus' scrapes of the real exporter while others attack it: their time, the exporter's memory, and its end.

With OUTGROWN_SOAK in the environment: the numbers of docs/trust.md,
the bounds of a machine that does nothing else, and the figures, one line for each attack.
"""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import sqlite3
import statistics
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import exporter_case  # noqa: E402  (the path above)
import servers  # noqa: E402

LONG = bool(os.environ.get("OUTGROWN_SOAK"))
STORES = 1000
SECONDS = 20 if LONG else 1
PATIENCE = 1 if LONG else servers.PATIENCE
SCRAPE_SECONDS, END_SECONDS = 1 * PATIENCE, 2 * PATIENCE
MEMORY_TIMES = 1.5


class Scrape:
    """One scrape on a connection of its own, as Prometheus makes it: its time, and whether it is whole."""

    def __init__(self, port, buffer_bytes=None, pause_seconds=0.0, at_first_byte=None):
        start = time.monotonic()
        received = b""
        with contextlib.closing(socket.socket()) as client:
            if buffer_bytes:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
            client.settimeout(10)
            try:
                client.connect(("127.0.0.1", port))
                client.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
                while chunk := client.recv(1 << 18):
                    if not received and at_first_byte:
                        at_first_byte()
                    if not received and pause_seconds:
                        time.sleep(pause_seconds)  # a slow network's, not for anybody else to come
                    received += chunk
                self.problem = ""
            except OSError as error:
                self.problem = repr(error)
        self.seconds = time.monotonic() - start
        header, _, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", header)
        if not self.problem and not (header.startswith(b"HTTP/1.1 200") and int(length[1]) == len(body)):
            self.problem = f"{len(body)} bytes after {header[:200]}"


class Attack(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="outgrown-attack-test."))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.blocks = cls.folder / "blocks"
        cls.blocks.mkdir(mode=0o700)
        first = cls.folder / "s0.db"
        with contextlib.closing(sqlite3.connect(first)) as connection:
            connection.executescript("PRAGMA journal_mode=WAL; CREATE TABLE t(x)")
        for number in range(STORES):
            database = cls.folder / f"s{number}.db"
            if number:
                shutil.copy(first, database)
            block = exporter_case.CounterBlock(cls.blocks, f"s{number}", database)
            block.record(exporter_case.OK, 4096, 1_000_000)
            block.close()

    def setUp(self):
        self.stack = servers.Stack()
        self.addCleanup(self.stack.close)
        self.exporter = self.stack.start(exporter_case.Exporter(self.folder, f"--block.dir={self.blocks}"))

    @contextlib.contextmanager
    def attackers(self, kind, count):
        (self.folder / "attackers.log").unlink(missing_ok=True)  # an earlier one's, which says that all have come
        program = self.stack.start(servers.Process("attackers", [
            sys.executable, pathlib.Path(__file__).with_name("attackers.py"), kind, count, self.exporter.port], self.folder))
        yield program
        program.stop()
        longest, connections = program.log.read_text().split()[-2:]
        self.longest_seconds, self.connections = float(longest), int(connections)

    def check(self, kind, count):
        quiet = [Scrape(self.exporter.port) for _ in range(10)]
        self.assertEqual([scrape.problem for scrape in quiet if scrape.problem], [])
        quiet_kib = self.exporter.memory_kib("VmHWM")
        attacked = []
        with self.attackers(kind, count) as program:
            # Until all have come, which beside other tests may take longer; for their number at the end they have a minute.
            start = time.monotonic()
            while (passed := time.monotonic() - start) < SECONDS or (passed < 60 and not program.log.read_text()):
                attacked.append(Scrape(self.exporter.port))
                time.sleep(0.1)
        peak_kib = self.exporter.memory_kib("VmHWM")
        connections, longest_seconds = self.connections, self.longest_seconds
        self.assertEqual(Scrape(self.exporter.port).problem, "")  # the next one, when the last of them has been hung up on
        after_kib = self.exporter.memory_kib("VmRSS")
        with self.attackers(kind, count) as program:
            servers.wait_for("all attackers", program.log.read_text, alive=[program])
            servers.wait_for("a scrape in the attack", lambda: not Scrape(self.exporter.port).problem, alive=[])
            start = time.monotonic()
            self.exporter.popen.terminate()
            self.assertEqual(self.exporter.popen.wait(30), 0)
            end_seconds = time.monotonic() - start
            self.assertFalse(program.ended())
        times = [scrape.seconds for scrape in attacked]
        if LONG:
            print(f"{count} {kind}: scrape {statistics.median(s.seconds for s in quiet):.3f} s quiet, attacked median "
                  f"{statistics.median(times):.3f} s, max {max(times):.3f} s; memory {quiet_kib >> 10} MiB quiet, peak "
                  f"{peak_kib >> 10} MiB, then {after_kib >> 10} MiB; SIGTERM {end_seconds:.2f} s; "
                  f"{connections} connections, {longest_seconds:.1f} s the longest", file=sys.stderr, flush=True)
        self.assertGreaterEqual(connections, count)
        self.assertEqual([scrape.problem for scrape in attacked if scrape.problem], [])
        self.assertLess(max(times), SCRAPE_SECONDS)
        self.assertLess(peak_kib, MEMORY_TIMES * quiet_kib)
        self.assertLess(after_kib, quiet_kib)
        self.assertLess(end_seconds, END_SECONDS)
        return connections, longest_seconds

    def test_slow_senders(self):
        self.check("slow_senders", 400)

    def test_idle_connections(self):
        self.check("idle", 10_000 if LONG else 2000)

    def test_connections_that_are_idle_from_the_first_byte_on(self):
        self.check("begun", 10_000 if LONG else 2000)

    def test_new_connections(self):
        self.check("connects", 1000)

    def test_slow_readers(self):
        connections, _ = self.check("slow_readers", 40)
        if LONG:  # they were hung up on, and knew it at once
            self.assertGreater(connections, 2 * 40)

    def test_readers_that_make_a_little_progress_all_the_time(self):
        connections, longest_seconds = self.check("steady_readers", 40)
        if LONG:
            self.assertGreater(connections, 40)
            self.assertLess(longest_seconds, 11)  # the answer's deadline as a whole, and their own turn

    def start_large(self):
        """With a page of 6 MB, more than a socket's buffer takes at once."""
        self.stack.close()
        self.exporter = self.stack.start(exporter_case.Exporter(
            self.folder, "--store.shared-id=" + "x" * 100_000, *(f"--store=s{number}=/nowhere" for number in range(60)),
            f"--block.dir={self.folder}"))

    def test_no_answer_is_cut_short_for_slow_senders(self):
        """Over a network that takes half a second for it."""
        self.start_large()
        with self.attackers("slow_senders", 400):
            scrapes = [Scrape(self.exporter.port, buffer_bytes=65536, pause_seconds=0.5) for _ in range(20 if LONG else 3)]
        self.assertEqual([scrape.problem for scrape in scrapes if scrape.problem], [])

    def test_an_answer_that_needs_another_second_is_completed_after_a_sigterm(self):
        for _ in range(10):
            self.start_large()
            scrape = Scrape(self.exporter.port, 65536, 1.05, at_first_byte=self.exporter.popen.terminate)
            self.exporter.popen.wait(10)
            if scrape.seconds < 1.5:  # for so long answers are waited for; else this machine was too busy
                self.assertEqual(scrape.problem, "")
                return
        self.fail("no answer was read in time")


if __name__ == "__main__":
    exporter_case.main()
