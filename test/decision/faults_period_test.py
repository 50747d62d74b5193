"""Every fault of a lying Prometheus on every query that --since adds, and on those about stores that have fallen silent: none
may become a verdict, and none a wrong time.

Usage: faults_period_test.py RULEGEN
"""

import dataclasses
import unittest

import faulty_prometheus as fake
import faulty_run
import faulty_stores

NO_DATA = "UNDETERMINED - no data"
NO_DATA_SINCE = "UNDETERMINED - no data since 2026-09-21 13:53:30 UTC"
# Faults of a period's query that leave a minute or two at the end unknown: samples are missing, or are no numbers.
BRIDGED = ("a hole", "stale")
AT_THE_END = (*BRIDGED, "NaN", "+Inf", "-Inf")
# Faults of the query who was there before the period that make a store look new: then "sufficient" says since when, and so
# claims less.
LOOKS_NEW = ("empty result", "other label name", "other label value", "no labels")


class Period(faulty_run.FaultCase):
    world = dataclasses.replace(faulty_stores.CHECKPOINT, period=True)
    since = ("--since", "50m")

    def test_without_a_fault_the_stores_are_what_they_are(self):
        status, stores = self.evaluate("known", None, *self.since)
        self.assertEqual(status, 30)
        self.assertEqual({name: store["line"] for name, store in stores.items()},
                         {"healthy": self.world.sufficient, "errors": self.world.verdict, "burst": self.world.verdict,
                          "vanished": NO_DATA_SINCE})
        self.assertEqual({kind for kind in self.server.asked if not kind.startswith("trend")},
                         {*self.world.queries, *self.world.period_queries, *self.world.asked_beside})

    def test_a_fault_never_becomes_a_verdict(self):
        self.each_fault([*self.world.period_queries, "stop"], self.check, *self.since)

    def test_every_query_hung_ends_in_time_with_nothing_decided(self):
        original = fake.Handler.answer
        self.addCleanup(setattr, fake.Handler, "answer", original)
        fake.Handler.answer = lambda handler, document, kind: fake.hang(handler, b"")
        _, stores = self.evaluate("known", None, *self.since, with_no_answer=True, timeout="200ms")
        # All of a period's queries together may take 20 times the timeout, and each took one.
        self.assertLessEqual(len(self.server.asked), 20)
        self.assertEqual(stores, {})

    def check(self, kind, fault, status, stores):
        self.assertEqual(status, 30)
        lines = {name: store["line"] for name, store in stores.items()}
        of_period = kind.startswith("period of ")
        if kind == "before" and fault in LOOKS_NEW:
            self.assertTrue(lines["healthy"].startswith(self.world.sufficient + " - measured since "), lines["healthy"])
        elif fault in BRIDGED if of_period else faulty_run.unharmed(self.world, kind, fault):
            self.assertEqual(lines["healthy"], self.world.sufficient)
        else:
            self.assertTrue(lines["healthy"].startswith("UNDETERMINED - "), lines["healthy"])
        # The end alone proves this one.
        self.assertEqual(lines["errors"], self.world.verdict)
        if kind in ("period of write_error_ratio", "period of coverage_ratio") and fault not in AT_THE_END:
            self.assertTrue(lines["burst"].startswith("UNDETERMINED - "), lines["burst"])
        else:
            self.assertEqual(lines["burst"], self.world.verdict)
        self.check_vanished(kind, lines.get("vanished"))

    def check_vanished(self, kind, line):
        if kind not in ("known", "here"):
            self.assertIn(line, (NO_DATA, NO_DATA_SINCE) if kind == "seen" else (NO_DATA_SINCE,))
        elif line is not None:  # where the list of stores is cut, its last samples show it
            self.assertTrue(line.startswith("UNDETERMINED - "), line)


if __name__ == "__main__":
    unittest.main()
