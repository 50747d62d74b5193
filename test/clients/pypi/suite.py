"""One flavour's tests: every *_test.py here, and those of the package itself, on the installed wheel; or those of the
package alone, on its source.

What is not about SQLite is tested with the interpreter's own alone.

Usage: suite.py COUNTS_FILE. Writes passed, failed and skipped there.
"""

import flavour  # first of all

import json
import os
import pathlib
import sqlite3
import sys
import unittest

import outgrown

PACKAGE_ALONE = os.environ["OUTGROWN_TEST_FLAVOUR"] == "package"
ONCE = ("advice_test", "example_test", "tutorial_test", "wheel_test", "workers_test")
HERE = pathlib.Path(__file__).resolve().parent
UNIT = HERE.parent / "python"
sys.path[:0] = [str(HERE), str(UNIT)]


def main():
    installed = pathlib.Path(outgrown.__file__)
    assert PACKAGE_ALONE or "site-packages" in installed.parts, f"{installed} is not the wheel's"
    print(f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}, outgrown {outgrown.__version__}", flush=True)
    loader = unittest.TestLoader()
    tests = unittest.TestSuite()
    for folder in (UNIT,) if PACKAGE_ALONE else (HERE, UNIT):
        for file in sorted(folder.glob("*_test.py")):
            if not (flavour.FOLDER and file.stem in ONCE):
                tests.addTests(loader.loadTestsFromName(file.stem))
    result = unittest.TextTestRunner(verbosity=1).run(tests)
    failed, skipped = len(result.failures) + len(result.errors), len(result.skipped)
    counts = {"failed": failed, "skipped": skipped, "passed": max(0, result.testsRun - failed - skipped)}
    pathlib.Path(sys.argv[1]).write_text(json.dumps(counts))
    for test, reason in result.skipped:
        print(f"skipped: {test}: {reason}")
    sys.exit(0 if result.wasSuccessful() else 1)


if __name__ == "__main__":
    main()
