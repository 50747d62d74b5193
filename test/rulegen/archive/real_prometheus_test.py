"""--archive against a real Prometheus and a real Alertmanager: what it holds, that its samples go back into another
Prometheus bit for bit, and that there is never half of it.

Usage: real_prometheus_test.py RULEGEN
"""

import json
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "test" / "support"))
sys.path.insert(0, str(ROOT / "test" / "decision" / "history"))
import history  # noqa: E402
import relay  # noqa: E402
import schema  # noqa: E402
import server_case  # noqa: E402
import servers  # noqa: E402
from history import E  # noqa: E402
from promtool import promtool  # noqa: E402

RULEGEN = pathlib.Path(sys.argv.pop(1)).resolve()
SPEC = ROOT / "rules" / "checkpoint.toml"
SECRET = "hunter2-of-the-scrape"
AWKWARD = ["0.1", "0.30000000000000004", "1e+300", "5e-324", "-0", "123456789012345680", "NaN", "+Inf", "-Inf",
           "3.141592653589793"]


def awkward_lines():
    """Values and times that lose bits where text is made carelessly, under labels that want escaping."""
    labels = 'job="app",instance="app-1:9108",database="a\\"b\\\\c\\nd é"'
    dice = random.Random(7)
    lines = []
    at_ms = (E - 7200) * 1000
    for index in range(400):
        at_ms += dice.choice((15000, 14999, 15001, 15123, 457))
        value = AWKWARD[index % len(AWKWARD)]
        lines.append(f"checkpoint:file_size_bytes{{{labels}}} {value} {at_ms / 1000 + 0.0002:.4f}")
        lines.append(f'checkpoint:file_size_bytes{{{labels},replica="b"}} {index} {at_ms / 1000 + 0.0002:.4f}')
    return lines


def decided_lines():
    """A store whose throughput is breached, with its alerts, and one whose coverage is low for a reason."""
    alerts = [history.sample(f'ALERTS{{alertname="Checkpoint{alert}",alertstate="firing",severity="x",'
                             f'{history.labels("breached")}}}', 1, E - back * history.STEP)
              for alert in ("Throughput", "ThroughputApproaching") for back in range(60)]
    reasons = [history.sample(f'checkpoint:coverage_reason{{{history.labels("uncounted")},reason="other_file"}}', 1,
                              E - back * history.STEP) for back in range(60)]
    return [*history.steady_store("breached", {"writes_per_second": lambda _: 120}, 480), *alerts,
            *history.steady_store("uncounted", {"coverage_ratio": lambda _: 0.5}, 480), *reasons]


class Archive(server_case.ServerCase):
    @classmethod
    def start(cls):
        dice = random.Random(5)
        cls.lines = [line for name in ("a", "b") for line in history.random_store(dice, name, 480)]
        history.backfill(cls.folder, cls.lines + awkward_lines() + decided_lines())
        cls.am_config = cls.folder / "am.yml"
        cls.am_config.write_text(json.dumps({"route": {"receiver": "r"}, "receivers": [
            {"name": "r", "webhook_configs": [{"url": "http://127.0.0.1:1/", "http_config": {
                "basic_auth": {"username": "u", "password": SECRET}}}]}]}))
        cls.alertmanager = cls.stack.start(servers.alertmanager(cls.folder, cls.am_config))
        config = json.loads(servers.prometheus_config({}, [ROOT / "rules/gen/checkpoint.rules.yml"], None, "15s"))
        config["scrape_configs"] = [{"job_name": "closed", "static_configs": [{"targets": ["127.0.0.1:1"]}],
                                     "basic_auth": {"username": "u", "password": SECRET}}]
        cls.prometheus = cls.stack.start(servers.prometheus(cls.folder, {}, retention="100y",
                                                            config=json.dumps(config)))
        cls.log = cls.folder / "log" / "decisions.jsonl"
        cls.token = cls.folder / "token"
        cls.token.write_text("token-that-stays-outside\n")
        for at in (E - 600, E):
            subprocess.run([RULEGEN, "--evaluate", "--spec", SPEC, "--log", cls.log, "--at", str(at), "--prometheus",
                            cls.prometheus.url], capture_output=True, check=False, timeout=60)

    def command(self, place, *arguments, url=None, log=None):
        return [str(word) for word in (RULEGEN, "--archive", place, "--spec", SPEC, "--at", E, "--since", "8h", "--log",
                                       log or self.log, "--prometheus", url or self.prometheus.url, *arguments)]

    def archive(self, place, *arguments, check=0, url=None, log=None, preexec=None):
        done = subprocess.run(self.command(place, *arguments, url=url, log=log), capture_output=True, text=True, check=False,
                              timeout=120, preexec_fn=preexec)
        self.assertEqual(done.returncode, check, done.stdout + done.stderr)
        return done

    def place(self, name):
        parent = self.folder / f"of-{name}"
        parent.mkdir()
        return parent / "evidence"

    def test_it_holds_the_evidence_and_no_secret(self):
        place = self.place("whole")
        done = self.archive(place, "--alertmanager", self.alertmanager.url, "--bearer-token-file", self.token, "--include",
                            ROOT / "deploy" / "prometheus.yml")
        files = {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()}
        for expected in ("spec/checkpoint.toml", "artefacts/checkpoint/gen/checkpoint.rules.yml",
                         "artefacts/checkpoint/gen/checkpoint.alertmanager.yml",
                         "artefacts/checkpoint/grafana-provisioning/dashboards/gen/checkpoint.json",
                         "artefacts/checkpoint/grafana-provisioning/dashboards/gen/checkpoint.fleet.json",
                         "prometheus/prometheus.yml", "prometheus/rules.json", "prometheus/buildinfo.json",
                         "alertmanager/status.json", "files/prometheus.yml", "decision-log/decisions.jsonl",
                         "decision-log/audit.txt", "series/checkpoint.om", "manifest.json", "SHA256SUMS"):
            self.assertIn(expected, files)
        sums = subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=place, capture_output=True, text=True,
                              check=False)
        self.assertEqual(sums.returncode, 0, sums.stdout + sums.stderr)
        self.assertEqual(len(sums.stdout.splitlines()), len(files) - 1)
        manifest = schema.check_manifest(place)
        self.assertEqual({entry["path"] for entry in manifest["files"]}, files - {"manifest.json", "SHA256SUMS"})
        self.assertEqual(manifest["missing"], [])
        self.assertEqual(manifest["decision_log"]["verified"], True)
        self.assertGreater(manifest["decision_log"]["records"], 3)
        self.assertEqual((place / "decision-log/decisions.jsonl").read_bytes(), self.log.read_bytes())
        self.assertIn("Staleness markers", manifest["notes"][0])
        self.assertIn("files", done.stdout)
        for path in place.rglob("*"):
            if path.is_file():
                self.assertNotIn(SECRET, path.read_text(), path)
                self.assertNotIn("token-that-stays-outside", path.read_text(), path)
        self.assertIn("<secret>", (place / "prometheus/prometheus.yml").read_text())
        self.assertIn("checkpoint:file_size_bytes", (place / "prometheus/rules.json").read_text())
        self.assertEqual(list(place.parent.iterdir()), [place])

    def decision(self, url):
        """The stores as decided for E: verdict lines, reasons, and what the alerts say."""
        done = subprocess.run([RULEGEN, "--evaluate", "--spec", SPEC, "--log", self.folder / "again.jsonl", "--at", str(E),
                               "--format", "json", "--prometheus", url], capture_output=True, text=True, check=False, timeout=60)
        evaluation = json.loads(done.stdout)["evaluations"][0]
        return {store["labels"]["database"]: {key: value for key, value in store.items() if key != "logged_as"}
                for store in evaluation["stores"]}

    def samples(self, url):
        """Every sample of the range by its labels: values as the text that Prometheus prints exactly."""
        found = {}
        for name in [f"checkpoint:{signal}" for signal in history.HEALTHY] + ["checkpoint_block_up", "ALERTS",
                                                                               "checkpoint:coverage_reason"]:
            for series in servers.query(url, f"{name}[8h]", at=E):
                found[tuple(sorted(series["metric"].items()))] = series["values"]
        return found

    def test_its_samples_go_back_into_another_prometheus_bit_for_bit(self):
        place = self.place("restored")
        self.archive(place)
        second = self.folder / "second"
        second.mkdir()
        made = promtool("tsdb", "create-blocks-from", "openmetrics", place / "series/checkpoint.om", second / "prometheus-data")
        self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
        before = self.samples(self.prometheus.url)
        with servers.Stack() as stack:
            other = stack.start(servers.prometheus(second, {}, retention="100y"))
            after = self.samples(other.url)
            decided = self.decision(other.url)
        self.assertEqual(before.keys(), after.keys())
        self.assertEqual(before, after)
        self.assertEqual(decided, self.decision(self.prometheus.url))
        self.assertEqual(decided["uncounted"]["line"],
                         "UNDETERMINED - the application writes to another file than the exporter reads")
        self.assertRegex(decided["breached"]["line"], "^MIGRATE NOW - Throughput")
        self.assertNotIn("drift", json.dumps(decided["breached"]))
        self.assertGreater(sum(map(len, before.values())), 5000)
        values = {value for samples in before.values() for _, value in samples}
        self.assertLessEqual({"NaN", "+Inf", "-Inf", "-0"}, values)
        manifest = schema.check_manifest(place)
        self.assertEqual(sum(family["samples"] for family in manifest["series"][0]["families"]),
                         sum(map(len, before.values())))
        # As OpenMetrics demands: each family once, its label sets one after the other, times ascending, the end marked.
        families, sets, newest = [], set(), None
        text = (place / "series/checkpoint.om").read_text()
        self.assertTrue(text.endswith("\n# EOF\n"))
        for line in text.splitlines()[:-1]:
            if line.startswith("# TYPE "):
                families.append(line.split()[2])
                continue
            series, _, time = line.rsplit(" ", 2)
            if newest is None or newest[0] != series:
                self.assertNotIn(series, sets)
                sets.add(series)
            else:
                self.assertGreater(float(time), newest[1])
            newest = (series, float(time))
        self.assertEqual(families, sorted(set(families)))

    def test_what_is_there_is_left_alone_and_an_empty_folder_is_taken(self):
        place = self.place("there")
        place.mkdir()
        (place / "mine").write_text("mine")
        done = self.archive(place, check=1)
        self.assertIn("no empty folder", done.stderr)
        self.assertEqual([path.name for path in place.iterdir()], ["mine"])
        (place / "mine").unlink()
        self.archive(str(place) + "/")
        self.assertTrue((place / "SHA256SUMS").exists())

    def held(self, state, url, place, hold_at, signals):
        """An archive that waits for the answer to its request number `hold_at`, begun with these handlers of signals."""
        state.update(count=0, hold_at=hold_at, reached=threading.Event(), release=threading.Event())
        process = subprocess.Popen(self.command(place, url=url), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   preexec_fn=lambda: [signal.signal(*one) for one in signals.items()])
        self.assertTrue(state["reached"].wait(60), f"request {hold_at} never came")
        return process

    def test_ended_at_any_request_it_leaves_no_archive_and_nothing_else_but_after_a_kill(self):
        handlers = {ended: signal.SIG_DFL for ended in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        with relay.relay(self.prometheus.url) as (state, url):
            parent = self.place("killed").parent
            self.archive(parent / "counted", url=url)
            requests = state["count"]
            moments = (1, 2, 3, requests // 3, requests // 2, requests - 1, requests)
            for hold_at, ended in ((at, ended) for at in moments for ended in (*handlers, signal.SIGKILL)):
                with self.subTest(request=f"{hold_at} of {requests}", ended=ended.name):
                    place = parent / "evidence"
                    process = self.held(state, url, place, hold_at, handlers)
                    process.send_signal(ended)
                    _, said = process.communicate(timeout=20)  # with the request still held
                    state["release"].set()
                    self.assertEqual(process.returncode, -ended)
                    left = {path.name for path in parent.iterdir()} - {"counted"}
                    if ended == signal.SIGKILL:
                        self.assertLessEqual(left, {f".{place.name}.{process.pid}.tmp"})
                        for name in left:
                            shutil.rmtree(parent / name)
                    else:
                        self.assertEqual((left, said), (set(), "rulegen: interrupted, nothing was archived\n"))

    def test_a_signal_that_is_ignored_ends_nothing(self):
        place = self.place("nohup")
        with relay.relay(self.prometheus.url) as (state, url):
            process = self.held(state, url, place, 3, {signal.SIGHUP: signal.SIG_IGN})
            process.send_signal(signal.SIGHUP)
            state["release"].set()
            process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)
        self.assertTrue((place / "SHA256SUMS").exists())

    def test_a_file_that_cannot_grow_is_a_clear_error_and_leaves_nothing(self):
        place = self.place("limited")
        for limit_bytes in (0, 10_000, 100_000):
            done = self.archive(place, check=1, preexec=lambda limit=limit_bytes: resource.setrlimit(
                resource.RLIMIT_FSIZE, (limit, limit)))
            self.assertIn("nothing was archived", done.stderr)
            self.assertIn("cannot write: File too large", done.stderr)
            self.assertEqual(list(place.parent.iterdir()), [])

    def test_a_log_that_was_tampered_with_is_archived_and_told(self):
        place = self.place("tampered")
        log = self.folder / "tampered.jsonl"
        log.write_bytes(self.log.read_bytes().replace(b'"sequence":2', b'"sequence":7', 1))
        done = self.archive(place, log=log, check=1)
        self.assertIn("decision log: decision-log/tampered.jsonl:2: ", done.stdout)
        manifest = schema.check_manifest(place)
        self.assertEqual(manifest["decision_log"]["verified"], False)

    def test_what_is_missing_is_named_and_a_named_log_must_be_there(self):
        place = self.place("missing")
        done = self.archive(place)
        self.assertIn("missing alertmanager/status.json: --alertmanager was not given", done.stdout)
        other = self.place("no-log")
        self.archive(other, log="/nowhere/x.jsonl", check=1)
        self.assertFalse(other.exists())

    def test_without_prometheus_there_is_no_archive(self):
        place = self.place("alone")
        self.archive(place, url=f"http://127.0.0.1:{servers.free_port()}", check=4)
        self.assertEqual(list(place.parent.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
