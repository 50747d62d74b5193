"""Several threads: with connections of their own, and on one."""

import sqlite3
import threading

import outgrown
from support import ConnectionTest, main, read_block


def run_threads(count, work):
    """Runs work(number) in that many threads at once; an exception in one is raised here."""
    barrier, errors = threading.Barrier(count), []

    def run(number):
        try:
            barrier.wait()
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


class Sharing(ConnectionTest):
    def test_threads_with_connections_of_their_own_lose_nothing(self):
        def work(number):
            connection = outgrown.observe(sqlite3.connect(self.path(), timeout=60))
            for i in range(50):
                with connection:
                    connection.execute("INSERT INTO t VALUES (?, '')", (1000 * (number + 1) + i,))
            connection.close()

        self.rival().execute("PRAGMA journal_mode=WAL")
        run_threads(8, work)
        self.assertEqual(self.counted(), {"ok": 400})

    def test_threads_that_share_a_connection_under_a_lock_lose_nothing(self):
        connection, lock = self.connect(check_same_thread=False), threading.Lock()

        def work(number):
            for i in range(100):
                with lock, connection:
                    connection.execute("INSERT INTO t VALUES (?, '')", (1000 * (number + 1) + i,))

        run_threads(4, work)
        self.assertEqual(self.counted(), {"ok": 400})

    def test_threads_that_share_an_autocommit_connection_without_a_lock_lose_nothing(self):
        # sqlite3 itself mixes up their error codes and, in a statement of its cache, their parameters: here are neither.
        connection = self.connect(check_same_thread=False, isolation_level=None)
        connection.execute("PRAGMA synchronous=OFF")

        def work(number):
            for i in range(200):
                connection.execute(f"INSERT INTO t VALUES ({1000 * (number + 1) + i}, '')")
                connection.execute("PRAGMA user_version")
                connection.executescript("SELECT 1; SELECT 2")

        run_threads(4, work)
        self.assertEqual(self.counted(), {"ok": 800})
        self.assertEqual(read_block(self.folder, "app")["in_flight"], 0)


if __name__ == "__main__":
    main()
