// Re-checking decision logs: the hash chain, and every verdict from its own inputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/result.h"
#include "decision/log/decision_log.h"

namespace outgrown::history {

struct AuditReport {
  std::vector<std::string> problems;  // "FILE:LINE: what": each one fails the audit
  std::vector<std::string> notes;     // what is worth knowing and fails nothing
  std::size_t records = 0;
  std::size_t decisions = 0;        // recomputed
  std::int64_t first_sequence = 0;  // 0: no record
  decision_log::Link last;          // where the chain ends, for comparing with a copy kept elsewhere
};

// Reads the files as one chain, in this order. An error only if a file can't be read.
Result<AuditReport> Audit(const std::vector<std::filesystem::path>& files);

// The report as text, with a newline.
std::string AuditText(const AuditReport& report);

}  // namespace outgrown::history
