#include "exporter/sqlite/headers.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include "common/file.h"
#include "test/common/temporary_folder.h"
#include "test/exporter/sqlite/sqlite_process.h"

namespace sqlite = outgrown::exporter::sqlite;

TEST_CASE("no damaged byte of a wal-index header gives another count") {
  const outgrown::test::TemporaryFolder folder;
  const std::string path = (folder.path() / "a.db").string();
  outgrown::test::SqliteProcess process(path);
  REQUIRE(process.Exec("PRAGMA journal_mode=WAL; CREATE TABLE t(x); INSERT INTO t VALUES (1)") == 0);
  process.Kill();
  const std::string good = outgrown::ReadFile(path + "-shm").value();
  sqlite::WalIndexBytes bytes = {};
  std::copy_n(good.begin(), bytes.size(), bytes.begin());
  REQUIRE(sqlite::DecodeWalIndex(bytes).ok());
  CHECK(sqlite::DecodeWalIndex(bytes)->commits == 2);
  constexpr std::size_t kCopyBytes = 48;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (int flip = 1; flip < 256; ++flip) {
      const auto damage = [&](std::size_t offset, sqlite::WalIndexBytes copy) {
        copy[offset] = static_cast<std::uint8_t>(copy[offset] ^ flip);
        return copy;
      };
      const auto one = sqlite::DecodeWalIndex(damage(at, bytes));
      const auto both =
          at < kCopyBytes ? sqlite::DecodeWalIndex(damage(at + kCopyBytes, damage(at, bytes))) : one;
      if (at < 2 * kCopyBytes) {
        REQUIRE_FALSE(one.ok());
        REQUIRE_FALSE(both.ok());
      } else {
        REQUIRE(one.ok());
        REQUIRE(one->commits == 2);
      }
    }
  }
}
