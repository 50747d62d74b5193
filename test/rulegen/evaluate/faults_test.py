"""Every fault of a lying Prometheus on every query: none may become a verdict.

Usage: faults_test.py RULEGEN
"""

import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "test" / "rulegen" / "evaluate"))
import faulty_prometheus as fake  # noqa: E402
sys.path.insert(0, str(ROOT / "test" / "support"))
import schema  # noqa: E402

RULEGEN = pathlib.Path(sys.argv.pop(1)).resolve()
SPEC = ROOT / "rules" / "checkpoint.toml"
SUFFICIENT = "SQLite sufficient"
ERRORS = "MIGRATE NOW - Write errors >1% (SQLite saturated)"

PRESENCE = {"known", "here"}
# Faults that leave what the store's verdict rests on as it is: a series of somebody else's beside ours, a value that
# nobody reads (of the presence only the labels count).
UNHARMED = {
    ("known", fault) for fault in (
        "empty result", "NaN", "+Inf", "-Inf", "stale", "only old samples", "samples of the future", "a hole",
        "one sample", "duplicated series", "replicas", "other label name", "other label value",
        "no labels", "other series", "the same time twice", "unsorted")
} | {
    ("here", fault) for fault in (
        "NaN", "+Inf", "-Inf", "stale", "only old samples", "samples of the future", "a hole",
        "one sample", "duplicated series", "replicas", "other series", "the same time twice", "unsorted")
} | {
    # Healthy at E is healthy, however short the history or whatever lies before.
    (signal, fault) for signal in fake.VALUES for fault in ("one sample", "a hole")
}


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = fake.FaultyPrometheus()
        cls.temporary = tempfile.TemporaryDirectory()
        cls.log = pathlib.Path(cls.temporary.name) / "decisions.jsonl"

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.temporary.cleanup()

    def evaluate(self, kind, fault, *arguments, with_no_answer=False):
        self.server.set_fault(kind, fault)
        done = subprocess.run(
            [RULEGEN, "--evaluate", "--spec", SPEC, "--prometheus", self.server.url, "--at", str(fake.T), "--log", self.log,
             "--format", "json", "--timeout", "2s" if fault in ("hung", "dripping") else "20s", *arguments],
            capture_output=True, text=True, check=False, timeout=60, env={**os.environ, "http_proxy": "http://127.0.0.1:1"})
        self.assertIn(done.returncode, (4,) if with_no_answer else (0, 6, 30), done.stderr)
        self.assertIn(kind, self.server.asked, "the fault was not met")
        evaluation = schema.check_answer(done.stdout)["evaluations"][0]
        self.warnings = evaluation["warnings"]
        stores = evaluation["stores"]
        return done.returncode, {store["labels"].get("database"): store for store in stores}

    def test_without_a_fault_the_two_stores_are_what_they_are(self):
        status, stores = self.evaluate("known", None)
        self.assertEqual(status, 0)
        self.assertEqual({name: store["line"] for name, store in stores.items()},
                         {"healthy": SUFFICIENT, "errors": ERRORS})

    def test_a_fault_never_becomes_a_verdict(self):
        count = 0
        for fault in {**fake.DOCUMENT_FAULTS, **fake.TRANSFER_FAULTS}:
            for kind in fake.QUERIES:
                with self.subTest(fault=fault, query=kind):
                    count += 1
                    self.check(kind, fault, *self.evaluate(kind, fault))
        self.assertGreaterEqual(count, 20 * len(fake.QUERIES))
        print(f"{count} faults × queries", file=sys.stderr)

    def test_a_fault_in_a_trend_changes_no_verdict_no_exit_status_and_no_record(self):
        status, stores = self.evaluate("known", None)
        self.assertEqual(self.trend(stores, "healthy", "FileSize"), {"kind": "reached", "seconds": 345600})
        decided = {name: (store["line"], store["also"], store["unknown"]) for name, store in stores.items()}
        inputs = self.last_inputs()
        count = 0
        for fault in {**fake.DOCUMENT_FAULTS, **fake.TRANSFER_FAULTS}:
            for kind in fake.TRENDS:
                with self.subTest(fault=fault, query=kind):
                    count += 1
                    faulty_status, faulty = self.evaluate(kind, fault)
                    self.assertEqual(faulty_status, status)
                    self.assertEqual({name: (store["line"], store["also"], store["unknown"])
                                      for name, store in faulty.items()}, decided)
                    self.assertEqual(self.last_inputs(), inputs)
        self.assertGreaterEqual(count, 20 * len(fake.TRENDS))

    def test_a_faulty_trend_is_unknown_and_noted_and_the_others_are_told(self):
        _, stores = self.evaluate("trend of file_size_bytes", "500")
        self.assertEqual(self.trend(stores, "healthy", "FileSize"), {"kind": "unknown"})
        self.assertEqual(self.trend(stores, "healthy", "Throughput"), {"kind": "reached", "seconds": 345600})
        self.assertEqual([warning for warning in self.warnings if "no trend of File size" in warning],
                         ["no trend of File size: the server answered 500"])

    @staticmethod
    def trend(stores, name, threshold):
        return next(one["trend"] for one in stores[name]["thresholds"] if one["id"] == threshold)

    def last_inputs(self):
        """The newest record of each store, without its place in the chain."""
        records = [json.loads(line) for line in self.log.read_text().splitlines()[-2:]]
        place = ("sequence", "previous", "logged", "hash")
        return [{name: value for name, value in record.items() if name not in place} for record in records]

    def check(self, kind, fault, status, stores):
        healthy, errors = stores["healthy"]["line"], stores["errors"]["line"]
        if kind == "ALERTS" or (kind, fault) in UNHARMED:
            self.assertEqual(healthy, SUFFICIENT)
        else:
            self.assertTrue(healthy.startswith("UNDETERMINED - "), healthy)
            self.assertEqual(status, 30)
        # A fault in what proves the breach leaves nothing proven; a fault elsewhere leaves the breach standing.
        if kind != "write_error_ratio":
            # The breach needs coverage all along its window; a hole of two evaluations is allowed there.
            if kind != "coverage_ratio" or fault == "a hole":
                self.assertEqual(errors, ERRORS)
            else:
                self.assertTrue(errors.startswith("UNDETERMINED - "), errors)
        else:
            self.assertTrue(errors.startswith("UNDETERMINED - "), errors)

    def test_what_only_looks_odd_keeps_no_decision_from_being_made(self):
        for fault in fake.HARMLESS:
            for kind in fake.QUERIES:
                with self.subTest(fault=fault, query=kind):
                    status, stores = self.evaluate(kind, fault)
                    self.assertEqual(status, 0)
                    self.assertEqual(stores["healthy"]["line"], SUFFICIENT)
                    self.assertEqual(stores["errors"]["line"], ERRORS)

    def test_every_query_carries_the_tenant_and_the_login_from_their_files(self):
        self.server.tenant = "team-a"
        self.addCleanup(setattr, self.server, "tenant", None)
        status, stores = self.evaluate("known", None, with_no_answer=True)
        self.assertEqual((status, stores), (4, {}))
        headers, login = (pathlib.Path(self.temporary.name) / name for name in ("headers", "login"))
        headers.write_text("# the team\nX-Scope-OrgID: team-a\n")
        login.write_text("outgrown:secret\n")
        status, stores = self.evaluate("known", None, "--headers-file", headers, "--basic-auth-file", login)
        self.assertEqual(status, 0)
        self.assertEqual(stores["healthy"]["line"], SUFFICIENT)
        self.assertEqual(set(self.server.asked), {*fake.QUERIES, *fake.TRENDS})
        for sent in self.server.headers:
            self.assertEqual(sent["X-Scope-OrgID"], "team-a")
            self.assertEqual(sent["Authorization"], "Basic " + base64.b64encode(b"outgrown:secret").decode())
        self.assertNotIn("secret", self.log.read_text())

    def test_a_partial_answer_of_thanos_or_mimir_is_told_in_the_servers_words(self):
        _, stores = self.evaluate("file_size_bytes", "warnings")
        self.assertEqual(stores["healthy"]["line"], "UNDETERMINED - File size: the server's answer may be incomplete")
        self.assertIn("checkpoint:file_size_bytes[6h2m]: one store gateway did not answer", self.warnings)

    def test_every_query_hung_ends_in_time_and_says_so(self):
        with tempfile.TemporaryDirectory() as folder:
            server = fake.FaultyPrometheus()
            self.addCleanup(server.stop)
            original = fake.Handler.answer
            fake.Handler.answer = lambda handler, document, kind: fake.hang(handler, b"")
            try:
                done = subprocess.run(
                    [RULEGEN, "--evaluate", "--spec", SPEC, "--prometheus", server.url, "--log", pathlib.Path(folder) / "log",
                     "--timeout", "300ms"], capture_output=True, text=True, check=False, timeout=10)
            finally:
                fake.Handler.answer = original
            self.assertEqual(done.returncode, 4)
            self.assertIn("answered no query", done.stdout)


if __name__ == "__main__":
    unittest.main()
