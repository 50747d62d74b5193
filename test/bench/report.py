"""Runs the benchmarks and prints what they measured, side by side, with ratios and the goals of the project.

On one thread a figure is the least of many short repetitions: whatever else runs on the machine can only add to it.
On two threads it is their median, since a repetition in which the threads did not meet is no contention. Ratios are
between figures of one run. A goal that was missed is marked and does not fail the run: that depends on the machine.
"""

import argparse
import collections
import dataclasses
import json
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

# What to print for each benchmark, in this order.
ROWS = [
    ("RecordWithoutClocks/real_time/threads:1", "a record, no clocks, no in-flight mark"),
    ("RecordWithoutClocks/real_time/threads:2", "  on two threads, per record of both together"),
    ("RecordCoarseClock", "a record with the coarse clock (last write)"),
    ("BeginEndWithoutClocks", "a record with the in-flight mark, caller's timestamps"),
    ("BeginEnd", "a record with the in-flight mark and two clocks"),
    ("TwoClocks", "  the two clocks alone"),
    ("CRecordWithoutClocks/real_time/threads:1", "a record through the C ABI, no clocks"),
    ("CRecordWithoutClocks/real_time/threads:2", "  on two threads, per record of both together"),
    ("CBeginEnd", "a record through the C ABI with the mark and two clocks"),
    ("OverflowRecord/real_time/threads:1", "a record with no slot free"),
    ("OverflowRecord/real_time/threads:2", "  on two threads, per record of both together"),
    ("PrometheusIncrementObserve/real_time/threads:1", "prometheus-cpp Increment + Observe"),
    ("PrometheusIncrementObserve/real_time/threads:2", "  on two threads, per record of both together"),
]


@dataclasses.dataclass
class Goal:
    what: str
    value: float
    limit: float
    at_least: bool
    unit: str

    def line(self):
        met = self.value >= self.limit if self.at_least else self.value <= self.limit
        word = "at least" if self.at_least else "at most"
        value, limit = (f"{number:.3g}{self.unit}" for number in (self.value, self.limit))
        return f"  {'met   ' if met else 'MISSED'} {self.what}: {value} (goal: {word} {limit})"


def measure(program, repetitions):
    """The time of each benchmark in ns, and the counters that some report."""
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        subprocess.run(
            [str(program), f"--benchmark_repetitions={repetitions}", "--benchmark_min_time=0.05",
             f"--benchmark_out={out.name}", "--benchmark_out_format=json"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        runs = [run for run in json.load(open(out.name))["benchmarks"] if run["run_type"] == "iteration"]
    times, counters = collections.defaultdict(list), collections.defaultdict(list)
    for run in runs:
        times[run["name"]].append(run["real_time"])
        for counter in ("p50_ns", "p999_ns"):
            if counter in run:
                counters[run["name"].split("/")[0], counter].append(run[counter])
    summary = {name: statistics.median(all_times) if name.endswith("threads:2") else min(all_times)
               for name, all_times in times.items()}
    return summary, {key: min(values) for key, values in counters.items()}


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    processors = sum(1 for line in open("/proc/cpuinfo") if line.startswith("processor"))
    system = next((line.split("=")[1].strip().strip('"') for line in open("/etc/os-release")
                   if line.startswith("PRETTY_NAME")), "?")
    return f"{model}, {processors} processors, {system}, Linux {platform.release()}"


def goals(times, counters):
    one, two = "/real_time/threads:1", "/real_time/threads:2"
    record, c_record, prometheus = "RecordWithoutClocks", "CRecordWithoutClocks", "PrometheusIncrementObserve"
    insert_p50, insert_p999 = counters["SqliteInsert", "p50_ns"], counters["SqliteInsert", "p999_ns"]
    count_p50, count_p999 = counters["CountingLatency", "p50_ns"], counters["CountingLatency", "p999_ns"]
    return [
        Goal("a record without clocks", times[record + one], 3, False, " ns"),
        Goal("prometheus-cpp, times as long, one thread", times[prometheus + one] / times[record + one], 10, True, ""),
        Goal("prometheus-cpp, times as long, two threads", times[prometheus + two] / times[record + two], 30, True, ""),
        Goal("through the C ABI, times as long", times[c_record + one] / times[record + one], 1.5, False, ""),
        Goal("share of two clocks in a record with both", 100 * times["TwoClocks"] / times["BeginEnd"], 50, True, " %"),
        Goal("share of a SQLite insert at the median", 100 * count_p50 / insert_p50, 5, False, " %"),
        Goal("share of a SQLite insert at p99.9", 100 * count_p999 / insert_p999, 5, False, " %"),
        Goal("a counted record at p99.9, clocks included", count_p999 / 1e6, 1, False, " ms"),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True, help="the build folder with the benchmarks in it")
    parser.add_argument("--repetitions", type=int, default=25)
    arguments = parser.parse_args()
    program = arguments.build / "test/bench/counterblock_bench"
    if not program.exists():
        sys.exit(f"{program} is not there: configure with -Dbenchmarks=true")
    print(f"{machine()}\n{arguments.repetitions} repetitions; least of one thread's, median of two threads'\n")
    times, counters = measure(program, arguments.repetitions)
    for name, what in ROWS:
        print(f"  {times[name]:8.2f} ns  {what}")
    for (name, counter), value in sorted(counters.items()):
        print(f"  {value:8.0f} ns  {name}, {counter.removesuffix('_ns').replace('p50', 'median').replace('p999', 'p99.9')}")
    print()
    for goal in goals(times, counters):
        print(goal.line())


main()
