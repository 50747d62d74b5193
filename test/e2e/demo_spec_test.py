"""The demo's spec differs from the shipped one in its times alone: the same signals, limits, verdicts and texts."""

import pathlib
import sys
import tomllib
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIMES = {"for", "at", "series", "value", "expr", "description", "tests"}


def load(name):
    with open(ROOT / name, "rb") as file:
        return tomllib.load(file)


def without_times(rows):
    return [{key: value for key, value in row.items() if key not in TIMES} for row in rows]


class DemoSpec(unittest.TestCase):
    shipped = load("rules/checkpoint.toml")
    demo = load("demo/checkpoint.toml")

    def test_store_and_verdicts_are_the_same(self):
        self.assertEqual(self.demo["store"], self.shipped["store"])
        self.assertEqual(self.demo["verdict"], self.shipped["verdict"])

    def test_thresholds_differ_in_their_times_alone(self):
        self.assertEqual(without_times(self.demo["threshold"]), without_times(self.shipped["threshold"]))

    def test_expressions_differ_in_their_windows_alone(self):
        for ours, shipped in zip(self.demo["signal"] + [self.demo["coverage"]],
                                 self.shipped["signal"] + [self.shipped["coverage"]], strict=True):
            self.assertEqual(ours["expr"].replace("[15s]", "[5m]").replace("2 / 15", "2 / 300"), shipped["expr"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
