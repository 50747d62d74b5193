"""Logins for every page, as --web.config.file says, for Prometheus too."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import exporter_case  # noqa: E402  (the path above)
import servers  # noqa: E402


class WebConfig(exporter_case.ExporterCase):
    # Of s3cret, with the lowest cost.
    HASH = "$2b$04$4NvtftzuXZkHD0z.Sj1VQen7Sdok/MkdrKFEmB7ZoPQ5CUp0kRiIm"

    def setUp(self):
        super().setUp()
        self.config = self.folder / "web.yml"

    def test_every_page_needs_the_login_and_prometheus_has_it(self):
        self.config.write_text(f"basic_auth_users:\n  prometheus: {self.HASH}\n")
        exporter = self.start(f"--block.dir={self.blocks}", f"--web.config.file={self.config}")
        right = {"Authorization": "Basic cHJvbWV0aGV1czpzM2NyZXQ="}
        for path, status in [("/", 200), ("/metrics", 200), ("/-/healthy", 200), ("/-/ready", 200), ("/none", 404)]:
            for method in ("GET", "HEAD"):
                self.assertEqual(exporter.request(method, path, headers=right)[0], status, path)
                for headers in ({}, {"Authorization": "Basic cHJvbWV0aGV1czpzM2NyZXU="}):
                    answer = exporter.request(method, path, headers=headers)
                    self.assertEqual(answer[0], 401, path)
                    self.assertTrue(answer[1]["WWW-Authenticate"].startswith("Basic realm="))
                    self.assertNotIn("checkpoint_", answer[2])
        self.assertEqual(exporter.request("POST", "/metrics")[0], 401)
        self.assertEqual(exporter.request("POST", "/metrics", headers=right)[0], 405)

        config = json.loads(servers.prometheus_config({}, [], None, "1s"))
        config["scrape_configs"] = [
            {"job_name": name, "basic_auth": {"username": "prometheus", "password": password},
             "static_configs": [{"targets": [f"127.0.0.1:{exporter.port}"]}]} for name, password in [("right", "s3cret"), ("wrong", "secret")]]
        prometheus = self.stack.start(servers.prometheus(self.folder, {}, config=json.dumps(config)))
        servers.wait_for("both scrapes", lambda: {series["metric"]["job"]: series["value"][1] for series in servers.query(prometheus.url, "up")}
                         == {"right": "1", "wrong": "0"})

    def test_what_it_cannot_do_keeps_it_from_starting(self):
        for text, said in [("tls_server_config:\n  cert_file: a\n", "web.yml:1: found tls_server_config"),
                           ("basic_auth_users:\n  a: b\n", "web.yml:2: found no bcrypt hash for a")]:
            self.config.write_text(text)
            ended = exporter_case.run("--web.listen-address=127.0.0.1:0", f"--web.config.file={self.config}")
            self.assertEqual(ended.returncode, 1)
            self.assertIn(f"--web.config.file: {self.folder}/{said}", ended.stderr)
        ended = exporter_case.run("--web.listen-address=127.0.0.1:0", "--web.config.file=/nowhere/web.yml")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("/nowhere/web.yml: cannot open: No such file", ended.stderr)


if __name__ == "__main__":
    exporter_case.main()
