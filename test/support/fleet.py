"""A fleet of many stores as recorded series, backfilled: for tests and benchmarks at sizes that are too large to scrape in a test."""

import pathlib

from promtool import promtool

STEP = 30
GIGABYTE = 1024**3
HEALTHY = {"write_error_ratio": 0.001, "writes_per_second": 20.5, "servers": 1, "file_size_bytes": 1.5 * GIGABYTE,
           "write_p99_seconds": 0.0234, "coverage_ratio": 1}
EVALUATIONS = 40  # 20 minutes: more than the longest `for`
SUFFICIENT = "SQLite sufficient"


def breach(number):
    """What is wrong with the store of that number: the series that differ, its line and the alerts that fire."""
    if number % 100 == 3:
        return {"write_error_ratio": 0.05}, "MIGRATE NOW - Write errors >1% (SQLite saturated)", ["WriteErrors"]
    if number % 100 == 41:
        return ({"writes_per_second": 90.25}, "MIGRATE SOON - Throughput >80/sec (approaching capacity ceiling)",
                ["ThroughputApproaching"])
    if number % 100 == 77:
        return {"coverage_ratio": 0.5}, "UNDETERMINED - Write errors: writes go uncounted", []
    return {}, SUFFICIENT, []


def labels(number):
    """Ten stores an instance, as one machine has them."""
    return f'job="app",instance="app-{number // 10:04}.example.org:9108",database="tenant-{number:05}"'


def lines(stores, end):
    """The recorded series, the alerts and the presence of all of them as OpenMetrics lines; the newest at `end`."""
    for number in range(stores):
        changed, _, alerts = breach(number)
        names = labels(number)
        for signal, value in {**HEALTHY, **changed}.items():
            for back in range(EVALUATIONS - 1, -1, -1):
                yield f"checkpoint:{signal}{{{names}}} {value} {end - back * STEP}\n"
        for alert in alerts:
            for back in (1, 0):
                yield f'ALERTS{{alertname="Checkpoint{alert}",alertstate="firing",{names}}} 1 {end - back * STEP}\n'
        for back in (720, 360, 15, 0):  # long enough for a window of rates
            yield f"checkpoint_block_up{{{names}}} 1 {end - back}\n"


def backfill(stores, end, folder):
    """Fills the data folder of a Prometheus that will be started in `folder`."""
    text = pathlib.Path(folder) / "fleet.om"
    with open(text, "w", encoding="utf-8") as out:
        out.writelines(lines(stores, end))
        out.write("# EOF\n")
    made = promtool("tsdb", "create-blocks-from", "openmetrics", text, pathlib.Path(folder) / "prometheus-data")
    text.unlink()
    if made.returncode != 0:
        raise RuntimeError(made.stdout[-2000:] + made.stderr[-2000:])
