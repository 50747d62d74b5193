"""Prometheus 3 that makes native histograms with custom buckets of the exporter's: the P99 is recorded from them, and it is the one of
the classic ones.

Usage: native_histogram_test.py BUILD_FOLDER
"""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
sys.path.insert(0, str(ROOT / "test" / "support"))

import chains  # noqa: E402  (the path above)
import servers  # noqa: E402
from server_case import ServerCase  # noqa: E402
import short_spec  # noqa: E402
import synthetic_exporter  # noqa: E402

STORES = {"busy": synthetic_exporter.Kind("", 0), "idle": synthetic_exporter.Kind("", 0, rate=0)}


class NativeHistogram(ServerCase):
    @classmethod
    def start(cls):
        env = chains.newest("prometheus")
        spec = short_spec.generate(BUILD / "rulegen" / "rulegen", cls.folder)
        exporter = synthetic_exporter.Exporter(STORES)
        cls.stack.callback(exporter.stop)
        targets = {"app": [f"127.0.0.1:{exporter.server_port}"]}
        config = json.loads(servers.prometheus_config(targets, [spec.parent / "gen" / "checkpoint.rules.yml"], None, "1s"))
        native = dict(config["scrape_configs"][0], job_name="native", convert_classic_histograms_to_nhcb=True)
        config["scrape_configs"].append(native)
        cls.prometheus = cls.stack.start(servers.prometheus(cls.folder, {}, config=json.dumps(config), env=env))

    def quantile(self, job, database):
        found = servers.query(self.prometheus.url, f'checkpoint:write_p99_seconds{{job="{job}", database="{database}"}}')
        return [sample["value"][1] for sample in found]

    def test_the_p99_is_that_of_classic_histograms(self):
        servers.wait_for("the P99", lambda: all(self.quantile(job, name) for job in ("app", "native") for name in STORES), 60)
        self.assertEqual(servers.query(self.prometheus.url, 'checkpoint_write_duration_seconds_bucket{job="native"}'), [])
        self.assertEqual(self.quantile("native", "idle"), ["0"])
        self.assertAlmostEqual(float(self.quantile("native", "busy")[0]), float(self.quantile("app", "busy")[0]), places=2)
        self.assertGreater(float(self.quantile("native", "busy")[0]), 0)


if __name__ == "__main__":
    chains.main(lambda: chains.newest("prometheus"))
