#include "rulegen/verify/exporters.h"

#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "common/digest.h"
#include "common/text.h"
#include "prometheus/ask.h"

namespace outgrown::verify {
namespace {

using prometheus_api::LabelValue;

constexpr std::string_view kMemory = "26h";

using Target = std::pair<std::string, std::string>;  // job, instance

Target TargetOf(const prometheus_api::Series& series) {
  return {std::string(LabelValue(series.labels, "job")), std::string(LabelValue(series.labels, "instance"))};
}

std::string Copy(const Target& target) {
  return fmt::format("exporter at {} (job {})", PlainText(target.second), PlainText(target.first));
}

std::vector<Finding> Unknown(const prometheus_api::QuerySource& prometheus, std::string why) {
  return {{State::kUnknown, "exporters as seen by " + prometheus.name(), std::move(why), ""}};
}

}  // namespace

std::vector<Finding> CompareExporters(const spec::Spec& spec, prometheus_api::QuerySource& prometheus,
                                      std::int64_t now_ms) {
  // A store's name is [a-z][a-z0-9_]*: nothing to escape.
  const std::string info = fmt::format("checkpoint_threshold_table_info{{store=\"{}\"}}", spec.store.name);
  prometheus_api::Notes notes;
  const prometheus_api::Reply now = prometheus_api::AskVector(prometheus, info, now_ms, notes);
  if (!now.believed()) return Unknown(prometheus, now.asked.problem);
  const prometheus_api::Reply lately = prometheus_api::AskVector(
      prometheus, fmt::format("count by (job, instance) (last_over_time({}[{}]))", info, kMemory), now_ms,
      notes);
  if (!lately.believed()) return Unknown(prometheus, lately.asked.problem);

  std::vector<Finding> findings;
  std::set<Target> reporting;
  for (const prometheus_api::Series& series : now.series) {
    const Target target = TargetOf(series);
    reporting.insert(target);
    const std::string_view digest = LabelValue(series.labels, "digest");
    if (digest == spec.digest) continue;
    findings.push_back({State::kBehind, Copy(target),
                        fmt::format("its table is of digest {}, the spec's is {}",
                                    PlainText(ShortDigest(digest)), ShortDigest(spec.digest)),
                        std::string(digest)});
  }
  for (const prometheus_api::Series& series : lately.series) {
    const Target target = TargetOf(series);
    if (reporting.contains(target)) continue;
    findings.push_back(
        {State::kBehind, Copy(target),
         fmt::format("silent: it reported a digest within the last {} and does not now", kMemory), ""});
  }
  if (!findings.empty()) return findings;
  if (reporting.empty()) {
    return {{State::kBehind, "exporters as seen by " + prometheus.name(),
             "none reports a digest for the store " + spec.store.name, ""}};
  }
  return {{State::kInStep, "exporters as seen by " + prometheus.name(),
           fmt::format("{} with digest {}", reporting.size(), ShortDigest(spec.digest)), spec.digest}};
}

}  // namespace outgrown::verify
