"""SQLAlchemy's engines and Django's databases, observed with one line each."""

import flavour  # noqa: F401  first of all

import asyncio
import concurrent.futures
import os
import sqlite3
import subprocess
import sys

import outgrown
import sqlalchemy
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from oracle import Commits
from support import StoreTest, read_block


class SqlAlchemy(StoreTest):
    def setUp(self):
        super().setUp()
        with sqlite3.connect(self.path()) as setup:
            setup.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t (x UNIQUE)")
        self.addCleanup(setup.close)
        self.commits = Commits(self.path(), wal=True)

    def test_an_engine_counts_on_each_of_its_connections(self):
        engine = sqlalchemy.create_engine(f"sqlite:///{self.path()}", connect_args={"timeout": 60})
        self.addCleanup(engine.dispose)
        self.assertIs(outgrown.observe(engine), engine)

        def work(number):
            with engine.begin() as connection:
                connection.execute(text("INSERT INTO t VALUES (:x)"), {"x": number})

        with concurrent.futures.ThreadPoolExecutor(4) as threads:
            list(threads.map(work, range(40)))
        for attempt in (lambda: work(0), lambda: work(1)):
            with self.assertRaises(sqlalchemy.exc.IntegrityError):
                attempt()
        self.assertEqual(self.counts(), {"ok": self.commits.count(), "constraint": 2})
        self.assertEqual(self.commits.count(), 40)

    def test_an_asynchronous_engine(self):
        async def run():
            engine = create_async_engine(f"sqlite+aiosqlite:///{self.path()}", connect_args={"timeout": 60})
            self.assertIs(outgrown.observe(engine), engine)

            async def work(number):
                async with engine.begin() as connection:
                    await connection.execute(text("INSERT INTO t VALUES (:x)"), {"x": number})

            await asyncio.gather(*map(work, range(20)))
            with self.assertRaises(sqlalchemy.exc.IntegrityError):
                await work(0)
            await engine.dispose()

        asyncio.run(run())
        self.assertEqual(self.counts(), {"ok": self.commits.count(), "constraint": 1})
        self.assertEqual(self.commits.count(), 20)


DJANGO = """
import flavour, json, os, sys, threading
import django
from django.conf import settings

settings.configure(DATABASES={name: {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{os.getcwd()}/{name}.db",
                                     "OPTIONS": {"timeout": 60}} for name in ("default", "other")})
django.setup()
import outgrown
from django.db import IntegrityError, connections, transaction

with connections["default"].cursor() as cursor:
    cursor.execute("CREATE TABLE t (x UNIQUE)")  # before it is observed
assert outgrown.observe(TARGET) is TARGET

def execute(name, sql, *parameters):
    # Closed at once: pysqlite3 crashes, observed or not, where a thread collects another one's cursor while that closes the connection.
    with connections[name].cursor() as cursor:
        cursor.execute(sql, parameters)

def work(number):
    with transaction.atomic(), transaction.atomic():
        execute("default", "INSERT INTO t VALUES (%s)", number)
    execute("other", "CREATE TABLE IF NOT EXISTS t (x)")
    try:
        execute("default", "INSERT INTO t VALUES (%s)", number)
    except IntegrityError:
        pass
    if number % 2:
        connections.close_all()  # the next request opens them again

def requests(first):
    for number in range(first, first + 10):
        work(number)
    connections.close_all()

requests(0)
threads = [threading.Thread(target=requests, args=(first,)) for first in (100, 200, 300)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


class Django(StoreTest):
    def run_django(self, target):
        folder = os.path.dirname(os.path.abspath(__file__))
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (folder, os.environ.get("PYTHONPATH"))))}
        done = subprocess.run([sys.executable, "-c", DJANGO.replace("TARGET", target)], cwd=self.folder, env=environment,
                              capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.counts("default"), {"ok": 40, "constraint": 40})
        self.assertEqual(read_block(self.folder, "default")["in_flight"], 0)

    def test_all_databases_in_every_thread(self):
        self.run_django("connections")
        self.assertEqual(self.counts("other"), {"ok": 1})

    def test_one_database_alone(self):
        self.run_django('connections["default"]')
        self.assertFalse(os.path.exists(self.path("other.v1.counters")))
