"""--evaluate --wait: a server that is not there yet, or answers 503 while it reads its log after a start, is waited for, and no
longer than was said.

Usage: wait_test.py RULEGEN
"""

import http.server
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "support"))
import recorded  # noqa: E402
import servers  # noqa: E402

RULEGEN = pathlib.Path(sys.argv.pop(1)).resolve()
END = 1_790_000_010  # the newest evaluation of what is recorded
EMPTY = b'{"status":"success","data":{"resultType":"vector","result":[]}}'


class Prometheus(http.server.BaseHTTPRequestHandler):
    """Answers 503 until `ready`, then that there is nothing."""

    def answer(self):
        ready = self.server.ready.is_set()
        self.server.asked += 1
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = EMPTY if ready else b"Service Unavailable"
        self.send_response(200 if ready else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


class Wait(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="outgrown-wait.")
        self.addCleanup(folder.cleanup)
        self.log = pathlib.Path(folder.name) / "decisions.jsonl"
        self.port = servers.free_port()

    def serve(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Prometheus)
        server.ready = threading.Event()
        server.asked = 0
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def start(self, *arguments, wrapper=()):
        return subprocess.Popen([*wrapper, RULEGEN, "--evaluate", "--spec", ROOT / "rules/checkpoint.toml", "--log", self.log,
                                 "--prometheus", f"http://127.0.0.1:{self.port}", *arguments],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_without_it_nothing_is_waited_for(self):
        self.serve()
        evaluate = self.start()
        self.assertIn("answered no query", evaluate.communicate(timeout=60)[0])
        self.assertEqual(evaluate.returncode, 4)

    def test_a_server_that_becomes_ready_is_asked_then(self):
        server = self.serve()
        evaluate = self.start("--wait", "50s")
        servers.wait_for("a second question", lambda: server.asked > 1)
        self.assertIsNone(evaluate.poll())
        server.ready.set()
        self.assertIn("UNDETERMINED - no store found: no series checkpoint_block_up", evaluate.communicate(timeout=60)[0])
        self.assertEqual(evaluate.returncode, 30)

    def test_a_server_that_is_not_there_yet_is_waited_for_too(self):
        calls = self.log.with_name("calls")
        evaluate = self.start("--wait", "50s", wrapper=["strace", "-f", "-qq", "-e", "trace=connect", "-o", calls])
        # Twice: the first one was refused.
        servers.wait_for("a second connect", lambda: calls.read_text().count(f"htons({self.port})") > 1)
        self.serve().ready.set()
        self.assertIn("no store found", evaluate.communicate(timeout=60)[0])

    def test_a_server_that_never_becomes_ready_is_given_up_and_the_attempt_is_logged(self):
        self.serve()
        begun = time.monotonic()
        evaluate = self.start("--wait", "2s")
        evaluate.communicate(timeout=60)
        self.assertEqual(evaluate.returncode, 4)
        self.assertGreater(time.monotonic() - begun, 1)
        self.assertIn('"kind":"attempt"', self.log.read_text())

    @unittest.skipUnless(shutil.which("prometheus"), "no prometheus")
    def test_a_prometheus_that_reads_its_log_is_waited_for_and_its_samples_decide(self):
        folder = self.log.parent
        recorded.backfill([recorded.Store("a", end=END)], folder)
        with servers.Stack() as stack:
            stack.start(servers.prometheus(folder, {}, retention="100y"))  # makes the log
        # It reads the log's first segment after some seconds, and answers 503 until then.
        segment = folder / "prometheus-data" / "wal" / "00000000"
        slowly = ["strace", "-D", "-f", "-qq", "--seccomp-bpf", "-o", folder / "calls", "-P", segment, "-e", "trace=openat",
                  "-e", "inject=openat:delay_enter=6s"]
        with servers.Stack() as stack:
            prometheus = stack.start(servers.prometheus(folder, {}, retention="100y", within=slowly, ready_path="/-/healthy"))
            self.port = prometheus.url.rpartition(":")[2]
            with self.assertRaisesRegex(urllib.error.HTTPError, "503"):
                servers.get(prometheus.url + "/-/ready")
            hasty = self.start("--at", str(END + 7), "--wait", "1s")
            self.assertIn("answered no query", hasty.communicate(timeout=60)[0])
            self.assertEqual(hasty.returncode, 4)
            patient = self.start("--at", str(END + 7), "--wait", "50s")
            self.assertEqual(patient.communicate(timeout=60)[0].splitlines()[0], "SQLite sufficient")
            self.assertEqual(patient.returncode, 0)


if __name__ == "__main__":
    unittest.main()
