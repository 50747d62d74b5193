#include "test/exporter/sqlite/wal_writers.h"

#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "common/check.h"
#include "test/exporter/sqlite/sqlite_process.h"

namespace outgrown::test {

namespace {

sqlite3* Connect(const std::string& path) {
  sqlite3* database = nullptr;
  OUTGROWN_CHECK(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
  OUTGROWN_CHECK(sqlite3_exec(database, "PRAGMA synchronous=OFF", nullptr, nullptr, nullptr) == SQLITE_OK);
  return database;
}

pid_t Begin(const std::function<void()>& work) {
  const pid_t child = Fork();
  OUTGROWN_CHECK(child >= 0);
  if (child == 0) {
    work();
    ::_exit(0);
  }
  return child;
}

void End(pid_t child) {
  int status = 0;
  OUTGROWN_CHECK(::waitpid(child, &status, 0) == child && status == 0);
}

}  // namespace

void MakeStore(const std::string& path) {
  SqliteProcess maker(path);
  OUTGROWN_CHECK(maker.Exec("PRAGMA journal_mode=WAL; CREATE TABLE t(x)") == SQLITE_OK);
}

void InProcess(const std::function<void()>& work) { End(Begin(work)); }

void WritePerConnection(const std::string& path, int count, double per_second) {
  WritePerConnection(path, count, per_second, [] {});
}

void WritePerConnection(const std::string& path, int count, double per_second,
                        const std::function<void()>& meanwhile) {
  const pid_t writer = Begin([&] {
    auto due = std::chrono::steady_clock::now();
    for (int i = 0; i < count; ++i) {
      sqlite3* database = Connect(path);
      OUTGROWN_CHECK(sqlite3_exec(database, kInsert, nullptr, nullptr, nullptr) == SQLITE_OK);
      OUTGROWN_CHECK(sqlite3_close(database) == SQLITE_OK);
      if (per_second == 0) continue;
      due += std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 / per_second));
      std::this_thread::sleep_until(due);
    }
  });
  meanwhile();
  End(writer);
}

void WritePerProcess(const std::string& path, int count, double per_second) {
  auto due = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) {
    InProcess([&] {
      OUTGROWN_CHECK(sqlite3_exec(Connect(path), kInsert, nullptr, nullptr, nullptr) == SQLITE_OK);
    });
    due += std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 / per_second));
    std::this_thread::sleep_until(due);
  }
}

}  // namespace outgrown::test
