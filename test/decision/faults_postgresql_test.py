"""Every fault of a lying Prometheus on every query of a spec without coverage: none may become a verdict.

Usage: faults_postgresql_test.py RULEGEN
"""

import unittest

import faulty_run
import faulty_stores


class Postgresql(faulty_run.FaultCase):
    world = faulty_stores.POSTGRESQL

    def test_without_a_fault_the_stores_are_what_they_are(self):
        status, stores = self.evaluate("known", None)
        self.assertEqual(status, 0)
        self.assertEqual({name: store["line"] for name, store in stores.items()}, self.good_lines())
        self.assertEqual(set(self.server.asked), {*self.world.queries, *self.world.trends, "rules", "start"})

    def test_a_fault_never_becomes_a_verdict(self):
        self.each_fault(self.world.queries, self.check_at_an_instant)

    def alike(self):
        """All: the spec with coverage has them, too, and gets each fault in each."""
        return {*self.world.queries}

    def test_a_fault_in_what_explains_an_alert_neither_hides_drift_nor_makes_it(self):
        self.each_fault([self.world.held], self.check_alerts)


if __name__ == "__main__":
    unittest.main()
