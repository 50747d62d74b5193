"""The exporter's options: what is refused at the start, and what its manual says."""

import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import exporter_case  # noqa: E402  (the path above)
import servers  # noqa: E402


class CommandLine(exporter_case.ExporterCase):
    def test_an_address_that_is_taken_is_a_clear_error(self):
        exporter = self.start(f"--block.dir={self.blocks}")
        ended = exporter_case.run(f"--web.listen-address=127.0.0.1:{exporter.port}")
        self.assertEqual(ended.returncode, 1)
        self.assertIn(f"127.0.0.1:{exporter.port}", ended.stderr)
        self.assertIn("Address already in use", ended.stderr)

    def test_a_wrong_option_is_status_2_and_a_wrong_spec_status_3(self):
        self.assertEqual(exporter_case.run("--nonsense").returncode, 2)
        spec = self.folder / "bad.toml"
        spec.write_text("schema = 1\nnonsense = 2\n")
        ended = exporter_case.run(f"--spec={spec}")
        self.assertEqual(ended.returncode, 3)
        self.assertIn(f"{spec}:2:1: nonsense", ended.stderr)
        self.assertEqual(exporter_case.run("--spec=/nowhere/a.toml").returncode, 1)

    def test_manual_and_documentation_know_every_option_and_every_reason(self):
        options = set(re.findall(r"^  (?:-h,)?(--[\w.-]+)", exporter_case.run("--help").stdout, re.M))
        self.assertGreater(len(options), 10)
        documentation = (exporter_case.SOURCE / "docs" / "exporter.md").read_text()
        manual = (exporter_case.SOURCE / "exporter" / "outgrown-exporter.8").read_text()
        self.assertEqual({name for name in options if f"`{name}" not in documentation}, set())
        self.assertEqual({name for name in options if f"Fl {name[1:]}" not in manual}, set())
        reasons = set(re.findall(r'return \{"(\w+)"', (exporter_case.SOURCE / "exporter" / "sqlite" / "problem.cc").read_text()))
        self.assertGreater(len(reasons), 10)
        self.assertEqual({name for name in reasons - {"unknown"} if f"`{name}`" not in documentation}, set())

    def test_logs_are_json_if_asked_for(self):
        process = servers.Process("exporter", [exporter_case.PROGRAM, "--log.format=json",
                                               "--web.listen-address=127.0.0.1:0"], self.folder)
        self.stack.start(process)
        servers.wait_for("a JSON line", lambda: '"msg":"Listening"' in process.log.read_text(), alive=[process])
        for line in process.log.read_text().splitlines():
            self.assertIn("level", json.loads(line))

    def test_too_few_threads_are_an_error_at_the_start(self):
        # A copy that any user may execute; the tree may lie in a home folder that is closed to others.
        open_folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        open_folder.chmod(0o711)
        program = shutil.copy(exporter_case.PROGRAM, open_folder)
        for limit in (8, 50, 70):  # none but a few; not all of the server's; none for a scrape
            with self.subTest(limit):
                def few():
                    resource.setrlimit(resource.RLIMIT_NPROC, (limit, limit))
                    if os.getuid() == 0:  # whom no limit binds
                        os.setuid(54321)
                ended = subprocess.run([program, "--web.listen-address=127.0.0.1:0"],
                                       capture_output=True, text=True, timeout=20, check=False, preexec_fn=few)
                self.assertEqual(ended.returncode, 1, ended.stderr)
                self.assertRegex(ended.stderr, r"level=error .*thread.*TasksMax")
                self.assertNotIn("Listening", ended.stderr)


if __name__ == "__main__":
    exporter_case.main()
