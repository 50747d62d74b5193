"""Runs the benchmarks and prints what they measured, side by side, with ratios and the goals of the project.

On one thread a figure is the least of many short repetitions: whatever else runs on the machine can only add to it.
On two threads it is their median, since a repetition in which the threads did not meet is no contention. So are quantiles,
since the least p99.9 of several is none, and differences: what the observer and outgrown.observe() cost. Ratios are between figures of one run. A goal that was missed is marked
and does not fail the run: that depends on the machine.
"""

import argparse
import collections
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

import fleet_bench
import generate_bench
import langgraph_figures
import scrape_bench
import watch_bench
from tables import Goal, Table, render, replace_section

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTHON = "/usr/bin/python3"  # Debian's, whose packages are installed
ONE, TWO = "/real_time/threads:1", "/real_time/threads:2"
RECORD, C_RECORD, PROMETHEUS = "RecordWithoutClocks", "CRecordWithoutClocks", "PrometheusIncrementObserve"

RECORD_ROWS = [
    (RECORD + ONE, "a record, no clocks, no in-flight mark"),
    (RECORD + TWO, "the same, two threads, per record of both together"),
    ("RecordCoarseClock", "a record with the coarse clock (last write)"),
    ("BeginEndWithoutClocks", "a record with the in-flight mark, caller's timestamps"),
    ("BeginEnd", "a record with the in-flight mark and two clocks"),
    ("TwoClocks", "the two clocks alone"),
    (C_RECORD + ONE, "a record through the C ABI, no clocks"),
    (C_RECORD + TWO, "the same, two threads, per record of both together"),
    ("CBeginEnd", "a record through the C ABI with the mark and two clocks"),
    ("OverflowRecord" + ONE, "a record with no slot free"),
    ("OverflowRecord" + TWO, "the same, two threads, per record of both together"),
    (PROMETHEUS + ONE, "prometheus-cpp Increment + Observe"),
    (PROMETHEUS + TWO, "the same, two threads, per record of both together"),
]
OBSERVER_ROWS = [
    ("ObservedInsert", "insert, temporary folder"),
    ("ObservedInsertOnTmpfs", "insert, tmpfs"),
    ("ObservedTransaction", "BEGIN IMMEDIATE, insert, COMMIT, temporary folder"),
    ("ObservedSelect", "select of one row"),
]


def run_benchmark(command, repetitions):
    """Google Benchmark's runs, without its own averages."""
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        subprocess.run(
            [*map(str, command), f"--benchmark_repetitions={repetitions}", "--benchmark_min_time=0.05",
             f"--benchmark_out={out.name}", "--benchmark_out_format=json"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return [run for run in json.load(open(out.name))["benchmarks"] if run["run_type"] == "iteration"]


def measure_records(program, repetitions):
    """The time of each benchmark in ns, and the quantiles that some report."""
    times, quantiles = collections.defaultdict(list), collections.defaultdict(list)
    for run in run_benchmark([program], repetitions):
        times[run["name"]].append(run["real_time"])
        for quantile in ("p50_ns", "p999_ns"):
            if quantile in run:
                quantiles[run["name"].split("/")[0], quantile].append(run[quantile])
    summary = {name: statistics.median(all_times) if name.endswith("threads:2") else min(all_times)
               for name, all_times in times.items()}
    return summary, {key: statistics.median(values) for key, values in quantiles.items()}


def measure_observer(program, extension, repetitions):
    """Each benchmark's counters: medians over the repetitions."""
    counters = collections.defaultdict(lambda: collections.defaultdict(list))
    for run in run_benchmark([program, extension], repetitions):
        for name in ("plain_p50_ns", "observed_p50_ns", "cost_ns", "cost_percent", "plain_p999_ns", "observed_p999_ns"):
            counters[run["name"].split("/")[0]][name].append(run[name])
    return {name: {key: statistics.median(values) for key, values in by_key.items()} for name, by_key in counters.items()}


def run_python_bench(environment, *arguments):
    done = subprocess.run(
        [PYTHON, str(ROOT / "test/bench/python_bench.py"), *map(str, arguments)],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment}, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def measure_python(build, extension, repetitions):
    """ns of a write counted and timed by prometheus_client, in process and for several processes. And "inserts" and "requests":
    the quantiles of a whole insert, by what counts it."""
    ours = {"PYTHONPATH": str(ROOT / "clients/python"), "OUTGROWN_OBSERVER": str(extension)}
    with tempfile.TemporaryDirectory(prefix="outgrown-bench.", dir="/dev/shm") as folder:
        environments = {"in process": {}, "multiprocess": {"PROMETHEUS_MULTIPROC_DIR": folder}}
        times = {name: run_python_bench(environment, "prometheus", repetitions)
                 for name, environment in environments.items()}
    for kind in ("inserts", "requests"):
        times[kind] = run_python_bench(ours, kind, repetitions, extension)
    return times


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    processors = sum(1 for line in open("/proc/cpuinfo") if line.startswith("processor"))
    system = next((line.split("=")[1].strip().strip('"') for line in open("/etc/os-release")
                   if line.startswith("PRETTY_NAME")), "?")
    return f"{model}, {processors} processors, {system}, Linux {platform.release()}"


def us(ns):
    return f"{ns / 1000:.2f}"


def python_inserts(title, quantiles):
    plain = quantiles["plain"]
    rows = []
    for name, what in (("plain", "sqlite3, uncounted"), ("observer", "seen by the SQLite observer"),
                       ("observe", "through outgrown.observe()")):
        median, p999 = quantiles[name]["p50_ns"], quantiles[name]["p999_ns"]
        cost = median - plain["p50_ns"]
        rows.append([what, us(median), us(cost), f"{100 * cost / plain['p50_ns']:.1f}", us(p999), us(p999 - plain["p999_ns"])])
    return Table(title, ["what", "median (µs)", "cost (µs)", "cost (%)", "p99.9 (µs)", "more at p99.9 (µs)"], rows)


def tables_of(times, quantiles, observer, python):
    record, insert = times[RECORD + ONE], "SqliteInsert"
    counting = "CountingLatency"
    return [
        Table("A record", ["what", "ns", "times a record"],
              [[what, f"{times[name]:.2f}", f"{times[name] / record:.1f}"] for name, what in RECORD_ROWS]),
        Table("In Python, a write counted and timed by prometheus_client", ["what", "ns"],
              [[f"prometheus_client, {name}", f"{python[name]:.0f}"] for name in ("in process", "multiprocess")]),
        python_inserts("In Python, a whole insert (WAL, synchronous NORMAL, 4 KB, tmpfs)", python["inserts"]),
        python_inserts("In Python, the same on a connection of its own, opened and closed", python["requests"]),
        Table("Beside the write that is counted (WAL, synchronous NORMAL, 4 KB, temporary folder)",
              ["what", "median (µs)", "p99.9 (µs)"],
              [[what, us(quantiles[name, "p50_ns"]), us(quantiles[name, "p999_ns"])] for name, what in (
                  (insert, "the insert, uncounted"),
                  (counting, "counting it: mark, two clocks, and the two that time this"))]),
        Table("The SQLite observer: one statement with and without it, taken in turns",
              ["what", "without (µs)", "with (µs)", "cost (ns)", "cost (%)", "p99.9 without (µs)", "p99.9 with (µs)"],
              [[what, us(of["plain_p50_ns"]), us(of["observed_p50_ns"]), f"{of['cost_ns']:.0f}",
                f"{of['cost_percent']:.1f}", us(of["plain_p999_ns"]), us(of["observed_p999_ns"])]
               for name, what in OBSERVER_ROWS for of in (observer[name],)]),
    ]


def goals_of(times, quantiles, observer, python):
    record = times[RECORD + ONE]
    in_python = {quantile: python["inserts"]["observe"][quantile] - python["inserts"]["plain"][quantile]
                 for quantile in ("p50_ns", "p999_ns")}
    share = {quantile: 100 * quantiles["CountingLatency", quantile] / quantiles["SqliteInsert", quantile]
             for quantile in ("p50_ns", "p999_ns")}
    return [
        Goal("a record without clocks and mark", record, 3, False, " ns"),
        Goal("prometheus-cpp, times as long, one thread", times[PROMETHEUS + ONE] / record, 10, True),
        Goal("prometheus-cpp, times as long, two threads", times[PROMETHEUS + TWO] / times[RECORD + TWO], 30, True),
        Goal("through the C ABI, times as long", times[C_RECORD + ONE] / record, 1.5, False),
        Goal("share of two clocks in a record with both", 100 * times["TwoClocks"] / times["BeginEnd"], 50, True, " %"),
        Goal("counting's share of an insert, median", share["p50_ns"], 5, False, " %"),
        Goal("counting's share of an insert, p99.9", share["p999_ns"], 5, False, " %"),
        Goal("the observer's share of an insert, temporary folder", observer["ObservedInsert"]["cost_percent"], 5, False, " %"),
        Goal("the observer's share of an insert, tmpfs", observer["ObservedInsertOnTmpfs"]["cost_percent"], 5, False, " %"),
        Goal("how often counting a write at p99.9 fits into 1 ms", 1e6 / quantiles["CountingLatency", "p999_ns"], 1, True),
        Goal("how often what outgrown.observe() adds fits into 1 ms, median", 1e6 / max(1, in_python["p50_ns"]), 1, True),
        Goal("what outgrown.observe() adds to the p99.9 of an insert", in_python["p999_ns"] / 1000, 1000, False, " µs"),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True, help="the build folder with the benchmarks in it")
    parser.add_argument("--repetitions", type=int, default=25)
    parser.add_argument("--stores", type=int, default=10_000, help="of the fleet that is decided about in one run")
    parser.add_argument("--markdown", action="store_true", help="print Markdown instead of text")
    parser.add_argument("--into", type=pathlib.Path, help="write the Markdown between the marks of this file")
    arguments = parser.parse_args()
    bench = arguments.build / "test/bench"
    if not (bench / "counterblock_bench").exists():
        sys.exit(f"{bench}/counterblock_bench is not there: configure with -Dbenchmarks=true")
    times, quantiles = measure_records(bench / "counterblock_bench", arguments.repetitions)
    extension = arguments.build / "clients/sqlite_observer/outgrown_sqlite.so"
    observer = measure_observer(bench / "sqlite_observer_bench", extension, max(1, arguments.repetitions // 2))
    python = measure_python(arguments.build, extension, arguments.repetitions)
    # Fewer rounds in more repetitions, each with savers of its own.
    langgraph_table, langgraph_goals = langgraph_figures.figures(arguments.build, 4 * arguments.repetitions)
    rulegen = arguments.build.resolve() / "rulegen" / "rulegen"
    generate_table, generate_goals = generate_bench.figures(rulegen, generate_bench.SIZES, 10)
    pyrra = generate_bench.beside_pyrra(rulegen, 10)
    pyrra_tables, pyrra_goals = ([pyrra[0]], pyrra[1]) if pyrra else ([], [])
    fleet_table, fleet_goals = fleet_bench.figures(rulegen, arguments.stores, 5)
    watch_table, watch_goals = watch_bench.figures(arguments.build.resolve() / "exporter" / "outgrown-exporter")
    scrape_tables, scrape_goals = scrape_bench.figures(arguments.build)
    head = f"{machine()}; {arguments.repetitions} repetitions."
    tables = [*tables_of(times, quantiles, observer, python), langgraph_table, generate_table, *pyrra_tables, fleet_table, watch_table,
              *scrape_tables]
    goals = [*goals_of(times, quantiles, observer, python), *langgraph_goals, *generate_goals, *pyrra_goals, *fleet_goals, *watch_goals,
             *scrape_goals]
    text = render(head, tables, goals, markdown=arguments.markdown or arguments.into is not None)
    if arguments.into:
        replace_section(arguments.into, text)
    else:
        print(text, end="")


main()
