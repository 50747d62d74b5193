#!/usr/bin/env bash
# Finding: .dump of the shell of SQLite 3.54.1 is not what is stored: a REAL has 16 digits in it, and a whole one is an INTEGER (3.54.1 and
# 3.53.4, each by the shell in apsw's wheel of that version).
#
# Guess before the run: .dump, restored, gives the same rows to the last bit, as it always did; SQLite 3.53 has made the text of a REAL longer
# for that.
# Seen: so it is with 3.53.4. In 3.54.1 values go through the format of floating-point numbers that is new in .mode (--fpfmt), with "%0.16g" if
# none is set: 0.30000000000000004 and a time of microseconds are rounded, 100.0 in a column without a type comes back as an integer, so that
# a division of it gives another result, and of two keys that differ in the 17th digit the second one is refused at the restore, which goes on
# and commits. --fpfmt can't mend it: "%.17g" gives no more than 16 digits and the exact "%!.17g" is not accepted. INSERT of .mode insert and
# .mode json round likewise. .backup and the program sqlite3_dbdump of the same version are exact. A restore without an error is no
# sign that it is the same database; its hash is.
#
# Needs Python 3.11 or newer with venv on Linux, and PyPI. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for version in 3.53.4 3.54.1; do
  python3 -m venv "$version"
  "$version/bin/pip" install --quiet --disable-pip-version-check "apsw==$version.0"
done
tool() { "$(echo "$1"/lib/python3*/site-packages/apsw/sqlite_extra_binaries)/sqlite3_$2" "${@:3}"; }
hash_of() { tool 3.54.1 dbhash "$1" | cut -d' ' -f1; }
tool 3.54.1 shell store.db "CREATE TABLE step(id INTEGER PRIMARY KEY, at REAL UNIQUE, cost)" \
  "INSERT INTO step VALUES (1, 1764590000.1234567, 100.0), (2, 0.1 + 0.2, 7), (3, 0.3, 0.5)"
# restored NAME COMMAND...: what NAME.db, made of the SQL that the command prints, has.
restored() {
  "${@:2}" >"$1.sql"
  if tool 3.54.1 shell "$1.db" <"$1.sql" 2>errors; then ended="no error"; else ended=$(grep -o 'UNIQUE.*' errors); fi
  if [ "$(hash_of "$1.db")" = "$(hash_of store.db)" ]; then same="equal"; else same="another"; fi
  echo "$1: $same, $ended"
  tool 3.53.4 shell "$1.db" "SELECT '  ', id, at, cost, typeof(cost), cost / 3 FROM step"
}
seen=$(
  restored dump-3.53.4 tool 3.53.4 shell store.db .dump
  restored dump-3.54.1 tool 3.54.1 shell store.db .dump
  restored dump-3.54.1-17g tool 3.54.1 shell store.db ".mode list --fpfmt %.17g" .dump
  restored dbdump-3.54.1 tool 3.54.1 dbdump store.db
  tool 3.54.1 shell store.db ".backup backup.db"
  restored backup-3.54.1 tool 3.53.4 shell backup.db .dump
  echo "formats of 3.54.1"
  tool 3.54.1 shell store.db ".mode --fpfmt %!.17g" 2>&1 | grep -o "not a valid.*"
  for mode in list quote insert json; do
    tool 3.54.1 shell store.db ".mode $mode" "SELECT at FROM step WHERE id = 2"
  done
)
echo "$seen"
exact="  |1|1764590000.1234567|100.0|real|33.333333333333336
  |2|0.30000000000000004|7|integer|2
  |3|0.3|0.5|real|0.16666666666666666"
rounded="another, UNIQUE constraint failed: step.at
  |1|1764590000.123457|100|integer|33
  |2|0.3|7|integer|2"
[ "$seen" = "dump-3.53.4: equal, no error
$exact
dump-3.54.1: $rounded
dump-3.54.1-17g: $rounded
dbdump-3.54.1: equal, no error
$exact
backup-3.54.1: equal, no error
$exact
formats of 3.54.1
not a valid floating-point format
0.30000000000000004
0.30000000000000004
INSERT INTO tab VALUES(0.3);
[{\"at\":0.3}]" ] || { echo "the behaviour has changed" >&2; exit 1; }
