"""The first hour of docs/adopting.md, paste by paste, in a system that runs; the packages are installed.

Each step prints how long it took. Grafana is not in Debian: its folder is made here, and each query of the dashboard is asked of the
Prometheus that the page's lines have started.
"""

import json
import re
import textwrap
import time

from roots import servers

LOG = "/var/lib/outgrown/decisions.jsonl"
DASHBOARD = "/etc/grafana/provisioning/dashboards/gen/checkpoint.json"
SPEC = "/usr/share/outgrown/rules/checkpoint.toml"
OWN_SPEC = "/etc/outgrown/rules/checkpoint.toml"
TIMER = "outgrown-evaluate.timer"
# What may have nothing to show after half an hour of an application without errors.
MAY_BE_EMPTY = {"Errors by reason", "Problems of the measurement", "Why the counting is not evidence"}
# Grafana's variables: all stores, a scrape interval of 15 s, the dashboard's six hours.
VARIABLES = [(r"\$(job|instance|database)\b", ".*"), (r"\$__rate_interval\b", "1m"), (r"\$__range\b", "6h")]
ASK = """
import json, sys, urllib.parse, urllib.request
for query in json.loads(sys.argv[1]):
    data = urllib.parse.urlencode({"query": query}).encode()
    print(len(json.load(urllib.request.urlopen("http://127.0.0.1:9090/api/v1/query", data))["data"]["result"]))
"""


def shell_blocks(text):
    return [textwrap.dedent(block) for _, block in re.findall(r"^( *)```sh\n(.*?)^\1```$", text, re.M | re.S)]


class FirstHour:
    """`section`: the text of the page below a heading."""

    def __init__(self, test, installed, section):
        self.test, self.installed, self.section = test, installed, section
        hour = re.split(r"^\d\. \*\*", section("## The first hour"), flags=re.M)
        self.blocks = {number: shell_blocks(text) for number, text in enumerate(hour) if number}
        self.began = time.monotonic()

    def paste(self, step, **variables):
        """The step's next block."""
        return self.installed.paste(self.blocks[step].pop(0), **variables)

    def linked(self, heading):
        block, = shell_blocks(self.section(heading))
        return self.installed.paste(block)

    def done(self, step):
        self.test.assertEqual(self.blocks[step], [], f"step {step}: not every block was run")
        now = time.monotonic()
        print(f"    step {step}: {now - self.began:.0f} s", flush=True)
        self.began = now

    def go_through(self):
        for step in (self.packages, self.application, self.exporter, self.prometheus, self.grafana, self.decision, self.alert,
                     self.own_spec):
            step()

    def packages(self):
        """Which the test has installed."""
        journal = self.installed.run("journalctl", "--unit", "outgrown-exporter")
        self.test.assertIn("Listening", journal)
        self.test.assertIn("No store yet", journal)
        self.test.assertIn("<html", self.installed.get("9108/"))
        self.done(1)

    def application(self):
        self.paste(2)
        self.linked("### The folder of counter blocks")
        self.paste(2)
        printed = self.blocks[2].pop(0)
        servers.wait_for("a write", lambda: re.search("writes_ok [1-9]", self.installed.paste(printed, check=False)))
        self.test.assertIn('checkpoint_writes_total{database="state",status="success"}', self.installed.get("9108/metrics"))
        self.test.assertIn("state", self.installed.get("9108/"))
        self.done(2)

    def exporter(self):
        self.paste(3)
        self.test.assertEqual(self.installed.state("is-active", "outgrown-exporter"), "active")
        self.done(3)

    def agrees(self, command):
        """Waits for `rulegen --verify` to agree."""
        servers.wait_for("agreement", lambda: "\nagreed" in self.installed.paste(f"{command.strip()} && echo && echo agreed", check=False), 180)

    def prometheus(self):
        self.linked("### Prometheus, Alertmanager and the daily decision")
        for unit in ("prometheus", "prometheus-alertmanager", TIMER):
            self.test.assertEqual(self.installed.state("is-active", unit), "active")
        self.test.assertIn('"storage.tsdb.retention.time":"1w"', self.installed.get("9090/api/v1/status/flags"))
        self.agrees(self.blocks[4].pop(0))
        self.done(4)

    def grafana(self):
        copy, restart = self.blocks[5].pop(0).strip().splitlines()
        self.test.assertEqual(restart, "sudo systemctl restart grafana-server")
        self.installed.run("mkdir", "--parents", "/etc/grafana/provisioning")  # as Grafana's package does
        self.installed.paste(copy)
        self.done(5)

    def decision(self):
        self.installed.paste(f"timeout 1500 sh -euc '{self.blocks[6].pop(0)}'")
        print(f"    the verdict: {time.monotonic() - self.began:.0f} s", flush=True)
        self.test.assertRegex(self.paste(6), r"state.*\n?.*SQLite sufficient")
        self.test.assertEqual(self.installed.run("stat", "-c", "%U", LOG).strip(), "outgrown-evaluate")
        self.assert_timer()
        servers.wait_for("the decision", lambda: "database=state" in self.installed.get(
            "9090/api/v1/query?query=checkpoint_decision_timestamp_seconds"))
        self.assert_dashboard()
        self.installed.run("rulegen", "--audit", LOG)
        self.done(6)

    def assert_dashboard(self):
        """Every query of the dashboard has an answer, and every panel something to show, but for MAY_BE_EMPTY."""
        def targets(panels):
            for panel in panels:
                yield from ((panel["title"], target["expr"]) for target in panel.get("targets", []))
                yield from targets(panel.get("panels", []))

        asked = list(targets(json.loads(self.installed.run("cat", DASHBOARD))["panels"]))
        queries = [query for _, query in asked]
        for pattern, value in VARIABLES:
            queries = [re.sub(pattern, value, query) for query in queries]
        counts = self.installed.run("python3", "-c", ASK, json.dumps(queries)).split()
        self.test.assertEqual(len(counts), len(queries))
        shown = {title for (title, _), count in zip(asked, counts) if count != "0"}
        self.test.assertLessEqual({title for title, _ in asked} - shown, MAY_BE_EMPTY)

    def assert_timer(self):
        """As after two days off: the timer decides at once."""
        records = self.installed.run("cat", LOG).count("\n")
        self.installed.shell(f"""
            systemctl stop {TIMER}
            mkdir --parents /etc/systemd/system/{TIMER}.d
            printf '[Timer]\\nRandomizedDelaySec=0\\n' >/etc/systemd/system/{TIMER}.d/at-once.conf
            systemctl daemon-reload
            touch --date '2 days ago' /var/lib/systemd/timers/stamp-{TIMER}
            systemctl start {TIMER}
            """)
        servers.wait_for("the timer's decision", lambda: self.installed.run("cat", LOG).count("\n") > records)
        servers.wait_for("its service's end", lambda: self.installed.state("is-active", "outgrown-evaluate") == "inactive")
        self.installed.shell(f"rm -r /etc/systemd/system/{TIMER}.d; systemctl daemon-reload")

    def alert(self):
        stop, until, start = self.blocks[7].pop(0).strip().splitlines()
        self.installed.paste(f"{stop}\ntimeout 1200 sh -euc '{until}'")
        self.installed.paste(start)
        self.done(7)

    def own_spec(self):
        self.installed.shell("""
            printf '#!/bin/sh\\nexec sed -i "s|^runbook_url .*|runbook_url = \\\\"https://ops.test/r.md\\\\"|" "$@"\\n' >/tmp/editor
            chmod 755 /tmp/editor""")
        self.test.assertIn("wrote rules/gen/checkpoint.rules.yml", self.paste(8, SUDO_EDITOR="/tmp/editor"))
        self.paste(8)
        self.test.assertIn("https://ops.test/r.md", self.installed.get("9090/api/v1/rules"))
        self.test.assertIn("https://ops.test/r.md", self.installed.run("cat", DASHBOARD))
        self.agrees(f"rulegen --verify --spec {OWN_SPEC}")
        self.done(8)
