"""Every command in README.md and docs/ can be pasted: its program, options, paths, packages and units are there, and so is
each test that docs/trust.md names. What needs no server and no system of its own is run. ./run test packages runs the lines about
packages in clean roots.

Usage: pages_test.py BUILD_FOLDER
"""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
PROGRAMS = {"rulegen": BUILD / "rulegen" / "rulegen", "outgrown-exporter": BUILD / "exporter" / "outgrown-exporter",
            "outgrown-block": BUILD / "counterblock" / "outgrown-block"}
TUTORIAL = ROOT / "docs" / "tutorial.md"  # run as a whole by test/clients/pypi/tutorial_test.py
PAGES = [ROOT / "README.md", *sorted({*(ROOT / "docs").glob("*.md")} - {TUTORIAL})]
# Of packages that a Debian has (coreutils, systemd, sudo), or that the page installs first.
OTHERS = {"amtool", "apt-get", "cd", "chmod", "cp", "dpkg", "dpkg-buildpackage", "echo", "git", "grep", "kubectl", "ldconfig", "meson", "mkdir",
          "pip", "podman", "promtool", "sed", "set", "sha256sum", "sleep", "sudoedit", "systemctl", "systemd-run", "systemd-tmpfiles",
          "tee", "useradd"}
UNITS = {"prometheus", "prometheus-alertmanager", "grafana-server"}
INSTALLED = {"/usr/share/outgrown/docs/gen": "docs/gen", "/usr/share/outgrown/rules": "rules",
             "/usr/share/outgrown/grafana-provisioning": "grafana-provisioning",
             "/usr/share/doc/outgrown-rulegen/examples": "deploy"}


def blocks(page, language):
    """The code blocks of that language (a pattern), without the indentation of a list."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", page.read_text(encoding="utf-8"), re.M | re.S)
    return [textwrap.dedent(text) for _, text in found]


def commands(text):
    """The simple commands of a shell text, as words, without sudo, assignments and the words of a loop."""
    lexer = shlex.shlex(text.replace("\\\n", " ").replace("\n", ";"), posix=True, punctuation_chars=";&|<>")
    lexer.whitespace_split = True
    lexer.commenters = ""
    found, words = [], []
    for word in [*lexer, ";"]:
        if set(word) <= set(";&|"):
            while words and (words[0] in ("sudo", "until", "do", "done") or re.match(r"[A-Z_]+=", words[0])):
                words = words[1:]
            if words:
                found.append(words)
            words = []
        else:
            words.append(word)
    return found


def without_comments(text):
    return "\n".join(re.sub(r"(^|\s+)#.*", "", line) for line in text.splitlines())


def staged(folder):
    """What the packages put under /usr/share/outgrown, in `folder`."""
    for target, source in INSTALLED.items():
        if target.startswith("/usr/share/outgrown"):
            shutil.copytree(ROOT / source, folder / target[1:])


def listed(name):
    return re.search(rf"{name}=\((.*?)\)", (ROOT / "run").read_text(encoding="utf-8"), re.S)[1].split()


class Pages(unittest.TestCase):
    def each(self):
        """Each command of a page, from the blocks of shell whole, and from the plain ones what begins with one of our programs."""
        ours = re.compile(rf"^(?:\$ )?((?:sudo )?(?:{'|'.join(map(re.escape, PROGRAMS))}|\./run) .*?(?<!\\))$", re.M | re.S)
        for page in PAGES:
            texts = blocks(page, "sh") + [line for block in blocks(page, "") for line in ours.findall(block)]
            for text in texts:
                for words in commands(without_comments(text)):
                    yield page.name, words

    def test_there_are_some(self):
        self.assertGreater(len(list(self.each())), 40)

    def test_the_shell_takes_every_block(self):
        for page in PAGES:
            for text in blocks(page, "sh"):
                done = subprocess.run(["bash", "-n", "-c", text], capture_output=True, text=True, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ""), f"{page.name}: {text}")

    def test_the_programs_know_every_option(self):
        helps = {name: subprocess.run([path, "--help"], capture_output=True, text=True, check=True).stdout for name, path in PROGRAMS.items()}
        run_help = subprocess.run([ROOT / "run", "--help"], capture_output=True, text=True, check=False)
        helps["./run"] = run_help.stdout + run_help.stderr
        for page, words in self.each():
            with self.subTest(page=page, command=" ".join(words)):
                program = words[0]
                self.assertIn(program, {*OTHERS, *helps})
                if program == "./run":
                    self.assertRegex(helps["./run"], rf"(?m)^  {re.escape(words[1])}\b")
                for option in (word.split("=")[0] for word in words[1:] if program in helps and word.startswith("--")):
                    self.assertRegex(helps[program], rf"(?<![\w-]){option}(?![\w-])")

    def test_the_tests_that_trust_names_are_there(self):
        """The names at the beginning of a table's second column; several tests may begin with one of them."""
        tests = [test["name"] for test in json.loads((BUILD / "meson-info" / "intro-tests.json").read_text(encoding="utf-8"))]
        cells = re.findall(r"^\|[^|]*\| ((?:`\w+`(?:, )?)+)", (ROOT / "docs" / "trust.md").read_text(encoding="utf-8"), re.M)
        names = re.findall(r"`(\w+)`", "".join(cells))
        self.assertGreater(len(names), 40)
        self.assertEqual([name for name in names if not any(f"{test}_".startswith(f"{name}_") for test in tests)], [])

    def test_every_option_in_the_text_is_one(self):
        """`rulegen --evaluate --log FILE` within a sentence."""
        helps = {name: subprocess.run([path, "--help"], capture_output=True, text=True, check=True).stdout for name, path in PROGRAMS.items()}
        for page in PAGES:
            for program, rest in re.findall(r"`(?:sudo )?(rulegen|outgrown-exporter) (--[^`]*)`", page.read_text(encoding="utf-8")):
                for option in re.findall(r"--[a-z][\w.-]*", rest):
                    self.assertRegex(helps[program], rf"(?<![\w-]){option}(?![\w-])", f"{page.name}: {program} {rest}")

    def test_paths_units_and_packages_are_there(self):
        packages = {*listed("build_packages"), *listed("server_packages"), "build-essential", "crossbuild-essential-arm64"}
        for page, words in self.each():
            with self.subTest(page=page, command=" ".join(words)):
                for word in words[1:]:
                    if re.match(r"/usr/share/(doc/)?outgrown", word):
                        source, = [source + word[len(target):] for target, source in INSTALLED.items() if f"{word}/".startswith(f"{target}/")]
                        self.assertTrue((ROOT / source).exists(), word)
                    if re.match(r"(deploy|clients|examples|rules)/", word) and "*" not in word and "gen/" not in word:
                        self.assertTrue((ROOT / word).exists(), word)
                    if word.startswith("/etc/default/outgrown-"):
                        self.assertTrue((ROOT / "deploy" / "systemd" / (word.rpartition("/")[2] + ".default")).exists(), word)
                if words[0] == "systemctl":
                    for unit in (word for word in words[2:] if not word.startswith("-")):
                        shipped = [ROOT / "deploy" / "systemd" / name for name in (unit, unit + ".service")]
                        self.assertTrue(unit in UNITS or any(path.exists() for path in shipped), unit)
                if words[0] == "apt-get" and words[1] != "update":
                    self.assertIn("--yes", words)  # its question would take the paste's next line for the answer
                if words[:2] == ["apt-get", "install"]:
                    self.assertEqual({word for word in words[2:] if not word.startswith((".", "-"))} - packages, set())

    def test_a_spec_of_ones_own_is_generated(self):
        own, = [text for text in blocks(ROOT / "docs" / "adopting.md", "sh") if "sudoedit" in text]
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            staged(folder)
            (folder / "bin").mkdir()
            for program, path in PROGRAMS.items():
                (folder / "bin" / program).symlink_to(path)
            for program, text in [("sudo", 'exec "$@"'), ("sudoedit", 'exec sed -i "s|^runbook_url .*|runbook_url = \\"https://ops.test/r.md\\"|" "$@"')]:
                (folder / "bin" / program).write_text(f"#!/bin/sh\n{text}\n")
                (folder / "bin" / program).chmod(0o755)
            script = re.sub(r"(?<![\w.])/(etc|usr/share)/outgrown", rf"{folder}/\1/outgrown", own + "rulegen --check\n")
            done = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, check=False, cwd=folder,
                                  env={**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}"})
            self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr[-2000:])
            self.assertIn("wrote rules/gen/checkpoint.rules.yml", done.stdout)
            self.assertNotIn("checkpoint.toml:21:19: warning", done.stderr)
            self.assertIn("postgresql.toml:19:19: warning: rules.runbook_url: found a placeholder", done.stderr)


if __name__ == "__main__":
    unittest.main()
