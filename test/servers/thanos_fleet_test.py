"""A thousand stores on two Prometheus with an external label each, behind one Thanos; and a pair of replicas of which one dies.

Usage: thanos_fleet_test.py BUILD_FOLDER
"""

import json
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
sys.path.insert(0, str(ROOT / "test" / "support"))

import chains  # noqa: E402  (the path above)
import measured  # noqa: E402
import servers  # noqa: E402
from server_case import ServerCase  # noqa: E402
import short_spec  # noqa: E402
import synthetic_exporter  # noqa: E402
from synthetic_exporter import Kind  # noqa: E402

RULEGEN = BUILD / "rulegen" / "rulegen"
STORES = 1000
INTERVAL = "4s"
SUFFICIENT = "SQLite sufficient"
ERRORS = "MIGRATE NOW - Write errors >1% (SQLite saturated)"
HEALTHY, FAILING = Kind(SUFFICIENT, 0), Kind(ERRORS, 1, error_share=0.05)


def kind_of(number):
    return FAILING if number % 100 == 3 else HEALTHY


class Thanos(ServerCase):
    """Half of the stores in each of two clusters; cluster "a" has two replicas."""

    @classmethod
    def start(cls):
        env = chains.newest("thanos", "prometheus")
        cls.spec = short_spec.generate(RULEGEN, cls.folder, interval=INTERVAL, window_seconds=24)
        starter = chains.Starter(cls.stack, cls.folder, [], cls.spec.parent / "gen", INTERVAL)
        cls.sidecars = {}
        for cluster, replicas in {"a": "01", "b": "0"}.items():
            stores = {f"tenant-{number:04}": kind_of(number) for number in range(STORES) if (number % 2 == 0) == (cluster == "b")}
            exporter = synthetic_exporter.Exporter(stores)
            cls.stack.callback(exporter.stop)
            for replica in replicas:
                name = f"{cluster}-{replica}"
                prometheus = starter.prometheus(env, name=f"prometheus-{name}", targets=[f"127.0.0.1:{exporter.server_port}"],
                                                external_labels={"cluster": cluster, "replica": replica})
                cls.sidecars[name] = starter.sidecar(env, prometheus, name=f"sidecar-{name}")
        cls.query = starter.thanos_query(env, [sidecar.grpc for sidecar in cls.sidecars.values()], "--query.replica-label=replica")
        servers.wait_for("every store's decision", cls.settled, 120, 2, alive=starter.processes)

    @classmethod
    def evaluate(cls, *arguments):
        """The stores' lines by name, the whole answer and what the run took."""
        command = [RULEGEN, "--evaluate", "--spec", cls.spec, "--prometheus", cls.query.url, "--log", cls.folder / "log", "--format",
                   "json", *arguments]
        with open(cls.folder / "answer", "wb") as out:
            took = measured.run(command, out)
        evaluation = json.loads((cls.folder / "answer").read_text())["evaluations"][0]
        return {store["labels"]["database"]: store["line"] for store in evaluation["stores"]}, evaluation, took

    @classmethod
    def settled(cls):
        lines, _, took = cls.evaluate()
        return lines if took.status == 0 and lines == cls.wanted() else None

    @staticmethod
    def wanted():
        return {f"tenant-{number:04}": kind_of(number).line for number in range(STORES)}

    def test_1_one_decision_about_a_thousand_stores(self):
        lines, evaluation, took = self.evaluate()
        print(f"{len(lines)} stores behind Thanos: {took.wall_seconds:.2f} s, {took.cpu_seconds:.2f} s of CPU, "
              f"{took.rss_bytes >> 20} MiB; warnings: {evaluation['warnings']}")
        self.assertEqual(lines, self.wanted())
        self.assertEqual({one["agreement"] for store in evaluation["stores"] for one in store["thresholds"]}, {"agrees"})
        self.assertEqual(took.status, 0)

    def test_2_a_replica_dies_while_the_other_is_complete(self):
        """Until Thanos leaves it out it warns that its answer may lack something: no store gets a verdict by what may be missing."""
        self.sidecars["a-1"].stop()
        wanted, warned, deadline = self.wanted(), 0, time.monotonic() + 120
        while True:
            lines, evaluation, took = self.evaluate()
            if not any("fetch series for" in warning for warning in evaluation["warnings"]):
                break
            warned += 1
            self.assertEqual({name: line for name, line in lines.items()
                              if line != wanted[name] and not line.startswith("UNDETERMINED - ")}, {})
            self.assertEqual(set(lines), set(wanted))
            self.assertLess(time.monotonic(), deadline)
        self.assertGreater(warned, 0, "the death of the replica was not seen")
        self.assertEqual(lines, wanted)
        self.assertEqual(took.status, 0)


if __name__ == "__main__":
    chains.main(lambda: chains.newest("thanos", "prometheus"))
