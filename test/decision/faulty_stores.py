"""The stores that a lying Prometheus serves, and what a well one would say of them, at one fixed T.

"healthy", and "errors": a limit passed for long enough. At an instant also "held", which had passed it until a while ago and whose
alert fires on, and "restarted", which has passed it and whose alert counts anew. For periods also "burst", which had passed it
before and has not now, and "vanished", which was healthy and fell silent twenty minutes ago.
"""

import dataclasses
import datetime
import re

E = 1_790_000_010
T = E + 7
STEP = 30
EVALUATIONS = 120
VANISHED = 40  # evaluations before E
HELD = 10
STARTED = T - 60
SECONDS = {"h": 3600, "m": 60, "s": 1}


@dataclasses.dataclass
class World:
    spec: str         # whose recorded series begin with its name
    label: str        # that names a store beside job and instance
    values: dict      # of each recorded series, healthy
    breach: tuple     # series and value
    alert: str
    verdict: str
    sufficient: str
    held_range: str   # of the query about keep_firing_for
    shown: dict = dataclasses.field(default_factory=dict)  # likewise of each one without a threshold: no verdict rests on it
    reason: tuple = ()  # what says why a coverage is not in order, which is asked where one is not
    split: tuple = ()   # what a breached signal is made of
    modified: str = ""  # the series by which a stop is distinguished from lost measurement
    period: bool = False

    @property
    def queries(self):
        """What an instant asks for samples or stores."""
        return ["known", "here", "window", *self.values, "ALERTS", *([] if self.period else [self.held])]

    @property
    def held(self):
        return f"held of {self.breach[0]}"

    @property
    def period_queries(self):
        """What a period asks beside an instant's queries, where a store has vanished."""
        return ["known", "here", "seen", "before", *(f"period of {signal}" for signal in self.values)]

    @property
    def asked_beside(self):
        """What is asked beside these and decides nothing: over a period, where a store has vanished, also why."""
        over_a_period = [*self.reason, *(["stop"] if self.modified else []), *(f"period of {signal}" for signal in self.shown)]
        return ["rules", *self.shown, *self.split, *(over_a_period if self.period else [])]

    @property
    def trends(self):
        ceilings = [f"trend of {signal}" for signal in self.shown if signal.endswith("_ceiling")]
        return [f"trend of {signal}" for signal in self.values if signal != "coverage_ratio"] + ceilings

    def kind_of(self, query, asked):
        """Which of these a PromQL text is; over a period what is asked anew is the period's. (Elsewhere curl asks anew on a
        connection that was closed.)"""
        if self.modified and self.modified in query:
            return "stop"
        if ":split" in query:
            return "split"
        if "deriv(" in query:
            signal, ceiling = re.search(r":(\w+)(?: / \w+:(\w+))?", query).groups()
            return f"trend of {ceiling or signal}"
        if query.startswith("ALERTS"):
            return "ALERTS"
        if query.startswith("min "):
            return "began"
        if "timestamp(" in query:
            return "seen"
        if query.startswith("count") and " offset " in query:
            return "window" if "[5m]" in query else "before"
        if query.startswith("count"):
            return "known" if "last_over_time" in query else "here"
        signal = query.split(":")[1].split("[")[0]
        if query.endswith(f"[{self.held_range}]"):
            return f"held of {signal}"
        return f"period of {signal}" if self.period and signal in asked else signal

    def labels(self, store, **more):
        return {"job": "app", **({} if self.label == "instance" else {"instance": "app-1:9108"}), self.label: store, **more}

    def stores(self):
        return ["errors", "healthy", *(["burst", "vanished"] if self.period else ["held", "restarted"])]

    def value(self, store, signal, back):
        """At the evaluation `back` before E; None is no sample."""
        if store == "vanished" and back < VANISHED:
            return None
        breached = (store in ("errors", "restarted") or (store == "held" and back >= HELD)
                    or (store == "burst" and 30 <= back < 60))
        return self.breach[1] if breached and signal == self.breach[0] else {**self.values, **self.shown}[signal]

    def good_answer(self, kind, query):
        """What a well Prometheus says."""
        if kind == "stop":  # written a second ago: no stop
            return vector([(self.labels(store), str(E - VANISHED * STEP if "timestamp(" in query else T - 1))
                           for store in self.stores()])
        if kind == "split":
            return vector([(self.labels(store, reason="busy"), "0.4") for store in self.stores()])
        if kind == "began":
            return vector([(self.labels(store), str(E - 60)) for store in self.stores()])
        if kind in ("known", "here", "window", "before", "seen"):
            seen = {store: E - (VANISHED * STEP if store == "vanished" else 0) for store in self.stores()}
            return vector([(self.labels(store), str(seen[store]) if kind == "seen" else "1") for store in self.stores()
                           if kind not in ("here", "window") or store != "vanished"])
        if kind in self.trends:
            limit = {"trend of file_size_bytes": "FileSize", "trend of writes_per_second": "Throughput",
                     "trend of writes_ceiling": "ceiling"}.get(kind, "other")
            return vector([(self.labels(store, **part), value) for store in self.stores()
                           for part, value in (({}, "0.9"), ({"outgrown_trend": limit}, "345600"))])
        if kind == "ALERTS":
            states = {"errors": "firing", "held": "firing", "restarted": "pending"}
            return matrix([{"metric": self.labels(store, __name__="ALERTS", alertname=self.alert, alertstate=states[store]),
                            "values": [[E - STEP * back, "1"] for back in (2, 1, 0)]}
                           for store in self.stores() if store in states])
        if kind.removeprefix("period of ") in self.reason:
            return vector([])  # what is measured is in order, what has vanished has no reason recorded
        if kind == "rules":
            rules = [{"name": f"{self.spec}:{signal}", "type": "recording", "lastEvaluation": rfc3339(E)} for signal in self.values]
            return {"status": "success", "data": {"groups": [{"name": f"outgrown-{self.spec}", "rules": rules}]}}
        if kind == "start":
            return {"status": "success", "data": {"startTime": rfc3339(STARTED)}}
        signal = kind.removeprefix("period of ").removeprefix("held of ")
        oldest = T - sum(int(count) * SECONDS[unit] for count, unit in
                         re.findall(r"(\d+)([hms])", query[query.rindex("["):]))
        series = []
        for store in self.stores():
            samples = [[E - STEP * back, str(self.value(store, signal, back))] for back in range(EVALUATIONS, -1, -1)
                       if E - STEP * back >= oldest and self.value(store, signal, back) is not None]
            if samples:
                series.append({"metric": self.labels(store, __name__=f"{self.spec}:{signal}"), "values": samples})
        return matrix(series)


def rfc3339(time):
    return datetime.datetime.fromtimestamp(time, datetime.timezone.utc).isoformat()


def vector(series):
    return {"status": "success", "data": {"resultType": "vector", "result": [
        {"metric": metric, "value": [T, value]} for metric, value in series]}}


def matrix(series):
    return {"status": "success", "data": {"resultType": "matrix", "result": series}}


CHECKPOINT = World(
    "checkpoint", "database",
    {"write_error_ratio": 0.001, "writes_per_second": 20, "servers": 1, "file_size_bytes": 2**30, "write_p99_seconds": 0.02,
     "coverage_ratio": 1},
    ("write_error_ratio", 0.02), "CheckpointWriteErrors", "MIGRATE NOW - Write errors >1% (SQLite saturated)",
    "SQLite sufficient", "29m", {"wal_backlog_frames": 1000, "wal_size_bytes": 2**22, "writer_busy_ratio": 0.2, "writes_ceiling": 400}, ("coverage_reason",),
    ("split",), "checkpoint_file_modified_timestamp_seconds")
POSTGRESQL = World(
    "postgresql", "instance",
    {"transactions_per_second": 100, "rollback_ratio": 0.001, "connection_ratio": 0.2, "size_bytes": 2**30},
    ("connection_ratio", 0.95), "PostgresqlConnections", "MIGRATE NOW - Connections >90% of max_connections (primary saturated)",
    "PostgreSQL sufficient", "39m")
