#!/usr/bin/env bash
# Finding: the two SQLite session services of Google's ADK use the same tables of one file, and one session that DatabaseSessionService creates
# there takes the list of all sessions from SqliteSessionService, which `adk web` uses (google-adk 2.13.0).
#
# Guess before the run: either refuses the other's file at the start, as SqliteSessionService does with an older layout, or both read and
# write all sessions.
# Seen: neither. Both start without a word; DatabaseSessionService adds an index and a table of metadata, and reads what SqliteSessionService has
# stored, but appends to it only if the application's state has a row: else a ValueError. SqliteSessionService writes times as numbers,
# DatabaseSessionService as text, and the first fails at text with a ValidationError: for the one session in get_session(), but in
# list_sessions() for all sessions of this user, and for all users when none is named, its own ones too. These it still reads and
# writes one by one. Deleting the foreign session through SqliteSessionService, which works, brings the list back.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check google-adk==2.13.0 aiosqlite==0.22.1 sqlalchemy==2.1.9 greenlet
cat >"$folder/services.py" <<'PYTHON'
import asyncio, sys
from google.adk.events import Event
from google.adk.sessions import DatabaseSessionService
from google.adk.sessions.sqlite_session_service import SqliteSessionService

path = sys.argv[1]
application = {"app_name": "shop"}
user = {**application, "user_id": "ann"}

async def attempt(what, call):
    try:
        print(f"  {what}:", await call)
    except ValueError as error:  # pydantic's ValidationError is one
        print(f"  {what}:", type(error).__name__)

async def events(service, session):
    return len((await service.get_session(**user, session_id=session)).events)

async def append(service, session):
    await service.append_event(await service.get_session(**user, session_id=session), Event(author="user", invocation_id="i"))
    return "ok"

async def create(service, session):
    return (await service.create_session(**user, session_id=session)).id

async def sessions(service, **whose):
    return " ".join(sorted(session.id for session in (await service.list_sessions(**whose)).sessions))

async def delete(service, session):
    await service.delete_session(**user, session_id=session)
    return "ok"

async def main():
    sqlite = SqliteSessionService(path)
    print("SqliteSessionService")
    await attempt("creates", create(sqlite, "one"))
    await attempt("appends to it", append(sqlite, "one"))
    database = DatabaseSessionService(f"sqlite+aiosqlite:///{path}")
    print("DatabaseSessionService")
    await attempt("lists", sessions(database, **user))
    await attempt("events of one", events(database, "one"))
    await attempt("appends to it", append(database, "one"))
    await attempt("creates", create(database, "two"))
    print("SqliteSessionService, started anew")
    sqlite = SqliteSessionService(path)
    await attempt("lists", sessions(sqlite, **user))
    await attempt("lists all users", sessions(sqlite, **application))
    await attempt("events of one", events(sqlite, "one"))
    await attempt("appends to it", append(sqlite, "one"))
    await attempt("events of two", events(sqlite, "two"))
    await attempt("deletes two", delete(sqlite, "two"))
    await attempt("lists", sessions(sqlite, **user))
    await database.close()

asyncio.run(main())
PYTHON
seen=$("$folder/venv/bin/python" "$folder/services.py" "$folder/store.db" 2>"$folder/log") || { cat "$folder/log" >&2; exit 1; }
echo "$seen"
[ "$seen" = "SqliteSessionService
  creates: one
  appends to it: ok
DatabaseSessionService
  lists: one
  events of one: 1
  appends to it: ValueError
  creates: two
SqliteSessionService, started anew
  lists: ValidationError
  lists all users: ValidationError
  events of one: 1
  appends to it: ok
  events of two: ValidationError
  deletes two: ok
  lists: one" ] || { cat "$folder/log" >&2; echo "the behaviour has changed" >&2; exit 1; }
