// outgrown-exporter: options, signals, and the server.
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>

#include "common/digest.h"
#include "common/exit_status.h"
#include "common/result.h"
#include "common/text.h"
#include "exporter/collectors/samples.h"
#include "exporter/http_server.h"
#include "exporter/log.h"
#include "exporter/logins.h"
#include "exporter/options.h"
#include "exporter/pages.h"
#include "exporter/scrape.h"
#include "exporter/web_config.h"
#include "thresholds/parse.h"
#include "thresholds/spec_table.h"
#include "thresholds/table.h"

namespace outgrown::exporter {
namespace {

// Blocks the signals that end the exporter, in this thread and all that it starts, so that sigwait takes
// them.
sigset_t BlockEndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  // Before any thread is started: they inherit the mask, and a signal to the process waits for sigwait.
  // SIGHUP keeps its default; there is no configuration to read again.
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// glibc gives threads their own heaps, each of which keeps the memory of its largest scrape: a gigabyte in
// all with a fleet's decisions. One heap for all returns free memory at its end, and large blocks as soon as
// they are free.
void KeepLittleMemory() {
  mallopt(M_ARENA_MAX, 1);
  // Setting it also stops glibc from raising it at run time.
  mallopt(M_MMAP_THRESHOLD, kMappingBytes);
}

// The table of a spec, or why there is none.
struct TableSource {
  std::optional<spec::OwnedTable> owned;  // nothing: the compiled table
  int status = 0;                         // kExitOk, or what to exit with
  std::string problem;                    // one line for each error of the spec; empty if status is kExitOk

  const Table& table() const { return owned ? owned->table() : CompiledTable(); }
};

// Reads the spec, or takes the compiled table if `spec_file` is empty.
TableSource LoadTable(const std::string& spec_file) {
  TableSource source;
  if (spec_file.empty()) return source;
  const spec::LoadedSpec loaded = spec::LoadSpec(spec_file);
  for (const spec::Diagnostic& diagnostic : loaded.diagnostics) {
    source.problem += spec::FormatDiagnosticWithSource(diagnostic, loaded.source) + "\n";
  }
  if (!loaded.spec) {
    source.status = loaded.unreadable ? kExitFailure : kExitInvalidSpec;
    return source;
  }
  source.owned = spec::MakeTable(*loaded.spec);
  return source;
}

double NowUnixSeconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<double>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count()) / 1000;
}

Settings MakeSettings(const Options& options, const Table& table) {
  Settings settings;
  settings.version = OUTGROWN_VERSION;
  settings.servers = options.servers;
  settings.shared_id = options.shared_id;
  settings.decision_log = options.decision_log;
  settings.table = &table;
  // A few milliseconds after the process began; nobody compares it closer than by scrapes.
  settings.start_time_unix_seconds = NowUnixSeconds();
  return settings;
}

// systemd's notify socket, without its library. Source: sd_notify(3). Nothing happens if systemd doesn't ask
// for it.
void Notify(const std::string& state) {
  const char* const path = ::secure_getenv("NOTIFY_SOCKET");
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path == nullptr || (path[0] != '/' && path[0] != '@') || std::strlen(path) >= sizeof address.sun_path)
    return;
  std::memcpy(address.sun_path, path, std::strlen(path));
  if (path[0] == '@') address.sun_path[0] = '\0';  // an abstract one
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  // Without the terminator: an abstract name ends with the address, and would have a NUL more otherwise (man
  // 7 unix).
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(path));
  ::sendto(fd, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), size);
  ::close(fd);
}

// The watchdog's period; nothing if there is no watchdog. Source: sd_watchdog_enabled(3).
std::optional<std::chrono::microseconds> WatchdogPeriod() {
  const char* const period = ::secure_getenv("WATCHDOG_USEC");
  const char* const pid = ::secure_getenv("WATCHDOG_PID");
  // WATCHDOG_PID names the process that is to answer; a child inherits the variables.
  if (period == nullptr || (pid != nullptr && std::to_string(::getpid()) != pid)) return std::nullopt;
  const std::optional<double> microseconds = ParseNumber(period);
  if (!microseconds || !(*microseconds >= 1000 && *microseconds < 1e15)) return std::nullopt;
  return std::chrono::microseconds(static_cast<std::int64_t>(*microseconds));
}

// Feeds the watchdog for as long as the pages answer, so that systemd restarts a process that lives but does
// not serve. On a thread of its own, since an answer may be waited for, and a signal meanwhile must be taken.
class WatchdogFeeder {
 public:
  explicit WatchdogFeeder(const HttpServer& server) {
    const std::optional<std::chrono::microseconds> period = WatchdogPeriod();
    if (!period) return;
    // sd_watchdog_enabled(3) recommends half of the period; a third leaves room for one slow answer.
    thread_ = std::jthread([&server, pause = *period / 3](const std::stop_token& end) {
      std::mutex mutex;
      std::condition_variable_any ended;
      std::unique_lock<std::mutex> lock(mutex);
      while (!ended.wait_for(lock, end, pause, [&] { return end.stop_requested(); })) {
        if (server.Answers()) Notify("WATCHDOG=1");
      }
    });
  }
  // A request that is under way ends with the server.
  void Stop() { thread_.request_stop(); }

 private:
  std::jthread thread_;
};

// At the start, since the first scrape may be far off, and is not where one looks who has mistyped a path. No error: what
// is missing may come.
void LogSources(const StoreSources& sources, const Log& log) {
  const FoundStores found = FindStores(sources);
  for (const Error& problem : found.problems)
    log.Warn("No counter blocks", {{"where", problem.where}, {"err", problem.what}});
  if (found.stores.empty() && found.problems.empty()) {
    log.Info("No store yet",
             {{"hint",
               "counter blocks are looked for at each scrape; --store=NAME=PATH names a database without"}});
  }
}

int Serve(const Options& options, const TableSource& table_source, const WebConfig& web,
          const sigset_t& end_signals) {
  const Log log(options.log_level, options.log_format);
  const Table& table = table_source.table();
  log.Info("Starting outgrown-exporter",
           {{"version", OUTGROWN_VERSION}, {"table", table.store}, {"digest", ShortDigest(table.digest)}});
  const StoreSources sources{options.block_directories, options.stores};
  Scraper scraper(MakeSettings(options, table), sources, log);
  Logins logins(web.basic_auth_users);
  Pages pages(scraper, options.telemetry_path);
  const Result<std::unique_ptr<HttpServer>> server = HttpServer::Start(
      options.listen_address,
      [&pages](std::string_view path, const HttpServer::Revoke& revoke) {
        return pages.Answer(path, revoke);
      },
      [&logins](std::string_view authorization) { return logins.Admits(authorization); }, log);
  if (!server) {
    log.Error("Cannot start", {{"err", server.error().Text()}});
    return kExitFailure;
  }
  log.Info("Listening", {{"address", (*server)->address().Text()}, {"path", options.telemetry_path}});
  LogSources(sources, log);
  Notify("READY=1\nSTATUS=Listening on " + (*server)->address().Text());

  WatchdogFeeder feeder(**server);
  int received = 0;
  sigwait(&end_signals, &received);
  feeder.Stop();
  Notify("STOPPING=1");  // before Stop(), which takes up to two seconds
  log.Info("Stopping", {{"signal", received == SIGTERM ? "SIGTERM" : "SIGINT"}});
  (*server)->Stop();
  log.Info("Stopped");
  return kExitOk;
}

int Main(int argc, char** argv) {
  // First: mallopt settings apply to what is allocated after them.
  KeepLittleMemory();
  const sigset_t end_signals = BlockEndSignals();
  const std::variant<Options, EarlyExit> parsed = ParseOptions(argc, argv, OUTGROWN_VERSION);
  if (const auto* early = std::get_if<EarlyExit>(&parsed)) {
    std::fputs(early->text.c_str(), early->status == kExitOk ? stdout : stderr);
    return early->status;
  }
  const auto& options = std::get<Options>(parsed);
  const TableSource table_source = LoadTable(options.spec_file);
  if (table_source.status != kExitOk) {
    std::fputs(table_source.problem.c_str(), stderr);
    return table_source.status;
  }
  WebConfig web;
  if (!options.web_config_file.empty()) {
    Result<WebConfig> read = ReadWebConfig(options.web_config_file);
    if (!read) {
      std::fprintf(stderr, "outgrown-exporter: --web.config.file: %s\n", read.error().Text().c_str());
      return kExitFailure;
    }
    web = std::move(*read);
  }
  return Serve(options, table_source, web, end_signals);
}

}  // namespace
}  // namespace outgrown::exporter

int main(int argc, char** argv) { return outgrown::exporter::Main(argc, argv); }
