// Live drift: the spec against every copy of it that is in use.
//
// The spec is what everything is held against. Its copies: the generated files and dashboards on disk, the rules that
// a server has loaded (by content), the table compiled into this program, the digests that exporters report.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "common/result.h"
#include "prometheus/prometheus_client.h"
#include "rulegen/verify/expressions.h"
#include "rulegen/verify/report.h"
#include "rulegen/verify/rule_server.h"
#include "thresholds/model.h"
#include "thresholds/table.h"

namespace outgrown::verify {

// Where the copies are. The referred objects outlive it.
struct Copies {
  RuleServer& rules;                         // holds the loaded rules
  prometheus_api::QuerySource& prometheus;   // holds the exporters' series
  Expressions& expressions;                  // knows a server's canonical PromQL
  const Table& compiled;                     // the table of this program
  bool spec_replaces_compiled;               // --spec was given: nothing here decides by the compiled table
  std::optional<std::filesystem::path> out;  // --out
  std::int64_t now_ms;
};

// One report a spec, in their order; the last one ends with the loaded groups that belong to none of them. An error is a
// failure of this machine's: a file that can't be read, an artefact that can't be made. A server that doesn't answer is
// a finding.
Result<std::vector<SpecReport>> Verify(const std::vector<spec::Spec>& specs, const Copies& copies);

// What there is to say about the loaded rules, from what the server answered: pure but for `expressions`.
std::vector<Finding> RuleFindings(const spec::Spec& spec, const LoadedRules& loaded,
                                  std::optional<bool> last_reload_succeeded, const std::string& url,
                                  Expressions& expressions);

// What there is to say about the compiled table; nothing if it is another store's.
std::optional<Finding> CompiledFinding(const spec::Spec& spec, const Table& compiled,
                                       bool spec_replaces_compiled);

// Where all copies that carry a digest carry one and the same, and it is not the spec's: then the spec may be the one
// that is behind. Nothing otherwise, or if there are fewer than two kinds of copies.
std::optional<Finding> SpecFinding(const spec::Spec& spec, const std::vector<Finding>& findings);

}  // namespace outgrown::verify
