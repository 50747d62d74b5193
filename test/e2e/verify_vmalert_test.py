"""`rulegen --verify` against a real vmalert beside VictoriaMetrics, with the rules of its flavor."""

import unittest

import verify_case
import servers  # verify_case's path


class OverVmalert(verify_case.Case):
    """A vmalert of its own for each case: 1.79 puts a rule that was edited, and edited back, at the end of its group."""

    @classmethod
    def start(cls):
        super().start()
        cls.metrics = cls.stack.start(servers.victoria_metrics(cls.folder))

    def setUp(self):
        super().setUp()
        port = servers.free_port()
        self.vmalert = servers.Server("vmalert", [
            "vmalert", f"-rule={self.loaded}", f"-datasource.url={self.metrics.url}",
            f"-remoteWrite.url={self.metrics.url}", "-notifier.url=http://127.0.0.1:1", f"-httpListenAddr=127.0.0.1:{port}"],
            self.folder, port, "/health")
        self.addCleanup(self.vmalert.stop)

    @classmethod
    def generated(cls):
        return cls.ops.folder / "gen" / servers.vmalert_flavor() / "checkpoint.rules.yml"

    def reload(self):
        servers.get(f"{self.vmalert.url}/-/reload")

    def verify(self):
        return self.ops.verify(self.metrics.url, "--rules-url", self.vmalert.url)

    def test_rules_in_vmalert_are_in_step_by_their_flavor(self):
        # This VictoriaMetrics scrapes no exporter, and that is reported.
        out = self.expect(self.verify, 6, ["as the spec generates, evaluated and healthy",
                                           "none reports a digest for the store checkpoint"], 1)
        self.assertIn(f"ok: loaded rules at {self.vmalert.url}: ", out)

    def test_a_hand_edit_in_vmalert_shows(self):
        self.loaded.write_text(self.loaded.read_text().replace("checkpoint:write_error_ratio > 0.01",
                                                               "checkpoint:write_error_ratio > 0.02"))
        self.reload()
        self.expect(self.verify, 6, [
            f"behind: loaded rules at {self.vmalert.url}: {verify_case.GROUP}alert CheckpointWriteErrors: expr is "
            "`checkpoint:write_error_ratio > 0.02 < +Inf`, the spec says `checkpoint:write_error_ratio > 0.01 < +Inf`"])

    def test_a_group_of_vmalert_that_asks_with_parameters_shows(self):
        text = self.loaded.read_text()
        self.assertIn("    interval: 1s\n", text)
        self.loaded.write_text(text.replace("    interval: 1s\n", "    interval: 1s\n    params: {extra_label: ['x=y']}\n"
                                                                  "    concurrency: 3\n", 1))
        self.reload()
        behind = f"behind: loaded rules at {self.vmalert.url}: {verify_case.GROUP}"
        self.expect(self.verify, 6, [f'{behind}params is "extra_label=x=y", the spec has none',
                                     f"{behind}concurrency is 3, the spec has none"])

    def test_a_failed_reload_of_vmalert_shows(self):
        self.loaded.write_text("groups: [{name: broken\n")
        self.reload()
        self.expect(self.verify, 6, [f"behind: loaded rules at {self.vmalert.url}: the last reload failed; the rules "
                                     "loaded before still run"])


if __name__ == "__main__":
    unittest.main(warnings="ignore")  # refused connections while a server starts leave unclosed sockets behind
