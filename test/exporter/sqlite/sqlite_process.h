// A process of its own that has a SQLite database open, as an application has.
//
// The probes of exporter/sqlite must not share a process with libsqlite3: closing a file drops the POSIX locks that
// SQLite holds on it in the same process. So each connection lives in a forked child that takes its SQL over a socket.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>

namespace outgrown::test {

// Whether the one other thread of this process comes to wait in poll(2) without a time limit, so that nothing but an event
// wakes it, as a watch's does once it has dealt with what there was. False if there is none, or several.
bool WaitsForEvents();

// fork(), once the watch's thread, if there is one, waits for events: a child that allocates would wait for good for the lock of
// AddressSanitizer's allocator if another thread had held that at the fork, as a thread that begins does.
pid_t Fork();

class SqliteProcess {
 public:
  // Forks and opens (or makes) the database; aborts the test program if that fails.
  explicit SqliteProcess(const std::string& path);
  SqliteProcess(const SqliteProcess&) = delete;
  SqliteProcess& operator=(const SqliteProcess&) = delete;
  ~SqliteProcess() { Close(); }

  // Runs SQL to its end and returns SQLite's result code: 0 is SQLITE_OK.
  int Exec(const std::string& sql);

  // The first column of the first row as an integer; aborts if there is none.
  std::int64_t Query(const std::string& sql);

  // Starts to run `sql` `count` times, while *done counts those that SQLite has acknowledged; returns at once. The next
  // call to Exec, Query or Close waits for the end. `done` must be memory shared with the child (SharedCounter).
  void Repeat(const std::string& sql, std::uint64_t count, std::atomic<std::uint64_t>* done);

  // Closes the connection properly and waits for the process.
  void Close();

  pid_t process() const { return child_; }

  // SIGKILL: the connection is closed by nobody.
  void Kill();

 private:
  struct Reply {
    int result_code;
    std::int64_t value;
  };
  void Send(char kind, const std::string& sql) const;
  Reply Receive();
  [[noreturn]] static void Serve(int socket, const std::string& path);

  pid_t child_ = -1;
  int socket_ = -1;
  bool reply_pending_ = false;
};

// A counter in memory that forked children share.
class SharedCounter {
 public:
  SharedCounter();
  SharedCounter(const SharedCounter&) = delete;
  SharedCounter& operator=(const SharedCounter&) = delete;
  ~SharedCounter();
  std::atomic<std::uint64_t>* get() const { return counter_; }
  std::uint64_t value() const { return counter_->load(); }

 private:
  std::atomic<std::uint64_t>* counter_;
};

}  // namespace outgrown::test
