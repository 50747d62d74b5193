"""The example in examples/decide, built against the installed library, decides what rulegen decides, word for word."""

import argparse
import itertools
import json
import math
import pathlib
import random
import subprocess
import sys
import tempfile
import tomllib
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from installed import Installed, run  # noqa: E402



def values_around_limits(spec):
    """Of each signal the least value, each limit, the next double beyond it, and None: left out."""
    values = {signal["id"]: [0.0] for signal in spec["signal"]}
    for threshold in spec["threshold"]:
        limit = float(threshold["above"])
        values[threshold["signal"]] += [limit, math.nextafter(limit, math.inf)]
    return {signal: [*found, None] for signal, found in values.items()}


class Embedding(unittest.TestCase):
    options = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="outgrown-embed.")
        place = pathlib.Path(cls.folder.name)
        cls.installed = Installed(cls.options.build, place / "root")
        cls.program = place / "decide_in_process"
        cls.installed.compile(["c++", "-std=c++20"], cls.options.source / "examples/decide/decide_in_process.cc",
                              ["outgrown-decide"], cls.program)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def decide(self, *arguments):
        return subprocess.run([self.program, *arguments], env=self.installed.environment, capture_output=True, text=True)

    def test_combinations_of_values_around_the_limits_are_decided_as_rulegen_does(self):
        spec = tomllib.loads((self.options.source / "rules/checkpoint.toml").read_text())
        values = values_around_limits(spec)
        # Some hundreds of the thousands of combinations, always the same.
        random.seed(1)
        cases = [dict(zip(values, combination))
                 for combination in random.sample(list(itertools.product(*values.values())), 300)]
        given = [dict({name: value for name, value in case.items() if value is not None}, labels={"n": f"{index:04}"})
                 for index, case in enumerate(cases)]
        done = subprocess.run(
            [self.options.rulegen, "--evaluate", "--spec", self.options.source / "rules/checkpoint.toml",
             "--format", "json", "--measurements", "-"], input=json.dumps(given), capture_output=True, text=True)
        stores = json.loads(done.stdout)["evaluations"][0]["stores"]
        self.assertEqual(len(stores), len(cases))
        lines = {store["labels"]["n"]: store["line"] for store in stores}
        printed = set(lines.values())
        for threshold in spec["threshold"]:
            self.assertTrue(any(line.endswith(" - " + threshold["because"]) for line in printed), threshold["because"])
        self.assertTrue(any(line.startswith("UNDETERMINED - ") for line in printed), printed)
        for store in given:
            arguments = [f"{name}={value!r}" for name, value in store.items() if name != "labels"]
            self.assertEqual(self.decide(*arguments).stdout.rstrip("\n"), lines[store["labels"]["n"]], arguments)

    def test_what_names_no_signal_or_one_twice_is_refused_and_never_healthy(self):
        healthy = ["write_error_ratio=0", "writes_per_second=1", "servers=1", "file_size_bytes=1", "write_p99_seconds=0"]
        self.assertEqual(self.decide(*healthy).returncode, 0)
        twice = self.decide(*healthy, "servers=1")
        self.assertEqual((twice.returncode, twice.stdout), (2, "UNDETERMINED - Servers: not given\n"))
        self.assertEqual(twice.stderr, "1 of the values are negative, or name no signal, or one twice\n")
        negative = self.decide(*(value.split("=")[0] + "=-1" for value in healthy))
        self.assertEqual((negative.returncode, negative.stdout), (2, "UNDETERMINED - Write errors: not given\n"))
        misspelt = self.decide(*healthy[:-1], "write_p99_second=0")
        self.assertEqual((misspelt.returncode, misspelt.stdout),
                         (2, "UNDETERMINED - P99 write latency: not given\n"))

    def test_the_library_shows_its_functions_alone(self):
        library = self.installed.library_folder / "liboutgrown-decide.so.0"
        shown = {line.split(maxsplit=2)[2] for line in run("nm", "-D", "-C", "--defined-only", library).splitlines()}
        names = {symbol.split("(")[0] for symbol in shown if symbol.startswith("outgrown::")}
        self.assertEqual(names, {"outgrown::Decide", "outgrown::FormatVerdict", "outgrown::Signal",
                                 "outgrown::SignalCount", "outgrown::SpecDigest"})
        self.assertEqual([symbol for symbol in shown if "(" in symbol and not symbol.startswith("outgrown::")], [])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--rulegen", type=pathlib.Path, required=True)
    Embedding.options, rest = parser.parse_known_args()
    unittest.main(argv=[sys.argv[0], *rest])
