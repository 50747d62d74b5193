#include "thresholds/digest.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/digest.h"
#include "common/text.h"
#include "common/time_text.h"
#include "thresholds/promql.h"
#include "thresholds/table.h"
#include "thresholds/test_series.h"

namespace outgrown::spec {
namespace {

// The lines of the canonical text: PATH = VALUE.
// docs/spec.md, "The digest", defines this text, and a test computes it once more in Python from that page
// alone: whoever changes a line here changes every digest in use.
class Lines {
 public:
  void Text(const std::string& path, std::string_view value) { Line(path, Escaped(value)); }
  // -0 and 0 are equal as limits, and must be as texts.
  void Number(const std::string& path, double value) { Line(path, ExactNumber(value == 0 ? 0 : value)); }
  void Duration(const std::string& path, Milliseconds value) { Line(path, FormatDuration(value)); }
  void Word(const std::string& path, std::string_view value) { Line(path, value); }

  void List(const std::string& path, const std::vector<std::string>& values) {
    std::string text = "[";
    for (const std::string& value : values) text += (text.size() == 1 ? "" : ", ") + Escaped(value);
    Line(path, text + "]");
  }

  // A list whose order means nothing.
  void Set(const std::string& path, std::vector<std::string> values) {
    std::ranges::sort(values);
    List(path, values);
  }

  std::string Take() { return std::move(text_); }

 private:
  // A newline in a text would otherwise forge a line, and two different specs could have one digest. JSON's
  // escapes, of which only the ones that are needed.
  static std::string Escaped(std::string_view value) {
    std::string text = "\"";
    for (const char c : value) {
      if (c == '"' || c == '\\') {
        text += '\\';
        text += c;
      } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
        text += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
      } else {
        text += c;
      }
    }
    return text + '"';
  }

  void Line(const std::string& path, std::string_view value) {
    text_ += path;
    text_ += " = ";
    text_ += value;
    text_ += '\n';
  }

  std::string text_;
};

std::string Indexed(std::string_view table, std::size_t index) { return fmt::format("{}[{}]", table, index); }

void AddTests(const std::vector<SignalTest>& tests, const std::string& path, Lines& lines) {
  for (std::size_t i = 0; i < tests.size(); ++i) {
    const SignalTest& test = tests[i];
    const std::string prefix = Indexed(path + ".test", i);
    lines.Text(prefix + ".name", test.name);
    std::vector<std::string> series;
    for (const auto& [selector, values] : test.series) {
      // White space in selectors and samples is layout, and so is the order of series in a table.
      series.push_back(NormalisePromql(selector) + " " + NormaliseNotation(values));
    }
    lines.Set(prefix + ".series", std::move(series));
    lines.Duration(prefix + ".at", test.at);
    if (test.recorded) {
      lines.Number(prefix + ".value", test.value);
    } else {
      lines.Word(prefix + ".recorded", "false");
    }
    if (test.split) {
      std::vector<std::string> parts;
      for (const auto& [reason, value] : *test.split) parts.push_back(reason + " " + ExactNumber(value));
      lines.Set(prefix + ".split", std::move(parts));
    }
    if (test.reasons) lines.Set(prefix + ".reasons", *test.reasons);
  }
}

void AddStore(const Store& store, Lines& lines) {
  lines.Text("store.name", store.name);
  lines.Text("store.title", store.title);
  lines.Text("store.sufficient", store.sufficient);
  lines.Text("store.next", store.next);
  lines.List("store.identity", store.identity);
  lines.Text("store.present", store.present);
  if (!store.modified.empty()) lines.Text("store.modified", store.modified);
}

void AddMetrics(const Spec& spec, Lines& lines) {
  // Metrics are looked up by name, so their order in the file means nothing. That of verdicts, signals and
  // thresholds does: it decides which is more severe, what a signal may read and which breach leads.
  std::vector<const Metric*> metrics;
  for (const Metric& metric : spec.metrics) metrics.push_back(&metric);
  std::ranges::sort(metrics, {}, &Metric::name);
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    const std::string prefix = Indexed("metric", i);
    lines.Text(prefix + ".name", metrics[i]->name);
    lines.Text(prefix + ".type", metrics[i]->type);
    lines.Text(prefix + ".help", metrics[i]->help);
    lines.Set(prefix + ".labels", metrics[i]->labels);
  }
}

void AddVerdicts(const Spec& spec, Lines& lines) {
  for (std::size_t i = 0; i < spec.verdicts.size(); ++i) {
    const std::string prefix = Indexed("verdict", i);
    lines.Text(prefix + ".id", spec.verdicts[i].id);
    lines.Text(prefix + ".text", spec.verdicts[i].text);
    lines.Text(prefix + ".severity", spec.verdicts[i].severity);
    lines.Word(prefix + ".exit_code", std::to_string(spec.verdicts[i].exit_code));
  }
}

void AddSignals(const Spec& spec, Lines& lines) {
  for (std::size_t i = 0; i < spec.signals.size(); ++i) {
    const Signal& signal = spec.signals[i];
    const std::string prefix = Indexed("signal", i);
    lines.Text(prefix + ".id", signal.id);
    lines.Text(prefix + ".title", signal.title);
    lines.Text(prefix + ".description", signal.description);
    lines.Word(prefix + ".unit", UnitName(signal.unit));
    // As tokens: comments and line breaks are layout. Equal meanings in other tokens (5m and 300s) are other
    // texts; to see that they are equal would need a parser of PromQL.
    lines.Text(prefix + ".expr", NormalisePromql(signal.expr));
    if (!signal.split.empty()) lines.Text(prefix + ".split", NormalisePromql(signal.split));
    if (!signal.ceiling.empty()) lines.Text(prefix + ".ceiling", signal.ceiling);
    AddTests(signal.tests, prefix, lines);
  }
}

void AddThresholds(const Spec& spec, Lines& lines) {
  for (std::size_t i = 0; i < spec.thresholds.size(); ++i) {
    const Threshold& threshold = spec.thresholds[i];
    const std::string prefix = Indexed("threshold", i);
    lines.Text(prefix + ".id", threshold.id);
    lines.Text(prefix + ".signal", threshold.signal);
    lines.Number(prefix + (threshold.direction == Direction::kAbove ? ".above" : ".below"), threshold.limit);
    lines.Duration(prefix + ".for", threshold.hold);
    lines.Text(prefix + ".verdict", threshold.verdict);
    lines.Text(prefix + ".because", threshold.because);
    lines.Text(prefix + ".look", threshold.look);
    lines.Text(prefix + ".act", threshold.act);
  }
}

}  // namespace

std::string CanonicalText(const Spec& spec) {
  Lines lines;
  lines.Word("schema", std::to_string(spec.schema));
  AddStore(spec.store, lines);
  AddVerdicts(spec, lines);
  AddMetrics(spec, lines);
  AddSignals(spec, lines);
  AddThresholds(spec, lines);
  if (spec.coverage) {
    lines.Text("coverage.expr", NormalisePromql(spec.coverage->expr));
    lines.Number("coverage.minimum", spec.coverage->minimum);
    // Keys that came later are here only if they say something, so that an older spec keeps its digest.
    if (spec.coverage->maximum != Coverage().maximum)
      lines.Number("coverage.maximum", spec.coverage->maximum);
    if (!spec.coverage->reason.empty()) lines.Text("coverage.reason", NormalisePromql(spec.coverage->reason));
    lines.Set("coverage.unknown", spec.coverage->unknown);
    lines.Set("coverage.lower_bound", spec.coverage->lower_bound);
    AddTests(spec.coverage->tests, "coverage", lines);
  }
  return lines.Take();
}

std::string Digest(const Spec& spec) { return Sha256Hex(CanonicalText(spec)); }

}  // namespace outgrown::spec
