#include "rulegen/artefacts/measurement_tests.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/check.h"
#include "common/duration.h"
#include "common/number.h"
#include "rulegen/artefacts/rule_tests.h"
#include "rulegen/artefacts/test_stores.h"
#include "thresholds/names.h"

namespace outgrown::plan {
namespace {

using Course = TestStore::Course;

double InSeconds(Milliseconds time) { return static_cast<double>(time.count()) / 1000; }

class Tester {
 public:
  Tester(const spec::Spec& spec, AlertTest& test) : spec_(spec), test_(test) {}

  void ExporterDown() {
    AddOfTarget("down", Course::kFires, test_.Always(0), "1 stale");
    AddOfTarget(kOneIntervalShort, Course::kStaysQuiet, test_.TooBriefly(0, 1), test_.Always(1));
    AddOfTarget("up", Course::kStaysQuiet, test_.Always(1), test_.Always(1));
    AddOfTarget("reached-by-another-replica", Course::kStaysQuiet, test_.Always(1), test_.Always(1),
                test_.Always(0));
    AddOfTarget("down-without-a-store", Course::kStaysQuiet, test_.Always(0), "");
  }

  void StoreSilent() {
    const std::string up = test_.Always(1);
    const std::string gone = "1 stale";
    const std::string back_in_time =
        "1 stale _x" + std::to_string(test_.FiresAt() - 2) + " " + test_.Always(1);
    AddOfTarget("silent", Course::kFires, up, gone);
    AddOfTarget(kOneIntervalShort, Course::kStaysQuiet, up, back_in_time);
    AddOfTarget("measured", Course::kStaysQuiet, up, test_.Always(1));
    AddOfTarget("measured-as-0", Course::kStaysQuiet, up, test_.Always(0));
    AddOfTarget("never-there", Course::kStaysQuiet, up, "");
    AddOfTarget("exporter-down", Course::kStaysQuiet, test_.Always(0), gone);
    AddOfTarget("no-target-any-more", Course::kStaysQuiet, "", gone);
  }

  void BlockUnreadable() {
    const std::string up = "checkpoint_block_up";
    AddStore("unreadable", Course::kFires, {{up, test_.Always(0)}});
    AddStore(kOneIntervalShort, Course::kStaysQuiet, {{up, test_.TooBriefly(0, 1)}});
    AddStore("idle", Course::kStaysQuiet,
             {{up, test_.Always(1)}, {"checkpoint_last_write_timestamp_seconds", test_.Always(0)}});
  }

  void WriterStale() {
    const std::string age = "checkpoint_oldest_write_in_flight_seconds";
    const double limit = InSeconds(kWriterStuck);
    AddStore("stuck", Course::kFires, {{age, test_.Always(Neighbour(limit, true))}});
    AddStore(kAtLimit, Course::kStaysQuiet, {{age, test_.Always(limit)}});
    AddStore("idle", Course::kStaysQuiet, {{age, test_.Always(0)}});
  }

  void WriterGone() {
    const std::string writers = "checkpoint_block_writers";
    const std::string commits = "checkpoint_store_commits_total";
    const std::string rising = test_.Rising(0, 1);
    AddStore("commits-without-a-writer", Course::kFires, {{writers, test_.Always(0)}, {commits, rising}});
    AddStore(kOneIntervalShort, Course::kStaysQuiet, {{writers, test_.TooBriefly(0, 1)}, {commits, rising}});
    AddStore("idle", Course::kStaysQuiet, {{writers, test_.Always(0)}, {commits, test_.Always(7)}});
    AddStore("a-writer-that-commits", Course::kStaysQuiet, {{writers, test_.Always(1)}, {commits, rising}});
  }

  void CoverageIncomplete() {
    const std::string series = spec::CoverageSeries(spec_.store);
    const double minimum = spec_.coverage->minimum;
    const double below = Neighbour(minimum, false);
    AddStore("below", Course::kFires, {{series, test_.Always(below)}});
    AddStore(kAtLimit, Course::kStaysQuiet, {{series, test_.Always(minimum)}});
    AddStore(kOneIntervalShort, Course::kStaysQuiet, {{series, test_.TooBriefly(below, minimum)}});
    AddStore("complete", Course::kStaysQuiet, {{series, test_.Always(1)}});
  }

  void DigestMismatch() {
    const std::string& store = spec_.store.name;
    const auto info = [](const std::string& of, const std::string& digest) {
      return "checkpoint_threshold_table_info{store=\"" + of + "\",digest=\"" + digest + "\"}";
    };
    const std::string other(64, '0');
    const std::string always = test_.Always(1);
    AddTarget("another-digest", Course::kFires, {{info(store, other), always}});
    // A roll-out: the other table is gone just before `for` has passed, and the right one is there.
    const std::size_t fires_at = test_.FiresAt();
    AddTarget(kOneIntervalShort, Course::kStaysQuiet,
              {{info(store, other), Repeat(1, fires_at - 1) + " stale"},
               {info(store, spec_.digest), "_x" + std::to_string(fires_at) + " " + Repeat(1, 1)}});
    AddTarget("the-same-digest", Course::kStaysQuiet, {{info(store, spec_.digest), always}});
    AddTarget("another-stores-table", Course::kStaysQuiet, {{info("other_" + store, other), always}});
  }

 private:
  using Series = std::vector<std::pair<std::string, std::string>>;

  void AddWith(std::string_view what, Course course, const std::vector<Pair>& labels, const Series& series) {
    TestStore added{std::string(what), course, labels, {}};
    for (const auto& [selector, notation] : series)
      added.series.emplace_back(Selector(selector, labels), notation);
    test_.Add(std::move(added));
  }
  // A store told apart by its instance, which is also the target's: `up` and `present`, and `up` as another replica of
  // Prometheus sees it, each unless it is empty.
  void AddOfTarget(std::string_view what, Course course, const std::string& up, const std::string& present,
                   const std::string& up_elsewhere = {}) {
    std::vector<Pair> store = ExampleStore(spec_);
    for (Pair& label : store) {
      if (label.name == "instance") label.value = what;
    }
    TestStore added{std::string(what), course, store, {}, 1};
    if (!up.empty()) added.series.emplace_back(Selector("up", TargetNamed(what)), up);
    if (!up_elsewhere.empty())
      added.series.emplace_back(Selector("up{replica=\"b\"}", TargetNamed(what)), up_elsewhere);
    if (!present.empty()) added.series.emplace_back(Selector(spec_.store.present, store), present);
    test_.Add(std::move(added));
  }
  void AddStore(std::string_view what, Course course, const Series& series) {
    AddWith(what, course, StoreNamed(spec_, what), series);
  }
  void AddTarget(std::string_view what, Course course, const Series& series) {
    AddWith(what, course, TargetNamed(what), series);
  }

  const spec::Spec& spec_;
  AlertTest& test_;
};

struct Row {
  std::string_view id;
  std::size_t start;  // AlertTest's
  void (Tester::*add_stores)();
};

constexpr Row kRows[] = {
    {"ExporterDown", 0, &Tester::ExporterDown},       {"StoreSilent", 1, &Tester::StoreSilent},
    {"BlockUnreadable", 0, &Tester::BlockUnreadable}, {"WriterStale", 0, &Tester::WriterStale},
    {"WriterGone", 1, &Tester::WriterGone},           {"CoverageIncomplete", 0, &Tester::CoverageIncomplete},
    {"DigestMismatch", 0, &Tester::DigestMismatch},
};

}  // namespace

PromtoolTest MeasurementTest(const spec::Spec& spec, const MeasurementAlert& planned, const AlertRule& rule) {
  const auto* row = std::ranges::find(kRows, planned.id, &Row::id);
  OUTGROWN_CHECK(row != std::end(kRows));
  AlertTest test(spec, rule, row->start);
  Tester tester(spec, test);
  (tester.*row->add_stores)();
  return test.Make();
}

}  // namespace outgrown::plan
