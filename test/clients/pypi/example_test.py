"""The LangGraph example, run as its docstring says: what outgrown-block and the exporter's /metrics show of it."""

import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(SOURCE / "test" / "support"))

import servers  # noqa: E402  (the path above)
from support import StoreTest  # noqa: E402

EXAMPLE = SOURCE / "examples" / "langgraph" / "agent.py"
EXPORTER = pathlib.Path(os.environ["OUTGROWN_BUILD"]) / "exporter" / "outgrown-exporter"
CONVERSATIONS = 12


class Example(StoreTest):
    def run_example(self, *arguments):
        command = [sys.executable, str(EXAMPLE), f"--conversations={CONVERSATIONS}", *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(done.stdout)

    def writes_of(self, database):
        """What LangGraph has left in the file: the change to WAL, two tables, a checkpoint, a task's writes, each in a
        transaction of its own."""
        connection = sqlite3.connect(database)
        checkpoints = connection.execute("SELECT count(*) FROM checkpoints").fetchone()[0]
        tasks = connection.execute("SELECT count(DISTINCT thread_id || checkpoint_id || task_id) FROM writes").fetchone()[0]
        connection.close()
        self.assertGreater(tasks, CONVERSATIONS)
        return 3 + checkpoints + tasks

    def metrics(self):
        with servers.Stack() as stack:
            exporter = stack.start(servers.exporter(self.folder, EXPORTER, [f"--block.dir={self.folder}"]))
            samples = re.findall(r"^(\w+\{.*\}) (\S+)$", servers.get(exporter.url + "/metrics"), re.MULTILINE)
            return {name: float(value) for name, value in samples}

    def test_its_writes_are_in_the_block_and_in_the_metrics(self):
        for store, mode in (("agents", []), ("asynchronous", ["--async"])):
            sums = self.run_example(*mode, self.path(store + ".db"))
            self.assertEqual(sums, {f"customer-{number}": 210 + number for number in range(CONVERSATIONS)})
            writes = self.writes_of(self.path(store + ".db"))
            self.assertEqual(self.counts(store), {"ok": writes})
            metrics = self.metrics()
            self.assertEqual(metrics[f'checkpoint_block_up{{database="{store}"}}'], 1)
            self.assertEqual(metrics[f'checkpoint_writes_total{{database="{store}",status="success"}}'], writes)
            self.assertEqual(metrics[f'checkpoint_writes_total{{database="{store}",status="error"}}'], 0)
            self.assertEqual(metrics[f'checkpoint_writes_in_flight{{database="{store}"}}'], 0)

    def test_the_commands_of_its_docstring_work_as_they_are_written(self):
        commands = [line.strip() for line in EXAMPLE.read_text().split('"""')[1].splitlines() if line.startswith("    ")]
        make, install, *others, exporter = commands
        # This Python stands for the one that the first two make, which the suite has done in its own way.
        self.assertEqual((make, exporter), ("python3 -m venv /tmp/outgrown-example", "build/exporter/outgrown-exporter"))
        self.assertIn("pip install langgraph langgraph-checkpoint-sqlite ./clients/python", install)
        script = "set -e\n" + "\n".join(others)
        here = {"/tmp/outgrown-example/bin/python": sys.executable, "/tmp/outgrown-example": self.folder,
                "$PWD/build": os.environ["OUTGROWN_BUILD"], "build/": os.environ["OUTGROWN_BUILD"] + "/"}
        script = re.sub("|".join(map(re.escape, here)), lambda written: here[written.group()], script)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OUTGROWN_")}
        done = subprocess.run(["sh", "-c", script], cwd=SOURCE, env=environment, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn(f"writes_ok {self.writes_of(self.path('agents.db'))}\n", done.stdout)

    def test_without_the_observer_it_runs_as_before_and_says_what_is_missing(self):
        command = [sys.executable, str(EXAMPLE), self.path("agents.db")]
        environment = {**os.environ, "OUTGROWN_OBSERVER": "/no/such/outgrown_sqlite.so"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(json.loads(done.stdout)["customer-3"], 213)
        self.assertEqual(done.stderr, "writes of a connection are not counted: the SQLite observer /no/such/outgrown_sqlite.so is "
                         "not there; install Outgrown on this machine, or let OUTGROWN_OBSERVER name the file\n")
