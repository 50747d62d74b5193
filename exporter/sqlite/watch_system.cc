#include "exporter/sqlite/watch_system.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace outgrown::exporter::sqlite {

bool IsLocal(const std::string& folder) {
  constexpr std::array<std::uint32_t, 14> kElsewhere = {
      0x6969,      // NFS
      0x517B,      // SMB
      0xFF534D42,  // CIFS
      0xFE534D42,  // SMB2
      0x65735546,  // FUSE
      0x01021997,  // 9P
      0x5346414F,  // AFS
      0x6B414653,  // kAFS
      0x73757245,  // Coda
      0x00C36400,  // Ceph
      0x01161970,  // GFS2
      0x7461636F,  // OCFS2
      0x0BD00BD0,  // Lustre
      0x786F4256,  // VirtualBox
  };
  struct statfs status = {};
  // Also if the file system doesn't answer: then this thread is stuck, and not the watch, whose lock isn't
  // held here.
  if (::statfs(folder.c_str(), &status) != 0) return false;
  return std::ranges::find(kElsewhere, static_cast<std::uint32_t>(status.f_type)) == kElsewhere.end();
}

void AllowDescriptors() {
  struct rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  // The soft limit may be raised up to the hard one by every process (man 2 getrlimit).
  limit.rlim_cur = std::max(limit.rlim_cur, std::min<rlim_t>(limit.rlim_max, 65536));
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void AskForPromptness() {
  ::prctl(PR_SET_TIMERSLACK, 1'000);  // ns
  struct Attributes {
    std::uint32_t size, policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime_ns, deadline_ns, period_ns;
  };
  constexpr std::uint64_t kSliceNs = 100'000;
  const std::array<Attributes, 3> wishes = {
      Attributes{sizeof(Attributes), SCHED_RR, 0, 0, 1, 0, 0, 0},
      Attributes{sizeof(Attributes), SCHED_OTHER, 0, -10, 0, kSliceNs, 0, 0},
      Attributes{sizeof(Attributes), SCHED_OTHER, 0, ::getpriority(PRIO_PROCESS, 0), 0, kSliceNs, 0, 0}};
  for (const Attributes& wish : wishes) {
    // 0 is the calling thread. glibc has no wrapper before 2.41. A kernel that doesn't know a custom slice
    // ignores it.
    if (::syscall(SYS_sched_setattr, 0, &wish, 0) == 0) return;
  }
}

}  // namespace outgrown::exporter::sqlite
