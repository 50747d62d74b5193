"""Command lines that are wrong with the spec at hand end with 2, before anything is asked of a server.

Usage: usage_test.py RULEGEN
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULEGEN = pathlib.Path(sys.argv.pop(1)).resolve()
SPEC = ROOT / "rules" / "checkpoint.toml"


class Usage(unittest.TestCase):
    def refused(self, *arguments):
        # Port 1 refuses: whatever was asked of it would end with 4.
        done = subprocess.run([str(RULEGEN), *arguments, "--spec", str(SPEC), "--prometheus", "http://127.0.0.1:1"],
                              capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def test_a_backtest_of_too_many_instants(self):
        self.assertIn("--since: is more than 10000000 instants of checkpoint; name a larger --step",
                      self.refused("--backtest", "--since", "1y", "--step", "1s"))
        self.assertIn("--since: is more than 10000000 instants", self.refused("--backtest", "--since", "20y"))

    def test_a_decision_over_too_long_a_period(self):
        self.assertIn("--since: is longer than 1051200 evaluations of checkpoint", self.refused("--evaluate", "--since", "2y"))

    def run_in(self, folder, *arguments):
        return subprocess.run([str(RULEGEN), *arguments], capture_output=True, text=True, check=False, timeout=60, cwd=folder)

    def test_a_folder_of_specs_that_cannot_be_read_is_not_none(self):
        with tempfile.TemporaryDirectory() as folder:
            rules = pathlib.Path(folder) / "rules"
            rules.symlink_to("rules")  # a loop: not even root can read it
            for mode in (("--check",), ("--evaluate", "--prometheus", "http://127.0.0.1:1")):
                done = self.run_in(folder, *mode)
                self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
                self.assertIn("rules: cannot read the folder: Too many levels of symbolic links", done.stderr)

    def test_a_working_directory_that_is_gone_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(ROOT / "test" / "golden" / "small", folder, dirs_exist_ok=True)
            gone = f"mkdir '{folder}/gone' && cd '{folder}/gone' && rmdir '{folder}/gone' && " \
                   "exec \"$0\" --generate --spec ../small.toml --out ../out"
            done = subprocess.run(["sh", "-c", gone, str(RULEGEN)], capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot make absolute path", done.stderr)
        self.assertNotIn("standard output", done.stderr)


if __name__ == "__main__":
    unittest.main()
