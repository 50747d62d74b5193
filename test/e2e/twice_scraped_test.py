"""A store that is scraped twice, by targets that differ in a label that no rule keeps, counts once: promtool, over the
committed rules. A spec's own cases can't show it, since they take no label that a metric does not have.

Usage: twice_scraped_test.py
"""

import dataclasses
import json
import pathlib
import re
import shutil
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "support"))
from promtool import promtool  # noqa: E402

RULES = ROOT / "rules" / "gen"
IDENTITY = {"checkpoint": 'job="app",instance="app-1:9108",database="a"', "postgresql": 'job="pg",instance="pg-1:9187"'}


@dataclasses.dataclass
class Case:
    rule: str  # the name of a recording rule or an alert
    metric: str  # what it reads of the store, %s for its labels
    scraped: tuple  # by the one target and by the other; "0+15": a counter's values, 15 s apart
    expected: float | None  # recorded; 1 for an alert that fires
    beside: str = ""  # what else it reads, always 50
    more: dict = dataclasses.field(default_factory=dict)  # metric -> scraped
    worst: str = "max"
    of: str = ""  # what the rule takes the worst of, if not the metric itself

    @property
    def store(self):
        return self.rule.split(":")[0].lower() if ":" in self.rule else "checkpoint"

    def series(self):
        """What the rule makes."""
        return self.rule if ":" in self.rule else f'ALERTS{{alertname="{self.rule}",alertstate="firing"}}'

    def test(self):
        """The case as one of promtool's tests."""
        labels = IDENTITY[self.store]
        given = [(metric % f'{labels},scraped_by="{target}"', value)
                 for metric, scraped in {self.metric: self.scraped, **self.more}.items()
                 for target, value in zip("xy", scraped)]
        if self.beside:
            given.append((self.beside % labels, 50))
        return {
            "interval": "15s",
            "input_series": [{"series": series, "values": f"{value}x80"} for series, value in given],
            # Prometheus 3 computes some rates a last bit otherwise than 2.
            "promql_expr_test": [
                {"expr": expr, "eval_time": "10m", "exp_samples": [] if self.expected is None else [{"labels": "{}", "value": 1}]}
                for expr in (f"abs(sum({self.series()}) - {self.expected or 0}) < bool 1e-9", f"count({self.series()})")]}


ERRORS = 'checkpoint_writes_total{status="error",%s}'
SUCCESSES = 'checkpoint_writes_total{status="success",%s}'
REFUSED = 'checkpoint_write_errors_total{reason="busy_unchanged",%s}'
UNCHANGED = "checkpoint_writes_unchanged_total{%s}"
DURATIONS = 'checkpoint_write_duration_seconds_bucket{le="%s",%%s}'
COMMITS = "checkpoint_store_commits_total{%s}"
MISSED = "checkpoint_store_commits_missed_total{%s}"

CASES = [
    # Added up before the ratio is taken, the errors would be 2.5 %.
    Case("checkpoint:write_error_ratio", ERRORS, ("0+1", "0+9"), 0.03, more={SUCCESSES: ("0+99", "0+291")},
         of="sum without (status) (rate(checkpoint_writes_total"),
    # So would the polls that were refused.
    Case("checkpoint:write_error_ratio", REFUSED, ("0+1", "0+9"), 0.03, more={ERRORS: ("0", "0"), UNCHANGED: ("0+99", "0+291")},
         of="sum without (status) (rate(checkpoint_writes_total"),
    Case("checkpoint:writes_per_second", SUCCESSES, ("0+150", "0+300"), 20, more={COMMITS: ("0+75", "0+300")},
         of="rate(checkpoint_store_commits_total"),
    Case("checkpoint:write_p99_seconds", DURATIONS % "0.05", ("0+100", "0+98"), 0.1,
         more={DURATIONS % "0.1": ("0+100", "0+99"), DURATIONS % "+Inf": ("0+100", "0+100")}, of="histogram_quantile("),
    # Added up before, the coverage would be 0.95.
    Case("checkpoint:coverage_ratio", "checkpoint_counted_commits_total{%s}", ("0+1350", "0+1500"), 0.9002333333333333,
         more={COMMITS: ("0+1500", "0+1500"), MISSED: ("0", "0")}, worst="min", of="1 + "),
    Case("checkpoint:file_size_bytes", "checkpoint_file_size_bytes{%s}", (4096, 8192), 8192),
    Case("checkpoint:servers", 'checkpoint_deployment_servers{shared_id="",%s}', (3, 2), 3),
    Case("checkpoint:present", "checkpoint_block_up{%s}", (2, 1), 2),
    Case("CheckpointBlockUnreadable", "checkpoint_block_up{%s}", (0, 1), None),
    Case("CheckpointBlockUnreadable", "checkpoint_block_up{%s}", (1, -1), None),
    Case("CheckpointWriterStale", "checkpoint_oldest_write_in_flight_seconds{%s}", (1, 301), 1),
    Case("CheckpointWriterStale", "checkpoint_oldest_write_in_flight_seconds{%s}", (200, 200), None),
    Case("postgresql:connection_ratio", "pg_settings_max_connections{%s}", (80, 100), 0.5,
         beside='pg_stat_activity_count{datname="a",%s}'),
    Case("postgresql:present", "pg_settings_max_connections{%s}", (80, 100), 100),
]


def judge(folder, store, cases):
    """promtool's answer to those cases on the store's rules in the folder."""
    tests = [case.test() for case in cases]
    file = pathlib.Path(folder) / "twice.yml"
    file.write_text(json.dumps({"rule_files": [f"{store}.rules.yml"], "evaluation_interval": "30s", "tests": tests}))
    return promtool("test", "rules", file.name, cwd=folder)


class TwiceScraped(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def test_it_counts_once(self):
        for store in IDENTITY:
            shutil.copy(RULES / f"{store}.rules.yml", self.folder)
            done = judge(self.folder, store, [case for case in CASES if case.store == store])
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_rule_that_adds_up_or_does_not_take_the_worst_is_found(self):
        for case in CASES:
            text = (RULES / f"{case.store}.rules.yml").read_text(encoding="utf-8")
            rule = re.search(rf"      - (?:record|alert): {case.rule}\n        expr: .*", text)
            of = re.escape(case.of) or re.escape(case.metric.split("{")[0]) + r"\b"
            worst = re.compile(case.worst + r"( by \([^)]*\) \(" + of + ")")
            self.assertRegex(rule[0], worst)
            for taken in sorted({"sum", "min", "max"} - {case.worst}):
                with self.subTest(rule=case.rule, taken=taken):
                    broken = text.replace(rule[0], worst.sub(rf"{taken}\1", rule[0]))
                    (self.folder / f"{case.store}.rules.yml").write_text(broken, encoding="utf-8")
                    cases = [other for other in CASES if other.rule == case.rule]
                    self.assertEqual(judge(self.folder, case.store, cases).returncode, 1)


if __name__ == "__main__":
    unittest.main()
