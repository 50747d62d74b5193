"""What one decision about a whole fleet costs: `rulegen --evaluate` from start to exit, against Prometheus and against
VictoriaMetrics with the same backfilled series, beside the same queries asked with curl.

curl asks them one after the other on one connection and throws the answers away, so that its time is the server's: the
ratio is what reading, deciding, logging with fsync and printing add to it.

Usage: fleet_bench.py RULEGEN [--stores N] [--repetitions N]
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
from typing import Dict, List

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "test" / "support"), str(pathlib.Path(__file__).resolve().parent)]
import fleet  # noqa: E402
import measured  # noqa: E402
import servers  # noqa: E402
import tables  # noqa: E402

SPEC = ROOT / "rules" / "checkpoint.toml"
END = 1_790_000_010
AT = END + 7
SECONDS_MAX = 10
RSS_MB_MAX = 256


def run(command, out):
    with open(out, "wb") as file:
        done = measured.run(command, file)
    if done.status not in (0, 30):
        sys.exit(f"{command[0]} ended with {done.status}")
    return done


def evaluate(rulegen, url, folder):
    log = folder / "decisions.jsonl"
    log.unlink(missing_ok=True)
    log.with_suffix(".newest.json").unlink(missing_ok=True)  # or each run would miss the records of the one before
    return run([rulegen, "--evaluate", "--spec", SPEC, "--prometheus", url, "--at", AT, "--log", log], folder / "answer")


def check(folder, stores):
    """Every store has its line; the fleet is no fleet of unknowns."""
    expected = sorted(fleet.breach(number)[1] for number in range(stores))
    records = [json.loads(line) for line in (folder / "decisions.jsonl").read_text().splitlines()]
    if sorted(record["line"] for record in records) != expected:
        sys.exit("the decisions are not what the fleet's series stand for")
    return records[0]


def queries_of(record) -> List[str]:
    """The run's queries: those of the record, and the ones about presence, alerts and what is beside a verdict, which no record of a
    store holds."""
    by = "job, instance, database"
    alerts = "|".join(f"Checkpoint{threshold['id']}" for threshold in record["table"]["thresholds"])
    return [f"count by ({by}) (last_over_time(checkpoint_block_up[26h]))", f"count by ({by}) (checkpoint_block_up)",
            f"count by ({by}) (last_over_time(checkpoint_block_up[5m] offset 5m30s))",
            *(signal["query"] for signal in record["signals"]), record["coverage"]["query"],
            "checkpoint:coverage_reason", f'ALERTS{{alertname=~"{alerts}"}}[1m30s]', "checkpoint:write_error_ratio:split"]


def curl(url, queries, folder):
    command: List[str] = ["curl", "--silent", "--fail"]
    for number, query in enumerate(queries):
        command += [*(["--next", "--silent", "--fail"] if number else []), "--output", os.devnull, f"{url}/api/v1/query",
                    "--data-urlencode", f"query={query}", "--data-urlencode", f"time={AT}"]
    return run(command, folder / "curl")


def load(victoria, stores):
    """The same series into VictoriaMetrics, by its import of the text format (milliseconds there)."""
    def body():
        for line in fleet.lines(stores, END):
            series, value, seconds = line.rsplit(" ", 2)
            yield f"{series} {value} {int(seconds) * 1000}\n".encode()
    with subprocess.Popen(["curl", "--silent", "--fail", "--request", "POST", "--upload-file", "-",
                           f"{victoria.url}/api/v1/import/prometheus"], stdin=subprocess.PIPE) as upload:
        upload.stdin.writelines(body())
        upload.stdin.close()
        if upload.wait() != 0:
            sys.exit("VictoriaMetrics did not take the series")
    servers.get(f"{victoria.url}/internal/force_flush")


def measure(rulegen, server, stores, repetitions, folder) -> Dict[str, float]:
    runs = [evaluate(rulegen, server.url, folder) for _ in range(repetitions + 1)][1:]  # the first warms the server up
    queries = queries_of(check(folder, stores))
    curls = [curl(server.url, queries, folder) for _ in range(repetitions)]
    return {"wall": statistics.median(one.wall_seconds for one in runs), "cpu": statistics.median(one.cpu_seconds for one in runs),
            "rss": max(one.rss_bytes for one in runs) / 2**20, "curl": statistics.median(one.wall_seconds for one in curls)}


def figures(rulegen, stores, repetitions):
    """The table and the goals, for the report."""
    found = {}
    with tempfile.TemporaryDirectory() as name, servers.Stack() as stack:
        folder = pathlib.Path(name)
        fleet.backfill(stores, END, folder)
        prometheus = stack.start(servers.prometheus(folder, {}, retention="100y"))
        found["Prometheus"] = measure(rulegen, prometheus, stores, repetitions, folder)
        prometheus.stop()
        victoria = stack.start(servers.victoria_metrics(folder))
        load(victoria, stores)
        found["VictoriaMetrics"] = measure(rulegen, victoria, stores, repetitions, folder)
    rows = [[server, f"{one['wall']:.2f} s", f"{one['cpu']:.2f} s", f"{one['rss']:.0f} MB", f"{one['curl']:.2f} s",
             f"{one['wall'] / one['curl']:.2f}"] for server, one in found.items()]
    goals = [goal for server, one in found.items() for goal in (
        tables.Goal(f"{stores} stores in one run, {server}", one["wall"], SECONDS_MAX, False, " s"),
        tables.Goal(f"  its peak of resident memory, {server}", one["rss"], RSS_MB_MAX, False, " MB"))]
    return tables.Table(f"One decision about {stores} stores", ["server", "wall", "of it our CPU", "our memory", "curl, wall",
                                                               "wall / curl"], rows), goals


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rulegen", type=pathlib.Path)
    parser.add_argument("--stores", type=int, default=10_000)
    parser.add_argument("--repetitions", type=int, default=5)
    arguments = parser.parse_args()
    table, goals = figures(arguments.rulegen.resolve(), arguments.stores, arguments.repetitions)
    print(tables.render("One decision about a fleet", [table], goals, markdown=False))


if __name__ == "__main__":
    main()
