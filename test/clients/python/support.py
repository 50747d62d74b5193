"""What the tests of the Python package share: a folder for stores and blocks, and what the C++ reader says of them."""

import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

import outgrown

PROGRAM = os.environ["OUTGROWN_BLOCK"]  # outgrown-block, which reads a block as the exporter does
OUTCOMES = ("ok", "busy", "busy_snapshot", "full", "io", "constraint", "corrupt", "other")


def read_block(directory, store):
    """Everything a block says, by name; numbers as numbers."""
    shown = subprocess.run([PROGRAM, directory, store], check=True, capture_output=True, text=True).stdout
    pairs = (line.split(" ", 1) for line in shown.splitlines())
    return {name: int(value) if value.isdigit() else value for name, value in pairs}


def counts(directory, store):
    """The writes by outcome; outcomes that never happened are left out."""
    return {name: number for name, number in outcomes(read_block(directory, store)).items() if number}


def outcomes(block):
    """The writes by outcome, each refused lock among them: a caller doesn't see which of the two it is."""
    counted = {name: block["writes_" + name] for name in OUTCOMES}
    counted["busy"] += block["unchanged_refused"]
    return counted


def forget_warnings():
    """Each is logged once in a process."""
    sys.modules["outgrown.observe"]._said.clear()  # outgrown.observe itself is the function


class StoreTest(unittest.TestCase):
    """A test with a temporary folder, where also the counter blocks are."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="outgrown-python-")
        self.addCleanup(shutil.rmtree, self.folder)
        old = os.environ.get("OUTGROWN_DIR")
        os.environ["OUTGROWN_DIR"] = self.folder
        self.addCleanup(lambda: os.environ.pop("OUTGROWN_DIR") if old is None else os.environ.update(OUTGROWN_DIR=old))

    def path(self, name="app.db"):
        return str(pathlib.Path(self.folder) / name)

    def counts(self, store="app"):
        return counts(self.folder, store)


class ConnectionTest(StoreTest):
    def setUp(self):
        super().setUp()
        self.connection = self.connect()
        self.connection.execute("CREATE TABLE t (x UNIQUE, y)")
        self.connection.execute("INSERT INTO t VALUES (0, 'taken')")
        self.connection.commit()
        self.before = self.counts()

    def connect(self, wrap=outgrown.observe, **options):
        connection = wrap(sqlite3.connect(self.path(), **options))
        self.addCleanup(connection.close)
        return connection

    def counted(self):
        """The writes since setUp."""
        return {name: n - self.before.get(name, 0) for name, n in self.counts().items() if n != self.before.get(name, 0)}

    def rival(self):
        return self.connect(lambda plain: plain, isolation_level=None, timeout=0)


def main():
    print(f"Python {sys.version.split()[0]}")
    unittest.main(verbosity=1)
