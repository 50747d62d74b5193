// The newest decision about each store and the end of the log's hash chain, from the file that --evaluate
// keeps beside the log. Prometheus keeps the last hash, by which a log that lost whole records at its end is
// detected.
#include "decision/log/decision_log.h"

#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "common/horizons.h"
#include "common/time_text.h"
#include "exporter/collectors/collectors.h"

namespace outgrown::exporter {
namespace {

// database=checkpoints,instance=app-1:9108,job=outgrown: by key, since the alert on an overdue decision builds the same
// text from the store's labels.
std::string Subject(const decision_log::NewestDecision& decision) {
  std::string subject;
  for (const auto& [name, value] : decision.labels) {
    if (!subject.empty()) subject += ',';
    subject += name;
    subject += '=';
    subject += value;
  }
  return subject;
}

}  // namespace

Result<void> CollectDecisionLog(const Settings& settings, Samples& samples) {
  if (settings.decision_log.empty()) return {};
  const Result<std::optional<decision_log::NewestDecisions>> read =
      decision_log::ReadNewest(settings.decision_log);
  if (!read) return read.error();
  if (!*read) {
    std::error_code none;
    // No decision was made yet: no series, and no failure.
    if (const auto bytes = std::filesystem::file_size(settings.decision_log, none); none || bytes == 0)
      return {};
    return Error{"has no newest decisions about this log; the next rulegen --evaluate writes them",
                 decision_log::NewestPath(settings.decision_log).string()};
  }
  const decision_log::NewestDecisions& newest = **read;
  for (const decision_log::NewestDecision& decision : newest.decisions) {
    const std::string subject = Subject(decision);
    // A decision can't be about the future. One that is must not keep the alert on an overdue decision silent
    // until then.
    if (decision.time_ms <= NowMs() + kClocksApartMs) {
      samples.Set("checkpoint_decision_timestamp_seconds", {decision.spec, subject},
                  static_cast<double>(decision.time_ms) / 1000);
    }
    // Shown whatever the time: the verdict is the log's newest, which the time alone makes doubtful.
    samples.Set("checkpoint_decision_verdict", {decision.spec, subject, decision.verdict}, 1);
    samples.Set("checkpoint_decision_spec_info", {decision.spec, subject, decision.digest}, 1);
  }
  samples.Set("checkpoint_decision_log_records_total", {}, static_cast<double>(newest.last.sequence));
  samples.Set("checkpoint_decision_log_info", {newest.last.hash}, 1);
  return {};
}

}  // namespace outgrown::exporter
