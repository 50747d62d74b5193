#include "thresholds/tables.h"

#include <algorithm>
#include <array>

#include "common/check.h"

namespace outgrown::spec {
namespace {

constexpr auto kRequired = Need::kRequired;
constexpr auto kOptional = Need::kOptional;

constexpr std::string_view kText = "a string";
constexpr std::string_view kDuration = R"(a duration such as "30s" or "5m")";
constexpr std::string_view kNumber = "a finite number";
constexpr std::string_view kInteger = "an integer";
constexpr std::string_view kFalse = "false, where nothing is recorded";
constexpr std::string_view kSeries =
    R"(a table of series and their values, such as { 'writes_total' = "0+1x40" })";

// clang-format off
// A key's texts appear in diagnostics and its row in docs/spec.md, which a test compares with these lists.
constexpr auto kRoot = std::to_array<Key>({
    {"schema",       kRequired, "the integer 1"},
    {"store",        kRequired, "the table [store]"},
    {"rules",        kOptional, "the table [rules]"},
    {"output",       kOptional, "the table [output]"},
    {"alertmanager", kOptional, "the table [alertmanager]"},
    {"verdict",      kRequired, "one or more tables [[verdict]]"},
    {"metric",       kOptional, "tables [[metric]]"},
    {"signal",       kRequired, "one or more tables [[signal]]"},
    {"threshold",    kRequired, "one or more tables [[threshold]]"},
    {"coverage",     kOptional, "the table [coverage]"},
    {"watch",        kOptional, "tables [[watch]]"},
    {"panel",        kOptional, "tables [[panel]]"},
});
constexpr auto kStore = std::to_array<Key>({
    {"name",       kRequired, kText},
    {"title",      kRequired, kText},
    {"sufficient", kRequired, kText},
    {"next",       kRequired, kText},
    {"identity",   kOptional, R"(a list of label names such as ["job", "instance"])"},
    {"present",    kRequired, "a metric's name"},
    {"modified",   kOptional, "a metric's name"},
});
constexpr auto kRules = std::to_array<Key>({
    {"scrape_interval", kOptional, kDuration},
    {"interval",        kOptional, kDuration},
    {"keep_firing_for", kOptional, kDuration},
    {"flavors",         kOptional, R"(a list of "prometheus", "victoriametrics", "victoriametrics-1.79" and "prometheus-operator")"},
    {"runbook_url",     kOptional, "a URL"},
    {"object_labels",   kOptional, R"(a table of labels and their values, such as { release = "monitoring" })"},
    {"helm",            kOptional, "true or false"},
});
constexpr auto kOutput = std::to_array<Key>({
    {"rules",      kOptional, "a relative folder"},
    {"dashboards", kOptional, "a relative folder"},
    {"docs",       kOptional, "a relative folder"},
});
constexpr auto kAlertmanager = std::to_array<Key>({
    {"base", kOptional, "a relative path"},
    {"also", kOptional, R"(a list of other specs' files such as ["postgresql.toml"])"},
    {"equal", kOptional, R"(a list of label names such as ["cluster"])"},
});
constexpr auto kVerdict = std::to_array<Key>({
    {"id",        kRequired, kText},
    {"text",      kRequired, kText},
    {"severity",  kRequired, kText},
    {"exit_code", kRequired, kInteger},
});
constexpr auto kMetric = std::to_array<Key>({
    {"name",   kRequired, kText},
    {"type",   kRequired, R"("counter", "gauge", "histogram" or "summary")"},
    {"help",   kRequired, kText},
    {"labels", kOptional, R"(a list of label names such as ["datname"])"},
});
constexpr auto kSignal = std::to_array<Key>({
    {"id",          kRequired, kText},
    {"title",       kRequired, kText},
    {"description", kOptional, kText},
    {"unit",        kRequired, R"("ratio", "per_second", "seconds", "bytes" or "count")"},
    {"expr",        kRequired, "a PromQL expression"},
    {"split",       kOptional, "a PromQL expression"},
    {"ceiling",     kOptional, "the id of a signal"},
    {"advice",      kOptional, "a table of reasons and their sentences"},
    {"test",        kRequired, "one or more tables [[signal.test]]"},
});
constexpr auto kThreshold = std::to_array<Key>({
    {"id",      kRequired, kText},
    {"signal",  kRequired, "the id of a signal"},
    {"above",   kOptional, kNumber},
    {"below",   kOptional, kNumber},
    {"for",     kOptional, kDuration},
    {"verdict", kRequired, "the id of a verdict"},
    {"because", kRequired, kText},
    {"look",    kOptional, kText},
    {"act",     kOptional, kText},
});
constexpr auto kCoverage = std::to_array<Key>({
    {"expr",        kRequired, "a PromQL expression"},
    {"minimum",     kOptional, "a number above 0 and up to 1"},
    {"maximum",     kOptional, "a number of at least 1"},
    {"reason",      kOptional, "a PromQL expression"},
    {"reasons",     kOptional, "a table of reasons and their sentences"},
    {"unknown",     kOptional, R"(a list of signals' ids)"},
    {"lower_bound", kOptional, R"(a list of signals' ids)"},
    {"test",        kRequired, "one or more tables [[coverage.test]]"},
});
constexpr auto kSignalTest = std::to_array<Key>({
    {"name",     kOptional, kText},
    {"series",   kRequired, kSeries},
    {"at",       kRequired, kDuration},
    {"value",    kOptional, kNumber},
    {"recorded", kOptional, kFalse},
    {"split",    kOptional, "a table of reasons and their values"},
});
constexpr auto kCoverageTest = std::to_array<Key>({
    {"name",     kOptional, kText},
    {"series",   kRequired, kSeries},
    {"at",       kRequired, kDuration},
    {"value",    kOptional, kNumber},
    {"recorded", kOptional, kFalse},
    {"reasons",  kOptional, "a list of reasons"},
});
constexpr auto kWatch = std::to_array<Key>({
    {"id",              kOptional, kText},
    {"record",          kOptional, kText},
    {"expr",            kRequired, "a PromQL expression"},
    {"labels",          kOptional, R"(a list of label names such as ["job", "instance"])"},
    {"interval",        kOptional, kDuration},
    {"for",             kOptional, kDuration},
    {"keep_firing_for", kOptional, kDuration},
    {"severity",        kOptional, kText},
    {"inhibits",        kOptional, "a list of alerts' ids"},
    {"equal",           kOptional, R"(a list of label names such as ["job", "instance"])"},
    {"summary",         kOptional, kText},
    {"description",     kOptional, kText},
    {"look",            kOptional, kText},
    {"act",             kOptional, kText},
    {"test",            kRequired, "one or more tables [[watch.test]]"},
});
constexpr auto kWatchTest = std::to_array<Key>({
    {"name",     kOptional, kText},
    {"series",   kRequired, kSeries},
    {"at",       kRequired, kDuration},
    {"interval", kOptional, kDuration},
    {"fires",    kOptional, "true or false"},
    {"labels",   kOptional, "a table of labels that the expression makes, and their values"},
    {"value",    kOptional, kNumber},
    {"recorded", kOptional, kFalse},
});

constexpr auto kPanel = std::to_array<Key>({
    {"row",         kOptional, kText},
    {"title",       kRequired, kText},
    {"description", kOptional, kText},
    {"kind",        kOptional, R"("chart", "states" or "table")"},
    {"unit",        kOptional, R"(a unit of Grafana's such as "percentunit")"},
    {"width",       kOptional, kInteger},
    {"stacked",     kOptional, "true or false"},
    {"queries",     kRequired, "a table of legends and their PromQL expressions"},
    {"colors",      kOptional, "a table of legends or texts and their colours"},
    {"texts",       kOptional, "a table of texts and the values that they stand for"},
    {"steps",       kOptional, "a table of colours and the values from which on they hold"},
    {"columns",     kOptional, R"(a list of labels and "Value")"},
    {"value_title", kOptional, kText},
    {"empty",       kOptional, kText},
});

constexpr auto kTables = std::to_array<TableKeys>({
    {"",              "the root table",    kRoot},
    {"store",         "[store]",           kStore},
    {"rules",         "[rules]",           kRules},
    {"output",        "[output]",          kOutput},
    {"alertmanager",  "[alertmanager]",    kAlertmanager},
    {"verdict",       "[[verdict]]",       kVerdict},
    {"metric",        "[[metric]]",        kMetric},
    {"signal",        "[[signal]]",        kSignal},
    {"signal.test",   "[[signal.test]]",   kSignalTest},
    {"threshold",     "[[threshold]]",     kThreshold},
    {"coverage",      "[coverage]",        kCoverage},
    {"coverage.test", "[[coverage.test]]", kCoverageTest},
    {"watch",         "[[watch]]",         kWatch},
    {"watch.test",    "[[watch.test]]",    kWatchTest},
    {"panel",         "[[panel]]",         kPanel},
});
// clang-format on

}  // namespace

std::span<const TableKeys> Tables() { return kTables; }

const TableKeys& TableOf(std::string_view name) {
  const auto* found = std::ranges::find(kTables, name, &TableKeys::name);
  OUTGROWN_CHECK(found != kTables.end());
  return *found;
}

}  // namespace outgrown::spec
