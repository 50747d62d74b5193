#include "rulegen/evaluate_options.h"

#include <CLI/CLI.hpp>

#include "common/duration.h"
#include "common/time_text.h"
#include "prometheus/http_client.h"

namespace outgrown::commands {
namespace {

constexpr const char* kEvaluate = "Options of --evaluate";
constexpr const char* kPeriod = "Options of --evaluate and --backtest";
constexpr const char* kConnection = "Connection to Prometheus";

void AddFile(CLI::App& app, const char* flag, std::optional<std::filesystem::path>& file, const char* help,
             const char* group) {
  app.add_option_function<std::string>(
         flag, [&file](const std::string& path) { file = path; }, help)
      ->type_name("FILE")
      ->group(group);
}

void AddConnectionOptions(CLI::App& app, ConnectionOptions& options) {
  app.add_option_function<std::string>(
         "--prometheus",
         [&options](const std::string& text) { options.url = ServerUrl("--prometheus", text); },
         "The server to ask (default: http://127.0.0.1:9090)")
      ->type_name("URL")
      ->group(kConnection);
  AddFile(app, "--basic-auth-file", options.basic_auth_file, "Log in with the USER:PASSWORD in this file",
          kConnection);
  AddFile(app, "--bearer-token-file", options.bearer_token_file, "Log in with the token in this file",
          kConnection);
  AddFile(app, "--headers-file", options.headers_file,
          "Send the headers in this file, one a line (\"X-Scope-OrgID: tenant\")", kConnection);
  AddFile(app, "--ca-file", options.ca_file, "Trust the certificate authorities in this PEM file",
          kConnection);
  app.add_option_function<std::string>(
         "--timeout",
         [&options](const std::string& text) { options.timeout_ms = PositiveDuration("--timeout", text); },
         "How long one query may take (default: 30s)")
      ->type_name("DURATION")
      ->group(kConnection);
}

}  // namespace

std::int64_t PositiveDuration(const char* flag, const std::string& text) {
  const std::optional<Milliseconds> duration = ParseDuration(text);
  if (!duration || duration->count() <= 0) throw CLI::ValidationError(flag, "not a duration like 30s or 24h");
  return duration->count();
}

std::string ServerUrl(const char* flag, const std::string& text) {
  if (const Result<void> checked = prometheus_api::CheckServerUrl(text); !checked)
    throw CLI::ValidationError(flag, checked.error().what);
  return text;
}

std::int64_t EndMs(const EvaluateOptions& options) {
  constexpr std::int64_t kSettleMs = 10'000;
  return options.at_ms.value_or(NowMs() - kSettleMs);
}

std::int64_t LengthMs(const EvaluateOptions& options) {
  constexpr std::int64_t kWeekMs = 7LL * 24 * 3'600'000;
  return options.since_ms.value_or(kWeekMs);
}

void AddEvaluateOptions(CLI::App& app, EvaluateOptions& options) {
  AddFile(app, "--measurements", options.measurements,
          "Decide from the values in this JSON file (- is standard input) instead of asking Prometheus",
          kEvaluate);
  AddFile(app, "--log", options.log,
          "The decision log (default: decisions.jsonl in $STATE_DIRECTORY, else in $XDG_STATE_HOME/outgrown)",
          kEvaluate);
  app.add_option_function<std::string>(
         "--at",
         [&options](const std::string& text) {
           options.at_ms = ParseTime(text);
           if (!options.at_ms) {
             throw CLI::ValidationError("--at", "not an instant like 2026-11-23T14:00:00Z or Unix seconds");
           }
         },
         "Decide for this instant instead of 10 seconds ago; a backtest or an archive ends there")
      ->type_name("TIME")
      ->group(kPeriod);
  app.add_option_function<std::string>(
         "--since",
         [&options](const std::string& text) { options.since_ms = PositiveDuration("--since", text); },
         "Decide over this long, at every evaluation: the most severe verdict that stood; how far a "
         "backtest or an archive reaches back (default there: 7d)")
      ->type_name("DURATION")
      ->group(kPeriod);
  app.add_option_function<std::string>(
         "--format",
         [&options](const std::string& text) {
           if (text != "text" && text != "json")
             throw CLI::ValidationError("--format", "neither text nor json");
           options.format = text == "json" ? Format::kJson : Format::kText;
         },
         "text for people (default) or json for machines")
      ->type_name("FORMAT")
      ->group(kPeriod);
  app.add_flag("--exit-code", options.exit_code, "Exit with the verdict's own code (10, 20) if there is one")
      ->group(kEvaluate);
  AddConnectionOptions(app, options.connection);
}

}  // namespace outgrown::commands
