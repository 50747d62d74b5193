// Counts each write to a SQLite store, from C++17.
//
//   c++ -std=c++17 count_writes.cc $(pkg-config --cflags --libs outgrown sqlite3) -pthread -o count_writes
//   OUTGROWN_DIR=/run/user/1000 ./count_writes /tmp/state.db
//
// Four threads write 25 checkpoints each through connections of their own; one transaction is left by an exception, and
// one turns out to have nothing to write.
#include <sqlite3.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <outgrown/outgrown.hpp>

namespace {

using Database = std::unique_ptr<sqlite3, decltype(&sqlite3_close)>;

void Execute(sqlite3* database, const std::string& sql) {
  if (sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return;
  throw std::runtime_error(sql + ": " + sqlite3_errmsg(database));
}

Database Open(const std::string& path) {
  sqlite3* opened = nullptr;
  const int result = sqlite3_open(path.c_str(), &opened);
  Database database(opened, &sqlite3_close);
  if (result != SQLITE_OK) throw std::runtime_error("cannot open " + path);
  Execute(database.get(),
          "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000");
  return database;
}

void WriteCheckpoints(const std::string& path, outgrown::Store& store, int first_id) {
  const Database database = Open(path);
  for (int id = first_id; id < first_id + 25; ++id) {
    outgrown::Write write(store);  // in flight from here on
    Execute(database.get(),
            "INSERT INTO checkpoints VALUES (" + std::to_string(id) + ", 'a small checkpoint')");
    write.Finish(outgrown_outcome_of_sqlite(sqlite3_extended_errcode(database.get())), 18);
  }
}

void Run(const std::string& path) {
  outgrown::StoreOptions options;
  options.application = "example";
  options.database = path.c_str();
  outgrown::Store store("checkpoints", options);
  if (store.error() != nullptr) std::fprintf(stderr, "not counted: %s\n", store.error());

  const Database database = Open(path);
  Execute(database.get(), "CREATE TABLE IF NOT EXISTS checkpoints (id INTEGER PRIMARY KEY, payload TEXT)");
  Execute(database.get(), "DELETE FROM checkpoints");

  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] { WriteCheckpoints(path, store, i * 100); });
  }
  for (std::thread& thread : threads) thread.join();

  try {
    const outgrown::Write write(store);
    Execute(database.get(), "INSERT INTO no_such_table VALUES (1)");
  } catch (const std::runtime_error&) {
    // The write was counted as "other", since no outcome was given.
  }
  outgrown::Write nothing_to_write(store);
  nothing_to_write.Abandon();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: count_writes DATABASE\n");
    return 2;
  }
  try {
    Run(argv[1]);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
  }
  return 0;
}
