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
    scraped: tuple  # by the one target and by the other
    expected: float | None  # recorded; 1 for an alert that fires
    beside: str = ""  # what else it reads, always 50

    @property
    def store(self):
        return self.rule.split(":")[0].lower() if ":" in self.rule else "checkpoint"

    def series(self):
        """What the rule makes."""
        return self.rule if ":" in self.rule else f'ALERTS{{alertname="{self.rule}",alertstate="firing"}}'

    def test(self):
        """The case as one of promtool's tests."""
        labels = IDENTITY[self.store]
        given = [(self.metric % f'{labels},scraped_by="{target}"', value) for target, value in zip("xy", self.scraped)]
        if self.beside:
            given.append((self.beside % labels, 50))
        return {
            "interval": "15s",
            "input_series": [{"series": series, "values": f"{value}x80"} for series, value in given],
            "promql_expr_test": [
                {"expr": f"{aggregation}({self.series()})", "eval_time": "10m",
                 "exp_samples": [] if self.expected is None else [{"labels": "{}", "value": value}]}
                for aggregation, value in (("sum", self.expected), ("count", 1))]}


CASES = [
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

    def test_a_rule_that_adds_up_or_takes_the_least_is_found(self):
        for case in CASES:
            text = (RULES / f"{case.store}.rules.yml").read_text(encoding="utf-8")
            rule = re.search(rf"      - (?:record|alert): {case.rule}\n        expr: .*", text)
            largest = re.compile(r"max( by \([^)]*\) \(" + re.escape(case.metric.split("{")[0]) + r"\b)")
            self.assertRegex(rule[0], largest)
            for taken in ("sum", "min"):
                with self.subTest(rule=case.rule, taken=taken):
                    broken = text.replace(rule[0], largest.sub(rf"{taken}\1", rule[0]))
                    (self.folder / f"{case.store}.rules.yml").write_text(broken, encoding="utf-8")
                    cases = [other for other in CASES if other.rule == case.rule]
                    self.assertEqual(judge(self.folder, case.store, cases).returncode, 1)


if __name__ == "__main__":
    unittest.main()
