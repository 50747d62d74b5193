"""Scrapes while other clients connect, send or read slowly, or not at all."""

import os
import pathlib
import resource
import socket
import sqlite3
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import exporter_case  # noqa: E402  (the path above)


class SlowClients:
    def slow_clients(self, exporter, count, data):
        clients = []
        for _ in range(count):
            client = socket.create_connection(("127.0.0.1", exporter.port), timeout=10)
            self.addCleanup(client.close)
            client.sendall(data)
            clients.append(client)
        return clients

    def assert_scrapes_go_on(self, exporter):
        for _ in range(5):
            start = time.monotonic()
            self.assertEqual(exporter.get("/metrics")[0], 200)
            self.assertLess(time.monotonic() - start, exporter_case.WAITED_SECONDS)


class OfOneExporter(SlowClients, exporter_case.SharedExporterCase):
    def test_idle_clients_and_those_that_never_finish_do_not_stop_scrapes(self):
        self.slow_clients(self.exporter, 10, b"")
        self.slow_clients(self.exporter, 10, b"GET /metrics HTTP/1.1\r\nHost: a\r\n")
        self.slow_clients(self.exporter, 10, b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nx")
        self.assert_scrapes_go_on(self.exporter)

    def test_clients_that_do_not_read_their_answer_do_not_stop_scrapes(self):
        self.slow_clients(self.exporter, 30, b"GET /metrics HTTP/1.1\r\n\r\n")
        self.assert_scrapes_go_on(self.exporter)

    def test_hundreds_of_clients_that_send_slowly_do_not_stop_scrapes(self):
        self.slow_clients(self.exporter, 400, b"GET /metrics HTTP/1.1\r\nHost: a\r\n")
        self.assert_scrapes_go_on(self.exporter)

    def test_a_thousand_clients_that_only_connect_take_no_thread(self):
        self.slow_clients(self.exporter, 1000, b"")
        before = len(os.listdir(f"/proc/{self.exporter.popen.pid}/fd"))
        self.assert_scrapes_go_on(self.exporter)
        self.assertLess(before, 100)


class OfItsOwn(SlowClients, exporter_case.ExporterCase):
    def test_a_fleet_of_stores_does_not_keep_slow_clients_from_being_hung_up_on(self):
        stores = 400  # of each, the exporter has the wal-index open
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
        for store in range(stores):
            self.database = self.folder / f"s{store}.db"
            connection = sqlite3.connect(self.database, isolation_level=None)
            self.addCleanup(connection.close)
            connection.executescript("PRAGMA synchronous=OFF; PRAGMA journal_mode=WAL; CREATE TABLE t(x)")
        exporter = self.start(f"--block.dir={self.blocks}",
                              *(f"--store=s{store}={self.folder}/s{store}.db" for store in range(stores)))
        self.assertEqual(exporter.get("/metrics")[0], 200)
        self.assertGreater(len(os.listdir(f"/proc/{exporter.popen.pid}/fd")), stores)
        self.slow_clients(exporter, 400, b"GET /metrics HTTP/1.1\r\nHost: a\r\n")
        self.assert_scrapes_go_on(exporter)

    def test_slow_readers_share_pages_and_are_gone_when_the_exporter_ends(self):
        exporter = self.start(f"--block.dir={self.blocks}", "--store.shared-id=" + "x" * 1000,
                              *(f"--store=s{number}=/nowhere" for number in range(3000)))
        self.assertGreater(len(exporter.get("/metrics")[2]), 3_000_000)
        exporter.get("/metrics")
        quiet_kib = exporter.memory_kib("VmHWM")
        readers = []
        for _ in range(20):
            reader = socket.socket()
            self.addCleanup(reader.close)
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.connect(("127.0.0.1", exporter.port))
            reader.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
            reader.settimeout(20)
            self.assertTrue(reader.recv(1))  # each one's page is made
            readers.append(reader)
        self.assertEqual(exporter.get("/metrics")[0], 200)
        self.assertLess(exporter.memory_kib("VmHWM"), 2 * quiet_kib)  # 21 pages of 3 MB would be more
        start = time.monotonic()
        exporter.popen.terminate()
        self.assertEqual(exporter.popen.wait(10), 0)
        self.assertLess(time.monotonic() - start, exporter_case.WAITED_SECONDS)


if __name__ == "__main__":
    exporter_case.main()
