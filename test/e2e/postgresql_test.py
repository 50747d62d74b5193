"""The second spec on real input: PostgreSQL under pgbench, Debian's postgres_exporter, Prometheus with the generated
rules, and the decision. The windows are short (SHORT below); expressions, limits and texts are the shipped ones.

Usage: postgresql_test.py BUILD_FOLDER. Exit status 77 (skipped) where PostgreSQL or its exporter is not installed.
"""

import pathlib
import re
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
sys.path.insert(0, str(ROOT / "test" / "support"))

import postgresql_server  # noqa: E402  (the path above)
import servers  # noqa: E402
from promtool import promtool  # noqa: E402
from server_case import ServerCase  # noqa: E402

RULEGEN = BUILD / "rulegen" / "rulegen"
# What the shipped spec's times become, so that the test takes seconds: one scrape and evaluation every 3 s.
SHORT = [(r'scrape_interval = "15s"', 'scrape_interval = "3s"'), (r'interval( +)= "30s"', r'interval\1= "3s"'),
         (r'\[5m\]', '[15s]'), (r'at( +)= "10m"', r'at\1= "1m"'), (r'for( +)= "10m"', r'for\1= "6s"')]
CLIENTS = 4
RATE = 200  # transactions a second that pgbench is told to make; a slow machine makes fewer
COUNTED_SECONDS = 18  # the window of a recorded rate and an evaluation


def short_spec(text):
    # The watches' tests keep their times; what they remember is recorded sooner.
    text, mark, watches = text.partition("\n# --- watches")
    watches, count = re.subn(r'interval( +)= "2m"', r'interval\1= "6s"', watches)
    assert mark and count > 0, "there are no watches, or they remember nothing"
    for pattern, replacement in SHORT:
        text, count = re.subn(pattern, replacement, text)
        assert count > 0, f"{pattern} is not in the spec any more"
    # The signal tests give increments a scrape; a fifth of them is the same rate. Those of ratios (small ones) can stay.
    return re.sub(r'"0\+(\d{2,})x80"', lambda match: f'"0+{int(match[1]) // 5}x80"', text) + mark + watches


class PostgresqlStore(ServerCase):
    @classmethod
    def start(cls):
        cls.folder.chmod(0o711)
        cls.spec = cls.folder / "ops" / "postgresql.toml"
        cls.spec.parent.mkdir()
        text = short_spec((ROOT / "rules" / "postgresql.toml").read_text())
        cls.spec.write_text(re.sub(r'"\.\./(?:grafana-provisioning/dashboards|docs)/gen"', '"gen"', text))
        (cls.spec.parent / "alertmanager.base.yml").write_bytes((ROOT / "rules" / "alertmanager.base.yml").read_bytes())
        cls.rulegen("--generate")
        cls.postgresql = cls.stack.start(postgresql_server.Postgresql(cls.folder))
        cls.exporter = cls.stack.start(postgresql_server.exporter(cls.folder, cls.postgresql))
        cls.prometheus = cls.stack.start(servers.prometheus(
            cls.folder, {"postgresql": [cls.exporter.url.removeprefix("http://")]},
            [cls.spec.parent / "gen" / "postgresql.rules.yml"], scrape_interval="3s"))
        cls.alive = [cls.postgresql, cls.exporter, cls.prometheus]
        made = cls.postgresql.call("pgbench", "-i", "-q")
        assert made.returncode == 0, made.stderr
        # One transaction in 50 is rolled back: fewer than the limit.
        (cls.folder / "commit.sql").write_text(
            "\\set row random(1, 100000)\nUPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid = :row;\n")
        (cls.folder / "rollback.sql").write_text("BEGIN;\nSELECT 1;\nROLLBACK;\n")
        cls.alive.append(cls.load())

    counted = []  # (time, transactions) as PostgreSQL counts them

    @classmethod
    def load(cls):
        return cls.stack.start(servers.Process("pgbench", cls.postgresql.command(
            "pgbench", "-n", "-c", str(CLIENTS), "-T", "600", "-R", str(RATE), "-f", f"{cls.folder}/commit.sql@49",
            "-f", f"{cls.folder}/rollback.sql@1"), cls.folder))

    @classmethod
    def rulegen(cls, *arguments, accept=(0,)):
        done = subprocess.run([RULEGEN, *arguments, "--spec", cls.spec], cwd=cls.folder, capture_output=True,
                              text=True, check=False)
        assert done.returncode in accept, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def recorded(self, signal):
        """The signal's value of the one store there is; its labels must be the identity and no other."""
        result = servers.query(self.prometheus.url, f"postgresql:{signal}")
        if len(result) != 1:
            return None
        labels = {name for name in result[0]["metric"] if name != "__name__"}
        self.assertEqual(labels, {"job", "instance"})
        return float(result[0]["value"][1])

    def is_as_postgresql_counts(self, value):
        """Whether the recorded rate is about that of PostgreSQL's own counters over the last seconds, whatever rate the
        machine gives."""
        count = int(self.postgresql.call(
            "psql", "-Atc", "SELECT sum(xact_commit + xact_rollback) FROM pg_stat_database").stdout)
        self.counted.append((time.monotonic(), count))
        now, then = self.counted[-1], next(iter(
            reading for reading in reversed(self.counted) if self.counted[-1][0] - reading[0] >= COUNTED_SECONDS), None)
        if then is None:
            return False
        rate = (now[1] - then[1]) / (now[0] - then[0])
        return rate > 5 and 0.7 * rate < value < 1.4 * rate

    def wait_for_recorded(self, signal, plausible):
        seen = []

        def is_plausible():
            seen.append(self.recorded(signal))
            return seen[-1] is not None and plausible(seen[-1])

        try:
            servers.wait_for(f"a plausible {signal}", is_plausible, timeout_seconds=90, alive=self.alive)
        except servers.NotReady:
            self.fail(f"{signal} was never plausible; its last values: {seen[-5:]}")

    def test_promtool_accepts_the_rules_and_the_shipped_ones_pass_their_tests(self):
        for command in (["check", "rules", "--lint-fatal", self.spec.parent / "gen" / "postgresql.rules.yml"],
                        ["test", "rules", ROOT / "rules" / "gen" / "postgresql.test.yml"]):
            done = promtool(*command)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_every_signal_is_recorded_as_the_load_makes_it(self):
        self.wait_for_recorded("transactions_per_second", self.is_as_postgresql_counts)
        self.wait_for_recorded("rollback_ratio", lambda value: 0.01 < value < 0.04)
        self.wait_for_recorded("connection_ratio", lambda value: value >= (CLIENTS + 1) / 100)
        self.assertLess(self.recorded("connection_ratio"), 0.2)
        size = self.postgresql.call("psql", "-Atc", "SELECT sum(pg_database_size(datname)) FROM pg_database").stdout
        self.wait_for_recorded("size_bytes", lambda value: abs(value / float(size) - 1) < 0.5)

    def wait_for_verdict(self, line):
        said = ""

        def decided():
            nonlocal said
            # 30 while the history is shorter than `for`, 6 while the rules that are just loaded were not evaluated.
            said = self.rulegen("--evaluate", "--prometheus", self.prometheus.url, "--log", self.folder / "log.jsonl",
                                accept=(0, 6, 30))
            return line in (words.strip() for words in said.splitlines())

        try:
            servers.wait_for(line, decided, timeout_seconds=90, poll_seconds=1, alive=self.alive)
        except servers.NotReady:
            self.fail(f"wanted {line}, got\n{said}")

    def test_the_decision_is_sufficient_and_a_lower_limit_makes_it_migrate(self):
        self.wait_for_verdict("PostgreSQL sufficient")
        # What an ops team does: edit the spec, generate, deploy.
        shipped = self.spec.read_text()
        rate = self.recorded("transactions_per_second")
        changed = shipped.replace("above   = 10000", f"above   = {rate / 3:.0f}").replace(
            "above   = 8000", f"above   = {rate / 4:.0f}")
        self.assertNotEqual(changed, shipped)
        self.spec.write_text(changed)
        self.rulegen("--generate")
        servers.post(f"{self.prometheus.url}/-/reload")
        self.wait_for_verdict("MIGRATE NOW - Throughput >10000/sec (single primary ceiling)")
        # The alert fires too, and every copy is in step.
        servers.wait_for("the alert", lambda: servers.query(
            self.prometheus.url, 'ALERTS{alertname="PostgresqlThroughput", alertstate="firing"}'), 60, alive=self.alive)
        self.rulegen("--verify", "--prometheus", self.prometheus.url)

    def test_the_server_that_stops_is_a_silent_store_and_no_exporter_that_is_down(self):
        """The last of the tests, by its name: it stops the server. The alert's `for` is promtool's to test."""
        pending = 'ALERTS{alertname="PostgresqlStoreSilent"}'
        servers.wait_for("the store", lambda: servers.query(self.prometheus.url, "postgresql:present"), 60, alive=self.alive)
        self.assertEqual(servers.query(self.prometheus.url, pending), [])
        self.postgresql.stop()
        found = servers.wait_for("the alert", lambda: servers.query(self.prometheus.url, pending), 90,
                                 alive=[self.exporter, self.prometheus])
        labels = found[0]["metric"]
        self.assertEqual((len(found), labels["job"], labels["instance"]),
                         (1, "postgresql", self.exporter.url.removeprefix("http://")))
        self.assertEqual([sample["value"][1] for sample in servers.query(self.prometheus.url, 'up{job="postgresql"}')], ["1"])
        # postgres_exporter 0.20 says so one scrape later than its series go.
        servers.wait_for("pg_up to be 0", lambda: [
            sample["value"][1] for sample in servers.query(self.prometheus.url, "pg_up")] == ["0"])
        self.assertEqual(servers.query(self.prometheus.url, 'ALERTS{alertname="PostgresqlExporterDown"}'), [])


if __name__ == "__main__":
    if postgresql_server.binaries() is None:
        print("skipped: needs postgresql and prometheus-postgres-exporter")
        sys.exit(77)
    unittest.main()
