"""What it costs in Python to count one write and how long it took: the least of several repetitions, in ns, as JSON.

Usage: python_bench.py outgrown|prometheus REPETITIONS
       python_bench.py inserts REPETITIONS OUTGROWN_SQLITE.SO

The second measures a whole insert with sqlite3 (WAL, synchronous NORMAL, 4 KB, on tmpfs): as it is, seen by the SQLite
observer, and through outgrown.observe(), in turns. The first: outgrown and prometheus both read the clock at the start and at the end of the write. prometheus_client works on files, as an application with
several processes needs it, if PROMETHEUS_MULTIPROC_DIR names a folder. report.py runs this with Debian's Python.
"""

import ctypes
import json
import os
import sqlite3
import sys
import tempfile
import timeit

WRITES = 20_000

OUTGROWN_SETUP = """
from outgrown.block import open_store
from outgrown.outcome import Outcome
store = open_store("bench", directory=folder)
begin, end, ok = store.begin, store.end, Outcome.OK
"""
OUTGROWN = "end(begin(), ok, 4096)"

PROMETHEUS_SETUP = """
from time import perf_counter
from prometheus_client import Counter, Histogram
counter = Counter("writes", "Writes.", ["status"]).labels("success")
histogram = Histogram("write_seconds", "Durations.", buckets=bounds)
"""
PROMETHEUS = """
start = perf_counter()
counter.inc()
histogram.observe(perf_counter() - start)
"""

# counterblock/buckets.h, kExposedBoundsNs.
BOUNDS = [1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.2, 0.3, 0.5, 0.7,
          1.0, 2.0, 5.0, 10.0, 30.0]


INSERTS = 500


def connect(folder, name):
    connection = sqlite3.connect(f"{folder}/{name}.db", isolation_level=None)
    connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE t (x)")
    return connection


def measure_inserts(folder, observer, repetitions):
    import outgrown

    os.environ["OUTGROWN_DIR"] = folder
    plain, observed = connect(folder, "plain"), outgrown.observe(connect(folder, "observed"))
    # Last of all: from here on it sees every connection that is opened.
    if ctypes.CDLL(observer).outgrown_sqlite_load() != 0:
        sys.exit("the SQLite observer cannot be loaded into this Python")
    connections = {"plain": plain, "observer": connect(folder, "observer"), "observe": observed}
    payload = b"x" * 4096
    times = {name: [] for name in connections}
    for _ in range(repetitions):
        for name, connection in connections.items():
            connection.execute("DELETE FROM t")
            insert = lambda: connection.execute("INSERT INTO t VALUES (?)", (payload,))
            times[name].append(timeit.timeit(insert, number=INSERTS) / INSERTS * 1e9)
    return {name: min(several) for name, several in times.items()}


def main():
    kind, repetitions = sys.argv[1], int(sys.argv[2])
    if kind == "inserts":
        with tempfile.TemporaryDirectory(prefix="outgrown-bench.", dir="/dev/shm") as folder:
            print(json.dumps(measure_inserts(folder, sys.argv[3], repetitions)))
        return
    statement, setup = {"outgrown": (OUTGROWN, OUTGROWN_SETUP), "prometheus": (PROMETHEUS, PROMETHEUS_SETUP)}[kind]
    with tempfile.TemporaryDirectory(prefix="outgrown-bench.", dir="/dev/shm") as folder:
        names = {"folder": folder, "bounds": BOUNDS}
        exec(setup, names)  # once: a metric's name can be registered only once
        times = timeit.repeat(statement, globals=names, repeat=repetitions, number=WRITES)
    print(json.dumps(min(times) / WRITES * 1e9))


main()
