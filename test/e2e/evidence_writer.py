"""The applications of evidence_test.py: each does to a real SQLite file what people's programs do to theirs.

Usage: evidence_writer.py WHAT DATABASE [--observer SO] [--rate N] [--journal wal|delete] [--first-observer SO] [--fails full|locked]
                          [--library SO] [--times FILE] [--uptime SECONDS] [--user ID]

WHAT: steady       one connection for as long as it lives
      request      a connection for each write
      damage       request; after 20 writes the database's schema is overwritten
      fill         request; after 20 writes the disk is full
      process      a process for each write, which ends without closing its connection
      replace      steady; after 20 writes another database is moved over the file, and its log and index are removed
      remove       steady; after 20 writes the log and its index are removed
      restore_log  steady; after 20 writes a copy of the log is moved over it
      move         steady; after 20 writes the file is moved away, with its log and index
      unlink       steady; after 20 writes the file is removed, its log and index stay
      block        steady; after 20 writes another connection begins a write and does not end it
      killed       a process for each write, which is killed before it could close its connection
      upgrade      transactions that read first, and write when another connection has committed
      poll         asks an empty queue for work with an UPDATE, each 300th time while another connection holds the lock
      poll_beside_writer  the same without a refused lock; each 40th time another connection writes, and is refused it one time in five
      rise         steady, writing seldom; at full rate once the file `rise` is beside the database
      reboot       a counted process (--first-observer) of an earlier boot writes and loses its trace, then steady; --uptime is that
                   boot's, in seconds more than this one's
      look         opens a store in WAL mode and only reads
      glance       a connection for each reading
      anew         a counted process writes and ends, and its counter block is deleted; that twice, then steady
      api          steady, counted by the application itself through the C API (--library)
      redeploy     a counted process (--first-observer) writes and ends; the one that follows is not counted, and each of its writes
                   --fails: `full` on a full disk, `locked` behind a process that has begun to write; without it, none follows
      held_back    steady, large transactions on small pages; another process' reader never ends
      sidecar      as Litestream: reads, commits once in 3.5 s (once a minute, in windows of 15 s), and checkpoints
      attach       steady, to this database and to other.db beside it on one connection
      files        steady, to this database and to other.db beside it
      copy         a process for each write; after the first one it goes on with a copy in the folder `copy`
      emptied      request; after 20 writes the database is removed, and its table with it
      import_rows  100 commits in another journal mode once in 2 s, on a connection that then sets WAL mode again
      exclusive    steady, with locking_mode=EXCLUSIVE
      exclusive_requests  a connection for each write, with locking_mode=EXCLUSIVE, which updates a row
      container    steady, by a path that only its own mount namespace has
      roll         steady, replaces the database after 20 writes, and goes on; from then on a second process writes to the new one. The
                   first ends once the file `end` is beside the database
      release      a database in a folder of its release, opened through the link `current`, which then leads to the next release

It writes until it is stopped; request appends the Unix time of each commit to --times, as a double. With --observer each connection is counted; without it, none. $KEY is SQLCipher's.
"""

import argparse
import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import time


def pace(rate):
    """Yields at that many times a second, without catching up on what was missed for long."""
    due = time.monotonic()
    while True:
        yield
        due = max(due + 1 / rate, time.monotonic() - 1)
        time.sleep(max(0, due - time.monotonic()))


def connect(path):
    connection = sqlite3.connect(path, isolation_level=None, timeout=3600)
    if "KEY" in os.environ:
        connection.execute(f"PRAGMA key = '{os.environ['KEY']}'")
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


def observe(observer):
    first = sqlite3.connect(":memory:")
    first.enable_load_extension(True)
    first.load_extension(observer)


def prepare(path, journal):
    connection = connect(path)
    connection.execute(f"PRAGMA journal_mode={journal}")
    connection.execute("CREATE TABLE IF NOT EXISTS t(x)")
    return connection


def insert(connection, size_bytes=100):
    try:
        connection.execute("INSERT INTO t VALUES (randomblob(?))", (size_bytes,))
    except sqlite3.Error as error:  # as an application that goes on
        print(error, flush=True)


def steady(path, arguments, spoil=None):
    connection = prepare(path, arguments.journal)
    for number, _ in enumerate(pace(arguments.rate)):
        insert(connection)
        if number == 20 and spoil:
            kept = spoil(path)  # noqa: F841, a connection that must stay open


def exclusive(path, arguments):
    connection = connect(path)
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    connection.execute(f"PRAGMA journal_mode={arguments.journal}")
    connection.execute("CREATE TABLE t(x)")
    for _ in pace(arguments.rate):
        insert(connection)


def exclusive_requests(path, arguments):
    with contextlib.closing(prepare(path, "wal")) as first:
        insert(first)
    for _ in pace(arguments.rate):
        with contextlib.closing(connect(path)) as connection:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("UPDATE t SET x = random()")


def request(path, arguments, spoil=None):
    prepare(path, arguments.journal).close()
    times = open(arguments.times or os.devnull, "ab", buffering=0)
    for number, _ in enumerate(pace(arguments.rate)):
        with contextlib.suppress(sqlite3.Error):  # as an application that goes on
            connection = connect(path)
            insert(connection)
            times.write(struct.pack("d", time.time()))
            connection.close()
        if number == 20 and spoil:
            spoil(path)


def begin_process(work):
    child = os.fork()
    if child == 0:
        pr_set_pdeathsig = 1  # linux/prctl.h: a child ends with what the test has started
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
        work()
        os._exit(0)
    return child


def in_process(work):
    os.waitpid(begin_process(work), 0)


def process(path, arguments):
    prepare(path, arguments.journal).close()
    for _ in pace(arguments.rate):
        in_process(lambda: insert(connect(path)))


def killed(path, arguments):
    def work():
        connection = connect(path)
        insert(connection)
        os.kill(os.getpid(), signal.SIGKILL)

    prepare(path, arguments.journal).close()
    for _ in pace(arguments.rate):
        in_process(work)


def roll(path, arguments):
    replaced, end = (pathlib.Path(path).with_name(name) for name in ("replaced", "end"))

    def first():
        observe(arguments.first_observer)
        connection = prepare(path, "wal")
        for number, _ in enumerate(pace(arguments.rate)):
            insert(connection)
            if number == 20:
                replace(path)
                replaced.touch()
            if end.exists():
                return

    begin_process(first)
    wait_for(replaced)
    observe(arguments.first_observer)
    steady(path, arguments)


def remove(path):
    for suffix in ("-wal", "-shm"):
        pathlib.Path(path + suffix).unlink(missing_ok=True)


def restore_log(path):
    shutil.copy(path + "-wal", path + "-wal.copy")
    os.replace(path + "-wal.copy", path + "-wal")


def replace(path):
    copy = path + ".copy"
    made = sqlite3.connect(copy)
    made.execute("PRAGMA journal_mode=WAL")
    made.execute("CREATE TABLE t(x)")
    made.commit()
    made.close()
    os.replace(copy, path)
    remove(path)


def move(path):
    for suffix in ("", "-wal", "-shm"):
        os.rename(path + suffix, path + ".old" + suffix)


def unlink(path):
    os.unlink(path)


def damage(path):
    with open(path, "r+b") as database:
        database.seek(100)  # where the schema's page begins, behind the header
        database.write(bytes(60))


def block(path):
    holder = connect(path)
    holder.execute("BEGIN IMMEDIATE")
    return holder


def upgrade(path, arguments):
    reader, writer = prepare(path, "wal"), connect(path)
    for _ in pace(arguments.rate):
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM t").fetchone()
        insert(writer)
        insert(reader)
        reader.execute("ROLLBACK")


def poll(path, arguments):
    connection, holder = prepare(path, arguments.journal), connect(path)
    connection.execute("PRAGMA busy_timeout=0")
    for number, _ in enumerate(pace(arguments.rate)):
        if number % 300 == 299:
            holder.execute("BEGIN IMMEDIATE")
        with contextlib.suppress(sqlite3.OperationalError):
            connection.execute("UPDATE t SET x = 1 WHERE x = 2")
        if number % 300 == 299:
            holder.execute("COMMIT")


def poll_beside_writer(path, arguments):
    poller, writer, holder = prepare(path, arguments.journal), connect(path), connect(path)
    writer.execute("PRAGMA busy_timeout=0")
    for number, _ in enumerate(pace(arguments.rate)):
        poller.execute("UPDATE t SET x = 1 WHERE x = 2")
        if number % 200 == 199:
            holder.execute("BEGIN IMMEDIATE")
        if number % 40 == 39:
            insert(writer)
        if number % 200 == 199:
            holder.execute("COMMIT")


def rise(path, arguments):
    connection = prepare(path, arguments.journal)
    for _ in pace(2):
        insert(connection)
        if pathlib.Path(path).with_name("rise").exists():
            break
    for _ in pace(arguments.rate):
        insert(connection)


def look(path, arguments):
    connection = prepare(path, "wal")
    connection.close()
    connection = connect(path)
    for _ in pace(arguments.rate):
        connection.execute("SELECT count(*) FROM t").fetchone()


def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.1)


def glance(path, arguments):
    wait_for(path)
    for _ in pace(arguments.rate):
        with contextlib.closing(connect(path)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()


def read_for_ever(path):
    connection = connect(path)
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM t").fetchone()
    signal.pause()


def held_back(path, arguments):
    with contextlib.closing(connect(path)) as first:
        first.execute("PRAGMA page_size=512")
        first.execute("CREATE TABLE t(x)")
    prepare(path, "wal").close()
    begin_process(lambda: read_for_ever(path))
    connection = connect(path)
    for _ in pace(arguments.rate):
        insert(connection, 40_000)


class Options(ctypes.Structure):
    """outgrown_options of outgrown.h."""
    _fields_ = [("size", ctypes.c_size_t), ("directory", ctypes.c_char_p), ("application", ctypes.c_char_p),
                ("database", ctypes.c_char_p), ("slots", ctypes.c_uint32), ("log", ctypes.c_void_p), ("log_context", ctypes.c_void_p)]


def api(path, arguments):
    library = ctypes.CDLL(arguments.library)
    library.outgrown_open.restype = ctypes.c_void_p
    connection = prepare(path, arguments.journal)
    options = Options(size=ctypes.sizeof(Options), database=path.encode())
    store = ctypes.c_void_p(library.outgrown_open(b"state", ctypes.byref(options)))
    for _ in pace(arguments.rate):
        insert(connection)
        library.outgrown_record(store, 0, ctypes.c_uint64(100), ctypes.c_uint64(1_000_000))


def first_counted(path, arguments):
    observe(arguments.first_observer)
    connection = prepare(path, "wal")
    for _, _ in zip(range(5), pace(2)):
        insert(connection)
    connection.close()


def anew(path, arguments):
    for _ in range(2):
        in_process(lambda: first_counted(path, arguments))
        for block in pathlib.Path(os.environ["OUTGROWN_DIR"]).glob("*.counters"):
            block.unlink()
        time.sleep(4)  # scrapes without one
    observe(arguments.first_observer)
    steady(path, arguments)


def boot_before(path, arguments):
    observe(arguments.first_observer)
    connection = prepare(path, "wal")
    for _ in range(5):
        insert(connection)
    connection.set_trace_callback(lambda statement: None)  # another trace than the observer's
    insert(connection)
    os._exit(0)


def reboot(path, arguments):
    boot = pathlib.Path(path).with_name("boot")
    boot.write_text("00000000-1111-2222-3333-444444444444\n")
    subprocess.run(["unshare", "--mount", "--time", "--monotonic", arguments.uptime, "--fork", "sh", "-c",
                    'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"', boot, sys.executable, __file__, "boot_before",
                    path, f"--first-observer={arguments.first_observer}"], check=True)
    observe(arguments.first_observer)
    steady(path, arguments)


def ballast(path):
    """Leaves no room on the disk."""
    with open(pathlib.Path(path).with_name("ballast"), "wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))


def write_for_ever(path):
    holder = block(path)  # noqa: F841, a connection that must stay open
    signal.pause()


def redeploy(path, arguments):
    in_process(lambda: first_counted(path, arguments))
    if not arguments.fails:
        signal.pause()
    if arguments.fails == "locked":
        begin_process(lambda: write_for_ever(path))
    connection = connect(path)
    connection.execute("PRAGMA busy_timeout=100")
    if arguments.fails == "full":
        insert(connection)  # one, which is within the allowance
        ballast(path)
    for _ in pace(arguments.rate):
        insert(connection, 20_000)


def sidecar(path, arguments):
    wait_for(path)
    reader, writer = prepare(path, "wal"), connect(path)
    for _ in pace(1 / 3.5):
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM t").fetchone()
        insert(writer)
        reader.execute("COMMIT")
        writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def beside(path):
    return str(pathlib.Path(path).with_name("other.db"))


def attach(path, arguments):
    connection = prepare(path, arguments.journal)
    prepare(beside(path), arguments.journal).close()
    connection.execute("ATTACH ? AS other", (beside(path),))
    for _ in pace(arguments.rate):
        insert(connection)
        connection.execute("INSERT INTO other.t VALUES (1)")


def files(path, arguments):
    connections = [prepare(path, arguments.journal), prepare(beside(path), arguments.journal)]
    for _ in pace(arguments.rate):
        for connection in connections:
            insert(connection)


def copy(path, arguments):
    database = pathlib.Path(path)
    in_process(lambda: insert(prepare(path, arguments.journal)))
    (database.parent / "copy").mkdir()
    shutil.copy(path, database.parent / "copy")
    in_process(lambda: prepare(str(database.parent / "copy" / database.name), arguments.journal).close())
    for _ in pace(arguments.rate):
        in_process(lambda: insert(connect(str(database.parent / "copy" / database.name))))


def import_rows(path, arguments):
    wait_for(path)
    for _ in pace(0.5):
        with contextlib.closing(connect(path)) as connection, contextlib.suppress(sqlite3.Error):
            connection.execute("PRAGMA busy_timeout=1000")
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute("PRAGMA journal_mode=MEMORY")
            for _ in range(100):
                connection.execute("INSERT INTO t VALUES (1)")
            connection.execute("PRAGMA journal_mode=WAL")


def container(path, arguments):
    database = pathlib.Path(path)
    inside = database.with_name("inside")
    inside.mkdir()
    clone_newns = 0x20000  # linux/sched.h
    ctypes.CDLL(None).unshare(clone_newns)
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "--bind", database.parent, inside], check=True)
    steady(str(inside / database.name), arguments)


def release(path, arguments):
    database = pathlib.Path(path)
    folder = database.parent
    for number in ("1", "2"):
        (folder / number).mkdir()
    link = folder / "current"
    link.symlink_to("1")
    first = prepare(str(link / database.name), arguments.journal)
    insert(first)
    first.close()
    shutil.copy(folder / "1" / database.name, folder / "2")
    link.unlink()
    link.symlink_to("2")
    steady(str(link / database.name), arguments)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("steady", "request", "damage", "fill", "process", "killed", "replace", "remove", "restore_log", "move", "unlink", "block",
                                         "upgrade", "poll", "poll_beside_writer", "rise", "boot_before", "reboot", "look", "glance", "held_back", "anew", "api",
                                         "redeploy", "sidecar", "attach", "files", "copy", "exclusive", "exclusive_requests", "release",
                                         "container", "roll", "emptied", "import_rows"))
    parser.add_argument("database")
    parser.add_argument("--observer")
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--journal", default="wal")
    parser.add_argument("--first-observer")
    parser.add_argument("--library")
    parser.add_argument("--times")
    parser.add_argument("--fails", choices=("full", "locked"))
    parser.add_argument("--uptime", default="0")
    parser.add_argument("--user", type=int)
    arguments = parser.parse_args()
    if arguments.observer:
        observe(arguments.observer)
    if arguments.user:
        os.setgroups([])
        os.setgid(arguments.user)
        os.setuid(arguments.user)
    if arguments.what in ("replace", "remove", "restore_log", "move", "unlink", "block"):
        steady(arguments.database, arguments, globals()[arguments.what])
    if arguments.what in ("damage", "fill", "emptied"):
        request(arguments.database, arguments, {"damage": damage, "fill": ballast, "emptied": unlink}[arguments.what])
    globals()[arguments.what](arguments.database, arguments)


if __name__ == "__main__":
    sys.exit(main())
