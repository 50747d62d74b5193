"""deploy/nginx.conf in the real nginx, before the real exporter: TLS, clients' certificates, and the exporter's logins through it.

Usage: nginx_test.py EXPORTER
"""

import base64
import http.client
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXPORTER = pathlib.Path(sys.argv.pop(1)).resolve()
sys.path.insert(0, str(ROOT / "test" / "support"))

import servers  # noqa: E402

HASH = "$2b$04$4NvtftzuXZkHD0z.Sj1VQen7Sdok/MkdrKFEmB7ZoPQ5CUp0kRiIm"  # of s3cret


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


class Nginx(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.stack = self.enterContext(servers.Stack())
        for name in ("server", "client"):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                            "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1",
                            "-keyout", self.folder / f"{name}.key", "-out", self.folder / f"{name}.pem"],
                           check=True, capture_output=True)

    def start(self, *exporter_arguments, client_certificates=False):
        """The exporter, and nginx with the shipped file; only ports, paths and what is commented out differ."""
        exporter = self.stack.start(servers.Process("exporter", [
            EXPORTER, "--web.listen-address=127.0.0.1:0", f"--block.dir={self.folder}", *exporter_arguments], self.folder))
        servers.wait_for("Listening", lambda: "msg=Listening" in exporter.log.read_text(), alive=[exporter])
        address = re.search(r"msg=Listening address=(\S+)", exporter.log.read_text())[1]
        self.port = servers.free_port()
        text = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
        changes = [("127.0.0.1:9108", address), ("9109", str(self.port)), ("/etc/ssl/certs/outgrown.pem", f"{self.folder}/server.pem"),
                   ("/etc/ssl/private/outgrown.key", f"{self.folder}/server.key"),
                   ("/etc/ssl/certs/outgrown-clients.pem", f"{self.folder}/client.pem")]
        if client_certificates:
            changes += [("#ssl_client_certificate", "ssl_client_certificate"), ("#ssl_verify_client", "ssl_verify_client")]
        for old, new in changes:
            self.assertIn(old, text)
            text = text.replace(old, new)
        if not has_ipv6():
            text = re.sub(r".*\[::\].*\n", "", text)
        (self.folder / "outgrown.conf").write_text(text)
        temporary = "".join(f"{kind}_temp_path {self.folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.folder / "nginx.conf").write_text(
            f"daemon off;\nmaster_process off;\npid {self.folder}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n{temporary}"
            f"include {self.folder}/outgrown.conf;\n}}\n")
        nginx = self.stack.start(servers.Process("nginx", ["/usr/sbin/nginx", "-e", "stderr", "-c", self.folder / "nginx.conf"], self.folder))

        def listens():
            with socket.create_connection(("127.0.0.1", self.port), timeout=5):
                return True
        servers.wait_for("nginx", lambda: self.quietly(listens), alive=[nginx])

    @staticmethod
    def quietly(ask):
        try:
            return ask()
        except OSError:
            return None

    def get(self, method="GET", headers=None, host="localhost", certificate=False):
        context = ssl.create_default_context(cafile=self.folder / "server.pem")
        if certificate:
            context.load_cert_chain(self.folder / "client.pem", self.folder / "client.key")
        connection = http.client.HTTPSConnection(host, self.port, timeout=20, context=context)
        self.addCleanup(connection.close)
        connection.request(method, "/metrics", headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def test_metrics_come_over_tls_and_not_without(self):
        self.start()
        for host in ["127.0.0.1", *(["::1"] if has_ipv6() else [])]:
            status, text = self.get(host=host)
            self.assertEqual(status, 200)
            self.assertIn("checkpoint_exporter_build_info{", text)
        self.assertEqual(self.get("HEAD"), (200, ""))
        self.assertEqual(self.get("POST")[0], 403)
        plain = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        self.addCleanup(plain.close)
        plain.request("GET", "/metrics")
        answer = plain.getresponse()
        self.assertEqual(answer.status, 400)
        self.assertNotIn(b"checkpoint_", answer.read())

    def test_only_a_client_with_a_certificate_gets_in(self):
        self.start(client_certificates=True)
        self.assertEqual(self.get(certificate=True)[0], 200)
        self.assertEqual(self.get()[0], 400)

    def test_the_exporters_login_is_passed_on(self):
        web = self.folder / "web.yml"
        web.write_text(f"basic_auth_users:\n  prometheus: {HASH}\n")
        self.start(f"--web.config.file={web}")
        self.assertEqual(self.get()[0], 401)
        for password, status in [("s3cret", 200), ("secret", 401)]:
            login = base64.b64encode(f"prometheus:{password}".encode()).decode()
            self.assertEqual(self.get(headers={"Authorization": f"Basic {login}"})[0], status)


if __name__ == "__main__":
    unittest.main()
