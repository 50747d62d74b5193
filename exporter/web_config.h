// --web.config.file: who may read the pages, in the format of Prometheus' own exporters (exporter-toolkit's
// docs/web-configuration.md). yaml-cpp is owned by web_config.cc.
#pragma once

#include <map>
#include <string>

#include "common/result.h"

namespace outgrown::exporter {

struct WebConfig {
  std::map<std::string, std::string> basic_auth_users;  // user -> bcrypt hash; empty: everybody may read
};

// The file, read and judged. What this exporter can't do is an error, not ignored: an administrator who asks for TLS
// must not get an open port. An error's `where` is "FILE:LINE" where it is about a line.
Result<WebConfig> ReadWebConfig(const std::string& file);

}  // namespace outgrown::exporter
