"""What it costs in Python to count one write and how long it took: the least of several repetitions, in ns, as JSON.

Usage: python_bench.py outgrown|prometheus REPETITIONS

Both read the clock at the start and at the end of the write. prometheus_client works on files, as an application with
several processes needs it, if PROMETHEUS_MULTIPROC_DIR names a folder. report.py runs this with Debian's Python.
"""

import json
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


def main():
    kind, repetitions = sys.argv[1], int(sys.argv[2])
    statement, setup = {"outgrown": (OUTGROWN, OUTGROWN_SETUP), "prometheus": (PROMETHEUS, PROMETHEUS_SETUP)}[kind]
    with tempfile.TemporaryDirectory(prefix="outgrown-bench.", dir="/dev/shm") as folder:
        names = {"folder": folder, "bounds": BOUNDS}
        exec(setup, names)  # once: a metric's name can be registered only once
        times = timeit.repeat(statement, globals=names, repeat=repetitions, number=WRITES)
    print(json.dumps(min(times) / WRITES * 1e9))


main()
