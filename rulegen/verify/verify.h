// Live drift: the spec against every copy of it that is in use.
//
// The spec is what everything is held against. Its copies: the generated files and dashboards on disk, the rules that
// a server has loaded (by content), the table compiled into this program, the digests that exporters report.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "prometheus/prometheus_client.h"
#include "prometheus/rule_server.h"
#include "rulegen/tree/tree.h"
#include "rulegen/verify/loaded_rules.h"
#include "rulegen/verify/report.h"
#include "thresholds/model.h"
#include "thresholds/table.h"

namespace outgrown::verify {

// Where the copies are. The referred objects outlive it.
struct Copies {
  prometheus_api::RuleServer& rules;         // holds the loaded rules
  prometheus_api::RuleServer& series;        // Prometheus, asked about itself
  prometheus_api::QuerySource& prometheus;   // holds the exporters' series
  Expressions& expressions;                  // knows a server's canonical PromQL
  const Table& compiled;                     // the table of this program
  bool spec_replaces_compiled;               // --spec was given: nothing here decides by the compiled table
  std::optional<std::filesystem::path> out;  // --out
  std::int64_t now_ms;
};

// One report a spec, in their order; the last one ends with the loaded groups that belong to none of them. An
// error is a failure of this machine's: a file that can't be read. A server that doesn't answer is a finding.
Result<std::vector<SpecReport>> Verify(const std::vector<tree::Made>& made, const Copies& copies);

// What there is to say about the loaded rules, from what the server answered: pure but for `expressions`.
std::vector<Finding> RuleFindings(const spec::Spec& spec, const LoadedRules& loaded,
                                  std::optional<bool> last_reload_succeeded, const std::string& url,
                                  Expressions& expressions);

// What there is to say about the compiled table; nothing if it is another store's.
std::optional<Finding> CompiledFinding(const spec::Spec& spec, const Table& compiled,
                                       bool spec_replaces_compiled);

// The longest range that an expression of the spec reads.
Milliseconds LongestRange(const spec::Spec& spec);

// What there is to say about how long the server of the series keeps them; nothing if it is long enough, or not known.
std::optional<Finding> RetentionFinding(std::optional<Milliseconds> retention, Milliseconds longest_range,
                                        const std::string& url);

// Where all copies that carry a digest carry one and the same, and it is not the spec's: then the spec may be the one
// that is behind. Nothing otherwise, or if there are fewer than two kinds of copies.
std::optional<Finding> SpecFinding(const spec::Spec& spec, const std::vector<Finding>& findings);

// The digest that the mark of a generated file names; "" if it has none.
std::string_view MarkedDigest(std::string_view bytes);

// What is said about one file that differs. Pure.
Finding FileFinding(const spec::Spec& spec, const tree::FileDifference& difference);

// One finding for each file that differs, or one for all files and one for all dashboards that agree. An
// error where a file can't be read. `out` as of --out.
Result<std::vector<Finding>> CompareFiles(const tree::Made& made,
                                          const std::optional<std::filesystem::path>& out);

// One finding for each exporter whose digest differs or that fell silent within the last 26 hours (as long as a silent
// store is remembered, docs/operations.md), or one that says how many agree. An answer that can't be had or is
// partial makes them unknown. None reporting at all is a difference.
std::vector<Finding> CompareExporters(const spec::Spec& spec, prometheus_api::QuerySource& prometheus,
                                      std::int64_t now_ms);

}  // namespace outgrown::verify
