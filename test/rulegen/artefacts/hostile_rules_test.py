"""promtool takes rules whose texts try to leave their place, and expands every annotation and label to the text itself.

Usage: hostile_rules_test.py HOSTILE_RULES
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "test" / "support"))
from promtool import promtool  # noqa: E402

HOSTILE_RULES = sys.argv.pop(1)
# Some 700 hostile strings a seed; the long form has 100,000 of them.
SEEDS = range(20261123, 20261123 + (150 if os.environ.get("OUTGROWN_SOAK") else 1))


class HostileRules(unittest.TestCase):
    def test_promtool_gives_every_text_back(self):
        for seed in SEEDS:
            with self.subTest(seed=seed), tempfile.TemporaryDirectory() as folder:
                subprocess.run([HOSTILE_RULES, folder, str(seed)], check=True)
                tests = sorted(pathlib.Path(folder).glob("*.test.yml"))
                self.assertGreater(len(tests), 1)
                for command in (["check", "rules", "queue.rules.yml"], ["test", "rules", *tests]):
                    done = promtool(*command, cwd=folder, errors="replace")
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_text_that_is_not_what_was_written_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([HOSTILE_RULES, folder, str(SEEDS[0])], check=True)
            rules = pathlib.Path(folder) / "queue.rules.yml"
            rules.write_bytes(rules.read_bytes().replace(b'{{\\"{{\\"}}', b'{{\\"{ {\\"}}', 1))
            done = promtool("test", "rules", "30s.test.yml", cwd=folder, errors="replace")
            self.assertEqual(done.returncode, 1)


if __name__ == "__main__":
    unittest.main()
