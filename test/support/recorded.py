"""Stores as the series that the shipped spec's rules record of them, backfilled into a real Prometheus: one store a
situation, at a time of the test's choice."""

import pathlib

from promtool import promtool

STEP = 30
GIGABYTE = 1024**3

HEALTHY = {"write_error_ratio": 0.001, "writes_per_second": 20, "servers": 1, "file_size_bytes": GIGABYTE,
           "write_p99_seconds": 0.02, "coverage_ratio": 1}
HOUR = 120  # evaluations


class Store:
    """The samples of one store: for each series a list of values, the last one at `end`; None is no sample. `line` and
    `exit_status` are what a decision about it alone must give."""

    def __init__(self, name, line="", exit_status=0, evaluations=HOUR, end=0, **changed):
        self.name, self.line, self.exit_status, self.end = name, line, exit_status, end
        self.series = {signal: [value] * evaluations for signal, value in HEALTHY.items()}
        for signal, values in changed.items():
            if isinstance(values, list):
                self.series[signal][-len(values):] = values
            else:
                self.series[signal] = [values] * evaluations
        self.alerts = {}
        self.last_seen = end
        self.duplicate = False

    def alert(self, **states):
        """`states`: threshold id -> alertstate at the end and one evaluation before it."""
        self.alerts.update(states)
        return self

    def silent_since(self, last_seen):
        self.last_seen = last_seen
        return self

    def duplicated(self):
        self.duplicate = True
        return self


def open_metrics(stores):
    """Their series, alerts and presence, as promtool takes them."""
    lines = []
    for store in stores:
        labels = f'job="app",instance="app-1:9108",database="{store.name}"'
        for signal, values in store.series.items():
            for extra in ([',replica="a"', ',replica="b"'] if store.duplicate else [""]):
                for back, value in zip(range(len(values) - 1, -1, -1), values):
                    if value is not None:
                        lines.append(f"checkpoint:{signal}{{{labels}{extra}}} {value} {store.end - back * STEP}")
        for threshold, state in store.alerts.items():
            for back in (1, 0):
                lines.append(f'ALERTS{{alertname="Checkpoint{threshold}",alertstate="{state}",{labels}}} 1 '
                             f"{store.end - back * STEP}")
        for back in range(2 * max(map(len, store.series.values())) - 1, -1, -1):
            lines.append(f"checkpoint_block_up{{{labels}}} 1 {store.last_seen - 15 * back}")
    return "\n".join(lines) + "\n# EOF\n"


def backfill(stores, folder):
    """Fills the data folder of a Prometheus that will be started in `folder`."""
    backfill_text(open_metrics(stores), folder)


def backfill_text(lines, folder):
    """The same with OpenMetrics text."""
    text = pathlib.Path(folder) / "series.om"
    text.write_text(lines)
    made = promtool("tsdb", "create-blocks-from", "openmetrics", text, pathlib.Path(folder) / "prometheus-data")
    if made.returncode != 0:
        raise RuntimeError(made.stdout + made.stderr)
