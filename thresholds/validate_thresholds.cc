// [[threshold]]: references, names, and the order of the limits.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "common/text.h"
#include "thresholds/names.h"
#include "thresholds/validation.h"

namespace outgrown::spec {
namespace {

// What is generated holds a limit's neighbours and multiples, all of them finite.
constexpr double kLimitMax = 1e300;
// 285 years: what Go's durations hold, with some room. Beyond them Prometheus prints nonsense in an alert's
// text.
constexpr double kSecondsMax = 9e9;

std::string_view LimitKey(const Threshold& threshold) {
  return threshold.direction == Direction::kAbove ? "above" : "below";
}

// "above 100 of Throughput (migrate_now)"
std::string Named(const Threshold& threshold) {
  return std::string(LimitKey(threshold)) + " " + ExactNumber(threshold.limit) + " of " +
         Quoted(threshold.id) + " (" + threshold.verdict + ")";
}

class Thresholds {
 public:
  Thresholds(const Spec& spec, Report& report, Suggestions& suggestions)
      : spec_(spec), report_(report), suggestions_(suggestions) {
    for (std::size_t i = 0; i < spec.verdicts.size(); ++i) verdicts_.Add(spec.verdicts[i].id, i);
    for (std::size_t i = 0; i < spec.signals.size(); ++i) signals_.Add(spec.signals[i].id, i);
    verdicts_.Sort();
    signals_.Sort();
  }

  void Run() {
    for (const Threshold& threshold : spec_.thresholds) One(threshold);
    for (const auto& [signal, thresholds] : by_signal_) {
      Order(thresholds, Direction::kAbove);
      Order(thresholds, Direction::kBelow);
      Duplicates(thresholds);
      SomeValueIsHealthy(thresholds);
      FitInAGroup(thresholds);
    }
  }

 private:
  struct Judged {
    const Threshold* threshold;
    std::size_t severity;  // the verdict's index
  };

  // What a reference may name. Sorted once: a spec of thousands of thresholds may misspell each of its
  // signals.
  struct Ids {
    void Add(const std::string& id, std::size_t index) {
      if (indices.emplace(id, index).second) sorted.push_back(id);
    }
    void Sort() { std::ranges::sort(sorted); }

    std::unordered_map<std::string_view, std::size_t> indices;
    std::vector<std::string_view> sorted;
  };

  TableCheck CheckOf(const Threshold& threshold) const { return {"threshold", threshold.positions, report_}; }

  void One(const Threshold& threshold) {
    const TableCheck check = CheckOf(threshold);
    Id(check, threshold);
    const bool has_signal = Reference(check, "signal", threshold.signal, signals_, "signal");
    const bool has_verdict = Reference(check, "verdict", threshold.verdict, verdicts_, "verdict");
    check.Line("because", threshold.because);
    check.LineOrNothing("look", threshold.look);
    check.LineOrNothing("act", threshold.act);
    const bool has_limit = Limit(check, threshold);
    Hold(check, threshold.hold, EvaluationPace(spec_.rules));
    // Comparisons between thresholds are made among complete ones only; one with an error of its own was
    // reported.
    if (has_signal && has_verdict && has_limit) {
      by_signal_[threshold.signal].push_back({&threshold, verdicts_.indices.at(threshold.verdict)});
    }
  }

  void Id(const TableCheck& check, const Threshold& threshold) {
    if (!check.Id("id", threshold.id, IsPascalCase,
                  "an id such as \"WriteErrors\": letters and digits, beginning with an upper-case one")) {
      return;
    }
    // Anchors are in lower case, so two alerts that differ in case alone would share one.
    alerts_.AddFolded(check, "id", RunbookAnchor(threshold.id), threshold.id,
                      "an id that no other threshold has, upper and lower case alike", Unique::At::kValue);
  }

  bool Reference(const TableCheck& check, std::string_view key, const std::string& id, const Ids& known,
                 std::string_view what) {
    if (!check.Has(key)) return false;
    if (known.indices.contains(id)) return true;
    // One that could not be read was reported, and could be the one that is meant.
    if (known.indices.empty() || known.indices.contains("") || IsUnusable(spec_.positions, what))
      return false;
    check.Wrong(key, "the unknown " + std::string(what) + " " + Quoted(id),
                "the id of a [[" + std::string(what) + "]]" + suggestions_.For(id, known.sorted));
    return false;
  }

  // Every unit measures something that is never negative.
  bool Limit(const TableCheck& check, const Threshold& threshold) const {
    const std::string_view key = LimitKey(threshold);
    if (!check.Has(key)) return false;
    if (!std::isfinite(threshold.limit)) {
      check.Wrong(key, ExactNumber(threshold.limit), "a finite number");
      return false;
    }
    if (threshold.limit > kLimitMax) {
      check.Wrong(key, "a number above 1e300", "at most 1e300: tests and axes show values beyond the limit");
      return false;
    }
    const auto signal = signals_.indices.find(threshold.signal);
    if (threshold.limit > kSecondsMax && signal != signals_.indices.end() &&
        spec_.signals[signal->second].unit == Unit::kSeconds) {
      check.Wrong(key, ExactNumber(threshold.limit) + " seconds", "at most 9000000000, which is 285 years");
      return false;
    }
    if (threshold.direction == Direction::kAbove && threshold.limit < 0) {
      check.Wrong(key, ExactNumber(threshold.limit), "0 or more (anything would be above it)");
      return false;
    }
    if (threshold.direction == Direction::kBelow && threshold.limit <= 0) {
      check.Wrong(key, ExactNumber(threshold.limit), "more than 0 (nothing would be below it)");
      return false;
    }
    return true;
  }

  // A mild limit is passed before every more severe one of the same signal and direction.
  void Order(std::vector<Judged> thresholds, Direction direction) const {
    // A copy of the list: `above` and `below` are ordered each by itself.
    std::erase_if(thresholds, [&](const Judged& judged) { return judged.threshold->direction != direction; });
    std::ranges::stable_sort(thresholds, std::ranges::greater(), &Judged::severity);
    const auto is_beyond = [&](double mild, double severe) {
      return direction == Direction::kAbove ? mild >= severe : mild <= severe;
    };
    const Threshold* first = nullptr;       // of the more severe ones, whose limit is passed first
    const Threshold* first_here = nullptr;  // and with those of the present severity
    for (std::size_t i = 0; i < thresholds.size(); ++i) {
      const Threshold& mild = *thresholds[i].threshold;
      // Severest first, so that one pass compares each limit with all more severe ones: those of equal
      // severity may be in any order.
      if (i > 0 && thresholds[i].severity != thresholds[i - 1].severity) first = first_here;
      if (first != nullptr && is_beyond(mild.limit, first->limit)) {
        CheckOf(mild).Wrong(LimitKey(mild), ExactNumber(mild.limit),
                            (direction == Direction::kAbove ? "less than " : "more than ") +
                                ExactNumber(first->limit) + ", the limit of the more severe " +
                                Quoted(first->id));
      }
      if (first_here == nullptr || is_beyond(first_here->limit, mild.limit)) first_here = &mild;
    }
  }

  void Duplicates(const std::vector<Judged>& thresholds) const {
    std::map<std::tuple<Direction, double, Milliseconds, std::size_t>, const Threshold*> seen;
    for (const Judged& judged : thresholds) {
      const Threshold& threshold = *judged.threshold;
      // Equal alerts under two names would both fire, and the second never lead.
      const auto [first, is_new] = seen.emplace(
          std::tuple(threshold.direction, threshold.limit, threshold.hold, judged.severity), &threshold);
      if (is_new) continue;
      CheckOf(threshold).Wrong(LimitKey(threshold), "the same threshold as " + Quoted(first->second->id),
                               "another limit, another for or another verdict");
    }
  }

  // Between the highest `below` and the lowest `above` there must be a value that breaches neither.
  void SomeValueIsHealthy(const std::vector<Judged>& thresholds) const {
    const Threshold* highest_below = nullptr;
    const Threshold* lowest_above = nullptr;
    for (const Judged& judged : thresholds) {
      const Threshold& threshold = *judged.threshold;
      if (threshold.direction == Direction::kBelow) {
        if (highest_below == nullptr || threshold.limit > highest_below->limit) highest_below = &threshold;
      } else if (lowest_above == nullptr || threshold.limit < lowest_above->limit) {
        lowest_above = &threshold;
      }
    }
    if (highest_below == nullptr || lowest_above == nullptr || highest_below->limit <= lowest_above->limit)
      return;
    CheckOf(*highest_below)
        .Wrong("below", ExactNumber(highest_below->limit) + " beside " + Named(*lowest_above),
               "limits between which some value is healthy");
  }

  void FitInAGroup(const std::vector<Judged>& thresholds) const {
    const Threshold& first = *thresholds.front().threshold;
    const auto signal = signals_.indices.find(first.signal);
    const bool is_split = signal != signals_.indices.end() && !spec_.signals[signal->second].split.empty();
    const std::size_t most = kRulesPerGroupMax - (is_split ? 2 : 1);  // beside the recording rules
    if (thresholds.size() <= most) return;
    const Threshold& first_over = *thresholds[most].threshold;
    CheckOf(first_over)
        .Wrong("signal",
               Quoted(first_over.signal) + " with " + std::to_string(thresholds.size()) + " thresholds",
               "at most " + std::to_string(most) + ": with the signal's recording " +
                   (is_split ? "rules" : "rule") + " they are one group of " +
                   std::to_string(kRulesPerGroupMax) + " rules, which rulers limit");
  }

  const Spec& spec_;
  Report& report_;
  Suggestions& suggestions_;
  Ids verdicts_;
  Ids signals_;
  std::map<std::string, std::vector<Judged>> by_signal_;
  Unique alerts_;
};

}  // namespace

void ValidateThresholds(const Spec& spec, Report& report, Suggestions& suggestions) {
  Thresholds(spec, report, suggestions).Run();
}

}  // namespace outgrown::spec
