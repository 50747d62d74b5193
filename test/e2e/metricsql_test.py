"""The rules mean the same in VictoriaMetrics: the cases of the shipped specs, whose recorded values promtool confirms for
Prometheus, through VictoriaMetrics and the real vmalert, which replays the generated rules over them.

Usage: metricsql_test.py
"""

import math
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import tomllib
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "support"))

import servers  # noqa: E402  (the path above)

DAY_SECONDS = 86400
SCRAPE_SECONDS = 15  # of both specs
SLOT_SECONDS = 30 * 60  # the cases' series take 20 minutes, and their windows are of 5
NUMBER = r"\d[\d.]*(?:e[+-]?\d+)?"


def samples(notation):
    """The values of promtool's notation; None is no sample."""
    for word in notation.split():
        value, step, times = re.fullmatch(rf"(_|stale|-?{NUMBER})([+-]{NUMBER})?(?:x(\d+))?", word).groups()
        for i in range(int(times or 0) + (value != "_" or times is None)):
            yield None if value in ("_", "stale") else float(value) + i * float(step or 0)


class Case:
    """A case of a spec, in a time of its own, so that the cases do not see each other; and of stores of its own, since
    in VictoriaMetrics 1.79 a histogram's bounds of another hour of the day change its quantile."""

    def __init__(self, spec, number, of, case):
        self.series = f"{spec['store']['name']}:{of}"
        self.name = case.get("name", "")
        self.identity = spec["store"]["identity"]
        self.given = [(*selector.rstrip("}").partition("{")[::2], notation) for selector, notation in case["series"].items()]
        self.number = number
        self.begin = number * SLOT_SECONDS
        self.at_seconds = self.begin + int(re.fullmatch(r"(\d+)m", case["at"])[1]) * 60
        self.value = case.get("value")  # None: nothing is recorded

    def store_of(self, labels):
        """The identity of the store that a series with these labels belongs to."""
        named = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        return {label: named.get(label, f"case-{self.number}") for label in self.identity}

    def stores(self):
        """Every store, as labels in their order."""
        return {tuple(sorted(self.store_of(labels).items())) for _, labels, _ in self.given}

    def text(self, begin):
        """What is scraped, in the text format with timestamps."""
        for name, labels, notation in self.given:
            others = [f'{label}="{value}"' for label, value in self.store_of(labels).items() if f'{label}="' not in labels]
            for i, value in enumerate(samples(notation)):
                if value is not None:
                    at_ms = (begin + self.begin + i * SCRAPE_SECONDS) * 1000
                    yield f"{name}{{{', '.join([*filter(None, [labels]), *others])}}} {value!r} {at_ms}\n"


def cases(spec, first):
    found = [(signal["id"], case) for signal in spec["signal"] for case in signal["test"]]
    found += [("coverage_ratio", case) for case in spec.get("coverage", {}).get("test", [])]
    return [Case(spec, first + number, of, case) for number, (of, case) in enumerate(found)]


class Metricsql(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = servers.Stack()
        cls.addClassCleanup(cls.stack.close)
        cls.folder = pathlib.Path(cls.stack.enter_context(tempfile.TemporaryDirectory()))
        cls.metrics = cls.stack.start(servers.victoria_metrics(cls.folder))
        cls.flavor = servers.vmalert_flavor()
        # Days that are over: no answer is cut off because it is too new, and every step falls on its grid.
        cls.begin = (int(time.time()) // DAY_SECONDS - 3) * DAY_SECONDS
        cls.specs = [tomllib.loads((ROOT / "rules" / f"{name}.toml").read_text(encoding="utf-8"))
                     for name in ("checkpoint", "postgresql")]
        cls.cases = []
        for spec in cls.specs:
            cls.cases += cases(spec, len(cls.cases))
        servers.post(f"{cls.metrics.url}/api/v1/import/prometheus", body="".join(
            line for case in cls.cases for line in case.text(cls.begin)))
        servers.get(f"{cls.metrics.url}/internal/force_flush")
        for spec in cls.specs:
            cls.replay(spec["store"]["name"])
        servers.get(f"{cls.metrics.url}/internal/force_flush")
        # A new series is found by a query some time after its samples are stored.
        for case in [case for case in cls.cases if case.value is not None]:
            servers.wait_for(f"what was recorded of {case.series}", lambda case=case: servers.query(
                cls.metrics.url, f"last_over_time({case.series}[1s])", cls.begin + case.at_seconds))

    @classmethod
    def replay(cls, store):
        def utc(seconds):
            return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))

        done = subprocess.run([
            "vmalert", f"-rule={ROOT / 'rules' / 'gen' / cls.flavor / f'{store}.rules.yml'}",
            f"-datasource.url={cls.metrics.url}", f"-remoteWrite.url={cls.metrics.url}", "-remoteWrite.flushInterval=10ms",
            f"-replay.timeFrom={utc(cls.begin)}", f"-replay.timeTo={utc(cls.begin + len(cls.cases) * SLOT_SECONDS)}",
            "-replay.rulesDelay=20ms", "-replay.disableProgressBar"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)

    def values(self, expression, case):
        """What it is at the case's instant, by store."""
        found = servers.query(self.metrics.url, expression, self.begin + case.at_seconds)
        values = {}
        for sample in found:
            store = tuple(sorted((name, value) for name, value in sample["metric"].items() if name != "__name__"))
            values[store] = float(sample["value"][1])
        return values

    def check(self, expression_of):
        self.assertGreater(len(self.cases), 30)
        for case in self.cases:
            with self.subTest(series=case.series, case=case.name):
                values = self.values(expression_of(case), case)
                self.assertEqual(set(values), set() if case.value is None else case.stores())
                for found in values.values():
                    self.assertTrue(math.isclose(found, case.value, rel_tol=1e-9, abs_tol=1e-9), f"{found}, not {case.value}")

    def test_vmalert_records_what_every_case_says(self):
        # Only a sample of the instant itself: what was recorded before it would be another evaluation's.
        self.check(lambda case: f"last_over_time({case.series}[1s])")

    def test_an_instant_query_as_vmalert_makes_it_says_the_same(self):
        rules = {}
        for store in ("checkpoint", "postgresql"):
            text = (ROOT / "rules" / "gen" / self.flavor / f"{store}.rules.yml").read_text(encoding="utf-8")
            rules.update(re.findall(r"      - record: (\S+)\n        expr: '(.*)'", text))
        self.check(lambda case: rules[case.series].replace("''", "'"))


if __name__ == "__main__":
    unittest.main()
