"""The differential proof: our decision engine and the real Prometheus engine never disagree about an alert.

Seeded random recorded series; our engine predicts for every alert at every evaluation whether it fires; promtool, which
is Prometheus' own rule engine, confirms. With a fault put into either side on purpose, promtool must refuse.

Usage: differential_test.py PROGRAM [--series N] [--seed N]
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPECS = [ROOT / "rules" / "checkpoint.toml", ROOT / "test" / "differential" / "edges.toml"]
FAULTS = ["engine-limit", "engine-hold", "rule-limit", "rule-hold"]

parser = argparse.ArgumentParser()
parser.add_argument("program", type=pathlib.Path)
parser.add_argument("--series", type=int, default=100_000 if os.environ.get("OUTGROWN_SOAK") else 2_400)
parser.add_argument("--seed", type=int, default=20261123)
options = parser.parse_args()


def prove(spec, seed, series, *extra):
    """Writes one proof and has promtool judge it; returns the counts and promtool's failures."""
    with tempfile.TemporaryDirectory() as folder:
        made = subprocess.run(
            [options.program, "--spec", spec, "--out", folder, "--seed", str(seed), "--series", str(series), *extra],
            capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise AssertionError(made.stderr)
        files = sorted(pathlib.Path(folder).glob("test-*.yml"))

        def judge(file):
            done = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False)
            return "" if done.returncode == 0 else done.stdout + done.stderr

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            failures = [text for text in pool.map(judge, files) if text]
        return json.loads(made.stdout), failures


class Differential(unittest.TestCase):
    def test_prometheus_confirms_every_prediction(self):
        share = options.series // (2 * len(SPECS)) + 1
        for number, spec in enumerate(SPECS):
            for keep in ([], ["--keep-firing"]):
                seed = options.seed + number
                with self.subTest(spec=spec.name, keep=keep, seed=seed):
                    counts, failures = prove(spec, seed, share, *keep)
                    print(spec.name, *keep, f"seed {seed}:", counts)
                    self.assertEqual(failures, [])
                    # The series hurt: alerts fire and stay silent, verdicts are reached, few claims are skipped.
                    claims = counts["fires"] + counts["silent"]
                    self.assertGreater(counts["fires"], claims // 20)
                    self.assertGreater(counts["silent"], claims // 20)
                    self.assertGreater(counts["verdicts"], 0)
                    self.assertLess(counts["skipped"], claims // 2)

    def test_a_fault_on_either_side_is_found(self):
        for fault in FAULTS:
            with self.subTest(fault=fault):
                _, failures = prove(SPECS[0], options.seed, 120, "--fault", fault)
                self.assertNotEqual(failures, [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
