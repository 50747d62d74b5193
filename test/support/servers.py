"""Real servers for the demo and the end-to-end tests: started on free loopback ports, stopped by who started them.

Every process is in a group of its own, dies with its parent, and writes to a log file in the run's folder. Waiting is
always for a condition with a deadline (`wait_for`), never for a fixed time.
"""

import contextlib
import ctypes
import glob
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

# Loopback only: a proxy of the environment must not see these requests.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


# How many times its bound a condition may really take: the bounds are for a quiet machine, and a test must not fail because
# another one is slow or busy. It costs nothing where the condition comes.
PATIENCE = 5


class NotReady(Exception):
    """A condition was not met in time, or a process died while it was waited for."""


def free_port():
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(url, timeout_seconds=5):
    """The body of a GET as text. OSError (URLError among them) if there is no 200."""
    with _opener.open(url, timeout=timeout_seconds) as answer:
        return answer.read().decode()


def post(url, timeout_seconds=30, body=None):
    """The body of a POST with that text, or none, as its own. OSError if there is neither 200 nor 204."""
    request = urllib.request.Request(url, method="POST", data=None if body is None else body.encode())
    with _opener.open(request, timeout=timeout_seconds) as answer:
        return answer.read().decode()


def get_json(url, timeout_seconds=5):
    return json.loads(get(url, timeout_seconds))


def wait_for(what, condition, timeout_seconds=30.0, poll_seconds=0.1, alive=()):
    """Calls `condition` until it gives something true, and returns that. NotReady after PATIENCE times `timeout_seconds`,
    or as soon as one of the processes `alive` has ended; it carries the last error that the condition raised."""
    timeout_seconds *= PATIENCE
    deadline = time.monotonic() + timeout_seconds
    last = None
    while True:
        try:
            value = condition()
            if value:
                return value
        except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
            last = error
        for process in alive:
            if process.ended():
                raise NotReady(f"{process.name} ended with {process.popen.returncode} while waiting for {what}\n"
                               + process.log_tail())
        if time.monotonic() > deadline:
            raise NotReady(f"{what} did not happen within {timeout_seconds:g} s" + (f" ({last})" if last else ""))
        time.sleep(poll_seconds)


def _die_with_parent():
    pr_set_pdeathsig = 1  # linux/prctl.h
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


# Servers in Go collect a few megabytes of garbage seldom: that is a good part of their processor time.
_SELDOM = {"GOGC": "400"}


class Process:
    """One started program; its output goes to FOLDER/NAME.log."""

    def __init__(self, name, command, folder, env=None):
        self.name = name
        self.log = pathlib.Path(folder) / f"{name}.log"
        with open(self.log, "ab") as log:
            self.popen = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log,
                                          stderr=log, start_new_session=True, preexec_fn=_die_with_parent,
                                          env={**os.environ, **_SELDOM, **(env or {})})

    def ended(self):
        return self.popen.poll() is not None

    def log_tail(self, lines=15):
        text = self.log.read_text(errors="replace").splitlines()[-lines:]
        return "\n".join(f"  {self.name}: {line}" for line in text)

    def stop(self, timeout_seconds=10):
        """SIGTERM, then SIGKILL after the time; returns the exit status."""
        if not self.ended():
            self.popen.terminate()
            try:
                self.popen.wait(timeout_seconds)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        return self.popen.returncode


class Server(Process):
    """A process that answers HTTP at `url` once `ready_path` gives a 200."""

    def __init__(self, name, command, folder, port, ready_path, env=None):
        super().__init__(name, command, folder, env)
        self.url = f"http://127.0.0.1:{port}"
        try:
            wait_for(f"{name} at {self.url}{ready_path}", lambda: get(self.url + ready_path) is not None, alive=[self])
        except NotReady:
            self.stop()
            raise


class Stack(contextlib.ExitStack):
    """Stops whatever was started in it, last first, also when an error or Ctrl-C ends the block."""

    def start(self, process):
        self.callback(process.stop)
        return process


def prometheus(folder, scrape_targets, rule_files=(), alertmanager_url=None, scrape_interval="2s", retention="7d",
               config=None, env=None, within=(), ready_path="/-/ready"):
    """Prometheus on a free port. `scrape_targets`: job name -> list of "host:port". `config`: this text instead. `env`: its PATH
    says which Prometheus. `within`: the command before it."""
    folder = pathlib.Path(folder)
    port = free_port()
    if config is None:
        config = prometheus_config(scrape_targets, rule_files, alertmanager_url, scrape_interval)
    config_file = folder / "prometheus.yml"
    config_file.write_text(config, encoding="utf-8")
    return Server("prometheus", [
        *within, "prometheus", f"--config.file={config_file}", f"--storage.tsdb.path={folder / 'prometheus-data'}",
        f"--storage.tsdb.retention.time={retention}", f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-lifecycle", "--log.level=warn"], folder, port, ready_path, env)


def prometheus_config(scrape_targets, rule_files, alertmanager_url, scrape_interval):
    # JSON is YAML, and Python writes it without a library.
    config = {
        "global": {"scrape_interval": scrape_interval, "scrape_timeout": scrape_interval,
                   "evaluation_interval": scrape_interval},
        "rule_files": [glob.escape(str(name)) for name in rule_files],  # Prometheus takes them for patterns
        "scrape_configs": [{"job_name": job, "static_configs": [{"targets": targets}]}
                           for job, targets in scrape_targets.items()],
    }
    if alertmanager_url:
        target = urllib.parse.urlsplit(alertmanager_url).netloc
        config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [target]}]}]}
    return json.dumps(config, indent=2, ensure_ascii=False) + "\n"


def alertmanager(folder, config_file, env=None):
    """Alertmanager on a free port, without clustering. `env`: its PATH says which."""
    port = free_port()
    return Server("alertmanager", [
        "prometheus-alertmanager", f"--config.file={config_file}",
        f"--storage.path={pathlib.Path(folder) / 'alertmanager-data'}", f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=", "--log.level=warn"], folder, port, "/-/ready", env)


def victoria_metrics(folder, retention="100y"):
    """VictoriaMetrics on a free port; it speaks Prometheus' query API and takes its remote write."""
    port = free_port()
    return Server("victoria-metrics", [
        "victoria-metrics", f"-storageDataPath={pathlib.Path(folder) / 'victoria-metrics-data'}",
        f"-retentionPeriod={retention}", f"-httpListenAddr=127.0.0.1:{port}", "-loggerLevel=WARN"], folder, port, "/health")


def vmalert_flavor():
    """The flavor of rules for the vmalert that is found first: keep_firing_for is known from 1.92 on."""
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as rules:
        rules.write('{"groups": [{"name": "a", "rules": [{"alert": "A", "expr": "vector(1)", "keep_firing_for": "1m"}]}]}')
        rules.flush()
        done = subprocess.run(["vmalert", "-dryRun", f"-rule={rules.name}"], capture_output=True, check=False)
    return "victoriametrics" if done.returncode == 0 else "victoriametrics-1.79"


def exporter(folder, program, arguments=(), env=None):
    """outgrown-exporter on a free port."""
    port = free_port()
    return Server("exporter", [program, f"--web.listen-address=127.0.0.1:{port}", *arguments], folder, port,
                  "/-/healthy", env)


def query(prometheus_url, expression, at=None):
    """The result list of an instant query."""
    parameters = {"query": expression, **({"time": at} if at is not None else {})}
    return get_json(f"{prometheus_url}/api/v1/query?" + urllib.parse.urlencode(parameters))["data"]["result"]
