// outgrown-exporter: options, signals, and the server in between.
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <variant>

#include "common/exit_status.h"
#include "common/result.h"
#include "exporter/http_server.h"
#include "exporter/log.h"
#include "exporter/options.h"
#include "exporter/pages.h"

namespace outgrown::exporter {
namespace {

// Blocks the signals that end the exporter, in this thread and all that it starts, so that sigwait takes
// them.
sigset_t BlockEndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

double NowUnixSeconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<double>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count()) / 1000;
}

Pages MakePages(const Options& options, const Log& log) {
  Settings settings;
  settings.version = OUTGROWN_VERSION;
  settings.servers = options.servers;
  settings.shared_id = options.shared_id;
  settings.start_time_unix_seconds = NowUnixSeconds();
  return Pages{std::move(settings), StoreSources{options.block_directories, options.stores},
               options.telemetry_path, log};
}

int Serve(const Options& options, const sigset_t& end_signals) {
  const Log log(options.log_level, options.log_format);
  const Pages pages = MakePages(options, log);
  log.Info("Starting outgrown-exporter", {{"version", OUTGROWN_VERSION}});
  const Result<std::unique_ptr<HttpServer>> server = HttpServer::Start(
      options.listen_address, [&pages](std::string_view path) { return pages.Answer(path); }, log);
  if (!server) {
    log.Error("Cannot start", {{"err", server.error().Text()}});
    return kExitFailure;
  }
  log.Info("Listening", {{"address", (*server)->address().Text()}, {"path", options.telemetry_path}});

  int received = 0;
  sigwait(&end_signals, &received);
  log.Info("Stopping", {{"signal", received == SIGTERM ? "SIGTERM" : "SIGINT"}});
  (*server)->Stop();
  log.Info("Stopped");
  return kExitOk;
}

int Main(int argc, char** argv) {
  const sigset_t end_signals = BlockEndSignals();
  const std::variant<Options, EarlyExit> parsed = ParseOptions(argc, argv, OUTGROWN_VERSION);
  if (const auto* early = std::get_if<EarlyExit>(&parsed)) {
    std::fputs(early->text.c_str(), early->status == kExitOk ? stdout : stderr);
    return early->status;
  }
  return Serve(std::get<Options>(parsed), end_signals);
}

}  // namespace
}  // namespace outgrown::exporter

int main(int argc, char** argv) { return outgrown::exporter::Main(argc, argv); }
