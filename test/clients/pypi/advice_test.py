"""From LangGraph's AsyncSqliteSaver to the advice: a snapshot that one busy timeout leaves behind makes every put fail, which is no
saturation (findings/langgraph_async_saver_snapshot.sh). The real exporter and Prometheus, with the demo's short windows.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(SOURCE / "test" / "support"))

import servers  # noqa: E402  (the path above)
import short_spec  # noqa: E402
from support import StoreTest  # noqa: E402

APPLICATION = pathlib.Path(__file__).with_name("stuck_saver.py")
BUILD = pathlib.Path(os.environ["OUTGROWN_BUILD"])
RULEGEN = BUILD / "rulegen" / "rulegen"
SECONDS_MAX = 40


class Advice(StoreTest):
    def setUp(self):
        super().setUp()
        if shutil.which("prometheus") is None:
            self.skipTest("prometheus is not installed")
        stack = servers.Stack()
        self.addCleanup(stack.close)
        blocks = pathlib.Path(self.folder) / "blocks"
        blocks.mkdir(mode=0o700)
        self.spec = short_spec.generate(RULEGEN, self.folder)
        self.application = stack.start(servers.Process("application", [sys.executable, APPLICATION, self.path()], self.folder,
                                                       env={"OUTGROWN_DIR": str(blocks)}))
        self.exporter = stack.start(servers.exporter(self.folder, BUILD / "exporter" / "outgrown-exporter",
                                                     [f"--block.dir={blocks}", f"--spec={self.spec}"]))
        self.prometheus = stack.start(servers.prometheus(
            self.folder, {"app": [self.exporter.url.removeprefix("http://")]},
            [self.spec.parent / "gen" / "checkpoint.rules.yml"], scrape_interval="1s"))

    def evaluate(self):
        return subprocess.run([RULEGEN, "--evaluate", "--spec", self.spec, "--prometheus", self.prometheus.url, "--log",
                               f"{self.folder}/log"], capture_output=True, text=True, check=False, timeout=60).stdout

    def until(self, condition):
        said = []

        def is_so():
            said.append(self.evaluate())
            return condition(said[-1])

        try:
            servers.wait_for("the decision", is_so, SECONDS_MAX, 1, alive=(self.application, self.exporter, self.prometheus))
        except servers.NotReady as problem:
            self.fail(f"{problem}; at last {said[-1]}")
        return said[-1]

    def test_a_snapshot_that_was_left_open_gets_the_advice_and_not_the_move(self):
        said = self.until(lambda said: "Write errors" in said.splitlines()[0] and "busy_snapshot 100%" in said)
        self.assertRegex(said, r"(?m)^ *by reason: busy_snapshot 100%$")
        self.assertRegex(said, r"(?m)^ *advice: a transaction reads first and then writes from an old snapshot: begin it with BEGIN IMMEDIATE")
        self.assertIn("neither a longer busy_timeout nor another database is needed for that", said)
        # All of it is one process' old snapshot: the age of its transaction, its process, and no wait for a lock.
        reader = servers.query(self.prometheus.url, "checkpoint_wal_oldest_reader_seconds")
        self.assertGreater(float(reader[0]["value"][1]), 5)
        self.assertIn(f"process {self.application.popen.pid} (", servers.get(self.exporter.url))
        self.application.popen.send_signal(signal.SIGUSR1)
        self.until(lambda said: "Write errors" not in said.splitlines()[0])
