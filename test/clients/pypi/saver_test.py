"""SqliteSaver as LangGraph ships it, observed: what is counted is what the application saw and what SQLite committed."""

import flavour  # noqa: F401  first of all

import concurrent.futures
import sqlite3

import outgrown
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.store.sqlite import SqliteStore

from graphs import three_nodes
from oracle import Commits
from support import StoreTest, read_block


def config(thread):
    return {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}


class Saver(StoreTest):
    def setUp(self):
        super().setUp()
        connection = sqlite3.connect(self.path(), check_same_thread=False, timeout=0)
        self.addCleanup(connection.close)
        self.saver = outgrown.observe(SqliteSaver(connection))
        self.saver.setup()
        self.assertEqual(self.counts(), {"ok": 3})  # WAL, and two tables
        self.commits = Commits(self.path(), wal=True)

    def put(self, thread):
        return self.saver.put(config(thread), empty_checkpoint(), {"step": 1}, {})

    def counted(self):
        """The writes since setUp."""
        return {name: n - (3 if name == "ok" else 0) for name, n in self.counts().items() if name != "ok" or n > 3}

    def test_it_is_still_a_saver(self):
        self.assertIs(type(self.saver), SqliteSaver)
        self.assertIsInstance(self.saver.conn, sqlite3.Connection)
        where = self.put("a")
        self.saver.put_writes(where, [("channel", {"some": "value"})], "task")
        found = self.saver.get_tuple(config("a"))
        self.assertEqual(found.pending_writes, [("task", "channel", {"some": "value"})])
        self.assertEqual(len(list(self.saver.list(config("a")))), 1)
        self.assertEqual(self.counted(), {"ok": 2})

    def test_pending_writes_that_are_there_already_are_no_write(self):
        where = self.put("a")
        for _ in range(3):
            self.saver.put_writes(where, [("channel", 1)], "task")
        self.assertEqual(self.counted(), {"ok": 2})
        self.assertEqual(self.commits.count(), 2)

    def test_an_invoke_of_three_nodes_is_nine_writes_and_one_if_it_is_durable_at_its_end(self):
        graph = three_nodes(self.saver)
        self.assertEqual(graph.invoke({"steps": 0}, config("a")), {"steps": 3})
        self.assertEqual((self.counted(), self.commits.count()), ({"ok": 9}, 9))
        graph.invoke({"steps": 0}, config("b"), durability="exit")
        self.assertEqual((self.counted(), self.commits.count()), ({"ok": 10}, 10))

    def test_concurrent_puts_from_threads(self):
        def work(number):
            where = self.put(f"thread-{number}")
            self.saver.put_writes(where, [("a", number), ("b", number)], "task")
            return self.saver.get_tuple(where).checkpoint["id"]

        with concurrent.futures.ThreadPoolExecutor(8) as threads:
            ids = list(threads.map(work, range(200)))
        self.assertEqual(len(set(ids)), 200)
        self.assertEqual(self.counted(), {"ok": 400})
        self.assertEqual(self.commits.count(), 400)
        self.assertEqual(read_block(self.folder, "app")["in_flight"], 0)

    def test_a_database_that_is_locked(self):
        rival = sqlite3.connect(self.path(), isolation_level=None, timeout=0)
        self.addCleanup(rival.close)
        for number in range(10):
            rival.execute("BEGIN IMMEDIATE")
            with self.assertRaisesRegex(sqlite3.OperationalError, "database is locked"):
                self.put("a")
            rival.execute("ROLLBACK")
            self.put("a")
        self.assertEqual(self.counted(), {"ok": 10, "busy": 10})
        self.assertEqual(self.commits.count(), 10)

    def test_a_full_disk(self):
        pages = self.saver.conn.execute("PRAGMA page_count").fetchone()[0]
        self.saver.conn.execute(f"PRAGMA max_page_count = {pages}")
        checkpoint = {**empty_checkpoint(), "channel_values": {"state": "x" * 100000}}
        with self.assertRaisesRegex(sqlite3.OperationalError, "full"):
            self.saver.put(config("a"), checkpoint, {}, {})
        self.assertEqual(self.counted(), {"full": 1})

    def test_a_deleted_thread_is_one_write(self):
        self.saver.put_writes(self.put("a"), [("a", 1)], "task")
        self.saver.delete_thread("a")
        self.saver.delete_thread("nobody")
        self.assertEqual(self.counted(), {"ok": 3})
        self.assertEqual(self.commits.count(), 3)

    def test_a_saver_that_closes_its_bare_connection(self):
        with SqliteSaver.from_conn_string(self.path()) as saver:
            outgrown.observe(saver).put(config("b"), empty_checkpoint(), {}, {})
        self.assertEqual(self.counted(), {"ok": 1})
        self.assertEqual(read_block(self.folder, "app")["in_flight"], 0)

    def test_observing_it_twice_counts_once(self):
        outgrown.observe(outgrown.observe(self.saver))
        self.put("a")
        self.assertEqual(self.counted(), {"ok": 1})


class Store(StoreTest):
    def test_a_store_is_counted_too(self):
        connection = sqlite3.connect(self.path(), check_same_thread=False, isolation_level=None)
        self.addCleanup(connection.close)
        store = outgrown.observe(SqliteStore(connection))
        store.setup()
        store.put(("memories",), "first", {})
        commits, before = Commits(self.path(), wal=False), self.counts()["ok"]
        for number in range(10):
            store.put(("memories",), f"key-{number}", {"number": number})
        self.assertEqual(store.get(("memories",), "key-3").value, {"number": 3})
        self.assertEqual(self.counts(), {"ok": before + commits.count()})
        self.assertEqual(commits.count(), 10)
