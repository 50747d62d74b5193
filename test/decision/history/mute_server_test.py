"""`rulegen --backtest` against a server that takes every query and answers none: it ends after a few of them.

Usage: mute_server_test.py RULEGEN
"""

import http.server
import pathlib
import subprocess
import sys
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
RULEGEN = pathlib.Path(sys.argv.pop(1)).resolve()
SPEC = ROOT / "rules" / "checkpoint.toml"
EMPTY = b'{"status":"success","data":{"resultType":"vector","result":[]}}'


class Server(http.server.ThreadingHTTPServer):
    """Answers the first `answers` queries and holds every later one until the test ends."""

    def __init__(self, answers):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = answers
        self.queries = 0
        self.lock = threading.Lock()
        self.end = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end.set()
        self.shutdown()
        self.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        length = int(self.headers.get("Content-Length", 0))
        self.rfile.read(length)
        if "/query" in self.path:
            with self.server.lock:
                self.server.queries += 1
                held = self.server.queries > self.server.answers
            if held:
                self.server.end.wait()
                return
            status, body = 200, EMPTY
        else:
            status, body = 404, b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


class MuteServer(unittest.TestCase):
    def backtest(self, server, *arguments):
        return subprocess.run([str(RULEGEN), "--backtest", "--spec", str(SPEC), "--prometheus", server.url, "--timeout", "200ms",
                               "--since", "90d", *arguments], capture_output=True, text=True, check=False, timeout=120)

    def test_it_gives_up_after_three_queries_and_says_that_nothing_answered(self):
        with Server(answers=0) as server:
            done = self.backtest(server)
            self.assertEqual(done.returncode, 4, done.stderr)
            self.assertIn("answered no query", done.stdout)
            # A time limit may end a moment early, which costs one query more; one is asked ahead.
            self.assertIn(server.queries, range(3, 6))

    def test_the_other_spec_of_a_comparison_is_not_waited_for_anew(self):
        with Server(answers=0) as server:
            done = self.backtest(server, "--against", str(SPEC))
            self.assertEqual(done.returncode, 4, done.stderr)
            self.assertIn(server.queries, range(3, 6))

    def test_what_was_not_asked_any_more_is_reported(self):
        with Server(answers=12) as server:
            done = self.backtest(server)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("not sent, because the server had not answered for too long", done.stderr)
            # Three that are waited for, and meanwhile two threads that ask ahead, one question each as long as such a wait takes.
            self.assertIn(server.queries, range(15, 12 + 3 * 3 + 1))


if __name__ == "__main__":
    unittest.main()
