"""docs/tutorial.md, run as it stands there: what it says that is seen is seen."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(SOURCE / "test" / "support"))

import servers  # noqa: E402  (the path above)
from support import StoreTest  # noqa: E402

TUTORIAL = (SOURCE / "docs" / "tutorial.md").read_text()
SECONDS_MAX = 60


class Tutorial(StoreTest):
    def setUp(self):
        super().setUp()
        if shutil.which("prometheus") is None:
            self.skipTest("prometheus is not installed")
        here = f"{self.folder}/tutorial"
        os.mkdir(here)
        for name in ("bin", "lib", "pyvenv.cfg"):
            os.symlink(pathlib.Path(sys.prefix) / name, f"{here}/{name}")
        exporter, prometheus = servers.free_port(), servers.free_port()
        self.here = {"/tmp/outgrown-tutorial": here, "$PWD/build": os.environ["OUTGROWN_BUILD"], "build/": os.environ["OUTGROWN_BUILD"] + "/",
                     "127.0.0.1:9108": f"127.0.0.1:{exporter}", "127.0.0.1:9090": f"127.0.0.1:{prometheus}",
                     "outgrown-exporter --spec": f"outgrown-exporter --web.listen-address 127.0.0.1:{exporter} --spec",
                     "rulegen --evaluate": f"rulegen --evaluate --prometheus http://127.0.0.1:{prometheus}"}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OUTGROWN_")}
        self.shell = subprocess.Popen(["bash"], cwd=SOURCE, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True, start_new_session=True)
        self.addCleanup(self.end)

    def end(self):
        if self.shell.poll() is None:
            os.killpg(self.shell.pid, signal.SIGKILL)
        self.shell.communicate()

    def run_block(self, block):
        """What the commands and the programs in the background have said."""
        text = re.sub("|".join(map(re.escape, self.here)), lambda written: self.here[written.group()], block)
        self.shell.stdin.write(text + "\necho END OF THE BLOCK: $?\n")
        self.shell.stdin.flush()
        said = ""
        for line in self.shell.stdout:
            said += line
            if line.startswith("END OF THE BLOCK"):
                return said
        self.fail(f"the shell has ended: {said}")

    def until(self, block, text):
        said = []

        def seen():
            said.append(self.run_block(block))
            return text in said[-1]

        try:
            servers.wait_for(text, seen, SECONDS_MAX)
        except servers.NotReady:
            self.fail(f"never {text!r}, but at last {said[-1]}")

    def test_it_does_what_it_says(self):
        blocks = re.findall("^```(\\w*)\n(.*?)^```\n", TUTORIAL, re.M | re.S)
        install, agent, run, look, measure, decide, rival, decide_again, end = (text for kind, text in blocks if kind == "sh")
        _, sufficient, saturated = (text for kind, text in blocks if not kind)
        self.assertIn("/bin/pip install langgraph langgraph-checkpoint-sqlite ./clients/python", install)
        # This Python stands for the one that the other lines make, which the suite has done in its own way.
        for block in (install.splitlines()[0], agent, run):
            self.run_block(block)
        self.until(look, "writes_ok 2")
        self.run_block(measure)
        self.until(decide, sufficient)
        self.run_block(rival)
        self.until(decide_again, saturated)
        said = self.run_block("build/rulegen/rulegen --audit $HERE/decisions.jsonl")
        self.assertIn("BLOCK: 0", said)
        self.run_block(end)
        self.assertFalse(os.path.exists(f"{self.folder}/tutorial"))

