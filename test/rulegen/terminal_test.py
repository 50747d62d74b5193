"""What `rulegen --evaluate` writes to a terminal, to a dumb one and to a pipe: real pseudo-terminals, given values.

Usage: terminal_test.py RULEGEN
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "support"))
import terminal  # noqa: E402

RULEGEN = pathlib.Path(sys.argv.pop(1)).resolve()
LINE = "MIGRATE NOW - Write errors >1% (SQLite saturated)"
VALUES = {"write_error_ratio": 0.02, "writes_per_second": 84.2, "servers": 1, "file_size_bytes": 2**31,
          "write_p99_seconds": 0.02}


class Terminal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        measurements = pathlib.Path(cls.temporary.name) / "measurements.json"
        measurements.write_text(json.dumps([{"labels": {"database": "a" * 70, "instance": "app-1:9108"}, **VALUES}]))
        cls.command = [RULEGEN, "--evaluate", "--spec", ROOT / "rules" / "checkpoint.toml", "--measurements", measurements]

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def test_a_terminal_gets_colour_and_bars_of_its_width(self):
        for columns in (60, 80, 132):
            with self.subTest(columns):
                shown = terminal.on_terminal(self.command, columns)
                self.assertIn(f"\x1b[1;31m{LINE}\x1b[0m", shown)
                plain = terminal.without_colour(shown)
                self.assertIn("█", plain)
                # The name of 70 letters is the only thing that can't be broken.
                self.assertLessEqual(max(len(line) for line in plain.splitlines() if "aaaa" not in line), columns)

    def test_a_wider_terminal_is_used(self):
        longest = [max(line.count("█") for line in terminal.on_terminal(self.command, columns).splitlines())
                   for columns in (70, 132)]
        self.assertLess(longest[0], longest[1])

    def test_no_color_keeps_the_bars_and_no_escape(self):
        shown = terminal.on_terminal(self.command, NO_COLOR="1")
        self.assertNotIn("\x1b", shown)
        self.assertIn("█", shown)
        self.assertIn("\x1b", terminal.on_terminal(self.command, NO_COLOR=""))

    def test_a_dumb_terminal_or_none_named_gets_the_same_as_a_pipe(self):
        piped = subprocess.run([str(word) for word in self.command], capture_output=True, text=True, check=True).stdout
        self.assertEqual(piped.splitlines()[0], LINE)
        self.assertTrue(piped.isascii(), piped)
        for term in ("dumb", None):
            with self.subTest(term=term):
                shown = terminal.on_terminal(self.command, term=term)
                self.assertEqual(self.without_time(shown), self.without_time(piped))

    def test_json_is_the_same_everywhere(self):
        shown = terminal.on_terminal([*self.command, "--format", "json"])
        self.assertEqual(json.loads(shown)["evaluations"][0]["stores"][0]["line"], LINE)

    @staticmethod
    def without_time(text):
        return [line.split(", decided for ")[0] for line in text.splitlines()]


if __name__ == "__main__":
    unittest.main()
