// Collects the newest decision about each store from records in the log's order.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/json.h"
#include "decision/log/decision_log.h"

namespace outgrown::decision_log {

// `record`: with or without the chain's members. Nothing if it is no decision from Prometheus.
std::optional<Decided> ReadDecided(const Json& record, std::int64_t logged_ms);

class NewestBook {
 public:
  explicit NewestBook(std::vector<NewestDecision> decisions = {});

  void Take(Decided decided, std::int64_t logged_ms);

  // Takes the log and its newest segment. What is no record is passed over.
  Result<void> TakeLog(const std::filesystem::path& log);

  // Those that were taken, by spec and labels. The book is empty then.
  std::vector<NewestDecision> Finish();

  // The same as lines of the file, without those that count as removed.
  std::string Lines(std::int64_t now_ms) const;

 private:
  std::map<std::pair<std::string, Labels>, NewestDecision> decisions_;
};

// Replaces the file of the log at `log`, whose lock the caller holds, by one of a book's lines.
Result<void> WriteNewest(const std::filesystem::path& log, const Link& last, const std::string& lines);

}  // namespace outgrown::decision_log
