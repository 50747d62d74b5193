#include "rulegen/archive/snapshot.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/exposition.h"
#include "common/text.h"
#include "common/time_text.h"
#include "prometheus/ask.h"

namespace outgrown::archive {
namespace {

using prometheus_api::Labels;

// How much of one series one query asks for: at 15 s some 120,000 samples.
// Prometheus loads at most 50 million samples for one query (--query.max-samples), and the answer has to fit
// in memory.
constexpr std::int64_t kPieceMs = 21LL * 24 * 3'600'000;
// Lines are written in pieces of this size.
constexpr std::size_t kBufferBytes = 1U << 20U;

struct Family {
  std::string name;
  std::string selector;
};

// The series that decisions are made from: recorded signals with their split, the coverage with its reasons, those by
// which stores and their stops are found, and the alerts with which a decision is compared.
std::vector<Family> Families(const Table& table) {
  std::set<std::string_view> names = {table.present, table.modified, table.coverage_series,
                                      table.reason_series};
  for (const SignalRow& signal : table.signals) {
    names.insert(signal.series);
    names.insert(signal.split_series);
  }
  names.erase("");
  std::vector<std::string_view> alerts;
  for (const ThresholdRow& threshold : table.thresholds) alerts.push_back(threshold.alert);
  std::vector<Family> families = {
      {"ALERTS", fmt::format("ALERTS{{alertname=~\"{}\"}}", fmt::join(alerts, "|"))}};
  for (const std::string_view name : names) families.push_back({std::string(name), std::string(name)});
  return families;
}

std::string RangeText(std::int64_t range_ms) {
  return FormatDuration(Milliseconds(std::max<std::int64_t>(1, range_ms)));
}

// The answer's series, or why they are no evidence.
Result<std::vector<prometheus_api::Series>> Whole(prometheus_api::Reply reply,
                                                  const prometheus_api::QuerySource& source) {
  if (reply.usable()) return std::move(reply.series);
  return Error{
      fmt::format(
          "{}: {}{}", reply.asked.promql,
          reply.asked.trust == prometheus_api::Trust::kPartial ? "the answer may be incomplete: " : "",
          reply.asked.problem),
      source.name()};
}

Labels WithoutName(Labels labels) {
  std::erase_if(labels, [](const auto& label) { return label.first == "__name__"; });
  return labels;
}

// The label sets that a series had within the range, sorted.
// An instant query finds only series that are alive at the end; last_over_time finds those that ended too.
// Sorted, so that two archives of one period can be compared.
Result<std::vector<Labels>> LabelSets(prometheus_api::QuerySource& source, const std::string& selector,
                                      const Range& range) {
  const std::string promql =
      fmt::format("last_over_time({}[{}])", selector, RangeText(range.to_ms - range.from_ms));
  prometheus_api::Notes notes;
  const auto answer = Whole(prometheus_api::AskVector(source, promql, range.to_ms, notes), source);
  if (!answer) return answer.error();
  std::vector<Labels> sets;
  for (const prometheus_api::Series& series : *answer) sets.push_back(WithoutName(series.labels));
  std::ranges::sort(sets);
  return sets;
}

// Writes one label set's samples.
class SeriesWriter {
 public:
  SeriesWriter(prometheus_api::QuerySource& source, const Range& range, Folder::File& file)
      : source_(source), range_(range), file_(file) {}

  Result<void> Write(const Labels& labels, FamilySnapshot& family) {
    const std::string series = SeriesText(family.name, labels);
    std::string lines;
    std::int64_t after_ms = range_.from_ms - 1;
    // The ranges are open on the left, (after, until], so that no sample is taken twice where they meet.
    while (after_ms < range_.to_ms) {
      const std::int64_t until_ms = std::min(range_.to_ms, after_ms + kPieceMs);
      prometheus_api::Notes notes;
      const auto answer =
          Whole(prometheus_api::AskSamples(source_, series, until_ms,
                                           std::max<std::int64_t>(1, until_ms - after_ms), notes),
                source_);
      if (!answer) return answer.error();
      for (const prometheus_api::Series& one : *answer) {
        if (WithoutName(one.labels) != labels) continue;  // a selector also matches series with more labels
        for (const Sample& sample : one.samples) {
          // Prometheus 3 leaves the range's left edge out, 2 includes it.
          if (sample.time_ms <= after_ms || sample.time_ms > until_ms) continue;
          lines += SampleLine(series, sample);
          ++family.samples;
          family.not_a_number += std::isnan(sample.value) ? 1 : 0;
          if (lines.size() < kBufferBytes) continue;
          if (Result<void> written = file_.Write(lines); !written) return written;
          lines.clear();
        }
      }
      after_ms = until_ms;
    }
    ++family.series;
    return file_.Write(lines);
  }

 private:
  prometheus_api::QuerySource& source_;
  const Range& range_;
  Folder::File& file_;
};

}  // namespace

Result<std::vector<FamilySnapshot>> WriteSnapshot(const Table& table, prometheus_api::QuerySource& source,
                                                  const Range& range, Folder::File& file,
                                                  const SeriesDone& series_done) {
  std::vector<FamilySnapshot> families;
  std::vector<std::vector<Labels>> sets;
  std::size_t all = 0;
  for (Family& family : Families(table)) {
    Result<std::vector<Labels>> of_family = LabelSets(source, family.selector, range);
    if (!of_family) return of_family.error();
    all += of_family->size();
    sets.push_back(std::move(*of_family));
    families.push_back({.name = std::move(family.name)});
  }
  std::size_t done = 0;
  SeriesWriter writer(source, range, file);
  for (std::size_t index = 0; index < families.size(); ++index) {
    if (Result<void> written = file.Write(FamilyHead(families[index].name)); !written) return written.error();
    for (const Labels& labels : sets[index]) {
      if (Result<void> written = writer.Write(labels, families[index]); !written) return written.error();
      series_done(++done, all);
    }
  }
  if (Result<void> written = file.Write(kEnd); !written) return written.error();
  return families;
}

// Prometheus keeps no type for a recorded series; `unknown` is OpenMetrics' word for that.
std::string FamilyHead(std::string_view name) { return fmt::format("# TYPE {} unknown\n", name); }

std::string SeriesText(std::string_view name, const prometheus_api::Labels& labels) {
  std::string text(name);
  for (const auto& label : labels) AppendLabel(text, &label == &labels.front(), label.first, label.second);
  if (!labels.empty()) text += '}';
  return text;
}

std::string SampleLine(std::string_view series, const Sample& sample) {
  return fmt::format("{} {} {}\n", series, ExactNumber(sample.value), SecondsText(sample.time_ms));
}

// OpenMetrics has seconds, Prometheus milliseconds; its reader multiplies by 1000 and cuts the fraction off.
std::string SecondsText(std::int64_t time_ms) {
  double seconds =
      static_cast<double>(time_ms) / 1000;  // of small times some would be cut off: 1.001 * 1000 < 1001
  while (static_cast<std::int64_t>(seconds * 1000) < time_ms) {
    seconds = std::nextafter(seconds, std::numeric_limits<double>::infinity());
  }
  return ExactNumber(seconds);
}

}  // namespace outgrown::archive
