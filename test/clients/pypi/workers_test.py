"""Worker processes that a preforking server makes, kills and replaces: every write that was acknowledged is counted."""

import concurrent.futures
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(SOURCE / "test" / "support"))

import servers  # noqa: E402  (the path above)
from langgraph.checkpoint.sqlite import SqliteSaver  # noqa: E402
from oracle import Commits  # noqa: E402
from support import StoreTest  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
WORKERS = 3


def make_tables(path):
    """Uncounted."""
    setup = sqlite3.connect(path)
    SqliteSaver(setup).setup()
    setup.close()


def ask(path, query):
    connection = sqlite3.connect(path, timeout=60)
    answer = connection.execute(query).fetchone()
    connection.close()
    return answer


RACER = """
import sqlite3, sys, outgrown
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.sqlite import SqliteSaver
print("ready", flush=True)
sys.stdin.readline()
saver = outgrown.observe(SqliteSaver(sqlite3.connect(sys.argv[1], timeout=60)))
while not saver.is_setup:
    try:
        saver.setup()
    except sqlite3.OperationalError as error:  # SQLite waits for no lock while the journal's mode changes
        assert "locked" in str(error), error
for number in range(20):
    saver.put({"configurable": {"thread_id": f"{sys.argv[2]}-{number}", "checkpoint_ns": ""}}, empty_checkpoint(), {"step": 1}, {})
print("done", flush=True)
sys.stdin.readline()
"""


class Race(StoreTest):
    def test_processes_that_create_one_database_are_counted_as_it_counts_itself(self):
        for race in range(3):
            store = f"race-{race}"
            racers = [subprocess.Popen([sys.executable, "-c", RACER, self.path(store + ".db"), str(number)],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for number in range(6)]
            for said in ("ready\n", "done\n"):
                for racer in racers:
                    self.assertEqual(racer.stdout.readline(), said)
                if said == "ready\n":
                    for racer in racers:
                        racer.stdin.write("go\n")
                        racer.stdin.flush()
            # The log's commits are counted from its making on, which the change to it comes before.
            commits = 1 + Commits(self.path(store + ".db"), wal=True).ever()
            for racer in racers:
                racer.communicate("end\n")
            self.assertEqual(self.counts(store)["ok"], commits)
            self.assertEqual(commits, 1 + 2 + 6 * 20)


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
        make_tables(self.path())
        with servers.Stack() as stack:
            server = self.start(stack)  # one request, for /ready
            first = self.ask(server, 100)
            os.kill(first[0], signal.SIGKILL)
            servers.wait_for("a new worker", lambda: set(self.ask(server, 10)) - set(first))
            second = self.ask(server, 100)
            self.assertNotIn(first[0], second)
        rows, = ask(self.path(), "SELECT count(*) FROM checkpoints")
        self.assertGreater(rows, 200)
        self.assertEqual(self.counts(), {"ok": rows})


class Celery(StoreTest):
    def test_a_prefork_pool_that_replaces_its_processes_loses_nothing(self):
        make_tables(self.path())
        queue = self.path("queue")
        os.mkdir(queue)
        environment = {"DATABASE": self.path(), "OUTGROWN_DIR": self.folder, "QUEUE": queue, "PYTHONPATH": str(HERE)}
        send = "import celery_application as c\nfor thread in range(60): c.put.delay(thread)"
        subprocess.run([sys.executable, "-c", send], env={**os.environ, **environment}, check=True, timeout=60)
        command = [sys.executable, "-m", "celery", "--app=celery_application", "worker", "--pool=prefork",
                   f"--concurrency={WORKERS}", "--max-tasks-per-child=5", "--loglevel=warning"]
        with servers.Stack() as stack:
            worker = stack.start(servers.Process("celery", command, self.folder, environment))
            count = "SELECT count(DISTINCT thread_id), count(*), count(DISTINCT checkpoint_ns) FROM checkpoints"
            servers.wait_for("every task", lambda: ask(self.path(), count)[0] == 60, 60, alive=[worker])
        _, rows, processes = ask(self.path(), count)
        self.assertGreaterEqual(processes, 60 // 5)
        self.assertEqual(self.counts(), {"ok": rows})
