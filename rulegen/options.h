// rulegen's command line: exactly one mode, as a flag, and the options that it knows. Owns CLI11.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "rulegen/evaluate_options.h"

namespace outgrown::commands {

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

std::variant<Options, Exit> ParseOptions(int argc, const char* const* argv);

}  // namespace outgrown::commands
