"""An unlogged decision is never printed: rulegen --evaluate while each system call on its log fails, and on a full disk.

strace makes the calls fail, on the log alone (-P). Whatever fails: exit status 5, a line that names the log, nothing on the
standard output, and the log as it was.
"""

import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import unittest

RULEGEN = pathlib.Path(sys.argv.pop(1)).resolve()
ROOT = pathlib.Path(__file__).resolve().parents[2]
GIVEN = json.dumps({"servers": 2})
LINE = "MIGRATE NOW - Multi-server requires network DB\n"


class LogFaults(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="outgrown-log-faults.")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.log = self.folder / "decisions.jsonl"

    def evaluate(self, before=(), log=None, **options):
        command = [*before, RULEGEN, "--evaluate", "--spec", ROOT / "rules/checkpoint.toml", "--measurements", "-",
                   "--log", log or self.log]
        return subprocess.run(command, input=GIVEN, capture_output=True, text=True, timeout=60, **options)

    def expect_refused(self, done, message, log=None):
        self.assertEqual((done.returncode, done.stdout), (5, ""), done.stderr)
        self.assertIn(str(log or self.log), done.stderr)
        self.assertIn(message, done.stderr)

    def test_without_a_fault_the_decision_is_logged_and_printed(self):
        for count in (1, 2):
            done = self.evaluate()
            self.assertEqual((done.returncode, done.stdout.splitlines(True)[0]), (0, LINE))
            self.assertEqual(len(self.log.read_text().splitlines()), count)

    def test_each_failing_call_on_the_log_keeps_the_decision_from_being_printed(self):
        self.evaluate()
        before = self.log.read_bytes()
        for fault, message in [
            ("openat:error=EACCES", "Permission denied"),
            ("flock:error=ENOLCK", "No locks available"),
            ("pread64:error=EIO", "Input/output error"),
            ("write:error=ENOSPC", "No space left on device"),
            ("write:error=EDQUOT", "Disk quota exceeded"),
            ("write:error=EIO", "Input/output error"),
            ("fsync:error=EIO", "Input/output error"),
        ]:
            with self.subTest(fault=fault):
                trace = self.folder / "trace"
                done = self.evaluate(["strace", "-qq", "-o", trace, "-P", self.log, "-e", f"inject={fault}"])
                self.assertIn("INJECTED", trace.read_text())
                self.expect_refused(done, message)
                self.assertEqual(self.log.read_bytes(), before)
        self.assertEqual(self.evaluate().returncode, 0)
        audit = subprocess.run([RULEGEN, "--audit", self.log], capture_output=True, text=True)
        self.assertEqual(audit.returncode, 0, audit.stdout + audit.stderr)

    def test_a_write_that_can_not_be_taken_back_is_reported_and_survived(self):
        self.evaluate()
        done = self.evaluate(["strace", "-qq", "-o", self.folder / "trace", "-P", self.log, "-e", "inject=fsync:error=EIO",
                              "-e", "inject=ftruncate:error=EIO"])
        self.expect_refused(done, "could not be removed")
        self.assertEqual(self.evaluate().returncode, 0)
        self.assertEqual(subprocess.run([RULEGEN, "--audit", self.log], capture_output=True).returncode, 0)

    def test_a_damaged_log_is_not_built_upon_until_it_is_moved_away(self):
        segment = self.folder / "decisions.jsonl.000000000001"
        self.evaluate()
        self.log.rename(segment)
        self.evaluate()
        with self.log.open("a") as log:
            log.write("a note\n")
        damaged = self.log.read_bytes()
        self.expect_refused(self.evaluate(), "After this log is moved away, the next run continues in a new one")
        self.assertEqual(self.log.read_bytes(), damaged)
        self.log.rename(self.folder / "moved")
        done = self.evaluate()
        self.assertEqual(done.returncode, 0)
        self.assertIn("is new or empty, and #2 was logged before", done.stderr)
        self.assertEqual(json.loads(self.log.read_text())["sequence"], 3)
        audit = subprocess.run([RULEGEN, "--audit", self.folder / "moved", self.log], capture_output=True, text=True)
        self.assertEqual(audit.returncode, 1)  # the damage is still there
        self.assertNotIn("was not made after", audit.stdout)
        for file in (self.log, segment, self.folder / "decisions.newest.json"):
            file.unlink()
        self.assertEqual(self.evaluate().returncode, 0)
        self.assertEqual(json.loads(self.log.read_text())["sequence"], 1)

    def test_a_log_that_another_program_rotates_goes_on_and_holds_together(self):
        old = self.folder / "decisions.jsonl.1"
        for how in ("copytruncate", "rename"):
            with self.subTest(how):
                self.evaluate()
                self.evaluate()
                shutil.copy(self.log, old)
                last = json.loads(self.log.read_text().splitlines()[-1])
                if how == "rename":
                    self.log.unlink()
                else:
                    self.log.write_text("")
                done = self.evaluate()
                self.assertEqual(done.returncode, 0)
                self.assertIn("rotated by another program", done.stderr)
                first = json.loads(self.log.read_text())
                self.assertEqual((first["sequence"], first["previous"], first["log_missing"]),
                                 (last["sequence"] + 1, last["hash"], True))
                audit = subprocess.run([RULEGEN, "--audit", old, self.log], capture_output=True, text=True)
                self.assertEqual(audit.returncode, 0, audit.stdout)
                self.assertIn("another program rotated it", audit.stdout)

    def test_a_user_without_a_home_learns_what_names_the_log(self):
        environment = {name: value for name, value in os.environ.items() if name not in ("STATE_DIRECTORY", "XDG_STATE_HOME")}
        done = subprocess.run([RULEGEN, "--evaluate", "--spec", ROOT / "rules/checkpoint.toml", "--prometheus",
                               "http://127.0.0.1:1"], capture_output=True, text=True, timeout=60,
                              env={**environment, "HOME": "/dev/null/nonexistent"})
        self.assertEqual((done.returncode, done.stdout), (5, ""), done.stderr)
        self.assertIn("/dev/null/nonexistent/.local/state/outgrown", done.stderr)
        for way in ("--log", "$STATE_DIRECTORY", "$XDG_STATE_HOME"):
            self.assertIn(way, done.stderr)

    def test_a_file_size_limit(self):
        self.evaluate()
        before = self.log.read_bytes()
        limit = len(before) + 100
        done = self.evaluate(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        self.expect_refused(done, "File too large")
        self.assertEqual(self.log.read_bytes(), before)

    def test_a_full_disk(self):
        small = self.folder / "small"
        small.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", small], capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("only root can mount a small tmpfs")
        self.addCleanup(subprocess.run, ["umount", small], check=True)
        log = small / "decisions.jsonl"
        statuses = []
        while not statuses or statuses[-1] == 0:
            self.assertLess(len(statuses), 20, "the disk never became full")
            before = log.read_bytes() if log.exists() else b""
            done = self.evaluate(log=log)
            statuses.append(done.returncode)
        self.expect_refused(done, "No space left on device", log)
        self.assertEqual(log.read_bytes(), before)
        self.assertGreater(len(statuses), 1)

    def test_an_answer_that_can_not_be_printed_is_a_failure_and_stays_logged(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([RULEGEN, "--evaluate", "--spec", ROOT / "rules/checkpoint.toml", "--measurements", "-",
                                   "--log", self.log], input=GIVEN, stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("No space left on device", done.stderr)
        self.assertEqual(len(self.log.read_text().splitlines()), 1)

    def test_warnings_that_can_not_be_printed_change_neither_the_answer_nor_the_status(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([RULEGEN, "--evaluate", "--spec", ROOT / "rules/checkpoint.toml", "--prometheus",
                                   "http://127.0.0.1:1", "--log", self.log], stdout=subprocess.PIPE, stderr=full, text=True)
        self.assertEqual(done.returncode, 4)
        self.assertIn("UNDETERMINED", done.stdout)


if __name__ == "__main__":
    unittest.main()
