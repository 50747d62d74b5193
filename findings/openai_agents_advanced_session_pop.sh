#!/usr/bin/env bash
# Finding: one pop_item() of AdvancedSQLiteSession deletes every message of the conversation that another session class has stored
# (openai-agents 0.24.0).
#
# Guess before the run: AdvancedSQLiteSession, a subclass of SQLiteSession with the same tables and more of its own, goes on with a conversation
# that SQLiteSession began, and pop_item() removes its last message.
# Seen: it sees only what it has stored itself, as it looks for each message in its own table of the structure, which other sessions don't
# write. Nothing says so: the conversation looks empty, while SQLiteSession shows all of it. pop_item() then returns the last message,
# and in the same transaction deletes as orphans all messages of this conversation without a row in that table: three that SQLiteSession had
# stored are gone. A pop_item() that finds nothing (returns None) deletes nothing. Other conversations in the file are left as they were. So
# after an upgrade from one class to the other, or with a second program that still uses the plain one, the history goes with the
# first message that is taken back.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openai-agents==0.24.0
cat >"$folder/sessions.py" <<'PYTHON'
import asyncio, sys
from agents import SQLiteSession
from agents.extensions.memory import AdvancedSQLiteSession

path = sys.argv[1]

async def add(session, *texts):
    await session.add_items([{"role": "user", "content": text} for text in texts])

async def show(when, **sessions):
    print(when)
    for name, session in sessions.items():
        print(f"  {name}:", *[item["content"] for item in await session.get_items()] or ["(nothing)"])

async def main():
    plain, another = SQLiteSession("a", path), SQLiteSession("b", path)
    await add(plain, "1", "2", "3")
    await add(another, "x", "y")
    advanced = AdvancedSQLiteSession(session_id="a", db_path=path, create_tables=True)
    print("popped:", await advanced.pop_item())
    await show("begun by SQLiteSession", plain=plain, advanced=advanced)
    await add(advanced, "4")
    await show("a message by AdvancedSQLiteSession", plain=plain, advanced=advanced)
    print("popped:", (await advanced.pop_item())["content"])
    await show("after that", plain=plain, advanced=advanced, another=another)
    for session in (plain, another, advanced):
        session.close()

asyncio.run(main())
PYTHON
seen=$("$folder/venv/bin/python" "$folder/sessions.py" "$folder/store.db")
echo "$seen"
[ "$seen" = "popped: None
begun by SQLiteSession
  plain: 1 2 3
  advanced: (nothing)
a message by AdvancedSQLiteSession
  plain: 1 2 3 4
  advanced: 4
popped: 4
after that
  plain: (nothing)
  advanced: (nothing)
  another: x y" ] || { echo "the behaviour has changed" >&2; exit 1; }
