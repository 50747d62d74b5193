"""What a scrape costs the exporter: processor time and memory by the number of stores, beside the exporter of commit c28e3b6,
prometheus-node-exporter and a bare prometheus-cpp Exposer with the same series.

The stores are in WAL mode, each open in an application that has written once, some seconds before, and has a counter block. Processor time is the
process' own (CLOCK_PROCESS_CPUTIME_ID of another process), the least of several scrapes: other programs can only add to it.

Usage, to measure this alone: scrape_bench.py BUILD_DIR [STORES...]
"""

import contextlib
import ctypes
import dataclasses
import io
import os
import pathlib
import re
import resource
import sqlite3
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "support"))
import servers  # noqa: E402

from tables import Goal, Table, render  # noqa: E402

OLD = "c28e3b6"  # each store had a thread of its own, and the page was built twice
STORES = [1, 100, 1000, 10_000]
SCRAPES = 25
COMPARED = 1000
IDLE_SECONDS = 4  # after which the log of a store is known as unchanged (kClockTickNs, commit_counter.cc), as between real scrapes
OF_ONE_APPLICATION = 500  # opening a store takes longer the more of them a process has


class Options(ctypes.Structure):
    """outgrown_options (counterblock/outgrown.h)."""

    _fields_ = [("size", ctypes.c_size_t), ("directory", ctypes.c_char_p), ("application", ctypes.c_char_p),
                ("database", ctypes.c_char_p), ("slots", ctypes.c_uint32), ("log", ctypes.c_void_p), ("context", ctypes.c_void_p)]


def application(library, folder, first, end):
    """A process with the stores first..end-1 open, until its standard input ends."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    loaded = ctypes.CDLL(library)
    loaded.outgrown_open.restype = ctypes.c_void_p
    loaded.outgrown_error.restype = ctypes.c_char_p
    connections = []
    for number in range(int(first), int(end)):
        path = f"{folder}/store-{number:05}.db"
        connections.append(sqlite3.connect(path))
        connections[-1].executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; CREATE TABLE t(x); INSERT INTO t VALUES (1)")
        options = Options(ctypes.sizeof(Options), f"{folder}/blocks".encode(), None, path.encode(), 4)
        store = ctypes.c_void_p(loaded.outgrown_open(f"store-{number:05}".encode(), ctypes.byref(options)))
        if error := loaded.outgrown_error(store):
            sys.exit(error.decode())
        for duration_ns in range(100_000, 30_000_000, 1_000_000):
            loaded.outgrown_record(store, 0, ctypes.c_uint64(4096), ctypes.c_uint64(duration_ns))
    print("ready", flush=True)
    sys.stdin.read()


@contextlib.contextmanager
def stores(library, count):
    """A folder with `count` open stores, and their blocks in its folder blocks."""
    with tempfile.TemporaryDirectory(prefix="outgrown-bench.", dir="/dev/shm") as folder, contextlib.ExitStack() as stack:
        (pathlib.Path(folder) / "blocks").mkdir(mode=0o700)
        applications = []
        for first in range(0, count, OF_ONE_APPLICATION):
            command = [sys.executable, __file__, "--application", library, folder, first, min(count, first + OF_ONE_APPLICATION)]
            process = stack.enter_context(subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                                           env={**os.environ, "OUTGROWN_STORES_MAX": str(OF_ONE_APPLICATION)}))
            stack.callback(process.stdin.close)
            applications.append(process)
        for process in applications:
            if process.stdout.readline() != b"ready\n":
                raise RuntimeError("an application with stores has failed")
        time.sleep(IDLE_SECONDS)
        yield pathlib.Path(folder)


def scrape(url, accept="identity"):
    """The answer's body, as it was sent."""
    request = urllib.request.Request(url + "/metrics", headers={"Accept-Encoding": accept})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def cpu_seconds(pid):
    # clock_getcpuclockid(3): the processor time of all threads of a process, also of those that have ended.
    return time.clock_gettime(~pid << 3 | 2)


def memory_mib(pid, name):
    return int(re.search(rf"^{name}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)[1]) / 1024


@dataclasses.dataclass
class Seen:
    """What the scrapes of a server showed."""

    cpu_ms: float  # the least
    wall_ms: float  # the median
    peak_mib: float
    body: bytes
    series: int

    @property
    def us_a_series(self):
        return 1000 * self.cpu_ms / self.series

    @property
    def page_mib(self):
        return len(self.body) / (1 << 20)


def measure(server, accept="identity", scrapes=SCRAPES):
    pid = server.popen.pid
    text = scrape(server.url)
    series = sum(1 for line in text.splitlines() if line and not line.startswith(b"#"))
    for _ in range(2):
        body = scrape(server.url, accept)
    cpu, wall = [], []
    for _ in range(scrapes):
        used, begin = cpu_seconds(pid), time.perf_counter()
        scrape(server.url, accept)
        wall.append(time.perf_counter() - begin)
        time.sleep(0.01)  # the end of what it began beside, such as the end of threads
        cpu.append(cpu_seconds(pid) - used)
    return Seen(1000 * min(cpu), 1000 * statistics.median(wall), memory_mib(pid, "VmHWM"), body, series)


def exporter(stack, program, folder):
    return stack.start(servers.exporter(folder, program, [f"--block.dir={folder / 'blocks'}"]))


def old_exporter(folder):
    """The exporter of that commit; None in a clone without it."""
    program = folder / "build/exporter/outgrown-exporter"
    if program.exists():
        return program
    done = subprocess.run(["git", "archive", OLD], cwd=ROOT, capture_output=True)
    if done.returncode != 0:
        return None
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder / "source")
    for command in (["meson", "setup", folder / "build", folder / "source", "-Dbuildtype=release", "-Dtests=false", "-De2e=false"],
                    ["ninja", "-C", folder / "build", "exporter/outgrown-exporter"]):
        subprocess.run([str(word) for word in command], stdout=subprocess.DEVNULL, check=True)
    return program


def measure_exporters(build, program, counts):
    """By the number of stores: what this exporter showed, and by the name of another server what that did."""
    ours, others = {}, {}
    before = old_exporter(build / "old-exporter")
    for count in counts:
        with stores(build / "counterblock/liboutgrown.so.0", count) as folder, servers.Stack() as stack:
            ours[count] = measure(exporter(stack, program, folder))
            if count != COMPARED:
                continue
            if before:
                others[OLD] = measure(exporter(stack, before, folder))
            (folder / "page").write_bytes(ours[count].body)
            bare = stack.start(servers.Process("exposer", [build / "test/bench/exposer_bench", folder / "page"], folder))
            bare.url = "http://127.0.0.1:" + servers.wait_for("the exposer's port", bare.log.read_text, alive=[bare]).strip()
            others["bare"] = measure(bare)
            others["bare, gzip"] = measure(bare, "gzip", 5)
    return ours, others


def node_exporter(arguments):
    with tempfile.TemporaryDirectory() as folder, servers.Stack() as stack:
        port = servers.free_port()
        return measure(stack.start(servers.Server(
            "node_exporter", ["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{port}", *arguments], folder, port,
            "/", {"GOGC": "100"})), scrapes=100)


def gzip_figures(body):
    """CPU in ms and size in MiB of the page compressed as zlib does by default, and as fast as it can."""
    figures = {}
    for level in (6, 1):
        begin = time.process_time()
        size = len(zlib.compress(body, level))
        figures[level] = (1000 * (time.process_time() - begin), size / (1 << 20))
    return figures


def row(what, seen):
    return [what, str(seen.series), f"{seen.page_mib:.2f}", f"{seen.cpu_ms:.2f}", f"{seen.us_a_series:.2f}", f"{seen.wall_ms:.1f}",
            f"{seen.peak_mib:.1f}"]


def figures(build, counts=STORES):
    build = build.resolve()
    program = build / "exporter/outgrown-exporter"
    ours, others = measure_exporters(build, program, counts)
    nodes = {"default": node_exporter([]), "one collector": node_exporter(["--collector.disable-defaults", "--collector.loadavg"])}
    compared = ours[COMPARED]
    gzip = gzip_figures(compared.body)
    rows = [row(f"this exporter, {count} stores", seen) for count, seen in ours.items()]
    if OLD in others:
        rows.append(row(f"the exporter of {OLD}, {COMPARED} stores", others[OLD]))
    rows += [row("a bare prometheus-cpp Exposer, the same series", others["bare"]),
             row("the same, gzip", others["bare, gzip"])]
    rows += [row(f"prometheus-node-exporter, {name}", seen) for name, seen in nodes.items()]
    table = Table("A scrape", ["of", "series", "page (MiB)", "CPU (ms)", "CPU a series (µs)", "wall (ms)", "peak memory (MiB)"], rows)
    gzip_table = Table(f"gzip of the page of {COMPARED} stores, {compared.page_mib:.2f} MiB, which takes {compared.cpu_ms:.1f} ms to make and send",
                       ["level", "CPU (ms)", "sent (MiB)"],
                       [[str(level), f"{ms:.1f}", f"{mib:.2f}"] for level, (ms, mib) in gzip.items()])
    small, large = min(ours), max(ours)
    goals = [
        *([Goal(f"CPU of a scrape of {COMPARED} stores, times that of {OLD}", compared.cpu_ms / others[OLD].cpu_ms, 0.5, False)]
          if OLD in others else []),
        *([Goal(f"one of {large} stores, times one of {COMPARED}", ours[large].cpu_ms / large / (compared.cpu_ms / COMPARED), 1.2, False)]
          if large > COMPARED else []),
        Goal(f"peak of resident memory, {small} store", ours[small].peak_mib, 8, False, " MiB"),
        Goal(f"  and what {COMPARED} stores add, times their page", (compared.peak_mib - ours[small].peak_mib) / compared.page_mib, 1.5, False),
        *(Goal(f"CPU a series, times that of {name}", compared.us_a_series / seen.us_a_series, 1, False)
          for name, seen in (("a bare Exposer", others["bare"]), ("node_exporter, default", nodes["default"]),
                             ("node_exporter, one collector", nodes["one collector"]))),
    ]
    return [table, gzip_table], goals


def main():
    if sys.argv[1] == "--application":
        application(*sys.argv[2:])
        return
    tables, goals = figures(pathlib.Path(sys.argv[1]), [int(count) for count in sys.argv[2:]] or STORES)
    print(render("", tables, goals, markdown=False), end="")


if __name__ == "__main__":
    main()
