"""The chains of servers that people run: what scrapes the exporter, evaluates the generated rules, and is asked for decisions. Each
runs with its own defaults; only the times of scrapes and evaluations are the spec's.
"""

import dataclasses
import json
import os
import pathlib
import sys
import typing
import unittest

import programs
import servers


class NoPrograms(Exception):
    """The chain can't be started here; the text says why."""


def newest(*names):
    """The environment in which these names of programs.VERSIONS are found before Debian's, and no others are."""
    folders = []
    for name in names:
        folder = programs.folder_of(name)
        if folder is None:
            raise NoPrograms(f"{name} {programs.VERSIONS[name]} is not in the cache, and there is no Go to build it with")
        folders.append(str(folder))
    debian = [folder for folder in os.environ["PATH"].split(os.pathsep) if programs.cache() not in pathlib.Path(folder).parents]
    return {"PATH": os.pathsep.join([*folders, *debian])}


@dataclasses.dataclass
class Chain:
    """A running one: the server that answers queries, the one that has the rules, and all of its processes."""
    query: servers.Server
    rules: servers.Server
    processes: list

    def connection(self):
        """What rulegen has to be told."""
        return ["--prometheus", self.query.url, *([] if self.rules is self.query else ["--rules-url", self.rules.url])]


class Starter:
    """Starts the servers of a chain in `stack`, below `folder`; `targets` are "host:port" of exporters, `generated` is the folder
    of the generated rules."""

    def __init__(self, stack, folder, targets, generated, interval="1s"):
        self.stack, self.folder, self.targets = stack, pathlib.Path(folder), list(targets)
        self.generated, self.interval = pathlib.Path(generated), interval
        self.processes = []

    def start(self, process):
        self.stack.start(process)
        self.processes.append(process)
        return process

    def own_folder(self, name):
        folder = self.folder / name
        folder.mkdir(exist_ok=True)  # a test may have filled the data folder
        return folder

    @property
    def prometheus_rules(self):
        return self.generated / "checkpoint.rules.yml"

    def prometheus(self, env, name="prometheus", rules=True, external_labels=None, targets=None, options=None):
        """A Prometheus; its data folder is below the folder of that name."""
        config = json.loads(servers.prometheus_config(
            {"app": self.targets if targets is None else targets}, [self.prometheus_rules] if rules else [], None, self.interval))
        if external_labels:
            config["global"]["external_labels"] = external_labels
        config["global"].update(options or {})
        return self.start(servers.prometheus(self.own_folder(name), {}, config=json.dumps(config), env=env))

    def victoria(self, env, scrapes=True):
        """VictoriaMetrics, which scrapes by itself, at its defaults."""
        folder = self.own_folder("victoria-metrics")
        port = servers.free_port()
        arguments = []
        if scrapes:
            config = folder / "scrape.yml"
            config.write_text(json.dumps({
                "global": {"scrape_interval": self.interval, "scrape_timeout": self.interval},
                "scrape_configs": [{"job_name": "app", "static_configs": [{"targets": self.targets}]}]}))
            arguments = [f"-promscrape.config={config}"]
        return self.start(servers.Server("victoria-metrics", [
            "victoria-metrics", f"-storageDataPath={folder / 'data'}", f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=100y",
            *arguments], folder, port, "/health", env))

    def vmalert(self, env, metrics, flavor):
        """vmalert with the generated rules, at its defaults."""
        folder = self.own_folder("vmalert")
        port = servers.free_port()
        return self.start(servers.Server("vmalert", [
            "vmalert", f"-rule={self.generated / flavor / 'checkpoint.rules.yml'}", f"-datasource.url={metrics.url}",
            f"-remoteWrite.url={metrics.url}", f"-remoteRead.url={metrics.url}", f"-notifier.url={self.alertmanager(env).url}",
            f"-httpListenAddr=127.0.0.1:{port}"], folder, port, "/health", env))

    def alertmanager(self, env):
        """One that tells nobody."""
        folder = self.own_folder("alertmanager")
        config = folder / "alertmanager.yml"
        config.write_text('{"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}')
        return self.start(servers.alertmanager(folder, config, env))

    def sidecar(self, env, prometheus, name="sidecar"):
        """Its gRPC address."""
        return self._thanos(env, name, "sidecar", f"--prometheus.url={prometheus.url}",
                            f"--tsdb.path={prometheus.log.parent / 'prometheus-data'}")

    def thanos_query(self, env, grpc_addresses, *arguments, name="query"):
        return self._thanos(env, name, "query", *(f"--endpoint={address}" for address in grpc_addresses), *arguments)

    def ruler(self, env, query_url, grpc, name="ruler"):
        return self._thanos(env, name, "rule", f"--query={query_url}", f"--rule-file={self.prometheus_rules}",
                            f"--eval-interval={self.interval}", '--label=ruler="one"', f"--data-dir={self.folder / 'ruler-data'}",
                            grpc=grpc)

    def _thanos(self, env, name, component, *arguments, grpc=None):
        folder = self.own_folder(name)
        port, grpc = servers.free_port(), grpc or servers.free_port()
        process = self.start(servers.Server(name, [
            "thanos", component, f"--http-address=127.0.0.1:{port}", f"--grpc-address=127.0.0.1:{grpc}", *arguments], folder, port,
            "/-/ready", env))
        process.grpc = f"127.0.0.1:{grpc}"
        return process


def prometheus(starter, env):
    """Prometheus alone."""
    server = starter.prometheus(env)
    return Chain(server, server, starter.processes)


def prometheus_offset(starter, env):
    """Prometheus with `rule_query_offset`, as people set it whose samples arrive late."""
    server = starter.prometheus(env, options={"rule_query_offset": "15s"})
    return Chain(server, server, starter.processes)


def vmalert(starter, env, flavor="victoriametrics"):
    """VictoriaMetrics, which scrapes, and vmalert."""
    metrics = starter.victoria(env)
    return Chain(metrics, starter.vmalert(env, metrics, flavor), starter.processes)


def vmalert_old(starter, env):
    """The same with a vmalert that doesn't know keep_firing_for."""
    return vmalert(starter, env, "victoriametrics-1.79")


def thanos_sidecar(starter, env):
    """Prometheus evaluates the rules; Thanos is asked."""
    server = starter.prometheus(env, external_labels={"cluster": "one", "replica": "0"})
    sidecar = starter.sidecar(env, server)
    query = starter.thanos_query(env, [sidecar.grpc], "--query.replica-label=replica")
    return Chain(query, server, starter.processes)


def thanos_ruler(starter, env):
    """Thanos' ruler evaluates the rules by asking the query component, which asks the ruler for what it recorded."""
    server = starter.prometheus(env, rules=False, external_labels={"cluster": "one", "replica": "0"})
    sidecar = starter.sidecar(env, server)
    rulers_port = servers.free_port()
    query = starter.thanos_query(env, [sidecar.grpc, f"127.0.0.1:{rulers_port}"], "--query.replica-label=replica")
    ruler = starter.ruler(env, query.url, rulers_port)
    return Chain(query, ruler, starter.processes)


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a chain is started, with which names of programs.VERSIONS, Debian's where there are none; how much longer than a
    Prometheus it takes to show what was scraped; and the time between two scrapes and two evaluations."""
    start: typing.Callable
    programs: tuple = ()
    delay_seconds: float = 0
    interval: str = "1s"


VICTORIA = ("victoria-metrics", "alertmanager")
THANOS = ("thanos", "prometheus")
CHAINS = {
    "prometheus-debian": Recipe(prometheus),
    "prometheus": Recipe(prometheus, ("prometheus",)),
    "prometheus-offset": Recipe(prometheus_offset, ("prometheus",), 20),
    # Longer than a second, to which vmalert 1.79 rounds the stamps of alerts.
    "vmalert-debian": Recipe(vmalert_old, (), 65, "4s"),
    "vmalert": Recipe(vmalert, VICTORIA, 65, "4s"),
    "thanos-sidecar": Recipe(thanos_sidecar, THANOS),
    # Longer than a second, in which a busy machine does not ask and answer each rule.
    "thanos-ruler": Recipe(thanos_ruler, THANOS, 25, "4s"),
}


def environment(name):
    """In which the chain's programs are found. NoPrograms."""
    return newest(*CHAINS[name].programs)


def main(have):
    """unittest's, unless `have` raises NoPrograms: then exit status 77, meson's word for skipped, with the reason."""
    try:
        have()
    except NoPrograms as missing:
        print(f"SKIPPED: {missing}")
        sys.exit(77)
    unittest.main(warnings="ignore")  # refused connections while a server starts leave unclosed sockets behind
