"""`./run demo`: the main job, end to end, on real input.

An application writes LangGraph-shaped checkpoints to a SQLite file and counts its writes in a counter block; the
exporter reads the block and the file; Prometheus scrapes and evaluates the generated rules; Alertmanager gets the
alerts; rulegen decides. First the load is one that SQLite carries, then maintenance jobs of other processes hold its
write lock until real SQLITE_BUSY errors appear. Every number shown was measured.
"""

import argparse
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(SOURCE / "test" / "support"))
import servers  # noqa: E402  (the path above)

SPEC = SOURCE / "demo" / "checkpoint.toml"
SUFFICIENT = "SQLite sufficient"
MIGRATE_NOW = "MIGRATE NOW - Write errors >1% (SQLite saturated)"
ALERT = "CheckpointWriteErrors"
PHASE_SECONDS_MAX = 120
PROGRESS_SECONDS = 15  # between two lines of progress where there is no terminal
SETTLE_SECONDS = 10  # rulegen decides for 10 s ago, when all samples are recorded


class Kept(Exception):
    """`--keep` was ended by Ctrl-C, as it is meant to be."""


class Screen:
    """What the person sees: bold headings and faint details on a terminal, plain text elsewhere."""

    def __init__(self):
        self.terminal = sys.stdout.isatty()
        self.started = time.monotonic()
        self.next_progress = PROGRESS_SECONDS

    def _styled(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self.terminal else text

    def heading(self, text):
        print(f"\n{self._styled('1', text)}", flush=True)

    def line(self, text=""):
        print(f"  {text}" if text else "", flush=True)

    def progress(self, text):
        """One line that changes in place on a terminal; elsewhere one every 15 s, so that logs stay short."""
        seconds = time.monotonic() - self.started
        if not self.terminal and seconds >= self.next_progress:
            self.next_progress = seconds + PROGRESS_SECONDS
            self.line(f"{seconds:4.0f} s  {text}")
        if self.terminal:
            print(f"\r\033[K  {self._styled('2', f'{seconds:4.0f} s  {text}')}", end="", flush=True)

    def progress_done(self):
        if self.terminal:
            print("\r\033[K", end="", flush=True)


class Demo:
    def __init__(self, build, folder, screen, stack):
        self.rulegen = build / "rulegen" / "rulegen"
        self.exporter_program = build / "exporter" / "outgrown-exporter"
        self.workload = build / "demo" / "checkpoint-workload"
        self.folder = folder
        self.screen = screen
        self.stack = stack
        self.blocks = folder / "blocks"
        self.database = folder / "checkpoints.db"
        self.decisions = folder / "decisions.jsonl"
        self.applications = []

    def generate(self):
        """The ops repo's part: rules, tests, Alertmanager's configuration and the dashboard from the demo's spec."""
        ops = self.folder / "ops"
        self._run([self.rulegen, "--generate", "--spec", SPEC.relative_to(SOURCE), "--out", ops])
        generated = ops / SPEC.parent.relative_to(SOURCE) / "gen"
        self.rules = generated / "checkpoint.rules.yml"
        self.alertmanager_config = generated / "checkpoint.alertmanager.yml"
        self._run(["promtool", "check", "rules", "--lint-fatal", self.rules])
        self._run(["amtool", "check-config", self.alertmanager_config])
        made = sorted(path.relative_to(ops).as_posix() for path in ops.rglob("*") if path.is_file())
        self.screen.line(f"{len(made)} artefacts from {SPEC.relative_to(SOURCE)}; promtool and amtool accept them")

    def start_servers(self):
        self.blocks.mkdir(mode=0o750)
        self.alertmanager = self.stack.start(servers.alertmanager(self.folder, self.alertmanager_config))
        self.exporter = self.stack.start(servers.exporter(
            self.folder, self.exporter_program,
            [f"--block.dir={self.blocks}", f"--spec={SPEC}", f"--decision.log={self.decisions}"]))
        target = self.exporter.url.removeprefix("http://")
        self.prometheus = self.stack.start(servers.prometheus(
            self.folder, {"outgrown": [target]}, [self.rules], self.alertmanager.url, scrape_interval="1s"))
        self.screen.line(f"exporter      {self.exporter.url}")
        self.screen.line(f"Prometheus    {self.prometheus.url}/alerts")
        self.screen.line(f"Alertmanager  {self.alertmanager.url}/#/alerts")

    def start_application(self, name, *arguments):
        process = self.stack.start(servers.Process(
            name, [self.workload, *arguments, f"--database={self.database}", f"--blocks={self.blocks}"], self.folder))
        self.applications.append(process)

    def wait_for_rate(self, writes_per_second):
        """Until that many writes a second were recorded where a decision looks: the load is up, the window is full."""
        expression = f"checkpoint:writes_per_second >= {writes_per_second}"

        def recorded():
            self.screen.progress(self._measured())
            # As old as what a decision looks at.
            return servers.query(self.prometheus.url, expression, at=time.time() - SETTLE_SECONDS)

        try:
            servers.wait_for(f"a recorded rate of {writes_per_second} writes/s", recorded, PHASE_SECONDS_MAX,
                             poll_seconds=1, alive=[self.exporter, self.prometheus, *self.applications])
        finally:
            self.screen.progress_done()

    def wait_for_verdict(self, wanted):
        """Evaluates every second, as the daily timer would once a day, until the decision's line is `wanted`."""
        alive = [self.exporter, self.prometheus, self.alertmanager, *self.applications]

        def decided():
            lines = self.evaluate().splitlines()
            verdict = next((line.strip() for line in lines if line.strip()), "no answer yet")
            self.screen.progress(f"{self._measured()}   decided about {SETTLE_SECONDS} s ago: {verdict}")
            return wanted in (line.strip() for line in lines)

        try:
            servers.wait_for(f"the decision '{wanted}'", decided, PHASE_SECONDS_MAX, poll_seconds=1, alive=alive)
        finally:
            self.screen.progress_done()

    def show_decision(self, log_name):
        """Prints the decision as a person would see it, and keeps the same one as text and JSON beside the artefacts."""
        at = ["--at", f"{time.time() - SETTLE_SECONDS:.3f}"]
        if self.screen.terminal:
            subprocess.run([*self._evaluate_command(), *at], check=False)
        text = self.evaluate(*at)
        if not self.screen.terminal:
            print(text, flush=True)
        (self.folder / f"{log_name}.txt").write_text(text)
        (self.folder / f"{log_name}.json").write_text(self.evaluate("--format", "json", *at))

    def evaluate(self, *arguments):
        return subprocess.run([*self._evaluate_command(), *arguments], capture_output=True, text=True,
                              check=False).stdout

    def wait_for_alert(self):
        def active():
            alerts = servers.get_json(f"{self.alertmanager.url}/api/v2/alerts")
            return [alert for alert in alerts if alert["labels"]["alertname"] == ALERT]

        alerts = servers.wait_for(f"the alert {ALERT} in Alertmanager", active, PHASE_SECONDS_MAX,
                                  alive=[self.exporter, self.prometheus, self.alertmanager])
        (self.folder / "alerts.json").write_text(json.dumps(alerts, indent=2) + "\n")
        labels = alerts[0]["labels"]
        self.screen.line(f"{ALERT} is {alerts[0]['status']['state']} in Alertmanager: severity {labels['severity']}, "
                         f"database {labels['database']}")
        self.screen.line(alerts[0]["annotations"]["summary"])

    def watch(self):
        """Until Ctrl-C (Kept), or until one of the servers or applications ends (NotReady)."""
        try:
            servers.wait_for("Ctrl-C", lambda: False, float("inf"), poll_seconds=1,
                             alive=[self.exporter, self.prometheus, self.alertmanager, *self.applications])
        except KeyboardInterrupt:
            raise Kept from None

    def stop_applications(self):
        for process in self.applications:
            process.stop()

    def compare_counts(self):
        """What the applications say they wrote, against what Prometheus' next scrape would read: must be equal."""
        counted = {"success": 0, "error": 0, "rejected": 0}
        for process in self.applications:
            for status, count in json.loads(process.log.read_text().splitlines()[-1])["writes"].items():
                counted[status] += count
        metrics = servers.get(f"{self.exporter.url}/metrics")
        (self.folder / "metrics.txt").write_text(metrics)
        exposed = {}
        for line in metrics.splitlines():
            if line.startswith("checkpoint_writes_total{"):
                name, value = line.rsplit(" ", 1)
                exposed[name.split('status="')[1].split('"')[0]] = int(float(value))
        self.screen.line(f"the applications counted {counted}; the exporter shows "
                         f"{'the same' if exposed == counted else exposed}")
        if exposed != counted:
            raise SystemExit("demo: the exporter's counts differ from the applications' own")

    def _measured(self):
        found = servers.query(self.prometheus.url, '{__name__=~"checkpoint:(writes_per_second|write_error_ratio)"}')
        values = {sample["metric"]["__name__"]: float(sample["value"][1]) for sample in found}
        if len(values) < 2:
            return "nothing recorded yet"
        return (f"{values['checkpoint:writes_per_second']:6.1f} writes/s "
                f"{values['checkpoint:write_error_ratio']:7.2%} errors")

    def _evaluate_command(self):
        return [self.rulegen, "--evaluate", "--spec", SPEC, "--prometheus", self.prometheus.url, "--log",
                self.decisions]

    def _run(self, command):
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False,
                              cwd=SOURCE)
        if done.returncode != 0:
            raise SystemExit(f"demo: {' '.join(str(word) for word in command)} failed with {done.returncode}:\n"
                             f"{done.stdout}{done.stderr}")


def run(demo, screen, keep):
    screen.heading("1. One spec, every artefact")
    screen.line("The windows are short so that you can watch: rates over 15 s, `for` 5 and 10 s, a scrape a second.")
    screen.line("The limits and texts are those of rules/checkpoint.toml.")
    demo.generate()

    screen.heading("2. Exporter, Prometheus (7 days of retention) and Alertmanager on loopback")
    demo.start_servers()

    screen.heading("3. A load that SQLite carries: two writers, 15 checkpoints a second each")
    for number in (1, 2):
        demo.start_application(f"writer-{number}", "write", f"--id={number}", "--rate=15")
    demo.wait_for_rate(25)
    demo.wait_for_verdict(SUFFICIENT)
    demo.show_decision("decision-healthy")

    screen.heading("4. More load: a third writer, and two maintenance jobs that hold the write lock")
    demo.start_application("writer-3", "write", "--id=3", "--rate=15")
    for number in (4, 5):
        demo.start_application(f"maintenance-{number}", "maintain", f"--id={number}", "--hold-ms=250")
    demo.wait_for_verdict(MIGRATE_NOW)
    demo.show_decision("decision-saturated")

    screen.heading("5. The alert")
    demo.wait_for_alert()
    if keep:
        screen.line()
        screen.line("Everything keeps running; Ctrl-C stops it.")
        demo.watch()

    screen.heading("6. Nothing lost on the way")
    demo.stop_applications()
    demo.compare_counts()


def make_folder(wanted):
    """The folder for the artefacts: a new temporary one, or `wanted`, which must not hold anything yet."""
    if wanted is None:
        return pathlib.Path(tempfile.mkdtemp(prefix="outgrown-demo-")).resolve()
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        if any(wanted.iterdir()):
            sys.exit(f"demo: {wanted} is not empty; name a new folder")
    except OSError as error:
        sys.exit(f"demo: {wanted}: cannot use it as the folder for the artefacts: {error.strerror}")
    return wanted.resolve()


def main():
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--keep", action="store_true", help="leave everything running until Ctrl-C")
    parser.add_argument("--folder", type=pathlib.Path, help="where the artefacts go (default: a new temporary folder)")
    arguments = parser.parse_args()

    for program in ("prometheus", "promtool", "prometheus-alertmanager", "amtool"):
        if shutil.which(program) is None:
            sys.exit(f"demo: {program} is not installed; `./run demo` installs Debian's package")
    folder = make_folder(arguments.folder)
    screen = Screen()
    # Also where a script started us in the background, which ignores SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    status = 0
    try:
        with servers.Stack() as stack:
            run(Demo(arguments.build.resolve(), folder, screen, stack), screen, arguments.keep)
    except Kept:
        pass
    except KeyboardInterrupt:
        screen.progress_done()
        screen.line("interrupted")
        status = 130
    except servers.NotReady as error:
        sys.exit(f"demo: {error}\nThe logs are in {folder}")
    screen.line()
    kept = "Logs, metrics, rules, decisions and the database are" if status == 0 else "What there is so far is"
    screen.line(f"All stopped. {kept} in {folder}")
    sys.exit(status)


if __name__ == "__main__":
    main()
