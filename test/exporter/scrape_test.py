"""The scrape as a whole: against the golden one, of a fleet, and with a source that fails.

With OUTGROWN_UPDATE_GOLDEN in the environment the golden scrape is written anew, and its test is skipped.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import exporter_case  # noqa: E402  (the path above)
import servers  # noqa: E402

GOLDEN = exporter_case.SOURCE / "test" / "golden" / "exporter"


def newest(log, sequence, *decisions, digest="0d" * 32):
    """Writes the file of the newest decisions about stores that rulegen --evaluate keeps beside a log."""
    log.with_suffix(".newest.json").write_text(json.dumps({
        "schema": 1, "log": log.name, "sequence": sequence, "hash": "6e0345f6564111820882e1f8ef564f9ccff8fa653b199b80dc1d367603fdd683",
        "decisions": [{"spec": "checkpoint", "labels": labels, "digest": digest, "verdict": verdict,
                       "time_ms": 1795473190500} for labels, verdict in decisions]}))


class Scrape(exporter_case.ExporterCase):
    def test_the_scrape_is_the_golden_one_and_promtool_accepts_it(self):
        block = exporter_case.CounterBlock(self.blocks, "checkpoints", self.database)
        block.record(exporter_case.OK, 1000, 2_000_000, times=97)
        block.record(exporter_case.BUSY, 0, 5_000_000_000, times=2)
        block.record(exporter_case.CONSTRAINT, 0, 100_000)
        self.open_database()
        (self.blocks / "later.v2.counters").write_bytes(b"a later major")
        log = self.folder / "decisions.jsonl"
        newest(log, 1, ({"database": "checkpoints", "job": "outgrown"}, "migrate_now"), digest="0d0d")
        exporter = self.start(f"--block.dir={self.blocks}", f"--spec={GOLDEN / 'spec.toml'}", "--store=gone=/nowhere/a.db",
                              "--deployment.servers=2", "--store.shared-id=eu \"1\"", f"--decision.log={log}")
        block.close()
        text = exporter.get("/metrics")[2]
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, "", ""))

        # A series that no scrape ever shows is one that a rule or an alert waits for in vain.
        catalog = re.findall(r'Metric\{"(\w+)"', (exporter_case.SOURCE / "thresholds" / "catalog.cc").read_text())
        self.assertGreater(len(catalog), 40)
        self.assertEqual(set(re.findall(r"^# TYPE (\S+)", text, re.M)), set(catalog))

        # What differs from run to run, and from machine to machine.
        stable = re.sub(r'^((?:process_\w+|checkpoint_block_created_timestamp_seconds|checkpoint_last_write_timestamp_seconds|checkpoint_file_modified_timestamp_seconds|checkpoint_collector_duration_seconds|checkpoint_wal_size_bytes)(?:\{.*\})?) .*$',
                        r'\1 VALUE', text, flags=re.M)
        stable = re.sub(r'(build_info)\{.*\}', r'\1{version="VERSION",compiler="COMPILER"}', stable)
        stable = re.sub(r'digest="[0-9a-f]{64}"', 'digest="DIGEST"', stable)
        golden = GOLDEN / "scrape.txt"
        if os.environ.get("OUTGROWN_UPDATE_GOLDEN"):
            golden.write_text(stable)
            self.skipTest(f"{golden} was written")
        self.assertMultiLineEqual(stable, golden.read_text())

    def test_the_last_decision_about_each_of_a_fleets_stores_is_shown_in_little_memory(self):
        log, stores = self.folder / "decisions.jsonl", 10_000
        newest(log, 2 * stores + 1, *(
            ({"job": "outgrown", "instance": f"app-{store}:9108", "database": "checkpoints"},
             "migrate_now" if store == 7 else "sufficient") for store in range(stores)))
        exporter = self.start(f"--block.dir={self.blocks}", f"--decision.log={log}")
        for _ in range(40):  # each worker thread has its turn
            text = exporter.get("/metrics")[2]
        verdicts = re.findall(r'^checkpoint_decision_verdict\{.*subject="(.*)",verdict="(\w+)"\} 1$', text, re.M)
        self.assertEqual(len(verdicts), stores)
        self.assertEqual([subject for subject, verdict in verdicts if verdict != "sufficient"],
                         ["database=checkpoints,instance=app-7:9108,job=outgrown"])
        self.assertIn(f"checkpoint_decision_log_records_total {2 * stores + 1}", text)
        resident = re.search(r"^process_resident_memory_bytes (\S+)$", text, re.M)[1]
        self.assertLess(float(resident), 64 * 2**20)

    def test_every_metric_of_the_catalog_that_a_scrape_shows_has_its_help(self):
        exporter = self.start(f"--block.dir={self.blocks}")
        text = exporter.get("/metrics")[2]
        families = re.findall(r"^# HELP (\S+) (.+)$", text, re.M)
        self.assertGreater(len(families), 8)
        self.assertEqual(len(families), len(re.findall(r"^# TYPE ", text, re.M)))

    def test_stores_appear_and_go_without_a_restart(self):
        exporter = self.start(f"--block.dir={self.blocks}")
        self.assertNotIn("checkpoint_block_up{", exporter.get("/metrics")[2])
        exporter_case.CounterBlock(self.blocks, "checkpoints", self.database).close()
        self.assertIn('checkpoint_block_up{database="checkpoints"} 1', exporter.get("/metrics")[2])
        (self.blocks / "checkpoints.v1.counters").unlink()
        self.assertNotIn("checkpoint_block_up{", exporter.get("/metrics")[2])


class Failures(exporter_case.ExporterCase):
    def test_a_failing_source_is_logged_when_it_begins_and_when_it_ends(self):
        exporter = self.start(f"--block.dir={self.blocks}")
        broken = self.blocks / "broken.v1.counters"
        broken.write_bytes(b"no block")
        broken.chmod(0o600)
        for _ in range(3):
            self.assertIn('checkpoint_collector_success{collector="counter_block"} 0', exporter.get("/metrics")[2])
        broken.unlink()
        # Where two pages are still being sent, whoever asks within a second is sent the newer one.
        servers.wait_for("the block's end", lambda: 'counter_block"} 1' in exporter.get("/metrics")[2])
        for _ in range(3):
            self.assertIn('checkpoint_collector_success{collector="counter_block"} 1', exporter.get("/metrics")[2])
        lines = [line for line in exporter.log.read_text().splitlines() if "ollector" in line]
        self.assertEqual(len(lines), 2, lines)
        self.assertRegex(lines[0], r'level=warn msg="Collector failed" collector=counter_block store=broken')
        self.assertRegex(lines[1], r'level=info msg="Collector fails no longer" collector=counter_block store=broken')

    def test_a_database_of_garbage_fails_its_collector(self):
        # Whole sectors can't be told from an encrypted database, which is no failure.
        for size, reason, success in ((5000, "not_sqlite", 0), (5120, "encrypted", 1)):
            self.database.write_bytes(b"g" * size)
            text = self.start(f"--block.dir={self.blocks}", f"--store=s={self.database}").get("/metrics")[2]
            self.assertIn(f'checkpoint_collector_success{{collector="store_commits"}} {success}', text)
            self.assertIn('checkpoint_collector_success{collector="sqlite_file"} 1', text)
            self.assertIn(f'reason="{reason}"}} 1', text)


if __name__ == "__main__":
    exporter_case.main()
