"""The JSON answers, the log's records and the archive's manifest are what docs/schema documents: with given values here, with
every situation of a real Prometheus in each real_prometheus_test.py.

Usage: schema_test.py RULEGEN
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "support"))
import schema  # noqa: E402

RULEGEN = pathlib.Path(sys.argv.pop(1)).resolve()
DECISIONS = ("evaluate.v1", "decision-record.v2", "backtest.v1")
SCHEMAS = (*DECISIONS, "decision-record.v1", "archive-manifest.v1")
VALUES = {"write_error_ratio": 0.02, "writes_per_second": 84.2, "servers": 1, "file_size_bytes": 2**31}


def objects(part):
    """Every object schema within one."""
    if isinstance(part, dict):
        if "properties" in part and "type" in part:
            yield part
        for value in part.values():
            yield from objects(value)
    elif isinstance(part, list):
        for value in part:
            yield from objects(value)


class Schema(unittest.TestCase):
    def test_every_object_is_closed_and_every_member_described(self):
        for name in SCHEMAS:
            found = list(objects(schema.load(name)))
            self.assertGreater(len(found), 5)
            for one in found:
                self.assertIs(one["additionalProperties"], False)
                for member, described in one["properties"].items():
                    self.assertTrue(described.get("description"), f"{name}: {member}")

    def test_every_cause_of_the_code_is_in_those_that_name_causes(self):
        source = (ROOT / "decision" / "engine" / "cause.cc").read_text()
        ids = set(re.findall(r'Wording\{Cause::\w+, "(\w+)"', source)) - {"none"}
        for name in DECISIONS:
            self.assertEqual(set(schema.load(name)["$defs"]["cause"]["enum"]), ids)

    def test_given_values_and_their_records_are_of_the_schemas(self):
        cases = [VALUES, {}, [{"labels": {"database": "a"}, **VALUES}, {"labels": {"database": "b"}}]]
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder) / "log"
            for case in cases:
                done = subprocess.run(
                    [RULEGEN, "--evaluate", "--spec", ROOT / "rules" / "checkpoint.toml", "--measurements", "-", "--format", "json",
                     "--log", log], input=json.dumps(case), capture_output=True, text=True, check=False)
                document = schema.check_answer(done.stdout)
                self.assertEqual(document["exit_status"], done.returncode)
            self.assertEqual(len(schema.check_log(log)), 4)

    def test_a_record_after_a_crash_is_of_the_schema_and_tells_what_was_cut_off(self):
        unfinished = '{"schema":1,"sequence":1,"prev'
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder) / "log"
            log.write_text(unfinished)
            subprocess.run([RULEGEN, "--evaluate", "--spec", ROOT / "rules" / "checkpoint.toml", "--measurements", "-", "--log", log],
                           input=json.dumps(VALUES), capture_output=True, text=True, check=True)
            self.assertEqual([record["dropped_bytes"] for record in schema.check_log(log)], [len(unfinished)])

    def evaluate(self, log):
        subprocess.run([RULEGEN, "--evaluate", "--spec", ROOT / "rules" / "checkpoint.toml", "--measurements", "-", "--log", log],
                       input=json.dumps(VALUES), capture_output=True, text=True, check=True)

    def test_a_record_after_a_log_that_is_gone_is_of_the_schema_and_tells_it(self):
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder) / "log"
            self.evaluate(log)
            log.unlink()
            self.evaluate(log)
            self.assertEqual([(record["sequence"], record["log_missing"]) for record in schema.check_log(log)], [(2, True)])

    def test_a_record_after_a_log_that_was_cut_is_of_the_schema_and_tells_what_was_known(self):
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder) / "log"
            self.evaluate(log)
            one = log.read_bytes()
            self.evaluate(log)
            cut = schema.check_log(log)[-1]
            log.write_bytes(one)
            self.evaluate(log)
            self.assertEqual(schema.check_log(log)[-1]["last_known"], {"sequence": 2, "hash": cut["hash"]})

    def test_the_records_of_the_first_releases_are_of_their_schema(self):
        old = ROOT / "test" / "decision" / "history" / "schema1"
        self.assertEqual({record["schema"] for path in old.iterdir() for record in schema.check_log(path)}, {1})

    def test_an_undocumented_member_is_found(self):
        for name, member in (("evaluate.v1", "evaluations"), ("backtest.v1", "backtests")):
            document = {"schema": 1, "version": "x", "exit_status": 0, member: []}
            schema.check(document, name)
            with self.assertRaises(AssertionError):
                schema.check({**document, "surprise": 1}, name)


if __name__ == "__main__":
    unittest.main()
