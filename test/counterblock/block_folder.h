// What the counter block's tests share: a folder with one store in it, written and read.
#pragma once

#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "counterblock/reader.h"
#include "counterblock/writer.h"
#include "test/common/temporary_folder.h"

namespace outgrown::test {

class BlockFolder {
 public:
  std::string path() const { return folder_.path().string(); }
  std::string block_path() const { return path() + "/store.v1.counters"; }

  block::WriterOptions Options(std::uint32_t slots = 16) const {
    return {.directory = path(), .database = "/srv/state.db", .slots = slots};
  }
  block::Writer Open(std::uint32_t slots = 16) const {
    Result<block::Writer> writer = block::Writer::Open("store", Options(slots));
    REQUIRE_MESSAGE(writer.ok(), (writer.ok() ? "" : writer.error().Text()));
    return std::move(*writer);
  }
  // Why it cannot be opened for writing; empty if it can.
  std::string WriteProblem(std::uint32_t slots = 16) const {
    const Result<block::Writer> writer = block::Writer::Open("store", Options(slots));
    return writer.ok() ? "" : writer.error().Text();
  }
  block::Snapshot Read(const std::string& store = "store") const {
    Result<block::Snapshot> snapshot = block::ReadBlock(path(), {store});
    REQUIRE_MESSAGE(snapshot.ok(), (snapshot.ok() ? "" : snapshot.error().Text()));
    return std::move(*snapshot);
  }
  std::string ReadProblem() const {
    const Result<block::Snapshot> snapshot = block::ReadBlock(path(), {"store"});
    return snapshot.ok() ? "" : snapshot.error().Text();
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace outgrown::test
