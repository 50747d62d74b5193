// The options of --evaluate, and those by which any mode reaches Prometheus.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace outgrown::commands {

struct ConnectionOptions {
  std::string url = "http://127.0.0.1:9090";             // --prometheus
  std::optional<std::filesystem::path> basic_auth_file;  // USER:PASSWORD
  std::optional<std::filesystem::path> bearer_token_file;
  std::optional<std::filesystem::path> headers_file;  // "Name: value", one a line; "#" begins a comment line
  std::optional<std::filesystem::path> ca_file;       // PEM
  std::int64_t timeout_ms = 30'000;                   // --timeout: of one query
};

enum class Format { kText, kJson };

struct EvaluateOptions {
  ConnectionOptions connection;
  std::optional<std::filesystem::path> measurements;  // "-": standard input
  std::optional<std::filesystem::path> log;           // absent: the default place (decision_log.h)
  std::optional<std::int64_t> at_ms;
  std::optional<std::int64_t> since_ms;  // how far to look back from there
  Format format = Format::kText;
  bool exit_code = false;
};

// T: --at, or ten seconds ago, as what was scraped and recorded until then has settled.
std::int64_t EndMs(const EvaluateOptions& options);
// How far --backtest and --archive reach back from there: --since, or 7 days, which is what Prometheus retains beside the
// application.
std::int64_t LengthMs(const EvaluateOptions& options);

// A positive duration. CLI::ValidationError, naming `flag`, if the text is none.
std::int64_t PositiveDuration(const char* flag, const std::string& text);
// A URL that a server may have. CLI::ValidationError, naming `flag`, if the text is none.
std::string ServerUrl(const char* flag, const std::string& text);

// Adds the flags; what they take is checked while they are parsed.
void AddEvaluateOptions(CLI::App& app, EvaluateOptions& options);

}  // namespace outgrown::commands
