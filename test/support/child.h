// Child processes for tests: run a function in a fork, look at how it ended.
#pragma once

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdio>
#include <new>
#include <string>

#include "common/check.h"

namespace outgrown::test {

// Runs `body` in a forked child, which ends with its return value and without destructors or exit handlers.
template <typename Body>
pid_t Fork(Body&& body) {
  std::fflush(nullptr);  // or the child prints it again: some sanitizers flush at _exit
  const pid_t pid = ::fork();
  OUTGROWN_CHECK(pid >= 0);
  if (pid == 0) ::_exit(body());
  return pid;
}

// How a child ended: "exit 3", "signal 9".
inline std::string Wait(pid_t pid) {
  int status = 0;
  OUTGROWN_CHECK(::waitpid(pid, &status, 0) == pid);
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return "exit " + std::to_string(WEXITSTATUS(status));
}

inline std::string Kill(pid_t pid) {
  OUTGROWN_CHECK(::kill(pid, SIGKILL) == 0);
  return Wait(pid);
}

template <typename Body>
std::string RunInChild(Body&& body) {
  return Wait(Fork(body));
}

// A T that this process and its children share.
template <typename T>
class Shared {
 public:
  Shared() {
    void* memory = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    OUTGROWN_CHECK(memory != MAP_FAILED);
    value_ = new (memory) T{};
  }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  ~Shared() { ::munmap(value_, sizeof(T)); }
  T* operator->() const { return value_; }
  T& operator*() const { return *value_; }

 private:
  T* value_ = nullptr;
};

// Two processes wait for each other by bytes in a pipe.
class Gate {
 public:
  Gate() { OUTGROWN_CHECK(::pipe(ends_) == 0); }
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  void Open() const {
    const char byte = 1;
    OUTGROWN_CHECK(::write(ends_[1], &byte, 1) == 1);
  }
  void Pass() const {
    char byte = 0;
    OUTGROWN_CHECK(::read(ends_[0], &byte, 1) == 1);
  }

 private:
  int ends_[2] = {-1, -1};
};

}  // namespace outgrown::test
