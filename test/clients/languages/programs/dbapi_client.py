"""Python's sqlite3, pysqlite3 and sqlcipher3 for script.py. $MODULE names which; $KEY is SQLCipher's."""

import ctypes
import importlib
import os

sqlite3 = importlib.import_module(os.environ["MODULE"])
Error = sqlite3.Error


def observe():
    if not hasattr(sqlite3.Connection, "enable_load_extension"):
        ctypes.CDLL("/usr/lib/x86_64-linux-gnu/outgrown/outgrown_sqlite.so").outgrown_sqlite_load()
        return
    connection = sqlite3.connect(":memory:")
    connection.enable_load_extension(True)
    connection.load_extension("/usr/lib/x86_64-linux-gnu/outgrown/outgrown_sqlite")


def code(error):
    return error.sqlite_errorcode


class Connection:
    def __init__(self, path, timeout):
        self.connection = sqlite3.connect(path, isolation_level=None, timeout=timeout / 1000)
        if "KEY" in os.environ:
            self.connection.execute(f"PRAGMA key = '{os.environ['KEY']}'")

    def run(self, sql):
        self.connection.execute(sql).fetchall()

    def rows(self):
        return self.connection.execute("SELECT count(*) FROM t").fetchone()[0]

    def status(self):
        return self.connection.execute("SELECT outgrown_status()").fetchone()[0]

    def trace(self, call):
        self.connection.set_trace_callback(call)

    def load(self):
        self.connection.enable_load_extension(True)
        self.connection.load_extension("/usr/lib/x86_64-linux-gnu/outgrown/outgrown_sqlite")

    def close(self):
        self.connection.close()


open = Connection
