"""The shipped systemd units work together: what rulegen writes as the user of one, the exporter reads as the user of the other.

Usage: units_test.py BUILD_DIR
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "test" / "support"))
import servers  # noqa: E402

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
UNITS = SOURCE / "deploy" / "systemd"


def settings(unit):
    lines = (UNITS / unit).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


class Accounts:
    """Numbers for the names in the units, none of which this machine has to know."""

    def __init__(self):
        self.ids = {}

    def __getitem__(self, name):
        return self.ids.setdefault(name, 54321 + len(self.ids))

    def run_as(self, unit):
        groups = ",".join(str(self[name]) for name in unit.get("SupplementaryGroups", "").split())
        return ["setpriv", f"--reuid={self[unit['User']]}", f"--regid={self[unit['Group']]}",
                f"--groups={groups}" if groups else "--clear-groups"]


class Sysusers(unittest.TestCase):
    def test_each_package_makes_the_users_and_groups_that_its_unit_names(self):
        """Or systemd doesn't start the unit where the other package is not installed."""
        for name in ("outgrown-exporter", "outgrown-evaluate"):
            unit = settings(name + ".service")
            lines = [line.split() for line in (UNITS / f"{name}.sysusers").read_text().splitlines() if not line.startswith("#")]
            made = {"u": {line[1] for line in lines if line[0] == "u"}, "g": {line[1] for line in lines}}
            self.assertLessEqual({unit["User"]}, made["u"])
            self.assertLessEqual({unit["Group"], *unit.get("SupplementaryGroups", "").split()}, made["g"])


@unittest.skipUnless(os.geteuid() == 0, "only root can act for other users")
class Units(unittest.TestCase):
    def test_the_exporter_reads_what_the_daily_decision_writes(self):
        evaluate, exporter = settings("outgrown-evaluate.service"), settings("outgrown-exporter.service")
        accounts = Accounts()
        with tempfile.TemporaryDirectory(prefix="outgrown-units-test.") as name, servers.Stack() as stack:
            folder = pathlib.Path(name)
            folder.chmod(0o755)
            # The build may be where only root gets to.
            for program in ("rulegen/rulegen", "exporter/outgrown-exporter"):
                shutil.copy(BUILD / program, folder)
            shutil.copy(SOURCE / "rules" / "checkpoint.toml", folder)
            (folder / "values.json").write_text("{}")
            state = folder / evaluate["StateDirectory"]
            state.mkdir()
            os.chown(state, accounts[evaluate["User"]], accounts[evaluate["Group"]])
            state.chmod(int(evaluate["StateDirectoryMode"], 8))
            log = state / "decisions.jsonl"
            subprocess.run([*accounts.run_as(evaluate), folder / "rulegen", "--evaluate", "--spec", folder / "checkpoint.toml",
                            "--measurements", folder / "values.json", "--log", log], cwd=folder, stdout=subprocess.DEVNULL,
                           umask=int(evaluate["UMask"], 8), check=False, timeout=60)
            self.assertTrue(log.exists())
            port = servers.free_port()
            server = stack.start(servers.Server("exporter", [
                *accounts.run_as(exporter), folder / "outgrown-exporter", f"--web.listen-address=127.0.0.1:{port}",
                f"--decision.log={log}"], folder, port, "/-/healthy"))
            self.assertIn("\ncheckpoint_decision_log_records_total 1\n", servers.get(server.url + "/metrics"))


if __name__ == "__main__":
    unittest.main()
