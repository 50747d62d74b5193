"""Polls `rulegen --evaluate` over two edges of a breach on a running chain, and counts what is wrong: drift between decision and
alerts, which there never is, UNDETERMINED, and verdicts that the stores don't deserve.

Usage: edges.py BUILD_FOLDER CHAIN [--interval 4s] [--polls 200] [--keep FOLDER] measures one and prints what it found; the answers
of the servers themselves go to the folder.
"""

import argparse
import collections
import dataclasses
import datetime
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "support"))

import chains  # noqa: E402
import servers  # noqa: E402
import short_spec  # noqa: E402
import synthetic_exporter  # noqa: E402
from synthetic_exporter import Burst, Kind  # noqa: E402

SUFFICIENT = "SQLite sufficient"
ERRORS = "MIGRATE NOW - Write errors >1% (SQLite saturated)"
THROUGHPUT = "MIGRATE NOW - Throughput >100/sec (capacity ceiling)"
SERVERS = "MIGRATE NOW - Multi-server requires network DB"
APPROACHING = "MIGRATE SOON - Throughput >80/sec (approaching capacity ceiling)"
LATENCY = "MIGRATE SOON - P99 write latency >100ms (lock contention likely)"
SIZE = "MIGRATE SOON - File size >5GB (performance degradation likely)"
PENDING = re.compile(re.escape(SUFFICIENT) + r" - pending: .*")

# The stores that stay as they are, and those that breach a limit between the edges: with `for` and without.
STEADY = {"healthy": Kind(SUFFICIENT, 0), "errors": Kind(ERRORS, 1, error_share=0.05), "large": Kind(SIZE, 1, size=6 * 2**30),
          "throughput": Kind(THROUGHPUT, 2, rate=130), "approaching": Kind(APPROACHING, 1, rate=90),
          "latency": Kind(LATENCY, 1, write_seconds=0.2)}
EDGES = {"edge-errors": ERRORS, "edge-servers": SERVERS, "edge-size": SIZE}


def stores():
    return {**STEADY, "edge-errors": Burst(SUFFICIENT, Kind(ERRORS, 1, error_share=0.05)),
            "edge-servers": Burst(SUFFICIENT, Kind(SERVERS, 1, servers=2)),
            "edge-size": Burst(SUFFICIENT, Kind(SIZE, 1, size=6 * 2**30))}


@dataclasses.dataclass
class Tally:
    """What was seen of all polls together."""
    polls: int = 0
    drift: collections.Counter = dataclasses.field(default_factory=collections.Counter)  # (store, threshold, state, alert)
    unknown: collections.Counter = dataclasses.field(default_factory=collections.Counter)  # (store, line)
    wrong: collections.Counter = dataclasses.field(default_factory=collections.Counter)  # (store, line) of a steady one, or no edge's
    failed: collections.Counter = dataclasses.field(default_factory=collections.Counter)  # exit status and standard error
    agreements: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    warnings: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    statuses: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    ages: list = dataclasses.field(default_factory=list)  # T less E, in seconds
    lines: dict = dataclasses.field(default_factory=lambda: collections.defaultdict(list))  # of each store: each T with its line

    def faults(self):
        """Everything that may not be, as text; empty if all is well."""
        found = []
        for what, counts in (("drift", self.drift), ("undetermined", self.unknown), ("wrong", self.wrong), ("failed", self.failed)):
            found += [f"{what}, {count} of {self.polls}: {key}" for key, count in counts.items()]
        return found

    def count(self, done):
        self.polls += 1
        self.statuses[done.returncode] += 1
        try:
            document = json.loads(done.stdout)
        except ValueError:
            self.failed[f"{done.returncode}: {done.stderr[-300:]}"] += 1
            return None
        evaluation = document["evaluations"][0]
        for warning in evaluation["warnings"]:
            self.warnings[re.sub(r"\d{4}-\d\d-\d\d[T ][\d:.]+(Z| UTC)?", "TIME", warning)] += 1
        for store in evaluation["stores"]:
            self.count_store(evaluation["time"], store)
        return evaluation

    def count_store(self, time_text, store):
        name, line = store["labels"]["database"], store["line"]
        kind = "pending" if PENDING.fullmatch(line) else line
        self.lines[name].append((time_text, kind))
        if line.startswith("UNDETERMINED"):
            self.unknown[name, re.sub(r"\d\d:\d\d(:\d\d)?|\d+ (s|min)\b", "#", line)] += 1
        elif name in STEADY and line != STEADY[name].line:
            self.wrong[name, line] += 1
        elif name in EDGES and line not in (SUFFICIENT, EDGES[name]) and kind != "pending":
            self.wrong[name, line] += 1
        for one in store["thresholds"]:
            self.agreements[one.get("agreement", "none")] += 1
            if one.get("agreement") == "drift":
                self.drift[name, one["id"], one["state"], one.get("alert")] += 1
        for signal in store["signals"]:
            if "time" in signal:
                self.ages.append(seconds(time_text) - seconds(signal["time"]))

    def wrong_courses(self):
        """The stores with an edge that did not become healthy, breached and healthy again, each once, in the order of T; with the
        instants at which they changed."""
        wrong = {}
        for name, breach in EDGES.items():
            changes = []
            for at, line in sorted(self.lines[name]):
                if line != "pending" and not line.startswith("UNDETERMINED") and (not changes or changes[-1][1] != line):
                    changes.append((at, line))
            if [line for _, line in changes] != [SUFFICIENT, breach, SUFFICIENT]:
                wrong[name] = changes
        return wrong


def seconds(text):
    """The Unix time of an instant in rulegen's JSON."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Story:
    """A chain with the stores, and how it is asked."""

    def __init__(self, stack, folder, rulegen, chain_name, interval=None):
        self.folder, self.rulegen, self.name = pathlib.Path(folder), rulegen, chain_name
        interval = interval or chains.CHAINS[chain_name].interval
        self.spec = short_spec.generate(rulegen, self.folder, interval=interval, window_seconds=15 if interval == "1s" else 24,
                                        flavors=("prometheus", "victoriametrics", "victoriametrics-1.79"))
        self.exporter = synthetic_exporter.Exporter(stores())
        stack.callback(self.exporter.stop)
        starter = chains.Starter(stack, self.folder, [f"127.0.0.1:{self.exporter.server_port}"], self.spec.parent / "gen", interval)
        self.chain = chains.CHAINS[chain_name].start(starter, chains.environment(chain_name))
        self.began = time.time()

    def run(self, *arguments):
        return subprocess.run([self.rulegen, *arguments, "--spec", "rules/checkpoint.toml"], cwd=self.folder,
                              capture_output=True, text=True, check=False, timeout=120)

    def evaluate(self, *arguments):
        return self.run("--evaluate", *self.chain.connection(), "--log", "decisions.jsonl", "--format", "json", *arguments)

    def settle(self, timeout_seconds=180):
        """Until every store is as it begins, and nothing is warned of, in several runs, since an instant may be before that of the
        run before; or that time is over; whether it is."""
        wanted = {**{name: kind.line for name, kind in STEADY.items()}, **dict.fromkeys(EDGES, SUFFICIENT)}

        def settled():
            try:
                found = json.loads(self.evaluate().stdout)["evaluations"][0]
            except ValueError:
                return False
            lines = {store["labels"]["database"]: store["line"] for store in found["stores"]}
            return lines == wanted and not found["warnings"]

        deadline = time.monotonic() + timeout_seconds
        runs = 0
        while time.monotonic() < deadline:
            runs = runs + 1 if settled() else 0
            if runs == 10:
                return True
            time.sleep(1)
        return False

    def begin_breach(self):
        self.set_edges("begin")

    def end_breach(self):
        self.set_edges("end")

    def set_edges(self, what):
        now = self.exporter.seconds()
        for name in EDGES:
            setattr(self.exporter.stores[name], what, now)

    def poll(self, polls, phase_seconds):
        """Polls spread over a healthy stretch, a breach and a healthy stretch again."""
        tally = Tally()
        healthy_seconds = 10
        total = healthy_seconds + 2 * phase_seconds
        start = time.monotonic()
        steps = [(healthy_seconds, self.begin_breach), (healthy_seconds + phase_seconds, self.end_breach)]
        for number in range(polls):
            at = start + total * number / polls
            while steps and time.monotonic() - start >= steps[0][0]:
                steps.pop(0)[1]()
            time.sleep(max(0, at - time.monotonic()))
            before = len(tally.faults())
            done = self.evaluate()
            tally.count(done)
            if len(tally.faults()) > before:
                self.keep_fault(number, done)
        return tally

    def keep_fault(self, number, done):
        """The answer with a new kind of fault, and what the servers have, below the folder."""
        folder = self.folder / "faults"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.json").write_text(done.stdout)
        lines = [f"asked at {time.time()}, exit {done.returncode}", done.stderr]
        for expression in ('{__name__="ALERTS",alertname=~"Checkpoint.*"}[60s]', "checkpoint:write_error_ratio[60s]",
                           "checkpoint:servers[60s]", "checkpoint:file_size_bytes[60s]", "checkpoint_block_up[20s]"):
            for series in servers.query(self.chain.query.url, expression):
                names = {name: series["metric"].get(name) for name in ("__name__", "alertname", "alertstate", "database")}
                lines.append(f"{' '.join(filter(None, names.values()))}: {series['values']}")
        (folder / f"{number}.txt").write_text("\n".join(lines))
        (folder / f"{number}.rules.json").write_text(servers.get(self.chain.rules.url + "/api/v1/rules"))


def measure(options):
    with servers.Stack() as stack:
        folder = pathlib.Path(options.keep or stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        story = Story(stack, folder, options.build / "rulegen" / "rulegen", options.chain, options.interval)
        if options.rules_untold:
            story.chain.connection = lambda: ["--prometheus", story.chain.query.url]
        print("settled:", story.settle(options.settle), f"after {time.time() - story.began:.0f} s", flush=True)
        tally = story.poll(options.polls, options.phase or 40 + chains.CHAINS[options.chain].delay_seconds)
        print(f"{options.chain}, {tally.polls} polls: statuses {dict(tally.statuses)}, agreements {dict(tally.agreements)}")
        if tally.ages:
            ages = sorted(tally.ages)
            print(f"T - E: least {ages[0]:.2f}, median {ages[len(ages) // 2]:.2f}, most {ages[-1]:.2f} s")
        for fault in tally.faults():
            print("FAULT", fault)
        for name, course in tally.wrong_courses().items():
            print("COURSE", name, course[:40])
        for warning, count in tally.warnings.items():
            print("WARNING", count, warning)
        for mode, arguments in {"--evaluate": ["--since", "5m"], "--verify": [], "--backtest": ["--since", "5m"],
                                "--archive": ["--since", "2m"]}.items():
            more = {"--evaluate": ["--log", "since.jsonl"], "--archive": [f"archive-{int(time.time())}", "--log", "decisions.jsonl"]}
            done = story.run(mode, *more.get(mode, []), *story.chain.connection(), *arguments)
            print(f"== {mode} {' '.join(arguments)}: exit {done.returncode}\n{done.stdout[-5000:]}{done.stderr[-3000:]}")
        answers = folder / "answers"
        answers.mkdir(exist_ok=True)
        paths = ["/api/v1/rules", "/api/v1/status/buildinfo", "/api/v1/status/runtimeinfo", "/api/v1/status/config", "/metrics"]
        for server in {story.chain.rules, story.chain.query}:
            for path in paths:
                try:
                    text = servers.get(server.url + path)
                except OSError as error:
                    text = str(error)
                (answers / f"{server.name}{path.replace('/', '-')}").write_text(text)
        for name, expression in {"alerts": '{__name__="ALERTS"}[60s]', "recorded": "checkpoint:servers[60s]",
                                 "ratio": "checkpoint:write_error_ratio[60s]"}.items():
            (answers / f"query-{name}").write_text(json.dumps(servers.query(story.chain.query.url, expression), indent=1))
            (answers / f"queried-at-{name}").write_text(repr(time.time()))
        print("query:", story.chain.query.url, "rules:", story.chain.rules.url, flush=True)
        time.sleep(options.hold)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("chain", choices=chains.CHAINS)
    parser.add_argument("--interval", help="between two scrapes and two evaluations, instead of the chain's own")
    parser.add_argument("--polls", type=int, default=200)
    parser.add_argument("--phase", type=float)
    parser.add_argument("--settle", type=float, default=180)
    parser.add_argument("--keep")
    parser.add_argument("--rules-untold", action="store_true", help="don't say where the rules are evaluated")
    parser.add_argument("--hold", type=float, default=0, help="seconds for which the servers go on, for a look at them")
    measure(parser.parse_args())


if __name__ == "__main__":
    main()
