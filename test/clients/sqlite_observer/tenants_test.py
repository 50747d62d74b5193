"""The extension in a process that opens many databases: one for each tenant, at once or one after the other.

Usage: tenants_test.py EXTENSION STATIC_CLIENT PYTHON
"""

from client import PYTHON, counts, python, run, run_cases

ONE_AFTER_THE_OTHER = """
import ctypes, os, resource, sqlite3
resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
assert ctypes.CDLL(os.environ["EXTENSION"]).outgrown_sqlite_load() == 0
kept = sqlite3.connect("kept.db", isolation_level=None)
kept.execute("CREATE TABLE t(a)")
for number in [*range(1000), 999, 0]:
    connection = sqlite3.connect(f"tenant{number}.db")
    connection.execute("PRAGMA synchronous = OFF")
    with connection:
        connection.execute("CREATE TABLE IF NOT EXISTS t(a)")
        connection.execute("INSERT INTO t VALUES(1)")
    status = connection.execute("SELECT outgrown_status()").fetchone()[0]
    assert status == f"counting main as tenant{number}", status
    connection.close()
kept.execute("INSERT INTO t VALUES(1)")
print(sum(os.readlink(f"/proc/self/fd/{fd}").endswith(".counters") for fd in os.listdir("/proc/self/fd")
          if os.path.islink(f"/proc/self/fd/{fd}")))
files = [os.open("/dev/null", os.O_RDONLY) for _ in range(DESCRIPTORS * 3 // 4)]
"""


def a_thousand_databases_one_after_the_other(folder):
    """1000 databases in turn, with 512 descriptors: each is counted, and the application keeps its descriptors"""
    out = python(folder, ONE_AFTER_THE_OTHER.replace("DESCRIPTORS", "512"))
    assert out == "64\n", out
    for number in range(1000):
        expected = {"ok": 3 if number in (0, 999) else 2}
        assert counts(folder, f"tenant{number}") == expected, (number, counts(folder, f"tenant{number}"))
    assert counts(folder, "kept") == {"ok": 2}


TENANTS_OF_THREADS = """
import ctypes, os, random, sqlite3, threading
assert ctypes.CDLL(os.environ["EXTENSION"]).outgrown_sqlite_load() == 0
done = [0] * 40
lock = threading.Lock()
def work(seed):
    draw = random.Random(seed)
    for _ in range(100):
        number = draw.randrange(len(done))
        connection = sqlite3.connect(f"tenant{number}.db", timeout=60, isolation_level=None)
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("INSERT INTO t VALUES(1)")
        connection.close()
        with lock:
            done[number] += 1
os.environ["OUTGROWN_STORES_MAX"] = "4"
threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(*done)
"""


def tenants_of_threads(folder):
    """four threads, with a connection each and room for four stores: whichever is closed for another, none loses a count"""
    python(folder, """
import sqlite3
for number in range(40):
    connection = sqlite3.connect(f"tenant{number}.db")
    with connection: connection.execute("CREATE TABLE t(a)")
    connection.close()
""")
    out = python(folder, TENANTS_OF_THREADS)
    for number, done in enumerate(out.split()):
        assert counts(folder, f"tenant{number}") == {"ok": int(done)}, (number, done)


TENANTS = """
import ctypes, os, resource, sqlite3
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
assert ctypes.CDLL(os.environ["EXTENSION"]).outgrown_sqlite_load() == 0
open_at_once = []
for number in range(34):
    connection = sqlite3.connect(f"tenant{number}.db", isolation_level=None)
    open_at_once.append(connection)
    connection.execute("CREATE TABLE t(a)")
    status = connection.execute("SELECT outgrown_status()").fetchone()[0]
print(status)
open_at_once.pop(0).close()
later = sqlite3.connect("tenant34.db", isolation_level=None)
later.execute("CREATE TABLE t(a)")
"""


def a_database_for_each_tenant_at_once(folder):
    """34 databases at once with 256 descriptors: the first 32 count, the others say why not, until one is closed"""
    code, out, err = run(folder, [PYTHON, "-c", TENANTS], OUTGROWN_LOG="stderr")
    assert code == 0, err
    reason = "this process counts into 32 stores already, and may into 32 (OUTGROWN_STORES_MAX can say more)"
    assert out == f"not counting: {folder}/tenant33.v1.counters: {reason}\n", out
    assert len(list(folder.glob("*.counters"))) == 33
    assert counts(folder, "tenant31") == counts(folder, "tenant34") == {"ok": 1}
    assert err.splitlines() == [
        f"outgrown: writes are not counted: {folder}/tenant{number}.db: {folder}/tenant{number}.v1.counters: {reason}"
        for number in (32, 33)], err


if __name__ == "__main__":
    run_cases([a_database_for_each_tenant_at_once, a_thousand_databases_one_after_the_other, tenants_of_threads])
