"""--since over a gap, with a real Prometheus: it is a stop if the file was not written to, and lost measurement otherwise.

Usage: stop_test.py RULEGEN
"""

import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "support"))
import recorded  # noqa: E402
import schema  # noqa: E402
import servers  # noqa: E402
from server_case import ServerCase  # noqa: E402

RULEGEN = pathlib.Path(sys.argv.pop(1)).resolve()
SPEC = ROOT / "rules" / "checkpoint.toml"
END = 1_790_000_010
BEFORE, GAP, AFTER = 400, 120, 200  # evaluations
BEGIN = END - (GAP + AFTER - 1) * recorded.STEP  # of the gap
BACK = END - (AFTER - 1) * recorded.STEP  # its end

# Of each store: whether it was scraped in the gap too, when its file was last written before it, and when after that, if so.
STORES = {
    "off": (False, BEGIN - 600, None),
    "written-while-off": (False, BEGIN - 600, BEGIN + 900),
    "rules-not-evaluated": (True, BEGIN - 600, BEGIN + 900),
    "rules-not-evaluated-and-not-written": (True, BEGIN - 600, None),
    "written-in-the-last-minute": (False, BEGIN - 600, BACK - 20),
}


def file_times(name, scraped, written, again):
    """The samples of the file's time, every 15 s."""
    for time in range(END - 600 * recorded.STEP, END + 15, 15):
        if scraped or time < BEGIN or time >= BACK:
            value = again if again is not None and time >= again else written
            yield (f'checkpoint_file_modified_timestamp_seconds{{job="app",instance="app-1:9108",database="{name}"}} {value} {time}')


class Stops(ServerCase):
    @classmethod
    def start(cls):
        stores = []
        for name in STORES:
            store = recorded.Store(name, end=END, evaluations=BEFORE + GAP + AFTER)
            for values in store.series.values():
                values[BEFORE:BEFORE + GAP] = [None] * GAP
            stores.append(store)
        lines = recorded.open_metrics(stores).removesuffix("# EOF\n")
        lines += "".join(line + "\n" for name, what in STORES.items() for line in file_times(name, *what)) + "# EOF\n"
        recorded.backfill_text(lines, cls.folder)
        cls.prometheus = cls.stack.start(servers.prometheus(cls.folder, {}, retention="100y"))
        done = subprocess.run([RULEGEN, "--evaluate", "--spec", SPEC, "--prometheus", cls.prometheus.url, "--at", str(END + 7),
                               "--since", "4h", "--log", cls.folder / "log", "--format", "json"],
                              capture_output=True, text=True, check=False, timeout=60)
        cls.stores = {store["labels"]["database"]: store for store in schema.check_answer(done.stdout)["evaluations"][0]["stores"]}

    def test_where_nothing_was_written_it_was_a_stop(self):
        for name in ("off", "rules-not-evaluated-and-not-written"):
            with self.subTest(name):
                self.assertEqual(self.stores[name]["line"], "SQLite sufficient")
                self.assertEqual(len(self.stores[name]["stopped"]), 1)

    def test_where_something_was_written_measurement_was_lost(self):
        for name in ("written-while-off", "rules-not-evaluated", "written-in-the-last-minute"):
            with self.subTest(name):
                self.assertNotIn("stopped", self.stores[name])
                self.assertRegex(self.stores[name]["line"], "^UNDETERMINED - .*: not measured from ")


if __name__ == "__main__":
    unittest.main()
