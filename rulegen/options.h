// rulegen's command line: exactly one mode, as a flag, and the options that it knows. Owns CLI11.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/result.h"

namespace outgrown::rulegen {

// How any mode reaches Prometheus.
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
  bool since_last = false;               // --since last: to the end of the newest decision about each store
  std::optional<std::int64_t> wait_ms;   // how long to wait for a server that is not ready yet
  Format format = Format::kText;
  bool exit_code = false;
};

enum class Mode { kGenerate, kCheck, kEvaluate, kAudit, kHistory, kVerify, kBacktest, kArchive };

// What --verify knows beside --out, --format and the connection to Prometheus.
struct VerifyOptions {
  std::string rules_url;  // --rules-url; "": the rules are in Prometheus
  std::optional<std::filesystem::path> rules_headers_file;
};

// What --backtest knows beside --at, --since, --format and the connection to Prometheus.
struct BacktestOptions {
  std::optional<std::int64_t> step_ms;           // --step; absent: the spec's interval
  std::optional<std::filesystem::path> against;  // the other spec
};

// What --archive knows beside --out, --log, --at, --since, --rules-url and the connection to Prometheus.
struct ArchiveOptions {
  std::optional<std::filesystem::path> place;   // --archive
  std::string alertmanager_url;                 // --alertmanager; "": not asked
  std::vector<std::filesystem::path> includes;  // --include
};

struct Options {
  Mode mode = Mode::kGenerate;
  std::vector<std::filesystem::path> specs;  // as named by --spec; empty: every rules/*.toml (spec_files.h)
  std::optional<std::filesystem::path> out;  // --out
  bool prune = false;                        // --prune
  EvaluateOptions evaluate;
  std::vector<std::filesystem::path> logs;  // LOG..., of --audit and --history; empty: the default log
  VerifyOptions verify;
  BacktestOptions backtest;
  ArchiveOptions archive;
};

// What main does instead of a mode: print the text (help and version to stdout, errors to stderr) and exit.
struct Exit {
  int status = 0;
  std::string text;
};

// T: --at, or ten seconds ago, as what was scraped and recorded until then has settled.
std::int64_t EndMs(const EvaluateOptions& options);
// How far --backtest and --archive reach back from there: --since, or 7 days, which is what Prometheus
// retains beside the application.
std::int64_t LengthMs(const EvaluateOptions& options);

// The decision log: --log, or its default place.
Result<std::filesystem::path> LogPathOf(const EvaluateOptions& options);

// The files of the decision logs in the order of their records: several LOGs as they were named; one, or else
// the log of LogPathOf, with its rotated segments before it.
Result<std::vector<std::filesystem::path>> LogFilesOf(const Options& options);

std::variant<Options, Exit> ParseOptions(int argc, const char* const* argv);

}  // namespace outgrown::rulegen
