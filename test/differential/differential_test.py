"""The differential proof: our decision engine and the real Prometheus engine never disagree about an alert.

Seeded random recorded series; our engine predicts for every alert at every evaluation whether it fires; promtool, which
is Prometheus' own rule engine, confirms. With a fault put into either side on purpose, promtool must refuse, of every alert
that the fault touches.

Usage: differential_test.py PROGRAM [--series N] [--seed N]
"""

import argparse
import concurrent.futures
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "support"))
from promtool import promtool  # noqa: E402

SPECS = [ROOT / "rules" / "checkpoint.toml", ROOT / "test" / "differential" / "edges.toml"]
PASSES = [(spec, keep) for spec in SPECS for keep in ([], ["--keep-firing"])]
FAULTS = ["engine-limit", "engine-hold", "rule-limit", "rule-finite", "rule-hold", "rule-order"]

parser = argparse.ArgumentParser()
parser.add_argument("program", type=pathlib.Path)
parser.add_argument("--series", type=int, default=100_000 if os.environ.get("OUTGROWN_SOAK") else 200)
parser.add_argument("--seed", type=int, default=20261123)
options = parser.parse_args()


def prove(spec, seed, series, *extra):
    """Writes one proof and has promtool judge it; returns the counts, promtool's failures and the drawn series."""
    with tempfile.TemporaryDirectory() as folder:
        made = subprocess.run(
            [options.program, "--spec", spec, "--out", folder, "--seed", str(seed), "--series", str(series), *extra],
            capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise RuntimeError(made.stderr)
        files = sorted(pathlib.Path(folder).glob("test-*.yml"))

        def judge(file):
            done = promtool("test", "rules", file)
            return "" if done.returncode == 0 else done.stdout + done.stderr

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            failures = [text for text in pool.map(judge, files) if text]
        drawn = [values for file in files for values in re.findall(r"(?m)^ +values: (.*)$", file.read_text(encoding="utf-8"))]
        return json.loads(made.stdout), failures, drawn


def alerts(spec, with_for):
    """The names of the spec's alerts; only those whose `for` is not nothing, if so asked."""
    parsed = tomllib.loads(spec.read_text(encoding="utf-8"))
    return {parsed["store"]["name"].capitalize() + threshold["id"] for threshold in parsed["threshold"]
            if not with_for or threshold.get("for", "0s") != "0s"}


class Differential(unittest.TestCase):
    def test_prometheus_confirms_every_prediction(self):
        share = options.series // len(PASSES) + 1
        seen = set()
        total = 0
        for number, (spec, keep) in enumerate(PASSES):
            seed = options.seed + number
            with self.subTest(spec=spec.name, keep=keep, seed=seed):
                counts, failures, drawn = prove(spec, seed, share, *keep)
                print(spec.name, *keep, f"seed {seed}:", counts)
                self.assertEqual(failures, [])
                # The series hurt: alerts fire and stay silent, verdicts are reached, few claims are skipped.
                claims = counts["fires"] + counts["silent"]
                self.assertGreater(counts["fires"], claims // 20)
                self.assertGreater(counts["silent"], claims // 20)
                self.assertGreater(counts["verdicts"], 0)
                self.assertLess(counts["skipped"], claims // 2)
                self.assertEqual(len(drawn), counts["series"])
                self.assertTrue(any("Inf" in values for values in drawn))
                total += len(drawn)
                seen.update(hash((spec.name, values)) for values in drawn)
        print(len(seen), "different series")
        # No pass repeats another one's: every series that is counted proves something of its own.
        self.assertGreaterEqual(len(seen), options.series)
        self.assertEqual(len(seen), total)

    def test_a_fault_on_either_side_is_found_in_every_alert(self):
        for number, (fault, spec) in enumerate(itertools.product(FAULTS, SPECS)):
            keep = PASSES[(number + number // 2) % 2][1]  # both with each spec
            with self.subTest(spec=spec.name, keep=keep, fault=fault):
                _, failures, _ = prove(spec, options.seed, 180 if fault == "rule-finite" else 90, "--fault", fault, *keep)
                self.assertEqual(set(re.findall(r"alertname: ?(\w+)", "".join(failures))),
                                 alerts(spec, with_for=fault.endswith("-hold")))

    def test_a_verdict_that_does_not_follow_from_the_alerts_is_found(self):
        for spec, keep in PASSES:
            with self.subTest(spec=spec.name, keep=keep):
                self.assertRaisesRegex(RuntimeError, "verdict does not follow", prove, spec, options.seed, 30, "--fault",
                                       "engine-verdict", *keep)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
