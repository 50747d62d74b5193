// --archive: the servers, the specs and the log, put into one folder.
#include <csignal>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/exit_status.h"
#include "common/interrupt.h"
#include "common/text.h"
#include "common/time_text.h"
#include "prometheus/ask.h"
#include "rulegen/archive/archive.h"
#include "rulegen/connection.h"
#include "rulegen/modes.h"
#include "rulegen/output.h"
#include "rulegen/spec_files.h"

namespace outgrown::rulegen {
namespace {

// All queries together may take this many times --timeout: there is one a series. The progress is shown meanwhile.
constexpr int kArchivePatience = 10'000;

// The servers with what keeps their connections open.
struct Connections {
  prometheus_api::PrometheusClient series;
  prometheus_api::HttpClient prometheus;
  std::optional<prometheus_api::HttpClient> rules;
  std::optional<prometheus_api::HttpClient> alertmanager;
};

Result<Connections> OpenServers(const Options& options) {
  const ConnectionOptions& main = options.evaluate.connection;
  Result<prometheus_api::PrometheusClient> series = Connect(main, kArchivePatience);
  if (!series) return series.error();
  Result<prometheus_api::HttpClient> prometheus = OpenHttp(main);
  if (!prometheus) return prometheus.error();
  Connections connections{std::move(*series), std::move(*prometheus), {}, {}};
  if (!options.verify.rules_url.empty()) {
    Result<prometheus_api::HttpClient> http = OpenHttp(RuleConnection(options));
    if (!http) return http.error();
    connections.rules = std::move(*http);
  }
  if (!options.archive.alertmanager_url.empty()) {
    Result<prometheus_api::HttpClient> http = OpenHttp(ConnectionTo(options.archive.alertmanager_url, main));
    if (!http) return http.error();
    connections.alertmanager = std::move(*http);
  }
  return connections;
}

// No exit status: a signal came, and nothing was archived.
constexpr int kInterrupted = -1;

int FailUnlessInterrupted(const Error& error, int status) {
  return Interrupted() ? kInterrupted : Fail(error, status);
}

int Archive(const Options& options, const std::vector<archive::Subject>& subjects) {
  Result<Connections> connections = OpenServers(options);
  if (!connections) return Fail(connections.error());
  // Before anything is written: an archive without a single sample is none.
  // A query and not a ping: it also checks login, path and the API.
  const std::int64_t to_ms = EndMs(options.evaluate);
  prometheus_api::Notes notes;
  const auto reply = prometheus_api::AskVector(connections->series, "vector(1)", to_ms, notes);
  if (!reply.usable()) {
    return FailUnlessInterrupted(
        {fmt::format("nothing was archived: {}: {}", connections->series.name(), reply.asked.problem), ""},
        kExitNoAnswer);
  }
  const archive::Question question = {
      .subjects = subjects,
      .out = options.out,
      .includes = options.archive.includes,
      .log_files = [&options] { return LogFilesOf(options); },
      .log_required = options.evaluate.log.has_value(),
      .range = {.from_ms = to_ms - LengthMs(options.evaluate), .to_ms = to_ms},
      .created_ms = NowMs(),
      .version = OUTGROWN_VERSION};
  archive::Servers servers = {
      .series = connections->series,
      .prometheus = connections->prometheus,
      .rules = connections->rules ? &*connections->rules : nullptr,
      .alertmanager = connections->alertmanager ? &*connections->alertmanager : nullptr,
      .timeout_ms = options.evaluate.connection.timeout_ms};
  Result<archive::Folder> folder = archive::Folder::Create(*options.archive.place);
  if (!folder) return Fail({folder.error().what, "--archive: " + folder.error().where});
  const Result<archive::Archived> archived =
      archive::Archive(question, servers, *folder, ProgressOnTerminal("archive"));
  if (!archived)
    return FailUnlessInterrupted({"nothing was archived: " + archived.error().Text(), ""}, kExitFailure);
  std::string text = fmt::format("{}: {} files\n", options.archive.place->string(), archived->files);
  for (const std::string& missing : archived->missing)
    text += fmt::format("missing {}\n", PlainText(missing));
  if (archived->log_problems.empty()) return rulegen::Answer(text, kExitOk);
  for (const std::string& problem : archived->log_problems)
    text += fmt::format("decision log: {}\n", PlainText(problem));
  return rulegen::Answer(text, kExitFailure);
}

// Ctrl-C leaves nothing behind, and ends the process as it always does.
int ArchiveOrEnd(const Options& options, const std::vector<archive::Subject>& subjects) {
  InterruptScope interrupts;
  const int status = Archive(options, subjects);
  if (status != kInterrupted) return status;
  Say("rulegen: interrupted, nothing was archived\n");
  // By the signal, so that a shell script or a supervisor sees an interrupted program and not an exit status.
  interrupts.EndBySignal();
}

}  // namespace

int RunArchive(const Options& options) {
  // A file that grows beyond RLIMIT_FSIZE is an error of write(2), not a signal that ends us.
  std::signal(SIGXFSZ, SIG_IGN);
  const Subjects loaded = LoadSubjects(options, Purpose::kArtefacts);
  if (loaded.status != kExitOk) return loaded.status;
  std::vector<archive::Subject> subjects;
  for (const Subject& subject : loaded.subjects) {
    archive::Subject& one = subjects.emplace_back();
    one.table = &subject.table();
    if (!subject.spec) continue;
    one.spec = &*subject.spec;
    const Result<std::vector<artefacts::Artefact>> artefacts =
        artefacts::MakeArtefacts(*subject.spec, subject.inputs);
    if (!artefacts) return Fail(artefacts.error());
    for (const artefacts::Artefact& artefact : *artefacts) one.artefacts.push_back(artefact.path);
  }
  return ArchiveOrEnd(options, subjects);
}

}  // namespace outgrown::rulegen
