"""The flavor prometheus-operator: the object is what the operator's published schema wants, promtool takes the rules in it, and a
Go template engine (promtool's, as Helm's is text/template too) makes of a file for Helm what is written without.

Usage: prometheus_operator_test.py BUILD_FOLDER
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "support"))
from promtool import promtool  # noqa: E402

RULEGEN = pathlib.Path(sys.argv.pop(1)).resolve() / "rulegen" / "rulegen"

# From github.com/prometheus-operator/prometheus-operator 0.93.0, example/prometheus-operator-crd/
# monitoring.coreos.com_prometheusrules.yaml: its fields with their constraints. A server prunes unknown fields, or refuses them
# (kubectl's default), so none is allowed here.
DURATION = {"type": "string",
            "pattern": "^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$"}
TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}


def only(required, **properties):
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


RULE = only(["expr"], alert={"type": "string"}, annotations=TEXTS, expr={"type": ["integer", "string"]}, labels=TEXTS,
            keep_firing_for={**DURATION, "minLength": 1}, record={"type": "string"}, **{"for": DURATION})
GROUP = only(["name"], interval=DURATION, labels=TEXTS, limit={"type": "integer"}, name={"type": "string", "minLength": 1},
             partial_response_strategy={"type": "string", "pattern": "^(?i)(abort|warn)?$"}, query_offset=DURATION,
             rules={"type": "array", "items": RULE})
# Kubernetes' own: a name is a subdomain's of DNS, a label's value at most 63 characters.
METADATA = only(["name"], name={"type": "string", "maxLength": 253, "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"},
                labels={"type": "object", "additionalProperties": {
                    "type": "string", "pattern": "^(([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9])?$"}})
OBJECT = only(["apiVersion", "kind", "metadata", "spec"], apiVersion={"const": "monitoring.coreos.com/v1"},
              kind={"const": "PrometheusRule"}, metadata=METADATA,
              spec=only([], groups={"type": "array", "items": GROUP}))


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)


class PrometheusOperator(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def generated(self, store, *keys):
        """The object's file and the rule file, of the shipped spec with the flavor and these keys."""
        folder = self.folder / f"{store}{len(keys)}" / "rules"
        folder.mkdir(parents=True)
        shutil.copy(ROOT / "rules" / "alertmanager.base.yml", folder)
        spec = (ROOT / "rules" / f"{store}.toml").read_text(encoding="utf-8")
        flavors = "\n".join(['flavors = ["prometheus", "prometheus-operator"]', *keys])
        spec, count = re.subn(r"(?m)^flavors .*$", lambda _: flavors, spec)
        self.assertEqual(count, 1)
        (folder / f"{store}.toml").write_text(spec, encoding="utf-8")
        done = run(RULEGEN, "--generate", "--spec", folder / f"{store}.toml")
        self.assertEqual(done.returncode, 0, done.stderr)
        return folder / "gen" / "prometheus-operator" / f"{store}.prometheusrule.yml", folder / "gen" / f"{store}.rules.yml"

    def test_the_object_is_of_the_operators_schema_and_holds_the_rule_file(self):
        for store in ["checkpoint", "postgresql"]:
            path, rules = self.generated(store, 'object_labels = { release = "monitoring" }')
            document = yaml.safe_load(path.read_text(encoding="utf-8"))
            jsonschema.Draft202012Validator(OBJECT).validate(document)
            self.assertEqual(document["metadata"]["labels"], {"release": "monitoring"})
            self.assertEqual(document["spec"], yaml.safe_load(rules.read_text(encoding="utf-8")))
            groups = document["spec"]["groups"]
            self.assertEqual(len({group["name"] for group in groups}), len(groups))  # x-kubernetes-list-map-keys
            for rule in (rule for group in groups for rule in group["rules"]):
                self.assertEqual(len({"alert", "record"} & set(rule)), 1, rule)

    def test_the_schema_here_refuses_what_the_operator_refuses(self):
        document = yaml.safe_load(self.generated("checkpoint")[0].read_text(encoding="utf-8"))
        group = document["spec"]["groups"][0]
        for change in [{"interval": "30"}, {"name": ""}, {"limit": "1"}, {"rules": [{"record": "a"}]}, {"evaluation": "1s"},
                       {"rules": [{"alert": "A", "expr": "1", "keep_firing_for": ""}]},
                       {"rules": [{"alert": "A", "expr": "1", "labels": {"severity": 1}}]}]:
            document["spec"]["groups"] = [{**group, **change}]
            self.assertFalse(jsonschema.Draft202012Validator(OBJECT).is_valid(document), change)

    def test_promtool_takes_the_objects_spec(self):
        for store in ["checkpoint", "postgresql"]:
            path, _ = self.generated(store)
            taken = self.folder / f"{store}.yml"
            taken.write_text(yaml.safe_dump(yaml.safe_load(path.read_text(encoding="utf-8"))["spec"]), encoding="utf-8")
            done = promtool("check", "rules", "--lint-fatal", taken)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_go_template_engine_makes_of_helms_file_the_other(self):
        plain = self.generated("checkpoint")[0].read_text(encoding="utf-8")
        escaped = self.generated("checkpoint", "helm = true")[0].read_text(encoding="utf-8")
        self.assertIn("{{ $value", plain)
        rule = {"alert": "Text", "expr": "vector(1)", "annotations": {"text": escaped}}
        expected = {"eval_time": "1m", "alertname": "Text", "exp_alerts": [{"exp_annotations": {"text": plain}}]}
        (self.folder / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": [rule]}]}))
        (self.folder / "test.yml").write_text(yaml.safe_dump(
            {"rule_files": ["rules.yml"], "tests": [{"interval": "1m", "alert_rule_test": [expected]}]}))
        done = promtool("test", "rules", "test.yml", cwd=self.folder)
        self.assertEqual(done.returncode, 0, (done.stdout + done.stderr)[-2000:])


if __name__ == "__main__":
    unittest.main()
