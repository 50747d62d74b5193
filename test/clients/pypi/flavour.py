"""Which SQLite the test runs on. To be imported before anything that imports sqlite3.

$OUTGROWN_TEST_SQLITE names a folder with pysqlite3, the standard library's sqlite3 module as a package of its own. It
takes sqlite3's place, as people do who need another SQLite than their Python's.
"""

import os
import sys

FOLDER = os.environ.get("OUTGROWN_TEST_SQLITE", "")
if FOLDER:
    sys.path.insert(0, FOLDER)
    import pysqlite3
    import pysqlite3.dbapi2

    sys.modules["sqlite3"] = pysqlite3
    sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2
