"""That the generated tests can fail: rules that are broken on purpose turn them red.

Usage: broken_rules_test.py
"""

import concurrent.futures
import itertools
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "support"))

from promtool import promtool  # noqa: E402

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
    ("idle is not a number", " or sum without (status) (rate(checkpoint_writes_total{status=\"error\"}[5m])) == 0", ""),
    ("what is not an error shows that there is none", "(status) (rate(checkpoint_writes_total{status=\"error\"}[5m])) == 0",
     "(status) (rate(checkpoint_writes_total[5m])) == 0"),
    ("a label of the store is lost", f"max by ({IDENTITY}) (checkpoint_file_size_bytes)",
     "max by (job, instance) (checkpoint_file_size_bytes)"),
    ("stores are added up", f"max by ({IDENTITY}) (sum without (status) (rate(checkpoint_writes_total{{status=\"error\"}}[5m])) /",
     "max by (job, instance) (sum without (status) (rate(checkpoint_writes_total{status=\"error\"}[5m])) /"),
    ("only the writes are judged, not the polls beside them", '"of", "unchanged"', '"of", ""'),
    ("polls are judged where the errors have another label", " and sum without (status) (rate(checkpoint_writes_total{status=\"error\"}[5m]))",
     ""),
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
    ("a database that can be read is unreadable", '{reason="unreadable"}) == 1\'', '{reason="unreadable"}) >= 0\''),
    ("a database is unreadable without a reason", "(checkpoint_file_problem_info or", '(checkpoint_file_problem_info{reason="missing"} or'),
    ("a file without permission is readable", f" or checkpoint_store_commits_problem_info and on ({IDENTITY}) "
     'checkpoint_measurement_problem_info{reason="unreadable"}', ""),
    ("a problem that passes makes a database unreadable", f"checkpoint_store_commits_problem_info and on ({IDENTITY}) "
     'checkpoint_measurement_problem_info{reason="unreadable"}', "checkpoint_store_commits_problem_info"),
    ("what is unreadable is reported twice", 'problem_info{reason!="unreadable"}', "problem_info"),
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
# But for native histograms, which promtool 2.42 can't be given (test/servers/native_histogram_test.py).
NATIVE = {"checkpoint_write_duration_seconds"}


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
RULE = re.compile(r"(?m)^      - (?:alert|record): (\S+)\n(?:        .*\n)+")
GENERATED = ROOT / "rules" / "gen"


SOAKS = "OUTGROWN_SOAK" in os.environ
NOTHING = "no alert fires without any series"  # the case that names every alert, and expects none


def named(text, names):
    """Those of the names that stand in the text; a series' own name is not that of its split."""
    words = set(re.findall(r"\w+(?::\w+)*", text))
    return [name for name in names if name in words]


class Generated:
    """A spec's generated rules and tests, of which a part can be run: a few of the rules, and the cases that name them."""

    def __init__(self, store):
        self.store = store
        self.text = (GENERATED / f"{store}.rules.yml").read_text(encoding="utf-8")
        self.rules = {match[1]: match[0] for match in RULE.finditer(self.text)}
        self.recorded = [name for name, rule in self.rules.items() if f"- record: {name}\n" in rule]
        self.tests = {}
        for path in GENERATED.glob(f"{store}*.test.yml"):
            head, *cases = re.split(r"(?m)^(?=  - name: )", path.read_text(encoding="utf-8"))
            self.tests[path.name] = (head, cases)

    def needed(self, names):
        """Those rules, and the ones that they stand on."""
        needed, todo = set(), list(names)
        while todo:
            name = todo.pop()
            if name not in needed:
                needed.add(name)
                todo += named(self.rules[name], self.recorded)
        return needed

    def write(self, folder, about, rewrite, cases):
        """Writes those rules as `rewrite` makes them, and the cases that bear the name of one ("own"), that name one ("naming"),
        or that name a rule which stands on one, too ("all"). Returns the files of cases."""
        further = self.users(about) if cases == "all" else ()

        def belongs(case):
            return named(case.partition("\n")[0] if cases == "own" else case, (*about, *further))

        wanted = {test: [case for case in cases if belongs(case)] for test, (_, cases) in self.tests.items()}
        expected = {name for cases in wanted.values() for case in cases if NOTHING not in case for name in named(case, self.rules)}
        needed = self.needed(expected | set(about))

        def rule(match):
            return rewrite(match[0]) if match[1] in about else match[0] if match[1] in needed else ""

        folder.mkdir()
        (folder / f"{self.store}.rules.yml").write_text(RULE.sub(rule, self.text), encoding="utf-8")
        files = [folder / name for name in sorted(wanted) if wanted[name]]
        for file in files:
            file.write_text("".join([self.tests[file.name][0], *wanted[file.name]]), encoding="utf-8")
        return files

    def users(self, about):
        """The rules that stand on those."""
        return tuple(name for name in self.rules if name not in about and self.needed([name]) & set(about))


def judge(questions):
    """Of each question, the arguments of Generated.write after the folder, whether promtool passes its cases. Few processes get all
    of them, since a process takes longer than the few cases of one."""
    with tempfile.TemporaryDirectory() as name:
        files = [generated.write(pathlib.Path(name) / str(number), *question)
                 for number, (generated, *question) in enumerate(questions)]
        flat = list(itertools.chain(*files))
        parts = [part for part in (flat[number::os.cpu_count()] for number in range(os.cpu_count())) if part]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            answers = pool.map(lambda part: promtool("test", "rules", *part, stderr=subprocess.STDOUT).stdout, parts)
            output = "".join(answers)
    passes = {file: result == "SUCCESS" for file, result in
              re.findall(r"(?m)^(?:Unit Testing: |Processing test file:) (.*)\n\s*(SUCCESS|FAILED)", output)}  # of 2 and 3
    return [all(passes[str(file)] for file in of_question) for of_question in files]


class BrokenRules(unittest.TestCase):
    """The generated tests of the shipped specs go red on rules that are wrong."""

    def expect_found(self, breaks):
        """`breaks`: (what, generated, names of the rules that are broken, what makes the broken rule of the rule)."""
        found = {}
        # Most breaks are found by few cases, which are green with the right rules.
        for cases in ("own", "naming", "all"):
            left = [one for one in breaks if one[0] not in found]
            passed = judge([(generated, about, rewrite, cases) for _, generated, about, rewrite in left])
            found.update({one[0]: (*one[1:3], cases) for one, passes in zip(left, passed) if not passes})
        sound = list(dict.fromkeys(found.values()))
        green = dict(zip(sound, judge([(generated, about, lambda rule: rule, cases) for generated, about, cases in sound])))
        for what, *_ in breaks:
            with self.subTest(what):
                self.assertTrue(what in found, "the tests pass")
                self.assertTrue(green[found[what]], "the tests fail without it")

    def test_each_break_is_found(self):
        generated = Generated("checkpoint")
        breaks = []
        for name, text, instead in BREAKS:
            about = tuple(rule for rule in generated.rules if text in generated.rules[rule])
            self.assertTrue(about, f"{name}: no rule has {text}")
            breaks.append((name, generated, about, lambda rule, text=text, instead=instead: rule.replace(text, instead)))
        self.expect_found(breaks)

    def test_another_window_is_found_in_each_recorded_series(self):
        breaks = []
        for generated in (Generated("checkpoint"), Generated("postgresql")):
            for name, rule in generated.rules.items():
                # Each has one window in an expression.
                raw = sorted(set(re.findall(r"(\w+(?:\{[^}]*\})?)\[5m\]", rule)) - NATIVE) if name in generated.recorded else []
                for selector, windows in zip(raw, itertools.cycle(OTHER_WINDOWS)):
                    breaks += [(f"{name}: {selector}{window}", generated, (name,),
                                lambda rule, old=f"{selector}[5m]", new=selector + window: rule.replace(old, new))
                               for window in (OTHER_WINDOWS if SOAKS else [windows])]
        self.assertGreater(len(breaks), 10)
        self.expect_found(breaks)

    def test_what_breaks_any_alert_is_found_in_each(self):
        generated = Generated("checkpoint")
        breaks = []
        for number, (what, pattern, instead) in enumerate(ALERT_BREAKS):
            broken = [(f"{name}: {what}", generated, (name,), lambda rule, p=pattern, i=instead: re.sub(p, i, rule, count=1))
                      for name, rule in generated.rules.items() if name not in generated.recorded and re.search(pattern, rule)]
            self.assertTrue(broken, what)
            # In `./run soak` each of each alert; else of a quarter of them, and another quarter with each.
            breaks += broken if SOAKS else broken[number % 4::4]
        self.expect_found(breaks)


if __name__ == "__main__":
    unittest.main()
