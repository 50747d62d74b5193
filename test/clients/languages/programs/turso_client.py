"""pyturso, SQLite written anew in Rust: it loads no extension and locks the file for itself. Writes 20 rows, says so, and keeps the
database open. Usage: turso_client.py DATABASE"""

import sys
import threading

import turso

connection = turso.connect(sys.argv[1])
cursor = connection.cursor()
cursor.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, x)")
connection.commit()
for _ in range(20):
    cursor.execute("INSERT INTO t VALUES(NULL, 'a')")
    connection.commit()
print("writing", flush=True)
threading.Event().wait()
