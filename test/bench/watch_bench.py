"""What it costs that the exporter watches stores: an application with a connection for each write, whose every write begins and
ends a life of the write-ahead log's index, and the exporter itself while nobody writes.

The application writes to a watched and to two unwatched databases on one file system, in turns of TURN writes, so that all meet the
same disk. A p99 is one of a hundred writes, and on a real disk that is the disk's own: so it is taken in each of ROUNDS rounds, and
the two unwatched databases say what the same comparison gives of nothing. report.py calls figures(); alone it prints them.

Usage: watch_bench.py BUILD_FOLDER
"""

import itertools
import os
import pathlib
import re
import sqlite3
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "support"))
import servers  # noqa: E402

from tables import Goal, Table, render  # noqa: E402

ROUNDS, TURNS, TURN = 25, 12, 100  # turns of each database in a round, and writes in a turn
WRITES = ROUNDS * TURNS * TURN
KINDS = ("unwatched", "watched", "unwatched, too")
ORDERS = list(itertools.permutations(KINDS))  # each comes first as often, and after each other one
STORES = 1_000
IDLE_SECONDS = 30


def connect(path):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


def create(path):
    connection = connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t(x)")
    return connection


def write(path):
    """Nanoseconds of a connection's life with one commit."""
    begin = time.perf_counter_ns()
    connection = connect(path)
    connection.execute("INSERT INTO t VALUES (1)")
    connection.close()
    return time.perf_counter_ns() - begin


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def value(text, name):
    return float(re.search(rf"(?m)^{name}{{[^}}]*}} (\S+)$", text)[1])


def exporter(stack, program, folder, stores):
    blocks = folder / "blocks"
    blocks.mkdir(mode=0o700)
    return stack.start(servers.exporter(folder, program, [f"--block.dir={blocks}", *(f"--store={path.stem}={path}" for path in stores)]))


def measure_writes(program):
    """Each database's times, a list for each round, and what the exporter counted."""
    with tempfile.TemporaryDirectory() as name, servers.Stack() as stack:
        folder = pathlib.Path(name)
        paths = {}
        for number, kind in enumerate(KINDS):
            (folder / str(number)).mkdir()
            paths[kind] = folder / str(number) / f"store-{number}.db"
            create(paths[kind]).close()
        server = exporter(stack, program, folder, [paths["watched"]])
        servers.get(server.url + "/metrics")  # from here on it counts
        before = value(servers.get(server.url + "/metrics"), "checkpoint_store_commits_total")
        times = {kind: [[] for _ in range(ROUNDS)] for kind in KINDS}
        for turn in range(ROUNDS * TURNS):
            for kind in ORDERS[turn % len(ORDERS)]:
                times[kind][turn // TURNS] += [write(paths[kind]) for _ in range(TURN)]
        text = servers.get(server.url + "/metrics")
        return times, (value(text, "checkpoint_store_commits_total") - before, value(text, "checkpoint_store_commits_missed_total"))


def p99(times):
    return sorted(times)[int(0.99 * len(times))]


def more(quantile, times, kind):
    """Per cent by which a quantile of `kind` exceeds the one of "unwatched" in each round."""
    return [100 * (quantile(its) / quantile(others) - 1) for its, others in zip(times[kind], times["unwatched"])]


def spread(percents):
    """The median, and between which two values the middle half is."""
    low, middle, high = statistics.quantiles(percents, n=4)
    return f"{middle:+.1f} % ({low:+.1f} to {high:+.1f})"


def measure_idle(program):
    """The exporter's share of one processor with open stores that nobody writes to."""
    with tempfile.TemporaryDirectory() as name, servers.Stack() as stack:
        folder = pathlib.Path(name)
        (folder / "stores").mkdir()
        paths = [folder / "stores" / f"store-{number:04}.db" for number in range(STORES)]
        connections = [create(path) for path in paths]
        server = exporter(stack, program, folder, paths)
        servers.get(server.url + "/metrics")
        begin, used = time.monotonic(), cpu_seconds(server.popen.pid)
        time.sleep(IDLE_SECONDS)
        share = (cpu_seconds(server.popen.pid) - used) / (time.monotonic() - begin)
        for connection in connections:
            connection.close()
        return share


def figures(program):
    times, (counted, missed) = measure_writes(program)
    idle = measure_idle(program)
    quantiles = {"median": statistics.median, "p99": p99}
    table = Table("The exporter's watch: an application with a connection for each write, as fast as the disk allows",
                  ["what", "median (µs)", "p99 (µs)"],
                  [*([f"a write, {kind}", *(f"{quantile(sum(times[kind], [])) / 1000:.0f}" for quantile in quantiles.values())]
                     for kind in KINDS),
                   *([f"{kind} against unwatched, in {ROUNDS} rounds: median and middle half",
                      *(spread(more(quantile, times, kind)) for quantile in quantiles.values())] for kind in KINDS[1:])])
    off = 100 * abs(counted - WRITES) / WRITES
    # Of the median round; what two unwatched databases differ by is not the watch's.
    added = statistics.median(more(p99, times, "watched")) - statistics.median(more(p99, times, "unwatched, too"))
    goals = [
        Goal(f"{WRITES:,} commits, a connection each: the exporter's count is off by ({missed:.0f} lives known to be missed)", off, 1, False, " %"),
        Goal("what the watch adds to the p99 of such a write, beyond what two unwatched databases differ by", added, 5, False, " %"),
        Goal(f"the exporter's share of one processor, {STORES:,} idle stores", 100 * idle, 1, False, " %"),
    ]
    return table, goals


if __name__ == "__main__":
    watch_table, watch_goals = figures(pathlib.Path(sys.argv[1]).resolve() / "exporter" / "outgrown-exporter")
    print(render("", [watch_table], watch_goals, markdown=False), end="")
