// The promise of decide.hpp: no I/O. A child that may end and do nothing else calls every function: any other system call,
// a read or a write included, kills it with SIGSYS.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "decision/library/decide.hpp"
#include "test/support/child.h"

namespace {

constexpr int kNoFilter = 77;

// From here on this process may end and nothing else. False if the kernel refuses that.
bool ForbidSystemCalls() {
  std::array<sock_filter, 4> program = {{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  }};
  const sock_fprog filter = {program.size(), program.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

struct Decided {
  std::array<std::array<char, 200>, 3> lines;
  std::size_t refused;
  std::size_t digest_bytes;
  std::size_t titles_bytes;
};

}  // namespace

TEST_CASE("a decision, its line and what the spec says make no system call") {
  const outgrown::test::Shared<Decided> decided;
  const std::string end = outgrown::test::RunInChild([&] {
    if (!ForbidSystemCalls()) return kNoFilter;
    const std::array verdicts = {
        outgrown::Decide({{"write_error_ratio", 0.02}, {"servers", 1}}),
        outgrown::Decide({{"no_such_signal", 1}}),
        outgrown::Decide({{"write_error_ratio", 0},
                          {"writes_per_second", 12},
                          {"servers", 1},
                          {"file_size_bytes", 1e9},
                          {"write_p99_seconds", 0.004}}),
    };
    for (std::size_t index = 0; index < verdicts.size(); ++index) {
      std::array<char, 200>& line = decided->lines.at(index);
      outgrown::FormatVerdict(verdicts.at(index), line.data(), line.size());
    }
    decided->refused = verdicts[1].measurements_refused;
    for (std::size_t index = 0; index < outgrown::SignalCount(); ++index)
      decided->titles_bytes += outgrown::Signal(index).title.size();
    decided->digest_bytes = outgrown::SpecDigest().size();
    return 0;
  });
  if (end == "exit 77") {
    MESSAGE("skipped: the kernel refuses a filter on system calls");
    return;
  }
  CHECK(end == "exit 0");
  CHECK(std::string_view(decided->lines[0].data()) == "MIGRATE NOW - Write errors >1% (SQLite saturated)");
  CHECK(std::string_view(decided->lines[1].data()) == "UNDETERMINED - Write errors: not given");
  CHECK(std::string_view(decided->lines[2].data()) == "SQLite sufficient");
  CHECK(decided->refused == 1);
  CHECK(decided->digest_bytes == 64);
  CHECK(decided->titles_bytes > 0);
}

TEST_CASE("a system call that is made all the same is seen") {
  const std::string end = outgrown::test::RunInChild([] {
    if (!ForbidSystemCalls()) return kNoFilter;
    return static_cast<int>(::write(-1, "", 0));
  });
  if (end == "exit 77") {
    MESSAGE("skipped: the kernel refuses a filter on system calls");
    return;
  }
  CHECK(end == "signal " + std::to_string(SIGSYS));
}
