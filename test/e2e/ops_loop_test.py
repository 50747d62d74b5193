"""The loop of docs/operations.md, followed to the letter in git repositories of two layouts: edit the TOML, generate, read the
diff, commit; and the CI's script as it stands there.

Usage: ops_loop_test.py BUILD_FOLDER
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
sys.path.insert(0, str(ROOT / "test" / "support"))
import promtool  # noqa: E402

BASE = """
route:
  receiver: chat
  routes:
    - matchers: ['team="billing"']
      receiver: pager
receivers:
  - name: chat
  - name: pager
inhibit_rules:
  - source_matchers: ['alertname="SiteDown"']
    target_matchers: ['severity="warning"']
"""


def ci_script():
    """The script in docs/operations.md."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    section = text.split("### In CI\n", 1)[1]
    return re.search(r"```sh\n(.*?)```", section, re.DOTALL)[1]


def shortened(text):
    """The spec without watches and panels, and with one case a signal, so that promtool needs seconds less for its tests."""
    tables, before = [], ""
    for table in re.split(r"(?m)^(?=\[)", text):
        head = table.partition("\n")[0].strip("[]")
        if head.split(".")[0] not in ("watch", "panel") and not (head.endswith(".test") and head == before):
            tables.append(table)
        before = head
    return "".join(tables)


class Loop:
    """A git repository with the shipped spec, shortened, in the layout that the arguments say."""

    def __init__(self, folder, spec, base, output):
        self.folder = folder
        self.spec = folder / spec
        self.base = base
        text = shortened((ROOT / "rules" / "checkpoint.toml").read_text(encoding="utf-8"))
        keys = "".join(f'{key} = "{value}"\n' for key, value in output.items())
        text, count = re.subn(r"\[output\]\n(?:\w+ *= .*\n)+", "[output]\n" + keys, text)
        assert count == 1
        text, count = re.subn(r'base = ".*"', f'base = "{base}"', text)
        assert count == 1
        self.spec.parent.mkdir(parents=True)
        self.spec.write_text(text, encoding="utf-8")
        base_file = self.spec.parent / base
        base_file.parent.mkdir(parents=True, exist_ok=True)
        base_file.write_text(BASE, encoding="utf-8")
        self.run("git", "init", "-q", check=True)

    def run(self, *command, check=False):
        environment = {**promtool.ENVIRONMENT, "PATH": f"{BUILD / 'rulegen'}{os.pathsep}{os.environ['PATH']}",
                       "GIT_AUTHOR_NAME": "ops", "GIT_AUTHOR_EMAIL": "ops@example.org", "GIT_COMMITTER_NAME": "ops",
                       "GIT_COMMITTER_EMAIL": "ops@example.org", "GIT_CONFIG_GLOBAL": os.devnull}
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def commit(self, message):
        self.run("git", "add", "-A", check=True)
        self.run("git", "commit", "-q", "-m", message, check=True)

    def edit(self, old, new):
        text = self.spec.read_text(encoding="utf-8")
        assert text.count(old) == 1, old
        self.spec.write_text(text.replace(old, new), encoding="utf-8")


class OpsLoop(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name) / "ops"
        self.folder.mkdir()

    def follow(self, loop, generate, script, changed):
        """`changed`: the files that a changed threshold changes, from the repository's root."""
        loop.run(*generate, check=True)
        loop.commit("Begin")

        loop.edit("above   = 0.01\n", "above   = 0.02\n")
        forgotten = loop.run("sh", "-c", script)
        self.assertEqual(forgotten.returncode, 6, forgotten.stderr)
        self.assertIn("+        expr: 'checkpoint:write_error_ratio > 0.02 < +Inf'", forgotten.stdout)

        loop.run(*generate, check=True)
        diff = loop.run("git", "diff", check=True).stdout
        self.assertIn("-        expr: 'checkpoint:write_error_ratio > 0.01 < +Inf'\n+        expr: 'checkpoint:write_error_ratio > 0.02 < +Inf'\n",
                      diff)
        names = loop.run("git", "diff", "--name-only", check=True).stdout.split()
        self.assertEqual(sorted(names), sorted(changed))
        self.assertEqual(loop.run("git", "ls-files", "--others", check=True).stdout, "")
        ci = loop.run("sh", "-c", script)
        self.assertEqual(ci.returncode, 0, ci.stdout + ci.stderr)
        loop.commit("Allow 2 % of errors")
        loop.run(*generate, check=True)
        self.assertEqual(loop.run("git", "status", "--porcelain", check=True).stdout, "")

    def test_the_usual_layout_by_the_letter(self):
        loop = Loop(self.folder, "rules/checkpoint.toml", "alertmanager.base.yml",
                    {"rules": "gen", "dashboards": "../dashboards", "docs": "../docs"})
        gen = [f"rules/gen/checkpoint.{kind}" for kind in ("rules.yml", "test.yml", "10m.test.yml", "alertmanager.yml", "thresholds.inc")]
        docs = [f"docs/checkpoint.{kind}.md" for kind in ("decision-matrix", "metrics", "runbook")]
        self.follow(loop, ["rulegen", "--generate"], ci_script(), [
            "rules/checkpoint.toml", *gen, "rules/gen/victoriametrics/checkpoint.rules.yml",
            "rules/gen/victoriametrics-1.79/checkpoint.rules.yml",
            "dashboards/checkpoint.json", "dashboards/checkpoint.fleet.json", *docs])

    def test_another_layout_that_leaves_out_what_it_lacks(self):
        loop = Loop(self.folder, "monitoring/specs/stores.toml", "../alertmanager/own.yml", {"rules": "../prometheus"})
        spec = "monitoring/specs/stores.toml"
        script = ci_script().replace("rulegen --check", f"rulegen --check --spec {spec}").replace("rules/gen/",
                                                                                                "monitoring/prometheus/")
        self.follow(loop, ["rulegen", "--generate", "--spec", spec], script, [
            spec, "monitoring/prometheus/checkpoint.rules.yml",
            "monitoring/prometheus/checkpoint.test.yml", "monitoring/prometheus/checkpoint.10m.test.yml",
            "monitoring/prometheus/checkpoint.alertmanager.yml",
            "monitoring/prometheus/checkpoint.thresholds.inc", "monitoring/prometheus/victoriametrics/checkpoint.rules.yml",
            "monitoring/prometheus/victoriametrics-1.79/checkpoint.rules.yml"])
        merged = (self.folder / "monitoring/prometheus/checkpoint.alertmanager.yml").read_text(encoding="utf-8")
        for own in ("receiver: chat", "name: pager", "team=", "SiteDown"):
            self.assertIn(own, merged)
        self.assertEqual([name.name for name in self.folder.iterdir() if name.name != ".git"], ["monitoring"])

    def test_a_rule_that_breaks_its_test_fails_the_script(self):
        loop = Loop(self.folder, "rules/checkpoint.toml", "alertmanager.base.yml", {"rules": "gen"})
        loop.edit("value  = 0.01\n", "value  = 0.02\n")
        loop.run("rulegen", "--generate", check=True)
        ci = loop.run("sh", "-c", ci_script())
        self.assertNotIn(ci.returncode, (0, 6))
        self.assertIn("FAILED", ci.stdout + ci.stderr)


if __name__ == "__main__":
    unittest.main()
