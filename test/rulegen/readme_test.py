"""README.md's example of --measurements prints what README.md shows; "…" stands for what differs from run to run.

Usage: readme_test.py RULEGEN
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

RULEGEN = pathlib.Path(sys.argv.pop(1)).resolve()
ROOT = pathlib.Path(__file__).resolve().parents[2]


class Readme(unittest.TestCase):
    def test_the_example_prints_what_is_shown(self):
        blocks = re.findall(r"^```\n\$ (.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
        examples = [block for block in blocks if "--measurements" in block]
        self.assertEqual(len(examples), 1)
        command, shown = re.fullmatch(r"(.*?\| rulegen [^\n]*)\n(.*)", examples[0], re.DOTALL).groups()
        with tempfile.TemporaryDirectory(prefix="outgrown-readme.") as folder:
            (pathlib.Path(folder) / "rulegen").symlink_to(RULEGEN)
            done = subprocess.run(["bash", "-c", command], cwd=ROOT, env={"PATH": f"{folder}:/usr/bin:/bin"},
                                  capture_output=True, text=True, check=True)
        pattern = ".*".join(re.escape(part) for part in shown.split("…"))
        self.assertRegex(done.stdout, rf"\A{pattern}\Z")


if __name__ == "__main__":
    unittest.main()
