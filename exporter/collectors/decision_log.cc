// The last logged decision about each store, and the end of the log's hash chain: kept by Prometheus as well, the last
// hash shows when somebody cuts whole records off the log.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "decision/log/last_decisions.h"
#include "exporter/collectors/collectors.h"

namespace outgrown::exporter {
namespace {

// database=checkpoints,instance=app-1:9108,job=outgrown: by key, whatever the order in the log, since the alert on an
// overdue decision builds the same text from the store's labels.
std::string Subject(const decision_log::LastDecision& decision) {
  std::string subject;
  std::vector<std::pair<std::string, std::string>> labels = decision.labels;
  std::ranges::sort(labels);
  for (const auto& [name, value] : labels) {
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
  const Result<std::optional<decision_log::LastDecisions>> read =
      decision_log::ReadLastDecisions(settings.decision_log);
  if (!read) return read.error();
  if (!*read) return {};
  const decision_log::LastDecisions& last = **read;
  for (const decision_log::LastDecision& decision : last.decisions) {
    const std::string subject = Subject(decision);
    samples.Set("checkpoint_decision_timestamp_seconds", {decision.spec, subject},
                static_cast<double>(decision.time_ms) / 1000);
    samples.Set("checkpoint_decision_verdict", {decision.spec, subject, decision.verdict}, 1);
    samples.Set("checkpoint_decision_spec_info", {decision.spec, subject, decision.digest}, 1);
  }
  samples.Set("checkpoint_decision_log_records_total", {}, static_cast<double>(last.last.sequence));
  samples.Set("checkpoint_decision_log_info", {last.last.hash}, 1);
  return {};
}

}  // namespace outgrown::exporter
