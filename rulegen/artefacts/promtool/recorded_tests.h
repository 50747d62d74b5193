// promtool tests of recorded series, from the spec's own cases: arithmetic, a counter reset, stores kept apart.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rulegen/artefacts/promtool/promtool.h"
#include "thresholds/model.h"

namespace outgrown::artefacts {

// A recorded series with the author's cases.
struct Recorded {
  std::string series;
  std::string
      by_reason;  // what is recorded beside it with a label `reason`: a split, the coverage's reason; or ""
  const std::vector<spec::SignalTest>& cases;
};

// Which series are counters, the spec's own and the exporter's.
class Counters {
 public:
  explicit Counters(const spec::Spec& spec);

  // `selector`: a name, perhaps with matchers. Parts of histograms, and a summary's count and sum, are counters.
  bool Has(std::string_view selector) const;

 private:
  // Keys into the spec, which must outlive this.
  std::unordered_map<std::string_view, std::string_view> foreign_types_;
};

// The tests of that series. Appends the note that says what they leave out.
std::vector<PromtoolTest> RecordedTests(const spec::Spec& spec, const Recorded& recorded,
                                        const Counters& counters, std::vector<std::string>& notes);

// The case's series, under a name that begins with what it tests; nothing is expected yet.
PromtoolTest CaseTest(const spec::Spec& spec, const std::string& of, const spec::SignalTest& from);

// A case of what a [[watch]] records.
PromtoolTest MemoryTest(const spec::Spec& spec, const spec::Watch& watch, const spec::SignalTest& from);

}  // namespace outgrown::artefacts
