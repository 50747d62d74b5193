"""Is the ceiling that a store's write lock predicts at a third of its load the throughput that it really reaches?

For each time that a transaction holds the lock, each setting of PRAGMA synchronous and each number of writers (processes, each
under the SQLite observer): the writers are paced to a third of what one of them reaches, and the ceiling is read from the
counter block as the exporter's rules compute it, holds over held time. Then all write as fast as they can.

Usage: ceiling_test.py BUILD_FOLDER [--seconds N] [--markdown FILE] [--svg FILE]
"""

import argparse
import itertools
import math
import os
import pathlib
import subprocess
import sys
import tempfile

HOLDS_MS = (0.1, 5, 20, 80)
SYNCHRONOUS = ("NORMAL", "FULL")
WRITERS = (1, 4, 8)
PYTHON = "/usr/bin/python3"  # its sqlite3 loads extensions

# Reads "RATE SECONDS" lines: writes so often (0: as often as it can) for that long, then prints how many it committed.
WRITER = """
import sqlite3, sys, time
observer = sqlite3.connect(":memory:")
observer.enable_load_extension(True)
observer.load_extension(sys.argv[2])
c = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
c.execute("PRAGMA synchronous=" + sys.argv[3])
hold = float(sys.argv[4]) / 1000
def write():
    c.execute("BEGIN IMMEDIATE")
    until = time.perf_counter() + hold
    c.execute("INSERT INTO t VALUES (randomblob(100))")
    if hold > 0.001: time.sleep(max(0, until - time.perf_counter() - 0.0002))
    while time.perf_counter() < until: pass
    c.execute("COMMIT")
print("ready", flush=True)
for line in sys.stdin:
    rate, seconds = map(float, line.split())
    begin = due = time.perf_counter()
    done = 0
    while time.perf_counter() < begin + seconds:
        write()
        done += 1
        if rate:
            due += 1 / rate
            time.sleep(max(0, due - time.perf_counter()))
    print(done, flush=True)
"""


class Store:
    """A database in WAL mode, its writers, and what its counter block says."""

    def __init__(self, build, folder, synchronous, hold_ms, writers):
        self.build, self.folder = build, folder
        path = folder / "store.db"
        subprocess.run([PYTHON, "-c", "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA journal_mode=WAL'); "
                        "c.execute('CREATE TABLE t(x)')", path], check=True)
        command = [PYTHON, "-c", WRITER, path, build / "clients" / "sqlite_observer" / "outgrown_sqlite.so", synchronous, str(hold_ms)]
        self.writers = [subprocess.Popen(command, env=os.environ | {"OUTGROWN_DIR": str(folder)}, stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True) for _ in range(writers)]
        for writer in self.writers:
            assert writer.stdout.readline() == "ready\n"

    def close(self):
        for writer in self.writers:
            writer.stdin.close()
            writer.wait()
            writer.stdout.close()

    def write(self, rate, seconds, writers):
        """Writes a second of so many writers together, paced to `rate` together; 0: as many as they can."""
        for writer in self.writers[:writers]:
            writer.stdin.write(f"{rate / writers} {seconds}\n")
            writer.stdin.flush()
        return sum(int(writer.stdout.readline()) for writer in self.writers[:writers]) / seconds

    def lock(self):
        text = subprocess.run([self.build / "counterblock" / "outgrown-block", self.folder, "store"], check=True, capture_output=True,
                              text=True).stdout
        values = dict(line.split(" ", 1) for line in text.splitlines())
        return int(values["lock_holds"]), int(values["lock_held_ns"]) / 1e9, int(values["writes_ok"])


def measure(build, synchronous, hold_ms, writers, seconds):
    """Ceiling as predicted, utilisation then, writes a second as reached."""
    with tempfile.TemporaryDirectory() as name:
        store = Store(build, pathlib.Path(name), synchronous, hold_ms, writers)
        one = store.write(0, seconds / 3, 1)
        before = store.lock()
        store.write(one / 3, seconds, writers)
        holds, held, writes = (after - first for after, first in zip(store.lock(), before))
        if holds < 0.95 * writes:
            sys.exit(f"only {holds} of {writes} writes were timed")
        reached = store.write(0, seconds, writers)
        store.close()
    return holds / held, held / seconds, reached


def wrong(hold_ms, predicted, reached):
    """What the prediction must not be; "" if it is right."""
    if predicted > 1.15 * reached:
        return "more than 15 % above what was reached"
    if hold_ms >= 5 and predicted < 0.8 * reached:
        return "more than 20 % below what was reached"
    return ""


def markdown(rows):
    lines = ["| synchronous | a transaction holds the lock | writers | busy | predicted ceiling | reached | predicted / reached |",
             "|---|---|---|---|---|---|---|"]
    lines += [f"| {synchronous} | {hold_ms:g} ms | {writers} | {100 * busy:.0f} % | {predicted:,.4g}/s | {reached:,.4g}/s | {predicted / reached:.2f} |"
              for synchronous, hold_ms, writers, predicted, busy, reached in rows]
    return "\n".join(lines) + "\n"


def svg(rows):
    """Predicted over reached, both logarithmic; on the line they are equal."""
    size, margin, low, high = 440, 66, 1, 4.7

    def at(value):
        return margin + (math.log10(value) - low) / (high - low) * (size - 2 * margin)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" font-family="sans-serif" font-size="12">',
             f'<rect width="{size}" height="{size}" fill="white"/>',
             f'<line x1="{margin}" y1="{size - margin}" x2="{size - margin}" y2="{margin}" stroke="#999" stroke-dasharray="4"/>']
    for decade in (10, 100, 1000, 10_000):
        place = at(decade)
        parts += [f'<line x1="{place:.1f}" y1="{margin}" x2="{place:.1f}" y2="{size - margin}" stroke="#ddd"/>',
                  f'<line x1="{margin}" y1="{size - place:.1f}" x2="{size - margin}" y2="{size - place:.1f}" stroke="#ddd"/>',
                  f'<text x="{place:.1f}" y="{size - margin + 18}" text-anchor="middle">{decade:,}</text>',
                  f'<text x="{margin - 6}" y="{size - place + 4:.1f}" text-anchor="end">{decade:,}</text>']
    for synchronous, _, writers, predicted, _, reached in rows:
        fill = "#1f77b4" if synchronous == "NORMAL" else "none"
        parts.append(f'<circle cx="{at(reached):.1f}" cy="{size - at(predicted):.1f}" r="{3 + writers / 4}" fill="{fill}" '
                     'fill-opacity="0.5" stroke="#1f77b4"/>')
    parts += [f'<text x="{size / 2}" y="{size - 20}" text-anchor="middle">writes a second that were reached</text>',
              f'<text x="14" y="{size / 2}" text-anchor="middle" transform="rotate(-90 14 {size / 2})">ceiling predicted at a third of the load</text>',
              f'<text x="{margin}" y="40">filled: NORMAL, open: FULL; larger: more writers</text>', "</svg>"]
    return "\n".join(parts) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=4, help="how long each load lasts (default: 4)")
    parser.add_argument("--markdown", type=pathlib.Path, help="write the table there")
    parser.add_argument("--svg", type=pathlib.Path, help="write the picture there")
    arguments = parser.parse_args()
    rows, faults = [], 0
    for synchronous, hold_ms, writers in itertools.product(SYNCHRONOUS, HOLDS_MS, WRITERS):
        predicted, busy, reached = measure(arguments.build.resolve(), synchronous, hold_ms, writers, arguments.seconds)
        rows.append((synchronous, hold_ms, writers, predicted, busy, reached))
        fault = wrong(hold_ms, predicted, reached)
        faults += bool(fault)
        print(f"{synchronous:6} {hold_ms:5g} ms {writers} writers: predicted {predicted:9,.1f}/s at {100 * busy:3.0f} % busy, "
              f"reached {reached:9,.1f}/s {fault}", flush=True)
    if arguments.markdown:
        arguments.markdown.write_text(markdown(rows), encoding="utf-8")
    if arguments.svg:
        arguments.svg.write_text(svg(rows), encoding="utf-8")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
