// The exporter itself: its build, and its process under the names that every Prometheus client uses. Source:
// proc(5).
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <sstream>
#include <system_error>

#include "common/file.h"
#include "exporter/collectors/collectors.h"

namespace outgrown::exporter {
namespace {

#if defined(__clang__)
constexpr std::string_view kCompiler = "clang " __clang_version__;
#else
constexpr std::string_view kCompiler = "gcc " __VERSION__;
#endif

// /proc/self/stat from its third field on; the second is the program's name in parentheses and may hold
// anything.
struct ProcessStat {
  std::uint64_t user_ticks = 0;
  std::uint64_t system_ticks = 0;
  std::uint64_t threads = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t resident_pages = 0;
};

Result<ProcessStat> ReadProcessStat() {
  constexpr std::string_view kPath = "/proc/self/stat";
  const Result<std::string> text = ReadFile(kPath);
  if (!text) return text.error();
  const std::size_t end_of_name = text->rfind(')');
  if (end_of_name == std::string::npos) return Error{"has no program name", std::string(kPath)};
  std::istringstream fields(text->substr(end_of_name + 1));
  ProcessStat stat;
  std::string skipped;
  // The numbers of proc(5): utime 14, stime 15, num_threads 20, vsize 23, rss 24. vsize is in bytes, rss in
  // pages, the times in ticks of sysconf(_SC_CLK_TCK).
  for (int field = 3; field <= 24 && fields; ++field) {
    switch (field) {
      case 14:
        fields >> stat.user_ticks;
        break;
      case 15:
        fields >> stat.system_ticks;
        break;
      case 20:
        fields >> stat.threads;
        break;
      case 23:
        fields >> stat.virtual_bytes;
        break;
      case 24:
        fields >> stat.resident_pages;
        break;
      default:
        fields >> skipped;
    }
  }
  if (!fields) return Error{"has too few fields", std::string(kPath)};
  return stat;
}

// Open descriptors, less the one that counts them.
Result<double> CountDescriptors() {
  std::error_code failed;
  double count = -1;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", failed), end; !failed && entry != end;
       entry.increment(failed)) {
    ++count;
  }
  if (failed) return Error{failed.message(), "/proc/self/fd"};
  return count;
}

}  // namespace

Result<void> CollectBuildInfo(const Settings& settings, Samples& samples) {
  samples.Set("checkpoint_exporter_build_info", {settings.version, kCompiler}, 1);
  return {};
}

Result<void> CollectProcess(const Settings& settings, Samples& samples) {
  samples.Set("process_start_time_seconds", {}, settings.start_time_unix_seconds);
  rlimit files = {};
  // The soft limit, as the other clients show it. WalWatch raises it (wal_watch.cc).
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0)
    samples.Set("process_max_fds", {}, static_cast<double>(files.rlim_cur));

  const Result<ProcessStat> stat = ReadProcessStat();
  // What was set before stays: a part that fails costs its own samples only.
  if (!stat) return stat.error();
  const auto ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto page_bytes = static_cast<double>(::sysconf(_SC_PAGESIZE));
  samples.Set("process_cpu_seconds_total", {},
              static_cast<double>(stat->user_ticks + stat->system_ticks) / ticks_per_second);
  samples.Set("process_resident_memory_bytes", {}, static_cast<double>(stat->resident_pages) * page_bytes);
  samples.Set("process_virtual_memory_bytes", {}, static_cast<double>(stat->virtual_bytes));
  samples.Set("process_threads", {}, static_cast<double>(stat->threads));

  const Result<double> descriptors = CountDescriptors();
  if (!descriptors) return descriptors.error();
  samples.Set("process_open_fds", {}, *descriptors);
  return {};
}

}  // namespace outgrown::exporter
