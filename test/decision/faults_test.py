"""Every fault of a lying Prometheus on every query: none may become a verdict.

Usage: faults_test.py RULEGEN [PART/PARTS]
"""

import base64
import json
import pathlib
import subprocess
import tempfile
import unittest

import faulty_prometheus as fake
import faulty_run
import faulty_stores

WORLD = faulty_stores.CHECKPOINT
SUFFICIENT, ERRORS = WORLD.sufficient, WORLD.verdict


class Faults(faulty_run.FaultCase):
    world = WORLD

    def test_without_a_fault_the_stores_are_what_they_are(self):
        status, stores = self.evaluate("known", None)
        self.assertEqual(status, 0)
        self.assertEqual({name: store["line"] for name, store in stores.items()}, self.good_lines())

    def test_a_fault_never_becomes_a_verdict(self):
        self.each_fault(WORLD.queries, self.check_at_an_instant)

    def test_a_fault_in_what_explains_an_alert_neither_hides_drift_nor_makes_it(self):
        self.each_fault([WORLD.held], self.check_alerts)
        self.each_fault(WORLD.split, lambda kind, fault, status, stores: self.assertEqual(
            (status, {name: store["line"] for name, store in stores.items()}), (0, self.good_lines())))
        self.each_fault(["start"], self.check_alerts, faults=faulty_run.part_of({**fake.START_FAULTS, **fake.TRANSFER_FAULTS}))

    def test_a_fault_in_a_trend_changes_no_verdict_no_exit_status_and_no_record(self):
        status, stores = self.evaluate("known", None)
        self.assertEqual(self.trend(stores, "healthy", "FileSize"), {"kind": "reached", "seconds": 345600})
        decided = {name: (store["line"], store["also"], store["unknown"]) for name, store in stores.items()}
        inputs = self.last_inputs()
        count = 0
        for number, fault in enumerate(faulty_run.FAULTS):
            for kind in faulty_run.one_of_each(WORLD.trends, WORLD.trends, number):
                with self.subTest(fault=fault, query=kind):
                    count += 1
                    faulty_status, faulty = self.evaluate(kind, fault)
                    self.assertEqual(faulty_status, status)
                    self.assertEqual({name: (store["line"], store["also"], store["unknown"])
                                      for name, store in faulty.items()}, decided)
                    self.assertEqual(self.last_inputs(), inputs)
        self.assertGreaterEqual(faulty_run.PARTS * count, 20)

    def test_a_faulty_trend_is_unknown_and_noted_and_the_others_are_shown(self):
        _, stores = self.evaluate("trend of file_size_bytes", "500")
        self.assertEqual(self.trend(stores, "healthy", "FileSize"), {"kind": "unknown"})
        self.assertEqual(self.trend(stores, "healthy", "Throughput"), {"kind": "reached", "seconds": 345600})
        self.assertEqual([warning for warning in self.warnings if "no trend of File size" in warning],
                         ["no trend of File size: the server answered 500"])
        _, stores = self.evaluate("trend of writes_ceiling", "500")
        self.assertIn("no trend towards Own write ceiling: the server answered 500", self.warnings)
        self.assertEqual(self.ceiling_trend(stores, "healthy"), {"kind": "unknown"})
        self.assertEqual(self.ceiling_trend(self.evaluate("known", None)[1], "healthy"), {"kind": "reached", "seconds": 345600})

    @staticmethod
    def trend(stores, name, threshold):
        return next(one["trend"] for one in stores[name]["thresholds"] if one["id"] == threshold)

    @staticmethod
    def ceiling_trend(stores, name):
        return next(one["ceiling"]["trend"] for one in stores[name]["signals"] if "ceiling" in one)

    def last_inputs(self):
        """The newest record of each store, without its place in the chain."""
        records = [json.loads(line) for line in self.log.read_text().splitlines()[-len(WORLD.stores()):]]
        place = ("sequence", "previous", "logged", "hash")
        return [{name: value for name, value in record.items() if name not in place} for record in records]

    def test_what_only_looks_odd_keeps_no_decision_from_being_made(self):
        for number, fault in enumerate(fake.HARMLESS):
            for kind in faulty_run.one_of_each(self.alike(), WORLD.queries, number):
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
        self.assertEqual(set(self.server.asked), {*WORLD.queries, *WORLD.asked_beside, *WORLD.trends, "start"})
        for sent in self.server.headers:
            self.assertEqual(sent["X-Scope-OrgID"], "team-a")
            self.assertEqual(sent["Authorization"], "Basic " + base64.b64encode(b"outgrown:secret").decode())
        self.assertNotIn("secret", self.log.read_text())

    def test_a_partial_answer_of_thanos_or_mimir_is_reported_in_the_servers_words(self):
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
                    [faulty_run.RULEGEN, "--evaluate", "--spec", faulty_run.ROOT / "rules" / "checkpoint.toml", "--prometheus",
                     server.url, "--log", pathlib.Path(folder) / "log", "--timeout", "300ms"], capture_output=True, text=True, check=False, timeout=60)
            finally:
                fake.Handler.answer = original
            self.assertEqual(done.returncode, 4)
            self.assertIn("answered no query", done.stdout)


if __name__ == "__main__":
    unittest.main()
