"""The real outgrown-exporter on a free port: pages, methods, hostile and slow clients, signals, system calls.

Usage: exporter_test.py BUILD_DIR [unittest's arguments]; with --update in front of those, the golden scrape is written
anew and its test reports skipped.
"""

import contextlib
import ctypes
import http.client
import json
import os
import pathlib
import re
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "test" / "support"))
import servers  # noqa: E402  (the path above)

GOLDEN = SOURCE / "test" / "golden" / "exporter"
BUILD = pathlib.Path()
UPDATE = False
PYTHON = "/usr/bin/python3"  # Debian's: its sqlite3 can load extensions, which another one's often can't


class Exporter(servers.Process):
    """outgrown-exporter on a port that the system chose; the log says which."""

    def __init__(self, folder, *arguments, wrapper=()):
        (folder / "exporter.log").unlink(missing_ok=True)  # an earlier one's, with another address
        super().__init__("exporter", [*wrapper, BUILD / "exporter" / "outgrown-exporter",
                                      "--web.listen-address=127.0.0.1:0", *arguments], folder)
        try:
            found = servers.wait_for("the exporter's address", lambda: re.search(
                r'msg=Listening address=127\.0\.0\.1:(\d+)', self.log.read_text()), alive=[self])
        except servers.NotReady:
            self.stop()
            raise
        self.port = int(found[1])

    def request(self, method, path, body=None, headers=None):
        """Status, headers and body of one request on a connection of its own."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()

    def get(self, path):
        return self.request("GET", path)

    def raw(self, data):
        """Whatever comes back for these bytes until the exporter closes."""
        with contextlib.closing(socket.create_connection(("127.0.0.1", self.port), timeout=10)) as connection:
            connection.sendall(data)
            received = b""
            with contextlib.suppress(ConnectionResetError):
                while chunk := connection.recv(65536):
                    received += chunk
            return received


class CounterBlock:
    """A store's counter block, written through the C API of the library that was built."""

    class Options(ctypes.Structure):
        _fields_ = [("size", ctypes.c_size_t), ("directory", ctypes.c_char_p), ("application", ctypes.c_char_p),
                    ("database", ctypes.c_char_p), ("slots", ctypes.c_uint32), ("log", ctypes.c_void_p),
                    ("log_context", ctypes.c_void_p)]

    def __init__(self, directory, name, database):
        self.library = ctypes.CDLL(str(BUILD / "counterblock" / "liboutgrown.so"))
        self.library.outgrown_open.restype = ctypes.c_void_p
        self.library.outgrown_error.restype = ctypes.c_char_p
        options = self.Options(ctypes.sizeof(self.Options), str(directory).encode(), None, str(database).encode())
        self.store = ctypes.c_void_p(self.library.outgrown_open(name.encode(), ctypes.byref(options)))
        error = self.library.outgrown_error(self.store)
        if error:
            raise RuntimeError(error.decode())

    def record(self, outcome, size_bytes, duration_ns, times=1):
        for _ in range(times):
            self.library.outgrown_record(self.store, ctypes.c_int(outcome), ctypes.c_uint64(size_bytes),
                                         ctypes.c_uint64(duration_ns))

    def close(self):
        self.library.outgrown_close(self.store)


OK, BUSY, CONSTRAINT = 0, 1, 5


def newest(log, sequence, *decisions, digest="0d" * 32):
    """Writes the file of the newest decisions about stores that rulegen --evaluate keeps beside a log."""
    log.with_suffix(".newest.json").write_text(json.dumps({
        "schema": 1, "log": log.name, "sequence": sequence, "hash": "6e0345f6564111820882e1f8ef564f9ccff8fa653b199b80dc1d367603fdd683",
        "decisions": [{"spec": "checkpoint", "labels": labels, "digest": digest, "verdict": verdict,
                       "time_ms": 1795473190500} for labels, verdict in decisions]}))


class InFolder(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="outgrown-exporter-test."))
        self.addCleanup(shutil.rmtree, self.folder)
        self.blocks = self.folder / "blocks"
        self.blocks.mkdir(mode=0o700)
        self.database = self.folder / "checkpoints.db"
        self.stack = servers.Stack()
        self.addCleanup(self.stack.close)

    def start(self, *arguments, **options):
        return self.stack.start(Exporter(self.folder, *arguments, **options))

    def open_database(self, journal_mode="WAL"):
        """A connection that stays open; with it the database has a table and three rows: four commits."""
        connection = sqlite3.connect(self.database, isolation_level=None, check_same_thread=False)
        self.addCleanup(connection.close)
        connection.execute(f"PRAGMA journal_mode={journal_mode}")
        connection.execute("CREATE TABLE t(x)")
        for _ in range(3):
            connection.execute("INSERT INTO t VALUES (1)")
        return connection


class Pages(InFolder):
    def test_each_page_answers_get_and_head(self):
        exporter = self.start(f"--block.dir={self.blocks}")
        pages = {"/metrics": "text/plain; version=0.0.4; charset=utf-8", "/": "text/html; charset=utf-8",
                 "/-/healthy": "text/plain; charset=utf-8", "/-/ready": "text/plain; charset=utf-8"}
        for path, content_type in pages.items():
            with self.subTest(path):
                status, headers, body = exporter.get(path)
                self.assertEqual(status, 200)
                self.assertEqual(headers["Content-Type"], content_type)
                self.assertEqual(int(headers["Content-Length"]), len(body.encode()))
                self.assertEqual(headers["Connection"], "close")
                status, headers, body = exporter.request("HEAD", path)
                self.assertEqual((status, body), (200, ""))
                self.assertEqual(headers["Content-Type"], content_type)
                self.assertGreater(int(headers["Content-Length"]), 0)
                self.assertEqual(exporter.get(path + "?a=b")[0], 200)

    def test_the_landing_page_needs_nothing_from_elsewhere(self):
        exporter = self.start(f"--block.dir={self.blocks}", "--web.telemetry-path=/m")
        _, headers, body = exporter.get("/")
        self.assertNotRegex(body, r'(?i)<script|https?://|src=|url\(|@import')
        self.assertIn('href="/m"', body)
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
        self.assertEqual(exporter.get("/m")[0], 200)
        self.assertEqual(exporter.get("/metrics")[0], 404)

    def test_nothing_but_its_own_pages(self):
        exporter = self.start(f"--block.dir={self.blocks}")
        for path in ("/etc/passwd", "/../../../../etc/passwd", "/metrics/", "/metrics/..", "/x/../metrics", "/%6detrics",
                     "//metrics", "/-/", "/-/quit", "/favicon.ico", "/index.html", "/metrics%00", "/.."):
            with self.subTest(path):
                self.assertEqual(exporter.get(path)[0], 404)

    def test_only_get_and_head(self):
        exporter = self.start(f"--block.dir={self.blocks}")
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "TRACE", "CONNECT"):
            with self.subTest(method):
                answer = exporter.raw(f"{method} /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".encode())
                self.assertRegex(answer, rb"^HTTP/1\.1 40[05] ")
        status, headers, _ = exporter.request("POST", "/metrics", body="x" * 100)
        self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))

    def test_requests_that_are_none_get_4xx_or_5xx_and_leave_the_exporter_well(self):
        exporter = self.start(f"--block.dir={self.blocks}")
        requests = [b"\r\n\r\n", b"GET\r\n\r\n", b"GET /metrics\r\n\r\n", b"GET /metrics HTTP/9.9\r\n\r\n",
                    b"NONSENSE /metrics HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
                    b"GET /metrics HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
                    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
                    b"GET /metrics HTTP/1.1\r\n" + b"X: a\r\n" * 10_000 + b"\r\n",
                    b"GET /metrics HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                    b"GET /metrics HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
                    b"POST /metrics HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n"]
        for request in requests:
            with self.subTest(request[:40]):
                with contextlib.suppress(BrokenPipeError):
                    answer = exporter.raw(request)
                    self.assertRegex(answer, rb"^(HTTP/1\.1 [45]\d\d |$)")
        self.assertEqual(exporter.get("/-/healthy")[0], 200)


class CommandLine(InFolder):
    def run_exporter(self, *arguments):
        return subprocess.run([BUILD / "exporter" / "outgrown-exporter", *arguments], capture_output=True, text=True,
                              timeout=20, check=False)

    def test_an_address_that_is_taken_is_a_clear_error(self):
        exporter = self.start(f"--block.dir={self.blocks}")
        ended = self.run_exporter(f"--web.listen-address=127.0.0.1:{exporter.port}")
        self.assertEqual(ended.returncode, 1)
        self.assertIn(f"127.0.0.1:{exporter.port}", ended.stderr)
        self.assertIn("Address already in use", ended.stderr)

    def test_a_wrong_option_is_status_2_and_a_wrong_spec_status_3(self):
        self.assertEqual(self.run_exporter("--nonsense").returncode, 2)
        spec = self.folder / "bad.toml"
        spec.write_text("schema = 1\nnonsense = 2\n")
        ended = self.run_exporter(f"--spec={spec}")
        self.assertEqual(ended.returncode, 3)
        self.assertIn(f"{spec}:2:1: nonsense", ended.stderr)
        self.assertEqual(self.run_exporter("--spec=/nowhere/a.toml").returncode, 1)

    def test_manual_and_documentation_know_every_option_and_every_reason(self):
        options = set(re.findall(r"^  (?:-h,)?(--[\w.-]+)", self.run_exporter("--help").stdout, re.M))
        self.assertGreater(len(options), 10)
        documentation = (SOURCE / "docs" / "exporter.md").read_text()
        manual = (SOURCE / "exporter" / "outgrown-exporter.8").read_text()
        self.assertEqual({name for name in options if f"`{name}" not in documentation}, set())
        self.assertEqual({name for name in options if f"Fl {name[1:]}" not in manual}, set())
        reasons = set(re.findall(r'return \{"(\w+)"', (SOURCE / "exporter" / "sqlite" / "problem.cc").read_text()))
        self.assertGreater(len(reasons), 10)
        self.assertEqual({name for name in reasons - {"unknown"} if f"`{name}`" not in documentation}, set())

    def test_logs_are_json_if_asked_for(self):
        process = servers.Process("exporter", [BUILD / "exporter" / "outgrown-exporter", "--log.format=json",
                                               "--web.listen-address=127.0.0.1:0"], self.folder)
        self.stack.start(process)
        servers.wait_for("a JSON line", lambda: '"msg":"Listening"' in process.log.read_text(), alive=[process])
        for line in process.log.read_text().splitlines():
            self.assertIn("level", json.loads(line))


class WebConfig(InFolder):
    # Of s3cret, with the lowest cost.
    HASH = "$2b$04$4NvtftzuXZkHD0z.Sj1VQen7Sdok/MkdrKFEmB7ZoPQ5CUp0kRiIm"

    def setUp(self):
        super().setUp()
        self.config = self.folder / "web.yml"

    def test_every_page_needs_the_login_and_prometheus_has_it(self):
        self.config.write_text(f"basic_auth_users:\n  prometheus: {self.HASH}\n")
        exporter = self.start(f"--block.dir={self.blocks}", f"--web.config.file={self.config}")
        right = {"Authorization": "Basic cHJvbWV0aGV1czpzM2NyZXQ="}
        for path, status in [("/", 200), ("/metrics", 200), ("/-/healthy", 200), ("/-/ready", 200), ("/none", 404)]:
            for method in ("GET", "HEAD"):
                self.assertEqual(exporter.request(method, path, headers=right)[0], status, path)
                for headers in ({}, {"Authorization": "Basic cHJvbWV0aGV1czpzM2NyZXU="}):
                    answer = exporter.request(method, path, headers=headers)
                    self.assertEqual(answer[0], 401, path)
                    self.assertTrue(answer[1]["WWW-Authenticate"].startswith("Basic realm="))
                    self.assertNotIn("checkpoint_", answer[2])
        self.assertEqual(exporter.request("POST", "/metrics")[0], 401)
        self.assertEqual(exporter.request("POST", "/metrics", headers=right)[0], 405)

        config = json.loads(servers.prometheus_config({}, [], None, "1s"))
        config["scrape_configs"] = [
            {"job_name": name, "basic_auth": {"username": "prometheus", "password": password},
             "static_configs": [{"targets": [f"127.0.0.1:{exporter.port}"]}]} for name, password in [("right", "s3cret"), ("wrong", "secret")]]
        prometheus = self.stack.start(servers.prometheus(self.folder, {}, config=json.dumps(config)))
        servers.wait_for("both scrapes", lambda: {series["metric"]["job"]: series["value"][1] for series in servers.query(prometheus.url, "up")}
                         == {"right": "1", "wrong": "0"})

    def test_what_it_cannot_do_keeps_it_from_starting(self):
        for text, said in [("tls_server_config:\n  cert_file: a\n", "web.yml:1: found tls_server_config"),
                           ("basic_auth_users:\n  a: b\n", "web.yml:2: found no bcrypt hash for a")]:
            self.config.write_text(text)
            ended = CommandLine.run_exporter(self, "--web.listen-address=127.0.0.1:0", f"--web.config.file={self.config}")
            self.assertEqual(ended.returncode, 1)
            self.assertIn(f"--web.config.file: {self.folder}/{said}", ended.stderr)
        ended = CommandLine.run_exporter(self, "--web.listen-address=127.0.0.1:0", "--web.config.file=/nowhere/web.yml")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("/nowhere/web.yml: cannot open: No such file", ended.stderr)


class Ipv6(InFolder):
    """Where civetweb can (Debian 13's); elsewhere it is refused."""

    def test_it_listens_serves_many_and_ends(self):
        process = servers.Process("exporter", [BUILD / "exporter" / "outgrown-exporter", "--web.listen-address=[::1]:0",
                                               f"--block.dir={self.blocks}"], self.folder)
        self.stack.start(process)
        servers.wait_for("an end or an address", lambda: process.popen.poll() is not None or "Listening" in process.log.read_text())
        log = process.log.read_text()
        if "Listening" not in log:
            self.assertEqual(process.popen.wait(), 2)
            self.assertIn("IPv6 is not supported by this civetweb", log)
            self.skipTest("this civetweb has no IPv6")
        port = int(re.search(r"msg=Listening address=\[::1\]:(\d+)", log)[1])
        with contextlib.ExitStack() as stack:
            for _ in range(200):  # more than there are threads; none of them ends its request
                stack.enter_context(socket.create_connection(("::1", port), timeout=10)).sendall(b"GET /metrics HTTP/1.1\r\nX: ")
            with contextlib.closing(http.client.HTTPConnection("::1", port, timeout=10)) as connection:
                connection.request("GET", "/metrics")
                answer = connection.getresponse()
                self.assertEqual(answer.status, 200)
                self.assertIn(b"checkpoint_exporter_build_info", answer.read())
            process.popen.terminate()
            self.assertEqual(process.popen.wait(10), 0)


class Scrape(InFolder):
    def test_the_scrape_is_the_golden_one_and_promtool_accepts_it(self):
        block = CounterBlock(self.blocks, "checkpoints", self.database)
        block.record(OK, 1000, 2_000_000, times=97)
        block.record(BUSY, 0, 5_000_000_000, times=2)
        block.record(CONSTRAINT, 0, 100_000)
        self.open_database()
        (self.blocks / "later.v2.counters").write_bytes(b"a later major")
        log = self.folder / "decisions.jsonl"
        newest(log, 1, ({"database": "checkpoints", "job": "outgrown"}, "migrate_now"), digest="0d0d")
        exporter = self.start(f"--block.dir={self.blocks}", f"--spec={GOLDEN / 'spec.toml'}", "--store=gone=/nowhere/a.db",
                              "--deployment.servers=2", "--store.shared-id=eu \"1\"", f"--decision.log={log}")
        block.close()
        text = exporter.get("/metrics")[2]
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, "", ""))

        # A series that no scrape ever shows is one that a rule or an alert waits for in vain.
        catalog = re.findall(r'Metric\{"(\w+)"', (SOURCE / "thresholds" / "catalog.cc").read_text())
        self.assertGreater(len(catalog), 40)
        self.assertEqual(set(re.findall(r"^# TYPE (\S+)", text, re.M)), set(catalog))

        # What differs from run to run, and from machine to machine.
        stable = re.sub(r'^((?:process_\w+|checkpoint_block_created_timestamp_seconds|checkpoint_last_write_timestamp_seconds|checkpoint_file_modified_timestamp_seconds|checkpoint_collector_duration_seconds|checkpoint_wal_size_bytes)(?:\{.*\})?) .*$',
                        r'\1 VALUE', text, flags=re.M)
        stable = re.sub(r'(build_info)\{.*\}', r'\1{version="VERSION",compiler="COMPILER"}', stable)
        stable = re.sub(r'digest="[0-9a-f]{64}"', 'digest="DIGEST"', stable)
        golden = GOLDEN / "scrape.txt"
        if UPDATE:
            golden.write_text(stable)
            self.skipTest(f"{golden} was written")
        self.assertMultiLineEqual(stable, golden.read_text())

    def test_the_last_decision_about_each_of_a_fleets_stores_is_shown_in_little_memory(self):
        log, stores = self.folder / "decisions.jsonl", 10_000
        newest(log, 2 * stores + 1, *(
            ({"job": "outgrown", "instance": f"app-{store}:9108", "database": "checkpoints"},
             "migrate_now" if store == 7 else "sufficient") for store in range(stores)))
        exporter = self.start(f"--block.dir={self.blocks}", f"--decision.log={log}")
        for _ in range(40):  # each worker thread has its turn
            text = exporter.get("/metrics")[2]
        verdicts = re.findall(r'^checkpoint_decision_verdict\{.*subject="(.*)",verdict="(\w+)"\} 1$', text, re.M)
        self.assertEqual(len(verdicts), stores)
        self.assertEqual([subject for subject, verdict in verdicts if verdict != "sufficient"],
                         ["database=checkpoints,instance=app-7:9108,job=outgrown"])
        self.assertIn(f"checkpoint_decision_log_records_total {2 * stores + 1}", text)
        resident = re.search(r"^process_resident_memory_bytes (\S+)$", text, re.M)[1]
        self.assertLess(float(resident), 64 * 2**20)

    def test_every_metric_of_the_catalog_that_a_scrape_shows_has_its_help(self):
        exporter = self.start(f"--block.dir={self.blocks}")
        text = exporter.get("/metrics")[2]
        families = re.findall(r"^# HELP (\S+) (.+)$", text, re.M)
        self.assertGreater(len(families), 8)
        self.assertEqual(len(families), len(re.findall(r"^# TYPE ", text, re.M)))

    def test_stores_appear_and_go_without_a_restart(self):
        exporter = self.start(f"--block.dir={self.blocks}")
        self.assertNotIn("checkpoint_block_up{", exporter.get("/metrics")[2])
        CounterBlock(self.blocks, "checkpoints", self.database).close()
        self.assertIn('checkpoint_block_up{database="checkpoints"} 1', exporter.get("/metrics")[2])
        (self.blocks / "checkpoints.v1.counters").unlink()
        self.assertNotIn("checkpoint_block_up{", exporter.get("/metrics")[2])

    def test_the_commit_counter_follows_a_live_application_through_closing_and_a_change_of_mode(self):
        connection = self.open_database()
        block = CounterBlock(self.blocks, "s", self.database)
        block.record(OK, 1, 1, times=7)
        exporter = self.start(f"--block.dir={self.blocks}", f"--store=s={self.database}")

        def numbers():
            text = exporter.get("/metrics")[2]
            return [int(re.search(rf'^checkpoint_{name}_total{{database="s"}} (\d+)$', text, re.M)[1])
                    for name in ("store_commits", "counted_commits", "store_commits_missed")]

        def write(count):
            for _ in range(count):
                connection.execute("INSERT INTO t VALUES (2)")
                block.record(OK, 1, 1)

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

    def reasons(self, exporter):
        return set(re.findall(r'^checkpoint_measurement_problem_info\{database="s",reason="(\w+)"\} 1$',
                              exporter.get("/metrics")[2], re.M))

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

    def test_who_holds_the_write_lock_for_long_is_named(self):
        self.blocks.chmod(0o700)
        write = self.start_application(self.folder / "s.db")
        exporter = self.start(f"--block.dir={self.blocks}")
        self.assertNotIn("Write lock:", exporter.get("/")[2])
        write("hold")
        servers.wait_for("the hold", lambda: re.search(
            r"<b>Write lock:</b> process \d+ \(python3\) has held it for \d+ s", exporter.get("/")[2]))
        self.assertRegex(exporter.get("/metrics")[2], r'checkpoint_write_lock_held_now_seconds{database="s"} [1-9]')
        write("release")
        self.assertNotIn("Write lock:", exporter.get("/")[2])

    def test_a_held_database_whose_log_is_not_here_is_a_reason(self):
        removed = {"shm": ["-shm"], "wal": ["-wal"], "both": ["-wal", "-shm"]}
        for name, ends in removed.items():
            with self.subTest(name):
                self.database = self.folder / f"{name}.db"
                connection = self.open_database()
                exporter = self.start(f"--block.dir={self.blocks}", f"--store=s={self.database}")
                self.assertNotIn("held_without_log", self.reasons(exporter))
                for end in ends:
                    pathlib.Path(f"{self.database}{end}").unlink()
                self.assertIn("held_without_log", self.reasons(exporter))
                connection.close()
        # A hard link, as a single-file mount: the log lies beside the other name.
        self.database = self.folder / "linked.db"
        connection = self.open_database()
        (self.folder / "there").mkdir()
        os.link(self.database, self.folder / "there" / "linked.db")
        exporter = self.start(f"--block.dir={self.blocks}", f"--store=s={self.folder / 'there' / 'linked.db'}")
        self.assertIn("held_without_log", self.reasons(exporter))
        connection.close()
        self.assertNotIn("held_without_log", self.reasons(exporter))

    def test_a_store_that_is_written_without_counting_says_so_and_a_counted_one_does_not(self):
        connection = self.open_database()
        exporter = self.start(f"--block.dir={self.blocks}", f"--store=s={self.database}")
        self.assertEqual(self.reasons(exporter), {"not_counted"})  # open, and nobody counts
        block = CounterBlock(self.blocks, "s", self.database)
        block.record(OK, 1, 1)
        self.assertEqual(self.reasons(exporter), set())
        block.close()
        self.assertEqual(self.reasons(exporter), set())
        for _ in range(3):
            connection.execute("INSERT INTO t VALUES (2)")
        self.assertEqual(self.reasons(exporter), {"not_counted"})
        connection.close()

    def test_a_short_lock_of_another_program_does_not_make_a_store_uncounted_whose_writers_have_ended(self):
        connection = self.open_database("DELETE")
        block = CounterBlock(self.blocks, "s", self.database)
        block.record(OK, 1, 1)
        block.close()
        exporter = self.start(f"--block.dir={self.blocks}", f"--store=s={self.database}")
        self.assertEqual(self.reasons(exporter), set())
        connection.execute("BEGIN EXCLUSIVE")  # as VACUUM, for less than 30 s
        self.assertEqual(self.reasons(exporter), set())

    def start_application(self, path):
        """A process that writes under the observer: so often, or its pool gets a connection or closes its oldest one."""
        able = os.access(PYTHON, os.X_OK) and subprocess.run(
            [PYTHON, "-c", "import sqlite3; sqlite3.Connection.enable_load_extension"],
            stderr=subprocess.DEVNULL, check=False).returncode == 0
        if not able:
            self.skipTest(f"needs {PYTHON} with an sqlite3 that can load extensions")
        program = (
            "import os, sqlite3, sys\n"
            "first = sqlite3.connect(':memory:'); first.enable_load_extension(True); first.load_extension(sys.argv[2])\n"
            "def connect():\n"
            "    c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('PRAGMA journal_mode=WAL')\n"
            "    c.execute('CREATE TABLE IF NOT EXISTS t(x)')\n"
            "    return c\n"
            "pool = [connect()]\n"
            "for line in sys.stdin:\n"
            "    if line == 'connect\\n': pool.append(connect())\n"
            "    elif line == 'close\\n': pool.pop(0).close()\n"
            "    elif line == 'hold\\n': pool[-1].execute('BEGIN IMMEDIATE')\n"
            "    elif line == 'release\\n': pool[-1].execute('COMMIT')\n"
            "    else:\n"
            "        for _ in range(int(line)): pool[-1].execute('INSERT INTO t VALUES (1)')\n"
            "    print('done', flush=True)\n")
        application = subprocess.Popen(
            [PYTHON, "-c", program, path, BUILD / "clients" / "sqlite_observer" / "outgrown_sqlite.so"],
            env=os.environ | {"OUTGROWN_DIR": str(self.blocks)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(application.wait)
        for stream in (application.stdout, application.stdin):
            self.addCleanup(stream.close)

        def write(what):
            application.stdin.write(f"{what}\n")
            application.stdin.flush()
            self.assertEqual(application.stdout.readline(), "done\n")
        write(5)
        return write

    def test_the_file_that_the_application_has_open_is_compared_with_the_one_that_is_read(self):
        self.blocks.chmod(0o700)
        path = self.folder / "s.db"
        write = self.start_application(path)
        exporter = self.start(f"--block.dir={self.blocks}")
        name = re.search(r'checkpoint_block_up\{database="(\w+)"\} 1', exporter.get("/metrics")[2])[1]
        self.assertEqual(name, "s")
        write(5)
        self.assertEqual(self.reasons(exporter), set())
        # A restore: last night's copy is moved over the living file, -wal and -shm are removed.
        copy = sqlite3.connect(self.folder / "copy.db")
        copy.execute("CREATE TABLE t(x)")
        copy.close()
        os.replace(self.folder / "copy.db", path)
        for end in ("-wal", "-shm"):
            pathlib.Path(f"{path}{end}").unlink()
        write(5)
        self.assertLessEqual({"other_file"}, self.reasons(exporter))
        # A pool of connections: a new one opens the new file, and the older one may go on writing to the old one.
        write("connect")
        write(5)
        self.assertLessEqual({"other_file"}, self.reasons(exporter))
        write("close")
        self.assertEqual(self.reasons(exporter), set())
        path.unlink()
        self.assertLessEqual({"unlinked_file"}, self.reasons(exporter))

    def test_one_folder_by_several_names_is_counted_once(self):
        self.blocks.chmod(0o700)
        (self.folder / "link").symlink_to(self.blocks)
        write = self.start_application(self.folder / "s.db")
        names = (self.blocks, f"{self.blocks}/", self.folder / "link", self.blocks / ".." / self.blocks.name)
        exporter = self.start(*(f"--block.dir={name}" for name in names))
        before = int(re.search(r'checkpoint_writes_total{database="s",status="success"} (\d+)', exporter.get("/metrics")[2])[1])
        write(7)
        after = int(re.search(r'checkpoint_writes_total{database="s",status="success"} (\d+)', exporter.get("/metrics")[2])[1])
        self.assertEqual(after - before, 7)

    def test_the_file_of_a_connection_for_each_write_is_compared_too(self):
        self.blocks.chmod(0o700)
        path = self.folder / "s.db"
        write = self.start_application(path)
        exporter = self.start(f"--block.dir={self.blocks}")
        write(5)
        write("close")
        self.assertEqual(self.reasons(exporter), set())
        shutil.copy(path, self.folder / "copy.db")
        os.replace(self.folder / "copy.db", path)
        self.assertEqual(self.reasons(exporter), {"other_file"})
        write("connect")
        write(5)
        write("close")
        self.assertEqual(self.reasons(exporter), set())

    def test_a_refusal_to_count_is_a_reason(self):
        self.blocks.chmod(0o700)
        for release in ("1", "2"):
            (self.folder / release).mkdir()
        write = self.start_application(self.folder / "1" / "s.db")
        exporter = self.start(f"--block.dir={self.blocks}")
        write(5)
        self.assertEqual(self.reasons(exporter), set())
        shutil.copy(self.folder / "1" / "s.db", self.folder / "2" / "s.db")
        write = self.start_application(self.folder / "2" / "s.db")
        write(5)
        self.assertEqual(self.reasons(exporter), {"refused_name_taken"})

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


# Whoever waits for a client that neither sends nor reads waits until civetweb gives that one up, after 5 s.
WAITED_SECONDS = 4


class Hostile(InFolder):
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
            self.assertLess(time.monotonic() - start, WAITED_SECONDS)

    def test_idle_clients_and_those_that_never_finish_do_not_stop_scrapes(self):
        exporter = self.start(f"--block.dir={self.blocks}")
        self.slow_clients(exporter, 10, b"")
        self.slow_clients(exporter, 10, b"GET /metrics HTTP/1.1\r\nHost: a\r\n")
        self.slow_clients(exporter, 10, b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nx")
        self.assert_scrapes_go_on(exporter)

    def test_clients_that_do_not_read_their_answer_do_not_stop_scrapes(self):
        exporter = self.start(f"--block.dir={self.blocks}")
        self.slow_clients(exporter, 30, b"GET /metrics HTTP/1.1\r\n\r\n")
        self.assert_scrapes_go_on(exporter)


    def memory(self, exporter):
        """Resident memory in KiB: now, and at most so far."""
        status = pathlib.Path(f"/proc/{exporter.popen.pid}/status").read_text()
        return [int(re.search(rf"^{name}:\s+(\d+)", status, re.M)[1]) for name in ("VmRSS", "VmHWM")]

    def test_hundreds_of_clients_that_send_slowly_do_not_stop_scrapes(self):
        exporter = self.start(f"--block.dir={self.blocks}")
        self.slow_clients(exporter, 400, b"GET /metrics HTTP/1.1\r\nHost: a\r\n")
        self.assert_scrapes_go_on(exporter)

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

    def test_a_thousand_clients_that_only_connect_take_no_thread(self):
        exporter = self.start(f"--block.dir={self.blocks}")
        self.slow_clients(exporter, 1000, b"")
        before = len(os.listdir(f"/proc/{exporter.popen.pid}/fd"))
        self.assert_scrapes_go_on(exporter)
        self.assertLess(before, 100)

    def test_slow_readers_share_pages_and_are_gone_when_the_exporter_ends(self):
        exporter = self.start(f"--block.dir={self.blocks}", "--store.shared-id=" + "x" * 1000,
                              *(f"--store=s{number}=/nowhere" for number in range(3000)))
        self.assertGreater(len(exporter.get("/metrics")[2]), 3_000_000)
        exporter.get("/metrics")
        quiet_kib = self.memory(exporter)[1]
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
        self.assertLess(self.memory(exporter)[1], 2 * quiet_kib)  # 21 pages of 3 MB would be more
        start = time.monotonic()
        exporter.popen.terminate()
        self.assertEqual(exporter.popen.wait(10), 0)
        self.assertLess(time.monotonic() - start, WAITED_SECONDS)


class Failures(InFolder):
    def test_a_failing_source_is_logged_when_it_begins_and_when_it_ends(self):
        exporter = self.start(f"--block.dir={self.blocks}")
        broken = self.blocks / "broken.v1.counters"
        broken.write_bytes(b"no block")
        broken.chmod(0o600)
        for _ in range(3):
            self.assertIn('checkpoint_collector_success{collector="counter_block"} 0', exporter.get("/metrics")[2])
        broken.unlink()
        # Where two pages are still being sent, whoever asks within a second is sent the newer one.
        servers.wait_for("the block's end", lambda: 'counter_block"} 1' in exporter.get("/metrics")[2])
        for _ in range(3):
            self.assertIn('checkpoint_collector_success{collector="counter_block"} 1', exporter.get("/metrics")[2])
        lines = [line for line in exporter.log.read_text().splitlines() if "ollector" in line]
        self.assertEqual(len(lines), 2, lines)
        self.assertRegex(lines[0], r'level=warn msg="Collector failed" collector=counter_block store=broken')
        self.assertRegex(lines[1], r'level=info msg="Collector fails no longer" collector=counter_block store=broken')

    def test_a_database_of_garbage_fails_its_collector(self):
        self.database.write_bytes(b"g" * 5000)  # not whole pages: those would read as encrypted
        exporter = self.start(f"--block.dir={self.blocks}", f"--store=s={self.database}")
        text = exporter.get("/metrics")[2]
        self.assertIn('checkpoint_collector_success{collector="store_commits"} 0', text)
        self.assertIn('checkpoint_collector_success{collector="sqlite_file"} 1', text)
        self.assertIn('reason="not_sqlite"} 1', text)

    def test_too_few_threads_are_an_error_at_the_start(self):
        # A copy that any user may execute; the tree may lie in a home folder that is closed to others.
        open_folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        open_folder.chmod(0o711)
        program = shutil.copy(BUILD / "exporter" / "outgrown-exporter", open_folder)
        for limit in (8, 50, 70):  # none but a few; not all of the server's; none for a scrape
            with self.subTest(limit):
                def few():
                    resource.setrlimit(resource.RLIMIT_NPROC, (limit, limit))
                    if os.getuid() == 0:  # whom no limit binds
                        os.setuid(54321)
                ended = subprocess.run([program, "--web.listen-address=127.0.0.1:0"],
                                       capture_output=True, text=True, timeout=20, check=False, preexec_fn=few)
                self.assertEqual(ended.returncode, 1, ended.stderr)
                self.assertRegex(ended.stderr, r"level=error .*thread.*TasksMax")
                self.assertNotIn("Listening", ended.stderr)


class Systemd(InFolder):
    UNITS = SOURCE / "deploy" / "systemd"

    def test_it_says_when_it_is_ready_and_feeds_the_watchdog_while_its_pages_answer(self):
        for name in (str(self.folder / "notify"), f"@outgrown-test-{os.getpid()}"):
            with self.subTest(name), contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as notify:
                notify.bind(name.replace("@", "\0"))
                notify.settimeout(10)
                exporter = self.start(f"--block.dir={self.blocks}",
                                      wrapper=["env", f"NOTIFY_SOCKET={name}", "WATCHDOG_USEC=300000"])
                self.assertRegex(notify.recv(1000), rb"^READY=1\nSTATUS=Listening on 127\.0\.0\.1:\d+$")
                self.assertEqual([notify.recv(1000), notify.recv(1000)], [b"WATCHDOG=1"] * 2)
                os.kill(exporter.popen.pid, 15)
                while (message := notify.recv(1000)) == b"WATCHDOG=1":
                    pass
                self.assertEqual(message, b"STOPPING=1")
                self.assertEqual(exporter.popen.wait(10), 0)

    def stop_accepting(self, exporter):
        """Stops the one thread that accepts connections, as a debugger does; the function that is returned lets it go on."""
        ptrace = ctypes.CDLL(None, use_errno=True).ptrace
        ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        seize, interrupt, detach, all_children = 0x4206, 0x4207, 17, 0x40000000
        thread, = (int(task.name) for task in pathlib.Path(f"/proc/{exporter.popen.pid}/task").iterdir()
                   if "master" in (task / "comm").read_text())
        for request in (seize, interrupt):
            self.assertEqual(ptrace(request, thread, None, None), 0, os.strerror(ctypes.get_errno()))
        os.waitpid(thread, all_children)
        self.addCleanup(ptrace, detach, thread, None, None)  # also if the test fails: else its end is never waited for
        return lambda: ptrace(detach, thread, None, None)

    def test_a_signal_is_taken_while_the_watchdogs_request_waits_for_an_answer(self):
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as notify:
            notify.bind(str(self.folder / "notify"))
            notify.settimeout(10)
            exporter = self.start(f"--block.dir={self.blocks}",
                                  wrapper=["env", f"NOTIFY_SOCKET={self.folder / 'notify'}", "WATCHDOG_USEC=300000"])
            while notify.recv(1000) != b"WATCHDOG=1":
                pass
            go_on = self.stop_accepting(exporter)
            notify.settimeout(0.5)
            with self.assertRaises(TimeoutError):  # it is not fed: the request waits, for 5 s
                while True:
                    notify.recv(1000)
            start = time.monotonic()
            exporter.popen.terminate()
            notify.settimeout(10)
            self.assertEqual(notify.recv(1000), b"STOPPING=1")
            self.assertLess(time.monotonic() - start, WAITED_SECONDS)
            go_on()
            self.assertEqual(exporter.popen.wait(10), 0)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "needs systemd-analyze")
    def test_the_units_are_hardened(self):
        for unit, most in (("outgrown-exporter.service", 1.1), ("outgrown-evaluate.service", 1.3)):
            with self.subTest(unit):
                done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", self.UNITS / unit],
                                      capture_output=True, text=True, check=False)
                level = re.search(r"Overall exposure level for \S+: (\d+\.\d)", done.stdout)
                self.assertIsNotNone(level, done.stdout + done.stderr)
                self.assertLessEqual(float(level[1]), most)


class Signals(InFolder):
    def test_sigterm_and_sigint_end_it_with_status_0_and_it_waits_for_no_client(self):
        for number in (15, 2):
            with self.subTest(number):
                exporter = self.start(f"--block.dir={self.blocks}")
                idle = socket.create_connection(("127.0.0.1", exporter.port))
                self.addCleanup(idle.close)
                start = time.monotonic()
                exporter.popen.send_signal(number)
                self.assertEqual(exporter.popen.wait(10), 0)
                self.assertLess(time.monotonic() - start, WAITED_SECONDS)

    def test_no_answer_is_cut_short_by_a_sigterm(self):
        rounds = 1000 if os.environ.get("OUTGROWN_SOAK") else 8
        answered = 0
        # An answer of 6 MB, more than a loopback socket's buffer takes at once, so that it needs many sends.
        large = ["--store.shared-id=" + "x" * 100_000, *(f"--store=s{number}=/nowhere" for number in range(60))]
        judged = 0
        for _ in range(3 * rounds):
            exporter = Exporter(self.folder, f"--block.dir={self.blocks}", *large)
            stop = threading.Event()
            cut, whole = [], []

            def scrape():
                while not stop.is_set():
                    with contextlib.closing(socket.socket()) as connection:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
                        received = b""
                        with contextlib.suppress(OSError):
                            connection.settimeout(10)
                            connection.connect(("127.0.0.1", exporter.port))
                            connection.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
                            while chunk := connection.recv(65536):
                                received += chunk
                    header, _, body = received.partition(b"\r\n\r\n")
                    length = re.search(rb"Content-Length: (\d+)", header)
                    if length:  # else it was refused, or closed before the answer began
                        (whole if int(length[1]) == len(body) else cut).append(len(body))

            threads = [threading.Thread(target=scrape) for _ in range(4)]
            for thread in threads:
                thread.start()
            servers.wait_for("a first answer", lambda: whole, poll_seconds=0.001)
            start = time.monotonic()
            exporter.popen.terminate()
            exporter.popen.wait(10)
            waited_seconds = time.monotonic() - start
            stop.set()
            for thread in threads:
                thread.join()
            if waited_seconds >= 1.5:  # for so long answers are waited for: this machine was too busy to read them
                continue
            self.assertEqual(cut, [])
            answered += len(whole)
            judged += 1
            if judged == rounds:
                break
        self.assertEqual(judged, rounds)
        self.assertGreater(answered, rounds)


class SystemCalls(InFolder):
    """What strace sees of the store's files: they are opened for reading, read and asked about, and nothing else."""

    # Everything that takes a path or a descriptor, less what a program does to sockets and memory.
    READING = {"openat", "newfstatat", "fstat", "lstat", "stat", "statx", "pread64", "read", "close", "readlink",
               "readlinkat", "fcntl", "getdents64", "lseek", "statfs",
               "inotify_add_watch"}

    def whole_calls(self, trace):
        """The lines of a trace, those of a call that another thread's interrupted joined to one, in order of their ends."""
        calls, begun = [], {}
        for line in trace.splitlines():
            pid = line.split(maxsplit=1)[0]
            if line.endswith("<unfinished ...>"):
                self.assertNotIn(pid, begun, line)
                begun[pid] = line.removesuffix("<unfinished ...>")
            elif resumed := re.match(r"\d+ +<\.\.\. (\S+) resumed>", line):
                self.assertRegex(begun.get(pid, ""), rf"^\d+ +{re.escape(resumed[1])}\(", line)
                calls.append(begun.pop(pid) + line[resumed.end():])
            else:
                calls.append(line)
        return calls + list(begun.values())  # with those that had not returned at the end

    def check(self, journal_mode):
        connection = self.open_database(journal_mode)
        block = CounterBlock(self.blocks, "checkpoints", self.database)
        trace = self.folder / "trace"
        exporter = self.start(f"--block.dir={self.blocks}",
                              wrapper=["strace", "-f", "-y", "-s", "0", "-o", trace, "-e", "trace=%desc,%file"])
        before = {path.name: path.stat() for path in self.folder.iterdir()}
        for _ in range(20):
            connection.execute("INSERT INTO t VALUES (1)")
            block.record(OK, 1, 1)
            self.assertIn("checkpoint_file_size_bytes{", exporter.get("/metrics")[2])
        after = {path.name for path in self.folder.iterdir()}
        child = int(subprocess.run(["pgrep", "-P", str(exporter.popen.pid)], capture_output=True, text=True,
                                   check=True).stdout)
        os.kill(child, 15)
        exporter.popen.wait(10)
        block.close()
        self.assertEqual(after - {"trace"}, set(before) - {"trace"})
        store_calls = [line for line in self.whole_calls(trace.read_text())
                       if str(self.database) in line or f"{self.blocks}/" in line]
        self.assertGreater(len(store_calls), 100)
        names = set()
        for line in store_calls:
            call = re.match(r"\d+ +(\w+)\(", line)[1]
            names.add(call)
            self.assertIn(call, self.READING, line)
            if call == "openat":
                self.assertNotRegex(line, r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND")
                self.assertIn("O_RDONLY", line)
            if call == "fcntl":
                self.assertRegex(line, r"F_GETLK|F_OFD_GETLK|F_GETFL|F_GETFD|F_SETFD")
        self.assertIn("pread64", names)

    def test_a_store_in_wal_mode_is_only_read(self):
        self.check("WAL")

    def test_a_store_in_rollback_mode_is_only_read(self):
        self.check("DELETE")


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv[1]).resolve()
    arguments = sys.argv[2:]
    if arguments[:1] == ["--update"]:
        UPDATE = True
        arguments = arguments[1:]
    unittest.main(argv=[sys.argv[0], *arguments])
