"""The real outgrown-exporter of a build, on a free port, and what its tests have in common.

A test file that uses it ends with `exporter_case.main()`; its usage is FILE BUILD_DIR [unittest's arguments].
"""

import contextlib
import ctypes
import http.client
import pathlib
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import unittest

import server_case
import servers

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv[1]).resolve()
PROGRAM = BUILD / "exporter" / "outgrown-exporter"
# Whoever waits for a client that neither sends nor reads waits until civetweb gives that one up, after 5 s.
WAITED_SECONDS = 4
OK, BUSY, CONSTRAINT = 0, 1, 5  # outcomes of a write, as the C API has them


class Exporter(servers.Process):
    """outgrown-exporter on a port that the system chose; the log says which."""

    def __init__(self, folder, *arguments, wrapper=()):
        (folder / "exporter.log").unlink(missing_ok=True)  # an earlier one's, with another address
        super().__init__("exporter", [*wrapper, PROGRAM, "--web.listen-address=127.0.0.1:0", *arguments], folder)
        try:
            found = servers.wait_for("the exporter's address", lambda: re.search(
                r'msg=Listening address=127\.0\.0\.1:(\d+)', self.log.read_text()), alive=[self])
        except servers.NotReady:
            self.stop()
            raise
        self.port = int(found[1])

    def request(self, method, path, body=None, headers=None):
        """Status, headers and body of one request on a connection of its own."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()

    def get(self, path):
        return self.request("GET", path)

    def raw(self, data):
        """Whatever comes back for these bytes until the exporter closes."""
        with contextlib.closing(socket.create_connection(("127.0.0.1", self.port), timeout=10)) as connection:
            connection.sendall(data)
            received = b""
            with contextlib.suppress(ConnectionResetError):
                while chunk := connection.recv(65536):
                    received += chunk
            return received

    def reasons(self):
        """Why the counts of the store `s` are no evidence."""
        return set(re.findall(r'^checkpoint_measurement_problem_info\{database="s",reason="(\w+)"\} 1$',
                              self.get("/metrics")[2], re.M))

    def memory_kib(self, name):
        """A row of /proc/PID/status: VmRSS is what is resident now, VmHWM the most so far."""
        status = pathlib.Path(f"/proc/{self.popen.pid}/status").read_text()
        return int(re.search(rf"^{name}:\s+(\d+)", status, re.M)[1])


def run(*arguments):
    """The exporter's end with these arguments, which don't let it start."""
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=20, check=False)


class CounterBlock:
    """A store's counter block, written through the C API of the library that was built."""

    class Options(ctypes.Structure):
        _fields_ = [("size", ctypes.c_size_t), ("directory", ctypes.c_char_p), ("application", ctypes.c_char_p),
                    ("database", ctypes.c_char_p), ("slots", ctypes.c_uint32), ("log", ctypes.c_void_p),
                    ("log_context", ctypes.c_void_p)]

    def __init__(self, directory, name, database):
        self.library = ctypes.CDLL(str(BUILD / "counterblock" / "liboutgrown.so"))
        self.library.outgrown_open.restype = ctypes.c_void_p
        self.library.outgrown_error.restype = ctypes.c_char_p
        options = self.Options(ctypes.sizeof(self.Options), str(directory).encode(), None, str(database).encode())
        self.store = ctypes.c_void_p(self.library.outgrown_open(name.encode(), ctypes.byref(options)))
        error = self.library.outgrown_error(self.store)
        if error:
            raise RuntimeError(error.decode())

    def record(self, outcome, size_bytes, duration_ns, times=1):
        for _ in range(times):
            self.library.outgrown_record(self.store, ctypes.c_int(outcome), ctypes.c_uint64(size_bytes),
                                         ctypes.c_uint64(duration_ns))

    def close(self):
        self.library.outgrown_close(self.store)


class ExporterCase(unittest.TestCase):
    """Each test has a folder of its own, in it one for counter blocks, and starts the exporters that it needs."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="outgrown-exporter-test."))
        self.addCleanup(shutil.rmtree, self.folder)
        self.blocks = self.folder / "blocks"
        self.blocks.mkdir(mode=0o700)
        self.database = self.folder / "checkpoints.db"
        self.stack = servers.Stack()
        self.addCleanup(self.stack.close)

    def start(self, *arguments, **options):
        return self.stack.start(Exporter(self.folder, *arguments, **options))

    def open_database(self, journal_mode="WAL"):
        """A connection that stays open; with it the database has a table and three rows: four commits."""
        connection = sqlite3.connect(self.database, isolation_level=None, check_same_thread=False)
        self.addCleanup(connection.close)
        connection.execute(f"PRAGMA journal_mode={journal_mode}")
        connection.execute("CREATE TABLE t(x)")
        for _ in range(3):
            connection.execute("INSERT INTO t VALUES (1)")
        return connection


class SharedExporterCase(server_case.ServerCase):
    """The tests ask one `exporter`, which reads an empty folder of counter blocks."""

    @classmethod
    def start(cls):
        (cls.folder / "blocks").mkdir(mode=0o700)
        cls.exporter = cls.stack.start(Exporter(cls.folder, f"--block.dir={cls.folder / 'blocks'}"))


def main():
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
