"""What a newcomer gets wrong, with each program: the error says what is wrong and what to do.

Usage: mistakes_test.py BUILD_FOLDER
"""

import http.server
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
sys.path.insert(0, str(ROOT / "test" / "support"))

import servers  # noqa: E402

NOBODY = 65534
LISTEN = "--web.listen-address=127.0.0.1:0"
needs_root = unittest.skipUnless(os.geteuid() == 0, "needs root, to be another user")


class InFolder(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.folder.chmod(0o755)
        # Copies: the tree may lie in a home folder that is closed to others.
        for program in ("exporter/outgrown-exporter", "rulegen/rulegen", "counterblock/outgrown-block"):
            shutil.copy(BUILD / program, self.folder)
        self.closed = self.folder / "closed"
        self.closed.mkdir(mode=0o700)
        self.readonly = self.folder / "readonly"
        self.readonly.mkdir(mode=0o755)
        shutil.copytree(ROOT / "rules", self.readonly / "rules")
        self.spec = self.readonly / "rules" / "checkpoint.toml"

    def says(self, status, text, program, *arguments, user=None, env=None):
        """Runs to its end, with that status, and says all of that on standard error."""
        done = subprocess.run([self.folder / program, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False,
                              cwd=self.folder, env=env, user=user, group=user, extra_groups=None if user is None else [])
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        for part in text:
            self.assertIn(part, done.stderr)


class Exporter(InFolder):
    def starts(self, text, *arguments, user=None):
        """Starts all the same, and says it in its log at the start."""
        with servers.Stack() as stack:
            command = [self.folder / "outgrown-exporter", LISTEN, *arguments]
            if user is not None:
                command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *command]
            exporter = stack.start(servers.Process("exporter", command, self.folder))
            servers.wait_for("what it says at the start", lambda: "level=" in exporter.log.read_text().partition("msg=Listening")[2],
                             alive=[exporter])
            said = exporter.log.read_text().partition("msg=Listening")[2]
        for part in text:
            self.assertIn(part, said)

    def test_a_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.says(1, ["Address already in use; is an exporter running already? --web.listen-address takes another port"],
                      "outgrown-exporter", f"--web.listen-address=127.0.0.1:{taken.getsockname()[1]}")

    @needs_root
    def test_a_port_of_roots(self):
        port = int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
        if port == 0:
            self.skipTest("every user may listen on every port here")
        self.says(1, ["Permission denied; --web.listen-address takes a port from 1024 on"],
                  "outgrown-exporter", "--web.listen-address=127.0.0.1:80", user=NOBODY)

    def test_an_address_of_another_machine(self):
        self.says(1, ["--web.listen-address takes an address of this machine"],
                  "outgrown-exporter", "--web.listen-address=192.0.2.1:9108")  # RFC 5737

    def test_a_folder_of_blocks_that_is_not_there(self):
        self.starts(["level=warn", f"where={self.folder}/none", "No such file or directory; an application's folder of counter "
                     "blocks is made by systemd-tmpfiles, or by hand"], f"--block.dir={self.folder}/none")

    @needs_root
    def test_a_folder_of_blocks_that_is_closed(self):
        self.starts(["level=warn", "Permission denied; its group or an ACL has to let this user read it"],
                    f"--block.dir={self.closed}", user=NOBODY)

    def test_no_store_at_all(self):
        self.starts(["level=info", "No store yet", "--store=NAME=PATH"], f"--block.dir={self.readonly}")

    @needs_root
    def test_a_database_that_is_closed(self):
        database = self.closed / "a.db"
        database.write_bytes(b"")
        with servers.Stack() as stack:
            exporter = stack.start(servers.Process("exporter", [
                "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", self.folder / "outgrown-exporter", LISTEN,
                f"--block.dir={self.readonly}", f"--store=a={database}"], self.folder))
            servers.wait_for("Listening", lambda: "msg=Listening" in exporter.log.read_text(), alive=[exporter])
            address = exporter.log.read_text().partition("msg=Listening address=")[2].split()[0]
            for _ in range(3):
                servers.get(f"http://{address}/metrics")
            said = exporter.log.read_text()
        self.assertEqual(said.count("its user needs to read and search the folder, and to read the files"), 2, said)  # two collectors

    def test_a_spec_that_is_not_there_and_one_with_a_typo(self):
        self.says(1, ["none.toml:1:1: found a file that can't be read (cannot open: No such file or directory)"],
                  "outgrown-exporter", LISTEN, "--spec=none.toml")
        self.spec.write_text(self.spec.read_text().replace("severity ", "severty "))
        self.says(3, ["checkpoint.toml:", "verdict.severty: found an unknown key, expected the key severity of [[verdict]]"],
                  "outgrown-exporter", LISTEN, f"--spec={self.spec}")


class Block(InFolder):
    def test_a_folder_that_is_not_there(self):
        self.says(1, [f"{self.folder}/none: cannot list the directory: No such file or directory; an application's folder"],
                  "outgrown-block", self.folder / "none")

    @needs_root
    def test_a_folder_that_is_closed(self):
        for arguments in ([self.closed], [self.closed, "a"]):
            self.says(1, ["Permission denied; its group or an ACL has to let this user read it"], "outgrown-block", *arguments, user=NOBODY)

    def test_a_store_that_is_not_there(self):
        self.says(1, ["there is no counter block (has the application written yet?)"], "outgrown-block", self.readonly, "a")

    def test_help(self):
        self.says(2, ["usage: outgrown-block DIRECTORY [STORE]", "OUTGROWN_DIR"], "outgrown-block")
        done = subprocess.run([self.folder / "outgrown-block", "--help"], capture_output=True, text=True, check=True)
        self.assertIn("usage: outgrown-block DIRECTORY [STORE]", done.stdout)


class NotPrometheus(http.server.BaseHTTPRequestHandler):
    """What else may be at the address: the path's first part says what it answers."""

    def do_POST(self):
        status, body = {
            "html": (200, b"<html></html>"), "nothing": (404, b""), "closed": (401, b""), "login": (302, b""),
            # Prometheus 2.20 knows no last_over_time.
            "old": (400, json.dumps({"status": "error", "errorType": "bad_data",
                                     "error": 'parse error: unknown function with name "last_over_time"'}).encode()),
        }[self.path.split("/")[1]]
        self.send_response(status)
        self.send_header("Location", "/login")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST

    def log_message(self, *_):
        pass


class Rulegen(InFolder):
    ADVICE = "is a Prometheus (2.42 or newer, or a server with its query API) at that address? --prometheus names it"

    def test_no_prometheus_at_the_address(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), NotPrometheus)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        url = f"http://127.0.0.1:{server.server_address[1]}"
        for address, why in [("http://127.0.0.1:1", "Failed to connect"), (f"{url}/html", "not valid JSON"), (f"{url}/nothing", "404"),
                             (f"{url}/closed", "401"), (f"{url}/login", "redirects (302)"), (f"{url}/old", "unknown function")]:
            for mode in (["--evaluate", "--log", self.folder / "log.jsonl"], ["--backtest"]):
                with self.subTest(address=address, mode=mode[0]):
                    self.says(4, [why, self.ADVICE, "--basic-auth-file"], "rulegen", *mode, "--spec", self.spec, "--prometheus", address)

    def test_a_spec_that_is_not_there_or_none_at_all(self):
        self.says(1, ["none.toml:1:1: found a file that can't be read"], "rulegen", "--check", "--spec", "none.toml")
        self.says(2, ["found no rules/*.toml here; name a spec with --spec"], "rulegen", "--generate")

    def test_a_typo_in_the_spec(self):
        self.spec.write_text(self.spec.read_text().replace("runbook_url ", "runbook_ulr "))
        self.says(3, ["checkpoint.toml:", "rules.runbook_ulr: found an unknown key, expected the key runbook_url of [rules]"],
                  "rulegen", "--check", "--spec", self.spec)

    @needs_root
    def test_a_folder_that_is_read_only(self):
        self.says(1, ["cannot make the folder: Permission denied; --out DIR writes elsewhere"],
                  "rulegen", "--generate", "--spec", self.spec, user=NOBODY)

    def test_no_home_and_no_folder_for_the_log(self):
        arguments = ["--evaluate", "--spec", self.spec, "--prometheus", "http://127.0.0.1:1"]
        self.says(5, ["STATE_DIRECTORY, XDG_STATE_HOME and HOME are unset; use --log"], "rulegen", *arguments, env={})
        self.says(5, ["cannot make the folder", "; --log, $STATE_DIRECTORY or $XDG_STATE_HOME names another place"],
                  "rulegen", *arguments, env={"HOME": "/proc"})

    @needs_root
    def test_a_log_that_may_not_be_written(self):
        self.says(5, [f"could not be logged, so it is not printed: {self.readonly}/log.jsonl: cannot open: Permission denied"],
                  "rulegen", "--evaluate", "--spec", self.spec, "--prometheus", "http://127.0.0.1:1", "--log",
                  self.readonly / "log.jsonl", user=NOBODY)

    @needs_root
    def test_a_log_that_may_not_be_read(self):
        log = self.readonly / "log.jsonl"
        log.touch(mode=0o600)
        self.says(1, [f"{log}: cannot open: Permission denied"], "rulegen", "--history", log, user=NOBODY)

    def test_files_of_logins_that_are_not_there(self):
        for option in ("--basic-auth-file", "--bearer-token-file", "--headers-file"):
            self.says(1, ["none: cannot open: No such file or directory"], "rulegen", "--evaluate", "--spec", self.spec,
                      "--log", self.folder / "log.jsonl", option, "none")


if __name__ == "__main__":
    unittest.main()
