// The command line of outgrown-exporter. CLI11 is owned by options.cc.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "exporter/http_server.h"
#include "exporter/log.h"
#include "exporter/scrape.h"

namespace outgrown::exporter {

struct Options {
  ListenAddress listen_address;
  std::string telemetry_path = "/metrics";
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kLogfmt;
  std::vector<std::string> block_directories;  // empty: the default places
  std::vector<NamedStore> stores;
  int servers = 1;
  std::string shared_id;
  std::string decision_log;     // empty: none
  std::string spec_file;        // empty: the compiled threshold table
  std::string web_config_file;  // empty: everybody may read
};

// The command line asked for a text instead (--help, --version), or was wrong; the process ends with that
// status.
struct EarlyExit {
  int status = 0;
  std::string text;  // for standard output if status is 0, else for standard error
};

std::variant<Options, EarlyExit> ParseOptions(int argc, const char* const* argv, const std::string& version);

}  // namespace outgrown::exporter
