"""A process that opens one store after the other: a database for each user, say.

Each case is a process of its own, because the stores of other tests would take the room.
"""

import os
import subprocess
import sys

from support import StoreTest, main

WRITE = """
import os, random, sqlite3, threading
import outgrown

def write(name):
    connection = outgrown.observe(sqlite3.connect(name + ".db", isolation_level=None, timeout=60))
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("INSERT INTO t VALUES (1)")
    connection.close()

"""

IN_TURN = """
kept = outgrown.observe(sqlite3.connect("kept.db", isolation_level=None))
kept.execute("INSERT INTO t VALUES (1)")
for number in [*range(COUNT), COUNT - 1, 0]:
    write(f"user{number}")
kept.execute("INSERT INTO t VALUES (1)")
paths = (f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd"))
print(sum(os.readlink(path).endswith(".counters") for path in paths if os.path.islink(path)))
"""

THREADS = """
done = [0] * COUNT
lock = threading.Lock()

def work(seed):
    draw = random.Random(seed)
    for _ in range(50):
        number = draw.randrange(COUNT)
        write(f"user{number}")
        with lock:
            done[number] += 1

threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(*done)
"""


KEPT = """
closed = []
for number in range(COUNT):
    closed.append(outgrown.observe(sqlite3.connect(f"user{number}.db", isolation_level=None)))
    closed[-1].execute("INSERT INTO t VALUES (1)")
    closed[-1].close()
"""


class Tenants(StoreTest):
    def run_program(self, program, count, stores_max):
        """What it prints, after `count` databases were made uncounted; nothing is to be logged."""
        make = ("import sqlite3, sys\nfor name in sys.argv[1:]:\n"
                "    sqlite3.connect(name).executescript('PRAGMA synchronous = OFF; CREATE TABLE t (x)')")
        names = ["kept.db", *(f"user{number}.db" for number in range(count))]
        subprocess.run([sys.executable, "-c", make, *names], cwd=self.folder, check=True)
        source = WRITE + program.replace("COUNT", str(count))
        done = subprocess.run([sys.executable, "-c", source], cwd=self.folder, capture_output=True, text=True,
                              env={**os.environ, "OUTGROWN_STORES_MAX": str(stores_max)})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.split()

    def test_a_thousand_databases_one_after_the_other_are_all_counted(self):
        self.assertEqual(self.run_program(IN_TURN, 1000, stores_max=64), ["64"])
        for number in (0, 999, *range(1, 999, 20)):
            self.assertEqual(self.counts(f"user{number}"), {"ok": 2 if number in (0, 999) else 1})
        self.assertEqual(self.counts("kept"), {"ok": 2})

    def test_threads_with_room_for_few_stores_lose_nothing(self):
        for number, done in enumerate(self.run_program(THREADS, 40, stores_max=4)):
            if int(done):
                self.assertEqual(self.counts(f"user{number}"), {"ok": int(done)})

    def test_a_closed_connection_that_is_kept_keeps_no_store(self):
        self.run_program(KEPT, 40, stores_max=4)
        for number in range(40):
            self.assertEqual(self.counts(f"user{number}"), {"ok": 1})


if __name__ == "__main__":
    main()
