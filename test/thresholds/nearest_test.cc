#include "thresholds/diagnostic.h"

#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

using outgrown::spec::DidYouMean;
using outgrown::spec::Nearest;

TEST_CASE("a near miss finds what was meant, and nonsense finds nothing") {
  const std::vector<std::string_view> keys = {"schema",          "above",           "below",
                                              "keep_firing_for", "scrape_interval", "for"};
  struct Row {
    std::string_view name, nearest;
  };
  for (const Row& row :
       {Row{"abvoe", "above"},                      // swapped
        Row{"abov", "above"},                       // left out
        Row{"abovee", "above"},                     // too many
        Row{"Above", "above"},                      // case
        Row{"keep-firing-for", "keep_firing_for"},  // another separator
        Row{"keepfiringfor", "keep_firing_for"}, Row{"scrapeInterval", "scrape_interval"}, Row{"four", "for"},
        Row{"colour", ""}, Row{"", ""}, Row{"above", ""}, Row{"x", ""}}) {
    CAPTURE(row.name);
    CHECK(Nearest(row.name, keys) == row.nearest);
  }
  CHECK(Nearest(std::string(10'000, 'a'), keys).empty());
  CHECK(DidYouMean("abvoe", keys) == "; did you mean \"above\"?");
  CHECK(DidYouMean("zzz", keys).empty());
}
