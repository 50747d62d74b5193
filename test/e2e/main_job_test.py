"""The main job, end to end, as `./run demo` does it: real SQLite under real lock contention, through the counter block,
the exporter and a real Prometheus, to the printed decision and the alert in a real Alertmanager.

Usage: main_job_test.py BUILD_FOLDER
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1))


def processes_naming(folder):
    """Command lines of living processes that name the folder."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in line:
            found.append(line)
    return found


class MainJob(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name) / "demo"
        cls.done = subprocess.run(
            [sys.executable, ROOT / "demo" / "demo.py", "--build", BUILD, "--folder", cls.folder],
            capture_output=True, text=True, check=False, timeout=400)
        cls.lines = [line.strip() for line in cls.done.stdout.splitlines()]

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def test_the_demo_succeeds(self):
        self.assertEqual(self.done.returncode, 0, self.done.stdout + self.done.stderr)

    def test_the_healthy_phase_is_sufficient_and_the_loaded_one_is_not(self):
        healthy = self.lines.index("SQLite sufficient")
        saturated = self.lines.index("MIGRATE NOW - Write errors >1% (SQLite saturated)")
        self.assertLess(healthy, saturated)

    def test_the_alert_has_arrived_in_alertmanager(self):
        alerts = json.loads((self.folder / "alerts.json").read_text())
        self.assertEqual({alert["labels"]["alertname"] for alert in alerts}, {"CheckpointWriteErrors"})
        self.assertEqual(alerts[0]["labels"]["severity"], "critical")
        self.assertEqual(alerts[0]["annotations"]["summary"], "MIGRATE NOW - Write errors >1% (SQLite saturated)")

    def test_the_busy_errors_were_real_and_none_was_lost(self):
        exposed = {}
        for line in (self.folder / "metrics.txt").read_text().splitlines():
            if not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                exposed[name] = float(value)
        busy = [value for name, value in exposed.items()
                if name.startswith("checkpoint_write_errors_total{") and 'reason="busy"' in name]
        self.assertGreater(sum(busy), 0)
        self.assertTrue(any("the exporter shows the same" in line for line in self.lines), self.done.stdout)

    def test_every_decision_that_was_printed_is_in_the_log(self):
        records = [json.loads(line) for line in (self.folder / "decisions.jsonl").read_text().splitlines()]
        text = json.dumps(records)
        self.assertIn("SQLite sufficient", text)
        self.assertIn("Write errors >1% (SQLite saturated)", text)

    def test_the_exporter_shows_the_last_decision_that_rulegen_logged(self):
        shown = [line for line in (self.folder / "metrics.txt").read_text().splitlines()
                 if line.startswith("checkpoint_decision_verdict{")]
        self.assertEqual(len(shown), 1, shown)
        self.assertIn('verdict="migrate_now"', shown[0])
        # The text that the alert on an overdue decision builds from the store's labels, by key.
        self.assertRegex(shown[0], r'[{,]subject="database=checkpoints,instance=127\.0\.0\.1:\d+,job=outgrown"')

    def test_everything_it_started_has_stopped(self):
        self.assertEqual(processes_naming(self.folder), [])


if __name__ == "__main__":
    unittest.main()
