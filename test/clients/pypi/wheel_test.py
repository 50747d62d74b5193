"""The wheel as it is installed: its version, its types."""

import importlib.metadata
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import outgrown

SOURCE = pathlib.Path(__file__).resolve().parents[3]

# What an application may rely on; mypy checks it against the installed package.
APPLICATION = """
import sqlite3
from typing import assert_type

import aiosqlite
import outgrown
from langgraph.checkpoint.sqlite import SqliteSaver

connection = outgrown.observe(sqlite3.connect("app.db"), name="app", application="agent", directory="/run/outgrown/agent")
assert_type(connection, sqlite3.Connection)
assert_type(outgrown.observe(SqliteSaver(connection)), SqliteSaver)
assert_type(outgrown.observe(aiosqlite.connect("app.db")), aiosqlite.Connection)
assert_type(outgrown.__version__, str)
"""


class Wheel(unittest.TestCase):
    def test_its_version_is_the_projects(self):
        project = re.search(r"version: '([^']+)'", (SOURCE / "meson.build").read_text())[1]
        self.assertEqual((outgrown.__version__, importlib.metadata.version("outgrown")), (project, project))

    def test_it_needs_no_other_package(self):
        self.assertIsNone(importlib.metadata.requires("outgrown"))

    def mypy(self, *arguments):
        with tempfile.TemporaryDirectory(prefix="outgrown-mypy-") as folder:
            (pathlib.Path(folder) / "application.py").write_text(APPLICATION)
            command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir=.", *arguments]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_an_application_sees_its_types(self):
        self.mypy("application.py")

    def test_mypy_finds_nothing_in_the_package(self):
        self.mypy("-p", "outgrown")
