"""What the tests of `rulegen --verify` share: an ops repo, and what was deployed of it.

Each case makes one copy differ and expects the one line that names it. Usage of a test: FILE BUILD_FOLDER
"""

import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
sys.path.insert(0, str(ROOT / "test" / "support"))

import server_case  # noqa: E402  (the path above)
import servers  # noqa: E402

RULEGEN = BUILD / "rulegen" / "rulegen"
GROUP = "group outgrown-checkpoint: "


class Ops:
    """An ops repo of its own with the shipped spec at one evaluation a second, and what is generated from it."""

    def __init__(self, folder):
        self.folder = folder / "ops"
        self.folder.mkdir()
        text = (ROOT / "rules" / "checkpoint.toml").read_text()
        text, count = re.subn(r'(?m)^interval( +)= "30s"', r'interval\1= "1s"', text, count=1)
        assert count == 1, "the spec's interval is not where it was"
        # A group's first evaluation is up to one interval after its loading, and until then its health is unknown.
        text = re.sub(r'(?m)^interval( +)= "2m"', r'interval\1= "2s"', text)
        text = re.sub(r'"\.\./(?:grafana-provisioning/dashboards|docs)/gen"', '"gen"', text)
        self.spec = self.folder / "checkpoint.toml"
        self.spec.write_text(text)
        shutil.copy(ROOT / "rules" / "alertmanager.base.yml", self.folder)
        self.rules = self.folder / "gen" / "checkpoint.rules.yml"
        self.generate()

    def generate(self):
        subprocess.run([RULEGEN, "--generate", "--spec", self.spec], check=True, capture_output=True)

    def verify(self, prometheus_url, *arguments):
        return subprocess.run([RULEGEN, "--verify", "--spec", "checkpoint.toml", "--prometheus", prometheus_url,
                               "--timeout", "5s", *arguments], cwd=self.folder, capture_output=True, text=True,
                              check=False)


class Case(server_case.ServerCase):
    """One set of servers for all cases; each case finds the ops repo, and what was deployed of it, as at the beginning."""

    @classmethod
    def start(cls):
        cls.ops = Ops(cls.folder)
        cls.pristine = {path: path.read_bytes() for path in cls.ops.folder.rglob("*") if path.is_file()}
        cls.loaded = cls.folder / "loaded.rules.yml"  # what the server loads: a deployed copy of the generated file
        shutil.copy(cls.generated(), cls.loaded)

    def setUp(self):
        for path in self.ops.folder.rglob("*"):
            if path.is_file() and path not in self.pristine:
                path.unlink()
        for path, content in self.pristine.items():
            path.write_bytes(content)
        if self.loaded.read_bytes() != self.generated().read_bytes():
            shutil.copy(self.generated(), self.loaded)

    def expect(self, verify, status, wanted, behind=None):
        """Verifies until rules that were just loaded are evaluated and exporters scraped, and there is a line with each
        of the wanted ends, and `behind` lines of that kind in all; `status` None is any. Returns the report."""
        last = None

        def settled():
            nonlocal last
            last = verify()
            lines = last.stdout.splitlines()
            return (status in (None, last.returncode) and all(any(line.endswith(end) for line in lines) for end in wanted)
                    and behind in (None, last.stdout.count(": behind: ")))

        try:
            servers.wait_for("the report", settled, timeout_seconds=60, poll_seconds=0.3)
        except servers.NotReady:
            self.fail(f"wanted status {status}, {behind} behind and {wanted}\ngot {last.returncode}\n"
                      f"{last.stdout}{last.stderr}")
        return last.stdout
