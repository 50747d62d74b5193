"""Worker processes that a preforking server makes, kills and replaces: every write that was acknowledged is counted."""

import concurrent.futures
import os
import pathlib
import signal
import sqlite3
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "test" / "support"))

import servers  # noqa: E402  (the path above)
from langgraph.checkpoint.sqlite import SqliteSaver  # noqa: E402
from support import StoreTest  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
WORKERS = 3


class Gunicorn(StoreTest):
    def start(self, stack):
        port = servers.free_port()
        command = [sys.executable, "-m", "gunicorn", "--preload", f"--workers={WORKERS}", f"--bind=127.0.0.1:{port}",
                   f"--config={HERE / 'web_application.py'}", f"--chdir={HERE}", "web_application:application"]
        environment = {"DATABASE": self.path(), "OUTGROWN_DIR": self.folder}
        return stack.start(servers.Server("gunicorn", command, self.folder, port, "/ready", environment))

    def ask(self, server, count):
        """The workers that answered that many requests."""
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as threads:
            return list(threads.map(lambda number: int(servers.get(f"{server.url}/{number}", 60)), range(count)))

    def test_workers_that_are_killed_and_replaced_lose_nothing(self):
        setup = sqlite3.connect(self.path())  # uncounted
        SqliteSaver(setup).setup()
        setup.close()
        with servers.Stack() as stack:
            server = self.start(stack)  # one request, for /ready
            first = self.ask(server, 100)
            os.kill(first[0], signal.SIGKILL)
            servers.wait_for("a new worker", lambda: set(self.ask(server, 10)) - set(first))
            second = self.ask(server, 100)
            self.assertNotIn(first[0], second)
        with_rows = sqlite3.connect(self.path())
        rows = with_rows.execute("SELECT count(*) FROM checkpoints").fetchone()[0]
        with_rows.close()
        self.assertGreater(rows, 200)
        self.assertEqual(self.counts(), {"ok": rows})
