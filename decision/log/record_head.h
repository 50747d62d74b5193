// The beginning of a record: which store it is about and what was decided. A fast reader of just that, since the
// exporter looks at a whole fleet's records in every scrape; everything after the verdict is left unread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace outgrown::decision_log {

// JSON text as it stands in the line: strings without their quotes, the labels with their braces.
struct RecordHead {
  std::string_view spec;
  std::string_view digest;
  std::string_view verdict;
  std::string_view labels;
  std::int64_t time_ms = 0;
};

using Labels = std::vector<std::pair<std::string, std::string>>;

// The head of a decision from Prometheus. Nothing for any other record or line, for one that is cut before its verdict
// or says something twice. What follows the verdict is not looked at.
std::optional<RecordHead> ReadDecisionHead(std::string_view line);

// What a string's JSON text means; nothing if it is no valid JSON and UTF-8.
std::optional<std::string> Unquoted(std::string_view text);

// The labels of a head that was read, in their order; nothing if one of them is no valid JSON and UTF-8.
std::optional<Labels> ReadLabels(std::string_view labels);

}  // namespace outgrown::decision_log
