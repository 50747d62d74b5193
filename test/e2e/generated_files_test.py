"""The files that rulegen generates: the same bytes from the same spec, and what --generate and --check make of files that
are not as it would write them.

Usage: generated_files_test.py BUILD_FOLDER
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULEGEN = pathlib.Path(sys.argv.pop(1)).resolve() / "rulegen" / "rulegen"
sys.path.insert(0, str(ROOT / "test" / "support"))

from artefacts import generate, run, tree  # noqa: E402


class GeneratedFiles(unittest.TestCase):
    """In folders of the test's own."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def copy(self):
        """The specs in a folder of their own."""
        copied = self.folder / "copy"
        shutil.copytree(ROOT / "rules", copied / "rules")
        return copied

    def test_locale_and_working_directory_make_no_difference(self):
        first = generate(RULEGEN, self.folder / "a", cwd=ROOT, env={"LC_ALL": "C"})
        for number, locale in enumerate(["de_DE.UTF-8", "tr_TR.UTF-8", "hi_IN.UTF-8", "C.UTF-8"]):
            out = self.folder / f"b{number}"
            specs = sorted((ROOT / "rules").glob("*.toml"))
            self.assertEqual(generate(RULEGEN, out, *specs, cwd="/", env={"LC_ALL": locale, "TZ": "Asia/Tokyo"}), first)
        self.assertIn("rules/gen/checkpoint.rules.yml", first)

    def test_the_committed_artefacts_are_these(self):
        for name, content in generate(RULEGEN, self.folder / "a", cwd=ROOT).items():
            self.assertEqual((ROOT / name).read_bytes(), content, name)

    def test_a_changed_threshold_changes_table_rules_tests_dashboard_and_documents(self):
        copied = self.copy()
        before = generate(RULEGEN, self.folder / "before", cwd=copied)
        spec = copied / "rules" / "checkpoint.toml"
        text = spec.read_text(encoding="utf-8")
        self.assertEqual(text.count("above   = 0.01\n"), 1)
        spec.write_text(text.replace("above   = 0.01\n", "above   = 0.0125\n"), encoding="utf-8")
        after = generate(RULEGEN, self.folder / "after", cwd=copied)
        moved = {name for name, content in after.items() if b"0.0125" in content}
        self.assertEqual(moved, {
            "rules/gen/checkpoint.rules.yml", "rules/gen/victoriametrics/checkpoint.rules.yml",
            "rules/gen/victoriametrics-1.79/checkpoint.rules.yml",
            "rules/gen/checkpoint.test.yml", "rules/gen/checkpoint.thresholds.inc",
            "grafana-provisioning/dashboards/gen/checkpoint.json", "grafana-provisioning/dashboards/gen/checkpoint.fleet.json",
            "docs/gen/checkpoint.runbook.md"})
        self.assertIn(b"1.25%", after["docs/gen/checkpoint.decision-matrix.md"])
        self.assertEqual({name for name in before if "postgresql" in name and before[name] != after[name]}, set())

    def test_forgetting_to_regenerate_is_exit_6_and_a_patch_that_mends_it(self):
        copied = self.copy()
        self.assertEqual(run(RULEGEN, "--generate", cwd=copied).returncode, 0)
        self.assertEqual(run(RULEGEN, "--check", cwd=copied).returncode, 0)
        spec = copied / "rules" / "checkpoint.toml"
        spec.write_text(spec.read_text(encoding="utf-8").replace("above   = 80\n", "above   = 75\n"), encoding="utf-8")
        done = run(RULEGEN, "--check", cwd=copied)
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertIn("-        expr: 'checkpoint:writes_per_second > 80 < +Inf'\n+        expr: 'checkpoint:writes_per_second > 75 < +Inf'\n",
                      done.stdout)
        patched = subprocess.run(["git", "apply", "-p0", "--unsafe-paths", "-"], input=done.stdout, text=True, cwd=copied,
                                 capture_output=True, check=False)
        self.assertEqual(patched.returncode, 0, patched.stderr)
        self.assertEqual(run(RULEGEN, "--check", cwd=copied).returncode, 0)

    def test_an_edited_and_a_missing_artefact_are_exit_6(self):
        copied = self.copy()
        self.assertEqual(run(RULEGEN, "--generate", cwd=copied).returncode, 0)
        rules = copied / "rules" / "gen" / "checkpoint.rules.yml"
        original = rules.read_text(encoding="utf-8")
        rules.write_text(original.replace("> 0.01", "> 0.02"), encoding="utf-8")
        self.assertEqual(run(RULEGEN, "--check", cwd=copied).returncode, 6)
        rules.unlink()
        done = run(RULEGEN, "--check", cwd=copied)
        self.assertEqual(done.returncode, 6)
        self.assertIn("--- /dev/null\n+++ rules/gen/checkpoint.rules.yml\n", done.stdout)

    def test_what_is_left_over_is_exit_6_until_it_is_pruned(self):
        folder = self.folder / "pair"
        shutil.copytree(ROOT / "test" / "golden" / "pair", folder)
        specs = ("--spec", "invoices.toml", "--spec", "orders.toml")
        copied, edited = folder / "gen" / "old.rules.yml", folder / "gen" / "orders.rules.yml"
        shutil.copy(edited, copied)
        with open(edited, "a", encoding="utf-8") as file:
            file.write("# by hand\n")
        spec = folder / "orders.toml"
        spec.write_text(spec.read_text(encoding="utf-8").replace('"orders"', '"shop"'), encoding="utf-8")
        for _ in range(2):
            done = run(RULEGEN, "--generate", *specs, cwd=folder)
            self.assertEqual(done.returncode, 0)
            for left in ("orders.rules.yml", "old.rules.yml"):
                self.assertIn(f"left over gen/{left}: orders.toml no longer generates it; --prune removes it\n", done.stdout)
            done = run(RULEGEN, "--check", *specs, cwd=folder)
            self.assertEqual((done.returncode, done.stdout), (6, ""), done.stderr)
            self.assertIn("gen/orders.rules.yml: left over: orders.toml no longer generates it; run rulegen --generate --prune",
                          done.stderr)
            self.assertIn("gen/old.rules.yml: left over: orders.toml no longer generates it; run rulegen --generate --prune",
                          done.stderr)
        done = run(RULEGEN, "--generate", "--prune", *specs, cwd=folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("removed gen/old.rules.yml\n", done.stdout)
        self.assertFalse(copied.exists() or edited.exists())
        self.assertEqual(run(RULEGEN, "--check", *specs, cwd=folder).returncode, 0)

    def test_a_removed_spec_is_exit_6_until_its_artefacts_are_pruned(self):
        copied = self.copy()
        self.assertEqual(run(RULEGEN, "--generate", cwd=copied).returncode, 0)
        (copied / "rules" / "postgresql.toml").unlink()
        done = run(RULEGEN, "--check", cwd=copied)
        self.assertEqual((done.returncode, done.stdout), (6, ""), done.stderr)
        self.assertIn("rules/gen/postgresql.rules.yml: left over: its spec postgresql.toml is not there; ", done.stderr)
        verify = ("--verify", "--prometheus", "http://127.0.0.1:1")  # which refuses; the files are compared in any case
        done = run(RULEGEN, *verify, cwd=copied)
        self.assertEqual(done.stdout.count("file rules/gen/postgresql.rules.yml: it is left over: its spec postgresql.toml is not there\n"), 1,
                         done.stdout)
        only = ("--spec", "rules/checkpoint.toml")
        self.assertEqual(run(RULEGEN, "--check", *only, cwd=copied).returncode, 0)
        self.assertNotIn("left over", run(RULEGEN, *verify, *only, cwd=copied).stdout)
        self.assertEqual(run(RULEGEN, "--generate", "--prune", cwd=copied).returncode, 0)
        self.assertEqual([path.name for path in copied.rglob("postgresql.*")], [])
        self.assertEqual(run(RULEGEN, "--check", cwd=copied).returncode, 0)

    def test_the_manifest_of_an_older_rulegen_is_used_once_and_goes(self):
        copied = self.copy()
        self.assertEqual(run(RULEGEN, "--generate", cwd=copied).returncode, 0)
        gone = copied / "once" / "checkpoint.rules.yml"  # [output] named another folder then
        gone.parent.mkdir()
        shutil.copy(copied / "rules" / "gen" / "checkpoint.rules.yml", gone)
        mark = gone.read_text(encoding="utf-8").split("\n", 1)[0]
        manifest = copied / "rules" / "checkpoint.manifest"
        manifest.write_text(f"{mark}\n{'0' * 64}  ../once/checkpoint.rules.yml\n", encoding="utf-8")
        for _ in range(2):
            done = run(RULEGEN, "--generate", cwd=copied)
            self.assertIn("left over once/checkpoint.rules.yml: ", done.stdout)
            self.assertTrue(manifest.exists())
        self.assertEqual(run(RULEGEN, "--check", cwd=copied).returncode, 6)
        gone.unlink()
        self.assertEqual(run(RULEGEN, "--check", cwd=copied).returncode, 6)
        done = run(RULEGEN, "--generate", cwd=copied)
        self.assertIn("removed rules/checkpoint.manifest\n", done.stdout)
        self.assertEqual(run(RULEGEN, "--check", cwd=copied).returncode, 0)

    def test_an_upgrade_says_that_a_spec_without_watches_has_lost_its_alerts_about_the_measurement(self):
        for name, says in (("small/small", True), ("queue/queue", False)):  # which has watches
            with self.subTest(name):
                copied = self.folder / name
                shutil.copytree((ROOT / "test" / "golden" / name).parent, copied.parent)
                spec = copied.with_suffix(".toml")
                self.assertEqual(run(RULEGEN, "--generate", "--spec", spec).stderr, "")
                spec.with_suffix(".manifest").write_text(
                    f"# generated by rulegen from {spec.name} (spec digest d), do not edit\n", encoding="utf-8")
                done = run(RULEGEN, "--generate", "--spec", spec)
                self.assertEqual(done.returncode, 0)
                self.assertEqual(done.stderr.count("\n"), 1 if says else 0, done.stderr)
                self.assertEqual('has no [[watch]]' in done.stderr, says)
                self.assertEqual(run(RULEGEN, "--generate", "--spec", spec).stderr, "")

    def test_a_broken_spec_leaves_every_file_alone(self):
        copied = self.copy()
        self.assertEqual(run(RULEGEN, "--generate", cwd=copied).returncode, 0)
        before = tree(copied)
        spec = copied / "rules" / "postgresql.toml"
        broken = spec.read_bytes() + b"\n[[threshold]]\nid = 5\n"
        spec.write_bytes(broken)
        done = run(RULEGEN, "--generate", cwd=copied)
        self.assertEqual(done.returncode, 3)
        self.assertIn("rules/postgresql.toml:", done.stderr)
        self.assertEqual({**before, "rules/postgresql.toml": broken}, tree(copied))

    def test_another_spec_of_the_same_configuration_that_changes_is_exit_6(self):
        copied = self.folder / "pair"
        shutil.copytree(ROOT / "test" / "golden" / "pair", copied)
        orders = ("--spec", "orders.toml")
        self.assertEqual(run(RULEGEN, "--check", *orders, cwd=copied).returncode, 0)
        spec = copied / "invoices.toml"
        spec.write_text(spec.read_text(encoding="utf-8").replace('"Items"', '"Many"'), encoding="utf-8")
        done = run(RULEGEN, "--check", *orders, cwd=copied)
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertIn("InvoicesMany", done.stdout)
        self.assertNotIn("+++ gen/orders.rules.yml", done.stdout)
        self.assertEqual(run(RULEGEN, "--generate", *orders, cwd=copied).returncode, 0)
        self.assertEqual(run(RULEGEN, "--check", *orders, cwd=copied).returncode, 0)
        spec.unlink()
        done = run(RULEGEN, "--check", *orders, cwd=copied)
        self.assertEqual(done.returncode, 1)
        self.assertIn('orders.toml:21:9: alertmanager.also: found "invoices.toml", a file that can\'t be read', done.stderr)
        self.assertIn('\n  also = ["invoices.toml"]\n          ^\n', done.stderr)
        # An archive holds artefacts; no server is asked.
        done = run(RULEGEN, "--archive", "evidence", *orders, "--prometheus", "http://127.0.0.1:1", cwd=copied)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn('alertmanager.also: found "invoices.toml", a file that can\'t be read', done.stderr)
        self.assertFalse((copied / "evidence").exists())
        # Only what makes artefacts needs the other one.
        (copied / "measurements.json").write_text('{"items": 1}', encoding="utf-8")
        done = run(RULEGEN, "--evaluate", *orders, "--measurements", "measurements.json", cwd=copied)
        self.assertEqual((done.returncode, done.stdout.split("\n")[0]), (0, "Orders sufficient"), done.stderr)

    def test_specs_that_share_a_name_or_a_file_write_nothing(self):
        shutil.copytree(ROOT / "test" / "golden" / "pair", self.folder / "pair")
        for name in ("a", "b"):
            (self.folder / name).mkdir()
        spec = (ROOT / "test" / "golden" / "small" / "small.toml").read_text(encoding="utf-8")
        (self.folder / "a" / "one.toml").write_text(spec, encoding="utf-8")
        (self.folder / "b" / "one.toml").write_text(spec, encoding="utf-8")
        both = ("--spec", "a/one.toml", "--spec", "b/one.toml")
        done = run(RULEGEN, "--generate", *both, cwd=self.folder)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertTrue(done.stderr.startswith("b/one.toml:6:14: store.name: found the store small, which a/one.toml:6:14 "
                                               "has too, expected a name that no other spec of this run has\n"), done.stderr)
        # Another store, so that there is nothing wrong.
        (self.folder / "b" / "one.toml").write_text(spec.replace('"small"', '"tiny"'), encoding="utf-8")
        self.assertEqual(run(RULEGEN, "--check", *both, cwd=self.folder).returncode, 6)
        # One that would write what the other one is made from.
        chained = (self.folder / "pair" / "invoices.toml").read_text(encoding="utf-8").replace(
            'rules = "gen"', 'rules = "gen"\n[alertmanager]\nbase = "gen/orders.alertmanager.yml"')
        (self.folder / "pair" / "invoices.toml").write_text(chained, encoding="utf-8")
        orders = self.folder / "pair" / "orders.toml"
        orders.write_text(orders.read_text(encoding="utf-8").replace('also = ["invoices.toml"]', ""), encoding="utf-8")
        (self.folder / "pair" / "gen" / "orders.alertmanager.yml").write_text("route: {receiver: a}\n", encoding="utf-8")
        before = tree(self.folder)
        done = run(RULEGEN, "--generate", "--spec", "pair/orders.toml", "--spec", "pair/invoices.toml", cwd=self.folder)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn('alertmanager.base: found "gen/orders.alertmanager.yml", which ', done.stderr)
        self.assertEqual(tree(self.folder), before)

    def test_without_a_spec_it_says_so(self):
        done = run(RULEGEN, "--generate", cwd=self.folder)
        self.assertEqual(done.returncode, 2)
        self.assertIn("no rules/*.toml here", done.stderr)


if __name__ == "__main__":
    unittest.main()
