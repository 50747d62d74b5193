"""What it costs in Python to count one write and how long it took, in ns, as JSON.

Usage: python_bench.py prometheus REPETITIONS
       python_bench.py inserts|requests REPETITIONS OUTGROWN_SQLITE.SO

The first: prometheus_client reads the clock at the start and at the end of the write; the least of the repetitions. It works
on files, as an application with several processes needs it, if PROMETHEUS_MULTIPROC_DIR names a folder.

The second measures each insert with sqlite3 (WAL, synchronous NORMAL, 4 KB, on tmpfs): as it is, seen by the SQLite
observer that is loaded for the whole process, and by the one that outgrown.observe() loads for a connection, in turns. `inserts` are made on one connection for each; of `requests` each opens
a connection of its own and closes it. Quantiles of each repetition, and their median over the repetitions.

report.py runs this with Debian's Python.
"""

import ctypes
import json
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
import timeit

WRITES = 20_000

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

INSERTS = 2_000
REQUESTS = 1_000
PAYLOAD = b"x" * 4096


def connect(folder, name):
    connection = sqlite3.connect(f"{folder}/{name}.db", isolation_level=None)
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def create(folder, name):
    connection = connect(folder, name)
    connection.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t (x)")
    return connection


def insert_on(connection):
    return lambda: connection.execute("INSERT INTO t VALUES (?)", (PAYLOAD,))


class Observer:
    """The SQLite observer. From `come` to `go` it sees every connection that is opened."""

    def __init__(self, path):
        self._load = ctypes.CDLL(path).outgrown_sqlite_load
        self.go = ctypes.CDLL("libsqlite3.so.0").sqlite3_reset_auto_extension

    def come(self):
        if self._load() != 0:
            sys.exit("the SQLite observer cannot be loaded into this Python")


def take_turns(works, number, prepare=lambda name: None):
    """Quantiles of how long each of `works`, by name, takes; `prepare(name)`, before each, is not part of it. In an order
    drawn anew each time, so that none always comes after the same other one, whose rest is in the caches."""
    times = {name: [] for name in works}
    draw, names = random.Random(1), list(works)
    for _ in range(number):
        draw.shuffle(names)
        for name in names:
            work = works[name]
            prepare(name)
            start = time.perf_counter_ns()
            work()
            times[name].append(time.perf_counter_ns() - start)
    return {name: {"p50_ns": statistics.median(all_times), "p999_ns": sorted(all_times)[int(0.999 * number)]}
            for name, all_times in times.items()}


def medians(repetitions):
    """Of each quantile over the repetitions of take_turns."""
    return {name: {key: statistics.median(repetition[name][key] for repetition in repetitions) for key in quantiles}
            for name, quantiles in repetitions[0].items()}


def measure_inserts(folder, observer, repetitions):
    import outgrown

    plain, observed = create(folder, "plain"), outgrown.observe(create(folder, "observe"))
    Observer(observer).come()
    connections = {"plain": plain, "observer": create(folder, "observer"), "observe": observed}

    def repetition():
        for connection in connections.values():
            connection.execute("DELETE FROM t")
        return take_turns({name: insert_on(connection) for name, connection in connections.items()}, INSERTS)

    return medians([repetition() for _ in range(repetitions)])


def measure_requests(folder, observer, repetitions):
    import outgrown

    # They keep the write-ahead log from being removed with the last connection.
    kept = {name: create(folder, name) for name in ("plain", "observer", "observe")}
    library = Observer(observer)

    def request(name):
        def work():
            connection = connect(folder, name)
            if name == "observe":
                connection = outgrown.observe(connection)
            insert_on(connection)()
            connection.close()
        return work

    def prepare(name):
        library.go()
        library.come()
        if name != "observer":
            library.go()

    def repetition():
        for connection in kept.values():
            connection.execute("DELETE FROM t")
        return take_turns({name: request(name) for name in kept}, REQUESTS, prepare)

    return medians([repetition() for _ in range(repetitions)])


def main():
    kind, repetitions = sys.argv[1], int(sys.argv[2])
    if kind in ("inserts", "requests"):
        measure = measure_inserts if kind == "inserts" else measure_requests
        with tempfile.TemporaryDirectory(prefix="outgrown-bench.", dir="/dev/shm") as folder:
            os.environ["OUTGROWN_DIR"] = folder
            measured = measure(folder, sys.argv[3], repetitions)
            missing = {"observer", "observe"} - {file.partition(".v1.counters")[0] for file in os.listdir(folder)}
            if missing:
                sys.exit(f"not counted, so not measured: {missing}")
        print(json.dumps(measured))
        return
    names = {"bounds": BOUNDS}
    exec(PROMETHEUS_SETUP, names)  # once: a metric's name can be registered only once
    times = timeit.repeat(PROMETHEUS, globals=names, repeat=repetitions, number=WRITES)
    print(json.dumps(min(times) / WRITES * 1e9))


main()
