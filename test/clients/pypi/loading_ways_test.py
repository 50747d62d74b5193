"""outgrown.observe() and the observer loaded for the whole process, under LangGraph's savers: alone or together, the counts are
the same, and they are what the application saw."""

import flavour  # noqa: F401  first of all

import json
import os
import pathlib
import sqlite3
import subprocess
import sys

from support import StoreTest

WRITER = pathlib.Path(__file__).with_name("writer.py")
PUTS = 20


class Writers(StoreTest):
    def start(self, database, way, kind, puts=PUTS):
        command = [sys.executable, str(WRITER), self.path(database), way, kind, str(puts)]
        return subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def answer(self, process):
        out, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, err)
        return json.loads(out)


class Ways(Writers):
    def test_every_way_counts_what_the_application_saw(self):
        for kind in ("sync", "async"):
            for way in ("observe", "process", "both"):
                with self.subTest(f"{kind}, {way}"):
                    store = f"{kind}-{way}"
                    answer = self.answer(self.start(store + ".db", way, kind))
                    seen = answer["seen"]
                    self.assertEqual(seen, {"ok": 2 * (PUTS - PUTS // 5), "busy": PUTS // 5})
                    # The saver's setup() changes to the write-ahead log and creates two tables, each on its own.
                    self.assertEqual(self.counts(store), {**seen, "ok": seen["ok"] + 3}, answer["loaded"])

    def test_the_flavour_is_what_it_says(self):
        sqlite3.connect(":memory:").close()
        linked_statically = "libsqlite3.so" not in pathlib.Path("/proc/self/maps").read_text()
        loads_extensions = hasattr(sqlite3.Connection, "enable_load_extension")
        expected = {"static": (True, True), "debian": (False, True), "without-load-extension": (False, False)}
        self.assertEqual((linked_statically, loads_extensions), expected[os.environ["OUTGROWN_TEST_FLAVOUR"]])

    def test_the_ctypes_call_says_whether_there_is_a_libsqlite3(self):
        program = "import flavour, ctypes, os, sqlite3; print(ctypes.CDLL(os.environ['OUTGROWN_OBSERVER']).outgrown_sqlite_load())"
        environment = {**os.environ, "PYTHONPATH": str(WRITER.parent)}
        done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
        missing = os.environ["OUTGROWN_TEST_FLAVOUR"] == "static"
        self.assertEqual((done.stdout, done.stderr), (f"{int(missing)}\n", ""))


class TwoProcesses(Writers):
    def test_two_processes_on_one_file_lose_nothing(self):
        setup = self.start("app.db", "nothing", "sync", 0)
        self.answer(setup)
        before = os.path.exists(self.path("app.v1.counters"))
        self.assertFalse(before)
        writers = [self.start("app.db", "observe", kind, 60) for kind in ("sync", "async")]
        seen = [self.answer(process)["seen"] for process in writers]
        self.assertEqual(self.counts(), {what: sum(each[what] for each in seen) for what in ("ok", "busy")})
        self.assertGreater(sum(each["ok"] for each in seen), 150)
