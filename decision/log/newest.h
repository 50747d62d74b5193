// Collects the newest decision about each store from records in the log's order.
#pragma once

#include <map>

#include "common/json.h"
#include "decision/log/decision_log.h"

namespace outgrown::decision_log {

class NewestBook {
 public:
  explicit NewestBook(std::vector<NewestDecision> decisions = {});

  // `record`: with or without the chain's members. One that is no decision from Prometheus changes nothing.
  void Take(const Json& record, std::int64_t logged_ms);

  // Takes the log and its newest segment. What is no record is passed over.
  Result<void> TakeLog(const std::filesystem::path& log);

  // Those that were taken, by spec and labels. The book is empty then.
  std::vector<NewestDecision> Finish();

  // Replaces the file of the log at `log`, whose lock the caller holds. The book is empty then.
  Result<void> Write(const std::filesystem::path& log, Link last, std::int64_t now_ms);

 private:
  std::map<std::pair<std::string, Labels>, NewestDecision> decisions_;
};

}  // namespace outgrown::decision_log
