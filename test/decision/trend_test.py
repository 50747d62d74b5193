"""The trend against a real Prometheus with four days of backfilled history: one store a situation.

Usage: trend_test.py RULEGEN
"""

import math
import os
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "support"))
import schema  # noqa: E402
import servers  # noqa: E402
from promtool import promtool  # noqa: E402
from server_case import ServerCase  # noqa: E402
import terminal  # noqa: E402

RULEGEN = pathlib.Path(sys.argv.pop(1)).resolve()
SPEC = ROOT / "rules" / "checkpoint.toml"
E = 1_790_000_010
T = E + 7
DAY = 86400
GIGABYTE = 1024**3
HEALTHY = {"write_error_ratio": 0.001, "writes_per_second": 20, "servers": 1, "file_size_bytes": GIGABYTE,
           "write_p99_seconds": 0.02, "coverage_ratio": 1}
# Every five minutes, in the last hour every 30 s as the rules record: a trend needs no more.
TIMES = [*range(E - 4 * DAY, E - 3600, 300), *range(E - 3600, E + 1, 30)]


def line(at_end, per_day):
    return lambda time: at_end + per_day * (time - E) / DAY


def noisy(time):
    return 2 * GIGABYTE + (GIGABYTE if time // 300 % 2 else 0)


def day_and_night(time):
    """Between 10 and 70 a second, at noon and at midnight, as an office's application."""
    return 40 + 30 * math.sin(2 * math.pi * time / DAY)


def at_night(time):
    return time % DAY < DAY / 3


ALL = (E - 4 * DAY, E)
# Name: the series that differ, when the store reported, and what is expected of thresholds, and of the store's own ceiling:
# (kind, seconds).
STORES = {
    "growing": ({"file_size_bytes": line(3 * GIGABYTE, 0.5 * GIGABYTE)}, [ALL], {"FileSize": ("reached", 4 * DAY)}),
    "next-limit": ({"writes_per_second": line(90, 5)}, [ALL],
                   {"ThroughputApproaching": ("not_approaching", None), "Throughput": ("reached", 2 * DAY)}),
    "both-limits": ({"writes_per_second": line(70, 5)}, [ALL],
                    {"ThroughputApproaching": ("reached", 2 * DAY), "Throughput": ("reached", 6 * DAY)}),
    "ceiling-sinks": ({"writes_ceiling": lambda time: 20 / (0.5 + 0.1 * (time - E) / DAY)}, [ALL], {"ceiling": ("reached", 5 * DAY)}),
    "idle-at-night": ({"writes_per_second": lambda time: 0 if at_night(time) else line(30, 5)(time),
                       "writes_ceiling": lambda time: None if at_night(time) else 50}, [ALL], {"ceiling": ("not_approaching", None)}),
    "far-from-its-ceiling": ({"writes_ceiling": lambda time: 5000}, [ALL], {"ceiling": ("not_approaching", None)}),
    "ceiling-known-for-a-day": ({"writes_per_second": line(30, 5), "writes_ceiling": lambda time: 50 if time > E - DAY else None},
                                [ALL], {"ceiling": ("too_little_history", None)}),
    "flat": ({}, [ALL], {**{name: ("not_approaching", None) for name in ("FileSize", "Throughput", "MultiServer")},
                        "ceiling": ("too_little_history", None)}),
    "falling": ({"file_size_bytes": line(3 * GIGABYTE, -0.5 * GIGABYTE)}, [ALL], {"FileSize": ("not_approaching", None)}),
    "beyond": ({"file_size_bytes": line(6 * GIGABYTE, 0.5 * GIGABYTE)}, [ALL], {"FileSize": ("not_approaching", None)}),
    "slow": ({"file_size_bytes": line(GIGABYTE, 0.001 * GIGABYTE)}, [ALL], {"FileSize": ("later", None)}),
    "noisy": ({"file_size_bytes": noisy}, [ALL], {"FileSize": ("not_approaching", None)}),
    "day-and-night": ({"writes_per_second": day_and_night}, [ALL],
                      {"Throughput": ("not_approaching", None), "ThroughputApproaching": ("not_approaching", None)}),
    "short": ({"file_size_bytes": line(3 * GIGABYTE, 0.5 * GIGABYTE)}, [(E - 2 * DAY, E)],
              {"FileSize": ("too_little_history", None)}),
    "towards-its-ceiling": ({"writes_per_second": line(30, 5), "writes_ceiling": lambda time: 50}, [ALL],
                            {"Throughput": ("reached", 14 * DAY), "ceiling": ("reached", 4 * DAY)}),
    "off-for-a-day": ({"file_size_bytes": line(3 * GIGABYTE, 0.5 * GIGABYTE)},
                      [(E - 4 * DAY, E - 2 * DAY), (E - DAY, E)], {"FileSize": ("reached", 4 * DAY)}),
}


def open_metrics():
    lines = []
    for name, (changed, spans, _) in STORES.items():
        labels = f'job="app",instance="app-1:9108",database="{name}"'
        times = [time for time in TIMES if any(begin <= time <= end for begin, end in spans)]
        for signal, value in {**HEALTHY, **changed}.items():
            value_at = value if callable(value) else (lambda time, value=value: value)
            lines += [f"checkpoint:{signal}{{{labels}}} {value_at(time)} {time}" for time in times if value_at(time) is not None]
        lines += [f"checkpoint_block_up{{{labels}}} 1 {time}" for time in times]
    return "\n".join(lines) + "\n# EOF\n"


class Trend(ServerCase):
    @classmethod
    def start(cls):
        backfill = cls.folder / "series.om"
        backfill.write_text(open_metrics())
        promtool("tsdb", "create-blocks-from", "openmetrics", backfill, cls.folder / "prometheus-data", check=True)
        cls.prometheus = cls.stack.start(servers.prometheus(cls.folder, {}, retention="100y"))
        document = schema.check_answer(cls.evaluate("--format", "json"))["evaluations"][0]
        cls.warnings = document["warnings"]
        cls.stores = {store["labels"]["database"]: store for store in document["stores"]}

    @classmethod
    def evaluate(cls, *arguments, at=T):
        return subprocess.run([RULEGEN, "--evaluate", "--spec", SPEC, "--prometheus", cls.prometheus.url, "--at", str(at),
                               *arguments], capture_output=True, text=True, check=False, timeout=60,
                              env={**os.environ, "XDG_STATE_HOME": str(cls.folder / "state"), "STATE_DIRECTORY": ""}).stdout

    def test_each_history_has_its_trend(self):
        # The server was filled with series that it has not made, and no alerts.
        self.assertEqual([one for one in self.warnings if "is not compared" not in one], [])
        for name, (_, _, expected) in STORES.items():
            trends = {one["id"]: one["trend"] for one in self.stores[name]["thresholds"]}
            trends["ceiling"] = next(one["ceiling"]["trend"] for one in self.stores[name]["signals"] if "ceiling" in one)
            for threshold, (kind, seconds) in expected.items():
                with self.subTest(store=name, threshold=threshold):
                    self.assertEqual(trends[threshold]["kind"], kind)
                    if seconds is not None:
                        self.assertAlmostEqual(trends[threshold]["seconds"], seconds, delta=0.01 * seconds)

    def test_no_trend_changes_a_verdict(self):
        lines = {name: store["line"] for name, store in self.stores.items()}
        soon = "MIGRATE SOON - "
        self.assertEqual(lines.pop("beyond"), soon + "File size >5GB (performance degradation likely)")
        self.assertEqual(lines.pop("next-limit"), soon + "Throughput >80/sec (approaching capacity ceiling)")
        self.assertEqual(set(lines.values()), {"SQLite sufficient"})

    def test_people_read_which_limit_is_reached_next_and_when(self):
        shown = terminal.on_terminal(
            [RULEGEN, "--evaluate", "--spec", SPEC, "--prometheus", self.prometheus.url, "--at", str(T), "--log",
             self.folder / "log"], columns=120, NO_COLOR="1")
        rows = {line.split()[2]: line for line in shown.splitlines() if "SQLite sufficient  " in line}
        self.assertIn("File size 5 GB in about 4 days", rows["growing"])
        self.assertIn("Writes per second 80 in about 2 days", rows["both-limits"])
        self.assertNotIn("in about", rows["flat"])


if __name__ == "__main__":
    unittest.main()
