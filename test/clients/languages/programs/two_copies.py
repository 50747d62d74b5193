"""Two copies of SQLite in one process, apsw's and Python's own: each loads the observer, the first is counted.
Usage: two_copies.py DATABASE MODE"""

import json
import sys

import apsw_client
import dbapi_client

for client in (apsw_client, dbapi_client):
    client.observe()
first, second = apsw_client.open(sys.argv[1], 0), dbapi_client.open(sys.argv[1], 0)
first.run("CREATE TABLE t(x)")
for _ in range(10):
    first.run("INSERT INTO t VALUES('first')")
    second.run("INSERT INTO t VALUES('second')")
print(json.dumps({"ok": 11, "status": second.status()}))
