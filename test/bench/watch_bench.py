"""What it costs that the exporter watches stores: an application with a connection for each write, whose every write begins and
ends a life of the write-ahead log's index, and the exporter itself while nobody writes.

The application writes to a watched and to two unwatched databases on one file system, in turns of TURN writes, so that all meet the
same disk. Each round has databases of its own: one whose inode shares a block with its log's waits for the disk once less for each
write (ext4), which is more than the watch costs. A p99 is one of a hundred writes, and on a real disk that is the disk's own. So what
the watch adds is the median over the rounds, with the interval that resampled rounds give (bootstrap): that of the p99 of all
writes is twice as wide, since the disk's slow moments fall into few rounds. The two unwatched databases are compared as well, to say
what the comparison gives of nothing. report.py calls figures(); alone it prints them.

Usage: watch_bench.py BUILD_FOLDER
"""

import itertools
import os
import pathlib
import random
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

ROUNDS, TURNS, TURN = 25, 60, 20  # turns of each database in a round, and writes in a turn
WRITES = ROUNDS * TURNS * TURN
KINDS = ("unwatched", "watched", "unwatched, too")
ORDERS = list(itertools.permutations(KINDS))  # each comes first as often, and after each other one
STORES = 1_000
IDLE_SECONDS = 30
RESAMPLES = 1_000


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


def total(text, name):
    """Of all stores."""
    return sum(map(float, re.findall(rf"(?m)^{name}{{[^}}]*}} (\S+)$", text)))


def exporter(stack, program, folder, stores):
    blocks = folder / "blocks"
    blocks.mkdir(mode=0o700)
    return stack.start(servers.exporter(folder, program, [f"--block.dir={blocks}", *(f"--store={path.stem}={path}" for path in stores)]))


def measure_writes(program):
    """Each kind's times, a list for each round, and what the exporter counted."""
    with tempfile.TemporaryDirectory() as name, servers.Stack() as stack:
        folder = pathlib.Path(name)
        paths = {kind: [] for kind in KINDS}
        for number in range(ROUNDS):
            for kind in ORDERS[number % len(ORDERS)]:
                home = folder / f"{number}-{KINDS.index(kind)}"
                home.mkdir()
                paths[kind].append(home / f"store-{number}.db")
                create(paths[kind][-1]).close()
        server = exporter(stack, program, folder, paths["watched"])
        servers.get(server.url + "/metrics")  # from here on it counts
        before = total(servers.get(server.url + "/metrics"), "checkpoint_store_commits_total")
        times = {kind: [[] for _ in range(ROUNDS)] for kind in KINDS}
        for turn in range(ROUNDS * TURNS):
            number = turn // TURNS
            for kind in ORDERS[turn % len(ORDERS)]:
                times[kind][number] += [write(paths[kind][number]) for _ in range(TURN)]
        text = servers.get(server.url + "/metrics")
        return times, (total(text, "checkpoint_store_commits_total") - before, total(text, "checkpoint_store_commits_missed_total"))


def p99(times):
    return sorted(times)[int(0.99 * len(times))]


def flat(rounds):
    return list(itertools.chain.from_iterable(rounds))


def more(quantile, times, others):
    """Per cent by which a quantile of `times` exceeds that of `others` in each round."""
    return [100 * (quantile(its) / quantile(theirs) - 1) for its, theirs in zip(times, others)]


def median_and_interval(percents):
    """The median over the rounds, and its 90 % interval."""
    choose = random.Random(1)
    resampled = [statistics.median(choose.choices(percents, k=len(percents))) for _ in range(RESAMPLES)]
    twentieths = statistics.quantiles(resampled, n=20)
    return f"{statistics.median(percents):+.1f} % ({twentieths[0]:+.1f} to {twentieths[-1]:+.1f})"


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
    unwatched = [one + two for one, two in zip(times["unwatched"], times["unwatched, too"])]
    comparisons = {"watched against both unwatched": (times["watched"], unwatched),
                   "unwatched, too against unwatched": (times["unwatched, too"], times["unwatched"])}
    table = Table("The exporter's watch: an application with a connection for each write, as fast as the disk allows",
                  ["what", "median (µs)", "p99 (µs)"],
                  [*([f"a write, {kind}", *(f"{quantile(flat(times[kind])) / 1000:.0f}" for quantile in quantiles.values())]
                     for kind in KINDS),
                   *([f"{what}, median of {ROUNDS} rounds (90 % interval)",
                      *(median_and_interval(more(quantile, *both)) for quantile in quantiles.values())]
                     for what, both in comparisons.items())])
    off = 100 * abs(counted - WRITES) / WRITES
    added = statistics.median(more(p99, times["watched"], unwatched))
    goals = [
        Goal(f"{WRITES:,} commits, a connection each: the exporter's count is off by ({missed:.0f} lives known to be missed)", off, 1, False, " %"),
        Goal("what the watch adds to the p99 of such a write, median of the rounds", added, 5, False, " %"),
        Goal(f"the exporter's share of one processor, {STORES:,} idle stores", 100 * idle, 1, False, " %"),
    ]
    return table, goals


if __name__ == "__main__":
    watch_table, watch_goals = figures(pathlib.Path(sys.argv[1]).resolve() / "exporter" / "outgrown-exporter")
    print(render("", [watch_table], watch_goals, markdown=False), end="")
