"""Two hosts that are set up as docs/adopting.md says, with one Alertmanager: the alerts of one silence none of the other's.

Usage: two_hosts_test.py
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "support"))

import servers  # noqa: E402


def exporter_of(host):
    """The labels that the exporter's series have on that host."""
    page = (ROOT / "docs" / "adopting.md").read_text()
    old, new = re.search(r'^sed "s/(.+?)/(.+?)/" \S+/prometheus\.yml', page, re.M).groups()
    text = (ROOT / "deploy" / "prometheus.yml").read_text()
    config = yaml.safe_load(text.replace(old, new.replace("$(hostname)", host)))
    job = next(job for job in config["scrape_configs"] if job["job_name"] == "outgrown")
    group, = job["static_configs"]
    target, = group["targets"]
    return {"job": "outgrown", "instance": target, **group.get("labels", {})}


class TwoHosts(unittest.TestCase):
    def test_the_alerts_of_one_host_silence_none_of_the_other(self):
        alerts = [{"alertname": f"Checkpoint{name}", "host": host, **exporter_of(host),
                   **({"database": "state"} if name == "NoEvidence" else {})}
                  for host, name in (("one", "ExporterDown"), ("one", "NoEvidence"), ("two", "NoEvidence"))]
        with servers.Stack() as stack, tempfile.TemporaryDirectory() as folder:
            alertmanager = stack.start(servers.alertmanager(
                pathlib.Path(folder), ROOT / "rules" / "gen" / "checkpoint.alertmanager.yml"))
            for labels in alerts:
                subprocess.run(["amtool", f"--alertmanager.url={alertmanager.url}", "alert", "add",
                                *(f"{name}={value}" for name, value in labels.items())], check=True)

            def silenced():
                return {(alert["labels"]["host"], alert["labels"]["alertname"])
                        for alert in servers.get_json(f"{alertmanager.url}/api/v2/alerts")
                        if alert["status"]["inhibitedBy"]}
            servers.wait_for("the host's own alert to be silenced", silenced)
            self.assertEqual(silenced(), {("one", "CheckpointNoEvidence")})


if __name__ == "__main__":
    unittest.main()
