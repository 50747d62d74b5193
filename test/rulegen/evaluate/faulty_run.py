"""Runs of rulegen --evaluate against a lying Prometheus: what the tests of single faults have in common."""

import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "test" / "support"))
import faulty_prometheus as fake  # noqa: E402
import schema  # noqa: E402

RULEGEN = pathlib.Path(sys.argv.pop(1)).resolve()
FAULTS = {**fake.DOCUMENT_FAULTS, **fake.TRANSFER_FAULTS}

# Of the presence only the labels count, not the value that nobody reads.
PRESENCE_UNHARMED = ("NaN", "+Inf", "-Inf", "stale", "only old samples", "samples of the future", "a hole", "one sample",
                     "duplicated series", "replicas", "other series", "the same time twice", "unsorted")


def unharmed(world, kind, fault):
    """Whether the fault leaves what a living store's verdict rests on as it is."""
    if kind == "known":  # who is here is asked too
        return fault in (*PRESENCE_UNHARMED, "empty result", "other label name", "other label value", "no labels")
    if kind == "here":
        return fault in PRESENCE_UNHARMED
    # Healthy at E is healthy, however short the history or whatever lies before.
    return kind in ("ALERTS", "seen") or (kind in world.values and fault in ("one sample", "a hole"))


class FaultCase(unittest.TestCase):
    world = None

    @classmethod
    def setUpClass(cls):
        cls.server = fake.FaultyPrometheus(cls.world)
        cls.temporary = tempfile.TemporaryDirectory()
        cls.log = pathlib.Path(cls.temporary.name) / "decisions.jsonl"

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.temporary.cleanup()

    def evaluate(self, kind, fault, *arguments, with_no_answer=False, timeout="20s"):
        """Exit status and stores by name, with the fault in the queries of this kind."""
        self.server.set_fault(kind, fault)
        slow = fault in ("hung", "dripping")
        begin = time.monotonic()
        done = subprocess.run(
            [RULEGEN, "--evaluate", "--spec", ROOT / "rules" / f"{self.world.spec}.toml", "--prometheus", self.server.url,
             "--at", str(fake.T), "--log", self.log, "--format", "json", "--timeout", "2s" if slow else timeout, *arguments],
            capture_output=True, text=True, check=False, timeout=60, env={**os.environ, "http_proxy": "http://127.0.0.1:1"})
        if slow:  # one query's time, one more for a loaded machine, and the trends' five seconds where they hang
            self.assertLess(time.monotonic() - begin, 9)
        self.assertIn(done.returncode, (4,) if with_no_answer else (0, 6, 30), done.stderr)
        self.assertIn(kind, self.server.asked, "the fault was not met")
        evaluation = schema.check_answer(done.stdout)["evaluations"][0]
        self.warnings = evaluation["warnings"]
        return done.returncode, {store["labels"].get(self.world.label): store for store in evaluation["stores"]}

    def each_fault(self, kinds, check, *arguments):
        """`check` of kind, fault, exit status and stores, for each fault in each of these queries."""
        count = 0
        for fault in FAULTS:
            for kind in kinds:
                with self.subTest(fault=fault, query=kind):
                    count += 1
                    check(kind, fault, *self.evaluate(kind, fault, *arguments))
        self.assertGreaterEqual(count, 20 * len(kinds))
        print(f"{count} faults × queries", file=sys.stderr)

    def check_at_an_instant(self, kind, fault, status, stores):
        healthy, errors = stores["healthy"]["line"], stores["errors"]["line"]
        if unharmed(self.world, kind, fault):
            self.assertEqual(healthy, self.world.sufficient)
        else:
            self.assertTrue(healthy.startswith("UNDETERMINED - "), healthy)
            self.assertEqual(status, 30)
        # A fault in what proves the breach leaves nothing proven; a fault elsewhere leaves the breach standing. The breach
        # needs coverage all along its window; a hole of two evaluations is allowed there.
        if kind == self.world.breach[0] or (kind == "coverage_ratio" and fault != "a hole"):
            self.assertTrue(errors.startswith("UNDETERMINED - "), errors)
        else:
            self.assertEqual(errors, self.world.verdict)
