# The work that ../cases.py describes, with ruby-sqlite3. Usage: ruby script.rb DATABASE MODE
require "json"
require "sqlite3"

INSERT = "INSERT INTO t VALUES(NULL, 'a')"
AGAIN = "INSERT INTO t VALUES(1, 'again')"
REASONS = { 5 => :busy, 517 => :busy_snapshot, 1555 => :constraint }
SEEN = { ok: 0, busy: 0, busy_snapshot: 0, constraint: 0 }

def observe
  database = SQLite3::Database.new(":memory:")
  database.enable_load_extension(true)
  database.load_extension("/usr/lib/x86_64-linux-gnu/outgrown/outgrown_sqlite")
end

def connect(path, timeout)
  database = SQLite3::Database.new(path)
  database.extended_result_codes = true
  database.busy_timeout = timeout
  database
end

def attempt(database, *statements)
  statements.each { |statement| database.execute(statement) }
  SEEN[:ok] += 1
rescue SQLite3::Exception => error
  SEEN[REASONS.fetch(error.code)] += 1
end

def script(path)
  one = connect(path, 0)
  other = connect(path, 0)
  attempt(one, "PRAGMA journal_mode = WAL")
  attempt(one, "CREATE TABLE t(id INTEGER PRIMARY KEY, x)")
  20.times { attempt(one, INSERT) }
  5.times { attempt(one, "BEGIN", INSERT, INSERT, INSERT, "COMMIT") }
  3.times { attempt(one, AGAIN) }
  2.times { ["BEGIN", INSERT, "ROLLBACK"].each { |statement| one.execute(statement) } }
  one.execute("BEGIN")
  one.execute(INSERT)
  begin
    one.execute(AGAIN)
  rescue SQLite3::ConstraintException
  end
  attempt(one, "COMMIT")
  attempt(one, "BEGIN", INSERT, AGAIN)
  one.execute("ROLLBACK")
  one.execute("DELETE FROM t WHERE id = -1")

  other.execute("BEGIN IMMEDIATE")
  4.times { attempt(one, INSERT) }
  attempt(one, "BEGIN IMMEDIATE")
  other.execute("ROLLBACK")
  one.execute("BEGIN")
  one.get_first_value("SELECT count(*) FROM t")
  attempt(other, INSERT)
  attempt(one, INSERT)
  one.execute("ROLLBACK")
  other.close
  one.close
end

# Four threads with a connection each; returns when each has written `count` rows, or 50 of endlessly many (nil).
def write(path, count)
  done = Queue.new
  4.times do
    Thread.new do
      database = connect(path, 60_000)
      (1..(count || Float::INFINITY)).each do |row|
        database.execute("INSERT INTO t VALUES(NULL, 'thread')")
        done << true if row == (count || 50)
      end
    end
  end
  4.times { done.pop }
end

Thread.abort_on_exception = true
path, mode = ARGV
observe if ENV["OBSERVED"] == "yes"
case mode
when "script"
  script(path)
  puts JSON.generate(SEEN)
when "rows"
  puts connect(path, 60_000).get_first_value("SELECT count(*) FROM t")
when "threads"
  held = connect(path, 60_000)
  held.execute("SELECT count(*) FROM t")
  write(path, 25)
  puts JSON.generate({ ok: 100 })
  $stdout.flush
  $stdin.read
  held.close
when "exit"
  write(path, nil)
  exit(0)
else
  write(path, nil)
  puts "writing"
  $stdout.flush
  sleep
end
