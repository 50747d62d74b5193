"""A test suite of others, run as `python3 -m MODULE` runs it; each test's outcome goes to a file as JSON.

Usage: outcomes.py MODULE FILE. $OBSERVED "yes": the client $CLIENT (dbapi_client, apsw_client) loads the observer first.
"""

import importlib
import json
import os
import pathlib
import runpy
import sys
import unittest

module, file = sys.argv[1:]
outcomes = {}


def recording(method, outcome):
    original = getattr(unittest.TestResult, method)

    def record(self, test, *rest):
        # A test with subtests that fail isn't reported as a success later.
        outcomes[getattr(test, "test_case", test).id()] = outcome
        return original(self, test, *rest)

    setattr(unittest.TestResult, method, record)


for name, word in (("addSuccess", "passed"), ("addFailure", "failed"), ("addError", "error"), ("addSkip", "skipped"),
                   ("addExpectedFailure", "failed as expected"), ("addUnexpectedSuccess", "passed unexpectedly")):
    recording(name, word)

if os.environ["OBSERVED"] == "yes":
    importlib.import_module(os.environ["CLIENT"]).observe()
sys.argv = [module]
try:
    runpy.run_module(module, run_name="__main__", alter_sys=True)
finally:
    pathlib.Path(file).write_text(json.dumps(outcomes))
