"""vmalert's flavor at work, the one for the vmalert that is here: VictoriaMetrics scrapes the real exporter, the real vmalert runs the generated rules and
tells a real Alertmanager, which routes by the generated configuration.

Usage: vmalert_test.py BUILD_FOLDER
"""

import json
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
sys.path.insert(0, str(ROOT / "test" / "support"))

import servers  # noqa: E402  (the path above)

RULEGEN = BUILD / "rulegen" / "rulegen"
EXPORTER = BUILD / "exporter" / "outgrown-exporter"


class Vmalert(unittest.TestCase):
    def setUp(self):
        self.stack = servers.Stack()
        self.addCleanup(self.stack.close)
        self.folder = pathlib.Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.generate()
        self.alertmanager = self.stack.start(servers.alertmanager(
            self.folder, self.folder / "gen" / "checkpoint.alertmanager.yml"))
        self.target = servers.free_port()
        self.exporter = self.start_exporter(servers_writing=2)
        self.metrics = self.start_metrics()
        port = servers.free_port()
        self.vmalert = self.stack.start(servers.Server("vmalert", [
            "vmalert", f"-rule={self.rules}", f"-datasource.url={self.metrics.url}",
            f"-remoteWrite.url={self.metrics.url}", f"-notifier.url={self.alertmanager.url}",
            "-remoteWrite.flushInterval=200ms", f"-httpListenAddr=127.0.0.1:{port}"], self.folder, port, "/health"))

    def generate(self):
        """The shipped spec, evaluated each second."""
        text = (ROOT / "rules" / "checkpoint.toml").read_text(encoding="utf-8")
        for old, new, times in [(r'(?m)^(interval +)= "30s"', r'\1= "1s"', 1), (r'"\.\./[^"]*/gen"', '"gen"', 2)]:
            text, count = re.subn(old, new, text, count=times)  # [rules] is first
            self.assertEqual(count, times, old)
        text = re.sub(r'(?m)^(interval +)= "2m"', r'\1= "2s"', text)  # a group begins up to one interval after its loading
        spec = self.folder / "checkpoint.toml"
        spec.write_text(text, encoding="utf-8")
        shutil.copy(ROOT / "rules" / "alertmanager.base.yml", self.folder)
        subprocess.run([RULEGEN, "--generate", "--spec", spec], check=True, capture_output=True)
        self.spec = spec
        self.flavor = servers.vmalert_flavor()
        self.rules = self.folder / "gen" / self.flavor / "checkpoint.rules.yml"

    def start_exporter(self, servers_writing):
        database = self.folder / "checkpoints.db"
        with sqlite3.connect(database) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS t (x)")
        connection.close()
        blocks = self.folder / "blocks"
        blocks.mkdir(mode=0o750, exist_ok=True)
        return self.stack.start(servers.Server("exporter", [
            EXPORTER, f"--web.listen-address=127.0.0.1:{self.target}", f"--block.dir={blocks}", f"--spec={self.spec}",
            f"--store=checkpoints={database}", f"--deployment.servers={servers_writing}"], self.folder, self.target,
            "/-/healthy"))

    def start_metrics(self):
        config = self.folder / "scrape.yml"
        config.write_text(json.dumps({
            "global": {"scrape_interval": "1s"},
            "scrape_configs": [{"job_name": "outgrown", "static_configs": [{"targets": [f"127.0.0.1:{self.target}"]}]}]}))
        port = servers.free_port()
        return self.stack.start(servers.Server("victoria-metrics", [
            "victoria-metrics", f"-storageDataPath={self.folder / 'vm'}", f"-promscrape.config={config}",
            "-search.latencyOffset=1s", f"-httpListenAddr=127.0.0.1:{port}"], self.folder, port, "/health"))

    def alerts(self):
        return {alert["labels"]["alertname"]: alert
                for alert in servers.get_json(f"{self.alertmanager.url}/api/v2/alerts?active=true")}

    def firing(self):
        found = servers.get_json(f"{self.vmalert.url}/api/v1/alerts")["data"]["alerts"] or []  # null if none is there
        return {alert["name"] for alert in found if alert["state"] == "firing"}

    def held(self):
        found = servers.get_json(f"{self.vmalert.url}/api/v1/alerts")["data"]["alerts"] or []
        return {alert["name"] for alert in found if alert.get("stabilizing")}

    def groups(self):
        return servers.get_json(f"{self.vmalert.url}/api/v1/rules")["data"]["groups"]

    def test_rules_evaluate_an_alert_fires_and_ends(self):
        self.assertEqual("keep_firing_for" in self.rules.read_text(encoding="utf-8"), self.flavor == "victoriametrics")

        alert = servers.wait_for("the alert in Alertmanager", lambda: self.alerts().get("CheckpointMultiServer"), 60)
        self.assertEqual({**alert["labels"], "alertgroup": None}, {
            "alertname": "CheckpointMultiServer", "alertgroup": None, "severity": "critical", "verdict": "migrate_now",
            "threshold": "MultiServer", "job": "outgrown", "instance": f"127.0.0.1:{self.target}",
            "database": "checkpoints"})
        self.assertEqual(alert["annotations"]["summary"], "MIGRATE NOW - Multi-server requires network DB")
        self.assertIn("Servers: 2, more than the limit of 1. Store: job=outgrown,", alert["annotations"]["description"])

        self.every_rule_is_healthy()
        self.recorded_values_and_the_decision()

        self.exporter.stop()
        self.exporter = self.start_exporter(servers_writing=1)
        if self.flavor == "victoriametrics":
            servers.wait_for("the alert, held by keep_firing_for", lambda: "CheckpointMultiServer" in self.held(), 90)
        else:  # no keep_firing_for: the alert ends with its condition, not 15 minutes later
            servers.wait_for("the end of the alert", lambda: "CheckpointMultiServer" not in self.firing(), 60)

    def every_rule_is_healthy(self):
        def evaluated():
            rules = [rule for group in self.groups() for rule in group["rules"]]
            return rules if all(not rule["lastEvaluation"].startswith("0001") for rule in rules) else None

        rules = servers.wait_for("an evaluation of every rule", evaluated)
        groups = re.split(r"(?m)^  - name: ", self.rules.read_text(encoding="utf-8"))[1:]
        # vmalert lists groups by name.
        written = [name for group in sorted(groups, key=lambda text: text.split()[0])
                   for name in re.findall(r"(?m)^      - (?:record|alert): (\S+)$", group)]
        self.assertEqual([rule["name"] for rule in rules], written)
        self.assertEqual({rule["name"]: rule.get("lastError") for rule in rules if rule["health"] != "ok"}, {})

    def recorded_values_and_the_decision(self):
        """vmalert wrote the recorded series back, and the decision that is made of them is the alert's."""
        found = servers.wait_for("the recorded series", lambda: servers.query(self.metrics.url, "checkpoint:servers"))
        self.assertEqual([sample["value"][1] for sample in found], ["2"])
        line = "MIGRATE NOW - Multi-server requires network DB"

        def decided():
            done = subprocess.run([RULEGEN, "--evaluate", "--spec", self.spec, "--prometheus", self.metrics.url, "--rules-url",
                                   self.vmalert.url, "--log", self.folder / "decisions.jsonl"], capture_output=True, text=True, check=False)
            return line in (row.strip() for row in done.stdout.splitlines())

        servers.wait_for(f"the decision '{line}'", decided, 60, poll_seconds=1)


if __name__ == "__main__":
    unittest.main(warnings="ignore")  # refused connections while a server starts leave unclosed sockets behind
