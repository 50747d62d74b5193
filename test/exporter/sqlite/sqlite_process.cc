#include "test/exporter/sqlite/sqlite_process.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <new>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "common/check.h"

namespace outgrown::test {
namespace {

constexpr std::size_t kMessageBytesMax = 65536;

struct RepeatOrder {
  std::uint64_t count;
  std::atomic<std::uint64_t>* done;
};

int RunQuery(sqlite3* database, const std::string& sql, std::int64_t& value) {
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr);
  if (code != SQLITE_OK) return code;
  code = sqlite3_step(statement);
  if (code == SQLITE_ROW) value = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  return code == SQLITE_ROW ? SQLITE_OK : SQLITE_ERROR;
}

}  // namespace

// proc(5): a task's `syscall` has the number of its system call, then the arguments in hexadecimal.
bool WaitsForEvents() {
#ifdef SYS_poll
  const std::string poll = std::to_string(SYS_poll);
  // -1 as an int, whose upper half glibc 2.41 (Debian 13) sets as well.
  const auto is_none = [](const std::string& limit) {
    return limit == "0xffffffff" || limit == "0xffffffffffffffff";
  };
#else
  const std::string poll = std::to_string(SYS_ppoll);
  const auto is_none = [](const std::string& limit) { return limit == "0x0"; };
#endif
  std::vector<std::filesystem::path> others;
  for (const std::filesystem::directory_entry& task :
       std::filesystem::directory_iterator("/proc/self/task")) {
    if (task.path().filename() != std::to_string(::gettid())) others.push_back(task.path());
  }
  if (others.size() != 1) return false;
  // Until it has dealt with the events of the beginning.
  while (true) {
    std::ifstream file(others[0] / "syscall");
    std::string number;
    std::string descriptors;
    std::string count;
    std::string limit;
    if (!(file >> number)) return false;
    // Stopped and continued, it waits in another one, which has no arguments; then nothing was there to deal with.
    if (number == std::to_string(SYS_restart_syscall)) return true;
    if (number == poll && file >> descriptors >> count >> limit) return is_none(limit);
    std::this_thread::yield();
  }
}

pid_t Fork() {
  WaitsForEvents();
  return ::fork();
}

SqliteProcess::SqliteProcess(const std::string& path) {
  std::array<int, 2> sockets = {};
  OUTGROWN_CHECK(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets.data()) == 0);
  child_ = Fork();
  OUTGROWN_CHECK(child_ >= 0);
  if (child_ == 0) {
    ::close(sockets[0]);
    Serve(sockets[1], path);
  }
  ::close(sockets[1]);
  socket_ = sockets[0];
  OUTGROWN_CHECK(Exec("") == SQLITE_OK);
}

void SqliteProcess::Serve(int socket, const std::string& path) {
  sqlite3* database = nullptr;
  if (sqlite3_open(path.c_str(), &database) != SQLITE_OK) ::_exit(1);
  std::string message(kMessageBytesMax, '\0');
  while (true) {
    const ssize_t size = ::recv(socket, message.data(), message.size(), 0);
    if (size <= 0) break;
    const char kind = message[0];
    Reply reply = {};
    if (kind == 'q') {
      reply.result_code =
          RunQuery(database, message.substr(1, static_cast<std::size_t>(size) - 1), reply.value);
    } else if (kind == 'r') {
      RepeatOrder order = {};
      std::memcpy(&order, message.data() + 1, sizeof order);
      const std::string sql =
          message.substr(1 + sizeof order, static_cast<std::size_t>(size) - 1 - sizeof order);
      for (std::uint64_t i = 0; i < order.count && reply.result_code == SQLITE_OK; ++i) {
        reply.result_code = sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr);
        if (reply.result_code == SQLITE_OK) order.done->fetch_add(1);
      }
    } else {
      const std::string sql = message.substr(1, static_cast<std::size_t>(size) - 1);
      reply.result_code = sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr);
    }
    if (::send(socket, &reply, sizeof reply, MSG_NOSIGNAL) != sizeof reply) break;
  }
  sqlite3_close(database);
  ::_exit(0);
}

void SqliteProcess::Send(char kind, const std::string& sql) const {
  const std::string message = kind + sql;
  OUTGROWN_CHECK(message.size() <= kMessageBytesMax);
  OUTGROWN_CHECK(::send(socket_, message.data(), message.size(), MSG_NOSIGNAL) ==
                 static_cast<ssize_t>(message.size()));
}

SqliteProcess::Reply SqliteProcess::Receive() {
  Reply reply = {};
  ssize_t size = 0;
  do {
    size = ::recv(socket_, &reply, sizeof reply, 0);
  } while (size < 0 && errno == EINTR);
  OUTGROWN_CHECK(size == sizeof reply);
  return reply;
}

int SqliteProcess::Exec(const std::string& sql) {
  if (std::exchange(reply_pending_, false)) OUTGROWN_CHECK(Receive().result_code == SQLITE_OK);
  Send('e', sql);
  return Receive().result_code;
}

std::int64_t SqliteProcess::Query(const std::string& sql) {
  if (std::exchange(reply_pending_, false)) OUTGROWN_CHECK(Receive().result_code == SQLITE_OK);
  Send('q', sql);
  const Reply reply = Receive();
  OUTGROWN_CHECK(reply.result_code == SQLITE_OK);
  return reply.value;
}

void SqliteProcess::Repeat(const std::string& sql, std::uint64_t count, std::atomic<std::uint64_t>* done) {
  const RepeatOrder order{count, done};
  std::string message(sizeof order, '\0');
  std::memcpy(message.data(), &order, sizeof order);
  Send('r', message + sql);
  reply_pending_ = true;
}

void SqliteProcess::Close() {
  if (child_ < 0) return;
  if (std::exchange(reply_pending_, false)) OUTGROWN_CHECK(Receive().result_code == SQLITE_OK);
  ::shutdown(socket_, SHUT_RDWR);  // not only close: a later child has inherited the socket
  ::close(socket_);
  int status = 0;
  OUTGROWN_CHECK(::waitpid(std::exchange(child_, -1), &status, 0) > 0);
  OUTGROWN_CHECK(status == 0);
}

void SqliteProcess::Kill() {
  ::kill(child_, SIGKILL);
  ::close(socket_);
  ::waitpid(std::exchange(child_, -1), nullptr, 0);
  reply_pending_ = false;
}

SharedCounter::SharedCounter() {
  void* memory = ::mmap(nullptr, sizeof *counter_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  OUTGROWN_CHECK(memory != MAP_FAILED);
  counter_ = new (memory) std::atomic<std::uint64_t>(0);
}

SharedCounter::~SharedCounter() { ::munmap(counter_, sizeof *counter_); }

}  // namespace outgrown::test
