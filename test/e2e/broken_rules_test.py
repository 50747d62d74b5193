"""That the generated tests can fail: rules that are broken on purpose turn them red.

Usage: broken_rules_test.py
"""

import concurrent.futures
import itertools
import os
import pathlib
import re
import shutil
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "support"))

from artefacts import run  # noqa: E402

TESTS = ["checkpoint.30m.test.yml", "checkpoint.test.yml"]  # the quick ones first

# What somebody could get wrong in the rules of rules/checkpoint.toml, as (name, text, text instead).
IDENTITY = "job, instance, database"
BREAKS = [
    ("another limit", "writes_per_second > 100", "writes_per_second > 100.5"),
    ("the wrong direction", "file_size_bytes > 5", "file_size_bytes < 5"),
    ("a misspelt alert", "alert: CheckpointFileSize", "alert: CheckpointFilesize"),
    ("another severity", "severity: critical", "severity: warning"),
    ("another verdict", "verdict: migrate_now", "verdict: migrate_soon"),
    ("another summary", "MIGRATE NOW - Multi-server", "MIGRATE NOW: Multi-server"),
    ("another runbook", "#checkpointfilesize", "#checkpoint-file-size"),
    ("idle is not a number", " or sum without (status) (rate(checkpoint_writes_total[5m])) == 0)'", ")'"),
    ("a label of the store is lost", f"max by ({IDENTITY}) (checkpoint_file_size_bytes)",
     "max by (job, instance) (checkpoint_file_size_bytes)"),
    ("stores are added up", f"max by ({IDENTITY}) (sum without (status) (rate(checkpoint_writes_total{{status=\"error\"}}[5m])) /",
     "max by (job, instance) (sum without (status) (rate(checkpoint_writes_total{status=\"error\"}[5m])) /"),
    ("a ratio matched label by label", "sum without (status) (rate(checkpoint_writes_total{status=\"error\"}[5m])) /",
     "rate(checkpoint_writes_total{status=\"error\"}[5m]) /"),
    ("a counter without its resets", "rate(checkpoint_store_commits_total[5m])", "deriv(checkpoint_store_commits_total[5m])"),
    ("exporter down loses the stores", "and on (job, instance) max by (job, instance) (up) == 0", "and max by (job, instance) (up) == 0"),
    ("another replica's failure is the exporter's", "max by (job, instance) (up) == 0", "min by (job, instance) (up) == 0"),
    ("the same digest alerts", "digest!=", "digest="),
    ("decisions are overdue too early", "- 93600", "- 91800"),
    ("an overdue store hides behind the others", "unless on (subject)", "unless on ()"),
    ("a subject in another order", '"subject", ",job="', '"subject", ",JOB="'),
    ("a young store is overdue", "[1h] offset 1d2h", "[1h] offset 1d1h"),
    ("a store that was taken away is overdue", 'job!=""}[1d2h]', 'job!=""}[2d]'),
    ("a series that names no store is overdue", ',job!=""', ""),
    ("a decision of another spec counts", 'checkpoint_decision_timestamp_seconds{store="checkpoint"}',
     "checkpoint_decision_timestamp_seconds"),
    ("a decision that nobody shows any more is forgotten", "last_over_time(checkpoint:decision_timestamp_seconds[1d2h]) >=",
     "checkpoint:decision_timestamp_seconds >="),
    ("no log is overdue", "and on () last_over_time(checkpoint:decided_stores[1w])'", "and on () vector(1)'"),
    ("a log of another spec will do", "'count(checkpoint:decision_timestamp_seconds)'",
     "'count(checkpoint_decision_timestamp_seconds)'"),
    ("overdue ends with the decider", "decided_stores[1w]", "decided_stores[1d2h]"),
    ("the newest decision of two exporters does not count", "max by (subject)", "min by (subject)"),
    ("presence loses a label of the store", f"max by ({IDENTITY}) (checkpoint_block_up)'", "max by (job, instance) (checkpoint_block_up)'"),
    ("presence is a replica's", f"max by ({IDENTITY}) (checkpoint_block_up)'", "checkpoint_block_up'"),
    ("an exporter that is down is forgotten within the day", "present[1d2h])) and on (job", "present[1d1h])) and on (job"),
    ("an exporter that is down is remembered for longer", "present[1d2h])) and on (job", "present[1d3h])) and on (job"),
    ("a silent store is forgotten within the day", "present[1d2h])) unless max", "present[1d1h])) unless max"),
    ("a silent store is remembered for longer", "present[1d2h])) unless max", "present[1d3h])) unless max"),
    ("a store of an exporter that is down is silent", "and on (job, instance) up == 1", "and on (job, instance) up"),
    ("a store of no target is silent", " and on (job, instance) up == 1", ""),
    ("a store measured as 0 is silent", "(checkpoint_block_up) and on", "(checkpoint_block_up == 1) and on"),
    ("a target that is gone is forgotten within the day", "present[1d2h])) unless on (job", "present[1d1h])) unless on (job"),
    ("a target that is gone is remembered for longer", "present[1d2h])) unless on (job", "present[1d3h])) unless on (job"),
    ("a target that is down is gone", "unless on (job, instance) up'", "unless on (job, instance) (up == 1)'"),
    ("a database that can be read is unreadable", "(checkpoint_file_problem_info) == 1'", "(checkpoint_file_problem_info) >= 0'"),
    ("a database is unreadable without a reason", "(checkpoint_file_problem_info) == 1'", "(checkpoint_file_problem_info{reason=\"missing\"}) == 1'"),
    ("what is unreadable is told twice", 'problem_info{reason!="unreadable"}', "problem_info"),
    ("two stores are one", "!= min by", "< min by"),
    ("replicas are two stores", f"max by ({IDENTITY}) (checkpoint_block_created_timestamp_seconds) !=",
     f"sum by ({IDENTITY}) (checkpoint_block_created_timestamp_seconds) !="),
    ("what renamed the label is not named", 'exported_database!=""', 'exported_database="c"'),
    ("copied frames wait", "checkpoint_wal_frames - checkpoint_wal_backfilled_frames", "checkpoint_wal_frames"),
    ("a log without end is none", f" or max by ({IDENTITY}) (checkpoint_wal_frames) > 262144", ""),
    ("a missing signal is not named", '"missing_1", "Write errors, "', '"missing_1", "Writes, "'),
    ("an infinite signal is there", "abs(checkpoint:write_error_ratio) < +Inf", "checkpoint:write_error_ratio"),
    ("a signal that is there is missing", ") > 1, ", ") > 0, "),
    ("more than was committed is covered", " or checkpoint:coverage_ratio > 1.05", ""),
    ("a writer is stale too early", "> 300'", "> 299'"),
    ("infinity fires", "write_error_ratio > 0.01 < +Inf", "write_error_ratio > 0.01"),
    ("an unmeasured ratio fires", "write_error_ratio > 0.01 < +Inf'",
     "write_error_ratio > 0.01 or absent(checkpoint:write_error_ratio) == 1'"),
    ("no data fires", "write_error_ratio > 0.01 < +Inf'", "write_error_ratio > 0.01 or on() vector(1)'"),
    ("a server with two databases is two", "count by (shared_id) (count by (shared_id, instance) "
     '(checkpoint_deployment_servers{shared_id!=""}))', 'count by (shared_id) (checkpoint_deployment_servers{shared_id!=""})'),
    ("servers that share are not counted", "count by (shared_id) (count by", "group by (shared_id) (count by"),
    ("more servers than the operator knows are none", 'or 0 * checkpoint_deployment_servers{shared_id!=""} + on (shared_id) '
     'group_left () count by (shared_id) (count by (shared_id, instance) (checkpoint_deployment_servers{shared_id!=""}))', ""),
    ("servers that the operator knows and that do not report do not count", '(checkpoint_deployment_servers{shared_id!=""} >= on '
     '(shared_id) group_left () count by (shared_id) (count by (shared_id, instance) '
     '(checkpoint_deployment_servers{shared_id!=""}))) or 0 *', "0 *"),
    ("another quantile", "histogram_quantile(0.99,", "histogram_quantile(0.995,"),
    ("only commits are writes", "or sum without (status) (rate(checkpoint_writes_total[5m])) >= "
     "rate(checkpoint_store_commits_total[5m]) or", "or"),
    ("what the observer counted too often is believed", "and (rate(checkpoint_counted_commits_total[5m]) - 1.05 *",
     "and (rate(checkpoint_counted_commits_total[5m]) - 1e9 *"),
    ("a problem of the measurement is no reason", 'reason!="file_not_comparable"', 'reason=""'),
]

# The recorded series' windows are all of 5 minutes, and the tests must find any that is one of these.
OTHER_WINDOWS = ["[4m]", "[10m]"]


def longer(seconds):
    """Changes a duration of one unit by that."""
    units = {"s": 1, "m": 60, "h": 3600}
    return lambda match: f"{match[1]}{int(match[2]) * units[match[3]] + seconds}s\n"


# What somebody could get wrong in any alert, as (name, pattern, text instead). Of an alert that has the pattern, the tests
# must find it.
FOR = r"(        for: )(\d+)([smh])\n"
KEEP = r"(        keep_firing_for: )(\d+)([smh])\n"
ALERT_BREAKS = [
    ("without `for`", FOR, ""),
    ("`for` one interval short", FOR, longer(-30)),
    ("`for` one interval long", FOR, longer(30)),
    ("a `for` where none belongs", r"(expr: .*\n)(?!        for:)", r"\1        for: 30s\n"),
    ("without keep_firing_for", KEEP, ""),
    ("keep_firing_for one interval short", KEEP, longer(-30)),
    ("keep_firing_for one interval long", KEEP, longer(30)),
    ("the limit itself breaches", r" ([<>]) ([0-9.e+]+(?: [<>] [+-]Inf)?'\n)", r" \1= \2"),
    ("fires without data", r"(expr: '.*)'\n", r"\1 or on() vector(1)'\n"),
]
ALERT = re.compile(r"(?m)^      - alert: (\w+)\n(?:        .*\n)+")


class BrokenRules(unittest.TestCase):
    """The generated tests of the shipped spec go red on rules that are wrong."""

    def test_each_break_is_found(self):
        source = ROOT / "rules" / "gen"
        rules = (source / "checkpoint.rules.yml").read_text(encoding="utf-8")

        def judge(number):
            """promtool's first status that is not 0, on that break's rules."""
            _, text, instead = BREAKS[number]
            with tempfile.TemporaryDirectory() as folder:
                for test in TESTS:
                    shutil.copy(source / test, folder)
                (pathlib.Path(folder) / "checkpoint.rules.yml").write_text(rules.replace(text, instead), encoding="utf-8")
                statuses = (run("promtool", "test", "rules", test, cwd=folder).returncode for test in TESTS)
                return next((status for status in statuses if status != 0), 0)

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for (name, text, _), status in zip(BREAKS, pool.map(judge, range(len(BREAKS)))):
                with self.subTest(name):
                    self.assertIn(text, rules)
                    self.assertEqual(status, 1)

    def test_another_window_is_found_in_each_recorded_series(self):
        found = 0
        for store in ("checkpoint", "postgresql"):
            rules = (ROOT / "rules" / "gen" / f"{store}.rules.yml").read_text(encoding="utf-8")
            tests = (ROOT / "rules" / "gen" / f"{store}.test.yml").read_text(encoding="utf-8")
            head, *cases = re.split(r"(?m)^(?=  - name: )", tests)
            with tempfile.TemporaryDirectory() as folder:
                for rule in re.finditer(r"      - record: (\S+)\n        expr: .*", rules):
                    about = [case for case in cases if case.startswith(f"  - name: '{rule[1]}")]
                    (pathlib.Path(folder) / f"{store}.test.yml").write_text("".join([head, *about]), encoding="utf-8")
                    raw = sorted(set(re.findall(r"(\w+(?:\{[^}]*\})?)\[5m\]", rule[0])))  # each has one window in an expression
                    for selector, window in itertools.product(raw, OTHER_WINDOWS):
                        found += 1
                        with self.subTest(series=rule[1], selector=selector, window=window):
                            changed = rule[0].replace(f"{selector}[5m]", selector + window)
                            broken = rules[:rule.start()] + changed + rules[rule.end():]
                            (pathlib.Path(folder) / f"{store}.rules.yml").write_text(broken, encoding="utf-8")
                            done = run("promtool", "test", "rules", f"{store}.test.yml", cwd=folder)
                            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertGreater(found, 20)

    def test_what_breaks_any_alert_is_found_in_each(self):
        """Every alert is broken at once, so that one run tells; promtool names the alerts that are not as expected."""
        source = ROOT / "rules" / "gen"
        rules = (source / "checkpoint.rules.yml").read_text(encoding="utf-8")
        for name, pattern, instead in ALERT_BREAKS:
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                for test in TESTS:
                    shutil.copy(source / test, folder)
                broken = set()

                def break_it(match):
                    text, count = re.subn(pattern, instead, match[0], count=1)
                    if count:
                        broken.add(match[1])
                    return text

                path = pathlib.Path(folder) / "checkpoint.rules.yml"
                path.write_text(ALERT.sub(break_it, rules), encoding="utf-8")
                self.assertTrue(broken)
                done = run("promtool", "test", "rules", *TESTS, cwd=folder)
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertEqual(set(re.findall(r"alertname: ?(\w+)", done.stdout + done.stderr)), broken)


if __name__ == "__main__":
    unittest.main()
