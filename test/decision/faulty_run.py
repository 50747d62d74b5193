"""Runs of rulegen --evaluate against a lying Prometheus: what the tests of single faults have in common."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "support"))
import faulty_prometheus as fake  # noqa: E402
import schema  # noqa: E402

RULEGEN = pathlib.Path(sys.argv.pop(1)).resolve()
# "1/3": only every third fault, from the second on. A run waits for what hangs; several such runs at once wait less.
PART, PARTS = map(int, sys.argv.pop(1).split("/")) if len(sys.argv) > 1 and "/" in sys.argv[1] else (0, 1)


def part_of(faults):
    return dict(list(faults.items())[PART::PARTS])


FAULTS = part_of({**fake.DOCUMENT_FAULTS, **fake.TRANSFER_FAULTS})
SOAKS = "OUTGROWN_SOAK" in os.environ


def one_of_each(alike, kinds, number):
    """The kinds of query that a fault is put into: in `./run soak` all; else every other one with each fault, the rest with the
    next, and of `alike`, which are asked and read in one and the same way, the next one with each."""
    others = [kind for kind in kinds if kind not in alike]
    alike = [kind for kind in kinds if kind in alike]
    if SOAKS:
        return kinds
    return [*(others[number % 2::2] or others), *(alike[number % len(alike):][:1] if alike else [])]


# Of the presence only the labels count, not the value that nobody reads.
PRESENCE_UNHARMED = ("NaN", "+Inf", "-Inf", "stale", "only old samples", "samples of the future", "a hole", "one sample",
                     "duplicated series", "replicas", "other series", "the same time twice", "unsorted")


def unharmed(world, kind, fault):
    """Whether the fault leaves what a living store's verdict rests on as it is."""
    if kind == "known":  # who is here is asked too
        return fault in (*PRESENCE_UNHARMED, "empty result", "other label name", "other label value", "no labels")
    if kind in ("here", "window"):
        return fault in PRESENCE_UNHARMED
    # Healthy at E is healthy, however short the history or whatever lies before.
    return kind in ("ALERTS", "seen", "before", "start", "stop", world.held) or (kind in world.values and fault in ("one sample", "a hole"))


# The start time holds nothing that these would change.
START_UNHARMED = ("invalid UTF-8",)

# The body's limit is 64 MiB. What rulegen allocates beyond this the kernel refuses, which ends it with another status. (A
# child's peak of resident memory would not do: until it executes rulegen it is this process.)
MEMORY_BYTES_MAX = 256 << 20
# Some faults have words of their own, so that what kept them from becoming a verdict is what was meant to.
WORDS = {"huge body": "is larger than 67108864 bytes", **{fault: "which is not followed" for fault in FAULTS if "redirect" in fault}}


class FaultCase(unittest.TestCase):
    world = None

    @classmethod
    def setUpClass(cls):
        cls.server = fake.FaultyPrometheus(cls.world)
        cls.elsewhere = fake.FaultyPrometheus(cls.world)
        cls.server.elsewhere = cls.elsewhere.url
        cls.temporary = tempfile.TemporaryDirectory()
        cls.log = pathlib.Path(cls.temporary.name) / "decisions.jsonl"
        cls.checked = set()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.elsewhere.stop()
        cls.temporary.cleanup()

    def evaluate(self, kind, fault, *arguments, with_no_answer=False, timeout="20s"):
        """Exit status and stores by name, with the fault in the queries of this kind."""
        self.server.set_fault(kind, fault)
        slow = fault in ("hung", "dripping")
        # A slow answer that is waited for longer than --timeout outlasts `timeout`.
        done = subprocess.run(
            ["prlimit", f"--data={MEMORY_BYTES_MAX}", RULEGEN, "--evaluate", "--spec", ROOT / "rules" / f"{self.world.spec}.toml", "--prometheus", self.server.url,
             "--at", str(fake.T), "--log", self.log, "--format", "json", "--timeout", "2s" if slow else timeout, *arguments],
            capture_output=True, text=True, check=False, timeout=60, env={**os.environ, "http_proxy": "http://127.0.0.1:1"})
        self.assertIn(done.returncode, (4,) if with_no_answer else (0, 6, 30), done.stderr)
        self.assertIn(kind, self.server.asked, "the fault was not met")
        self.assertEqual(self.elsewhere.asked, [], "a redirect was followed")
        # The schema's check takes longer than the run: it is made of each fault and of each query once.
        document = json.loads(done.stdout)
        if not {kind, fault} <= self.checked:
            self.checked.update((kind, fault))
            document = schema.check_answer(done.stdout)
        evaluation = document["evaluations"][0]
        self.warnings = evaluation["warnings"]
        words = WORDS.get(fault)
        if words is not None and kind != "start":
            self.assertTrue(any(words in warning for warning in self.warnings), self.warnings)
        return done.returncode, {store["labels"].get(self.world.label): store for store in evaluation["stores"]}

    def each_fault(self, kinds, check, *arguments, faults=FAULTS):
        """`check` of kind, fault, exit status and stores, for each fault in each of these queries."""
        count = 0
        for number, fault in enumerate(faults):
            for kind in one_of_each(self.alike(), kinds, number):
                with self.subTest(fault=fault, query=kind):
                    count += 1
                    check(kind, fault, *self.evaluate(kind, fault, *arguments))
        self.assertGreaterEqual(PARTS * count, 20 * len(one_of_each(self.alike(), kinds, 0)))
        print(f"{count} faults × queries", file=sys.stderr)

    def alike(self):
        """The queries of signals that neither prove the breach nor say how much is counted."""
        signals = [name for name in self.world.values if name not in (self.world.breach[0], "coverage_ratio")]
        return {kind + name for name in signals for kind in ("", "period of ", "trend of ")}

    def check_alerts(self, kind, fault, status, stores):
        """Where what tells drift from a note is faulty, nothing is compared; it is neither drift nor the note."""
        self.assertEqual(status, 0)
        held = "not_compared" if kind == self.world.held and fault != "a hole" else "firing_held"
        restarted = "not_compared" if kind == "start" and fault not in START_UNHARMED else "pending_after_start"
        threshold = next(index for index, one in enumerate(stores["errors"]["thresholds"]) if one["state"] == "breached")
        self.assertEqual({name: store["thresholds"][threshold]["agreement"] for name, store in stores.items()},
                         {"healthy": "agrees", "errors": "agrees", "held": held, "restarted": restarted})
        self.assertEqual({name: store["line"] for name, store in stores.items()}, self.good_lines())
        self.assertEqual(bool(self.warnings), "not_compared" in (held, restarted))

    def good_lines(self):
        return {"healthy": self.world.sufficient, "held": self.world.sufficient, "errors": self.world.verdict,
                "restarted": self.world.verdict}

    def check_at_an_instant(self, kind, fault, status, stores):
        healthy, errors = stores["healthy"]["line"], stores["errors"]["line"]
        if unharmed(self.world, kind, fault):
            self.assertEqual(healthy, self.world.sufficient)
        else:
            self.assertTrue(healthy.startswith("UNDETERMINED - "), healthy)
            self.assertEqual(status, 30)
        if fault in ("no labels", "other label name") and kind in ("known", "here", *self.world.values):
            self.assertEqual(status, 30)  # of what no label names nobody has decided
        # A fault in what proves the breach leaves nothing proven; a fault elsewhere leaves the breach standing. The breach
        # needs coverage all along its window; a hole of two evaluations is allowed there.
        if kind == self.world.breach[0] or (kind == "coverage_ratio" and fault != "a hole"):
            self.assertTrue(errors.startswith("UNDETERMINED - "), errors)
        else:
            self.assertEqual(errors, self.world.verdict)
