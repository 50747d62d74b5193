#!/usr/bin/env bash
# The work that ../cases.py describes, with the sqlite3 shell, which goes on after an error. Usage: script.sh DATABASE MODE
set -euo pipefail
database=$1 mode=$2
insert="INSERT INTO t VALUES(NULL, 'a');"
again="INSERT INTO t VALUES(1, 'again');"
lines=() attempts=()

line() { lines+=("$@"); }

# A statement whose outcome counts, known by the number of its line.
attempt() {
  lines+=("$1")
  attempts+=("${#lines[@]}")
}

if [ "${OBSERVED:-}" = yes ]; then
  line ".load /usr/lib/x86_64-linux-gnu/outgrown/outgrown_sqlite"
fi
case "$mode" in
  script)
    attempt "PRAGMA journal_mode = WAL;"
    attempt "CREATE TABLE t(id INTEGER PRIMARY KEY, x);"
    for _ in {1..20}; do attempt "$insert"; done
    for _ in {1..5}; do
      line "BEGIN;" "$insert" "$insert" "$insert"
      attempt "COMMIT;"
    done
    for _ in {1..3}; do attempt "$again"; done
    for _ in {1..2}; do line "BEGIN;" "$insert" "ROLLBACK;"; done
    line "BEGIN;" "$insert" "$again"
    attempt "COMMIT;"
    line "BEGIN;" "$insert"
    attempt "$again"
    line "ROLLBACK;" "DELETE FROM t WHERE id = -1;"
    line ".connection 1" ".open $database" "BEGIN IMMEDIATE;" ".connection 0"
    for _ in {1..4}; do attempt "$insert"; done
    attempt "BEGIN IMMEDIATE;"
    line ".connection 1" "ROLLBACK;" ".connection 0" "BEGIN;" "SELECT count(*) FROM t;" ".connection 1"
    attempt "$insert"
    line ".connection 0"
    attempt "$insert"
    from_old_snapshot=${#lines[@]} # the shell says "locked"; but nobody has the lock
    line "ROLLBACK;"
    printf '%s\n' "${lines[@]}" | sqlite3 "$database" >/dev/null 2>errors.txt || true # its status is the last statement's
    declare -A seen=([ok]=0 [busy]=0 [busy_snapshot]=0 [constraint]=0)
    for number in "${attempts[@]}"; do
      case $(grep "near line $number:" errors.txt || true) in
        *"UNIQUE constraint failed"*) reason=constraint ;;
        *"database is locked"*) if [ "$number" = "$from_old_snapshot" ]; then reason=busy_snapshot; else reason=busy; fi ;;
        "") reason=ok ;;
        *) cat errors.txt >&2 && exit 1 ;;
      esac
      seen[$reason]=$((seen[$reason] + 1))
    done
    printf '{"ok": %d, "busy": %d, "busy_snapshot": %d, "constraint": %d}\n' \
      "${seen[ok]}" "${seen[busy]}" "${seen[busy_snapshot]}" "${seen[constraint]}"
    ;;
  rows) sqlite3 "$database" "SELECT count(*) FROM t" ;;
  *) # no threads
    line ".timeout 60000"
    for _ in {1..100}; do line "$insert"; done
    case "$mode" in
      threads)
        printf '{"ok": 100}\n' >truth.json # the shell itself would keep it in a buffer
        { printf '%s\n' "${lines[@]}" ".shell cat truth.json" && cat; } | sqlite3 -bail "$database"
        ;;
      exit) printf '%s\n' "${lines[@]}" "BEGIN;" "$insert" ".exit 0" | sqlite3 -bail "$database" ;;
      *) exec sqlite3 -bail "$database" < <(
        printf '%s\n' "${lines[@]}" ".shell echo writing"
        exec yes "$insert"
      ) ;;
    esac
    ;;
esac
