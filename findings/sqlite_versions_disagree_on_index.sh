#!/usr/bin/env bash
# Finding: after a change of SQLite's version an UPDATE of any column makes the index on a stored generated column wrong, if that column is the
# text of a REAL (SQLite 3.46.1 and 3.54.1, by apsw 3.46.1.0 and 3.54.1.0).
#
# Guess before the run: the file format is the same; only what is printed of a REAL has changed, from 15 digits to 17, and an index on such an
# expression wants a REINDEX, as integrity_check says.
# Seen: for the generated column integrity_check says ok at first, as nothing compares the stored text with its expression. Then an UPDATE of
# another column computes the text anew and stores it, and leaves the index as it is, since no column that the text is made of was set: the
# row is missing from its index, a look-up by its own value finds nothing, and a DELETE of the row fails with SQLITE_CORRUPT_INDEX, in the new
# version and likewise in the old one on a file of the new one. REINDEX EXPRESSIONS, which the new version has for this change, leaves it
# so; REINDEX repairs it. Of an index on the expression itself integrity_check says at once what is missing, and there the new version's
# DELETE works all the same, while the old one's fails. So two programs with different copies of SQLite on one file, or one upgrade,
# give errors of a damaged file on a sound disk.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for version in 3.46.1 3.54.1; do
  python3 -m venv "$folder/$version"
  "$folder/$version/bin/pip" install --quiet --disable-pip-version-check "apsw==$version.0"
done
cat >"$folder/use.py" <<'PYTHON'
import sys
import apsw

path, index, what = sys.argv[1:]
connection = apsw.Connection(path)

def run(statement):
    try:
        found = connection.execute(statement).fetchall()
        print(f"    {statement}:", found[0][0] if found else "done")
    except apsw.Error as error:
        print(f"    {statement}:", apsw.mapping_extended_result_codes.get(error.extendedresult, error))

print(f"  {apsw.sqlite_lib_version()} {what}")
if what == "makes it":
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE step(id INTEGER PRIMARY KEY, at REAL, note TEXT, label TEXT AS ('at ' || at) STORED)")
    connection.execute(f"CREATE INDEX labels ON step({index})")
    connection.execute("INSERT INTO step(at) VALUES (1764590000.1234567), (1764590001.1234567)")
else:
    run("PRAGMA integrity_check")
    run("UPDATE step SET note = 'seen' WHERE id = 1")
    if index == "label":
        run("SELECT count(*) FROM step WHERE label = (SELECT label FROM step WHERE id = 1)")
        run("REINDEX EXPRESSIONS")
    run("PRAGMA integrity_check")
    run("DELETE FROM step WHERE id = 1")
    run("REINDEX")
    run("PRAGMA integrity_check")
    run("DELETE FROM step WHERE id = 1")
PYTHON
use() { "$folder/$1/bin/python" "$folder/use.py" "$folder/$2-$3.db" "$3" "$4"; }
seen=$(
  for index in label "'at ' || at"; do
    echo "an index on $index"
    use 3.46.1 upgrade "$index" "makes it"
    use 3.54.1 upgrade "$index" "goes on"
    use 3.54.1 downgrade "$index" "makes it"
    use 3.46.1 downgrade "$index" "goes on"
  done
)
echo "$seen"
update="UPDATE step SET note = 'seen' WHERE id = 1: done"
lookup="SELECT count(*) FROM step WHERE label = (SELECT label FROM step WHERE id = 1)"
check="PRAGMA integrity_check"
delete="DELETE FROM step WHERE id = 1"
repair="    REINDEX: done
    $check: ok
    $delete: done"
# column VERSION REINDEX-EXPRESSIONS, expression VERSION DELETE: what VERSION sees with either index in a file of the other version.
column() {
  echo "  $1 goes on
    $check: ok
    $update
    $lookup: 0
    REINDEX EXPRESSIONS: $2
    $check: row 1 missing from index labels
    $delete: SQLITE_CORRUPT_INDEX
$repair"
}
expression() {
  echo "  $1 goes on
    $check: row 1 missing from index labels
    $update
    $check: row 1 missing from index labels
    $delete: $2
$repair"
}
[ "$seen" = "an index on label
  3.46.1 makes it
$(column 3.54.1 "done")
  3.54.1 makes it
$(column 3.46.1 "SQLError: unable to identify the object to be reindexed")
an index on 'at ' || at
  3.46.1 makes it
$(expression 3.54.1 "done")
  3.54.1 makes it
$(expression 3.46.1 SQLITE_CORRUPT_INDEX)" ] || { echo "the behaviour has changed" >&2; exit 1; }
