// What the watch has seen of a store's wal-index, held against the truth.
#pragma once

#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include "exporter/sqlite/wal_watch.h"

namespace outgrown::test {

inline exporter::sqlite::WalWatch::Seen Look(exporter::sqlite::WalWatch& watch, const std::string& path) {
  const auto seen = watch.Look(path);
  REQUIRE(seen.has_value());
  return *seen;
}

// All of the truth, or a missed life is reported; never more than the truth. How many are missed is the machine's matter.
inline void CheckEvidence(const exporter::sqlite::WalWatch::Seen& seen, std::uint64_t truth,
                          const exporter::sqlite::WalWatch::Seen& before = {}) {
  const std::uint64_t commits = seen.commits - before.commits;
  const std::uint64_t missed = seen.missed - before.missed;
  MESSAGE(commits, " of ", truth, " commits, missed lives ", missed);
  CHECK(seen.is_watched);
  CHECK(commits <= truth);
  if (missed == 0) CHECK(commits == truth);
}

}  // namespace outgrown::test
