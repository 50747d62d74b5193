"""AsyncSqliteSaver and aiosqlite as they are shipped, observed."""

import flavour  # noqa: F401  first of all

import asyncio
import contextlib
import sqlite3

import aiosqlite
import outgrown
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from graphs import three_nodes
from oracle import Commits
from support import StoreTest, read_block


def config(thread):
    return {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}


class Saver(StoreTest):
    """The saver's setup() is three writes: the change to the write-ahead log, and two tables."""

    @contextlib.asynccontextmanager
    async def saver(self, **options):
        async with aiosqlite.connect(self.path(), **options) as connection:
            saver = outgrown.observe(AsyncSqliteSaver(connection))
            await saver.setup()
            yield saver

    async def put(self, saver, thread):
        return await saver.aput(config(thread), empty_checkpoint(), {"step": 1}, {})

    def test_concurrent_puts_of_tasks(self):
        async def work(saver, number):
            where = await self.put(saver, f"thread-{number}")
            await saver.aput_writes(where, [("a", number), ("b", number)], "task")
            found = await saver.aget_tuple(where)
            self.assertEqual(found.pending_writes, [("task", "a", number), ("task", "b", number)])

        async def run():
            async with self.saver() as saver:
                self.assertIs(type(saver), AsyncSqliteSaver)
                await asyncio.gather(*(work(saver, number) for number in range(100)))
                found = [checkpoint async for checkpoint in saver.alist(None)]
                self.assertEqual(len(found), 100)

        asyncio.run(run())
        self.assertEqual(self.counts(), {"ok": 3 + 200})
        self.assertEqual(read_block(self.folder, "app")["in_flight"], 0)

    def test_an_invoke_of_three_nodes_is_nine_writes_and_one_if_it_is_durable_at_its_end(self):
        async def run():
            async with self.saver() as saver:
                graph, commits = three_nodes(saver), Commits(self.path(), wal=True)
                self.assertEqual(await graph.ainvoke({"steps": 0}, config("a")), {"steps": 3})
                self.assertEqual((self.counts(), commits.count()), ({"ok": 3 + 9}, 9))
                await graph.ainvoke({"steps": 0}, config("b"), durability="exit")
                self.assertEqual((self.counts(), commits.count()), ({"ok": 3 + 10}, 10))

        asyncio.run(run())

    def test_a_database_that_is_locked(self):
        async def run():
            async with self.saver(timeout=0) as saver:
                with contextlib.closing(sqlite3.connect(self.path(), isolation_level=None, timeout=0)) as rival:
                    for number in range(10):
                        rival.execute("BEGIN IMMEDIATE")
                        with self.assertRaisesRegex(sqlite3.OperationalError, "database is locked"):
                            await self.put(saver, "a")
                        rival.execute("ROLLBACK")
                        await self.put(saver, "a")

        asyncio.run(run())
        self.assertEqual(self.counts(), {"ok": 3 + 10, "busy": 10})

    def test_a_snapshot_that_one_busy_timeout_leaves_behind(self):
        """Not saturation: every put fails at once, though nobody holds a lock, and the reason says so (docs/decision.md)."""
        async def run():
            async with self.saver(timeout=0.05) as saver:
                await self.put(saver, "a")
                with contextlib.closing(sqlite3.connect(self.path(), isolation_level=None, timeout=0)) as rival:
                    rival.execute("CREATE TABLE other(x)")
                    rival.execute("BEGIN IMMEDIATE")
                    with self.assertRaisesRegex(sqlite3.OperationalError, "database is locked"):
                        await self.put(saver, "a")  # its transaction stays open
                    rival.execute("COMMIT")
                    await saver.aget_tuple(config("a"))  # and reads
                    rival.execute("INSERT INTO other VALUES (1)")
                    for thread in "abcdef":
                        with self.assertRaisesRegex(sqlite3.OperationalError, "database is locked"):
                            await self.put(saver, thread)
                    await saver.conn.rollback()
                    await self.put(saver, "b")

        asyncio.run(run())
        self.assertEqual(self.counts(), {"ok": 3 + 2, "busy": 1, "busy_snapshot": 6})

    def test_a_task_that_is_cancelled_while_it_waits_for_the_lock(self):
        async def run():
            async with self.saver(timeout=60) as saver:
                with contextlib.closing(sqlite3.connect(self.path(), isolation_level=None, timeout=0)) as rival:
                    rival.execute("BEGIN IMMEDIATE")
                    task = asyncio.create_task(self.put(saver, "a"))
                    while read_block(self.folder, "app")["in_flight"] == 0:
                        await asyncio.sleep(0.01)
                    task.cancel()
                    with self.assertRaises(asyncio.CancelledError):
                        await task
                    rival.execute("ROLLBACK")
                await saver.conn.commit()  # after the insert, which aiosqlite's thread goes on with

        asyncio.run(run())
        self.assertEqual(self.counts(), {"ok": 3 + 1})

    def test_the_saver_observed_before_its_connection_is_awaited(self):
        async def run():
            connection = aiosqlite.connect(self.path())
            saver = outgrown.observe(AsyncSqliteSaver(connection))
            async with connection:
                await self.put(saver, "a")

        asyncio.run(run())
        self.assertEqual(self.counts(), {"ok": 3 + 1})


class Plain(StoreTest):
    def test_aiosqlite_without_langgraph(self):
        async def run():
            async with outgrown.observe(aiosqlite.connect(self.path())) as connection:
                await connection.execute("CREATE TABLE t (x UNIQUE)")
                await connection.executemany("INSERT INTO t VALUES (?)", [(1,), (2,)])
                await connection.commit()
                async with connection.execute("INSERT INTO t VALUES (3), (4) RETURNING x") as cursor:
                    self.assertEqual([row async for row in cursor], [(3,), (4,)])
                await connection.commit()
                with self.assertRaises(sqlite3.IntegrityError):
                    await connection.execute("INSERT INTO t VALUES (1)")
                await connection.rollback()
                await connection.executescript("INSERT INTO t VALUES (5); INSERT INTO t VALUES (6);")
                async with aiosqlite.connect(self.path("copy.db")) as copy:
                    await connection.backup(copy)
                    self.assertEqual(list(await copy.execute_fetchall("SELECT count(*) FROM t")), [(6,)])

        asyncio.run(run())
        self.assertEqual(self.counts(), {"ok": 5, "constraint": 1})
