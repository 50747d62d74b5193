"""apsw for script.py."""

import apsw

Error = apsw.Error


def observe():
    connection = apsw.Connection(":memory:")
    connection.enable_load_extension(True)
    connection.load_extension("/usr/lib/x86_64-linux-gnu/outgrown/outgrown_sqlite")


def code(error):
    return error.extendedresult


class Connection:
    def __init__(self, path, timeout):
        self.connection = apsw.Connection(path)
        self.connection.setbusytimeout(timeout)

    def run(self, sql):
        for _ in self.connection.cursor().execute(sql):
            pass

    def rows(self):
        return next(iter(self.connection.cursor().execute("SELECT count(*) FROM t")))[0]

    def trace(self, call):
        self.connection.trace_v2(apsw.SQLITE_TRACE_STMT, call)

    def load(self):
        self.connection.enable_load_extension(True)
        self.connection.load_extension("/usr/lib/x86_64-linux-gnu/outgrown/outgrown_sqlite")

    def close(self):
        self.connection.close()


open = Connection
